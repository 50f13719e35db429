"""A flag hides a picture at once; a moderator decides; what was shown is destroyed and becomes an incident."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts import notice_kinds
from accounts.models import Kind, Notice
from accounts.tests.factories import make_member
from consults.models import Case, Image, ImageFlag, Incident
from consults.services import files, flags, incidents, withdrawing
from consults.services.reviewing import OwnCase
from consults.tests.factories import make_case, make_consent, make_draft
from consults.tests.test_reviewing import make_moderator
from questions.models import Hold, ModerationAction, WriteCount
from questions.services import limits
from questions.services.moderation import acts, rights
from questions.tests.factories import make_answer
from sermo.errors import RuleBroken
from verification.models import Event
from verification.services import events

pytestmark = pytest.mark.django_db
State = ImageFlag.State


@pytest.fixture
def case(physician):
    return make_case(physician, images=2)


@pytest.fixture
def image(case):
    return case.images.in_order().first()


@pytest.fixture
def flag(image, colleague):
    return flag_image(image, colleague)


def flag_image(image, member, words="On the wrist band"):
    return flags.flag_image(image=image, member=member, words=words)


def decide(flag, moderator, confirmed=True, **how):
    return flags.decide(flag=flag, by=moderator.user, confirmed=confirmed, **how)


def is_seen(image, by=None):
    return Image.objects.visible_to((by or make_member()).user).filter(pk=image.pk).exists()


def make_wrong(member, days=1, **fields):
    return ImageFlag.objects.create(
        image=fields.pop("image", None) or make_case().images.get(),
        member=member,
        state=State.WRONG,
        decided_at=timezone.now() - timedelta(days=days),
    )


def told(member):
    return [line.text for line in notice_kinds.lines(member.notices.order_by("pk"), member.user).values()]


class TestFlagging:
    def test_it_hides_the_picture_before_anybody_looks(self, image, physician, colleague):
        assert is_seen(image)

        flag_image(image, colleague)

        assert not is_seen(image)
        assert not is_seen(image, physician)

    def test_the_others_of_the_case_stay(self, case, flag):
        assert is_seen(case.images.in_order().last())

    def test_its_author_hears_that_it_is_hidden_and_not_by_whom(self, flag, physician, colleague):
        assert told(physician) == [
            "A picture of yours was flagged as showing the patient; it is hidden until a moderator has looked"
        ]
        assert physician.notices.get().kind == Kind.MODERATION
        assert colleague.handle not in str(physician.notices.values())

    def test_the_chain_says_that_it_was_hidden_and_names_nobody(self, flag):
        event = Event.objects.get(kind="case_picture_hidden")

        assert (event.object, event.actor, event.subject) == (f"image:{flag.image_id}", None, None)

    def test_twice_is_one(self, image, flag, colleague):
        assert flag_image(image, colleague) == flag
        assert WriteCount.objects.get(member=colleague, what="flag").count == 1

    def test_a_second_member_who_saw_it_adds_to_it_and_nobody_is_told_again(
        self, image, flag, third, physician
    ):
        hidden_at = Image.objects.get(pk=image.pk).hidden_at
        flag_image(image, third)

        image.refresh_from_db()
        assert image.flags.count() == 2
        assert image.hidden_at == hidden_at
        assert physician.notices.count() == 1

    def test_its_author_may_hide_it_and_is_told_nothing(self, image, physician):
        flag_image(image, physician)

        assert not is_seen(image)
        assert not Notice.objects.exists()

    def test_no_picture_of_a_draft(self, colleague):
        with pytest.raises(flags.NoPictureAnyMore):
            flag_image(make_draft().images.get(), colleague)

    def test_no_picture_that_is_gone(self, image, colleague):
        gone = {"state": Image.State.SHREDDED, "seal": None, "shredded_at": timezone.now()}
        Image.objects.filter(pk=image.pk).update(shredded="author", **gone)

        with pytest.raises(flags.NoPictureAnyMore):
            flag_image(image, colleague)

    def test_only_so_many_a_day(self, image, colleague, settings):
        settings.DAILY_WRITES = {**settings.DAILY_WRITES, "flag": 0}

        with pytest.raises(limits.TooManyToday):
            flag_image(image, colleague)

        assert is_seen(image)

    def test_who_may_only_read_may_flag(self, image):
        reader = make_member(standing="read_only")

        flag_image(image, reader)

        assert not is_seen(image)


class TestPower:
    """Two wrong flags in 30 days remove the power."""

    def test_one_wrong_flag_is_forgiven(self, image, colleague):
        make_wrong(colleague)

        assert flag_image(image, colleague)

    def test_two_are_not(self, image, colleague):
        make_wrong(colleague)
        make_wrong(colleague, days=29)

        with pytest.raises(flags.MayNotFlag):
            flag_image(image, colleague)

        assert is_seen(image)

    def test_after_30_days_they_are(self, image, colleague):
        make_wrong(colleague)
        make_wrong(colleague, days=31)

        assert flag_image(image, colleague)

    def test_confirmed_ones_count_for_nothing(self, image, colleague):
        for _ in range(3):
            ImageFlag.objects.filter(pk=make_wrong(colleague).pk).update(state=State.CONFIRMED)

        assert flag_image(image, colleague)

    def test_nor_do_those_of_own_pictures(self, image, colleague):
        own = make_case(colleague, images=2)
        for one in own.images.all():
            make_wrong(colleague, image=one)

        assert flag_image(image, colleague)

    def test_ones_own_picture_can_be_hidden_whatever_one_flagged(self, image, physician):
        make_wrong(physician)
        make_wrong(physician)

        assert flag_image(image, physician)


class TestOpenFlags:
    """Who flags much is waited for: three that nobody decided yet hide no further picture."""

    @pytest.fixture
    def three(self, colleague):
        return [flag_image(make_case().images.get(), colleague) for _ in range(3)]

    def test_the_fourth_hides_nothing(self, image, colleague, three):
        with pytest.raises(flags.TooManyOpen, match="3 pictures you flagged wait"):
            flag_image(image, colleague)

        assert is_seen(image)
        assert not image.flags.exists()

    def test_the_same_picture_again_is_no_fourth(self, colleague, three):
        assert flag_image(three[0].image, colleague) == three[0]

    def test_once_one_is_decided_there_is_room(self, image, colleague, three, moderator):
        decide(three[0], moderator)

        assert flag_image(image, colleague)

    def test_ones_own_pictures_do_not_count(self, image, colleague):
        for one in make_case(colleague, images=4).images.all():
            flag_image(one, colleague)

        assert flag_image(image, colleague)


class TestWordsOfFlags:
    """What a member wrote about the patient is kept no longer than it is needed."""

    @pytest.mark.parametrize("confirmed", [True, False])
    def test_they_go_when_it_is_decided(self, image, flag, third, moderator, confirmed):
        flag_image(image, third, words="The name above the bed")

        decide(flag, moderator, confirmed=confirmed)

        assert set(image.flags.values_list("words", flat=True)) == {""}

    def test_they_go_with_the_picture(self, image, flag):
        withdrawing.shred(image=image, why=Image.Shredded.AUTHOR)

        flag.refresh_from_db()
        assert (flag.words, flag.state) == ("", State.OPEN)

    def test_they_go_with_the_case(self, case, image, colleague):
        gone = {"state": Image.State.SHREDDED, "seal": None, "shredded_at": timezone.now()}
        Image.objects.filter(pk=image.pk).update(shredded="author", **gone)
        flag = ImageFlag.objects.create(image=image, member=colleague, words="On the wrist band")

        withdrawing.withdraw(case=case, why=Case.Withdrawn.CONSENT)

        flag.refresh_from_db()
        assert flag.words == ""


class TestWhoDecides:
    def test_nobody_but_moderators(self, flag, third):
        with pytest.raises(rights.NotAModerator):
            decide(flag, third)

    def test_not_the_author(self, moderator, colleague):
        flag = flag_image(make_case(moderator).images.get(), colleague)

        with pytest.raises(OwnCase):
            decide(flag, moderator)

    def test_not_who_flagged_it_too(self, image, flag, moderator):
        flag_image(image, moderator)

        with pytest.raises(flags.OwnFlag):
            decide(flag, moderator)

    def test_not_who_wrote_there(self, case, flag, moderator):
        make_answer(case.question, moderator)

        with pytest.raises(rights.TakesPart):
            decide(flag, moderator)

    def test_nothing_twice(self, flag, moderator):
        decide(flag, moderator, confirmed=False)

        with pytest.raises(flags.DecidedAlready):
            decide(flag, make_moderator("evenhanded"), confirmed=True)

    def test_nothing_but_the_acts_there_are(self, flag, moderator):
        with pytest.raises(flags.NotAnAct):
            decide(flag, moderator, act="suspend")


class TestWrong:
    def test_the_picture_is_shown_again(self, image, flag, moderator):
        decide(flag, moderator, confirmed=False)

        assert is_seen(image)
        flag.refresh_from_db()
        assert (flag.state, flag.decided_by) == (State.WRONG, moderator.user)

    def test_all_that_is_flagged_of_it_is_decided_together(self, image, flag, third, moderator):
        other = flag_image(image, third)

        decide(other, moderator, confirmed=False)

        assert set(image.flags.values_list("state", flat=True)) == {State.WRONG}
        assert is_seen(image)

    def test_author_and_who_flagged_hear_of_it(self, flag, moderator, physician, colleague):
        decide(flag, moderator, confirmed=False)

        assert told(physician)[-1].startswith("A picture of yours is shown again")
        assert told(colleague) == [
            "A picture you flagged is shown again; a moderator found nothing that identifies the patient"
        ]

    def test_nothing_else_comes_of_it(self, flag, moderator):
        decide(flag, moderator, confirmed=False, act="warn")

        assert not Incident.objects.exists()
        assert not ModerationAction.objects.exists()

    def test_it_may_be_flagged_anew(self, image, flag, moderator, third):
        decide(flag, moderator, confirmed=False)
        flag_image(image, third)

        assert not is_seen(image)


class TestConfirmed:
    def test_the_picture_is_destroyed_in_all_sizes(
        self, image, flag, moderator, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            decide(flag, moderator)

        found = Image.objects.get(pk=image.pk)
        assert (found.state, found.shredded, found.seal) == ("shredded", "identity", None)
        for size in ("full", "screen", "thumb"):
            with pytest.raises(FileNotFoundError):
                files.read(image, size)

    def test_the_case_stays_with_its_other_pictures(self, case, flag, moderator):
        decide(flag, moderator)

        case.refresh_from_db()
        assert not case.is_withdrawn
        assert is_seen(case.images.in_order().last())

    def test_or_is_withdrawn_as_a_whole(self, case, flag, moderator):
        decide(flag, moderator, whole_case=True)

        case.refresh_from_db()
        assert case.withdrawn == Case.Withdrawn.IDENTITY
        assert set(case.images.values_list("shredded", flat=True)) == {"identity"}

    def test_an_incident_begins_with_its_clock(self, case, image, flag, moderator):
        decide(flag, moderator)

        incident = Incident.objects.get()
        image.refresh_from_db()
        assert (incident.image, incident.shown_from) == (image, case.question.opened_at)
        assert incident.found_at == flag.flagged_at
        assert incident.due_at - incident.found_at == timedelta(days=60)
        assert incident.contained_at == image.hidden_at

    def test_it_is_found_with_the_first_flag(self, image, flag, third, moderator):
        later = flag_image(image, third)

        decide(later, moderator)

        assert Incident.objects.get().found_at == flag.flagged_at

    def test_its_author_is_warned(self, flag, moderator, physician):
        decide(flag, moderator, act="warn", words="Cover wrist bands.")

        action = ModerationAction.objects.get()
        assert (action.kind, action.member, action.statement) == ("warn", physician, "Cover wrist bands.")

    def test_or_held(self, flag, moderator, physician):
        decide(flag, moderator, act="hold", days=3)

        assert Hold.objects.get().member == physician

    def test_a_hold_has_its_days_or_nothing_is_done(self, image, flag, moderator):
        with pytest.raises(acts.DaysMissing):
            decide(flag, moderator, act="hold")

        assert Image.objects.get(pk=image.pk).is_masked
        assert not Incident.objects.exists()

    def test_author_and_who_flagged_hear_of_it(self, flag, moderator, physician, colleague):
        decide(flag, moderator, act="warn")

        assert told(physician)[1:] == [
            "A picture of yours showed who the patient is; it is destroyed",
            "A moderator warned you about your case",
        ]
        assert told(colleague) == ["A picture you flagged showed who the patient is; it is destroyed"]

    def test_the_chain_names_the_moderator_and_nobody_else(self, flag, moderator):
        decide(flag, moderator)

        event = Event.objects.get(kind="moderation_image_flag")
        assert event.actor == events.subject_of(moderator.user).pk
        assert (event.subject, event.to_state, event.object) == (None, "confirmed", f"image:{flag.image_id}")
        assert events.first_broken() is None

    def test_one_that_its_author_withdrew_meanwhile_is_an_incident_all_the_same(self, image, flag, moderator):
        gone = {"state": Image.State.SHREDDED, "seal": None, "shredded_at": timezone.now()}
        Image.objects.filter(pk=image.pk).update(shredded="author", **gone)

        decide(flag, moderator)

        assert Incident.objects.get().image == image


class TestIncidents:
    @pytest.fixture
    def incident(self, flag, moderator):
        decide(flag, moderator)
        return Incident.objects.get()

    def note(self, incident, by, **said):
        said = {"assessment": "Shown for an hour to few readers.", **said}
        return incidents.note(incident=incident, by=by.user, **said)

    def test_the_steps_are_written_down_one_after_the_other(self, incident, moderator):
        assert self.note(incident, moderator).assessed_at
        assert self.note(incident, moderator, notified=True).notified_at
        assert self.note(incident, moderator, notified=True, close=True).closed_at

        steps = Event.objects.filter(kind="moderation_incident").order_by("pk")
        assert list(steps.values_list("to_state", flat=True)) == ["assessed", "notified", "closed"]

    def test_what_was_told_stays_told(self, incident, moderator):
        first = self.note(incident, moderator, notified=True).notified_at

        assert self.note(incident, moderator, notified=True).notified_at == first
        assert self.note(incident, moderator).notified_at == first

    def test_nothing_is_closed_without_an_assessment(self, incident, moderator):
        with pytest.raises(incidents.AssessmentMissing):
            self.note(incident, moderator, assessment=" ", close=True)

    def test_an_assessment_is_not_taken_out(self, incident, moderator):
        self.note(incident, moderator)

        with pytest.raises(incidents.AssessmentMissing):
            self.note(incident, moderator, assessment="")

    def test_a_closed_one_stays_as_it_is(self, incident, moderator):
        self.note(incident, moderator, close=True)

        with pytest.raises(incidents.IncidentClosed):
            self.note(incident, moderator, assessment="Something else.")

    def test_nobody_but_moderators_and_not_their_own(self, incident, third, moderator, colleague):
        with pytest.raises(rights.NotAModerator):
            self.note(incident, third)
        own = flag_image(make_case(moderator).images.get(), colleague)
        decide(own, make_moderator("evenhanded"))
        with pytest.raises(incidents.OwnIncident):
            self.note(Incident.objects.latest("pk"), moderator)

    def test_nor_where_they_take_part(self, incident, moderator):
        make_answer(incident.image.case.question, moderator)

        with pytest.raises(rights.TakesPart):
            self.note(incident, moderator)


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
def test_of_moderators_who_decide_at_once_one_does(image, flag, moderator, third):
    second = make_moderator("evenhanded")
    other = flag_image(image, third)

    ends = at_once(
        lambda: decide(flag, moderator, confirmed=True, act="warn"),
        lambda: decide(other, second, confirmed=False),
        lambda: make_answer(image.case.question),
    )

    assert ends == ["DecidedAlready", "done", "done"]
    assert Image.objects.get(pk=image.pk).is_shredded is Incident.objects.exists()
    assert events.first_broken() is None


@pytest.mark.django_db(transaction=True)
def test_many_who_flag_at_once_hide_it_once(image, physician):
    members = [make_member() for _ in range(4)]

    ends = at_once(*(lambda who=who: flag_image(image, who) for who in (*members, members[0])))

    assert ends == ["done"] * 5
    assert ImageFlag.objects.count() == 4
    assert physician.notices.count() == 1
    assert Event.objects.filter(kind="case_picture_hidden").count() == 1


def test_a_flag_of_a_case_whose_consent_ended_is_decided_all_the_same(image, flag, moderator):
    Case.objects.filter(pk=image.case_id).update(
        consent=make_consent(image.case.question.asker, revoked_at=timezone.now(), revoked_by="patient")
    )

    decide(flag, moderator)

    assert Image.objects.get(pk=image.pk).is_shredded
