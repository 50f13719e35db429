"""Stripe transfers, against a server that behaves as Stripe documents it, also on its bad days."""

import json
import random
from datetime import timedelta

import pytest
from django.utils import timezone

from rewards import business_days, providers
from rewards.models import Payout, PayoutMethod, ProviderEvent
from rewards.providers import stripe
from rewards.providers.base import FAILED, PAID, RETURNED, UNKNOWN, BadSignature, InDoubt
from rewards.services import checking, payouts, reconciling, running
from rewards.tests.factories import owed
from rewards.tests.fake_provider import (
    STRIPE_KEY,
    STRIPE_SECRET,
    fake_provider,
    stripe_signature,
)
from rewards.tests.payout_makers import ask, make_paid, now, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    with fake_provider() as server:
        settings.STRIPE_URL, settings.STRIPE_KEY = server.url, STRIPE_KEY
        settings.STRIPE_WEBHOOK_SECRET = STRIPE_SECRET
        settings.PAYOUT_PROVIDERS = {"bank": "stripe"}
        yield server


@pytest.fixture
def payee(server, physician):
    return make_paid(physician, 50_000, details={"stripe_account": server.add_account()})


@pytest.fixture
def payout(payee):
    return ask(payee, 5_000)


def run():
    return running.run(lambda line: None)


def reconcile():
    found = reconciling.run("stripe", timezone.now() - timedelta(days=1))
    assert list(checking.faults()) == []
    return found


def knock(client, headers, body):
    return client.post(
        "/rewards/hooks/stripe/", data=body, content_type="application/json", headers=headers
    ).status_code


def test_it_is_offered_only_with_its_key(settings):
    settings.PAYOUT_PROVIDERS, settings.STRIPE_KEY = {"bank": "stripe"}, ""

    with pytest.raises(providers.NotOffered):
        providers.for_method("bank")


def test_a_payout_becomes_one_transfer_that_carries_its_key(server, payout):
    run()

    [transfer] = server.transfers.values()
    assert (transfer["amount"], transfer["transfer_group"]) == (5_000, str(payout.key))
    assert (now(payout).state, now(payout).reference) == ("paid", transfer["id"])


@pytest.mark.parametrize("fault", ["lost", "never", "late 500", "429", "garbled"])
def test_what_went_wrong_is_in_doubt_and_sent_once(server, payout, payee, fault):
    server.faults = [fault]

    run()
    assert now(payout).state == "in_doubt"
    assert owed(payee) == 45_000
    run()

    assert now(payout).state == "paid"
    assert server.out_by_stripe() == 5_000


def test_twenty_retries_around_a_lost_answer_make_one_transfer(server, payout):
    server.faults = ["lost"] + ["lost", "never", "late 500"] * 7
    provider = providers.of("stripe")
    for tries in range(1, 21):
        payout.tries = min(tries, 1)  # without looking first: by the key alone
        with pytest.raises(InDoubt):
            provider.send(payout)
    assert len(server.transfers) == 1

    run()
    found = reconcile()

    assert now(payout).state == "paid"
    assert len(server.transfers) == 1
    assert (found.ours_cents, found.theirs_cents, found.differences) == (5_000, 5_000, [])


def test_a_day_later_stripe_forgets_the_key_and_it_is_looked_up_instead(server, payout):
    server.faults = ["lost"]
    run()
    server.remembered.clear()
    payout = now(payout)
    payout.tries = 2

    assert providers.of("stripe").send(payout).state == PAID
    assert len(server.transfers) == 1


def test_an_error_that_stripe_remembers_stays_in_doubt_until_it_is_forgotten(server, payout):
    server.faults = ["500"]
    run()
    run()
    assert now(payout).state == "in_doubt"
    assert not server.transfers

    server.remembered.clear()
    run()

    assert now(payout).state == "paid"
    assert server.out_by_stripe() == 5_000


def test_an_account_that_cannot_be_paid_gives_the_money_back(server, payout, payee):
    server.accounts[payout.details["stripe_account"]]["capabilities"]["transfers"] = "inactive"

    run()

    assert states(payout) == ["requested", "approved", "submitted", "failed", "reversed"]
    assert "Finish it at Stripe" in now(payout).problem
    assert owed(payee) == 50_000


