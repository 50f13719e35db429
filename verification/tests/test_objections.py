"""Telling a person by a second way that their license was verified, and the answer: this was not me."""

import re
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail, Member
from verification import tasks
from verification.models import Claim, Event, Objection, Provider
from verification.models.claims import State
from verification.services import automatic, limits, objections, outcome
from verification.tests import calls as recorded
from verification.tests.calls import code_said
from verification.tests.factories import make_claim, make_provider
from verification.tests.test_automatic import prove

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls", "at_noon")]
PHONE, FAX = "+15175550100", "+15175550199"


@pytest.fixture
def provider(schools, specialties):
    return make_provider(number="4301977598", practice_fax="517-555-0199")


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


@pytest.fixture
def verified(claim, calls):
    """By a call; what it said is forgotten."""
    prove(claim)
    automatic.decide(claim_id=claim.pk)
    calls.clear()
    claim.refresh_from_db()
    return claim


def link():
    """The path of the link in the newest mail."""
    text = Mail.objects.filter(subject="Your license is verified").latest("pk").text
    return re.search(re.escape(site.SITE_URL) + r"(/verify/not-me/\S+)", text).group(1)


class TestTelling:
    def test_the_account_gets_a_mail_and_the_practice_the_other_way(self, verified, calls):
        assert link()
        assert [tasks.ask_whether(), tasks.ask_whether()] == [1, 0]

        ((kind, number, words),) = calls
        assert (kind, number) == ("fax", FAX)
        assert len(code_said(words, 12)) == 12
        assert reverse("verification:objection_find") in words

    def test_who_was_proven_by_fax_is_called(self, claim, calls):
        prove(claim, "fax")
        automatic.decide(claim_id=claim.pk)
        calls.clear()

        tasks.ask_whether()

        assert [call[:2] for call in calls] == [("phone", PHONE)]

    def test_who_was_proven_by_a_document_is_faxed(self, claim, calls):
        Claim.objects.update(state=State.PROVEN)
        claim.refresh_from_db()
        outcome.make_verified(claim, as_="system", by=None, method="document")

        tasks.ask_whether()

        assert [call[:2] for call in calls] == [("fax", FAX)]

    def test_the_number_the_proof_came_from_is_no_second_way(self, claim, calls):
        Provider.objects.update(practice_fax="5175550100")
        prove(claim)
        automatic.decide(claim_id=claim.pk)

        assert [each.way for each in Objection.objects.all()] == ["mail"]

    def test_numbers_that_changed_places_in_the_registry_are_still_the_same_way(self, claim, calls):
        prove(claim)
        Provider.objects.update(practice_phone=FAX, practice_fax=PHONE)
        automatic.decide(claim_id=claim.pk)
        calls.clear()

        tasks.ask_whether()

        assert [call[:2] for call in calls] == [("phone", FAX)]

    def test_numbers_that_change_places_before_the_message_goes(self, verified, calls):
        Provider.objects.update(practice_phone=FAX, practice_fax=PHONE)

        assert tasks.ask_whether() == 1
        assert [call[:2] for call in calls] == [("phone", FAX)]

    def test_words_name_nobody(self, verified, provider, calls):
        tasks.ask_whether()

        said = calls[0][2] + Mail.objects.get(subject="Your license is verified").text
        for secret in (provider.npi, provider.last_name, "4301977598", verified.user.as_member.handle):
            assert secret.lower() not in said.lower()

    def test_telephones_are_told_by_day(self, claim, calls, at_noon):
        prove(claim, "fax")
        automatic.decide(claim_id=claim.pk)
        calls.clear()
        at_noon(hours=9)
        assert tasks.ask_whether() == 0

        at_noon(hours=12)
        assert tasks.ask_whether() == 1

    def test_a_number_that_had_its_three_is_told_tomorrow(self, verified, calls, at_noon):
        for _ in range(3):
            limits.take_target(FAX)
        assert tasks.ask_whether() == 0

        at_noon(days=1)
        assert tasks.ask_whether() == 1

    def test_who_cannot_be_reached_is_tried_again_for_three_days(self, verified, calls, settings, at_noon):
        settings.CALL_PROVIDER = recorded.name(recorded.Deaf)
        assert tasks.ask_whether() == 0
        settings.CALL_PROVIDER = recorded.name(recorded.Recorder)
        at_noon(days=2)
        assert tasks.ask_whether() == 1

        Objection.objects.update(sent_at=None)
        at_noon(days=2)
        assert tasks.ask_whether() == 0

    def test_without_a_provider_nobody_is_told_and_nothing_breaks(self, verified, settings):
        settings.CALL_PROVIDER = "verification.calling.Nobody"

        assert tasks.ask_whether() == 0

    def test_a_claim_that_ended_is_not_told_of(self, verified, calls):
        Claim.objects.update(state=State.REVOKED)

        assert tasks.ask_whether() == 0
        assert not calls

    def test_codes_of_answers_are_kept_as_hashes_alone(self, verified, calls):
        tasks.ask_whether()
        number, token = code_said(calls[0][2], 12), link().split("/")[-2]

        kept = str(list(Objection.objects.values())) + str(list(Event.objects.values()))
        assert number not in kept
        assert token not in kept


