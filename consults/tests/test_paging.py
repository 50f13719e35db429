"""Escalation and acknowledgement: who is paged when, and what ends it."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import notice_kinds
from accounts.models import Block, Face, Kind, Mail, Member, Notice, NoticeSettings, User
from accounts.tests.factories import make_member, make_specialty
from consults import tasks_on_call
from consults.models import Call, Case, OnCallWishes, Paging
from consults.services import calls, paging, shifts, withdrawing
from consults.tests.factories import make_case
from consults.tests.on_call import DERM, answered, at_once, make_paging, on_duty
from questions.models import Question
from questions.services import closing, writing
from questions.services.moderation import acts
from questions.tests.factories import make_answer

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def known_order(settings):
    settings.ON_CALL_NEWCOMERS_PERCENT = 0


@pytest.fixture
def crowd(db):
    return [on_duty() for _ in range(4)]


def start(case=None, **fields):
    case = case or make_case(images=0)
    specialty = make_specialty(fields.pop("specialty", DERM))
    fields = {"by": case.question.asker, "urgency": "now", **fields}
    return paging.start(case=case, specialty=specialty, **fields)


def at(one, minutes):
    return one.started_at + minutes * MINUTE


def called(one, step=None):
    rows = one.calls.all() if step is None else one.calls.filter(step=step)
    return set(rows.values_list("member", flat=True))


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def told(member, kind):
    return [notice.key for notice in Notice.objects.filter(member=member, kind=kind)]


def words(member, kind):
    notices = list(Notice.objects.filter(member=member, kind=kind))
    return [line.text for line in notice_kinds.lines(notices, member.user).values()]


# The ladder


def test_one_is_called_at_once_then_the_next_then_all(crowd):
    one = start()

    assert (one.state, one.step, len(called(one))) == ("open", 0, 1)
    assert one.next_at == at(one, 5)
    assert paging.advance(one.pk, at(one, 4.9)) == 0
    assert paging.advance(one.pk, at(one, 5)) == 1
    assert len(called(one)) == 2
    assert paging.advance(one.pk, at(one, 14.9)) == 0
    assert paging.advance(one.pk, at(one, 15.1)) == 1
    assert called(one) == {member.pk for member in crowd}
    assert [len(called(one, step)) for step in (0, 5, 15)] == [1, 1, 2]
    assert [told(member, Kind.ON_CALL) for member in crowd] == [[f"paging:call:{one.pk}"]] * 4


@pytest.mark.parametrize("urgency", ["today", "whenever"])
def test_every_urgency_has_the_same_ladder(crowd, urgency):
    one = start(urgency=urgency)

    assert one.next_at == at(one, 5)
    assert paging.advance(one.pk, at(one, 15)) == 2


def test_after_thirty_minutes_top_answerers_and_the_asker_are_told(crowd):
    derm = make_specialty(DERM)
    taker, top = on_duty(member=make_member(specialty="Nephrology")), make_member()
    OnCallWishes.objects.create(member=taker, takes_overflow=True)
    answered(taker, derm, credited=True)
    answered(top, derm, credited=True)
    one = start()
    for minutes in (5, 15, 29.9):
        paging.advance(one.pk, at(one, minutes))
    asker = one.case.question.asker
    assert told(asker, Kind.CASE) == []

    paging.advance(one.pk, at(one, 30))
    paging.advance(one.pk, at(one, 31))

    assert called(one, 30) == {taker.pk}
    assert told(top, Kind.ON_CALL) == []  # off shift: told in the app, not paged
    assert words(top, Kind.ASKED) == ["Nobody on call has answered this case yet. Can you help?"]
    assert not Mail.objects.filter(user=top.user).exists()
    assert words(asker, Kind.CASE) == ["Nobody on call answered your page yet; top answerers were told"]
    assert fresh(one).state == "open"


@pytest.mark.parametrize(("urgency", "minutes"), [("now", 120), ("today", 1440), ("whenever", 4320)])
def test_what_nobody_accepted_ends_and_the_asker_hears_of_it(crowd, urgency, minutes):
    one = start(urgency=urgency)
    paging.advance(one.pk, at(one, 30))

    paging.advance(one.pk, at(one, minutes - 0.1))
    assert fresh(one).state == "open"
    paging.advance(one.pk, at(one, minutes))

    one = fresh(one)
    assert (one.state, one.next_at, one.ended_at) == ("unheard", None, at(one, minutes))
    assert set(one.calls.values_list("state", flat=True)) == {"expired"}
    asker = one.case.question.asker
    assert "Nobody accepted your page. Your case stays open to all its readers" in words(asker, Kind.CASE)


def test_nobody_on_call_pages_nobody_and_the_clock_goes_on():
    one = start()
    assert (one.calls.count(), one.step, one.next_at) == (0, 0, at(one, 5))
    late = on_duty()

    paging.advance(one.pk, at(one, 5))

    assert called(one, 5) == {late.pk}


def test_after_an_outage_all_due_steps_are_taken_once_and_in_order(crowd):
    one = make_paging()

    assert paging.advance(one.pk, at(one, 40)) == 4
    assert paging.advance(one.pk, at(one, 40)) == 0

    assert [call.step for call in one.calls.order_by("pk")] == [0, 5, 15, 15]
    assert called(one) == {member.pk for member in crowd}
    assert {call.sent_at for call in one.calls.all()} == {at(one, 40)}
    assert len(told(one.case.question.asker, Kind.CASE)) == 1


def test_an_outage_that_outlasts_a_paging_ends_it_and_pages_nobody(crowd):
    one = make_paging()

    assert paging.advance(one.pk, at(one, 120)) == 1

    assert (fresh(one).state, one.calls.count()) == ("unheard", 0)
    assert told(one.case.question.asker, Kind.CASE) == [f"paging:unheard:{one.pk}"]
    assert not Notice.objects.filter(kind=Kind.ON_CALL).exists()


def test_who_is_paged_at_the_last_moment_has_a_few_minutes(crowd):
    one = make_paging()

    assert paging.advance(one.pk, at(one, 119)) == 4

    assert (fresh(one).state, fresh(one).next_at) == ("open", at(one, 129))
    assert set(one.calls.values_list("state", flat=True)) == {"sent"}


def test_the_broker_holds_no_nudge_for_longer_than_it_keeps_one(
    monkeypatch, django_capture_on_commit_callbacks
):
    sent, now = [], timezone.now()
    monkeypatch.setattr(tasks_on_call.advance, "apply_async", lambda args, **when: sent.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        tasks_on_call.nudge_at(1, now + 49 * MINUTE)
        tasks_on_call.nudge_at(2, now + 61 * MINUTE)

    assert sent == [[1]]


def test_a_paging_that_fails_does_not_stop_the_others_and_says_why(crowd, monkeypatch, caplog):
    one, other = make_paging(), make_paging()
    advance = paging.advance

    def fail(paging_id):
        if paging_id == one.pk:
            raise ValueError("no such step")
        return advance(paging_id)

    monkeypatch.setattr(paging, "advance", fail)
    tasks_on_call.advance_due()

    assert (one.calls.count(), other.calls.count()) == (0, 1)
    assert "no such step" in caplog.text


def test_a_late_step_pages_who_is_on_call_then_and_not_when_it_was_due():
    one = make_paging()
    on_duty(one.started_at, hours=0.6)  # off shift 6 minutes after the start
    later = on_duty(one.started_at + 38 * MINUTE)

    paging.advance(one.pk, at(one, 40))

    assert called(one) == {later.pk}


def test_a_page_is_never_sent_off_shift_or_in_quiet_hours_or_across_a_block(crowd):
    one = start()
    quiet, blocked, gone = [member for member in crowd if member.pk not in called(one)]
    clock = timezone.localtime(at(one, 15), timezone.zoneinfo.ZoneInfo("UTC")).time()
    until = (datetime.combine(timezone.now().date(), clock) + timedelta(hours=1)).time()
    NoticeSettings.objects.create(member=quiet, quiet_from=clock, quiet_to=until, time_zone="UTC")
    Block.objects.create(
        blocker=one.case.question.asker,
        blocked=blocked,
        blocker_face=Face.HANDLE,
        blocked_face=Face.HANDLE,
    )
    shifts.end_shift(shift=gone.shifts.get(), member=gone)

    paging.advance(one.pk, at(one, 15))

    assert len(called(one)) == 1


def test_a_page_goes_by_mail_without_a_word_of_the_case_and_outside_the_budget(crowd):
    for member in crowd:
        NoticeSettings.objects.create(member=member, budget=0)

    one = start()

    mail = Mail.objects.get()
    assert mail.user.member.pk in called(one)
    assert mail.subject == "You are paged"
    for secret in (one.case.question.title, one.get_urgency_display(), DERM):
        assert secret not in mail.text
    (text,) = words(mail.user.member, Kind.ON_CALL)
    assert text == "A colleague needs you on call now, within 10 minutes"


# Starting and stopping


def test_a_paging_started_twice_is_one(crowd):
    case = make_case(images=0)

    assert start(case) == start(case)
    assert Call.objects.count() == 1


def test_two_specialties_can_be_paged_for_one_case(crowd):
    case = make_case(images=0)

    assert start(case) != start(case, specialty="Nephrology")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"urgency": "soon"}, paging.UnknownUrgency),
        ({"by": "other"}, paging.NotYours),
        ({"status": "closed"}, paging.NotPageable),
        ({"intent": "teaching"}, paging.NotPageable),
        ({"solved": True}, paging.SolvedAlready),
        ({"audience": "specialty"}, paging.NotAddressed),
        ({"audience": "invited", "peers_only": True}, paging.NotAddressed),
        ({"often": True}, paging.PagedOften),
        ({"standing": "read_only"}, writing.ReadOnly),
    ],
)
def test_what_cannot_be_paged_is_refused(crowd, settings, change, refusal):
    made = {name: change[name] for name in ("intent", "audience") if name in change}
    case = make_case(images=0, **made)
    asker = case.question.asker
    if "status" in change:
        closing.close_question(question=case.question, by=asker)
    if "solved" in change:
        Question.objects.update(solved_at=timezone.now())
    if "often" in change:
        settings.ON_CALL_STARTED_A_DAY = 0
    asker.standing = change.get("standing", "physician")

    with pytest.raises(refusal):
        start(case, by=make_member() if "by" in change else asker, urgency=change.get("urgency", "now"))
    assert not Call.objects.exists()


def test_the_asker_can_stop_a_paging(crowd):
    one = start()

    paging.stop(paging=one, by=one.case.question.asker)
    paging.stop(paging=one, by=one.case.question.asker)

    one = fresh(one)
    assert (one.state, one.calls.get().state) == ("stopped", "expired")
    assert paging.advance(one.pk, at(one, 40)) == 0
    with pytest.raises(paging.NotYours):
        paging.stop(paging=one, by=crowd[0])


def close(case, moderator):
    closing.close_question(question=case.question, by=case.question.asker)


def withdraw(case, moderator):
    withdrawing.withdraw(case=case, why=Case.Withdrawn.AUTHOR, by=case.question.asker)


def remove(case, moderator):
    acts.act(
        post=case.question.posts.get(kind="opening"), by=moderator.user, kind="remove", reason="identity"
    )


def solve(case, moderator):
    question = case.question
    closing.solve_question(question=question, by=question.asker, outcome="It went away.", sender=Case)


@pytest.mark.parametrize("ending", [close, withdraw, solve, remove])
def test_what_ends_a_case_ends_its_pages(crowd, moderator, ending):
    one = start()

    ending(one.case, moderator)

    assert fresh(one).state == "stopped"
    assert paging.advance(one.pk, at(one, 5)) == 0
    assert len(called(one)) == 1
    with pytest.raises(calls.Over):
        calls.accept(call=one.calls.get(), member=one.calls.get().member)


def test_no_step_is_taken_for_a_case_that_is_solved_or_gone_without_notice(crowd):
    """Also where nothing announced it."""
    one, other = start(), start()
    Question.objects.update(status="removed")

    assert paging.advance(one.pk, at(one, 5)) == 0
    tasks_on_call.advance_due()
    assert {fresh(one).state, fresh(other).state} == {"stopped"}


# Accepting


def test_the_first_acceptance_ends_escalation_and_the_asker_is_told(crowd):
    one = start()
    paging.advance(one.pk, at(one, 15))
    first, second, *_ = one.calls.order_by("pk")

    calls.accept(call=first, member=first.member)
    calls.accept(call=first, member=first.member)

    one = fresh(one)
    assert (one.state, one.next_at) == ("accepted", None)
    assert one.first_heard_at == fresh(first).decided_at
    assert [call.state for call in one.calls.order_by("pk")] == ["accepted", *["expired"] * 3]
    assert words(one.case.question.asker, Kind.CASE) == ["A colleague on call accepted your page"]
    with pytest.raises(calls.TakenByAnother):
        calls.accept(call=second, member=second.member)
    assert paging.advance(one.pk, at(one, 40)) == 0
    assert one.calls.count() == 4


def test_nobody_accepts_the_page_of_another_or_without_standing(crowd):
    call = start().calls.get()
    other = next(member for member in crowd if member.pk != call.member_id)
    with pytest.raises(calls.NotYours):
        calls.accept(call=call, member=other)

    Member.objects.filter(pk=call.member_id).update(standing="suspended")
    with pytest.raises(calls.NotAllowed):
        calls.accept(call=call, member=call.member)


def test_an_answer_of_who_was_called_answers_the_page(crowd):
    one = start()
    paging.advance(one.pk, at(one, 5))
    first, second = one.calls.order_by("pk")
    calls.accept(call=first, member=first.member)

    post = make_answer(one.case.question, second.member)

    one = fresh(one)
    assert (one.state, one.ended_at) == ("answered", post.posted_at)
    assert (fresh(first).state, fresh(second).state) == ("accepted", "answered")


def test_an_answer_is_the_first_acknowledgment_where_nobody_accepted(crowd):
    one = start()
    post = make_answer(one.case.question, one.calls.get().member)

    one = fresh(one)
    assert (one.state, one.first_heard_at, one.next_at) == ("answered", post.posted_at, None)
    assert paging.advance(one.pk, at(one, 40)) == 0


def test_an_answer_of_somebody_else_stops_nothing(crowd):
    one = start()
    make_answer(one.case.question)

    assert paging.advance(one.pk, at(one, 5)) == 1


def test_what_was_accepted_and_never_answered_ends_after_a_day(crowd):
    one = start()
    calls.accept(call=one.calls.get(), member=one.calls.get().member)
    Call.objects.update(decided_at=timezone.now() - timedelta(hours=25))

    tasks_on_call.advance_due()

    assert fresh(one).state == "stopped"
    forgotten = "Your page was accepted and not answered. You can page again"
    assert forgotten in words(one.case.question.asker, Kind.CASE)
    assert start(one.case) != one


def test_who_took_a_page_over_has_a_day_of_their_own(crowd):
    one = start()
    first = one.calls.get()
    calls.accept(call=first, member=first.member)
    Paging.objects.update(first_heard_at=timezone.now() - timedelta(hours=25))
    second = calls.hand_over(call=first, member=first.member)
    calls.accept(call=second, member=second.member)

    tasks_on_call.advance_due()

    assert fresh(one).state == "accepted"


@pytest.mark.parametrize("change", [{"standing": "suspended"}, {"standing": "read_only"}, {"active": False}])
def test_a_page_accepted_by_who_cannot_answer_any_more_looks_for_somebody_else(crowd, change):
    one = start()
    call = one.calls.get()
    calls.accept(call=call, member=call.member)
    tasks_on_call.advance_due()
    assert fresh(one).state == "accepted"
    if "standing" in change:
        Member.objects.filter(pk=call.member_id).update(**change)
    else:
        User.objects.filter(pk=call.member.user_id).update(is_active=False)

    tasks_on_call.advance_due()

    one = fresh(one)
    assert (one.state, fresh(call).state) == ("open", "expired")
    assert one.next_at > timezone.now()
    assert paging.advance(one.pk, one.next_at) == 1
    assert len(called(one)) == 2


def test_who_was_blocked_by_the_asker_meanwhile_cannot_accept(crowd):
    one = start()
    call = one.calls.get()
    Block.objects.create(
        blocker=one.case.question.asker,
        blocked=call.member,
        blocker_face=Face.HANDLE,
        blocked_face=Face.HANDLE,
    )

    with pytest.raises(calls.Over):
        calls.accept(call=call, member=call.member)


def test_each_refusal_says_why(crowd):
    one = start()
    paging.advance(one.pk, at(one, 15))
    first, second, *_ = one.calls.order_by("pk")
    calls.accept(call=first, member=first.member)
    with pytest.raises(calls.AcceptedAlready):
        calls.decline(call=first, member=first.member)
    with pytest.raises(calls.TakenByAnother):
        calls.decline(call=second, member=second.member)
    calls.hand_over(call=first, member=first.member)
    expired = one.calls.filter(state="expired").first()
    with pytest.raises(calls.WentOn):
        calls.accept(call=expired, member=expired.member)
    paging.stop(paging=one, by=one.case.question.asker)
    with pytest.raises(calls.Over):
        calls.accept(call=expired, member=expired.member)


# Passing, handing over, seeing


def test_after_a_pass_the_next_step_comes_at_its_time_and_not_earlier(crowd):
    one = start()
    call = one.calls.get()

    calls.decline(call=call, member=call.member)
    calls.decline(call=call, member=call.member)

    assert fresh(one).next_at == at(one, 5)
    assert paging.advance(one.pk, at(one, 4.9)) == 0
    assert paging.advance(one.pk, at(one, 5)) == 1
    assert len(called(one)) == 2
    with pytest.raises(calls.PassedOn):
        calls.accept(call=call, member=call.member)


def test_a_page_is_handed_to_the_next_in_line_at_once(crowd):
    one = start()
    call = one.calls.get()

    made = calls.hand_over(call=call, member=call.member)

    assert calls.hand_over(call=call, member=call.member) == made
    call = fresh(call)
    assert (call.state, call.handed_to, made.state, made.step) == ("handed", made.member, "sent", 0)
    assert told(made.member, Kind.ON_CALL)
    assert fresh(one).next_at == at(one, 5)
    assert one.calls.count() == 2


def test_an_accepted_page_handed_over_is_open_again(crowd, settings):
    one = start()
    paging.advance(one.pk, at(one, 5))
    call = one.calls.order_by("pk")[0]
    calls.accept(call=call, member=call.member)
    heard = fresh(one).first_heard_at

    made = calls.hand_over(call=call, member=call.member)

    one = fresh(one)
    assert (one.state, one.first_heard_at) == ("open", heard)
    assert one.next_at == made.sent_at + 10 * MINUTE
    calls.accept(call=made, member=made.member)
    assert fresh(one).state == "accepted"


def test_a_page_handed_over_late_takes_its_steps_one_by_one(crowd):
    one = start()
    call = one.calls.get()
    calls.accept(call=call, member=call.member)
    Paging.objects.update(started_at=timezone.now() - timedelta(hours=3))

    made = calls.hand_over(call=call, member=call.member)

    steps = []
    for minutes in (4.9, 5, 14.9, 15, 29.9, 30, 119.9, 120):
        paging.advance(one.pk, made.sent_at + minutes * MINUTE)
        steps.append((fresh(one).step, fresh(one).state))
    assert [step for step, _ in steps] == [0, 5, 5, 15, 15, 30, 30, 30]
    assert [state for _, state in steps] == [*["open"] * 7, "unheard"]
    assert len(called(one, 5)) == 1


def test_a_page_handed_over_after_all_steps_stays_open_as_long_as_a_new_one(crowd):
    one = start()
    paging.advance(one.pk, at(one, 30))
    extra = on_duty()
    call = one.calls.order_by("pk")[0]
    calls.accept(call=call, member=call.member)

    made = calls.hand_over(call=call, member=call.member)

    assert made.member == extra
    assert fresh(one).next_at == made.sent_at + 120 * MINUTE


def test_where_all_were_called_a_page_that_expired_is_sent_again_to_who_has_pages_left(crowd):
    one = start()
    paging.advance(one.pk, at(one, 15))
    Call.objects.update(sent_at=one.started_at)
    first, second, third, fourth = one.calls.order_by("pk")
    OnCallWishes.objects.bulk_create(
        OnCallWishes(member_id=call.member_id, pages_a_shift=1) for call in (third, fourth)
    )
    calls.accept(call=first, member=first.member)

    made = calls.hand_over(call=first, member=first.member)

    assert (made, fresh(made).state) == (second, "sent")
    assert made.sent_at > second.sent_at
    assert len(told(second.member, Kind.ON_CALL)) == 2
    assert words(second.member, Kind.ON_CALL) == ["A colleague needs you on call now, within 10 minutes"] * 2
    assert one.calls.count() == 4
    calls.accept(call=made, member=second.member)
    with pytest.raises(calls.NobodyElse):  # the first passed it on, the others have no page left
        calls.hand_over(call=made, member=second.member)


def test_a_page_is_handed_by_name_to_who_shows_themselves_on_call(crowd):
    one = start()
    call = one.calls.get()
    shown, hidden, off, _ = [member for member in crowd if member.pk != call.member_id] + [None]
    for member in (shown, off):
        OnCallWishes.objects.create(member=member, shows_handle=True)
    shifts.end_shift(shift=off.shifts.get(), member=off)

    assert calls.takers(call=call) == [shown]
    for member in (hidden, off, one.case.question.asker, call.member):
        with pytest.raises(calls.CannotTake):
            calls.hand_over(call=call, member=call.member, to=member)
    assert calls.hand_over(call=call, member=call.member, to=shown).member == shown


def test_a_page_is_not_handed_across_a_block_between_the_two(crowd):
    call = start().calls.get()
    for member in crowd:
        if member.pk != call.member_id:
            Block.objects.create(
                blocker=member,
                blocked=call.member,
                blocker_face=Face.HANDLE,
                blocked_face=Face.HANDLE,
            )

    with pytest.raises(calls.NobodyElse):
        calls.hand_over(call=call, member=call.member)


def test_a_page_that_ended_is_not_handed_on(crowd):
    one = start()
    call = one.calls.get()
    calls.accept(call=call, member=call.member)
    paging.stop(paging=one, by=one.case.question.asker)

    with pytest.raises(calls.Over):
        calls.hand_over(call=call, member=call.member)
    assert one.calls.count() == 1


def test_seeing_is_noted_once(crowd):
    call = start().calls.get()

    assert calls.see(member=call.member, case_id=0) == 0
    assert calls.see(member=call.member) == 1
    seen_at = fresh(call).seen_at
    assert calls.see(member=call.member) == 0
    assert (fresh(call).state, fresh(call).seen_at) == ("seen", seen_at)


def test_the_notice_of_a_page_says_how_it_stands(crowd):
    one = start()
    paging.advance(one.pk, at(one, 5))
    first, second = one.calls.order_by("pk")

    calls.accept(call=first, member=first.member)

    assert words(first.member, Kind.ON_CALL) == ["You accepted a page"]
    assert words(second.member, Kind.ON_CALL) == ["You were paged; the page has ended"]
    Question.objects.update(status="removed")
    assert words(first.member, Kind.ON_CALL) == []


# Guarantees of the database, and of many at once


def test_the_database_keeps_a_member_from_being_called_twice(crowd):
    call = start().calls.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        Call.objects.create(paging=call.paging, member=call.member, step=5)


@pytest.mark.django_db(transaction=True)
def test_two_workers_who_take_the_same_steps_make_one_set_of_calls():
    crowd = [on_duty() for _ in range(6)]
    one = make_paging()

    broken = at_once(*[lambda: paging.advance(one.pk, at(one, 16))] * 4)

    assert broken == []
    assert [call.step for call in one.calls.order_by("pk")] == [0, 5, 15, 15, 15, 15]
    assert Notice.objects.filter(kind=Kind.ON_CALL).count() == len(crowd)


@pytest.mark.django_db(transaction=True)
def test_a_step_an_acceptance_an_answer_and_the_end_of_a_shift_at_one_moment_do_not_hurt_each_other():
    crowd = [on_duty() for _ in range(4)]
    one = start(urgency="today")
    call = one.calls.get()

    broken = at_once(
        lambda: paging.advance(one.pk, at(one, 5)),
        lambda: calls.accept(call=call, member=call.member),
        lambda: make_answer(one.case.question, call.member),
        lambda: shifts.end_shift(shift=crowd[0].shifts.get(), member=crowd[0]),
    )

    assert broken == []
    assert fresh(one).state == "answered"
    assert not one.calls.filter(state__in=Call.OPEN).exists()


@pytest.mark.django_db(transaction=True)
def test_two_pagings_at_one_moment_stay_within_a_members_pages():
    OnCallWishes.objects.create(member=on_duty(), pages_a_shift=1)
    pagings = [make_paging() for _ in range(4)]

    broken = at_once(*[lambda one=one: paging.advance(one.pk) for one in pagings])

    assert broken == []
    assert Call.objects.count() == 1


def overflowing(taker):
    """A paging of dermatology at its last step, with a taker of another specialty who is a top answerer there."""
    OnCallWishes.objects.create(member=taker, takes_overflow=True, pages_a_shift=1)
    answered(taker, make_specialty(DERM), credited=True)
    now = timezone.now()
    return make_paging(started_at=now - 30 * MINUTE, next_at=now, step=15)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, -1])
def test_top_answerers_of_another_specialty_are_paged_within_their_pages_whoever_comes_first(turn):
    taker = on_duty(member=make_member(specialty="Nephrology"))
    one, other = overflowing(taker), make_paging(specialty="Nephrology")
    first, second = (one, other)[::turn]
    with transaction.atomic():
        assert paging.advance(first.pk) == 1
        broken = at_once(lambda: paging.advance(second.pk))
        assert fresh(second).calls.count() == 0
    paging.advance(second.pk)

    assert broken == []
    assert [call.paging for call in Call.objects.all()] == [first]


@pytest.mark.django_db(transaction=True)
def test_a_top_answerer_whose_shift_ends_at_this_moment_is_not_paged():
    taker = on_duty(member=make_member(specialty="Nephrology"))
    one = overflowing(taker)
    with transaction.atomic():
        shifts.end_shift(shift=taker.shifts.get(), member=taker)
        broken = at_once(lambda: paging.advance(one.pk))
        assert fresh(one).step == 15  # it waits for who is held
    assert paging.advance(one.pk) == 1

    assert broken == []
    assert not Call.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_held_by_another_transaction_is_called_a_moment_later_and_keeps_nobody_waiting_for_long():
    held, *others = [on_duty() for _ in range(3)]
    now = timezone.now()
    one = make_paging(started_at=now - 15 * MINUTE, next_at=now, step=5)
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=held.pk)
        assert at_once(lambda: paging.advance(one.pk)) == []
        assert (called(one), fresh(one).step) == ({member.pk for member in others}, 5)
    paging.advance(one.pk)
    assert (held.pk in called(one), fresh(one).step) == (True, 15)

    two = make_paging(started_at=now - 17 * MINUTE, next_at=now - 2 * MINUTE, step=5)
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=held.pk)
        assert at_once(lambda: paging.advance(two.pk)) == []
    assert (called(two), fresh(two).step) == ({member.pk for member in others}, 15)
