"""PayPal payouts, against a server that behaves as PayPal documents it, also on its bad days."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from rewards import business_days, providers
from rewards.models import Payout, PayoutStep, ProviderEvent
from rewards.providers import paypal
from rewards.providers.base import FAILED, PAID, RETURNED, SUBMITTED, UNKNOWN, BadSignature, InDoubt
from rewards.services import checking, payouts, reconciling, running
from rewards.tests.factories import owed
from rewards.tests.fake_provider import PAYPAL_ID, PAYPAL_SECRET, PAYPAL_WEBHOOK, fake_provider
from rewards.tests.payout_makers import ask, make_paid, now, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    with fake_provider() as server:
        settings.PAYPAL_URL = server.url
        settings.PAYPAL_CLIENT_ID, settings.PAYPAL_SECRET = PAYPAL_ID, PAYPAL_SECRET
        settings.PAYPAL_WEBHOOK_ID = PAYPAL_WEBHOOK
        settings.PAYOUT_PROVIDERS = {"paypal": "paypal"}
        yield server
        paypal._tokens.clear()


@pytest.fixture
def payee(server, physician):
    return make_paid(physician, 50_000, method="paypal", details={"email": "ana@mail.test"})


@pytest.fixture
def payout(payee):
    return ask(payee, 5_005)


def run():
    running.run(lambda line: None)


def later():
    """What was sent a while ago is asked about."""
    Payout.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    run()


def reconcile():
    found = reconciling.run("paypal", timezone.now() - timedelta(days=40))
    assert list(checking.faults()) == []
    return found


def knock(client, headers, body):
    return client.post(
        "/rewards/hooks/paypal/", data=body, content_type="application/json", headers=headers
    ).status_code


def spent(server):
    return 10**9 - server.paypal_funds


def test_it_is_offered_only_with_its_keys(settings):
    settings.PAYOUT_PROVIDERS, settings.PAYPAL_SECRET = {"paypal": "paypal"}, ""

    with pytest.raises(providers.NotOffered):
        providers.for_method("paypal")


def test_a_payout_is_a_batch_of_one_and_paid_when_its_item_is(server, payout):
    run()
    assert (now(payout).state, len(server.batches)) == ("submitted", 1)
    assert server.lines[str(payout.key)]["payout_item"]["amount"]["value"] == "50.05"

    later()
    assert now(payout).state == "submitted"

    server.process(payout.key)
    later()
    assert now(payout).state == "paid"


@pytest.mark.parametrize("fault", ["lost", "never", "late 500", "500", "429", "garbled"])
def test_what_went_wrong_is_in_doubt_and_sent_once(server, payout, payee, fault):
    server.faults = [fault]

    run()
    assert now(payout).state == "in_doubt"
    assert owed(payee) == 44_995
    run()

    assert now(payout).reference == server.batches[str(payout.key)]["batch_header"]["payout_batch_id"]
    assert now(payout).state == "submitted"
    assert spent(server) == 5_005


def test_twenty_retries_around_a_lost_answer_make_one_batch(server, payout):
    server.faults = ["lost"] + ["lost", "never", "late 500"] * 7
    provider = providers.of("paypal")
    for _ in range(20):
        with pytest.raises(InDoubt):
            provider.send(payout)
    assert spent(server) == 5_005

    server.faults.clear()
    run()
    server.process(payout.key)
    found = reconcile()

    assert now(payout).state == "paid"
    assert spent(server) == 5_005
    assert (found.ours_cents, found.theirs_cents, found.differences) == (5_005, 5_005, [])


def test_a_duplicate_that_links_nowhere_stays_in_doubt(server, payout):
    server.faults, server.links_to_duplicates = ["lost"], False

    run()
    run()

    assert now(payout).state == "in_doubt"
    assert "does not say under which number" in now(payout).problem
    assert spent(server) == 5_005


def test_a_link_to_elsewhere_is_not_followed(server, payout):
    """The fake's links lead to another host, of which only the number is taken."""
    server.faults = ["lost"]
    run()
    run()

    number = server.batches[str(payout.key)]["batch_header"]["payout_batch_id"]
    assert ("GET", f"/v1/payments/payouts/{number}") in server.asked


def test_after_thirty_days_nothing_is_sent_again_by_itself(server, payout):
    server.faults = ["lost"]
    run()
    PayoutStep.objects.update(at=timezone.now() - timedelta(days=30))
    server.batches.clear()  # PayPal has forgotten the name, and would take it again

    run()
    with pytest.raises(InDoubt):
        providers.of("paypal").send(now(payout))

    assert now(payout).state == "in_doubt"
    assert spent(server) == 5_005
    assert reconcile().differences == []


def test_the_item_says_what_became_of_it_not_the_batch(server, payout):
    run()
    said = {}
    for theirs in (*paypal.ITEM_STATES, "INVENTED"):
        server.process(payout.key, theirs)
        said[theirs] = providers.of("paypal").look_up(now(payout)).state

    assert server.batches[str(payout.key)]["batch_header"]["batch_status"] == "SUCCESS"
    assert said == {
        "SUCCESS": PAID,
        "PENDING": SUBMITTED,
        "ONHOLD": SUBMITTED,
        "UNCLAIMED": SUBMITTED,
        "FAILED": FAILED,
        "BLOCKED": FAILED,
        "RETURNED": RETURNED,
        "REFUNDED": RETURNED,
        "REVERSED": RETURNED,
        "INVENTED": UNKNOWN,
    }