def test_without_an_account_nothing_is_asked(server, payout):
    payout.details, payout.tries = {"routing": "021000021"}, 1

    assert providers.of("stripe").send(payout).state == FAILED
    assert not server.asked


def test_too_low_a_balance_waits_for_more(server, payout):
    server.stripe_funds = 10

    run()

    assert (now(payout).state, now(payout).problem) == ("in_doubt", "Our balance at Stripe is too low.")


def test_a_wrong_key_of_ours_is_nobodys_failed_payout(server, payout, settings):
    settings.STRIPE_KEY = "sk_wrong"

    run()

    assert (now(payout).state, now(payout).problem) == ("in_doubt", "Stripe refused our key.")


@pytest.mark.parametrize(
    ("cents", "copies", "state"),
    [(4_999, 1, PAID), (5_000, 2, UNKNOWN)],
    ids=["another sum", "two of them"],
)
def test_what_does_not_fit_is_left_to_a_person(server, payout, cents, copies, state):
    for _ in range(copies):
        server.add_transfer(cents, str(payout.key))

    said = providers.of("stripe").look_up(payout)
    settled = payouts.settle(payout, said)

    assert (said.state, said.cents) == (state, cents if copies == 1 else None)
    assert settled.state == "in_doubt"
    assert settled.problem


def test_the_day_of_a_transfer_is_stripes(server, payout):
    server.faults = ["lost"]
    run()
    [transfer] = server.transfers.values()
    transfer["created"] = int((timezone.now() - timedelta(days=1)).timestamp())
    Payout.objects.update(requested_at=timezone.now() - timedelta(days=2))

    run()

    assert now(payout).paid_on == business_days.today() - timedelta(days=1)


def test_a_transfer_reversed_later_comes_back_to_the_balance(server, payout, payee, client):
    run()
    [transfer] = server.transfers.values()
    server.give_back(transfer)

    for headers, body in server.events:
        assert knock(client, headers, body) == 200

    assert now(payout).state == "reversed"
    assert owed(payee) == 50_000
    assert reconcile().differences == []


def test_a_part_that_came_back_is_a_difference(server, payout):
    run()
    [transfer] = server.transfers.values()
    server.give_back(transfer, 1_000)

    [difference] = reconcile().differences

    assert (difference["what"], difference["key"]) == (reconciling.AMOUNT, str(payout.key))
    assert (difference["ours"], difference["theirs"]) == (5_000, 4_000)


def test_after_a_bad_day_no_cent_is_unexplained(server, payee, client):
    chance = random.Random(9)
    kinds = ["", "lost", "never", "late 500", "429", "garbled"]
    asked = [ask(payee, cents) for cents in (1_100, 1_200, 1_300, 1_400, 1_500, 1_600)]
    server.faults = [chance.choice(kinds) for _ in range(12)]

    for _ in range(6):
        run()
    for transfer in list(server.transfers.values())[::3]:
        server.give_back(transfer)
    mail = server.events * 2
    chance.shuffle(mail)
    for headers, body in mail:
        assert knock(client, headers, body) == 200
    server.add_transfer(700, None)  # by hand, in the dashboard
    found = reconcile()

    left = {now(payout).state for payout in asked}
    assert left == {"paid", "reversed"}
    assert len(server.transfers) == len(asked) + 1
    assert found.theirs_cents == server.out_by_stripe() == found.ours_cents + 700
    assert [(row["what"], row["theirs"]) for row in found.differences] == [(reconciling.UNKNOWN_HERE, 700)]
    assert ProviderEvent.objects.count() == len(server.events) - 1


def test_the_list_is_read_to_its_end(server):
    names = {server.add_transfer(100, None)["id"] for _ in range(101)}

    listed = list(providers.of("stripe").sent_since(timezone.now() - timedelta(hours=1)))

    assert {sent.reference for sent in listed} == names
    assert {(sent.key, sent.cents, sent.state) for sent in listed} == {(None, 100, PAID)}


def test_a_transfer_that_is_back_is_listed_with_its_whole_sum(server):
    server.give_back(server.add_transfer(100, None))

    [sent] = providers.of("stripe").sent_since(timezone.now() - timedelta(hours=1))

    assert (sent.cents, sent.state) == (100, RETURNED)


# Messages

EVENT = json.dumps(
    {"id": "evt_1", "type": "account.updated", "data": {"object": {"object": "account"}}}
).encode()


