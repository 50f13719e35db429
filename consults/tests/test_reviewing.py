"""Cases that wait: their place, who decides, what the decision does, and that two never both decide."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from accounts import notice_kinds
from accounts.models import Kind, Member, Notice, NoticeThread
from accounts.roles import MODERATORS
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from consults.models import Case, CaseDraft, Consent, Image
from consults.services import drafts, files, reviewing
from consults.tests.factories import make_case, make_consent, make_draft
from questions.models import Hold, ModerationAction, Post, Question
from questions.services.moderation import rights
from questions.tests.factories import make_question
from sermo.errors import RuleBroken
from sermo.redaction import Box
from verification.models import Event
from verification.services import events

pytestmark = pytest.mark.django_db
State = CaseDraft.State
TITLE = "Annular rash on the trunk after a walk in the woods"


@pytest.fixture
def second(db):
    return make_moderator("evenhanded")


def make_moderator(handle):
    member = make_member(handle, specialty="Family Medicine")
    member.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    Authenticator.objects.create(user=member.user, type=Authenticator.Type.TOTP, data={})
    return member


def make_waiting(member=None, *, minutes=0, hits=None, images=1, **fields):
    """A draft that waits for a moderator, sent so many minutes ago."""
    member = member or make_member()
    fields.setdefault("consent", make_consent(member))
    return make_draft(
        member,
        images,
        image_state=Image.State.MASKED,
        state=State.WAITING,
        submitted_at=timezone.now() - timedelta(minutes=minutes),
        hits=hits or {"newcomer": True},
        **fields,
    )


@pytest.fixture
def draft(physician):
    return make_waiting(physician)


def hold(member, moderator):
    post = make_question(member).posts.get()
    action = ModerationAction.objects.create(
        kind="hold", post=post, member=member, moderator=moderator.user, reason="identity", days=3
    )
    Hold.objects.create(member=member, action=action, until=timezone.now() + timedelta(days=3))


def line(member):
    """The newest that a member was told, as the inbox says it."""
    notice = member.notices.latest("pk")
    return notice_kinds.lines([notice], member.user).get(notice.pk)


class TestQueue:
    def test_first_come_first_served(self):
        later, first, own = make_waiting(minutes=5), make_waiting(minutes=30), make_waiting(minutes=10)

        assert [reviewing.queue_place(one) for one in (first, own, later)] == [1, 2, 3]

    def test_what_does_not_wait_has_no_place(self, physician):
        make_waiting(minutes=9)

        assert reviewing.queue_place(make_draft(physician)) == 0

    def test_a_quarter_of_an_hour_is_the_aim(self, draft, settings):
        assert reviewing.due_at(draft) - draft.submitted_at == timedelta(minutes=15)


class TestWhoDecides:
    @pytest.fixture(params=["approve", "send_back", "refuse"])
    def decide(self, request):
        words = {} if request.param == "approve" else {"words": "Cover the label."}
        return lambda draft, by, **how: getattr(reviewing, request.param)(
            draft=draft, by=by.user, **words, **how
        )

    def test_nobody_but_moderators(self, decide, draft, colleague):
        with pytest.raises(rights.NotAModerator):
            decide(draft, colleague)

    def test_not_even_its_author(self, decide, moderator):
        with pytest.raises(reviewing.OwnCase):
            decide(make_waiting(moderator), moderator)

    def test_nothing_that_is_in_writing(self, decide, physician, moderator):
        with pytest.raises(reviewing.NotWaitingAnyMore):
            decide(make_draft(physician), moderator)

    def test_nothing_twice(self, decide, draft, moderator, second):
        decide(draft, moderator)

        with pytest.raises(reviewing.NotWaitingAnyMore):
            decide(draft, second)

    def test_nothing_that_was_sent_anew_since_it_was_looked_at(self, decide, draft, moderator):
        with pytest.raises(reviewing.SentAgain):
            decide(draft, moderator, seen=draft.submitted_at - timedelta(minutes=1))

        decide(draft, moderator, seen=draft.submitted_at)

    def test_staff_without_a_membership_may(self, decide, draft):
        user = make_user(is_staff=True)
        user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])

        decide(draft, SimpleNamespace(user=user))

        assert not CaseDraft.objects.filter(state=State.WAITING).exists()

    def test_the_chain_names_the_moderator_and_nobody_else(self, decide, draft, moderator):
        decide(draft, moderator)

        event = Event.objects.filter(kind="moderation_case").get()
        assert event.actor == events.subject_of(moderator.user).pk
        assert event.subject is None
        assert event.object.partition(":")[0] in ("case", "draft")
        assert events.first_broken() is None


class TestApproving:
    def test_it_goes_out_with_the_moderator_noted(self, draft, moderator, physician):
        case = reviewing.approve(draft=draft, by=moderator.user)

        assert (case.question.asker, case.reviewed_by) == (physician, moderator.user)
        assert case.images.count() == 1
        assert not CaseDraft.objects.exists()

    def test_whatever_was_found_in_it(self, physician, moderator):
        draft = make_waiting(physician, typed={"history": "Call 612-555-0143 about it."})
        draft.images.update(left_over=2)

        assert reviewing.approve(draft=draft, by=moderator.user)

    def test_its_author_hears_of_it(self, draft, moderator, physician):
        case = reviewing.approve(draft=draft, by=moderator.user)

        assert physician.notices.get().kind == Kind.MODERATION
        assert line(physician).text == "A moderator looked at your case; it is posted"
        assert line(physician).url == case.get_absolute_url()

    def test_nobody_else_reads_that(self, draft, moderator, physician, colleague):
        reviewing.approve(draft=draft, by=moderator.user)
        notice = physician.notices.get()

        assert notice_kinds.lines([notice], colleague.user) == {}


class TestRefusedByARule:
    """What the site refuses when it is to go out goes back to its author with the words of the rule."""

    @pytest.fixture
    def stopped(self, draft, moderator, physician):
        hold(physician, moderator)
        with pytest.raises(reviewing.CouldNotGoOut) as refusal:
            reviewing.approve(draft=draft, by=moderator.user)
        draft.refresh_from_db()
        return draft, str(refusal.value)

    def test_a_held_author_gets_it_back(self, stopped):
        draft, _ = stopped

        assert (draft.state, draft.answer[:24]) == (State.RETURNED, "You cannot write until N")

    def test_the_moderator_does_not_learn_by_which_rule(self, stopped, physician, moderator):
        """It may be about the author's other face."""
        Hold.objects.all().delete()
        private = make_waiting(physician, typed={"byline": "public"})
        with pytest.raises(reviewing.CouldNotGoOut) as refusal:
            reviewing.approve(draft=private, by=moderator.user)

        private.refresh_from_db()
        assert stopped[1] == str(refusal.value) == reviewing.CouldNotGoOut.message
        assert private.answer.startswith("Your real name can be shown once")

    def test_with_its_pictures(self, stopped):
        assert stopped[0].images.get().is_masked

    def test_and_is_told(self, stopped, physician):
        assert line(physician).text == "Your case could not be posted"
        assert line(physician).url == stopped[0].get_absolute_url()

    def test_and_no_discussion_is_left(self, stopped):
        assert not Post.objects.filter(submission=stopped[0].pk).exists()
        assert not Case.objects.exists()

    def test_so_it_is_when_the_consent_ended_meanwhile(self, draft, moderator):
        Consent.objects.filter(pk=draft.consent_id).update(revoked_at=timezone.now(), revoked_by="patient")

        with pytest.raises(reviewing.CouldNotGoOut):
            reviewing.approve(draft=draft, by=moderator.user)

        draft.refresh_from_db()
        assert draft.answer.startswith("A case needs a consent of yours that stands.")

    def test_and_when_its_author_may_not_write_any_more(self, draft, moderator, physician):
        Member.objects.filter(pk=physician.pk).update(standing=Member.Standing.READ_ONLY)

        with pytest.raises(reviewing.CouldNotGoOut):
            reviewing.approve(draft=draft, by=moderator.user)

    def test_and_when_a_topic_needs_rank(self, physician, moderator):
        draft = make_waiting(physician, typed={"tags": "never-seen-before"})

        with pytest.raises(reviewing.CouldNotGoOut):
            reviewing.approve(draft=draft, by=moderator.user)


