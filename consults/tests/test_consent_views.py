"""The pages of consents: doors, forms, what a patient reads, and the page where a patient takes a consent back."""

import re
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import IdentifierDecision
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from consults.models import Case, Consent
from consults.services import consents
from consults.tests.factories import make_case, make_consent
from sermo.tests.people import enter
from sermo.tests.test_accessibility import ANEW, COLORS, faults_by_look, faults_of

pytestmark = pytest.mark.django_db
GRADE = 6.9  # of the formula, for words a sixth grade reads


@pytest.fixture(autouse=True)
def case_files(settings, tmp_path):
    """Files of pictures in a folder of the test's own."""
    own = {
        name: {**settings.STORAGES[name], "OPTIONS": {"location": tmp_path / name, "base_url": None}}
        for name in ("private", "staging")
    }
    settings.STORAGES = {**settings.STORAGES, **own}
    return tmp_path


@pytest.fixture
def prepared(physician):
    return consents.prepare(member=physician, note="rash, Tuesday")


@pytest.fixture
def signed(prepared):
    return consents.sign(
        consent=prepared,
        member=prepared.member,
        signer="patient",
        medium="paper",
        signed_on=timezone.localdate(),
    )


def address(name, *args, **query):
    said = "&".join(f"{key}={value}" for key, value in query.items())
    return reverse(f"consults:{name}", args=args) + (f"?{said}" if said else "")


def addresses_of(consent, case):
    own = [
        address(name, consent.pk) for name in ("consent", "consent_form", "sign_consent", "revoke_consent")
    ]
    return [*own, address("withdraw", case.pk)]


class TestDoors:
    def test_to_nobody_else_there_is_such_a_page(self, signed, colleague, moderator):
        case = make_case(signed.member, consent=signed)

        for client in (client_of(colleague), client_of(moderator)):
            for page in addresses_of(signed, case):
                assert client.get(page).status_code == 404
                assert client.post(page).status_code == 404
        assert Consent.objects.get().is_standing
        assert not Case.objects.get().is_withdrawn

    def test_visitors_log_in_and_applicants_go_on(self, signed, applicant_client):
        case = make_case(signed.member, consent=signed)

        for page in [*addresses_of(signed, case), address("consents"), address("prepare_consent")]:
            assert Client().get(page).url.startswith(reverse("account_login"))
            assert applicant_client.get(page).url == reverse("verification:start")

    def test_who_has_no_membership_has_no_consents(self):
        client = client_of(make_user())
        for page in (address("consents"), address("prepare_consent")):
            assert client.get(page).status_code == 403

    def test_the_list_shows_ones_own(self, signed, physician_client, colleague_client):
        assert "rash, Tuesday" in physician_client.get(address("consents")).content.decode()
        page = colleague_client.get(address("consents")).content.decode()
        assert "rash, Tuesday" not in page
        assert "No consent yet" in page

    def test_who_may_only_read_takes_back_and_signs_nothing(self, prepared):
        reader = prepared.member
        reader.standing = "read_only"
        reader.save()
        client = client_of(reader)

        page = client.get(address("consent", prepared.pk))
        assert page.context["form"] is None
        for name in ("prepare_consent",):
            assert client.get(address(name)).status_code == 403
        assert client.get(address("sign_consent", prepared.pk)).status_code == 403
        client.post(address("revoke_consent", prepared.pk))
        assert Consent.objects.get().revoked_at


