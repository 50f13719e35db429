"""The look at the registry of today, right after a claim was started."""

import pytest

from verification import asking, tasks
from verification.models import Event
from verification.models.claims import State
from verification.services import challenge, freshness
from verification.tests.factories import make_claim, make_provider, start
from verification.tests.register_server import nppes, nppes_deactivated, nppes_result, register_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def registry(settings, monkeypatch):
    with register_server() as server:
        settings.NPPES_API_URL, settings.NPPES_ASKED = server.url, True
        monkeypatch.setattr(asking, "PAUSES", (0.0, 0.0))
        yield server


@pytest.fixture
def claim(provider, seeker):
    return start(seeker, provider)


def basic(**changes):
    return {"last_name": "QUILLFEATHER", "first_name": "OTTOLINE", "status": "A", **changes}


def test_a_record_that_says_the_same_raises_no_doubt(registry, claim, provider):
    registry.script = [nppes(nppes_result(provider.npi))]

    assert freshness.check(claim_id=claim.pk) == ""

    claim.refresh_from_db()
    assert (claim.state, claim.doubts) == (State.MATCHED, [])


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"status": "D"}, "deactivated"),
        ({"last_name": "Inkwell"}, "renamed"),
        ({"first_name": "Odile"}, "renamed"),
        ({"last_name": "Quill-Feather"}, ""),
        ({"first_name": "Ottoline Jane"}, ""),
    ],
)
def test_what_changed_since_our_file_is_left_to_people(registry, claim, provider, change, doubt):
    registry.script = [nppes(nppes_result(provider.npi, basic=basic(**change)))]

    assert tasks.check_freshness(claim.pk) == doubt

    claim.refresh_from_db()
    assert claim.state == (State.NEEDS_REVIEW if doubt else State.MATCHED)
    assert claim.doubts == ([doubt] if doubt else [])


@pytest.mark.parametrize("answer", [lambda npi: nppes(), nppes_deactivated])
def test_a_number_that_was_taken_away_is_left_to_people(registry, claim, provider, answer):
    registry.script = [answer(provider.npi)]

    assert freshness.check(claim_id=claim.pk) == "deactivated"
    assert freshness.check(claim_id=claim.pk) == "deactivated"

    claim.refresh_from_db()
    assert claim.doubts == ["deactivated"]
    assert Event.objects.filter(reason="deactivated").count() == 1


def test_questions_that_are_being_answered_go_on(registry, claim):
    challenge.start_challenge(claim=claim)
    registry.script = [nppes()]

    assert freshness.check(claim_id=claim.pk) == "deactivated"

    claim.refresh_from_db()
    assert (claim.state, claim.doubts) == (State.MATCHED, ["deactivated"])
    assert Event.objects.filter(kind="doubted", reason="deactivated").count() == 1


@pytest.mark.parametrize("answer", [{"status": 503}, {"body": b"{"}, {"body": b"{}", "wait": 5}])
def test_without_an_answer_the_file_is_what_counts(registry, claim, answer, monkeypatch):
    monkeypatch.setattr(freshness, "SECONDS", 0.3)
    registry.script = [answer]

    assert freshness.check(claim_id=claim.pk) == ""
    assert len(registry.asked) == 1

    claim.refresh_from_db()
    assert claim.state == State.MATCHED


@pytest.mark.parametrize("state", [State.VERIFIED, State.WITHDRAWN, State.LOCKED])
def test_claims_that_are_decided_or_locked_are_not_asked_about(registry, seeker, provider, state):
    assert freshness.check(claim_id=make_claim(seeker, provider, state=state).pk) == ""
    assert registry.asked == []


def test_nobody_is_asked_about_a_claim_that_fits_nobody(registry, seeker, provider):
    claim = start(seeker, provider, npi="", license_number="NONE12345")

    assert claim.registry is None
    assert freshness.check(claim_id=claim.pk) == ""
    assert registry.asked == []


def test_where_the_site_asks_nobody_it_is_silent(registry, settings, claim):
    settings.NPPES_ASKED = False

    assert freshness.check(claim_id=claim.pk) == ""
    assert registry.asked == []


def test_every_new_claim_starts_it_and_no_request_waits_for_it(
    registry, seeker, schools, specialties, django_capture_on_commit_callbacks, monkeypatch
):
    started = []
    monkeypatch.setattr(tasks.check_freshness, "delay", lambda *args: started.append(args))

    with django_capture_on_commit_callbacks(execute=True):
        claim = start(seeker, make_provider())

    assert started == [(claim.pk,)]
    assert registry.asked == []
