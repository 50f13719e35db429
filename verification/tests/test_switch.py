"""The switch that turns the questions off, by staff or by the alarm, and its page on the desk."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from accounts.tests.factories import make_user
from verification.desk import switch as desk_switch
from verification.models import Challenge, ChallengeSwitch, Event
from verification.models.claims import State
from verification.services import challenge as challenges
from verification.services import events, limits, switch
from verification.tests.factories import make_applicant, make_claim, make_provider, make_reviewer, start
from verification.tests.test_challenge import answer_all
from verification.tests.test_parallel import at_once

pytestmark = pytest.mark.django_db
NEW_YORK = ZoneInfo("America/New_York")
PAGE = "admin:verification_challengeswitch_changelist"


@pytest.fixture
def desk(reviewer):
    browser = Client()
    browser.force_login(reviewer)
    return browser


def fail(count, **ago):
    """So many tries that failed so long ago."""
    claim = make_claim(provider=make_provider(school=None))
    for number in range(0, count, 2):
        for each in (1, 2)[: count - number]:
            Challenge.objects.create(
                claim=claim,
                number=each,
                facts=[],
                sheet=[],
                verdict="failed" if each == 1 else "timed_out",
                finished_at=timezone.now() - timedelta(**ago),
            )
        claim = make_claim(provider=make_provider(school=None))


def turn_off(by=None, why="Somebody is guessing."):
    return switch.turn(on=False, by=by, why=why)


class TestTheSwitch:
    def test_the_questions_are_on_until_somebody_turns_them_off(self):
        assert switch.questions_on()
        assert switch.last_turn() is None

    def test_the_newest_turn_rules(self, reviewer):
        turn_off(reviewer)
        assert not switch.questions_on()

        switch.turn(on=True, by=reviewer, why="It was a class of students.")
        assert switch.questions_on()
        assert [row.is_on for row in ChallengeSwitch.objects.all()] == [True, False]

    def test_the_setting_outdoes_the_switch(self, reviewer, settings):
        settings.CHALLENGE_ON = False

        assert not switch.questions_on()
        with pytest.raises(switch.OffInSettings):
            switch.turn(on=True, by=reviewer, why="We need them.")

    def test_each_turn_leaves_an_event_and_a_reason(self, reviewer):
        turn_off(reviewer)

        event = Event.objects.get()
        assert (event.kind, event.reason, event.case_number) == ("questions_off", "reviewer", "")
        assert event.actor == events.subject_of(reviewer).pk
        assert ChallengeSwitch.objects.get().why == "Somebody is guessing."

    def test_turned_again_the_same_way_it_stays_as_it_is(self, reviewer):
        first = turn_off(reviewer)

        assert turn_off(reviewer, why="Again.") == first
        assert (ChallengeSwitch.objects.count(), Event.objects.count()) == (1, 1)

    def test_turned_on_while_it_was_never_off_nothing_is_written(self, reviewer):
        assert switch.turn(on=True, by=reviewer, why="To be sure.") is None
        assert not ChallengeSwitch.objects.exists()

    def test_only_reviewers_turn_it(self):
        with pytest.raises(switch.NotAllowed):
            turn_off(make_user(is_staff=True))
        assert switch.questions_on()

    def test_a_reason_is_needed(self, reviewer):
        with pytest.raises(switch.ReasonMissing):
            turn_off(reviewer, why="  ")
        assert switch.questions_on()


@pytest.mark.django_db(transaction=True)
def test_two_who_turn_it_at_once_turn_it_once():
    reviewers = [make_reviewer() for _ in range(3)]

    at_once(*(lambda by=by: turn_off(by) for by in reviewers))

    assert (ChallengeSwitch.objects.count(), Event.objects.count()) == (1, 1)


class TestWhileTheyAreOff:
    def test_who_starts_goes_straight_to_documents(self, provider, seeker, reviewer):
        turn_off(reviewer)

        claim = start(seeker, provider)

        assert (claim.state, claim.doubts) == (State.NEEDS_REVIEW, ["questions_off"])

    def test_who_has_not_begun_a_try_goes_to_documents(self, provider, seeker, reviewer):
        claim = start(seeker, provider)
        turn_off(reviewer)

        assert challenges.start_challenge(claim=claim) is None
        claim.refresh_from_db()
        assert (claim.state, claim.doubts) == (State.NEEDS_REVIEW, ["questions_off"])
        assert not Challenge.objects.exists()

    def test_a_try_that_runs_is_finished(self, provider, seeker, reviewer):
        claim = start(seeker, provider)
        challenges.start_challenge(claim=claim)
        turn_off(reviewer)

        assert challenges.start_challenge(claim=claim).is_running
        assert answer_all(claim).verdict == Challenge.Verdict.PASSED
        claim.refresh_from_db()
        assert claim.state == State.CHALLENGED

    def test_on_again_they_are_asked_again(self, provider, reviewer):
        turn_off(reviewer)
        switch.turn(on=True, by=reviewer, why="It is over.")

        assert start(make_applicant(), provider).state == State.MATCHED


class TestTheAlarm:
    def test_a_quiet_site_stays_on(self):
        assert not limits.watch_failures()
        assert switch.questions_on()

    def test_fewer_than_ten_failures_are_nothing_unusual(self):
        fail(9, minutes=10)

        assert not limits.watch_failures()

    def test_ten_failures_in_an_hour_after_a_week_of_none_turn_the_questions_off(self):
        fail(10, minutes=10)

        assert limits.watch_failures()
        assert not switch.questions_on()
        turned = ChallengeSwitch.objects.get()
        assert (turned.by, turned.why) == (
            None,
            "10 tries failed in an hour, 0.0 an hour in the week before",
        )
        event = Event.objects.get()
        assert (event.kind, event.reason, event.actor) == ("questions_off", "alarm", None)

    def test_what_is_below_five_times_the_mean_of_the_week_is_usual(self, monkeypatch):
        monkeypatch.setattr(limits, "ALARM_SPAN", timedelta(hours=4))  # a week of four hours
        fail(10, minutes=10)
        fail(8, hours=3)

        assert not limits.watch_failures()  # 10 is five times 8 in four hours, not more
        fail(1, minutes=5)
        assert limits.watch_failures()

    def test_failures_of_more_than_an_hour_ago_raise_none(self):
        fail(12, minutes=61)

        assert not limits.watch_failures()

    def test_what_passed_or_was_left_is_no_failure(self):
        fail(12, minutes=10)
        Challenge.objects.filter(number=1).update(verdict="passed")
        Challenge.objects.filter(number=2).update(verdict="left")

        assert not limits.watch_failures()

    def test_reviewers_are_written_to_once_and_read_nothing_of_anybody(self, reviewer, second_reviewer):
        make_reviewer_gone()
        make_user(is_staff=True)
        fail(10, minutes=10)

        limits.watch_failures()
        limits.watch_failures()

        mails = Mail.objects.order_by("pk")
        assert [mail.user for mail in mails] == [reviewer, second_reviewer]
        assert reverse(PAGE) in mails[0].text
        assert "V-" not in mails[0].text

    def test_turned_on_again_it_forgives_what_failed_before(self, reviewer):
        fail(10, minutes=10)
        limits.watch_failures()
        switch.turn(on=True, by=reviewer, why="It was a class of students.")

        assert not limits.watch_failures()
        fail(10, seconds=0)
        assert limits.watch_failures()
        assert not switch.questions_on()

    def test_staff_who_turn_it_off_write_no_mail(self, reviewer):
        turn_off(reviewer)

        assert not Mail.objects.exists()


def make_reviewer_gone():
    gone = make_reviewer()
    gone.is_active = False
    gone.save()


class TestFailuresByHour:
    def test_each_hour_of_seven_days_stands_there(self):
        fail(3, minutes=1)
        fail(2, days=6)
        fail(1, days=8)

        hours = limits.failures_by_hour(timezone.now())

        assert len(hours) == 7 * 24
        assert sum(count for _, count in hours) == 5
        assert all(later - earlier == timedelta(hours=1) for (earlier, _), (later, _) in pairwise(hours))

    def test_hours_are_counted_where_they_belong(self):
        fail(4, hours=30)

        found = [at for at, count in limits.failures_by_hour(timezone.now()) if count == 4]

        assert found == [(timezone.now() - timedelta(hours=30)).replace(minute=0, second=0, microsecond=0)]


class TestThePage:
    def test_it_says_how_the_switch_stands_and_what_failed(self, desk, reviewer):
        fail(10, minutes=10)
        limits.watch_failures()

        page = desk.get(reverse(PAGE)).content.decode()

        assert "The questions are off" in page
        assert "the alarm" in page
        assert "10 tries failed in an hour" in page
        assert "last seven days: 10" in page
        assert 'value="Turn the questions on"' in page

    def test_it_is_turned_there_with_a_reason(self, desk, reviewer):
        sent = desk.post(reverse(PAGE), {"on": "0", "why": "Somebody is guessing."}, follow=True)

        assert "The questions are off." in sent.content.decode()
        assert f"reviewer {reviewer.pk}" in sent.content.decode()
        assert not switch.questions_on()
        desk.post(reverse(PAGE), {"on": "1", "why": "It is over."})
        assert switch.questions_on()

    @pytest.mark.parametrize("sent", [{"on": "0", "why": " "}, {"on": "2", "why": "Why not."}, {}])
    def test_without_a_reason_nothing_is_turned(self, desk, sent):
        assert desk.post(reverse(PAGE), sent).status_code in (200, 422)
        assert not ChallengeSwitch.objects.exists()

    def test_a_page_that_is_old_does_not_turn_it_back(self, desk, reviewer):
        turn_off(reviewer)

        desk.post(reverse(PAGE), {"on": "0", "why": "An old page."})

        assert not switch.questions_on()
        assert ChallengeSwitch.objects.count() == 1

    def test_off_in_the_settings_it_says_so_and_has_no_button(self, desk, settings):
        settings.CHALLENGE_ON = False

        page = desk.get(reverse(PAGE)).content.decode()

        assert "off in the site’s settings" in page
        assert "Turn the questions" not in page
        refused = desk.post(reverse(PAGE), {"on": "1", "why": "We need them."})
        assert (refused.status_code, ChallengeSwitch.objects.count()) == (422, 0)

    def test_it_is_for_reviewers(self, reviewer):
        reviewer.groups.clear()
        browser = Client()
        for user in (None, reviewer, make_applicant().user):
            browser.logout() if user is None else browser.force_login(user)
            assert browser.get(reverse(PAGE)).status_code in (302, 403)
            assert browser.post(reverse(PAGE), {"on": "0", "why": "I can."}).status_code in (302, 403)
        assert switch.questions_on()

    def test_whoever_may_only_look_cannot_turn_it(self, reviewer):
        from django.contrib.auth.models import Permission

        reviewer.groups.clear()
        reviewer.user_permissions.add(Permission.objects.get(codename="view_challengeswitch"))
        browser = Client()
        browser.force_login(reviewer)

        assert "Turn the questions" not in browser.get(reverse(PAGE)).content.decode()
        assert browser.post(reverse(PAGE), {"on": "0", "why": "I can."}).status_code == 403

    def test_it_takes_as_many_queries_for_much_as_for_nothing(
        self, desk, reviewer, django_assert_max_num_queries
    ):
        for number in range(30):
            ChallengeSwitch.objects.create(is_on=number % 2, why="To and fro.", by=reviewer)
        fail(6, hours=5)
        desk.get(reverse(PAGE))

        with django_assert_max_num_queries(9):
            assert desk.get(reverse(PAGE)).status_code == 200

    def test_the_hour_that_comes_twice_counts_both(self):
        twice = [datetime(2026, 11, 1, hour, tzinfo=UTC).astimezone(NEW_YORK) for hour in (5, 6)]

        assert desk_switch._by_clock([(at, 2) for at in twice])[1] == 4

    def test_a_single_turn_has_no_page(self, desk, reviewer):
        turned = turn_off(reviewer)

        address = reverse("admin:verification_challengeswitch_change", args=[turned.pk])
        assert desk.get(address).status_code in (302, 403, 404)
