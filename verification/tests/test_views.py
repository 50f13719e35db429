from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from verification import reference
from verification.models import Challenge, Claim, Document, Vouch
from verification.models.claims import State
from verification.services import challenge as challenges
from verification.services import vouching
from verification.tests.factories import (
    image_bytes,
    make_claim,
    make_holder,
    make_provider,
    make_vouchers,
    start,
)
from verification.tests.test_challenge import later

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(seeker):
    client = Client()
    client.force_login(seeker.user)
    return client


@pytest.fixture
def form(provider):
    return {
        "first": "Ottoline",
        "middle": "",
        "last": "Quillfeather",
        "degree": "MD",
        "state": "MI",
        "npi": provider.npi,
    }


def page(name, *args):
    return reverse(f"verification:{name}", args=args)


def text_of(response):
    return response.content.decode()


def client_for(member):
    client = Client()
    client.force_login(member.user)
    return client


class TestDoors:
    PAGES = ("start", "identity", "challenge", "proof", "byline")
    ACTIONS = (
        "hints",
        "challenge_start",
        "challenge_answer",
        "challenge_skip",
        "document_add",
        "colleagues_ask",
        "withdraw",
        "appeal",
    )

    @pytest.mark.parametrize("name", PAGES)
    def test_visitors_log_in_first(self, client, db, name):
        response = client.get(page(name))

        assert response.status_code == 302
        assert response.url.startswith("/accounts/login/")

    @pytest.mark.parametrize("name", ACTIONS)
    def test_visitors_cannot_act(self, client, db, name):
        assert client.post(page(name)).url.startswith("/accounts/login/")

    @pytest.mark.parametrize("name", ACTIONS)
    def test_nothing_happens_on_a_get(self, browser, name):
        assert browser.get(page(name)).status_code == 405

    def test_staff_without_membership_stay_out(self, client, staff):
        from allauth.mfa.models import Authenticator

        Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
        client.force_login(staff)

        assert client.get(page("start")).status_code == 403

    def test_applicants_vouch_for_nobody(self, browser, provider):
        code = vouching.ask_colleagues(claim=make_claim(provider=provider, state=State.CHALLENGED)).code

        assert browser.get(page("vouch", code)).url == page("start")

    def test_applicants_have_no_name_to_show(self, browser):
        assert browser.post(page("byline"), {"mode": "public"}).status_code == 422

    @pytest.mark.parametrize("address", ["/questions/", "/questions/ask/", "/search/?q=a", "/"])
    def test_applicants_see_nothing_that_members_wrote(self, browser, address):
        response = browser.get(address)

        assert response.status_code == 302
        assert response.url == page("start")


class TestStart:
    def test_a_newcomer_reads_what_comes_and_starts(self, browser):
        response = browser.get(page("start"))

        assert page("identity") in text_of(response)
        assert 'aria-current="step"><span>Identity' in text_of(response)

    def test_the_page_is_kept_by_nobody(self, browser):
        assert "no-store" in browser.get(page("start"))["Cache-Control"]

    @pytest.mark.parametrize(
        ("state", "fields", "words"),
        [
            (State.MATCHED, {}, "Next: the questions"),
            (State.CHALLENGED, {}, "Continue with documents"),
            (State.NEEDS_REVIEW, {}, "Continue with documents"),
            (State.NEEDS_REVIEW, {"asked_for": "A sharper photo."}, "A sharper photo."),
            (State.NEEDS_REVIEW, {"queued_at": timezone.now()}, "With a reviewer"),
            (State.PROVEN, {"queued_at": timezone.now()}, "With a reviewer"),
            (State.PROVEN, {}, "The last check runs now"),
            (State.PROVEN, {"asked_for": "A sharper photo."}, "A sharper photo."),
            (State.DISPUTED_RIVAL, {"queued_at": timezone.now()}, "With a reviewer"),
            (State.LOCKED, {"queued_at": timezone.now()}, "Locked for staff"),
            (
                State.REJECTED,
                {"rejected_for": "mismatch", "decided_at": timezone.now()},
                "Document and claim do not agree",
            ),
            (State.VERIFIED, {}, "Your license is verified"),
            (State.DISPUTED_HOLDER, {}, "Someone else claims your license"),
            (State.LAPSED, {}, "needs a new check"),
            (State.SUSPENDED, {}, "Suspended"),
            (State.WITHDRAWN, {}, "Show that the license is yours"),
        ],
    )
    def test_every_state_says_where_one_stands(self, browser, seeker, provider, state, fields, words):
        make_claim(seeker, provider, state=state, **fields)

        assert words in text_of(browser.get(page("start")))

    def test_the_expected_time_is_shown_while_a_reviewer_has_it(self, browser, seeker, provider):
        make_claim(seeker, provider, state=State.NEEDS_REVIEW, queued_at=timezone.now())

        assert "How long it takes" in text_of(browser.get(page("start")))

    def test_the_registry_record_is_never_shown(self, browser, seeker, provider):
        for state in (State.MATCHED, State.NEEDS_REVIEW, State.VERIFIED):
            Claim.objects.all().delete()
            make_claim(seeker, provider, state=state)
            seen = text_of(browser.get(page("start"))) + text_of(browser.get(page("proof"), follow=True))

            for secret in (
                "QUILLFEATHER",
                provider.npi,
                "48937",
                "4301977598",
                "LANSING",
                "University of Michigan",
            ):
                assert secret not in seen

    def test_a_verified_member_sees_what_was_verified_and_when(self, physician, provider):
        make_claim(physician, provider, state=State.VERIFIED)

        seen = text_of(client_for(physician).get(page("start")))

        assert "public registry and document" in seen
        assert "Michigan, MD" in seen

    def test_the_cost_of_the_page(self, browser, seeker, provider, django_assert_max_num_queries):
        make_claim(seeker, provider, state=State.CHALLENGED)
        browser.get(page("start"))

        with django_assert_max_num_queries(7):
            browser.get(page("start"))