class TestPreparing:
    def test_leads_to_the_form(self, physician_client):
        sent = physician_client.post(address("prepare_consent"), {"note": "rash, Tuesday"})

        made = Consent.objects.get()
        assert sent.url == made.get_absolute_url()
        page = physician_client.get(sent.url).content.decode()
        assert consents.grouped(made.code) in page
        assert "Not signed yet" in page

    def test_no_name_is_noted(self, physician_client):
        sent = physician_client.post(address("prepare_consent"), {"note": "Mr. John Abernathy"})

        assert sent.status_code == 422
        assert not Consent.objects.exists()

    def test_what_is_kept_all_the_same_is_counted(self, physician_client):
        page = physician_client.post(address("prepare_consent"), {"note": "rash by Quixwold"})
        keys = re.findall(r'name="not_patient" value="(\w+)"', page.content.decode())

        physician_client.post(address("prepare_consent"), {"note": "rash by Quixwold", "not_patient": keys})

        assert Consent.objects.count() == IdentifierDecision.objects.filter(place="consent").count() == 1

    def test_too_many_are_refused(self, physician_client, prepared, monkeypatch):
        monkeypatch.setattr(consents, "MOST_PREPARED", 1)

        sent = physician_client.post(address("prepare_consent"), {"note": ""})

        assert sent.status_code == 422
        assert "nobody signed yet" in sent.content.decode()


