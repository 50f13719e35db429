"""Flagging a picture, and the desk: its doors, its lists, its forms."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member, make_user
from conftest import client_of
from consults.models import Case, CaseDraft, Image, ImageFlag, Incident
from consults.services import flags, reviewing
from consults.tests.factories import make_case, make_consent, make_draft, make_image
from consults.tests.test_flags import decide, flag_image, make_wrong
from consults.tests.test_reviewing import make_moderator, make_waiting
from questions.models import Byline
from questions.tests.factories import make_answer

pytestmark = pytest.mark.django_db
State = CaseDraft.State


@pytest.fixture
def moderator_client(moderator):
    return client_of(moderator)


@pytest.fixture
def draft(physician):
    return make_waiting(physician)


@pytest.fixture
def image(physician):
    return make_case(physician).images.get()


@pytest.fixture
def flag(image, colleague):
    return flag_image(image, colleague)


@pytest.fixture
def incident(flag, moderator):
    decide(flag, moderator)
    return Incident.objects.get()


def make_staff():
    user = make_user(is_staff=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


def text_of(answer):
    return answer.content.decode()


def said(answer):
    return [str(message) for message in answer.wsgi_request._messages]


class TestDoors:
    @pytest.fixture
    def addresses(self, draft, flag, colleague):
        decided = flag_image(make_case().images.get(), colleague)
        decide(decided, make_moderator("evenhanded"))
        return [
            reverse("consults:desk"),
            reverse("consults:review", args=[draft.pk]),
            reverse("consults:decide_flag", args=[flag.pk]),
            reverse("consults:incident", args=[Incident.objects.get().pk]),
        ]

    def test_moderators_come_in(self, addresses, moderator_client):
        assert [moderator_client.get(address).status_code for address in addresses] == [200] * 4

    def test_for_physicians_there_is_no_such_page(self, addresses, physician_client, third):
        for client in (physician_client, client_of(third)):
            for address in addresses:
                assert client.get(address).status_code == 404
                assert client.post(address).status_code == 404

    def test_nor_for_applicants(self, addresses, applicant_client):
        assert [applicant_client.get(address).status_code for address in addresses] == [404] * 4

    def test_visitors_log_in(self, addresses, client):
        assert [client.get(address).status_code for address in addresses] == [302] * 4

    def test_a_suspended_moderator_is_none(self, addresses, moderator):
        moderator.standing = "suspended"
        moderator.save()

        assert client_of(moderator).get(addresses[0]).status_code == 404

    def test_what_is_not_there_is_404(self, moderator_client):
        missing = "5f0c9f6e-5f6b-4b8e-9d5e-0f7c7a0d3c11"
        for name, key in (("review", missing), ("decide_flag", 7_000_000), ("incident", 7_000_000)):
            assert moderator_client.get(reverse(f"consults:{name}", args=[key])).status_code == 404


class TestFlagPage:
    def address(self, image):
        return reverse("consults:flag", args=[image.key])

    def test_to_look_at_it_changes_nothing(self, image, colleague_client):
        answer = colleague_client.get(self.address(image))

        assert answer.status_code == 200
        assert not ImageFlag.objects.exists()

    def test_a_press_hides_the_picture_and_leads_back_to_the_case(self, image, colleague_client, colleague):
        answer = colleague_client.post(self.address(image), {"words": "On the wrist band"})

        assert (answer.status_code, answer["Location"]) == (302, image.case.get_absolute_url())
        assert ImageFlag.objects.get().member == colleague
        assert colleague_client.get(image.get_absolute_url()).status_code == 404

    def test_pressed_twice_it_leads_there_again(self, image, colleague_client):
        for _ in range(2):
            answer = colleague_client.post(self.address(image))

        assert answer["Location"] == image.case.get_absolute_url()
        assert ImageFlag.objects.count() == 1

    def test_words_that_copy_an_identifier_come_back(self, image, colleague_client):
        answer = colleague_client.post(self.address(image), {"words": "It says 612-555-0143"})

        assert answer.status_code == 422
        assert not ImageFlag.objects.exists()

    def test_a_refusal_is_said(self, image, colleague_client, colleague):
        make_wrong(colleague)
        make_wrong(colleague)

        answer = colleague_client.post(self.address(image))

        assert answer.status_code == 422
        assert "your flag hides none for now" in text_of(answer)

    def test_who_may_only_read_may_flag(self, image):
        answer = client_of(make_member(standing="read_only")).post(self.address(image))

        assert answer.status_code == 302
        assert ImageFlag.objects.exists()

    def test_applicants_and_visitors_may_not(self, image, applicant_client, client):
        assert applicant_client.post(self.address(image)).status_code == 302
        assert client.post(self.address(image)).status_code == 302
        assert not ImageFlag.objects.exists()

    def test_what_one_may_not_see_one_cannot_flag(self, colleague_client, image, third):
        draft_image = make_draft(image_state=Image.State.MASKED).images.get()
        among = make_case(audience="connections").images.get()
        flag_image(image, third)

        for hidden in (draft_image, among, image):
            assert colleague_client.get(self.address(hidden)).status_code == 404
            assert colleague_client.post(self.address(hidden)).status_code == 404

    def test_an_author_is_told_of_withdrawing(self, image, physician_client):
        assert "withdraw it" in text_of(physician_client.get(self.address(image)))

    def test_a_moderator_without_a_membership_acts_on_the_case(self, image, moderator):
        user = make_staff()
        user.groups.set(moderator.user.groups.all())

        assert client_of(user).get(self.address(image)).status_code == 403


class TestDesk:
    def page(self, client):
        return text_of(client.get(reverse("consults:desk")))

    def test_flags_stand_before_what_waits(self, draft, flag, moderator_client):
        page = self.page(moderator_client)

        assert page.index(reverse("consults:decide_flag", args=[flag.pk])) < page.index(
            reverse("consults:review", args=[draft.pk])
        )

    def test_the_oldest_case_first_with_why_it_waits(self, moderator_client):
        late = make_waiting(minutes=40, hits={"pictures": 2})
        early = make_waiting(minutes=5)

        page = self.page(moderator_client)

        assert page.index(str(late.pk)) < page.index(str(early.pk))
        assert "The search still finds text or a face on 2 pictures." in page

    @pytest.mark.parametrize(("minutes", "is_late"), [(14, False), (16, True)])
    def test_after_a_quarter_of_an_hour_it_is_late(self, moderator_client, minutes, is_late):
        make_waiting(minutes=minutes)

        assert ("late</span>" in self.page(moderator_client)) is is_late

    def test_ones_own_are_not_there(self, moderator, moderator_client, colleague):
        own = make_waiting(moderator)
        flag = flag_image(make_case(moderator).images.get(), colleague)

        page = self.page(moderator_client)

        assert str(own.pk) not in page
        assert reverse("consults:decide_flag", args=[flag.pk]) not in page

    def test_where_one_takes_part_it_is_not_said_what_was_flagged(self, flag, moderator, moderator_client):
        make_answer(flag.image.case.question, moderator)

        page = self.page(moderator_client)

        assert "In a discussion you take part in" in page
        assert "wrist band" not in page

    def test_nor_is_the_picture_shown_there(self, flag, moderator, moderator_client):
        address = reverse("consults:desk_image", args=[flag.image.key])
        assert moderator_client.get(address).status_code == 200

        make_answer(flag.image.case.question, moderator)

        assert moderator_client.get(address).status_code == 404

    def test_nor_its_incident(self, incident, moderator, moderator_client):
        make_answer(incident.image.case.question, moderator)

        assert "Not assessed yet" not in self.page(moderator_client)
        assert moderator_client.get(reverse("consults:incident", args=[incident.pk])).status_code == 404

    def test_a_picture_flagged_by_several_is_one_row(self, image, flag, third, moderator_client):
        flag_image(image, third)

        page = self.page(moderator_client)

        assert page.count("/consults/desk/flags/") == 1
        assert "2 flags" in page

    def test_open_incidents_have_their_clock(self, incident, moderator_client):
        assert "Not assessed yet" in self.page(moderator_client)

        Incident.objects.update(due_at=timezone.now() - timedelta(days=1))
        assert "overdue" in self.page(moderator_client)

        Incident.objects.update(assessment="Few.", assessed_at=timezone.now(), closed_at=timezone.now())
        assert "Not assessed yet" not in self.page(moderator_client)

    def test_the_desk_of_reports_leads_here(self, moderator_client):
        assert reverse("consults:desk") in text_of(moderator_client.get(reverse("questions:moderation")))

    @pytest.mark.parametrize("number", [1, 6])
    def test_it_costs_the_same_at_any_length(
        self, moderator_client, colleague, number, django_assert_max_num_queries
    ):
        for _ in range(number):
            make_waiting()
            flag_image(make_case().images.get(), make_member())
            decide(flag_image(make_case().images.get(), colleague), make_moderator(None))

        with django_assert_max_num_queries(10):
            self.page(moderator_client)


class TestReview:
    def address(self, draft):
        return reverse("consults:review", args=[draft.pk])

    def post(self, client, draft, decision, words="", **fields):
        fields = {"decision": decision, "words": words, "seen": draft.submitted_at.isoformat(), **fields}
        return client.post(self.address(draft), fields)

    def test_it_shows_the_case_as_its_readers_will_see_it(self, physician, moderator_client):
        draft = make_waiting(
            physician,
            images=2,
            typed={"intent": "teaching", "solution": "It was *Borrelia*.", "history": "Since **May**."},
        )

        page = text_of(moderator_client.get(self.address(draft)))

        assert "<strong>May</strong>" in page
        assert "<em>Borrelia</em>" in page
        assert physician.handle in page
        for image in draft.images.all():
            assert f"{reverse('consults:desk_image', args=[image.key])}?size=full" in page

    def test_under_a_name_the_handle_is_not_shown(self, physician, moderator_client):
        """Moderators learn no more of who writes than readers will."""
        physician.byline_mode = "public"
        physician.display_name, physician.physician_key = "Amara Okafor, MD", "k-1"
        physician.save()
        draft = make_waiting(physician, typed={"byline": "public"})

        page = text_of(moderator_client.get(self.address(draft)))

        assert "Amara Okafor, MD" in page
        assert physician.handle not in page

    def test_each_rendition_is_shown(self, draft, moderator_client):
        make_image(
            draft=draft,
            place=2,
            state=Image.State.MASKED,
            windows=[["lung", "Lung window"], ["bone", "Bone window"]],
        )

        page = text_of(moderator_client.get(self.address(draft)))

        assert "window=lung" in page
        assert "window=bone" in page

    def test_one_decides_below_the_pictures(self, draft, moderator_client):
        page = text_of(moderator_client.get(self.address(draft)))

        assert page.index("data-stage") < page.index("</article>") < page.index('id="decide"')
        assert "<form" not in page[page.index('id="decide"') :]
        assert page.index("<h2>Consent</h2>") < page.index('id="decide"')

    def test_what_could_identify_is_marked(self, physician, moderator_client):
        draft = make_waiting(physician, typed={"history": "Call 612-555-0143 about it."})

        assert '<mark class="stop">612-555-0143</mark>' in text_of(moderator_client.get(self.address(draft)))

    def test_why_it_waits_is_said_as_it_is_now(self, draft, moderator_client):
        draft.images.update(left_over=1, was_looked_at=False, why_uncovered="A drawing")

        page = text_of(moderator_client.get(self.address(draft)))

        assert "The search still finds text or a face on 1 picture." in page
        assert "The search did not end" in page
        assert "A drawing" in page

    def test_publish(self, draft, moderator, moderator_client):
        answer = self.post(moderator_client, draft, "publish")

        assert answer["Location"] == reverse("consults:desk")
        assert Case.objects.get().reviewed_by == moderator.user

    def test_send_back(self, draft, moderator_client):
        self.post(moderator_client, draft, "return", "Cover the label.")

        draft.refresh_from_db()
        assert (draft.state, draft.answer) == (State.RETURNED, "Cover the label.")

    def test_refuse(self, draft, moderator_client):
        self.post(moderator_client, draft, "refuse", "A face shows.")

        assert draft.images.get().is_shredded

    @pytest.mark.parametrize("decision", ["return", "refuse", "", "approve"])
    def test_without_words_or_a_choice_nothing_is_done(self, draft, moderator_client, decision):
        answer = self.post(moderator_client, draft, decision)

        assert answer.status_code == 422
        draft.refresh_from_db()
        assert draft.is_waiting

    def test_the_words_are_checked_too(self, draft, moderator_client):
        answer = self.post(moderator_client, draft, "return", "Take out 612-555-0143.")

        assert answer.status_code == 422

    def test_who_comes_second_is_told(self, draft, moderator_client, moderator):
        reviewing.send_back(draft=draft, by=make_moderator("evenhanded").user, words="Cover the label.")

        answer = self.post(moderator_client, draft, "publish")

        assert answer["Location"] == reverse("consults:desk")
        assert said(answer) == [reviewing.NotWaitingAnyMore.message]
        assert moderator_client.get(self.address(draft)).status_code == 404

    def test_what_was_sent_anew_is_to_be_looked_at_anew(self, draft, moderator_client):
        for seen in (timezone.now().isoformat(), "yesterday", "2026-13-45T00:00:00+00:00"):
            answer = self.post(moderator_client, draft, "publish", seen=seen)
            assert said(answer)[-1] == reviewing.SentAgain.message

        assert not Case.objects.exists()

    def test_what_a_rule_refuses_is_said(self, physician, moderator_client):
        draft = make_waiting(physician, consent=make_consent(physician, expires_on=timezone.now().date()))
        draft.consent.expires_on -= timedelta(days=1)
        draft.consent.save()

        answer = self.post(moderator_client, draft, "publish")

        draft.refresh_from_db()
        assert said(answer) == [reviewing.CouldNotGoOut.message]
        assert draft.answer.startswith("A case needs")

    def test_what_is_not_complete_any_more_can_only_go_back(self, physician, moderator_client):
        draft = make_waiting(physician, typed={"specialties": ["gone"]})

        assert moderator_client.get(self.address(draft)).status_code == 200
        assert self.post(moderator_client, draft, "publish").status_code == 422
        assert self.post(moderator_client, draft, "return", "Choose a specialty.").status_code == 302


class TestCovering:
    def post(self, client, draft, image, act="cover", more=None, **sides):
        sides = {"left": "0", "top": "0", "width": "50", "height": "12.5", **sides}
        rows = {0: sides, **(more or {})}
        fields = {
            f"{image.key}-{row}-{name}": value for row, each in rows.items() for name, value in each.items()
        }
        fields |= {f"{image.key}-TOTAL_FORMS": len(rows), f"{image.key}-INITIAL_FORMS": 0, act: image.key}
        return client.post(reverse("consults:review", args=[draft.pk]), fields)

    def test_a_box_in_percent_is_burned_in(self, draft, moderator_client):
        image = draft.images.get()

        answer = self.post(moderator_client, draft, image)

        assert answer["Location"].endswith(f"/desk/drafts/{draft.pk}/#picture-1")
        image.refresh_from_db()
        box = image.boxes[-1]
        assert [box[side] for side in ("left", "top", "width", "height")] == [0, 0, 500, 125]
        draft.refresh_from_db()
        assert draft.is_waiting

    def test_several_are_burned_in_at_once(self, draft, moderator_client):
        image = draft.images.get()

        answer = self.post(
            moderator_client,
            draft,
            image,
            more={1: {"left": "60", "top": "60", "width": "40", "height": "40"}},
        )

        assert said(answer) == ["Picture 1: 2 more boxes burned in."]
        image.refresh_from_db()
        assert [(box["left"], box["width"]) for box in image.boxes] == [(0, 500), (600, 400)]

    def test_first_they_are_only_drawn(self, draft, moderator_client):
        image = draft.images.get()

        answer = self.post(moderator_client, draft, image, "preview")

        assert answer.status_code == 200
        assert '<rect x="0" y="0" width="500" height="125"/>' in text_of(answer)
        image.refresh_from_db()
        assert image.boxes == []

    def test_what_was_found_and_is_open_stands_in_lines(self, draft, moderator_client):
        face = {"left": 100, "top": 200, "width": 300, "height": 150, "sort": "face"}
        text = {"left": 700, "top": 900, "width": 100, "height": 50, "sort": "text"}
        draft.images.update(proposals=[face, text], boxes=[text], left_over=1)

        page = text_of(moderator_client.get(reverse("consults:review", args=[draft.pk])))

        lines = page.split('class="found-open"')[1].split("</svg>")[0]
        assert lines.count("<rect") == 1
        assert '<rect x="100" y="200" width="300" height="150"/>' in lines
        assert "Face: 10% from the left, 20% from the top, 30% wide, 15% high." in page

    def test_pictures_are_counted_without_those_that_are_gone(self, draft, moderator_client):
        image = draft.images.get()
        Image.objects.filter(pk=image.pk).update(place=3)

        page = text_of(moderator_client.get(reverse("consults:review", args=[draft.pk])))
        answer = self.post(moderator_client, draft, image)

        assert 'id="picture-1"' in page
        assert "Picture 3" not in page
        assert answer["Location"].endswith("#picture-1")

    @pytest.mark.parametrize(
        ("sides", "words"),
        [
            ({"left": ""}, "Box 1, left: Needed."),
            ({"width": "0"}, "Box 1, width: More than 0."),
            ({"top": "101"}, "Box 1, top: Ensure"),
            ({"height": "much"}, "Box 1, height: Enter"),
            ({"left": "60.5"}, "Box 1, width: Beyond the right edge: at most 39.5."),
            ({"top": "90"}, "Box 1, height: Beyond the lower edge: at most 10."),
            ({"left": "", "top": "", "width": "", "height": ""}, "Draw a box over the picture"),
        ],
    )
    @pytest.mark.parametrize("act", ["cover", "preview"])
    def test_what_is_no_box_is_said(self, draft, moderator_client, sides, words, act):
        image = draft.images.get()

        answer = self.post(moderator_client, draft, image, act, **sides)

        assert answer.status_code == 422
        assert f"<li>{words}" in text_of(answer)
        image.refresh_from_db()
        assert image.boxes == []

    def test_no_picture_of_another_case(self, draft, moderator_client, image):
        assert self.post(moderator_client, draft, image).status_code == 404


class TestDecideFlag:
    def address(self, flag):
        return reverse("consults:decide_flag", args=[flag.pk])

    def test_it_shows_the_picture_the_words_and_the_case(self, flag, moderator_client, colleague):
        page = text_of(moderator_client.get(self.address(flag)))

        assert "On the wrist band" in page
        assert reverse("consults:desk_image", args=[flag.image.key]) in page
        assert "Ten days after a tick bite" in page
        assert colleague.handle not in page

    def test_yes(self, flag, moderator_client):
        answer = moderator_client.post(self.address(flag), {"shows": "yes", "act": "warn"})

        assert answer["Location"] == reverse("consults:desk")
        flag.image.refresh_from_db()
        assert flag.image.is_shredded

    def test_no(self, flag, moderator_client, third):
        moderator_client.post(self.address(flag), {"shows": "no", "act": "none"})

        assert client_of(third).get(flag.image.get_absolute_url()).status_code == 200

    def test_a_refusal_is_said_and_nothing_done(self, flag, moderator_client):
        answer = moderator_client.post(self.address(flag), {"shows": "yes", "act": "hold"})

        assert answer.status_code == 422
        assert "A hold lasts 1 to 30 days." in text_of(answer)
        assert not Incident.objects.exists()

    def test_who_takes_part_sees_nothing_and_decides_nothing(self, flag, moderator, moderator_client):
        make_answer(flag.image.case.question, moderator)

        page = text_of(moderator_client.get(self.address(flag)))
        answer = moderator_client.post(self.address(flag), {"shows": "yes", "act": "none"})

        assert "wrist band" not in page
        assert answer.status_code == 422
        assert not Incident.objects.exists()

    def test_who_comes_second_is_told(self, flag, moderator_client):
        decide(flag, make_moderator("evenhanded"), confirmed=False)

        answer = moderator_client.post(self.address(flag), {"shows": "yes", "act": "none"})

        assert said(answer) == [flags.DecidedAlready.message]
        assert not Incident.objects.exists()

    def test_of_a_picture_that_is_gone_the_words_are_left(self, flag, moderator_client):
        gone = {"state": Image.State.SHREDDED, "seal": None, "shredded_at": timezone.now()}
        Image.objects.filter(pk=flag.image_id).update(shredded="author", **gone)

        page = text_of(moderator_client.get(self.address(flag)))

        assert "It is destroyed already." in page


class TestIncident:
    def address(self, incident):
        return reverse("consults:incident", args=[incident.pk])

    def test_the_steps_are_taken_on_its_page(self, incident, moderator_client):
        said = {"assessment": "Shown for an hour to few readers.", "notified": "on", "close": "on"}

        moderator_client.post(self.address(incident), said)

        incident.refresh_from_db()
        assert incident.assessed_at
        assert incident.notified_at
        assert incident.closed_at
        page = text_of(moderator_client.get(self.address(incident)))
        assert "Shown for an hour" in page
        assert "<textarea" not in page

    def test_without_an_assessment_nothing_is_closed(self, incident, moderator_client):
        assert moderator_client.post(self.address(incident), {"close": "on"}).status_code == 422

    def test_a_closed_one_takes_no_more(self, incident, moderator_client):
        Incident.objects.update(assessment="Few.", assessed_at=timezone.now(), closed_at=timezone.now())

        moderator_client.post(self.address(incident), {"assessment": "Something else."})

        incident.refresh_from_db()
        assert incident.assessment == "Few."

    def test_ones_own_is_not_there(self, moderator, moderator_client, colleague):
        decide(flag_image(make_case(moderator).images.get(), colleague), make_moderator("evenhanded"))

        assert moderator_client.get(self.address(Incident.objects.get())).status_code == 404


class TestAdministration:
    LISTS = ("case", "image", "imageflag", "incident", "consent")

    @pytest.fixture
    def overseer(self):
        user = make_staff()
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="consults", codename__startswith="view_")
        )
        return client_of(user)

    @pytest.fixture
    def listed(self, incident, overseer):
        addresses = [reverse(f"admin:consults_{name}_changelist") for name in self.LISTS]
        return [overseer.get(address) for address in addresses]

    def test_it_lists_and_names_nobody(self, listed, physician, colleague):
        for answer in listed:
            assert answer.status_code == 200
            assert physician.handle not in text_of(answer)
            assert colleague.handle not in text_of(answer)

    def test_no_address_of_a_picture_and_no_seal(self, listed, image):
        for answer in listed:
            assert image.key not in text_of(answer)

    def test_no_row_has_a_page(self, listed, overseer, image):
        for name, pk in (("image", image.pk), ("case", image.case_id), ("consent", image.consent_id)):
            assert overseer.get(reverse(f"admin:consults_{name}_change", args=[pk])).status_code in (302, 403)

    def test_no_code_of_a_consent(self, overseer):
        consent = make_consent(kind="signed", code="ABCD2345ABCD2345ABCD")

        page = text_of(overseer.get(reverse("admin:consults_consent_changelist")))

        assert consent.code not in page
        assert consent.code_hash not in page


def test_a_face_of_the_author_is_what_the_flag_page_of_the_desk_shows(physician, moderator_client, colleague):
    case = make_case(physician)
    Byline.objects.filter(question=case.pk).update(mode="masked")
    flag = flag_image(case.images.get(), colleague)

    page = text_of(moderator_client.get(reverse("consults:decide_flag", args=[flag.pk])))

    assert physician.handle not in page