class TestIdentity:
    def test_a_match_leads_to_the_questions(self, browser, form):
        assert browser.post(page("identity"), form).url == page("challenge")

    def test_no_match_leads_to_documents(self, browser, form):
        assert browser.post(page("identity"), {**form, "npi": "2000000002"}).url in (
            page("proof"),
            page("challenge"),
        )

    def test_the_form_sent_twice_is_one_claim(self, browser, form):
        for _ in range(2):
            browser.post(page("identity"), form)

        assert Claim.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"npi": "2000000019"}, "one of the ten is mistyped"),
            ({"npi": "12345"}, "this has 5"),
            ({"npi": "3234567893"}, "begins with 1 or 2"),
            ({"npi": "12345abcde"}, "ten digits and nothing else"),
            ({"npi": ""}, "Type your NPI, or your license number below."),
            ({"npi": "", "license_number": "none"}, "A license number has digits in it."),
            ({"last": ""}, "Type your last name."),
            ({"degree": "RN"}, "Choose MD or DO."),
            ({"state": ""}, "Choose the state or territory that gave the license."),
        ],
    )
    def test_bad_input_keeps_what_was_typed(self, browser, form, changes, words):
        response = browser.post(page("identity"), {**form, "first": "Ottoline-Typed", **changes})

        assert response.status_code == 422
        assert words in text_of(response)
        assert "Ottoline-Typed" in text_of(response)
        assert not Claim.objects.exists()

    def test_an_npi_may_be_typed_with_gaps(self, browser, form):
        form["npi"] = f"{form['npi'][:4]} {form['npi'][4:7]}-{form['npi'][7:]}"

        assert browser.post(page("identity"), form).url == page("challenge")

    def test_any_shape_of_license_number_is_taken(self, browser, form):
        response = browser.post(page("identity"), {**form, "npi": "", "license_number": "MI / 1-2-3 (old)"})

        assert response.status_code == 302

    def test_a_hint_tells_how_numbers_look(self, browser, db):
        reference.load_boards()

        response = browser.post(
            page("hints"), {"state": "FL"}, headers={"hx-request": "true", "hx-target": "license-hint"}
        )

        assert "ME999999" in text_of(response)

    @pytest.mark.parametrize(
        ("npi", "words"), [("1234567893", "The check digit fits."), ("1234567898", "mistyped")]
    )
    def test_a_hint_tells_whether_the_check_digit_fits(self, browser, npi, words):
        response = browser.post(
            page("hints"), {"npi": npi}, headers={"hx-request": "true", "hx-target": "npi-hint"}
        )

        assert words in text_of(response)

    def test_no_number_is_ever_in_an_address(self, browser, form):
        response = browser.post(page("identity"), form)

        assert form["npi"] not in response.url

    def test_details_can_be_corrected_and_stand_in_the_form(self, browser, form):
        browser.post(page("identity"), {**form, "npi": "", "license_number": "999999"})

        assert 'value="999999"' in text_of(browser.get(page("identity")))
        assert browser.post(page("identity"), form).url == page("challenge")
        assert Claim.objects.filter(state=State.WITHDRAWN).count() == 1

    def test_a_claim_under_way_has_no_form(self, browser, seeker, provider):
        make_claim(seeker, provider, state=State.PROVEN)

        assert browser.get(page("identity")).url == page("start")

    def test_a_member_with_a_specialty_is_not_asked_again(self, physician):
        assert 'name="specialty"' not in text_of(client_for(physician).get(page("identity")))