class TestSendingBack:
    def test_its_author_can_mend_it_with_its_pictures(self, draft, moderator, physician):
        reviewing.send_back(draft=draft, by=moderator.user, words=" Cover the label. ")

        draft.refresh_from_db()
        assert (draft.state, draft.answer, draft.decided_by) == (
            State.RETURNED,
            "Cover the label.",
            moderator.user,
        )
        assert draft.images.get().is_masked
        drafts.save(draft=draft, member=physician, fields=draft.fields)

    def test_for_a_reason(self, draft, moderator):
        with pytest.raises(reviewing.WordsMissing):
            reviewing.send_back(draft=draft, by=moderator.user, words="  ")

    def test_its_author_hears_of_it(self, draft, moderator, physician):
        reviewing.send_back(draft=draft, by=moderator.user, words="Cover the label.")

        assert line(physician).text == "A moderator sent your case back"
        assert (line(physician).url, line(physician).title) == (draft.get_absolute_url(), TITLE)

    def test_and_again_when_it_comes_back_once_more(self, moderator, physician):
        draft = make_waiting(physician, minutes=10)
        reviewing.send_back(draft=draft, by=moderator.user, words="Cover the label.")
        CaseDraft.objects.filter(pk=draft.pk).update(state=State.WAITING, submitted_at=timezone.now())
        reviewing.send_back(draft=draft, by=moderator.user, words="Cover the label.")

        assert physician.notices.count() == 2
        assert NoticeThread.objects.get(member=physician).unread == 2

    def test_the_link_goes_once_it_is_sent_again(self, draft, moderator, physician):
        reviewing.send_back(draft=draft, by=moderator.user, words="Cover the label.")
        CaseDraft.objects.filter(pk=draft.pk).update(state=State.WAITING)

        assert (line(physician).url, line(physician).title) == ("", "")

    def test_nobody_elses_draft_is_named(self, draft, moderator, physician, colleague):
        reviewing.send_back(draft=draft, by=moderator.user, words="Cover the label.")
        notice = physician.notices.get()

        assert notice_kinds.lines([notice], colleague.user)[notice.pk].title == ""