class TestSigning:
    PAPER = {
        "signer": "guardian",
        "signed_on": "2026-11-02",
        "form_version": consents.FORM_VERSION,
        "for_teaching": "on",
        "attested": "on",
    }

    def test_on_paper(self, physician_client, prepared):
        sent = physician_client.post(prepared.get_absolute_url(), self.PAPER)

        made = Consent.objects.get()
        assert sent.url == made.get_absolute_url()
        assert made.is_standing
        assert (made.signer, made.medium, str(made.signed_on)) == ("guardian", "paper", "2026-11-02")
        assert (made.for_teaching, made.for_observers) == (True, False)

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"attested": ""}, "in your hands"),
            ({"signer": ""}, "Choose one."),
            ({"signed_on": "2199-01-01"}, "on a day to come"),
            ({"signed_on": "yesterday"}, "Type a day"),
            ({"expires_on": "2020-01-01"}, "still to come"),
            ({"expires_on": "2199-01-01"}, "10 years at most"),
        ],
    )
    def test_on_paper_what_is_wrong_is_said(self, physician_client, prepared, changed, words):
        sent = physician_client.post(prepared.get_absolute_url(), {**self.PAPER, **changed})

        assert sent.status_code == 422
        assert words in sent.content.decode()
        assert not Consent.objects.get().is_standing

    @pytest.mark.parametrize(
        ("version", "stories", "status"),
        [("2026-12", True, 302), ("2026-11", False, 302), ("2026-11", True, 422), ("2025-01", False, 422)],
    )
    def test_a_sheet_is_noted_as_the_version_at_its_foot(
        self, physician, physician_client, version, stories, status
    ):
        old = make_consent(physician, "signed", is_attested=False, form_version="2026-11")
        printed = physician_client.get(address("consent_form", old.pk)).content.decode()
        assert "told to everyone" in printed
        assert f"Form {consents.FORM_VERSION}" in printed
        fields = {**self.PAPER, "form_version": version, "for_stories": "on" if stories else ""}

        sent = physician_client.post(old.get_absolute_url(), fields)

        old.refresh_from_db()
        assert sent.status_code == status
        if status == 302:
            assert (old.form_version, old.for_stories) == (version, stories)
        else:
            assert old.attested_at is None
            assert f'value="{consents.FORM_VERSION}"' in sent.content.decode()

    def test_the_version_is_asked_for_where_there_are_two(self, physician, physician_client, prepared):
        assert "form_version" not in physician_client.get(prepared.get_absolute_url()).context["form"].fields
        old = make_consent(physician, "signed", is_attested=False, form_version="2026-11")
        form = physician_client.get(old.get_absolute_url()).context["form"]
        assert form["form_version"].value() == consents.FORM_VERSION
        with pytest.raises(consents.UnknownVersion):
            consents.sign(
                consent=old,
                member=physician,
                signer="patient",
                medium="paper",
                signed_on=timezone.localdate(),
                form_version="1999",
            )

    @pytest.mark.parametrize(("language", "thanks"), [("en", "Thank you"), ("es", "Gracias")])
    def test_on_the_screen(self, physician_client, prepared, language, thanks):
        page = address("sign_consent", prepared.pk, lang=language)
        assert consents.grouped(prepared.code) in physician_client.get(page).content.decode()

        sent = physician_client.post(
            page, {"signer": "patient", "lasts": "1", "for_observers": "on"}, follow=True
        )

        made = Consent.objects.get()
        assert (made.medium, made.signed_on, made.for_observers) == ("screen", timezone.localdate(), True)
        assert made.expires_on == timezone.now().date() + timedelta(days=365)
        assert thanks in sent.content.decode()
        assert consents.grouped(made.code) in sent.content.decode()

    @pytest.mark.parametrize(("language", "words"), [("en", "Choose one."), ("es", "Elija una opción.")])
    def test_on_the_screen_somebody_says_who_they_are(self, physician_client, prepared, language, words):
        sent = physician_client.post(address("sign_consent", prepared.pk, lang=language), {"lasts": "0"})

        assert sent.status_code == 422
        assert words in sent.content.decode()
        assert not Consent.objects.get().is_standing

    def test_the_patients_screen_leads_nowhere_into_the_site(self, physician_client, prepared):
        page = physician_client.get(address("sign_consent", prepared.pk)).content.decode()

        links = set(re.findall(r'<a [^>]*href="([^"]+)"', page))
        assert links == {"?lang=es", "?lang=en&amp;no=1"}

    @pytest.mark.parametrize(
        ("language", "words"), [("en", "You get the same care"), ("es", "será la misma")]
    )
    def test_who_says_no_is_told_that_it_is_fine(self, physician_client, prepared, language, words):
        page = physician_client.get(
            address("sign_consent", prepared.pk, lang=language, no=1)
        ).content.decode()

        assert words in page
        assert prepared.code[:5] not in page
        assert not Consent.objects.get().is_standing

    def test_renewed_it_holds_anew_and_allows_the_same(self, physician_client, signed):
        Consent.objects.update(for_teaching=True, expires_on=timezone.now().date() - timedelta(days=2))
        page = address("sign_consent", signed.pk, renew=1)
        assert "for_teaching" not in physician_client.get(page).context["form"].fields

        physician_client.post(page, {"signer": "patient", "lasts": "5", "for_observers": "on"})

        made = Consent.objects.get()
        assert made.is_standing
        assert (made.for_teaching, made.for_observers) == (True, False)

    def test_renewed_on_paper(self, physician_client, signed):
        Consent.objects.update(expires_on=timezone.now().date())

        physician_client.post(signed.get_absolute_url(), {**self.PAPER, "expires_on": ""})

        assert Consent.objects.get().expires_on is None

    def test_signed_without_a_last_day_there_is_nothing_to_sign(self, physician_client, signed):
        assert physician_client.get(signed.get_absolute_url()).context["form"] is None
        assert "form" not in physician_client.get(address("sign_consent", signed.pk, renew=1)).context
        sent = physician_client.post(signed.get_absolute_url(), self.PAPER, follow=True)
        assert "Nothing to sign here any more." in sent.content.decode()

    @pytest.mark.parametrize("name", ["consent_form", "sign_consent"])
    def test_there_is_no_form_of_what_nobody_signs_or_was_taken_back(self, physician_client, signed, name):
        plain = make_consent(signed.member)
        consents.revoke(consent=signed, by=signed.member)

        for each in (plain, signed):
            assert physician_client.get(address(name, each.pk)).status_code == 404


