"""Sending payouts when answers, processes and providers go missing: each is paid once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.tests.factories import make_member
from rewards import providers
from rewards.models import Account, Payout, PretendTransfer
from rewards.providers.base import FAILED, SUBMITTED, InDoubt, Outcome
from rewards.providers.pretend import Pretend
from rewards.services import ledger, payouts, running
from rewards.tests.factories import balance, fund, owed
from rewards.tests.payout_makers import Till, ask, make_paid, now, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(monkeypatch, settings):
    settings.PAYOUT_PROVIDERS = {"bank": "pretend", "check": "manual"}
    monkeypatch.setitem(providers.KNOWN, "pretend", "rewards.tests.payout_makers.Till")
    Till.reset()
    return Till


@pytest.fixture
def payee(till, physician):
    return make_paid(physician)


def run():
    said = []
    running.run(said.append)
    return said


def wait():
    """Ten minutes and more go by."""
    Payout.objects.filter(sent_at__isnull=False).update(sent_at=timezone.now() - timedelta(minutes=11))


def paid():
    return balance(ledger.house(Account.Kind.PAID))


def test_an_approved_payout_is_sent_and_paid(till, payee):
    payout = ask(payee)

    said = run()

    assert states(payout) == ["requested", "approved", "submitted", "paid"]
    assert (now(payout).tries, now(payout).reference) == (1, f"t-{payout.key}")
    assert said == [f"1/1 payout {payout.pk}: paid", "1 payouts: 1 paid."]
    assert run() == ["No payout is due."]


def test_it_is_committed_as_submitted_before_the_provider_is_called(till, payee, monkeypatch):
    payout, seen = ask(payee), []
    monkeypatch.setattr(Till, "send", lambda self, sending: seen.append(now(payout).state) or Outcome("paid"))

    run()

    assert seen == ["submitted"]


def test_a_refused_one_is_back_on_the_balance(till, payee):
    till.answers = Outcome(FAILED, problem="No such account")
    payout = ask(payee)

    run()

    assert (now(payout).state, now(payout).problem) == ("reversed", "No such account")
    assert owed(payee) == 5_000


@pytest.mark.parametrize("trouble", [InDoubt("It timed out."), RuntimeError("odd answer")])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_answer_that_is_lost_sends_nothing_twice(till, payee, moment, trouble):
    getattr(till, moment).append(trouble)
    payout = ask(payee)

    run()
    assert now(payout).state == "in_doubt"
    assert (owed(payee), paid()) == (0, 0)

    run()
    assert now(payout).state == "paid"
    assert till.calls == [payout.key] * (2 if moment == "before" else 1)
    assert (len(till.sent), paid()) == (1, 5_000)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_during_the_call_sends_nothing_twice(till, payee, moment):
    getattr(till, moment).append(SystemExit())
    payout = ask(payee)
    with pytest.raises(SystemExit):
        run()
    assert now(payout).state == "submitted"

    assert run() == ["No payout is due."]  # it may still be going on
    wait()
    run()

    assert now(payout).state == "paid"
    assert (len(till.sent), paid()) == (1, 5_000)


def test_while_nobody_answers_it_stays_in_doubt(till, payee):
    till.before.append(InDoubt())
    payout = ask(payee)
    run()
    till.is_down = True

    for _ in range(3):
        run()
    assert (now(payout).state, now(payout).tries) == ("in_doubt", 1)

    till.is_down = False
    run()
    assert (now(payout).state, now(payout).tries) == ("paid", 2)


def test_a_provider_that_does_not_answer_is_left_alone_until_the_next_run(till, payee):
    fund(payee, 5_000)
    till.before.extend([InDoubt()] * 4)
    for _ in range(5):
        ask(payee, 1_000)

    assert run()[-1] == "5 payouts: 3 in_doubt, 2 left for later."


def test_one_that_a_provider_has_in_hand_is_asked_about(till, payee):
    till.answers = Outcome(SUBMITTED)
    payout = ask(payee)
    run()
    assert now(payout).state == "submitted"

    wait()
    till.sent[payout.key] = till.sent[payout.key].__class__(payout.key, "t-1", 5_000, "paid")
    run()

    assert now(payout).state == "paid"
    assert till.calls == [payout.key]


def test_what_people_send_and_what_waits_for_approval_is_left(till, payee, colleague):
    fund(payee, 20_000)
    ask(payee, 20_000)
    ask(make_paid(colleague, method="check"))

    assert run() == ["No payout is due."]
    assert till.calls == []


def test_without_its_keys_a_provider_is_not_called(till, payee, monkeypatch):
    payout = ask(payee)
    monkeypatch.setattr(Till, "is_ready", lambda self: False)

    assert run()[-1] == "1 payouts: 1 without its provider."
    assert now(payout).state == "approved"


def test_one_that_cannot_be_taken_on_ends_no_run(till, payee, monkeypatch, caplog):
    fund(payee, 5_000)
    stray, bad, good = ask(payee, 1_000), ask(payee, 2_000), ask(payee, 3_000)
    Payout.objects.filter(pk=stray.pk).update(provider="gone")
    settle = payouts.settle
    monkeypatch.setattr(
        payouts,
        "settle",
        lambda payout, outcome: 1 / 0 if payout.pk == bad.pk else settle(payout, outcome),
    )

    assert run()[-1] == "3 payouts: 2 not taken on, 1 paid."

    assert [now(payout).state for payout in (stray, bad, good)] == ["approved", "submitted", "paid"]
    assert f"Payout {bad.pk} was not taken on" in caplog.text


def test_nothing_is_sent_while_its_member_is_suspended(till, payee):
    till.before.append(InDoubt())
    doubtful = ask(payee, 2_000)
    run()
    fresh = ask(payee, 3_000)
    type(payee.member).objects.update(standing="suspended")

    assert run()[-1] == "2 payouts: 2 waits for a suspended member."
    assert (now(fresh).state, now(fresh).problem) == ("approved", payouts.HELD_UP)
    assert till.calls == [doubtful.key]

    type(payee.member).objects.update(standing="physician")
    run()
    assert {now(payout).state for payout in (doubtful, fresh)} == {"paid"}


def test_one_that_somebody_else_took_is_not_sent(till, payee):
    payout = ask(payee)
    seen = now(payout)
    run()

    assert running._claim(seen, "approved") is None


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_send_each_payout_once(till):
    payee = make_paid(make_member("left_atrium"), 10_000)
    for _ in range(8):
        ask(payee, 1_000)
    barrier = Barrier(2)

    def work(_):
        barrier.wait()
        try:
            return running.run(lambda line: None).total()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, range(2))) >= 8

    assert len(till.calls) == len(set(till.calls)) == 8
    assert paid() == 8_000


@pytest.mark.django_db(transaction=True)
def test_one_in_doubt_is_sent_again_by_one_of_two_runs(till):
    till.before.append(InDoubt())
    payout = ask(make_paid(make_member("left_atrium")))
    run()
    barrier = Barrier(2, timeout=10)
    look_up = Till.look_up

    class Slow(Till):
        def look_up(self, payout):
            said = look_up(self, payout)
            barrier.wait()
            return said

    def work(_):
        try:
            return running.ask_about(now(payout), Slow())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, range(2))) == ["", "paid"]
    assert len(till.calls) == 2  # the first, and one of the two
    assert paid() == 5_000


def test_the_command_can_be_stopped_and_run_again(till, payee):
    till.after.append(KeyboardInterrupt())
    payout, said = ask(payee), StringIO()

    call_command("run_payouts", stdout=said)
    assert said.getvalue() == "No payout is due.\nStopped. Run it again to go on.\n"

    wait()
    call_command("run_payouts", stdout=said)
    assert now(payout).state == "paid"
    assert len(till.calls) == 1


def test_the_pretending_provider_remembers_what_it_sent(physician, settings):
    settings.PAYOUT_PROVIDERS, settings.DEMO = {"bank": "pretend"}, True
    payout = ask(make_paid(physician))
    pretend = Pretend()
    assert pretend.look_up(payout) is None

    run()
    pretend.send(payout)

    assert PretendTransfer.objects.get().cents == 5_000
    assert pretend.look_up(payout).reference == now(payout).reference
    assert [sent.key for sent in pretend.sent_since(payout.requested_at)] == [payout.key]