class TestChallenge:
    @pytest.fixture
    def claim(self, seeker, provider):
        return start(seeker, provider)

    def test_the_warning_comes_before_the_clock(self, browser, claim):
        seen = text_of(browser.get(page("challenge")))

        assert "Once started, the try is used." in seen
        assert "Skip the questions, send documents" in seen
        assert not Challenge.objects.exists()

    def test_one_question_a_page_with_its_clock(self, browser, claim):
        browser.post(page("challenge_start"))

        seen = text_of(browser.get(page("challenge")))

        assert "Question 1 of 5" in seen
        assert seen.count('name="answer"') == 6
        assert 'max="120"' in seen
        assert "Skip the questions, send documents" in seen

    def test_the_page_holds_no_answer(self, browser, claim):
        browser.post(page("challenge_start"))
        running = claim.challenges.get()

        seen = text_of(browser.get(page("challenge")))

        assert "right" not in seen.split("<form", 1)[1].split("</form>")[0].replace("must be right", "")
        assert running.sheet[1]["options"][0] not in seen

    def test_answering_leads_on_and_the_last_one_to_the_result(self, browser, claim):
        browser.post(page("challenge_start"))
        for position, entry in enumerate(claim.challenges.get().sheet):
            response = browser.post(
                page("challenge_answer"), {"question": position, "answer": entry["right"]}
            )

        assert response.url == page("start")
        assert "All questions answered" in text_of(browser.get(page("start")))

    def test_the_way_between_does_not_tell_right_from_wrong(self, browser, claim):
        browser.post(page("challenge_start"))
        right = claim.challenges.get().sheet[0]["right"]

        response = browser.post(page("challenge_answer"), {"question": 0, "answer": (right + 1) % 6})

        assert response.url == page("challenge")

    def test_nothing_chosen_is_said_beside_the_question(self, browser, claim):
        browser.post(page("challenge_start"))

        response = browser.post(page("challenge_answer"), {"question": 0})

        assert response.status_code == 422
        assert "Choose one of the six answers." in text_of(response)

    @pytest.mark.parametrize("data", [{"question": "x", "answer": "0"}, {"question": "7", "answer": "0"}, {}])
    def test_an_answer_to_another_question_changes_nothing(self, browser, claim, data):
        browser.post(page("challenge_start"))

        browser.post(page("challenge_answer"), data)

        assert claim.challenges.get().position == 0

    def test_a_second_click_changes_nothing(self, browser, claim):
        browser.post(page("challenge_start"))
        for _ in range(2):
            browser.post(page("challenge_answer"), {"question": 0, "answer": 1})

        assert claim.challenges.get().position == 1

    def test_reading_the_page_again_does_not_stop_the_clock(self, browser, claim):
        browser.post(page("challenge_start"))
        later(seconds=60)

        seen = text_of(browser.get(page("challenge")))

        assert "1:00" in seen or "0:59" in seen

    def test_a_question_left_too_long_ends_the_try(self, browser, claim):
        browser.post(page("challenge_start"))
        later(seconds=130)

        assert browser.get(page("challenge")).url == page("start")
        seen = text_of(browser.get(page("start")))
        assert "The first try did not succeed" in seen

    def test_too_many_starts_from_one_network_are_refused_in_words(self, browser, claim, settings):
        settings.CHALLENGES_PER_ADDRESS = 0

        response = browser.post(page("challenge_start"), follow=True)

        assert "Too many tries were started from your network today." in text_of(response)

    def test_skipping_leads_to_documents(self, browser, claim):
        response = browser.post(page("challenge_skip"), follow=True)

        assert "Continue with documents" in text_of(response)

    @pytest.mark.parametrize("name", ["challenge_start", "challenge_answer", "challenge_skip"])
    def test_without_a_claim_there_is_nothing_to_answer(self, browser, name):
        response = browser.post(page(name), follow=True)

        assert response.redirect_chain[-1][0] == page("start")

    def test_the_cost_of_a_question(self, browser, claim, django_assert_max_num_queries):
        browser.post(page("challenge_start"))
        browser.get(page("challenge"))

        with django_assert_max_num_queries(8):
            browser.get(page("challenge"))