class TestPage:
    def test_shows_what_it_covers(self, physician_client, signed):
        case = make_case(signed.member, consent=signed)

        page = physician_client.get(signed.get_absolute_url()).content.decode()

        assert case.question.title in page
        assert "A consult among physicians" in page

    def test_taken_back_by_code_its_pictures_are_going_until_they_are_gone(self, physician_client, signed):
        make_case(signed.member, consent=signed)
        Consent.objects.update(revoked_at=timezone.now(), revoked_by="patient")

        page = physician_client.get(signed.get_absolute_url()).content.decode()
        assert "No one sees its pictures from now on; they are being destroyed." in page
        assert "Being withdrawn" in page
        assert "Its pictures are destroyed." not in page

        consents.carry_out(consent_id=signed.pk)
        page = physician_client.get(signed.get_absolute_url()).content.decode()
        assert "Its pictures are destroyed." in page
        assert "Withdrawn because the consent ended" in page

    def test_a_removed_case_is_named_without_a_link(self, physician_client, signed):
        case = make_case(signed.member, consent=signed, status="removed")

        page = physician_client.get(signed.get_absolute_url()).content.decode()

        assert case.question.title in page
        assert f'href="{case.get_absolute_url()}"' not in page

    def test_the_list_costs_the_same_at_any_length(self, physician, django_assert_max_num_queries):
        client = client_of(physician)
        client.get(address("consents"))
        costs = []
        for _ in range(2):
            for _ in range(6):
                make_case(physician, consent=make_consent(physician))
            with django_assert_max_num_queries(20) as spent:
                client.get(address("consents"))
            costs.append(len(spent))

        assert costs[0] == costs[1]

    def test_the_page_costs_the_same_with_many_cases(self, physician, django_assert_max_num_queries):
        client, consent = client_of(physician), make_consent(physician)
        client.get(consent.get_absolute_url())
        costs = []
        for _ in range(2):
            for _ in range(3):
                make_case(physician, consent=consent)
            with django_assert_max_num_queries(20) as spent:
                client.get(consent.get_absolute_url())
            costs.append(len(spent))

        assert costs[0] == costs[1]

    def test_the_list_goes_on(self, physician, physician_client, settings):
        settings.CASES_PER_PAGE = 2
        for number in range(3):
            make_consent(physician, statement=f"Reason {number}.")

        page = physician_client.get(address("consents"))

        assert [consent.statement for consent in page.context["page"]] == ["Reason 2.", "Reason 1."]
        rest = physician_client.get(page.context["more_url"])
        assert [consent.statement for consent in rest.context["page"]] == ["Reason 0."]


class TestTakingBack:
    def test_is_asked_once_more(self, physician_client, signed):
        case = make_case(signed.member, images=2, consent=signed)
        page = physician_client.get(address("revoke_consent", signed.pk)).content.decode()
        assert case.question.title in page
        assert "This cannot be undone." in page

        sent = physician_client.post(address("revoke_consent", signed.pk), follow=True)

        assert "2 pictures are destroyed." in sent.content.decode()
        assert Case.objects.get().withdrawn == "consent"
        assert physician_client.get(address("revoke_consent", signed.pk)).url == signed.get_absolute_url()

    def test_of_a_case_alone(self, physician_client, physician):
        case = make_case(physician, images=2)
        page = physician_client.get(address("withdraw", case.pk)).content.decode()
        assert "Its 2 pictures are" in page
        assert not Case.objects.get().is_withdrawn

        sent = physician_client.post(address("withdraw", case.pk))

        assert Case.objects.get().withdrawn == "author"
        assert sent.url == Case.objects.get().get_absolute_url()
        assert physician_client.get(address("withdraw", case.pk)).status_code == 302

    def test_of_a_case_a_moderator_removed(self, physician_client, physician, colleague_client):
        consent = make_consent(physician)
        case = make_case(physician, consent=consent, status="removed")
        page = address("withdraw", case.pk)
        assert page in physician_client.get(consent.get_absolute_url()).content.decode()
        assert colleague_client.get(page).status_code == 404
        asked = physician_client.get(page).content.decode()
        assert f'href="{case.get_absolute_url()}"' not in asked  # there is no such page

        sent = physician_client.post(page)

        assert Case.objects.get().withdrawn == "author"
        assert sent.url == consent.get_absolute_url()
        assert physician_client.get(page).url == consent.get_absolute_url()
        assert page not in physician_client.get(sent.url).content.decode()


