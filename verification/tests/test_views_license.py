import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from verification.models import LicenseCheck
from verification.models.claims import State
from verification.services import held, standing
from verification.tests.factories import make_applicant
from verification.tests.license_cases import days, make_licensed, now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]
PAGE, START = "/verify/license/", "/verify/"


def browser_of(claim):
    browser = Client()
    browser.force_login(claim.user)
    return browser


def text_of(response):
    return response.content.decode()


# The door


def test_visitors_log_in_first():
    for address in (PAGE, f"{PAGE}retired/"):
        assert Client().get(address).status_code in (302, 405)
        assert "/login" in Client().post(address)["Location"]


@pytest.mark.parametrize("state", [None, State.MATCHED, State.REVOKED])
def test_who_holds_no_license_goes_to_where_they_stand(state):
    member = make_licensed(state).user if state else make_applicant().user
    browser = Client()
    browser.force_login(member)

    assert browser.get(PAGE)["Location"] == START


def test_asking_to_retire_is_a_post():
    assert browser_of(make_licensed()).get(f"{PAGE}retired/").status_code == 405


# Confirming


def test_a_member_reads_what_is_verified_and_until_when():
    claim = make_licensed(license_expires_on=days(90))

    seen = text_of(browser_of(claim).get(PAGE))

    assert f"{days(90):%b} {days(90).day}, {days(90):%Y}" in seen
    assert f"{days(150):%b} {days(150).day}, {days(150):%Y}" in seen  # read only from
    assert "public registry and document" in seen
    for part in (
        claim.registry["last_name"].title(),
        claim.registry["npi"],
        claim.registry["licenses"][0]["number"],
    ):
        assert part not in seen


def test_the_date_on_the_license_is_written_down():
    claim = make_licensed()

    response = browser_of(claim).post(PAGE, {"expires_on": days(500).isoformat()})

    assert response["Location"] == PAGE
    assert now(claim).license_expires_on == days(500)
    assert [str(each) for each in get_messages(response.wsgi_request)] == [
        "Written down. We remind you before this date."
    ]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Write the date on your license."),
        ("soon", "Write a day, such as 2027-01-31."),
        (days(-1).isoformat(), "This day is over."),
        ("2099-01-01", "No license runs for more than 6 years."),
    ],
)
def test_a_date_that_cannot_be_is_refused_with_what_to_type(typed, words):
    claim = make_licensed()

    response = browser_of(claim).post(PAGE, {"expires_on": typed})

    assert response.status_code == 422
    assert words in text_of(response)
    assert not LicenseCheck.objects.exists()


def test_a_lapsed_member_cannot_confirm_and_is_shown_the_way():
    claim = make_licensed(State.LAPSED, standing="read_only", license_expires_on=days(-70))
    browser = browser_of(claim)

    seen = text_of(browser.get(PAGE))
    refused = browser.post(PAGE, {"expires_on": days(9).isoformat()})

    assert reverse("verification:proof") in seen
    assert "Yes, it is in force" not in seen
    assert refused.status_code == 422
    assert now(claim).license_expires_on == days(-70)


@pytest.mark.parametrize("state", [State.LAPSED, State.NEEDS_REVIEW_HELD, State.SUSPENDED])
def test_a_new_document_goes_through_the_ordinary_page(state):
    claim = make_licensed(state)

    response = browser_of(claim).get(reverse("verification:proof"))

    assert response.status_code == 200
    assert "code of six digits" not in response.content.decode(), "which says nothing of a license in force"
    assert "What else helps" not in response.content.decode()


def test_the_page_takes_few_queries(django_assert_max_num_queries):
    browser = browser_of(make_licensed())
    browser.get(PAGE)

    with django_assert_max_num_queries(14):
        browser.get(PAGE)


# Where one stands


