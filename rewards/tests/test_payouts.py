"""What members ask for, who approves it, and how its states go on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Notice
from accounts.tests.factories import make_member, make_user
from rewards import providers
from rewards.models import Account, Payout, Transaction
from rewards.providers import manual
from rewards.providers.base import FAILED, PAID, RETURNED, SUBMITTED, UNKNOWN, Outcome
from rewards.services import approving, ledger, payouts
from rewards.tests.factories import balance, fund, make_charity, owed
from rewards.tests.payout_makers import BANK, ask, make_paid, now, states
from sermo.errors import RuleBroken
from verification.models import Event

pytestmark = pytest.mark.django_db
Kind = Account.Kind


@pytest.fixture
def payee(physician):
    return make_paid(physician)


@pytest.fixture
def desk(db):
    return [make_user(is_staff=True) for _ in range(2)]


def on_its_way():
    return balance(ledger.house(Kind.SENDING))


def told(payee):
    return list(Notice.objects.filter(member=payee.member, kind="reward").values_list("key", flat=True))


# Asking


def test_a_payout_takes_the_sum_off_the_balance_and_promises_a_day(payee, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 24, 3, tzinfo=UTC))

    payout = ask(payee, 4_000)

    assert (owed(payee), on_its_way()) == (1_000, 4_000)
    assert payout.promised_on == date(2026, 12, 8)  # still the 23rd where the payer is
    assert (payout.method, payout.provider, payout.details) == ("bank", "manual", BANK)
    assert states(payout) == ["requested", "approved"]


def test_the_same_form_asks_once(payee):
    key = uuid4()

    assert ask(payee, 2_000, key) == ask(payee, 2_000, key)
    assert owed(payee) == 3_000


def test_the_form_of_somebody_else_asks_for_nothing(payee, colleague):
    key = uuid4()
    ask(payee, 2_000, key)

    with pytest.raises(payouts.AskedElsewhere):
        ask(make_paid(colleague), 2_000, key)


def test_payouts_begin_at_ten_dollars(payee):
    with pytest.raises(payouts.BelowLeast, match=r"\$10\.00"):
        ask(payee, 999)
    ask(payee, 1_000)


@pytest.mark.parametrize("cents", [0, -5_000])
@pytest.mark.parametrize("has_left", [False, True])
def test_of_nothing_nothing_is_paid_out(payee, cents, has_left):
    type(payee).objects.update(left_at=timezone.now() if has_left else None)

    with pytest.raises(payouts.NothingThere):
        ask(payee, cents)


def test_more_than_the_balance_is_refused(payee):
    with pytest.raises(ledger.NotEnough):
        ask(payee, 5_001)
    assert not Payout.objects.exists()


def test_there_must_be_a_method_and_a_tax_form(payee):
    payee.payout_method.delete()
    with pytest.raises(payouts.NoMethod):
        ask(payee)

    payee = make_paid(payee.member, cents=0)
    payouts.TaxForm.objects.all().delete()
    with pytest.raises(payouts.NoTaxForm):
        ask(payee)


def test_nothing_is_paid_out_while_suspended(payee):
    type(payee.member).objects.update(standing="suspended")

    with pytest.raises(payouts.Suspended):
        ask(payee)


def test_who_left_while_suspended_is_paid_what_was_credited(payee, desk):
    type(payee.member).objects.update(standing="suspended")
    type(payee).objects.update(left_at=timezone.now())

    payout = ask(payee)
    batch, _ = manual.take_batch(method="bank", by=desk[0])

    assert list(batch.payouts.all()) == [payout]


def test_nothing_asked_for_before_is_approved_or_taken_while_suspended(payee, colleague, desk):
    fund(payee, 20_000)
    small, large = ask(payee, 5_000), ask(payee, 20_000)
    type(payee.member).objects.filter(pk=payee.member_id).update(standing="suspended")

    with pytest.raises(manual.AllWait):
        manual.take_batch(method="bank", by=desk[0])
    assert (now(small).state, now(small).problem) == ("approved", payouts.HELD_UP)
    with pytest.raises(approving.HeldUp):
        approving.approve(payout=large, by=desk[0])
    other = ask(make_paid(colleague))
    batch, _ = manual.take_batch(method="bank", by=desk[0])
    assert list(batch.payouts.all()) == [other]

    type(payee.member).objects.update(standing="physician")
    approving.approve(payout=large, by=desk[0])
    batch, _ = manual.take_batch(method="bank", by=desk[0])
    assert {(one.state, one.problem) for one in batch.payouts.all()} == {("submitted", "")}
    assert batch.payouts_count == 2


def test_who_left_can_still_be_paid(payee):
    type(payee).objects.update(member=None, left_at=timezone.now())

    assert ask(payee).state == "approved"


@pytest.mark.parametrize(("provider", "offered"), [("manual", True), ("pretend", False), ("", False)])
def test_a_method_goes_only_by_a_provider_that_is_set_up(payee, settings, provider, offered):
    settings.PAYOUT_PROVIDERS = {"bank": provider} if provider else {}

    assert providers.offered() == (["bank"] if offered else [])
    if not offered:
        with pytest.raises(providers.NotOffered):
            ask(payee)


def test_the_pretending_provider_is_for_the_demo(payee, settings):
    settings.PAYOUT_PROVIDERS, settings.DEMO = {"bank": "pretend"}, True

    assert ask(payee).provider == "pretend"


def test_a_payout_is_cancelled_until_it_is_sent(payee, desk):
    payout = ask(payee)

    payouts.cancel(payout=payout)
    payouts.cancel(payout=payout)

    assert (owed(payee), on_its_way()) == (5_000, 0)
    assert states(payout) == ["requested", "approved", "reversed"]

    sent = ask(payee)
    manual.take_batch(method="bank", by=desk[0])
    with pytest.raises(payouts.TooLate):
        payouts.cancel(payout=sent)


def at_once(jobs):
    barrier = Barrier(len(jobs))

    def work(job):
        barrier.wait()
        try:
            return job()
        except RuleBroken as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(work, jobs))


@pytest.mark.django_db(transaction=True)
def test_fifty_requests_of_one_balance_at_once_are_paid_once():
    payee = make_paid(make_member("left_atrium"), 5_000)

    answers = at_once([lambda: ask(payee, 5_000)] * 50)

    assert sum(isinstance(answer, Payout) for answer in answers) == 1
    assert sum(isinstance(answer, ledger.NotEnough) for answer in answers) == 49
    assert (owed(payee), on_its_way()) == (0, 5_000)
    assert Payout.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_many_times_at_once_is_one_payout():
    payee, key = make_paid(make_member("left_atrium"), 5_000), uuid4()

    answers = at_once([lambda: ask(payee, 1_000, key)] * 10)

    assert len({answer.pk for answer in answers}) == 1
    assert owed(payee) == 4_000


# Approval


@pytest.mark.parametrize(("cents", "needed"), [(19_999, 0), (20_000, 1), (99_999, 1), (100_000, 2)])
def test_large_sums_need_people(payee, cents, needed):
    fund(payee, cents)

    payout = ask(payee, cents)

    assert payouts.approvals_needed(payout) == needed
    assert payout.state == ("requested" if needed else "approved")


def test_parts_of_a_sum_are_approved_like_the_sum(payee):
    fund(payee, 20_000)

    assert [ask(payee, 10_000).state for _ in range(2)] == ["approved", "requested"]


def test_what_was_asked_for_long_before_or_put_back_does_not_count(payee):
    fund(payee, 40_000)
    ask(payee, 15_000)
    Payout.objects.update(requested_at=timezone.now() - timedelta(days=7))
    payouts.cancel(payout=ask(payee, 15_000))

    assert ask(payee, 15_000).state == "approved"


def test_the_largest_take_two_people(payee, desk):
    fund(payee, 100_000)
    payout = ask(payee, 100_000)

    approving.approve(payout=payout, by=desk[0])
    with pytest.raises(approving.SecondPerson):
        approving.approve(payout=payout, by=desk[0])
    assert now(payout).state == "requested"

    approving.approve(payout=payout, by=desk[1])
    approving.approve(payout=payout, by=desk[1])
    assert states(payout) == ["requested", "approved"]
    assert (
        list(Event.objects.values_list("kind", "object")) == [("finance_approve", f"payout:{payout.pk}")] * 2
    )
    with pytest.raises(approving.NotWaiting):
        approving.approve(payout=payout, by=make_user(is_staff=True))


def test_nobody_decides_over_their_own(payee):
    fund(payee, 20_000)
    payout, own = ask(payee, 20_000), payee.member.user

    with pytest.raises(approving.OwnPayout):
        approving.approve(payout=payout, by=own)
    with pytest.raises(approving.OwnPayout):
        approving.refuse(payout=payout, by=own, note="No")


def test_a_refused_payout_is_back_on_the_balance_with_the_reason(payee, desk):
    payout = ask(payee)

    with pytest.raises(approving.NoReason):
        approving.refuse(payout=payout, by=desk[0], note=" ")
    approving.refuse(payout=payout, by=desk[0], note="The account is closed.")

    assert owed(payee) == 5_000
    assert now(payout).problem == "The account is closed."
    assert len(told(payee)) == 1
    with pytest.raises(payouts.TooLate):
        approving.refuse(payout=payout, by=desk[0], note="Again")


# Charities


def test_all_that_a_charity_is_owed_is_paid_to_it(payee, desk):
    charity, key = make_charity(), uuid4()
    entries = {ledger.payable_to(payee): -2_000, ledger.held_for(charity): 2_000}
    ledger.post(kind="donation", key="d", entries=entries)

    payout = payouts.to_charity(charity=charity, submission=key, by=desk[0])

    assert payouts.to_charity(charity=charity, submission=key, by=desk[0]) == payout
    assert (payout.cents, payout.state, payout.details["ein"]) == (2_000, "requested", charity.ein)
    with pytest.raises(payouts.NothingThere):
        payouts.to_charity(charity=charity, submission=uuid4(), by=desk[0])
    approving.approve(payout=payout, by=desk[1])
    payouts.settle(payout, Outcome(FAILED, problem="Address unknown"))
    assert balance(ledger.held_for(charity)) == 2_000


def test_who_asks_for_a_charity_does_not_approve_it(desk):
    charity = make_charity()
    entries = {ledger.house(Kind.FEE): -30_000, ledger.held_for(charity): 30_000}
    ledger.post(kind="fee", key="d", entries=entries)
    payout = payouts.to_charity(charity=charity, submission=uuid4(), by=desk[0])

    with pytest.raises(approving.OwnPayout):
        approving.approve(payout=payout, by=desk[0])
    assert approving.approve(payout=payout, by=desk[1]).state == "approved"


# Outcomes


@pytest.fixture
def sent(payee, desk):
    payout = ask(payee)
    manual.take_batch(method="bank", by=desk[0])
    return payout


def test_what_is_paid_is_paid_once(payee, sent):
    for _ in range(2):
        payouts.settle(sent, Outcome(PAID, "tr_1"))

    assert (on_its_way(), balance(ledger.house(Kind.PAID))) == (0, 5_000)
    assert (now(sent).state, now(sent).reference) == ("paid", "tr_1")
    assert states(sent)[-2:] == ["submitted", "paid"]
    assert len(told(payee)) == 1


def test_what_failed_is_back_on_the_balance(payee, sent):
    for _ in range(2):
        payouts.settle(sent, Outcome(FAILED, problem="No such account"))

    assert (owed(payee), on_its_way()) == (5_000, 0)
    assert states(sent)[-2:] == ["failed", "reversed"]
    assert now(sent).problem == "No such account"
    assert len(told(payee)) == 1


def test_what_came_back_is_back_on_the_balance(payee, sent):
    payouts.settle(sent, Outcome(PAID, "tr_1"))

    for _ in range(2):
        payouts.settle(sent, Outcome(RETURNED, "tr_1", "Account closed"))

    assert (owed(payee), balance(ledger.house(Kind.PAID))) == (5_000, 0)
    assert states(sent)[-3:] == ["paid", "returned", "reversed"]
    assert len(told(payee)) == 2


def test_it_may_come_back_before_it_was_heard_to_be_paid(payee, sent):
    payouts.settle(sent, Outcome(RETURNED, "tr_1"))
    payouts.settle(sent, Outcome(PAID, "tr_1"))

    assert now(sent).state == "reversed"
    assert owed(payee) == 5_000


@pytest.mark.parametrize(
    ("first", "later"),
    [(PAID, FAILED), (PAID, SUBMITTED), (FAILED, PAID), (FAILED, RETURNED), (PAID, UNKNOWN)],
)
def test_a_state_never_goes_back(payee, sent, first, later):
    payouts.settle(sent, Outcome(first))
    lines = Transaction.objects.count()

    payouts.settle(sent, Outcome(later))

    assert now(sent).state == ("paid" if first == PAID else "reversed")
    assert Transaction.objects.count() == lines


def test_an_outcome_of_what_nobody_approved_moves_nothing(payee, caplog):
    fund(payee, 20_000)
    payout = ask(payee, 20_000)

    payouts.settle(payout, Outcome(PAID))

    assert now(payout).state == "requested"
    assert f"Payout {payout.pk}" in caplog.text


def test_doubt_ends_with_an_answer(sent):
    payouts.doubt(sent, "It timed out.")
    assert (now(sent).state, now(sent).problem) == ("in_doubt", "It timed out.")

    payouts.settle(sent, Outcome(UNKNOWN))
    assert now(sent).state == "in_doubt"

    payouts.settle(sent, Outcome(SUBMITTED, "tr_1"))
    payouts.settle(sent, Outcome(PAID, "tr_1"))
    assert states(sent)[-4:] == ["submitted", "in_doubt", "submitted", "paid"]
    assert now(sent).problem == ""


def test_money_of_who_left_meanwhile_comes_back_to_their_account(payee, sent):
    subject = payee.subject
    type(payee).objects.all().delete()

    payouts.settle(sent, Outcome(FAILED))

    assert owed(subject) == 5_000


def test_another_sum_settles_nothing(payee, sent, caplog):
    for _ in range(2):
        payouts.settle(sent, Outcome(PAID, "tr_1", cents=4_999))

    assert (now(sent).state, now(sent).problem) == ("in_doubt", payouts.OTHER_SUM)
    assert states(sent)[-2:] == ["submitted", "in_doubt"]
    assert "said to be of 4999" in caplog.text
    assert (on_its_way(), owed(payee)) == (5_000, 0)

    payouts.settle(sent, Outcome(PAID, "tr_1", cents=5_000))
    payouts.settle(sent, Outcome(RETURNED, "tr_1", cents=1_000))
    assert (now(sent).state, now(sent).problem) == ("paid", "")


def test_what_is_odd_is_kept_for_a_person(sent):
    payouts.settle(sent, Outcome(UNKNOWN, problem="There are two of them."))

    assert (now(sent).state, now(sent).problem) == ("in_doubt", "There are two of them.")


def test_what_a_provider_says_while_it_has_it_is_kept(sent):
    payouts.settle(sent, Outcome(SUBMITTED, problem="Nobody has claimed it yet."))

    assert (now(sent).state, now(sent).problem) == ("submitted", "Nobody has claimed it yet.")


@pytest.mark.parametrize(("said", "days"), [(None, 0), (-3, 3), (-99, 10), (1, 0)])
def test_the_day_of_payment_is_what_is_said_as_far_as_it_can_be(sent, said, days):
    today = payouts.business_days.today()
    Payout.objects.update(requested_at=timezone.now() - timedelta(days=10))

    payouts.settle(sent, Outcome(PAID, paid_on=None if said is None else today + timedelta(days=said)))

    assert now(sent).paid_on == today - timedelta(days=days)


# By hand


def test_a_batch_is_a_file_of_quoted_cells_without_formulas(physician, colleague, desk):
    make_paid(physician, method="check", details={"name": '=HYPERLINK("x")', "zip": "02101"})
    make_paid(colleague, method="check", details={"name": "Bo Li", "zip": "60601"})
    first, second = ask(physician.payee, 1_250), ask(colleague.payee, 5_000)

    batch, file = manual.take_batch(method="check", by=desk[0])

    head, *rows = file.decode("utf-8-sig").splitlines()
    assert head == '"payout","key","asked_on","promised_on","amount","name","zip"'
    assert [row.split(",", 4)[4] for row in rows] == [
        '"12.50","\'=HYPERLINK(""x"")","02101"',
        '"50.00","Bo Li","60601"',
    ]
    assert (batch.payouts_count, batch.cents) == (2, 6_250)
    assert manual.file_of(batch) == file
    assert {now(first).state, now(second).state} == {"submitted"}
    with pytest.raises(manual.NothingToTake):
        manual.take_batch(method="check", by=desk[0])


def test_a_batch_takes_what_is_approved_and_of_its_method(payee, desk):
    fund(payee, 20_000)
    ask(payee, 20_000)

    for method in ("bank", "check"):
        with pytest.raises(manual.NothingToTake):
            manual.take_batch(method=method, by=desk[0])


def test_the_desk_confirms_what_it_sent(sent, desk):
    with pytest.raises(manual.NoReference):
        manual.confirm(payout=sent, reference=" ", by=desk[0])

    manual.confirm(payout=sent, reference="check 1042", by=desk[0])
    manual.confirm(payout=sent, reference="check 1042", by=desk[0])

    assert (now(sent).state, now(sent).reference) == ("paid", "check 1042")
    with pytest.raises(manual.NotTaken):
        manual.confirm(payout=sent, reference="check 1043", by=desk[0])
    assert Event.objects.filter(kind="finance_paid").count() == 1


def test_the_desk_says_on_which_day_it_was_paid(sent, desk):
    today = payouts.business_days.today()
    Payout.objects.update(requested_at=timezone.now() - timedelta(days=2))

    for days in (-3, 1):
        with pytest.raises(manual.NotThatDay):
            manual.confirm(payout=sent, reference="1", by=desk[0], paid_on=today + timedelta(days=days))
    for _ in range(2):
        manual.confirm(payout=sent, reference="1", by=desk[0], paid_on=today - timedelta(days=2))

    assert now(sent).paid_on == today - timedelta(days=2)
    with pytest.raises(manual.NotTaken):
        manual.confirm(payout=sent, reference="1", by=desk[0], paid_on=today)


@pytest.mark.parametrize("is_paid", [False, True])
def test_a_file_fetched_again_has_only_what_is_still_to_be_sent(physician, colleague, desk, is_paid):
    over, left = ask(make_paid(physician)), ask(make_paid(colleague))
    batch, file = manual.take_batch(method="bank", by=desk[0])
    if is_paid:
        manual.confirm(payout=over, reference="check 7", by=desk[0])
    else:
        manual.came_back(payout=over, note="Wrong address", by=desk[0])

    again = manual.file_of(batch)

    assert str(over.key).encode() in file
    assert str(over.key).encode() not in again
    assert str(left.key).encode() in again


def test_the_desk_notes_what_came_back(payee, sent, desk):
    with pytest.raises(approving.NoReason):
        manual.came_back(payout=sent, note="", by=desk[0])
    with pytest.raises(approving.OwnPayout):
        manual.came_back(payout=sent, note="Lost", by=payee.member.user)

    manual.came_back(payout=sent, note="Moved away", by=desk[0])

    assert owed(payee) == 5_000
    with pytest.raises(manual.NotTaken):
        manual.came_back(payout=sent, note="Moved away", by=desk[0])


def test_a_check_may_come_back_after_it_was_confirmed(payee, sent, desk):
    manual.confirm(payout=sent, reference="check 1042", by=desk[0])
    manual.came_back(payout=sent, note="Not cashed", by=desk[0])

    assert owed(payee) == 5_000
    assert states(sent)[-3:] == ["paid", "returned", "reversed"]


def test_the_desk_says_nothing_of_what_providers_send(payee, desk):
    payout = ask(payee)
    Payout.objects.update(provider="stripe", state="submitted")

    with pytest.raises(manual.NotTaken):
        manual.confirm(payout=payout, reference="x", by=desk[0])


# Time


@pytest.fixture
def promised(payee):
    """A payout that was promised for so many days ago."""

    def make(days):
        payout = ask(payee)
        Payout.objects.update(promised_on=payouts.business_days.today() - timedelta(days=days))
        return payout

    return make


def test_a_late_payout_is_told_once(payee, promised):
    payout = promised(1)

    assert [payouts.note_late(), payouts.note_late()] == [1, 0]
    assert now(payout).late_told_at
    assert len(told(payee)) == 1
    assert owed(payee) == 0


def test_one_that_cannot_be_noted_as_late_keeps_none_of_the_others(payee, promised, monkeypatch, caplog):
    fund(payee, 5_000)
    bad, good = promised(1), promised(1)
    tell = payouts.tell
    monkeypatch.setattr(payouts, "tell", lambda payout: 1 / 0 if payout.pk == bad.pk else tell(payout))

    assert payouts.note_late() == 1

    assert (now(bad).late_told_at, bool(now(good).late_told_at)) == (None, True)
    assert f"payout {bad.pk}" in caplog.text


def test_on_the_promised_day_and_once_paid_nothing_is_late(promised):
    payout = promised(0)
    assert payouts.note_late() == 0

    payouts.settle(payout, Outcome(PAID))
    Payout.objects.update(promised_on=date(2026, 1, 2))
    assert payouts.note_late() == 0


@pytest.mark.parametrize(("days", "weeks"), [(1, 1), (7, 1), (8, 2), (21, 3)])
def test_each_begun_week_is_credited_once(payee, promised, settings, days, weeks):
    settings.PAYOUT_LATE_CENTS = 500
    promised(days)

    payouts.note_late()
    settings.PAYOUT_LATE_CENTS = 700
    payouts.note_late()

    assert owed(payee) == weeks * 500


def test_where_it_went_is_forgotten_after_90_days(sent):
    payouts.settle(sent, Outcome(PAID))
    Payout.objects.update(
        ended_at=timezone.now() - timedelta(days=89), requested_at=timezone.now() - timedelta(days=99)
    )
    assert payouts.forget_details() == 0

    Payout.objects.update(ended_at=timezone.now() - timedelta(days=91))
    assert [payouts.forget_details(), payouts.forget_details()] == [1, 0]
    assert now(sent).details is None
