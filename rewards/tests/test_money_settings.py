"""What members decide about their own money, and that nothing of it is shown again in full."""

from threading import Barrier, Thread

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS
from django.db import connection
from django.urls import reverse

from accounts.models import Mail
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from rewards import methods
from rewards.forms import W9Form, is_ein, is_ssn
from rewards.models import Affiliation, Payee, PayoutMethod, TaxForm
from rewards.services import choosing
from rewards.tests.factories import make_charity, make_firm, make_payee

pytestmark = pytest.mark.django_db

SETTINGS, METHOD, W9, AFFILIATIONS = (
    f"/rewards/settings/{rest}" for rest in ("", "method/", "w9/", "affiliations/")
)
PASSWORD = "correct horse battery staple"
BANK = {
    "name": "Ada Byron",
    "routing": "021-000-021",
    "account": "1234 5678 90",
    "account_again": "1234567890",
    "account_kind": "checking",
}
ADDRESS = {"street": "12 Elm Street", "city": "Chicago", "state": "IL", "zip": "60601"}
FORM_W9 = {
    **ADDRESS,
    "name": "Ada Byron",
    "business_name": "",
    "classification": "individual",
    "tin_kind": "ssn",
    "tin": "123-45-6789",
    **dict.fromkeys(W9Form.TICKS, "on"),
}


def text_of(response):
    return " ".join(response.content.decode().split())


# Who a member is to the ledger


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_payee():
    member, start, found = make_member(), Barrier(4), []

    def ask():
        start.wait()
        found.append(choosing.payee_of(member).pk)
        connection.close()

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [Payee.objects.get().pk] * 4


def test_looking_at_the_settings_makes_no_payee(physician_client):
    assert physician_client.get(SETTINGS).status_code == 200
    assert not Payee.objects.exists()


# The door


@pytest.mark.parametrize("address", [SETTINGS, METHOD, W9, AFFILIATIONS])
def test_the_pages_are_for_members(address, client, applicant_client):
    assert client.get(address).url.startswith("/accounts/login/")
    assert applicant_client.get(address).url == reverse("verification:start")
    assert client_of(make_user()).get(address).status_code == 403


def test_nothing_of_another_is_there(physician, colleague_client):
    firm = make_firm("Halden")
    choosing.declare_affiliation(member=physician, firm=firm)
    choosing.set_method(member=physician, method="gift", details={"email": "ada@example.org"})

    assert "ada@example.org" not in text_of(colleague_client.get(METHOD))
    assert colleague_client.post(AFFILIATIONS, {"end": firm.pk}).status_code == 404
    assert Affiliation.objects.get().ended_at is None


@pytest.mark.parametrize("address", [METHOD, W9])
def test_where_money_goes_is_changed_by_whoever_confirms_it_is_them(address):
    member = make_member(password=PASSWORD)

    sent = client_of(member).get(address)

    assert sent.url.startswith("/accounts/reauthenticate/?next=")


def test_a_w9_sent_too_late_does_not_wait_in_the_session():
    client = client_of(make_member(password=PASSWORD))

    sent = client.post(W9, FORM_W9)

    assert sent.url == "/accounts/reauthenticate/?next=%2Frewards%2Fsettings%2Fw9%2F"
    assert "6789" not in str(dict(client.session.items()))
    back = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": W9})
    assert (back.status_code, back.url) == (302, W9)
    assert RECORDS in client.session
    assert not TaxForm.objects.exists()
    client.post(W9, FORM_W9)
    assert TaxForm.objects.exists()


# What becomes of it


def test_a_member_is_paid_and_may_be_earmarked_until_they_say_otherwise(physician, physician_client):
    assert physician_client.post(SETTINGS, {"takes": "nothing"}).url == SETTINGS

    payee = physician.payee
    assert (payee.takes, payee.may_be_earmarked) == ("nothing", False)


def test_money_goes_to_the_charity_chosen_and_to_none_later(physician, physician_client):
    charity = make_charity("Open Clinics")
    said = {"takes": "charity", "charity": charity.pk, "may_be_earmarked": "on"}
    physician_client.post(SETTINGS, said)
    assert Payee.objects.get().charity == charity

    physician_client.post(SETTINGS, {**said, "takes": "self"})
    assert (Payee.objects.get().takes, Payee.objects.get().charity) == ("self", None)


def test_a_charity_is_named(physician_client):
    answer = physician_client.post(SETTINGS, {"takes": "charity", "may_be_earmarked": "on"})

    assert answer.status_code == 422
    assert "Choose the charity that gets it." in text_of(answer)
    assert not Payee.objects.exists()