def test_a_lapsed_member_reads_why_and_what_to_do():
    claim = make_licensed(State.LAPSED, standing="read_only")

    seen = text_of(browser_of(claim).get(START))

    assert "Your license needs a new check" in seen
    assert reverse("verification:proof") in seen
    assert PAGE in seen


def test_a_verified_member_finds_the_page():
    assert PAGE in text_of(browser_of(make_licensed()).get(START))


@pytest.mark.parametrize("state", [State.NEEDS_REVIEW_HELD, State.LAPSED, State.SUSPENDED])
def test_what_a_reviewer_asks_for_is_read_there(state):
    claim = make_licensed(state, asked_for="Send the renewal letter.")

    assert "Send the renewal letter." in text_of(browser_of(claim).get(START))


# Suspended


@pytest.fixture
def suspended():
    claim = make_licensed()
    held.suspend(claim=claim, reason="excluded", fact="row")
    return claim


def test_a_suspended_member_reads_why_and_can_appeal_once(suspended):
    browser = browser_of(suspended)
    before = text_of(browser.get(START))

    response = browser.post(reverse("verification:appeal"), {"text": "The number on that list is another's."})
    after = text_of(browser.get(START))

    assert held.WORDS["excluded"] in before
    assert "Send the appeal" in before
    assert response["Location"] == START
    assert "Send the appeal" not in after
    assert "Your appeal is with a reviewer who did not suspend you." in after


def test_an_appeal_needs_words(suspended):
    response = browser_of(suspended).post(reverse("verification:appeal"), {"text": "No."})

    assert response.status_code == 422
    assert held.WORDS["excluded"] in text_of(response)


def test_a_suspended_member_is_shown_there_from_every_page(suspended):
    assert START in text_of(browser_of(suspended).get("/"))


def test_a_suspension_by_moderators_leads_to_their_page(moderator):
    claim = make_licensed()
    standing.suspend(member=claim.user.as_member, by=moderator.user)

    seen = text_of(browser_of(claim).get(START))

    assert reverse("questions:appeals") in seen
    assert "Send the appeal" not in seen


def test_who_was_revoked_reads_that_it_is_over(suspended, reviewer, second_reviewer):
    for each in (reviewer, second_reviewer):
        held.answer(claim=suspended, by=each, act="revoke", reason="excluded", note="It stands.")

    seen = text_of(browser_of(suspended).get(START))

    assert "Your verification was ended" in seen
    assert held.WORDS["excluded"] in seen
    assert "Send the appeal" not in seen


# Retired


def test_a_member_asks_to_be_shown_as_retired():
    claim = make_licensed()
    browser = browser_of(claim)

    assert browser.post(f"{PAGE}retired/")["Location"] == PAGE

    assert "You asked to be shown as retired" in text_of(browser.get(PAGE))
    assert now(claim).queued_at


def test_a_retired_member_reads_so():
    claim = make_licensed(State.RETIRED)
    browser = browser_of(claim)

    assert "You are shown as retired" in text_of(browser.get(START))
    assert "needs no more checks" in text_of(browser.get(PAGE))


# Where a license stands


def test_who_lapsed_reads_that_what_was_sent_is_with_a_reviewer():
    claim = make_licensed(State.LAPSED, standing="read_only")

    before = text_of(browser_of(claim).get(START))
    type(claim).objects.filter(pk=claim.pk).update(queued_at=claim.verified_at)
    after = text_of(browser_of(claim).get(START))

    assert "Send the renewed license" in before
    assert "A reviewer has what you sent" in after
    assert "Send the renewed license" not in after


def test_who_appealed_a_suspension_can_still_send_a_document():
    claim = make_licensed()
    held.suspend(claim=claim, reason=held.LICENSE_ENDED, fact="Revoked")
    held.appeal(claim=now(claim), text="The board's page is behind; I can send its letter.")

    seen = text_of(browser_of(claim).get(START))

    assert "Your appeal is with a reviewer" in seen
    assert "/verify/proof/" in seen
