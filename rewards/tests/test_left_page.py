"""The page of those who left: whoever has the link, and nobody else, has the money paid out."""

import io
import logging
import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from accounts.services.leaving import leave
from accounts.tests.factories import make_member
from rewards.models import Payee, Payout
from rewards.services import leaving, ledger
from rewards.tests.factories import fund, make_charity, make_payee, owed
from rewards.views.left import AGAIN

pytestmark = pytest.mark.django_db

CHECK = {
    "what": "method",
    "method-name": "A. Torre",
    "method-street": "1 Main St",
    "method-city": "Chicago",
    "method-state": "IL",
    "method-zip": "60601",
}
W9 = {
    "what": "w9",
    "w9-name": "A. Torre",
    "w9-classification": "individual",
    "w9-street": "1 Main St",
    "w9-city": "Chicago",
    "w9-state": "IL",
    "w9-zip": "60601",
    "w9-tin_kind": "ssn",
    "w9-tin": "123-45-6780",
    "w9-right_number": "on",
    "w9-no_withholding": "on",
    "w9-us_person": "on",
    "w9-perjury": "on",
}


ASK = {"what": "ask", "submission": "6f1e7a52-5d0b-4f0e-8f0a-2f7a3c9a1d11"}


def asking(client, address):
    """The form to ask with, as the page made it."""
    page = client.get(address).content.decode()
    return ASK | {"submission": re.search(r'name="submission" value="([^"]+)"', page)[1]}


@pytest.fixture
def payee():
    payee = make_payee(make_member())
    fund(payee, 1_500)
    return payee


@pytest.fixture
def address(payee):
    leave(payee.member.user)
    secret = re.search(r"/rewards/left/([^/\s]+)/", Mail.objects.get(subject__startswith="Money").text)[1]
    return reverse("rewards:left", args=[secret])


def test_the_link_alone_leads_to_a_payout(client, payee, address):
    assert "$15.00" in client.get(address).content.decode()

    assert client.post(f"{address}?by=check", CHECK).status_code == 302
    assert client.post(address, W9).status_code == 302
    assert client.post(address, asking(client, address)).status_code == 302

    payout = Payout.objects.get()
    assert (payout.cents, payout.method, payout.subject) == (1_500, "check", payee.subject)
    page = client.get(address).content.decode()
    assert "6780" not in page.replace("ending in 6780", "")
    assert "Nothing is there" not in page


def test_a_payout_needs_way_and_form_first(client, payee, address):
    response = client.post(address, ASK)

    assert response.status_code == 422
    assert "Say first how you want to be paid." in response.content.decode()
    assert owed(payee) == 1_500


def test_bad_input_is_said_beside_the_field_and_kept(client, address):
    response = client.post(address, {**W9, "w9-tin": "000-00-0000"})

    assert response.status_code == 422
    page = response.content.decode()
    assert "A digit is mistyped" in page
    assert 'value="Chicago"' in page


def test_the_way_that_is_shown_is_marked(client, address):
    page = client.get(f"{address}?by=check").content.decode()

    assert re.findall(r'href="(\?by=\w+)" aria-current="true"', page) == ["?by=check"]


def test_it_can_be_given_away(client, payee, address):
    charity = make_charity()
    typed = {"what": "donate", "donate-charity": charity.pk, "donate-amount": "15.00"}
    page = client.get(address).content.decode()
    typed["donate-submission"] = re.search(r'name="donate-submission" value="([^"]+)"', page)[1]

    assert client.post(address, typed).status_code == 302
    assert (owed(payee), ledger.held_for(charity).balance) == (0, 1_500)


def test_no_other_link_and_no_old_one_opens_anything(client, payee, address):
    assert client.get(reverse("rewards:left", args=["x" * 43])).status_code == 404
    Payee.objects.filter(pk=payee.pk).update(left_at=timezone.now() - timedelta(days=91))

    assert client.get(address).status_code == 404
    assert client.post(address, CHECK).status_code == 404


def test_an_unknown_form_is_refused(client, address):
    assert client.post(address, {"what": "all"}).status_code == 400


@pytest.mark.parametrize("submission", [{}, {"submission": "x"}])
def test_a_form_without_its_id_asks_for_nothing(client, payee, address, submission):
    client.post(f"{address}?by=check", CHECK)
    client.post(address, W9)

    response = client.post(address, {"what": "ask", **submission})

    assert response.status_code == 422
    assert AGAIN in unescape(response.content.decode())
    assert owed(payee) == 1_500


def test_asking_twice_is_one_payout_and_of_nothing_none(client, payee, address):
    client.post(f"{address}?by=check", CHECK)
    client.post(address, W9)
    form = asking(client, address)

    assert [client.post(address, form).status_code for _ in range(2)] == [302, 302]
    assert Payout.objects.count() == 1

    response = client.post(address, ASK)
    assert response.status_code == 422
    assert "There is nothing to pay out." in response.content.decode()


def test_a_way_is_not_chosen_where_none_is_offered(client, address, settings):
    settings.PAYOUT_PROVIDERS = {}

    assert client.post(address, CHECK).status_code == 400


def test_no_line_of_the_log_holds_the_link(client, address, monkeypatch):
    def fail(*args, **more):
        raise RuntimeError(f"nothing at {address}")

    written, config = io.StringIO(), settings.LOGGING
    handler = logging.StreamHandler(written)
    formatter = config["formatters"]["structured"]
    handler.setFormatter(formatter["()"](**{name: of for name, of in formatter.items() if name != "()"}))
    for name in config["handlers"]["console"]["filters"]:
        handler.addFilter(config["filters"][name]["()"]())
    secret = address.rstrip("/").rpartition("/")[2]
    client.raise_request_exception = False
    logging.getLogger().addHandler(handler)
    try:
        codes = [
            client.post(address, W9 | {"w9-tin": "1"}).status_code,
            client.post(address, {"what": "all"}).status_code,
            client.get(f"{address}more/").status_code,
        ]
        monkeypatch.setattr(leaving, "ends_at", fail)
        codes.append(client.get(address).status_code)
    finally:
        logging.getLogger().removeHandler(handler)

    assert codes == [422, 400, 404, 500]
    assert written.getvalue().count("/rewards/left/...") >= len(codes)
    assert secret not in written.getvalue()