def test_a_charity_no_longer_offered_stays_with_whoever_chose_it(physician):
    charity = make_charity(is_active=False)
    with pytest.raises(choosing.CharityNotOffered):
        choosing.choose(member=physician, takes="charity", charity=charity)

    make_payee(physician, takes="charity", charity=charity)
    assert choosing.choose(member=physician, takes="charity", charity=charity).charity == charity


# Affiliations


def test_a_firm_is_declared_once_and_taken_off(physician, physician_client):
    firm = make_firm("Halden")
    for _ in range(2):
        physician_client.post(AFFILIATIONS, {"firm": firm.pk})
    assert Affiliation.objects.count() == 1
    assert choosing.are_affiliated(physician, firm)
    assert "Halden" in text_of(physician_client.get(SETTINGS))

    physician_client.post(AFFILIATIONS, {"end": firm.pk})

    assert not choosing.are_affiliated(physician, firm)
    assert choosing.declare_affiliation(member=physician, firm=firm).ended_at is None


def test_a_firm_that_is_not_active_is_not_declared(physician, physician_client):
    firm = make_firm("Halden", is_active=False)

    assert physician_client.post(AFFILIATIONS, {"firm": firm.pk}).status_code == 422
    with pytest.raises(choosing.FirmNotHere):
        choosing.declare_affiliation(member=physician, firm=firm)


@pytest.mark.parametrize("number", ["", "x", "9" * 30])
def test_nonsense_ends_no_affiliation(physician_client, number):
    assert physician_client.post(AFFILIATIONS, {"end": number}).status_code == 400


# Ways of payment


def test_a_bank_account_is_kept_and_shown_by_its_last_four(physician, physician_client):
    assert physician_client.post(f"{METHOD}?by=bank", BANK).url == SETTINGS

    kept = choosing.method_of(physician.payee)
    assert kept.details == {
        "name": "Ada Byron",
        "routing": "021000021",
        "account": "1234567890",
        "account_kind": "checking",
    }
    for address in (SETTINGS, METHOD):
        page = text_of(physician_client.get(address))
        assert "Checking account ending in 7890" in page
        assert "123456" not in page
        assert "021000021" not in page


def test_a_change_of_the_way_is_told_by_mail(physician):
    for email in ("ada@example.org", "eve@example.org"):
        choosing.set_method(member=physician, method="gift", details={"email": email})

    assert PayoutMethod.objects.get().details == {"email": "eve@example.org"}
    mails = Mail.objects.filter(user=physician.user)
    assert [mail.subject for mail in mails] == ["Where your payouts go was changed"] * 2
    assert not any("example.org" in mail.text.replace("sermo", "") for mail in mails)


def test_who_has_left_still_says_where_the_rest_goes(physician):
    make_payee(physician)
    physician.user = None
    physician.save(update_fields=["user"])

    kept = choosing.set_method(member=physician, method="gift", details={"email": "ada@example.org"})

    assert kept.details == {"email": "ada@example.org"}
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"routing": "021000022"}, "one of the nine digits is mistyped"),
        ({"routing": "991234567"}, "No bank has this number"),
        ({"routing": "02100002"}, "this has 8"),
        ({"account": "12x4567890"}, "Digits only."),
        ({"account": "123"}, "4 to 17 digits"),
        ({"account_again": "1234567891"}, "The two account numbers differ."),
    ],
)
def test_a_slip_in_a_number_is_found_and_what_was_typed_stays(physician_client, said, words):
    answer = physician_client.post(f"{METHOD}?by=bank", {**BANK, **said})

    assert answer.status_code == 422
    assert words in text_of(answer)
    assert 'value="Ada Byron"' in text_of(answer)
    assert not PayoutMethod.objects.exists()


@pytest.mark.parametrize(
    ("way", "said", "field", "words"),
    [
        ("check", {}, "state", "Choose the state or territory of this address."),
        ("check", {"state": "Illinois"}, "state", "Choose a state or territory of the list."),
        ("check", {}, "zip", "A ZIP code looks like 60601 or 60601-1234."),
        ("check", {"city": "x" * 61}, "city", "At most 60 characters; this has 61."),
        ("paypal", {}, "email", "Write the address you log in to PayPal with."),
        ("gift", {}, "email", "Write the address the card should come to."),
        ("gift", {"email": "ada at example"}, "email", "An e-mail address looks like name@example.org."),
        ("bank", {}, "account_kind", "Choose checking or savings."),
    ],
)
def test_a_field_says_what_it_wants(way, said, field, words):
    assert methods.FORMS[way](said).errors[field] == [words]


@pytest.mark.parametrize("form", [*methods.FORMS.values(), W9Form])
def test_no_field_is_merely_required(form):
    said = [error for errors in form({}).errors.values() for error in errors]

    assert said
    assert "This field is required." not in said


