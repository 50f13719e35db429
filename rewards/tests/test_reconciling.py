"""What providers say, by list and by message, against what stands here."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from rewards import providers
from rewards.models import Payout, ProviderEvent, Reconciliation
from rewards.providers.base import BadSignature, Event, InDoubt, Outcome, Sent
from rewards.services import payouts, reconciling, running
from rewards.tests.factories import owed
from rewards.tests.payout_makers import Till, ask, make_paid, now
from rewards.views import hooks

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(monkeypatch, settings):
    settings.PAYOUT_PROVIDERS = {"bank": "pretend", "check": "manual"}
    monkeypatch.setitem(providers.KNOWN, "pretend", "rewards.tests.payout_makers.Till")
    Till.reset()
    return Till


@pytest.fixture
def payout(till, physician):
    return ask(make_paid(physician))


@pytest.fixture
def paid(payout):
    running.run(lambda line: None)
    return payout


def reconcile():
    return reconciling.run("pretend", timezone.now() - timedelta(days=2))


def becomes(payout, state):
    Till.sent[payout.key] = replace(Till.sent[payout.key], state=state)


# By list


def test_what_fits_is_matched(paid):
    done = reconcile()

    assert (done.matched, done.settled, done.differences) == (1, 0, [])
    assert (done.ours_cents, done.theirs_cents) == (5_000, 5_000)


def test_one_in_doubt_is_settled_by_the_list(till, payout):
    till.after.append(InDoubt())
    running.run(lambda line: None)

    done = reconcile()

    assert now(payout).state == "paid"
    assert (done.matched, done.settled, done.differences) == (1, 1, [])


def test_one_that_never_arrived_is_no_difference(till, payout):
    till.before.append(InDoubt())
    running.run(lambda line: None)

    done = reconcile()

    assert (now(payout).state, done.differences, done.ours_cents) == ("in_doubt", [], 0)


def test_one_that_came_back_is_put_back(till, paid):
    becomes(paid, "returned")

    done = reconcile()

    assert owed(paid.payee) == 5_000
    assert (done.settled, done.differences, done.ours_cents, done.theirs_cents) == (1, [], 0, 0)


def test_what_a_restored_copy_forgot_is_learned_again(till, paid):
    """As after a restore from before it was sent: the provider has sent what is only approved here."""
    forgotten = ask(make_paid(paid.payee.member))
    till.sent[forgotten.key] = Sent(forgotten.key, "t-f", 5_000, "paid")

    done = reconcile()

    assert now(forgotten).state == "paid"
    assert (done.matched, done.differences) == (2, [])


@pytest.mark.parametrize(
    ("change", "what", "ours", "theirs"),
    [
        (lambda paid: Till.sent.clear(), reconciling.MISSING, 5_000, 0),
        (lambda paid: becomes(paid, "failed"), reconciling.STATE, 5_000, 0),
        (
            lambda paid: Till.sent.update({paid.key: replace(Till.sent[paid.key], cents=5_001)}),
            reconciling.AMOUNT,
            5_000,
            5_001,
        ),
        (
            lambda paid: Till.sent.update({"more": replace(Till.sent[paid.key], reference="t-2")}),
            reconciling.TWICE,
            0,
            5_000,
        ),
        (
            lambda paid: Till.sent.update({"stray": Sent(uuid4(), "t-3", 700, "paid")}),
            reconciling.UNKNOWN_HERE,
            0,
            700,
        ),
        (
            lambda paid: Till.sent.update({"stray": Sent(None, "t-4", 700, "paid")}),
            reconciling.UNKNOWN_HERE,
            0,
            700,
        ),
    ],
)
def test_what_neither_explains_is_a_difference(paid, change, what, ours, theirs):
    change(paid)

    done = reconcile()

    [difference] = done.differences
    assert (difference["what"], difference["ours"], difference["theirs"]) == (what, ours, theirs)
    explained = 0 if what in (reconciling.MISSING, reconciling.STATE, reconciling.AMOUNT) else 5_000
    assert (done.ours_cents, done.theirs_cents) == (5_000, explained + theirs)
    assert now(paid).state == "paid"


def test_a_wrong_amount_does_not_settle(till, payout):
    till.after.append(InDoubt())
    running.run(lambda line: None)
    till.sent[payout.key] = replace(till.sent[payout.key], cents=4_999)

    done = reconcile()

    assert now(payout).state == "in_doubt"
    assert [one["what"] for one in done.differences] == [reconciling.AMOUNT]


def test_the_list_may_be_older_than_what_stands_here(till, paid, monkeypatch):
    older = [replace(till.sent[paid.key], state="submitted")]
    monkeypatch.setattr(Till, "sent_since", lambda self, moment: older)

    assert reconcile().differences == []


def test_what_was_created_before_the_window_is_asked_about(till, paid, monkeypatch):
    monkeypatch.setattr(Till, "sent_since", lambda self, moment: [])

    done = reconcile()

    assert (done.matched, done.differences, done.theirs_cents) == (1, [], 5_000)


def test_what_contradicts_a_payout_put_back_is_a_difference(till, paid):
    becomes(paid, "returned")
    reconcile()
    becomes(paid, "paid")

    [difference] = reconcile().differences

    assert (difference["what"], difference["theirs"]) == (reconciling.STATE, 5_000)
    assert owed(paid.payee) == 5_000


def test_every_provider_that_keeps_a_list_is_compared(till, paid, monkeypatch):
    assert [done.provider for done in reconciling.run_all()] == ["pretend"]

    def down(self, moment):
        raise InDoubt

    monkeypatch.setattr(Till, "sent_since", down)
    assert reconciling.run_all() == []
    assert Reconciliation.objects.count() == 1


# By message


@pytest.fixture
def knock(till, monkeypatch, rf):
    """Somebody sends a message; only those that say so are signed."""

    def read(self, headers, body):
        if headers.get("Signature") != "right":
            raise BadSignature
        said = json.loads(body)
        return Event(said["id"], "transfer.changed", tuple(payout.key for payout in Payout.objects.all()))

    monkeypatch.setattr(Till, "event", read, raising=False)
    monkeypatch.setitem(providers.KNOWN, "stripe", "rewards.tests.payout_makers.Till")

    def knock(event="evt_1", signature="right"):
        data = json.dumps({"id": event})
        request = rf.post("/", data, content_type="application/json", headers={"Signature": signature})
        return hooks.stripe(request).status_code

    return knock


def test_a_message_is_a_reason_to_ask(till, payout, knock):
    till.after.append(InDoubt())
    running.run(lambda line: None)

    assert knock() == 200

    assert now(payout).state == "paid"
    assert ProviderEvent.objects.get().payout == payout


def test_its_copies_and_disorder_do_no_harm(till, paid, knock):
    becomes(paid, "returned")

    assert [knock(name) for name in ("evt_2", "evt_1", "evt_2")] == [200] * 3

    assert owed(paid.payee) == 5_000
    assert ProviderEvent.objects.count() == 2


def test_a_copy_is_not_even_asked_about(paid, knock, monkeypatch):
    knock()
    monkeypatch.setattr(Till, "look_up", lambda self, payout: pytest.fail("asked again"))

    assert knock() == 200


def test_a_message_without_the_right_signature_does_nothing(till, paid, knock):
    becomes(paid, "returned")

    assert knock(signature="wrong") == 400

    assert (now(paid).state, ProviderEvent.objects.count()) == ("paid", 0)


def test_a_message_is_welcome_again_where_the_provider_did_not_answer(till, paid, knock):
    till.is_down = True
    assert knock() == 503

    till.is_down = False
    assert knock() == 200
    assert ProviderEvent.objects.count() == 1


def test_a_message_about_what_the_provider_never_sent_changes_nothing(payout, knock):
    assert knock() == 200
    assert now(payout).state == "approved"


def test_providers_without_keys_have_no_address(settings):
    settings.STRIPE_KEY = settings.PAYPAL_CLIENT_ID = ""
    for name in ("stripe", "paypal"):
        assert Client(enforce_csrf_checks=True).post(f"/rewards/hooks/{name}/").status_code == 404
        assert Client().get(f"/rewards/hooks/{name}/").status_code == 405


def test_the_sums_differ_by_what_is_said_to_differ(till, physician):
    payee = make_paid(physician, 9_000)
    for _ in range(9):
        ask(payee, 1_000)
    till.after.extend([InDoubt(), InDoubt()])
    running.run(lambda line: None)
    payouts.settle(Payout.objects.filter(state="in_doubt").first(), Outcome("failed"))

    done = reconcile()

    assert done.theirs_cents - done.ours_cents == 1_000
    assert len(done.differences) == 1