class TestProof:
    @pytest.fixture
    def claim(self, seeker, provider):
        return make_claim(seeker, provider, state=State.CHALLENGED)

    def send(self, browser, data=None, name="card.jpg", sort="license", kind="image/jpeg"):
        file = SimpleUploadedFile(name, image_bytes() if data is None else data, kind)
        return browser.post(page("document_add"), {"sort": sort, "file": file})

    def test_a_document_goes_to_a_reviewer(self, browser, claim):
        response = self.send(browser)

        assert response.url == page("start")
        assert "With a reviewer" in text_of(browser.get(page("start")))

    def test_the_form_sent_twice_is_one_document(self, browser, claim):
        self.send(browser)
        self.send(browser)

        assert Document.objects.count() == 1

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"GIF89a....", "Send a JPEG, PNG or WebP image, or a PDF."),
            (b"", "empty"),
            (b"\xff\xd8\xffbroken", "cannot be read"),
        ],
    )
    def test_a_bad_file_is_refused_beside_the_field(self, browser, claim, data, words):
        response = self.send(browser, data)

        assert response.status_code == 422
        assert words in text_of(response)
        assert 'value="license" ' in text_of(response)

    def test_the_name_and_type_sent_along_do_not_matter(self, browser, claim):
        assert self.send(browser, name="evil.php", kind="text/html").status_code == 302

    def test_an_oversized_file_is_dropped_while_it_comes_in(self, browser, claim, settings):
        settings.DOCUMENT_BYTES = 50_000

        response = self.send(browser, b"\xff\xd8\xff" + b"0" * 200_000)

        assert response.status_code == 422
        assert "larger than 10 MB" in text_of(response)

    def test_the_upload_needs_its_token(self, seeker, claim):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(seeker.user)

        assert self.send(strict).status_code == 403
        assert not Document.objects.exists()

    def test_no_page_gives_a_document_back(self, browser, claim):
        self.send(browser)

        seen = text_of(browser.get(page("proof")))

        assert "<img" not in seen
        assert Document.objects.get().key not in seen

    def test_a_link_for_colleagues(self, browser, claim):
        browser.post(page("colleagues_ask"))

        seen = text_of(browser.get(page("proof")))

        assert page("vouch", claim.proofs.get().code) in seen
        assert "0 of 3 have vouched" in seen

    def test_the_applicant_does_not_learn_who_vouched(self, browser, claim):
        vouchers = make_vouchers(claim, how_many=2)

        seen = text_of(browser.get(page("proof")))

        assert "2 of 3 have vouched" in seen
        assert not any(voucher.handle in seen for voucher in vouchers)

    def test_withdrawing(self, browser, claim):
        browser.post(page("withdraw"))

        claim.refresh_from_db()
        assert claim.state == State.WITHDRAWN
        assert "There is nothing to withdraw." in text_of(browser.post(page("withdraw"), follow=True))

    def test_an_appeal(self, browser, claim):
        Claim.objects.update(state=State.REJECTED, rejected_for="mismatch", decided_at=timezone.now())

        assert browser.post(page("appeal"), {"text": "short"}).status_code == 422
        browser.post(page("appeal"), {"text": "My name changed when I married last year."})

        claim.refresh_from_db()
        assert claim.state == State.NEEDS_REVIEW


class TestVouch:
    @pytest.fixture
    def code(self, seeker, provider):
        return vouching.ask_colleagues(claim=make_claim(seeker, provider, state=State.CHALLENGED)).code

    @pytest.fixture
    def colleague_browser(self, provider):
        return client_for(make_holder(make_provider()))

    def test_the_voucher_sees_the_typed_name_and_no_handle(self, colleague_browser, code, seeker):
        seen = text_of(colleague_browser.get(page("vouch", code)))

        assert "Do you know Ottoline Quillfeather, MD?" in seen
        assert seeker.handle not in seen
        assert seeker.user.email not in seen

    def test_signing(self, colleague_browser, code):
        data = {"relation": "works", "statement": "Three years on one ward.", "signed": "on"}

        response = colleague_browser.post(page("vouch", code), data, follow=True)

        assert "You vouched for Ottoline Quillfeather" in text_of(response)
        assert Vouch.objects.get().statement == "Three years on one ward."

    def test_an_unsigned_form_keeps_the_statement(self, colleague_browser, code):
        response = colleague_browser.post(
            page("vouch", code), {"relation": "works", "statement": "Three years on one ward."}
        )

        assert response.status_code == 422
        assert "Tick this to sign." in text_of(response)
        assert "Three years on one ward." in text_of(response)

    def test_who_may_not_vouch_is_told_why(self, code, provider):
        recent = client_for(make_holder(make_provider(), days=10))

        response = recent.get(page("vouch", code))

        assert response.status_code == 403
        assert "90 days" in text_of(response)
        assert "Quillfeather" not in text_of(response)

    def test_a_closed_link_names_nobody(self, colleague_browser, code):
        Claim.objects.filter(proofs__kind="vouch").update(state=State.WITHDRAWN)

        response = colleague_browser.get(page("vouch", code))

        assert response.status_code == 404
        assert "Quillfeather" not in text_of(response)


def test_a_second_try_is_announced(browser, seeker, provider):
    claim = start(seeker, provider)
    challenges.start_challenge(claim=claim)
    Challenge.objects.update(
        verdict="failed", finished_at=timezone.now(), issued_at=timezone.now() - timedelta(hours=25)
    )

    assert "Your second try is open" in text_of(browser.get(page("start")))
    assert "Start the second try" in text_of(browser.get(page("challenge")))