class TestRefusing:
    def test_the_pictures_are_destroyed_and_the_words_stay_its_authors(
        self, physician, moderator, django_capture_on_commit_callbacks
    ):
        draft = make_waiting(physician, images=2)
        images = list(draft.images.all())

        with django_capture_on_commit_callbacks(execute=True):
            reviewing.refuse(draft=draft, by=moderator.user, words="A face cannot be covered here.")

        draft.refresh_from_db()
        assert (draft.state, draft.title) == (State.RETURNED, TITLE)
        assert set(draft.images.values_list("state", "shredded", "seal")) == {
            (Image.State.SHREDDED, Image.Shredded.REFUSED, None)
        }
        for image in images:
            with pytest.raises(FileNotFoundError):
                files.read(image, "full")

    def test_its_author_hears_of_it(self, draft, moderator, physician):
        reviewing.refuse(draft=draft, by=moderator.user, words="A face cannot be covered here.")

        assert line(physician).text == "A moderator refused the pictures of your case; they are destroyed"

    def test_for_a_reason(self, draft, moderator):
        with pytest.raises(reviewing.WordsMissing):
            reviewing.refuse(draft=draft, by=moderator.user, words="")

        assert draft.images.get().is_masked


class TestCovering:
    BOX = Box(left=0, top=0, width=500, height=500)

    def cover(self, draft, by, *boxes):
        image = draft.images.get()
        image.draft = draft
        return reviewing.cover(image=image, by=by.user, boxes=boxes or [self.BOX])

    def test_a_box_is_burned_in_and_a_trace_is_left(self, draft, moderator):
        before = files.read(draft.images.get(), "full")

        image = self.cover(draft, moderator)

        assert image.boxes[-1]["width"] == 500
        assert files.read(draft.images.get(), "full") != before
        assert Event.objects.get(kind="moderation_case_cover").object == f"image:{image.pk}"

    def test_what_is_covered_now_is_no_reason_to_wait_any_more(self, draft, moderator):
        found = {"left": 100, "top": 100, "width": 50, "height": 20, "sort": "text"}
        draft.images.update(left_over=1, proposals=[found])

        self.cover(draft, moderator)

        draft.refresh_from_db()
        assert draft.hits["pictures"] == 0

    def test_nobody_but_moderators_and_not_their_own(self, draft, colleague, moderator):
        with pytest.raises(rights.NotAModerator):
            self.cover(draft, colleague)
        with pytest.raises(reviewing.OwnCase):
            self.cover(make_waiting(moderator), moderator)

    def test_only_while_it_waits(self, physician, moderator):
        with pytest.raises(reviewing.NotWaitingAnyMore):
            self.cover(make_draft(physician, image_state=Image.State.MASKED), moderator)

    def test_no_picture_of_a_published_case(self, moderator):
        with pytest.raises(reviewing.NotWaitingAnyMore):
            reviewing.cover(image=make_case().images.get(), by=moderator.user, boxes=[self.BOX])

    def test_not_more_boxes_than_a_picture_takes(self, draft, moderator):
        boxes = [Box(left=step, top=0, width=5, height=5) for step in range(61)]

        with pytest.raises(drafts.TooManyBoxes):
            self.cover(draft, moderator, *boxes)