def test_a_signed_message_is_read(server):
    event = providers.of("stripe").event({"stripe-signature": stripe_signature(EVENT)}, EVENT)

    assert (event.id, event.kind, event.keys) == ("evt_1", "account.updated", ())


def test_a_message_that_is_not_proved_is_refused(server):
    signed = stripe_signature(EVENT)
    for header in (
        "",
        "t=1",
        "v1=00",
        stripe_signature(EVENT, secret="whsec_other"),
        stripe_signature(EVENT, at=1_600_000_000),
        stripe_signature(EVENT + b" "),
        signed.replace("v1=", "v0="),
        f"t=1,{signed}",
        signed.replace("t=", "t=x"),
        "t=" + "9" * 5_000 + ",v1=é",
    ):
        with pytest.raises(BadSignature):
            providers.of("stripe").event({"Stripe-Signature": header}, EVENT)


def test_without_a_secret_every_message_is_refused(server, settings):
    settings.STRIPE_WEBHOOK_SECRET = ""

    with pytest.raises(BadSignature):
        providers.of("stripe").event({"Stripe-Signature": stripe_signature(EVENT, secret="")}, EVENT)


def test_while_a_secret_is_replaced_either_signature_does(server):
    both = f"{stripe_signature(EVENT, secret='whsec_old')},{stripe_signature(EVENT).partition(',')[2]}"

    assert providers.of("stripe").event({"Stripe-Signature": both}, EVENT).id == "evt_1"


def test_signed_nonsense_is_refused(server):
    for body in (b"\xff", b"[]", b'{"id": 1}'):
        with pytest.raises(BadSignature):
            providers.of("stripe").event({"Stripe-Signature": stripe_signature(body)}, body)


# Accounts


def test_an_account_is_opened_once_and_filled_in_at_stripe(server, payee):
    account = stripe.open_account(payee)

    assert stripe.open_account(payee) == account
    assert not stripe.is_ready(account)
    url = stripe.connect_url(account, return_url="https://sermo.test/a", refresh_url="https://sermo.test/b")
    assert url.endswith(account)
    server.accounts[account].update(capabilities={"transfers": "active"}, payouts_enabled=True)
    assert stripe.is_ready(account)


def test_an_account_stripe_does_not_know_is_in_doubt(server):
    with pytest.raises(InDoubt):
        stripe.is_ready("acct_unknown")


# Connecting one's account

CONNECT, BACK = "/rewards/settings/connect/", "/rewards/settings/connect/back/"


def test_a_member_connects_an_account(server, physician, physician_client):
    assert "Connect an account" in physician_client.get(CONNECT).content.decode()
    assert physician_client.get(BACK).url == CONNECT

    sent = physician_client.post(CONNECT).content.decode()
    [account] = server.accounts
    assert f'href="https://connect.stripe.test/setup/{account}"' in sent
    assert "cannot pay your account yet" in physician_client.get(BACK).content.decode()
    physician_client.post(BACK)
    assert not PayoutMethod.objects.exists()

    server.accounts[account].update(capabilities={"transfers": "active"}, payouts_enabled=True)
    assert "can be paid" in physician_client.get(BACK).content.decode()
    assert not PayoutMethod.objects.exists()
    assert physician_client.post(BACK).url == "/rewards/settings/"

    kept = PayoutMethod.objects.get(payee__member=physician)
    assert (kept.method, kept.details) == ("bank", {"stripe_account": account})
    physician_client.post(CONNECT)
    assert list(server.accounts) == [account]


def test_while_stripe_is_silent_nothing_changes(server, physician_client, settings):
    settings.STRIPE_URL = "http://127.0.0.1:9"

    sent = physician_client.post(CONNECT)

    assert sent.status_code == 503
    assert "does not answer" in sent.content.decode()
    assert not PayoutMethod.objects.exists()


def test_the_pages_are_for_members_and_only_where_banks_go_by_stripe(
    server, client, applicant_client, physician_client, settings
):
    assert client.get(CONNECT).url.startswith("/accounts/login/")
    assert applicant_client.get(BACK).status_code == 302

    settings.PAYOUT_PROVIDERS = {"bank": "manual"}

    for address in (CONNECT, BACK):
        assert physician_client.get(address).status_code == 404