def test_the_day_of_a_payment_is_paypals(server, payout):
    run()
    server.process(payout.key)
    yesterday = timezone.now() - timedelta(days=1)
    server.lines[str(payout.key)]["time_processed"] = yesterday.strftime("%Y-%m-%dT%H:%M:%SZ")
    Payout.objects.update(requested_at=timezone.now() - timedelta(days=2))

    later()

    assert now(payout).paid_on == business_days.today() - timedelta(days=1)


def test_a_batch_that_was_denied_failed(server, payout, payee):
    run()
    server.batches[str(payout.key)]["batch_header"]["batch_status"] = "DENIED"

    later()

    assert states(payout)[-2:] == ["failed", "reversed"]
    assert owed(payee) == 50_000


def test_what_nobody_claims_comes_back_to_the_balance(server, payout, payee):
    run()
    server.process(payout.key, "UNCLAIMED")
    later()
    assert now(payout).state == "submitted"

    server.process(payout.key, "RETURNED")
    later()

    assert states(payout)[-2:] == ["returned", "reversed"]
    assert owed(payee) == 50_000


def test_an_address_paypal_does_not_take_gives_the_money_back(server, payout, payee):
    Payout.objects.update(details={"email": "ana@nowhere"})

    run()

    assert (now(payout).state, owed(payee)) == ("reversed", 50_000)
    assert "Check it in your settings" in now(payout).problem


def test_too_low_a_balance_waits_for_more(server, payout):
    server.paypal_funds = 10

    run()

    assert (now(payout).state, now(payout).problem) == ("in_doubt", "Our balance at PayPal is too low.")


def test_a_token_that_is_not_taken_any_more_is_replaced(server, payout):
    run()
    server.tokens.clear()

    assert providers.of("paypal").look_up(now(payout)).state == SUBMITTED
    assert server.asked.count(("POST", "/v1/oauth2/token")) == 2


def test_a_token_is_asked_for_once(server, payee):
    for cents in (1_000, 1_001):
        ask(payee, cents)

    run()

    assert server.asked.count(("POST", "/v1/oauth2/token")) == 1


def test_a_wrong_secret_of_ours_is_nobodys_failed_payout(server, payout, settings):
    settings.PAYPAL_SECRET = "wrong"

    run()

    assert (now(payout).state, now(payout).problem) == ("in_doubt", "PayPal refused our key.")


def test_what_does_not_fit_is_left_to_a_person(server, payout):
    run()
    server.process(payout.key)
    server.lines[str(payout.key)]["payout_item"]["amount"]["value"] = "50.06"

    later()
    assert (now(payout).state, now(payout).problem) == ("in_doubt", payouts.OTHER_SUM)
    server.batches[str(payout.key)]["batch_header"]["sender_batch_header"] = {"sender_batch_id": "other"}
    assert providers.of("paypal").look_up(now(payout)).state == UNKNOWN


def test_after_a_bad_day_no_cent_is_unexplained(server, payee, client):
    chance = random.Random(9)
    kinds = ["", "lost", "never", "late 500", "500", "429", "garbled"]
    asked = [ask(payee, cents) for cents in (1_101, 1_202, 1_303, 1_404, 1_505, 1_606)]
    server.faults = [chance.choice(kinds) for _ in range(12)]

    for _ in range(6):
        run()
    for payout in asked:
        server.process(payout.key)
    server.process(asked[0].key, "REVERSED")
    mail = server.events * 2
    chance.shuffle(mail)
    for headers, body in mail:
        assert knock(client, headers, body) == 200
    server.add_line("TXBYHAND", 700)  # by hand, on PayPal's pages
    found = reconcile()

    assert [now(payout).state for payout in asked] == ["reversed"] + ["paid"] * 5
    assert spent(server) == sum(payout.cents for payout in asked[1:]) == found.ours_cents
    assert found.theirs_cents == found.ours_cents + 700
    assert [(row["what"], row["reference"], row["theirs"]) for row in found.differences] == [
        (reconciling.UNKNOWN_HERE, "TXBYHAND", 700)
    ]
    assert ProviderEvent.objects.count() == len(server.events)


# Messages


def test_a_message_names_its_payout(server, payout):
    run()
    server.process(payout.key)
    [(headers, body)] = server.events

    event = providers.of("paypal").event({name.upper(): value for name, value in headers.items()}, body)

    assert (event.kind, event.keys) == ("PAYMENT.PAYOUTS-ITEM.SUCCESS", (payout.key,))


def test_a_message_paypal_did_not_send_is_refused(server, payout, client):
    run()
    server.process(payout.key)
    [(headers, body)] = server.events

    assert knock(client, headers, body.replace(b"SUCCESS", b"FAILED")) == 400
    assert knock(client, headers, b"not json") == 400
    assert knock(client, headers, b"[" * 100_000) == 400
    assert knock(client, {**headers, "PayPal-Transmission-Sig": "forged"}, body) == 400
    assert now(payout).state == "submitted"


def test_a_message_without_its_headers_is_refused_without_asking(server):
    with pytest.raises(BadSignature):
        providers.of("paypal").event({"PayPal-Transmission-Id": "1"}, b"{}")
    assert not server.asked


def test_a_message_that_cannot_be_proved_now_may_come_again(server, payout, settings, client):
    run()
    server.process(payout.key)
    [(headers, body)] = server.events
    settings.PAYPAL_SECRET = "wrong"
    paypal._tokens.clear()

    assert knock(client, headers, body) == 503