def test_a_check_needs_an_address(physician, physician_client):
    said = {"name": "Ada Byron", **ADDRESS}
    assert physician_client.post(f"{METHOD}?by=check", {**said, "zip": "6060"}).status_code == 422

    physician_client.post(f"{METHOD}?by=check", said)
    assert methods.in_words(choosing.method_of(physician.payee)) == (
        "Ada Byron, 12 Elm Street, Chicago, IL 60601"
    )


def test_only_what_the_site_can_pay_by_is_offered(physician, physician_client, settings):
    settings.PAYOUT_PROVIDERS = {"check": "manual", "charity": "manual"}

    page = text_of(physician_client.get(f"{METHOD}?by=bank"))

    assert "Payable to" in page
    assert "Routing number" not in page
    with pytest.raises(methods.NotOffered):
        choosing.set_method(member=physician, method="bank", details={})


def test_where_stripe_pays_no_account_number_is_asked_for(physician_client, settings):
    settings.PAYOUT_PROVIDERS, settings.STRIPE_KEY = {"bank": "stripe"}, "sk_test"

    page = text_of(physician_client.get(METHOD))

    assert "told to Stripe" in page
    assert "Routing number" not in page
    assert physician_client.post(f"{METHOD}?by=bank", BANK).status_code == 200
    assert not PayoutMethod.objects.exists()


# Form W-9


def test_a_w9_is_kept_apart_and_shown_by_its_last_four(physician, physician_client):
    assert physician_client.post(W9, FORM_W9).url == SETTINGS

    kept = TaxForm.objects.get()
    assert kept.pk == physician.payee.subject
    assert (kept.form["tin"], kept.form["tin_kind"], kept.form["name"]) == ("123456789", "ssn", "Ada Byron")
    assert set(kept.form) == set(FORM_W9) - set(W9Form.TICKS)
    for address in (SETTINGS, W9):
        page = text_of(physician_client.get(address))
        assert "Social Security number ending in 6789" in page
        assert "12345" not in page


def test_a_w9_that_is_refused_leaves_the_one_before_and_does_not_praise_it(physician_client):
    physician_client.post(W9, FORM_W9)
    assert "note ok" in text_of(physician_client.get(W9))

    page = text_of(physician_client.post(W9, {**FORM_W9, "state": ""}))

    assert "note error" in page
    assert "note ok" not in page
    assert "still holds: Social Security number ending in 6789, Ada Byron." in page


def test_a_dump_shows_neither_numbers_nor_addresses(physician, physician_client):
    physician_client.post(W9, FORM_W9)
    physician_client.post(f"{METHOD}?by=bank", BANK)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(form, 'escape') FROM rewards_taxform"
            " UNION SELECT encode(details, 'escape') FROM rewards_payoutmethod"
        )
        rows = str(cursor.fetchall())
    assert not any(said in rows for said in ("6789", "7890", "Elm Street", "Byron"))


@pytest.mark.parametrize("tick", W9Form.TICKS)
def test_each_part_of_the_certification_is_needed(physician_client, tick):
    answer = physician_client.post(W9, {**FORM_W9, tick: ""})

    assert answer.status_code == 422
    assert 'value="Ada Byron"' in text_of(answer)
    assert not TaxForm.objects.exists()


@pytest.mark.parametrize(
    ("kind", "number"), [("ssn", "000-12-3456"), ("ein", "07-1234567"), ("ssn", "12345678"), ("ein", "1x")]
)
def test_impossible_numbers_are_refused(physician_client, kind, number):
    answer = physician_client.post(W9, {**FORM_W9, "tin_kind": kind, "tin": number})

    assert answer.status_code == 422
    assert not TaxForm.objects.exists()


def test_what_a_number_can_be():
    possible = ["123456789", "900701234", "999990001"]
    impossible = ["000123456", "666123456", "123006789", "123450000", "900001234", "078051120", "111111111"]

    assert [is_ssn(number) for number in possible] == [True] * 3
    assert [is_ssn(number) for number in impossible] == [False] * 7
    assert [is_ein(number) for number in ("121234567", "001234567", "891234567")] == [True, False, False]
    assert methods.is_routing_number("021000021")
    assert not methods.is_routing_number("021000012")


def test_the_settings_cost_the_same_with_everything_set(
    physician, physician_client, django_assert_max_num_queries
):
    physician_client.post(W9, FORM_W9)
    physician_client.post(f"{METHOD}?by=bank", BANK)
    for _ in range(5):
        choosing.declare_affiliation(member=physician, firm=make_firm(balance=0))

    with django_assert_max_num_queries(9):
        physician_client.get(SETTINGS)
