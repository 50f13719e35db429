"""Private consults: who is asked in, who reads and writes, and opening one to all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Face, FanOut, Kind, Notice
from accounts.notice_kinds import lines
from accounts.services import ties
from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import DiagnosisVote
from consults.services import markers
from consults.tests.factories import make_case, make_diagnosis, make_image
from questions.models import Asked, Byline, Invitation, Post, Question
from questions.services import (
    asking,
    bylines,
    circles,
    closing,
    committing,
    inviting,
    telling,
    voting,
    writing,
)
from questions.similar import similar_to
from questions.tasks import expire_invitations
from questions.tests.factories import make_answer, make_question


@pytest.fixture
def question(physician):
    return make_case(physician, audience="invited", images=0).question


def ask_in(question, *members, accepted=True):
    """Invitations as the service makes them."""
    inviting.invite(question=question, by=question.asker, members=members)
    rows = [Invitation.objects.get(question=question, member=member) for member in members]
    if accepted:
        rows = [inviting.accept(invitation=row, member=row.member) for row in rows]
    return rows[0] if len(rows) == 1 else rows


def overdue(invitation):
    past = timezone.now() - timedelta(hours=5)
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=past, due_at=past + timedelta(hours=4))


def told(member, key):
    return Notice.objects.filter(member=member, key=key).exists()


class TestWhoCanBeAsked:
    def test_handles_are_taken_with_or_without_a_sign_and_once(self):
        typed = "@nephron_loop, papular;  Papular\n@papular"

        assert inviting.handles_in(typed) == ["nephron_loop", "papular"]

    def test_they_are_found_in_the_order_named(self, physician, colleague, third):
        assert inviting.members_named(["PAPULAR", "nephron_loop"], by=physician) == [third, colleague]

    @pytest.mark.parametrize(
        "why", ["unknown", "oneself", "applicant", "blocked", "blocking", "read_only", "gone"]
    )
    def test_every_reason_against_it_reads_alike(self, physician, applicant, why):
        handle = {"unknown": "nobody_at_all", "oneself": physician.handle, "applicant": applicant.handle}.get(
            why
        )
        if handle is None:
            other = make_member("vagal_tone", standing="read_only" if why == "read_only" else "physician")
            handle = other.handle
            if why == "blocked":
                ties.block(blocker=physician, blocked=other, blocked_face=Face.HANDLE)
            if why == "blocking":
                ties.block(blocker=other, blocked=physician, blocked_face=Face.HANDLE)
            if why == "gone":
                other.user.is_active = False
                other.user.save()

        with pytest.raises(inviting.CannotBeInvited) as refusal:
            inviting.members_named([handle], by=physician)

        assert str(refusal.value) == f"No colleague of this handle can be invited. Look at: {handle}."

    def test_a_block_of_a_name_says_nothing_about_a_handle(self, physician):
        named = make_member("open_book", byline_mode="public", display_name="Anna Vale, MD")
        ties.block(blocker=physician, blocked=named, blocked_face=Face.NAME)

        assert inviting.members_named(["open_book"], by=physician) == [named]

    def test_one_names_one_to_ten(self, physician):
        with pytest.raises(inviting.NobodyNamed):
            inviting.members_named([], by=physician)
        with pytest.raises(inviting.TooManyInvited):
            inviting.members_named([f"handle{number}" for number in range(11)], by=physician)

    def test_only_a_case_is_put_to_colleagues_by_name(self, physician):
        with pytest.raises(writing.NamedOutsideCases):
            make_question(physician, audience="invited")

    def test_other_forms_do_not_offer_it(self, physician_client):
        for address in (reverse("questions:ask"), reverse("polls:new")):
            assert 'value="invited"' not in physician_client.get(address).content.decode()


class TestAskingIn:
    def test_each_has_four_hours_and_is_told_by_name(self, question, colleague, physician):
        row = ask_in(question, colleague, accepted=False)

        assert row.due_at - row.sent_at == timedelta(hours=4)
        notice = Notice.objects.get(member=colleague, kind=Kind.CASE_PAGE)
        line = lines([notice], colleague.user)[notice.pk]
        assert (line.name, line.title) == (physician.handle, question.title)
        assert line.text.startswith("asked you into a private consult; 3 h 59 min")

    def test_twice_is_as_good_as_once(self, question, colleague):
        ask_in(question, colleague, accepted=False)

        assert inviting.invite(question=question, by=question.asker, members=[colleague]) == []
        assert Notice.objects.filter(member=colleague).count() == 1

    def test_only_its_asker_asks_and_only_into_a_private_one(self, question, colleague, third):
        with pytest.raises(writing.NotYours):
            inviting.invite(question=question, by=colleague, members=[third])
        other = make_case(colleague, images=0).question
        with pytest.raises(inviting.NotPrivate):
            inviting.invite(question=other, by=colleague, members=[third])

    def test_a_closed_one_takes_nobody_in(self, question, colleague):
        row = ask_in(question, colleague, accepted=False)
        closing.close_question(question=question, by=question.asker)

        with pytest.raises(writing.NotOpen):
            inviting.accept(invitation=row, member=colleague)
        with pytest.raises(writing.NotOpen):
            inviting.invite(question=question, by=question.asker, members=[make_member()])

    def test_ten_in_all(self, question):
        ask_in(question, *[make_member() for _ in range(8)], accepted=False)

        with pytest.raises(inviting.TooManyInvited):
            inviting.invite(question=question, by=question.asker, members=[make_member() for _ in range(3)])

        assert question.invitations.count() == 8

    def test_a_block_since_the_form_was_read_counts(self, question, colleague):
        ties.block(blocker=colleague, blocked=question.asker, blocked_face=Face.HANDLE)

        with pytest.raises(inviting.CannotBeInvited):
            inviting.invite(question=question, by=question.asker, members=[colleague])


@pytest.mark.django_db(transaction=True)
def test_two_at_once_never_ask_more_than_ten(question):
    some = [[make_member() for _ in range(6)] for _ in range(2)]
    start = Barrier(2)

    def ask(members):
        start.wait()
        try:
            return len(inviting.invite(question=question, by=question.asker, members=members))
        except inviting.TooManyInvited:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(ask, some))

    assert sorted(made) == [0, 6]
    assert question.invitations.count() == 6


class TestAnswering:
    def test_accepting_lets_one_write_and_tells_the_asker(self, question, colleague, physician):
        row = ask_in(question, colleague)

        assert make_answer(question, colleague).author == colleague
        assert told(physician, f"private:accepted:{row.pk}")
        assert inviting.accept(invitation=row, member=colleague).state == "accepted"

    def test_who_is_asked_reads_but_does_not_write(self, question, colleague):
        ask_in(question, colleague, accepted=False)

        assert question in Question.objects.visible_to(colleague.user)
        with pytest.raises(circles.NotAccepted):
            make_answer(question, colleague)
        opening = question.posts.get()
        with pytest.raises(circles.NotAccepted):
            voting.rate_importance(question=question, rater=colleague, value=4)
        with pytest.raises(circles.NotAccepted):
            voting.cast_vote(post=opening, voter=colleague, value=1)

    def test_a_moderator_reads_and_does_not_write(self, question, moderator):
        assert question in Question.objects.visible_to(moderator.user)
        with pytest.raises(circles.NotAccepted):
            make_answer(question, moderator)

    def test_declining_closes_it(self, question, colleague, physician):
        row = ask_in(question, colleague, accepted=False)

        inviting.decline(invitation=row, member=colleague)
        inviting.decline(invitation=row, member=colleague)

        assert not Question.objects.visible_to(colleague.user).exists()
        assert told(physician, f"private:declined:{row.pk}")
        with pytest.raises(inviting.InvitationOver):
            inviting.accept(invitation=row, member=colleague)

    def test_accepted_is_accepted(self, question, colleague):
        with pytest.raises(inviting.InvitationOver):
            inviting.decline(invitation=ask_in(question, colleague), member=colleague)

    def test_nobody_answers_for_another(self, question, colleague, third):
        row = ask_in(question, colleague, accepted=False)

        for act in (inviting.accept, inviting.decline):
            with pytest.raises(inviting.InvitationOver):
                act(invitation=row, member=third)

    @pytest.mark.parametrize("blocker", ["asker", "invited"])
    def test_a_block_ends_it_and_nothing_crosses_it(self, blocker, question, colleague, physician):
        row = ask_in(question, colleague, accepted=False)
        one, other = (physician, colleague) if blocker == "asker" else (colleague, physician)
        ties.block(blocker=one, blocked=other, blocked_face=Face.HANDLE)

        for act in (inviting.accept, inviting.decline):
            with pytest.raises(inviting.InvitationOver):
                act(invitation=row, member=colleague)
        address = reverse("questions:answer_invitation", args=[question.pk])
        for choice in ("accept", "decline"):
            assert client_of(colleague).post(address, {choice: "1"}).status_code == 404

        row.refresh_from_db()
        assert row.state == "sent"
        assert not Notice.objects.filter(member=physician, key__startswith="private:").exists()

    def test_a_closed_one_can_be_declined_without_a_word_to_its_asker(
        self, question, colleague, colleague_client, physician
    ):
        row = ask_in(question, colleague, accepted=False)
        closing.close_question(question=question, by=physician)
        page = colleague_client.get(question.get_absolute_url()).content.decode()
        assert 'name="decline"' in page
        assert 'name="accept"' not in page

        address = reverse("questions:answer_invitation", args=[question.pk])
        for _ in range(2):
            assert colleague_client.post(address, {"decline": "1"}).url == reverse("consults:list")

        row.refresh_from_db()
        assert row.state == "declined"
        assert not Question.objects.visible_to(colleague.user).exists()
        assert not told(physician, f"private:declined:{row.pk}")

    def test_time_ends_it_to_the_second(self, question, colleague):
        row = ask_in(question, colleague, accepted=False)
        overdue(row)

        assert not Question.objects.visible_to(colleague.user).exists()
        with pytest.raises(inviting.InvitationOver):
            inviting.accept(invitation=row, member=colleague)
        address = reverse("questions:answer_invitation", args=[question.pk])
        assert client_of(colleague).post(address, {"accept": "1"}).status_code == 404

    def test_the_clock_says_so_once_and_leaves_others(self, question, colleague, third, physician):
        row, other = ask_in(question, colleague, third, accepted=False)
        overdue(row)

        expire_invitations()
        expire_invitations()

        row.refresh_from_db(), other.refresh_from_db()
        assert (row.state, other.state) == ("expired", "sent")
        notice = Notice.objects.get(member=physician, key=f"private:expired:{row.pk}")
        line = lines([notice], physician.user)[notice.pk]
        assert (line.name, "in time" in line.text) == (colleague.handle, True)

    def test_a_block_between_handles_closes_it(self, question, colleague):
        ask_in(question, colleague)
        ties.block(blocker=colleague, blocked=question.asker, blocked_face=Face.HANDLE)

        assert not Question.objects.visible_to(colleague.user).exists()
        assert colleague not in telling.readers(question)

    def test_who_may_read_no_longer_reads_nothing(self, question, colleague):
        ask_in(question, colleague)
        colleague.standing = "suspended"
        colleague.save()

        assert not Question.objects.visible_to(colleague.user).exists()


class TestNames:
    """The asker knows the invited by handle, and they the asker: a name among them would soon be joined to one."""

    @pytest.fixture
    def named(self, db):
        return make_member("open_book", byline_mode="public", display_name="Anna Vale, MD")

    def test_nobody_asks_under_a_name(self, named):
        with pytest.raises(writing.NamedAmongInvited):
            writing.check_audience(named, "invited", [], "public", kind="case")

    def test_nobody_answers_under_a_name(self, question, named):
        ask_in(question, named)

        with pytest.raises(bylines.NameAmongInvited):
            make_answer(question, named)
        assert "Anna Vale" not in client_of(named).get(question.get_absolute_url()).content.decode()
        assert make_answer(question, named, byline="anonymous").byline.mode == Byline.Mode.ANONYMOUS


PLACES = ("/questions/", "/", "/consults/", "/search/?q=rash", "/asked/", "/members/left_atrium/")


class TestEverywhereElse:
    def test_who_is_not_asked_in_meets_it_nowhere(self, question, colleague):
        peer = make_member(specialty=question.asker.specialty)
        client = client_of(peer)

        assert client.get(question.get_absolute_url()).status_code == 404
        assert client.post(f"/posts/{question.posts.get().pk}/vote/", {"value": 1}).status_code == 404
        for address in PLACES:
            assert question.title not in client.get(address).content.decode()
        assert similar_to(peer.user, question.title) == []
        assert not Post.objects.visible_to(peer.user).exists()

    def test_who_is_asked_in_finds_it(self, question, colleague, colleague_client):
        ask_in(question, colleague)

        assert question.title in colleague_client.get("/consults/").content.decode()
        assert similar_to(colleague.user, question.title)[0]["question_id"] == question.pk

    def test_only_its_readers_hear_of_what_is_written(self, question, colleague, third, physician):
        ask_in(question, colleague)
        answer = make_answer(question, colleague, source="As @papular and @left_atrium would say, wait.")

        assert told(physician, f"post:{answer.pk}")
        assert not Notice.objects.filter(member=third).exists()

    def test_it_is_put_to_nobody(self, physician):
        made = make_question(
            physician, kind="case", audience="invited", put_to_colleagues=True, title="A rash on the trunk"
        )

        assert not FanOut.objects.exists()
        assert not asking.candidates(made.posts.get())

    @pytest.mark.parametrize("place", ["accept", "invite", "open", "answer"])
    def test_its_doors_are_closed_to_others(self, question, colleague, place, applicant_client, client):
        address = {
            "accept": reverse("questions:answer_invitation", args=[question.pk]),
            "invite": reverse("questions:invite", args=[question.pk]),
            "open": reverse("questions:ask_to_open", args=[question.pk]),
            "answer": reverse("questions:answer_opening", args=[question.pk]),
        }[place]

        assert client_of(make_member()).post(address, {"accept": "1"}).status_code == 404
        assert applicant_client.post(address).url == reverse("verification:start")
        assert client.post(address).url.startswith("/accounts/")
        ask_in(question, colleague)
        expected = 302 if place in ("accept", "answer") else 404
        assert client_of(colleague).post(address, {"accept": "1"}).status_code == expected


class TestOpening:
    def test_where_nobody_wrote_it_opens_at_once(self, question, colleague, third, physician):
        ask_in(question, colleague)

        inviting.ask_to_open(question=question, by=physician)

        question.refresh_from_db()
        assert (question.audience, question.peers_only) == ("physicians", True)
        assert question in Question.objects.visible_to(third.user)
        assert told(colleague, f"private:opened:{question.pk}")

    def test_it_is_then_told_as_a_new_one(self, question, physician):
        inviting.ask_to_open(question=question, by=physician)

        opening = question.posts.get()
        kinds = set(FanOut.objects.filter(target=opening.pk).values_list("kind", flat=True))
        assert kinds == {Kind.TOPIC, Kind.ASKED}
        assert not Asked.objects.exists()

    def test_every_author_has_to_agree(self, question, colleague, third, physician):
        ask_in(question, colleague, third)
        for author in (colleague, third):
            make_answer(question, author)
        inviting.ask_to_open(question=question, by=physician)

        inviting.answer_opening(question=question, member=colleague, agrees=True)
        question.refresh_from_db()
        assert question.is_private
        inviting.answer_opening(question=question, member=third, agrees=True)

        question.refresh_from_db()
        assert question.audience == "physicians"

    def test_who_refuses_keeps_it_private_and_may_think_better_of_it(self, question, colleague, physician):
        ask_in(question, colleague)
        make_answer(question, colleague)
        inviting.ask_to_open(question=question, by=physician)
        inviting.answer_opening(question=question, member=colleague, agrees=False)
        inviting.ask_to_open(question=question, by=physician)

        question.refresh_from_db()
        assert question.is_private
        assert told(physician, f"private:kept:{question.pk}")
        assert Notice.objects.filter(member=colleague, key=f"private:asked:{question.pk}").count() == 1
        inviting.answer_opening(question=question, member=colleague, agrees=True)
        question.refresh_from_db()
        assert not question.is_private

    def test_who_wrote_since_is_asked_too(self, question, colleague, third, physician):
        ask_in(question, colleague, third)
        make_answer(question, colleague)
        inviting.ask_to_open(question=question, by=physician)
        make_answer(question, third)

        inviting.answer_opening(question=question, member=colleague, agrees=True)
        with pytest.raises(inviting.NotAsked):
            inviting.answer_opening(question=question, member=third, agrees=True)

        question.refresh_from_db()
        assert question.is_private
        inviting.ask_to_open(question=question, by=physician)
        inviting.answer_opening(question=question, member=third, agrees=True)
        question.refresh_from_db()
        assert not question.is_private

    @pytest.mark.parametrize("by", ["author", "moderator"])
    def test_whose_post_was_removed_is_asked_for_it_may_be_put_back(
        self, by, question, colleague, physician, moderator
    ):
        ask_in(question, colleague)
        post = make_answer(question, colleague)
        if by == "author":
            writing.remove_post(post=post, by=colleague)
        else:
            writing.remove_post(post=post, by=None, user=moderator.user)

        inviting.ask_to_open(question=question, by=physician)

        question.refresh_from_db()
        assert question.is_private
        inviting.answer_opening(question=question, member=colleague, agrees=True)
        question.refresh_from_db()
        assert not question.is_private

    @pytest.mark.parametrize("where", ["answer", "diagnosis", "mark"])
    def test_who_only_disputes_or_marks_is_asked(self, where, question, colleague, third, physician):
        ask_in(question, colleague, third)
        post = make_answer(question, third)
        committing.open_for_reading(question=question, member=colleague)
        words = "This has been ruled out by the first biopsy."
        if where == "answer":
            voting.cast_vote(post=post, voter=colleague, value=-1, reason="evidence", explanation=words)
        elif where == "diagnosis":
            DiagnosisVote.objects.create(
                diagnosis=make_diagnosis(question.case, "lupus"),
                voter=colleague,
                value=-1,
                reason="evidence",
                explanation=words,
            )
        else:
            image = make_image(case=question.case)
            markers.add_marker(image=image, member=colleague, left=1, top=1, label="Here")

        assert set(inviting.authors_of(question)) == {colleague.pk, third.pk}
        inviting.ask_to_open(question=question, by=physician)
        inviting.answer_opening(question=question, member=third, agrees=True)

        question.refresh_from_db()
        assert question.is_private

    def test_who_agrees_with_something_has_written_nothing(self, question, colleague, third):
        ask_in(question, colleague, third)
        post = make_answer(question, third)
        committing.open_for_reading(question=question, member=colleague)
        voting.cast_vote(post=post, voter=colleague, value=1)
        DiagnosisVote.objects.create(
            diagnosis=make_diagnosis(question.case, "lupus"), voter=colleague, value=1
        )

        assert inviting.authors_of(question) == [third.pk]

    def test_who_has_left_can_not_be_asked_so_it_stays_private(self, question, colleague, physician):
        ask_in(question, colleague)
        make_answer(question, colleague)
        Invitation.objects.all().delete()  # as leaving does

        inviting.ask_to_open(question=question, by=physician)

        question.refresh_from_db()
        assert question.is_private
        found = inviting.opening_of(question, [], inviting.authors_of(question))
        assert (found.unreachable, found.unasked) == (1, 0)

    def test_only_its_asker_asks_to_open_it(self, question, colleague):
        ask_in(question, colleague)
        with pytest.raises(writing.NotYours):
            inviting.ask_to_open(question=question, by=colleague)


class TestPages:
    def test_the_asker_sees_who_is_asked_and_how_it_stands(
        self, question, colleague, third, physician_client
    ):
        ask_in(question, colleague)
        ask_in(question, third, accepted=False)

        page = physician_client.get(question.get_absolute_url()).content.decode()

        assert "nephron_loop</a><small>Accepted" in page
        assert "papular</a><small>Asked, 3 h 59 min left" in page
        assert "Colleagues the asker named" in page

    def test_nobody_else_sees_who_is_asked(self, question, colleague, third):
        ask_in(question, colleague, third)

        assert "papular" not in client_of(colleague).get(question.get_absolute_url()).content.decode()

    def test_who_is_asked_has_the_bar_and_no_form_to_answer(self, question, colleague_client, colleague):
        ask_in(question, colleague, accepted=False)

        page = colleague_client.get(question.get_absolute_url()).content.decode()

        assert "<b>left_atrium asked you.</b>" in page
        assert "3 h 59 min left" in page
        assert 'id="answer_' not in page

    def test_accepting_brings_the_form(self, question, colleague_client, colleague):
        ask_in(question, colleague, accepted=False)
        address = reverse("questions:answer_invitation", args=[question.pk])

        page = colleague_client.post(address, {"accept": "1"}, follow=True).content.decode()

        assert "Accepted. You can answer now." in page
        assert 'id="answer_' in page
        assert "asked you.</b>" not in page

    def test_declining_leads_away(self, question, colleague_client, colleague):
        ask_in(question, colleague, accepted=False)

        answer = colleague_client.post(
            reverse("questions:answer_invitation", args=[question.pk]), {"decline": "1"}
        )

        assert answer.url == reverse("consults:list")

    def test_more_are_asked_from_the_page(self, question, physician_client, colleague, third):
        answer = physician_client.post(
            reverse("questions:invite", args=[question.pk]), {"handles": "@nephron_loop papular"}
        )

        assert answer.status_code == 302
        assert question.invitations.count() == 2

    def test_what_was_typed_comes_back_with_the_refusal(self, question, physician_client, colleague):
        answer = physician_client.post(
            reverse("questions:invite", args=[question.pk]), {"handles": "nephron_loop nobody_here"}
        )

        page = answer.content.decode()
        assert answer.status_code == 422
        assert "No colleague of this handle can be invited." in page
        assert 'value="nephron_loop nobody_here"' in page
        assert not question.invitations.exists()

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            (
                "nobody_here, nobody_there",
                "No colleague with these handles can be invited: nobody_here, nobody_there.",
            ),
            ("nephron_loop LEFT_ATRIUM", "You cannot invite yourself."),
        ],
    )
    def test_the_form_says_it_plainly(self, typed, words, question, physician, physician_client, colleague):
        typed = typed.replace("LEFT_ATRIUM", physician.handle.upper())
        answer = physician_client.post(reverse("questions:invite", args=[question.pk]), {"handles": typed})

        assert words in answer.content.decode()
        assert not question.invitations.exists()

    def test_without_answers_it_says_who_can_read(
        self, question, physician_client, colleague_client, colleague
    ):
        ask_in(question, colleague)
        asker, asked = (
            client.get(question.get_absolute_url()).content.decode()
            for client in (physician_client, colleague_client)
        )

        assert "Nobody has answered yet. Only the colleagues you named can read and answer." in asker
        assert "see it first" not in asker + asked
        assert "Only the colleagues you named" not in asked

    def test_opening_goes_by_the_pages(self, question, colleague, colleague_client, physician_client):
        ask_in(question, colleague)
        make_answer(question, colleague)
        physician_client.post(reverse("questions:ask_to_open", args=[question.pk]))

        page = colleague_client.get(question.get_absolute_url()).content.decode()
        assert "left_atrium asks to open this to all physicians" in page
        notice = Notice.objects.get(member=colleague, key=f"private:asked:{question.pk}")
        assert "let all physicians read" in lines([notice], colleague.user)[notice.pk].text
        colleague_client.post(reverse("questions:answer_opening", args=[question.pk]), {"agree": "1"})

        question.refresh_from_db()
        assert not question.is_private
        assert "Private consult" not in physician_client.get(question.get_absolute_url()).content.decode()

    def test_the_page_costs_the_same_with_ten(
        self, question, physician_client, django_assert_max_num_queries
    ):
        ask_in(question, *[make_member() for _ in range(10)], accepted=False)
        physician_client.get(question.get_absolute_url())

        with django_assert_max_num_queries(16):
            physician_client.get(question.get_absolute_url())


def test_invitations_are_once_and_answered_with_their_moment(question, colleague):
    row = ask_in(question, colleague, accepted=False)
    for change in ({"state": "accepted"}, {"agrees": True}, {"due_at": row.sent_at}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Invitation.objects.filter(pk=row.pk).update(**change)
