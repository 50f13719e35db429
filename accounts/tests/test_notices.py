"""Telling members: what they chose to hear, at most so much a day, each thing once."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import notice_kinds, tasks
from accounts.models import (
    FanOut,
    Kind,
    Mail,
    Member,
    Notice,
    NoticeChoice,
    NoticeDay,
    NoticeSettings,
    NoticeThread,
    Way,
)
from accounts.services import notices
from accounts.tests.factories import make_member

pytestmark = pytest.mark.django_db


def tell(*members, number=1, kind=Kind.REPLY, about="question:1"):
    notices.tell(
        members=[member.pk for member in members], kind=kind, target=number, about=about, key=f"post:{number}"
    )


def choose(member, kind, way):
    NoticeChoice.objects.update_or_create(member=member, kind=kind, defaults={"way": way})


def wish(member, **wishes):
    return NoticeSettings.objects.update_or_create(member=member, defaults=wishes)[0]


def held(member):
    return list(member.notices.order_by("pk").values_list("held", flat=True))


LOCKED = "SELECT id FROM accounts_member WHERE id = %s FOR UPDATE SKIP LOCKED"  # as one who leaves locks it


class TestTelling:
    def test_a_member_is_told_in_a_thread_that_is_unread(self, physician):
        tell(physician)

        notice = physician.notices.get()
        assert (notice.kind, notice.target, notice.held, notice.read_at) == ("reply", 1, False, None)
        assert notice.thread.unread == 1

    def test_what_is_told_of_one_matter_stands_together(self, physician):
        tell(physician, number=1)
        tell(physician, number=2)

        assert physician.notice_threads.get().unread == 2

    def test_the_same_deed_is_told_once_and_moves_nothing(self, physician):
        tell(physician)
        before = physician.notice_threads.values().get()
        tell(physician)

        assert physician.notices.count() == 1
        assert physician.notice_threads.values().get() == before
        assert physician.notice_days.get().alerts == 1
        assert Mail.objects.count() == 1

    def test_the_same_deed_under_another_kind_is_told_once_too(self, physician):
        tell(physician, kind=Kind.REPLY)
        tell(physician, kind=Kind.MENTION)

        assert physician.notices.get().kind == "reply"

    def test_the_first_kind_that_is_wanted_counts(self, physician):
        choose(physician, Kind.REPLY, Way.OFF)
        kinds = {Kind.REPLY: [physician.pk], Kind.MENTION: [physician.pk]}

        notices.tell_first(kinds=kinds, deed=notices.Deed(1, "question:1", "post:1"))

        assert physician.notices.get().kind == "mention"

    def test_a_kind_that_is_off_leaves_nothing_at_all(self, physician):
        choose(physician, Kind.REPLY, Way.OFF)

        tell(physician)

        assert not NoticeThread.objects.exists()
        assert not NoticeDay.objects.exists()
        assert not Mail.objects.exists()

    @pytest.mark.parametrize("way", [Way.APP, Way.DIGEST])
    def test_in_the_app_means_no_mail(self, physician, way):
        choose(physician, Kind.REPLY, way)

        tell(physician)

        assert physician.notices.exists()
        assert not Mail.objects.exists()

    @pytest.mark.parametrize("standing", ["applicant", "suspended"])
    def test_who_may_not_read_hears_of_no_discussion(self, standing):
        member = make_member(standing=standing)

        tell(member)

        assert not member.notices.exists()

    def test_who_may_only_read_is_told(self):
        member = make_member(standing="read_only")

        tell(member)

        assert member.notices.exists()

    def test_an_applicant_hears_of_vouches_and_the_suspended_of_moderation(self, applicant):
        suspended = make_member(standing="suspended")

        tell(applicant, kind=Kind.VOUCH)
        tell(suspended, kind=Kind.MODERATION)

        assert applicant.notices.exists()
        assert suspended.notices.exists()

    def test_who_left_or_cannot_log_in_is_not_told(self, physician, colleague):
        Member.objects.filter(pk=physician.pk).update(user=None)
        colleague.user.is_active = False
        colleague.user.save()

        tell(physician, colleague)

        assert not Notice.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_nobody_who_is_told_can_leave_before_it_stands(self, physician, colleague):
        other = connection.copy()
        try:
            with transaction.atomic():
                tell(physician)
                with other.cursor() as cursor:
                    cursor.execute(LOCKED, [colleague.pk])
                    assert cursor.fetchone()
                    cursor.execute(LOCKED, [physician.pk])
                    assert cursor.fetchone() is None
        finally:
            other.close()

    def test_nothing_is_told_when_the_deed_is_undone(self, physician):
        with transaction.atomic():
            tell(physician)
            transaction.set_rollback(True)

        assert not Notice.objects.exists()

    def test_telling_a_hundred_costs_the_statements_of_telling_one(self):
        members = [make_member() for _ in range(100)]
        with CaptureQueriesContext(connection) as few:
            tell(members[0], number=1)
        with CaptureQueriesContext(connection) as many:
            tell(*members, number=2)

        assert len(many) == len(few) <= 14
        assert Notice.objects.filter(held=False).count() == 101


class TestBudget:
    def test_beyond_the_budget_a_notice_is_held_back_unread_by_nobody_and_mailed_to_nobody(self, physician):
        wish(physician, budget=2)
        for number in range(4):
            tell(physician, number=number)

        assert held(physician) == [False, False, True, True]
        assert physician.notice_threads.get().unread == 2
        assert physician.notice_days.get().alerts == 2
        assert Mail.objects.count() == 2

    def test_a_budget_of_nothing_holds_all_back(self, physician):
        wish(physician, budget=0)

        tell(physician)

        assert held(physician) == [True]
        assert physician.notice_threads.get().unread == 0

    @pytest.mark.parametrize("kind", [Kind.TOPIC, Kind.FOLLOW, Kind.MILESTONE])
    def test_what_can_wait_leaves_room_for_replies(self, physician, kind):
        wish(physician, budget=5)
        for number in range(5):
            tell(physician, number=number, kind=kind)
        for number in range(5, 9):
            tell(physician, number=number, kind=Kind.REPLY)

        assert held(physician) == [False] * 3 + [True] * 2 + [False] * 2 + [True] * 2

    def test_the_usual_budget_is_twenty(self, physician):
        for number in range(22):
            tell(physician, number=number)

        assert held(physician).count(True) == 2

    def test_moderation_and_pages_stand_outside_the_budget(self, physician):
        wish(physician, budget=0)

        tell(physician, number=1, kind=Kind.MODERATION)
        tell(physician, number=2, kind=Kind.ON_CALL)

        assert held(physician) == [False, False]
        assert not NoticeDay.objects.exists()

    def test_each_has_a_budget_of_their_own(self, physician, colleague):
        wish(physician, budget=1)
        tell(physician, colleague, number=1)
        tell(physician, colleague, number=2)

        assert held(physician) == [False, True]
        assert held(colleague) == [False, False]

    def test_the_day_is_the_one_on_the_members_own_clock(self, physician, monkeypatch):
        wish(physician, budget=1, time_zone="Pacific/Honolulu")
        evening = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # 11:30 pm on March 1 in Honolulu
        monkeypatch.setattr(timezone, "now", lambda: evening)
        tell(physician, number=1)
        tell(physician, number=2)
        monkeypatch.setattr(timezone, "now", lambda: evening + timedelta(hours=1))
        tell(physician, number=3)

        assert held(physician) == [False, True, False]
        assert [str(day.day) for day in physician.notice_days.order_by("day")] == ["2026-03-01", "2026-03-02"]

    def test_counts_of_days_gone_by_are_forgotten(self, physician):
        today = timezone.now().date()
        for days in (0, 5):
            NoticeDay.objects.create(member=physician, day=today - timedelta(days=days))

        notices.forget_days()

        assert NoticeDay.objects.get().day == today


NIGHT = {"quiet_from": time(22), "quiet_to": time(7)}


class TestQuietHours:
    @pytest.mark.parametrize(
        ("wishes", "moment", "due"),
        [
            (NIGHT, datetime(2026, 1, 10, 17, tzinfo=UTC), datetime(2026, 1, 10, 17, tzinfo=UTC)),  # noon
            (NIGHT, datetime(2026, 1, 11, 4, tzinfo=UTC), datetime(2026, 1, 11, 12, tzinfo=UTC)),  # 11 pm
            (NIGHT, datetime(2026, 1, 11, 6, tzinfo=UTC), datetime(2026, 1, 11, 12, tzinfo=UTC)),  # 1 am
            (NIGHT, datetime(2026, 1, 11, 12, tzinfo=UTC), datetime(2026, 1, 11, 12, tzinfo=UTC)),  # 7 am
            (  # the clocks go forward that night: 7 am comes an hour sooner
                NIGHT,
                datetime(2026, 3, 8, 4, tzinfo=UTC),
                datetime(2026, 3, 8, 11, tzinfo=UTC),
            ),
            (  # and back: an hour later
                NIGHT,
                datetime(2026, 11, 1, 3, tzinfo=UTC),
                datetime(2026, 11, 1, 12, tzinfo=UTC),
            ),
            (  # 1:15 am for the second time; the first 1:30 is over
                {"quiet_from": time(1), "quiet_to": time(1, 30)},
                datetime(2026, 11, 1, 6, 15, tzinfo=UTC),
                datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
            ),
            (  # 2:30 am does not come that night
                {"quiet_from": time(1), "quiet_to": time(2, 30)},
                datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
                datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
            ),
            (
                {"quiet_from": time(9), "quiet_to": time(17)},
                datetime(2026, 1, 10, 15, tzinfo=UTC),
                datetime(2026, 1, 10, 22, tzinfo=UTC),
            ),
            ({}, datetime(2026, 1, 11, 4, tzinfo=UTC), datetime(2026, 1, 11, 4, tzinfo=UTC)),
        ],
    )
    def test_mail_waits_for_the_end_of_the_quiet_hours(self, wishes, moment, due):
        assert NoticeSettings(time_zone="America/New_York", **wishes).after_quiet_hours(moment) == due

    def test_a_mail_is_due_then(self, physician, monkeypatch):
        wish(physician, time_zone="America/Los_Angeles", **NIGHT)
        monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 1, 11, 9, tzinfo=UTC))

        tell(physician)

        assert Mail.objects.get().due_at == datetime(2026, 1, 11, 15, tzinfo=UTC)
        assert physician.notice_threads.get().unread == 1

    @pytest.mark.parametrize("ends", [{"quiet_from": time(22)}, {"quiet_from": time(7), "quiet_to": time(7)}])
    def test_quiet_hours_have_two_ends_apart(self, physician, ends):
        with pytest.raises(IntegrityError), transaction.atomic():
            wish(physician, **ends)


class TestReading:
    def test_seeing_a_thread_reads_all_in_it(self, physician):
        wish(physician, budget=1)
        tell(physician, number=1)
        tell(physician, number=2)

        assert notices.seen(physician, "question:1")

        assert physician.notice_threads.get().unread == 0
        assert not physician.notices.filter(read_at=None).exists()
        assert not notices.seen(physician, "question:1")

    def test_seeing_touches_nobody_else_and_no_other_thread(self, physician, colleague):
        tell(physician, colleague, number=1)
        tell(physician, number=2, about="question:2")

        notices.seen(physician, "question:1")

        assert colleague.notice_threads.get().unread == 1
        assert physician.notice_threads.get(about="question:2").unread == 1

    def test_all_are_marked_read_for_oneself_alone(self, physician, colleague):
        tell(physician, colleague, number=1)
        tell(physician, number=2, about="question:2")

        notices.mark_all_read(member=physician)

        assert not physician.notice_threads.filter(unread__gt=0).exists()
        assert not physician.notices.filter(read_at=None).exists()
        assert colleague.notice_threads.get().unread == 1


class TestChoosing:
    def test_every_kind_has_a_rule_and_a_place_in_the_matrix(self):
        placed = [kind for kinds in notice_kinds.GROUPS.values() for kind in kinds]

        assert sorted(placed) == sorted(notice_kinds.RULES) == sorted(set(Kind) - {Kind.DIGEST})

    def test_moderation_stays_on(self, physician):
        with pytest.raises(notices.StaysOn):
            notices.change_settings(member=physician, ways={Kind.MODERATION: Way.OFF})
        with pytest.raises(IntegrityError), transaction.atomic():
            choose(physician, Kind.MODERATION, Way.OFF)

    def test_a_budget_has_a_limit(self, physician):
        with pytest.raises(IntegrityError), transaction.atomic():
            wish(physician, budget=101)

    def test_saving_again_keeps_the_key_of_the_links_in_mails(self, physician):
        notices.change_settings(member=physician, ways={}, budget=3)
        key = physician.notice_settings.unsubscribe_key
        notices.change_settings(member=physician, ways={}, budget=4)

        physician.notice_settings.refresh_from_db()
        assert physician.notice_settings.unsubscribe_key == key


@pytest.fixture
def crowd(monkeypatch):
    """Twenty-five members whom fan-outs reach, in batches of ten."""
    members = [make_member() for _ in range(25)]
    ids = sorted(member.pk for member in members)
    monkeypatch.setattr(notices, "BATCH", 10)
    monkeypatch.setitem(
        notice_kinds._recipients,
        Kind.TOPIC,
        lambda fan_out, after, limit: [pk for pk in ids if pk > after][:limit],
    )
    return members


class TestFanOut:
    def test_announcing_costs_the_same_however_many_hear_of_it(self, crowd, django_assert_max_num_queries):
        with django_assert_max_num_queries(4):
            notices.fan_out(kind=Kind.TOPIC, target=1, about="question:1")

        assert not Notice.objects.exists()

    def test_all_are_told_in_batches_and_then_it_is_done(self, crowd):
        notices.fan_out(kind=Kind.TOPIC, target=1, about="question:1")

        tasks.work_off_fan_outs()

        row = FanOut.objects.get()
        assert Notice.objects.count() == 25
        assert (row.alerted, row.held, row.done_at is not None) == (25, 0, True)
        assert notices.unfinished_fan_outs() == []

    def test_the_sender_learns_how_many_were_held_back(self, crowd):
        for member in crowd[:4]:
            wish(member, budget=0)
        notices.fan_out(kind=Kind.TOPIC, target=1, about="question:1")

        tasks.work_off_fan_outs()

        row = FanOut.objects.get()
        assert (row.alerted, row.held) == (21, 4)

    def test_a_worker_that_dies_within_a_batch_has_told_nobody_of_it(self, crowd, monkeypatch):
        notices.fan_out(kind=Kind.TOPIC, target=1, about="question:1")
        row = FanOut.objects.get()
        notices.tell_next_batch(fan_out_id=row.pk)
        with monkeypatch.context() as dying:
            dying.setattr(FanOut, "save", lambda *args, **kwargs: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                notices.tell_next_batch(fan_out_id=row.pk)
        assert Notice.objects.count() == 10

        tasks.work_off_fan_outs()

        assert Notice.objects.count() == 25
        assert set(NoticeDay.objects.values_list("alerts", flat=True)) == {1}

    def test_one_that_cannot_be_told_does_not_hold_up_the_next(self, crowd, monkeypatch, caplog):
        notices.fan_out(kind=Kind.TOPIC, target=1, about="question:1")
        notices.fan_out(kind=Kind.TOPIC, target=2, about="question:2")
        real = notices.tell_first

        def stumble(*, kinds, deed):
            if deed.target == 1:
                raise ValueError("Quillfeather")
            return real(kinds=kinds, deed=deed)

        monkeypatch.setattr(notices, "tell_first", stumble)

        tasks.work_off_fan_outs()

        assert set(Notice.objects.values_list("target", flat=True)) == {2}
        assert FanOut.objects.get(done_at=None).target == 1
        assert "ValueError" in caplog.text
        assert "Quillfeather" not in caplog.text

    def test_announced_twice_it_is_one(self, crowd):
        for _ in range(2):
            notices.fan_out(kind=Kind.TOPIC, target=1, about="question:1")
            tasks.work_off_fan_outs()

        assert FanOut.objects.count() == 1
        assert Notice.objects.count() == 25

    def test_a_broker_that_is_away_stops_nobody(self, crowd, monkeypatch, django_capture_on_commit_callbacks):
        def gone(*args):
            raise OSError("no broker")

        monkeypatch.setattr(tasks.work_off_fan_out, "delay", gone)
        with django_capture_on_commit_callbacks(execute=True):
            notices.fan_out(kind=Kind.TOPIC, target=1, about="question:1")

        tasks.work_off_fan_outs()
        assert Notice.objects.count() == 25