class TestAnswering:
    def test_looking_changes_nothing_and_needs_no_account(self, verified):
        before = list(Objection.objects.values()), Claim.objects.get().state, Event.objects.count()

        response = Client().get(link())

        assert response.status_code == 200
        assert "This was not me" in response.content.decode()
        assert before == (list(Objection.objects.values()), Claim.objects.get().state, Event.objects.count())

    def test_the_answer_puts_the_claim_at_the_head_of_the_queue(self, verified):
        waiting = make_claim(
            provider=make_provider(),
            state=State.NEEDS_REVIEW,
            queued_at=timezone.now() - timedelta(days=3),
        )
        decided_at = verified.decided_at

        response = Client().post(link(), {"words": "I am the doctor, call the front desk."})

        assert response.status_code == 200
        claim = Claim.objects.get(pk=verified.pk)
        assert (claim.state, claim.doubts, claim.is_ahead) == (State.NEEDS_REVIEW_HELD, ["objected"], True)
        assert claim.decided_at == decided_at
        assert list(Claim.objects.in_queue()) == [claim, waiting]
        assert claim.user.as_member.standing == Member.Standing.PHYSICIAN
        assert Objection.objects.get(way="mail").words == "I am the doctor, call the front desk."
        assert "front desk" not in str(list(Event.objects.values()))

    def test_saying_it_again_keeps_the_first_words(self, verified):
        for words in ("First.", "Second."):
            assert Client().post(link(), {"words": words}).status_code == 200

        assert Objection.objects.get(way="mail").words == "First."
        assert Event.objects.filter(kind="objected").count() == 1

    def test_a_number_that_was_faxed_leads_to_the_page(self, verified, calls):
        tasks.ask_whether()
        number = code_said(calls[0][2], 12)
        typed = f"{number[:4]} {number[4:8]}-{number[8:]}"

        found = Client().post(reverse("verification:objection_find"), {"number": typed})
        page = reverse("verification:objection", args=[number])
        assert found.url == page
        Client().post(page, {"words": ""})

        assert Claim.objects.get().state == State.NEEDS_REVIEW_HELD
        assert Objection.objects.get(way="fax").objected_at

    @pytest.mark.parametrize("number", ["", "12", "123456789012", "x" * 24])
    def test_a_number_that_belongs_to_nothing_says_so(self, verified, number):
        response = Client().post(reverse("verification:objection_find"), {"number": number})

        assert response.status_code == 422
        assert Client().get(reverse("verification:objection", args=[number or "0"])).status_code == 404

    def test_numbers_cannot_be_guessed_from_one_address(self, verified):
        browser = Client()
        for guess in range(20):
            browser.post(reverse("verification:objection_find"), {"number": f"{guess:012}"})

        response = browser.post(reverse("verification:objection_find"), {"number": "000000000099"})

        assert "Too many numbers" in response.content.decode()
        blocked = browser.get(reverse("verification:objection", args=["000000000098"]))
        assert "Too many numbers" in blocked.content.decode()
        assert browser.get(link()).status_code == 200, "the link of a mail is no guess"

    @pytest.mark.parametrize("gap", ["-", " ", ".", ","])
    def test_a_gap_in_the_address_is_no_way_around_it(self, verified, gap):
        browser = Client()
        for guess in range(20):
            browser.get(reverse("verification:objection", args=[f"{guess:06}{gap}000000"]))

        blocked = browser.get(reverse("verification:objection", args=[f"999999{gap}000000"]))

        assert "Too many numbers" in blocked.content.decode()

    def test_the_addresses_of_one_ipv6_site_guess_together(self, db):
        for guess in range(20):
            limits.count_objection(f"2001:db8:1:{guess:x}::{guess + 1:x}")

        with pytest.raises(limits.TooManyNumbers):
            limits.count_objection("2001:db8:1:ffff::1")
        limits.count_objection("2001:db8:2::1")

    def test_a_claim_that_ends_while_somebody_answers_has_nothing_to_answer(self, verified, monkeypatch):
        address, found = link(), objections.asking

        def ends_after_the_first_look(code):
            objection = found(code)
            Claim.objects.update(state=State.REVOKED)
            return objection

        monkeypatch.setattr(objections, "asking", ends_after_the_first_look)

        assert Client().post(address, {"words": ""}).status_code == 404

    @pytest.mark.parametrize("state", [State.REVOKED, State.LEFT])
    def test_an_ended_claim_has_nothing_to_answer(self, verified, state):
        address = link()
        Claim.objects.update(state=state)

        assert Client().get(address).status_code == 404
        assert Client().post(address, {}).status_code == 404
        assert not Objection.objects.exclude(objected_at=None).exists()

    @pytest.mark.parametrize(
        "state", [State.LAPSED, State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER, State.SUSPENDED]
    )
    def test_an_answer_lifts_nothing(self, verified, state):
        Claim.objects.update(state=state)

        Client().post(link(), {})

        claim = Claim.objects.get()
        assert (claim.state, claim.doubts, claim.is_ahead) == (state, ["objected"], True)
        assert claim.queued_at

    def test_words_are_cut_and_kept_encrypted(self, verified):
        token = link().split("/")[-2]
        objections.object_to(code=token, words="y" * 2000)

        assert len(Objection.objects.get(way="mail").words) == objections.LONGEST_WORDS

    def test_the_page_is_kept_by_nobody_and_its_address_by_no_log(self, verified):
        from sermo.logging import KEYS

        response = Client().get(link())

        assert "no-store" in response["Cache-Control"]
        assert KEYS.sub(r"\1...", f"GET {link()} 200") == "GET /verify/not-me/... 200"
