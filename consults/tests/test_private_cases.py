"""Posting a case to colleagues named by handle: the form, the moderator's look, what is asked once it is open."""

import pytest
from django.urls import reverse

from accounts.models import Face, FanOut, Kind
from accounts.services import ties
from accounts.tests.factories import make_member
from conftest import client_of
from consults import forms, written
from consults.models import Case, CaseDraft, Image
from consults.services import reviewing, submitting
from consults.tests.factories import FIELDS, make_case, make_consent, make_draft
from consults.words import TICKS
from questions.models import Invitation, Question
from questions.services import inviting, writing

PRIVATE = {"audience": "invited", "invited": "@nephron_loop"}


@pytest.fixture
def author(db):
    member = make_member("left_atrium")
    for _ in range(3):
        make_case(member, images=0)
    return member


def private_draft(member, **typed):
    return make_draft(member, image_state=Image.State.MASKED, typed={**PRIVATE, **typed})


def send(draft):
    consent = make_consent(draft.member, for_observers=True)
    return submitting.submit(draft=draft, member=draft.member, consent=consent, ticks=TICKS)


def form_of(member, **typed):
    fields = {**FIELDS, "specialties": [member.specialty_id], **PRIVATE, **typed}
    return forms.CaseForm(forms.as_sent(fields), member=member)


class TestTheForm:
    def test_colleagues_are_named_by_handle(self, author, colleague, third):
        assert form_of(author, invited="@nephron_loop papular").is_valid()

    @pytest.mark.parametrize("typed", ["nobody_here", "papular"])
    def test_a_handle_that_cannot_be_asked_is_refused_beside_its_field(self, author, third, typed):
        ties.block(blocker=third, blocked=author, blocked_face=Face.HANDLE)
        form = form_of(author, invited=typed)

        assert form.errors == {
            "invited": [f"No colleague of this handle can be invited. Look at: {typed}."],
        }

    def test_who_names_themselves_is_told_so(self, author):
        assert form_of(author, invited=f"@{author.handle}").errors == {
            "invited": ["You cannot invite yourself."]
        }

    def test_somebody_has_to_be_named(self, author):
        assert form_of(author, invited=" , ").errors == {"invited": [inviting.NobodyNamed.message]}

    def test_what_is_typed_for_other_readers_does_not_matter(self, author):
        form = form_of(author, audience="physicians", invited="nobody_here")

        assert form.is_valid()
        assert (
            written.read(
                {**FIELDS, **PRIVATE, "audience": "physicians", "specialties": [author.specialty_id]}
            ).invited
            == ()
        )

    def test_nobody_signs_it_with_a_name(self, colleague):
        named = make_member("open_book", byline_mode="public", display_name="Anna Vale, MD")

        assert writing.NamedAmongInvited.message in form_of(named, byline="public").errors["audience"]

    def test_nothing_typed_is_lost(self, author):
        client = client_of(author)
        sent = {
            **FIELDS,
            **PRIVATE,
            "invited": "nobody_here, papular",
            "specialties": author.specialty_id,
            "next": "1",
        }

        answer = client.post(reverse("consults:new"), sent)

        page = answer.content.decode()
        assert answer.status_code == 422
        assert 'value="nobody_here, papular"' in page
        assert "No colleague with these handles can be invited: nobody_here, papular." in page
        assert CaseDraft.objects.get(member=author).fields["invited"] == "nobody_here, papular"


def test_no_case_offers_its_asker_a_poll_which_would_go_around_answering_first(author):
    case = make_case(author, images=0)

    page = client_of(author).get(case.get_absolute_url()).content.decode()

    assert "Edit</a>" in page
    assert reverse("polls:new") + "?" not in page


class TestPosting:
    def test_it_is_private_closed_to_observers_and_asked_of_whom_it_names(self, author, colleague, third):
        case = send(private_draft(author))

        assert isinstance(case, Case)
        assert (case.question.audience, case.question.peers_only) == ("invited", True)
        assert list(Invitation.objects.values_list("member__handle", "state")) == [("nephron_loop", "sent")]
        assert case.question in Question.objects.visible_to(colleague.user)
        assert case.question not in Question.objects.visible_to(third.user)
        assert not FanOut.objects.filter(about=f"question:{case.pk}").exists()

    def test_a_block_since_the_form_keeps_it_from_going_out(self, author, colleague):
        draft = private_draft(author)
        ties.block(blocker=colleague, blocked=author, blocked_face=Face.HANDLE)

        with pytest.raises(inviting.CannotBeInvited):
            send(draft)

        assert CaseDraft.objects.filter(pk=draft.pk).exists()

    def test_after_a_moderators_look_those_are_asked_who_still_can_be(self, colleague, third, moderator):
        newcomer = make_member("vagal_tone")
        waiting = send(private_draft(newcomer, invited="nephron_loop papular"))
        assert waiting.is_waiting
        assert (
            "Only colleagues I name: nephron_loop, papular"
            in client_of(moderator).get(reverse("consults:review", args=[waiting.pk])).content.decode()
        )
        ties.block(blocker=third, blocked=newcomer, blocked_face=Face.HANDLE)

        case = reviewing.approve(draft=waiting, by=moderator.user)

        assert list(case.question.invitations.values_list("member__handle", flat=True)) == ["nephron_loop"]

    def test_where_none_is_left_it_goes_back(self, colleague, moderator):
        newcomer = make_member("vagal_tone")
        waiting = send(private_draft(newcomer))
        ties.block(blocker=newcomer, blocked=colleague, blocked_face=Face.HANDLE)

        with pytest.raises(reviewing.CouldNotGoOut):
            reviewing.approve(draft=waiting, by=moderator.user)

        assert not Question.objects.filter(audience="invited").exists()

    @pytest.mark.parametrize(
        ("intent", "kinds"), [("help", {Kind.TOPIC, Kind.ASKED}), ("teaching", {Kind.TOPIC})]
    )
    def test_opened_to_all_it_is_put_to_colleagues_as_any_other(self, author, intent, kinds):
        case = make_case(author, images=0, audience="invited", intent=intent)

        inviting.ask_to_open(question=case.question, by=author)

        told = FanOut.objects.filter(about=f"question:{case.pk}").values_list("kind", flat=True)
        assert set(told) == kinds
