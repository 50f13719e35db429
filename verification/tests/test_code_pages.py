"""The proof page with its ways, and what its forms answer."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from verification import rules
from verification.models import Challenge, Claim, MailDomain, Proof, Provider
from verification.models.claims import State
from verification.services import automatic, codes
from verification.tests.calls import code_said
from verification.tests.factories import make_claim, make_provider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls", "at_noon")]


@pytest.fixture
def provider(schools, specialties):
    return make_provider(number="4301977598", practice_fax="5175550199")


@pytest.fixture
def claim(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    Challenge.objects.create(
        claim=claim, number=1, facts=[], sheet=[], verdict="passed", finished_at=timezone.now()
    )
    return claim


@pytest.fixture
def browser(seeker):
    client = Client()
    client.force_login(seeker.user)
    return client


@pytest.fixture
def hospital(db):
    return MailDomain.objects.create(
        name="mercy.example",
        institution="Mercy",
        sort="hospital",
        state="accepted",
        note="Staff alone.",
        reviewed_at=timezone.now(),
    )


def page(name, *args):
    return reverse(f"verification:{name}", args=args)


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def send(browser, kind="phone", **typed):
    """Ask for a code as the page does, and have it sent."""
    response = browser.post(page("code_send", kind), typed)
    for proof in Proof.objects.filter(kind=kind):
        codes.deliver(proof_id=proof.pk)
    return response


class TestDoor:
    ADDRESSES = [
        ("code_send", "phone"),
        ("code_check", "phone"),
        ("domain_ask",),
    ]

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_nobody_else_and_only_by_post(self, browser, claim, address):
        assert browser.get(page(*address)).status_code == 405
        assert "/login" in Client().post(page(*address)).url

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_without_a_claim_one_starts_at_the_beginning(self, browser, address):
        assert browser.post(page(*address)).url == page("start")

    @pytest.mark.parametrize("state", [State.MATCHED, State.VERIFIED, State.LOCKED])
    def test_a_claim_that_needs_no_proof_has_no_page(self, browser, claim, state):
        Claim.objects.update(state=state, verified_at=timezone.now(), method="document")

        assert browser.get(page("proof")).url == page("start")
        for address in self.ADDRESSES[:2]:
            data = {"code": "123456"}
            assert browser.post(page(*address), data).url == page("start")
        assert not Proof.objects.exists()

    @pytest.mark.parametrize("kind", ["document", "vouch", "endpoint", "nonsense"])
    def test_other_kinds_have_no_code(self, browser, claim, kind):
        assert browser.post(page("code_send", kind)).url == page("proof")
        assert browser.post(page("code_check", kind), {"code": "123456"}).url == page("proof")
        assert not Proof.objects.exists()


class TestPage:
    def test_every_way_says_what_it_takes(self, browser, claim):
        seen = text_of(browser.get(page("proof")))

        for words in (
            "A call to the practice",
            "ends in 00",
            "good for 10 minutes",
            "A fax to the practice",
            "ends in 99",
            "good for 24 hours",
            "Mail from your hospital",
            "Documents",
            "Three colleagues",
        ):
            assert words in seen
        for secret in ("5175550100", "5550100", "5175550199", "LANSING", claim.typed["npi"]):
            assert secret not in seen

    def test_the_page_costs_the_same_with_codes_and_without(
        self, browser, claim, hospital, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(14):
            browser.get(page("proof"))
        send(browser, "phone")
        send(browser, "fax")
        send(browser, "email", address="a@mercy.example")
        with django_assert_max_num_queries(14):
            browser.get(page("proof"))

    def test_a_site_without_a_provider_offers_mail_and_documents(self, browser, claim, settings):
        settings.CALL_PROVIDER = "verification.calling.Nobody"

        seen = text_of(browser.get(page("proof")))

        assert "A call to the practice" not in seen
        assert "Mail from your hospital" in seen

    def test_a_number_the_registry_lacks_is_said_and_has_no_button(self, browser, claim):
        Provider.objects.update(practice_fax="")

        seen = text_of(browser.get(page("proof")))

        assert str(codes.NoNumber()) in seen
        assert page("code_send", "fax") not in seen

    def test_the_night_is_said(self, browser, claim, at_noon):
        at_noon(hours=9)

        seen = text_of(browser.get(page("proof")))

        assert "Try again then" in seen
        assert page("code_send", "phone") not in seen
        assert "Try again then" in text_of(browser.post(page("code_send", "phone"), follow=True))

    def test_where_one_may_not_learn_of_the_record_no_digit_is_shown(self, browser, claim):
        Challenge.objects.all().delete()
        Claim.objects.update(state=State.NEEDS_REVIEW)

        seen = text_of(browser.get(page("proof")))

        assert "ends in" not in seen
        assert "does not settle this application by itself" in seen


class TestCode:
    def test_from_the_button_to_the_last_check(self, browser, claim, calls):
        response = send(browser)
        assert response.url == page("proof")
        seen = text_of(browser.get(page("proof")))
        assert "A code was sent" in seen
        assert "5 tries left" in seen
        assert "asked for in 60 seconds" in seen

        response = browser.post(page("code_check", "phone"), {"code": code_said(calls[0][2])}, follow=True)

        assert "The last check runs now" in text_of(response)
        automatic.decide(claim_id=claim.pk)
        assert "Your license is verified" in text_of(browser.get(page("start")))

    def test_until_the_worker_has_sent_it_the_page_says_so(self, browser, claim):
        browser.post(page("code_send", "phone"))

        seen = text_of(browser.get(page("proof")))

        assert "A code is on its way" in seen
        assert 'autocomplete="one-time-code"' in seen

    def test_a_wrong_code_is_counted_and_stays_in_the_field(self, browser, claim, calls):
        send(browser)
        wrong = f"{(int(code_said(calls[0][2])) + 1) % 10**6:06}"

        response = browser.post(page("code_check", "phone"), {"code": wrong})

        assert response.status_code == 422
        assert "4 tries are left" in text_of(response)
        assert f'value="{wrong}"' in text_of(response)

    def test_five_wrong_ones_and_the_page_offers_a_new_one(self, browser, claim, calls, at_noon):
        send(browser)
        wrong = f"{(int(code_said(calls[0][2])) + 1) % 10**6:06}"
        for _ in range(5):
            response = browser.post(page("code_check", "phone"), {"code": wrong})
        assert "used up" in text_of(response) or "good no more" in text_of(response)

        at_noon(minutes=2)
        seen = text_of(browser.get(page("proof")))
        assert "The last code is good no more" in seen
        assert "Call again" in seen

    @pytest.mark.parametrize("typed", ["", "12", "abcdef", "1" * 21])
    def test_what_is_no_code_is_said(self, browser, claim, typed):
        send(browser)

        assert browser.post(page("code_check", "phone"), {"code": typed}).status_code == 422
        assert Proof.objects.get().tries == 0

    def test_a_code_that_could_not_be_sent_used_nothing_up(self, browser, claim, settings):
        from verification.tests import calls as recorded

        settings.CALL_PROVIDER = recorded.name(recorded.Deaf)
        send(browser)

        seen = text_of(browser.get(page("proof")))

        assert "Could not be reached." in seen
        assert "Nothing was used up" in seen
        assert f"{rules.CODE_SENDS_PER_DAY} of {rules.CODE_SENDS_PER_DAY} codes left today" in seen

    def test_a_fourth_code_is_refused(self, browser, claim, at_noon):
        for _ in range(3):
            send(browser)
            at_noon(minutes=2)

        response = browser.post(page("code_send", "phone"), follow=True)

        assert "Three codes were sent today" in text_of(response)
        assert page("code_send", "fax") not in text_of(response)

    def test_a_right_code_is_done(self, browser, claim, calls):
        Claim.objects.update(state=State.NEEDS_REVIEW)
        send(browser)
        response = browser.post(page("code_check", "phone"), {"code": code_said(calls[0][2])}, follow=True)
        assert "With a reviewer" in text_of(response)

        seen = text_of(browser.get(page("proof")))
        assert "The code was right." in seen
        assert page("code_send", "phone") not in seen


class TestMail:
    def test_a_code_by_mail(self, browser, claim, hospital):
        send(browser, "email", address="o.quill@mercy.example")
        seen = text_of(browser.get(page("proof")))
        assert "...@mercy.example" in seen

        response = browser.post(
            page("code_check", "email"), {"code": code_said(mail.outbox[0].body)}, follow=True
        )

        assert "The last check runs now" in text_of(response)
        automatic.decide(claim_id=claim.pk)
        assert Claim.objects.get().method == "email"

    def test_an_unknown_domain_keeps_the_address_and_offers_to_ask(self, browser, claim, hospital):
        response = browser.post(page("code_send", "email"), {"address": "o.quill@other.example"})

        assert response.status_code == 422
        assert 'value="o.quill@other.example"' in text_of(response)
        assert "Ask us to review this domain" in text_of(response)

        response = browser.post(page("domain_ask"), {"address": "o.quill@other.example"}, follow=True)
        assert "Asked. Reviewers look at the domain" in text_of(response)
        assert MailDomain.objects.get(name="other.example").state == "asked"

    def test_asked_refused_and_unknown_ones_read_alike(self, browser, claim):
        MailDomain.objects.create(name="asked.example")
        MailDomain.objects.create(
            name="never.example", state="refused", note="No.", reviewed_at=timezone.now()
        )

        def answers(domain):
            typed = {"address": f"j@{domain}.example"}
            seen = [browser.post(page(name, *args), typed, follow=True) for name, *args in steps]
            return [
                re.sub(r'(token" value="|Token": "|nonce="|request_id=)[^"]+', "", text_of(each)).replace(
                    domain, ""
                )
                for each in seen
            ]

        steps = [("code_send", "email"), ("domain_ask",)]
        assert answers("asked") == answers("never") == answers("newer")

    @pytest.mark.parametrize("address", ["j@gmail.com", "j", "", "j@@"])
    def test_free_mail_and_nonsense_are_refused_without_the_offer(self, browser, claim, address):
        response = browser.post(page("code_send", "email"), {"address": address})

        assert response.status_code == 422
        assert "Ask us to review" not in text_of(response)
        response = browser.post(page("domain_ask"), {"address": address})
        assert response.status_code == 422
        assert not MailDomain.objects.exists()

    def test_three_domains_a_day(self, browser, claim):
        for number in range(3):
            browser.post(page("domain_ask"), {"address": f"j@h{number}.example"})

        response = browser.post(page("domain_ask"), {"address": "j@h9.example"})

        assert response.status_code == 422
        assert "Three domains a day" in text_of(response)
        assert MailDomain.objects.count() == 3


def test_no_page_and_no_address_holds_a_number_or_a_code(browser, claim, calls, caplog):
    send(browser)
    code = code_said(calls[0][2])
    seen = text_of(browser.get(page("proof")))
    browser.post(page("code_check", "phone"), {"code": code})

    assert code not in seen
    assert code not in caplog.text
    assert "5550100" not in caplog.text + seen


def test_a_code_a_day_old_says_so(browser, claim, at_noon):
    send(browser, "fax")
    at_noon(hours=25)

    seen = text_of(browser.get(page("proof")))

    assert "The last code is good no more" in seen
    assert Proof.objects.get().expires_at < timezone.now() + timedelta(0)