class TestPatientsPage:
    def test_needs_no_account_and_takes_the_code_as_typed(self, signed):
        typed = consents.grouped(signed.code).lower()
        visitor = Client(enforce_csrf_checks=True)
        visitor.get(address("revoke"))

        token = visitor.cookies["csrftoken"].value
        sent = visitor.post(address("revoke"), {"code": typed, "csrfmiddlewaretoken": token})

        assert sent.url == address("revoke", lang="en", done=1)
        assert Consent.objects.get().revoked_by == "patient"

    def test_answers_every_code_alike(self, signed):
        answers = []
        for code in (consents.new_code(), signed.code, signed.code):
            sent = Client().post(address("revoke"), {"code": code}, follow=True)
            page = re.sub(r'nonce="[^"]+"', "", sent.content.decode())
            answers.append((sent.redirect_chain, sent.status_code, page, sorted(sent.headers.keys())))

        assert answers[0] == answers[1] == answers[2]

    @pytest.mark.parametrize(("language", "words"), [("en", "not a whole code"), ("es", "no está completo")])
    def test_a_slip_of_the_pen_is_said(self, signed, language, words):
        for code in (signed.code[:-1], "0" * 20):
            sent = Client().post(address("revoke", lang=language), {"code": code})

            assert sent.status_code == 422
            assert words in sent.content.decode()

    def test_ten_tries_an_hour_from_one_address(self, signed):
        visitor = Client(REMOTE_ADDR="203.0.113.7")
        for _ in range(10):
            assert visitor.post(address("revoke"), {"code": consents.new_code()}).status_code == 302

        sent = visitor.post(address("revoke"), {"code": signed.code})

        assert sent.status_code == 429
        assert "Try again in an hour" in sent.content.decode()
        assert Consent.objects.get().is_standing
        assert visitor.get(address("revoke")).status_code == 200
        assert (
            Client(REMOTE_ADDR="203.0.113.8").post(address("revoke"), {"code": signed.code}).status_code
            == 302
        )

    def test_holds_also_without_the_cache(self, signed, settings):
        caches["default"].clear()
        visitor = Client(REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="198.51.100.1")
        for number in range(11):
            sent = visitor.post(
                address("revoke"), {"code": consents.new_code()}, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}"
            )

        assert sent.status_code == 429

    def test_is_open_to_members_too(self, physician_client):
        assert physician_client.get(address("revoke")).status_code == 200

    @pytest.mark.parametrize(
        ("language", "words"), [("en", "You need not say who you are"), ("es", "quién es")]
    )
    def test_speaks_the_patients_language(self, language, words):
        page = Client().get(address("revoke", lang=language)).content.decode()

        assert f'<html lang="{language}">' in page
        assert words in page
        assert "Take your consent back" in Client().get(address("revoke", lang="xx")).content.decode()


class TestWords:
    SAID = {
        "en": [
            "Not your name",
            "you get the same care",
            "change your mind",
            "What cannot be undone",
            "parent or guardian",
            "Date ____",
            "Only doctors with a checked license",
        ],
        "es": [
            "Su nombre no",
            "su atención será la misma",
            "cambiar de idea",
            "no se puede deshacer",
            "el tutor",
            "Fecha ____",
            "Solo entran médicos con licencia",
        ],
    }

    @pytest.mark.parametrize("language", ["en", "es"])
    def test_the_form_says_what_a_patient_must_know(self, physician_client, prepared, language):
        page = physician_client.get(address("consent_form", prepared.pk, lang=language)).content.decode()

        for words in self.SAID[language]:
            assert words in page
        assert consents.grouped(prepared.code) in page
        assert "http://testserver/consults/revoke/" in page
        assert consents.FORM_VERSION in page

    def test_a_sixth_grade_reads_it(self, physician_client, prepared):
        """Flesch and Kincaid's grade of what is said to the patient."""
        page = physician_client.get(address("consent_form", prepared.pk)).content.decode()
        page = page[page.index("<article") : page.index("</article>")]
        said = re.sub(r"<(h1|h2|p|br)[^>]*>", ". ", page.partition("Back to the consent")[2])
        said = re.sub(r"<[^>]+>|_+|☐|https?://\S+", " ", said).replace(consents.grouped(prepared.code), "")

        assert grade(said) <= GRADE