def at_once(*jobs):
    start = Barrier(len(jobs))

    def run(job):
        try:
            start.wait()
            job()
            return "done"
        except RuleBroken as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return sorted(pool.map(run, jobs))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_publish_at_once_one_does(draft, moderator, second):
    ends = at_once(*(lambda by=by: reviewing.approve(draft=draft, by=by.user) for by in (moderator, second)))

    assert ends == ["NotWaitingAnyMore", "done"]
    assert Case.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_otherwise_at_once_one_does(draft, moderator, second):
    ends = at_once(
        lambda: reviewing.approve(draft=draft, by=moderator.user),
        lambda: reviewing.refuse(draft=draft, by=second.user, words="A face shows."),
    )

    assert ends == ["NotWaitingAnyMore", "done"]
    shredded = Image.objects.filter(state=Image.State.SHREDDED).exists()
    assert Case.objects.exists() is not shredded


class TestNobodyElseSeesIt:
    """A case that waits is on the desk and with its author, nowhere else."""

    WORD = "Xanthelasmaquery"

    @pytest.fixture
    def waiting(self, physician):
        return make_waiting(physician, typed={"title": f"{self.WORD} of both lids"})

    @pytest.mark.parametrize(
        "address",
        [
            "/",
            "/questions/?status=all&sort=new",
            "/search/?q=Xanthelasmaquery",
            "/consults/",
            "/notifications/",
        ],
    )
    def test_no_list_and_no_search_has_it(self, waiting, colleague_client, address):
        page = colleague_client.get(address).content.decode().replace(f"q={self.WORD}", "")

        assert f"{self.WORD} of both lids" not in page

    def test_no_address_leads_to_it(self, waiting, colleague_client):
        image = waiting.images.get()
        for address in (
            f"/consults/new/{waiting.pk}/",
            f"/consults/new/{waiting.pk}/images/{image.key}/",
            f"/consults/images/{image.key}/",
            f"/consults/images/{image.key}/flag/",
            f"/consults/desk/drafts/{waiting.pk}/",
            f"/consults/desk/images/{image.key}/",
        ):
            assert colleague_client.get(address).status_code == 404

    def test_nobody_is_told(self, waiting):
        assert not Notice.objects.exists()
        assert not Question.objects.exists()

    def test_a_moderator_sees_its_pictures_on_the_desk_alone(self, waiting, moderator):
        image = waiting.images.get()

        assert client_of(moderator).get(f"/consults/desk/images/{image.key}/").status_code == 200
        assert client_of(moderator).get(f"/consults/images/{image.key}/").status_code == 404

    def test_a_moderator_sees_their_own_with_the_eyes_of_an_author(self, moderator):
        own = make_waiting(moderator)

        for address in (f"drafts/{own.pk}/", f"images/{own.images.get().key}/"):
            assert client_of(moderator).get(f"/consults/desk/{address}").status_code == 404