def grade(text):
    sentences = [part for part in re.split(r"[.:?!]+", text) if re.search(r"[a-z]", part)]
    words = re.findall(r"[A-Za-z’']+", text)
    syllables = sum(syllables_of(word.lower()) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def syllables_of(word):
    word = re.sub(r"(?<=[^aeiouy])(e|ed|es)$", "", word) or word
    return max(1, len(re.findall(r"[aeiouy]+", word)))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestInBrowser:
    @pytest.fixture
    def open_page(self, browser_page, live_server):
        def opened(member, **options):
            page = browser_page(**options)
            enter(page, live_server.url, member)
            return page

        return opened

    @pytest.fixture
    def prepared(self):
        member = make_member("left_atrium", user=make_user("atrium@example.org"))
        return consents.prepare(member=member, note="rash, Tuesday")

    @pytest.mark.parametrize("language", ["en", "es"])
    def test_the_form_prints_on_one_page(self, open_page, live_server, prepared, language):
        page = open_page(prepared.member)
        page.goto(f"{live_server.url}{address('consent_form', prepared.pk, lang=language)}")

        printed = page.pdf(format="Letter", margin=dict.fromkeys(["top", "bottom", "left", "right"], "0.6in"))

        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1

    @pytest.mark.parametrize("width", [320, 820])
    def test_the_code_stands_in_a_line_of_its_own(self, open_page, live_server, prepared, width):
        page = open_page(prepared.member, viewport={"width": width, "height": 900})
        page.goto(f"{live_server.url}{address('consent_form', prepared.pk)}")

        code, said = page.locator(".patient-code"), page.locator("p", has=page.locator(".patient-code"))
        sizes = [one.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") for one in (code, said)]
        assert code.evaluate("one => getComputedStyle(one).display") == "block"
        assert code.bounding_box()["height"] < 2 * sizes[0]
        assert sizes[0] >= sizes[1]
        assert page.evaluate("document.documentElement.scrollWidth") == width

    def test_a_patient_signs_on_a_tablet_and_takes_it_back_on_a_phone(
        self, open_page, browser_page, live_server, prepared
    ):
        page = open_page(prepared.member, viewport={"width": 820, "height": 1180})
        page.goto(f"{live_server.url}{address('sign_consent', prepared.pk)}")
        assert faults_of(page, {}) == []
        page.get_by_text("I am the patient", exact=True).click()
        page.get_by_role("button", name="I agree").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your consent is noted.")
        code = page.locator("code").inner_text()

        phone = browser_page(viewport={"width": 320, "height": 640})
        phone.goto(f"{live_server.url}{address('revoke')}")
        assert faults_of(phone, {}) == []
        assert phone.evaluate("document.documentElement.scrollWidth") == 320
        phone.get_by_label("Code").fill(code)
        phone.get_by_role("button", name="Take my consent back").click()
        expect(phone.get_by_role("heading", level=1)).to_have_text("We got your code")

        assert Consent.objects.get().revoked_by == "patient"

    def test_the_registry_is_accessible_at_every_width(self, open_page, live_server, prepared):
        page = open_page(prepared.member)
        for name, *args in (["consents"], ["prepare_consent"], ["consent", prepared.pk]):
            page.emulate_media(color_scheme="light")
            page.goto(f"{live_server.url}{address(name, *args)}")
            assert faults_by_look(page, [("light", 320, {})]) == []
            assert page.evaluate("document.documentElement.scrollWidth") == 320
            assert faults_by_look(page, [("dark", 1280, ANEW), ("dark", 1280, COLORS)]) == []
