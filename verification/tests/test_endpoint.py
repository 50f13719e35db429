"""An address in one's own registry record: who gets one, how the record is read, and what it proves."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from verification import asking, rules, tasks
from verification.models import DayCount, Event, Proof
from verification.models.claims import State
from verification.nppes_api import Unavailable
from verification.services import claims, endpoint, proofs, states
from verification.tests.factories import make_applicant, make_claim, make_provider
from verification.tests.register_server import (
    nppes,
    nppes_endpoint,
    nppes_errors,
    nppes_result,
    register_server,
)
from verification.tests.test_parallel import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def registry(settings, monkeypatch):
    with register_server() as server:
        settings.NPPES_API_URL, settings.NPPES_ASKED = server.url, True
        monkeypatch.setattr(asking, "PAUSES", (0.0, 0.0))
        yield server


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


@pytest.fixture
def proof(claim):
    return endpoint.open_proof(claim=claim)


def says(registry, provider, *addresses):
    registry.script = [
        nppes(nppes_result(provider.npi, endpoints=[nppes_endpoint(each) for each in addresses]))
    ]


def aged(proof, **columns):
    Proof.objects.filter(pk=proof.pk).update(**columns)


def ago(**time):
    return timezone.now() - timedelta(**time)


def due():
    return list(endpoint._due(timezone.now()))


class TestTheAddress:
    def test_it_is_the_same_however_often_it_is_asked_for(self, claim, settings):
        first, second = (endpoint.address_of(endpoint.open_proof(claim=claim)) for _ in range(2))

        assert first == second
        assert first.startswith(f"{settings.SITE_URL}/verify/npi/")
        assert Event.objects.filter(kind="endpoint_opened").count() == 1

    def test_no_two_are_the_same_and_each_is_long(self, claim, schools, specialties):
        codes = {endpoint.open_proof(claim=claim).code}
        codes |= {
            endpoint.open_proof(claim=make_claim(provider=make_provider(), state=State.CHALLENGED)).code
            for _ in range(3)
        }

        assert len(codes) == 4
        assert {len(code) for code in codes} == {24}

    def test_it_is_readable_in_no_column_and_no_event(self, proof):
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(p)::text FROM verification_proof p")
            rows = cursor.fetchall()
            cursor.execute("SELECT row_to_json(e)::text FROM verification_event e")
            rows += cursor.fetchall()

        assert len(rows) == 2
        assert not [row for (row,) in rows if proof.code in row or proof.code.encode().hex() in row]

    @pytest.mark.parametrize("state", proofs.MAY_PROVE)
    def test_these_may_have_one(self, provider, seeker, state):
        assert endpoint.open_proof(claim=make_claim(seeker, provider, state=state)).code

    @pytest.mark.parametrize("state", sorted(set(State) - set(proofs.MAY_PROVE)))
    def test_all_others_may_not(self, provider, seeker, state):
        past = {"verified_at": ago(days=9), "method": "document", "rejected_for": "mismatch"}
        claim = make_claim(seeker, provider, state=state, **past)

        with pytest.raises(endpoint.NotNeeded):
            endpoint.open_proof(claim=claim)
        with pytest.raises(endpoint.NotNeeded):
            endpoint.ask_look(claim=claim)

        assert not Proof.objects.exists()

    def test_after_its_days_are_over_there_is_a_new_one(self, claim, proof):
        aged(proof, expires_at=ago(seconds=1), checked_at=ago(days=1))

        assert endpoint.entry_of(claim).may_open
        again = endpoint.open_proof(claim=claim)

        assert again.pk == proof.pk
        assert again.code != proof.code
        assert again.checked_at is None
        assert again.expires_at > timezone.now() + timedelta(days=rules.ENDPOINT_DAYS - 1)

    def test_a_holder_in_a_dispute_has_to_write_a_new_one(self, claim, proof):
        aged(proof, ok_at=ago(days=200))
        type(claim).objects.filter(pk=claim.pk).update(
            state=State.DISPUTED_HOLDER,
            state_at=ago(days=1),
            verified_at=ago(days=200),
            method="endpoint",
        )
        claim.refresh_from_db()

        assert endpoint.entry_of(claim).may_open
        assert endpoint.open_proof(claim=claim).ok_at is None

    def test_a_claim_with_an_address_is_not_corrected_any_more(self, provider, seeker):
        claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW)
        endpoint.open_proof(claim=claim)

        assert not claims.may_correct(claim)


class TestLooking:
    @pytest.mark.parametrize(
        "written",
        [
            lambda address: address,
            lambda address: address.upper(),
            lambda address: f" {address} ",
            lambda address: address.rstrip("/"),
            lambda address: address.replace("http://", "https://www."),
        ],
    )
    def test_it_is_found_however_the_registry_writes_it(self, registry, provider, proof, written):
        says(registry, provider, "someone@direct.example.org", written(endpoint.address_of(proof)))

        assert endpoint.look(proof_id=proof.pk)

    def test_found_it_proves_a_claim_whose_questions_were_passed(self, registry, provider, claim, proof):
        says(registry, provider, endpoint.address_of(proof))

        assert endpoint.look(proof_id=proof.pk)

        claim.refresh_from_db()
        proof.refresh_from_db()
        assert claim.state == State.PROVEN
        assert proof.ok_at
        moved = Event.objects.get(kind="state", to_state=State.PROVEN)
        assert (moved.actor, moved.evidence) == (None, ["endpoint", "questions"])
        assert Event.objects.filter(kind="endpoint_found").count() == 1

    @pytest.mark.parametrize("state", [State.NEEDS_REVIEW, State.DISPUTED_RIVAL, State.DISPUTED_HOLDER])
    def test_for_any_other_it_is_evidence(self, registry, provider, seeker, state):
        claim = make_claim(seeker, provider, state=state, state_at=ago(days=1))
        proof = endpoint.open_proof(claim=claim)
        says(registry, provider, endpoint.address_of(proof))

        assert endpoint.look(proof_id=proof.pk)

        claim.refresh_from_db()
        assert claim.state == state
        assert claim.queued_at
        assert endpoint.entry_of(claim).found_at

    def test_found_twice_is_found_once(self, registry, provider, proof):
        says(registry, provider, endpoint.address_of(proof))

        assert endpoint.look(proof_id=proof.pk)
        assert endpoint.look(proof_id=proof.pk)

        assert Event.objects.filter(kind="endpoint_found").count() == 1
        assert len(registry.asked) == 1

    @pytest.mark.parametrize(
        "address",
        [
            "https://sermo.example/verify/npi/aaaaaaaaaaaaaaaaaaaaaaaa/",
            "https://sermo.example/verify/npi/{code}a/",
            "https://sermo.example/{code}/",
            "https://sermo.example/verify/npi/{short}/",
        ],
    )
    def test_another_address_is_none(self, registry, provider, claim, proof, address):
        says(registry, provider, address.format(code=proof.code, short=proof.code[:-1]))

        assert not endpoint.look(proof_id=proof.pk)

        claim.refresh_from_db()
        proof.refresh_from_db()
        assert claim.state == State.CHALLENGED
        assert proof.checked_at
        assert proof.ok_at is None

    def test_only_the_record_of_that_npi_counts(self, registry, claim, proof, schools, specialties):
        says(registry, make_provider("Else", "Somebody"), endpoint.address_of(proof))

        with pytest.raises(Unavailable):
            endpoint.look(proof_id=proof.pk)

        claim.refresh_from_db()
        assert claim.state == State.CHALLENGED

    def test_the_address_of_another_claim_proves_nothing(self, registry, provider, claim, proof):
        other = endpoint.open_proof(claim=make_claim(make_applicant(), provider, state=State.CHALLENGED))
        says(registry, provider, endpoint.address_of(other))

        assert not endpoint.look(proof_id=proof.pk)
        assert endpoint.look(proof_id=other.pk)

    def test_a_registry_that_knows_nobody_has_no_entry(self, registry, proof):
        registry.script = [nppes()]

        assert not endpoint.look(proof_id=proof.pk)

    def test_a_claim_without_an_npi_is_looked_at_like_any_other(self, registry, provider, seeker):
        claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW)
        claim.identity = {"typed": {**claim.typed, "npi": ""}, "registry": None}
        claim.save()
        proof = endpoint.ask_look(claim=endpoint.open_proof(claim=claim).claim)

        assert not endpoint.look(proof_id=proof.pk)

        entry = endpoint.entry_of(claim)
        assert (bool(entry.looked_at), entry.went_unanswered, registry.asked) == (True, False, [])

    def test_a_claim_that_went_on_meanwhile_stays_where_it_is(
        self, registry, provider, claim, proof, monkeypatch
    ):
        says(registry, provider, endpoint.address_of(proof))
        reads = endpoint._stands_there

        def read_while_it_is_withdrawn(*args):
            claims.withdraw(user=claim.user)
            return reads(*args)

        monkeypatch.setattr(endpoint, "_stands_there", read_while_it_is_withdrawn)

        assert not endpoint.look(proof_id=proof.pk)

        claim.refresh_from_db()
        assert claim.state == State.WITHDRAWN

    def test_an_address_that_was_replaced_meanwhile_proves_nothing(
        self, registry, provider, claim, proof, monkeypatch
    ):
        says(registry, provider, endpoint.address_of(proof))
        reads = endpoint._stands_there

        def read_while_it_is_replaced(*args):
            aged(proof, expires_at=ago(seconds=1))
            endpoint.open_proof(claim=claim)
            return reads(*args)

        monkeypatch.setattr(endpoint, "_stands_there", read_while_it_is_replaced)

        assert not endpoint.look(proof_id=proof.pk)

        claim.refresh_from_db()
        assert claim.state == State.CHALLENGED

    def test_where_the_site_asks_nobody_nothing_is_looked_at(self, registry, settings, proof):
        settings.NPPES_ASKED = False

        assert not endpoint.look(proof_id=proof.pk)
        assert endpoint.look_at_due() == 0
        assert registry.asked == []


class TestAFailingRegistry:
    def test_it_uses_nothing_up_and_is_told_in_words(self, registry, claim, proof):
        registry.script = [{"status": 503}]
        endpoint.ask_look(claim=claim)

        assert not tasks.look_at_entry(proof.pk)

        aged(proof, sent_at=ago(minutes=3))
        entry = endpoint.entry_of(claim)
        assert entry.went_unanswered
        assert entry.looked_at is None
        assert entry.looks_left == rules.ENDPOINT_LOOKS
        assert due() == [proof.pk]

    def test_the_rest_waits_for_the_next_time(self, registry, schools, specialties):
        for _ in range(5):
            endpoint.open_proof(claim=make_claim(provider=make_provider(), state=State.CHALLENGED))
        registry.script = [{"status": 503}]

        assert endpoint.look_at_due() == 0
        assert len(registry.asked) == endpoint.DOWN_AFTER * 2

    def test_a_slow_one_does_not_let_ticks_overlap(self, registry, schools, specialties, monkeypatch):
        for _ in range(3):
            endpoint.open_proof(claim=make_claim(provider=make_provider(), state=State.CHALLENGED))
        monkeypatch.setattr(endpoint, "MOST_SECONDS", 0)
        registry.script = [nppes()]

        assert endpoint.look_at_due() == 1
        assert len(registry.asked) == 1

    def test_trouble_with_one_record_holds_up_nobody(self, registry, schools, specialties):
        all_proofs = [
            endpoint.open_proof(claim=make_claim(provider=make_provider(), state=State.CHALLENGED))
            for _ in range(5)
        ]
        answers = [nppes_errors()] * 4 + [nppes()]
        registry.script = answers

        assert endpoint.look_at_due() == 1
        assert len(due()) == len(all_proofs) - 1


class TestTheClock:
    @pytest.mark.parametrize(
        ("started", "checked", "is_due"),
        [
            ({"minutes": 1}, None, True),
            ({"hours": 2}, {"minutes": 30}, False),
            ({"hours": 2}, {"minutes": 61}, True),
            ({"hours": 25}, {"minutes": 61}, False),
            ({"hours": 25}, {"hours": 23}, False),
            ({"days": 20}, {"hours": 25}, True),
        ],
    )
    def test_hourly_for_a_day_then_daily(self, proof, started, checked, is_due):
        aged(proof, started_at=ago(**started), checked_at=ago(**checked) if checked else None)

        assert bool(due()) is is_due

    def test_until_its_days_are_over_or_it_was_found_or_the_claim_went_on(self, claim, proof):
        aged(proof, expires_at=ago(seconds=1))
        assert not due()
        aged(proof, expires_at=timezone.now() + timedelta(days=1), ok_at=timezone.now())
        assert not due()
        aged(proof, ok_at=None)
        assert due()
        states.move(claim=claim, to=State.WITHDRAWN, as_=states.APPLICANT, by=claim.user)
        assert not due()

    def test_it_reads_what_is_due(self, registry, provider, proof):
        says(registry, provider, endpoint.address_of(proof))

        assert tasks.look_at_entries() == 1
        assert tasks.look_at_entries() == 0

    def test_it_is_in_the_schedule(self, settings):
        from sermo.celery import app

        app.loader.import_default_modules()
        names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

        assert "verification.tasks.look_at_entries" in names & set(app.tasks)


class TestLookNow:
    def test_five_answered_looks_a_day(self, registry, claim, proof):
        registry.script = [nppes()]
        for _ in range(5):
            endpoint.ask_look(claim=claim)
            tasks.look_at_entry(proof.pk)

        with pytest.raises(endpoint.TooManyLooks):
            endpoint.ask_look(claim=claim)

        assert endpoint.entry_of(claim).looks_left == 0

    def test_looks_of_the_clock_are_not_counted(self, registry, claim, proof):
        registry.script = [nppes()]
        endpoint.look_at_due()

        assert endpoint.entry_of(claim).looks_left == 5

    def test_a_second_click_is_the_same_look(self, registry, claim, proof):
        registry.script = [nppes()]
        endpoint.ask_look(claim=claim)
        first = endpoint.ask_look(claim=claim).sent_at
        tasks.look_at_entry(proof.pk)
        tasks.look_at_entry(proof.pk)

        assert first
        assert DayCount.objects.get().count == 1

    def test_one_without_an_address_makes_one_first(self, claim):
        with pytest.raises(endpoint.NotOpened):
            endpoint.ask_look(claim=claim)

    def test_it_is_taken_by_a_task(self, claim, proof, django_capture_on_commit_callbacks, monkeypatch):
        started = []
        monkeypatch.setattr(tasks.look_at_entry, "delay", lambda *args: started.append(args))

        with django_capture_on_commit_callbacks(execute=True):
            endpoint.ask_look(claim=claim)

        assert started == [(proof.pk,)]


def test_where_the_last_check_runs_by_itself_it_is_next(
    registry, provider, claim, proof, django_capture_on_commit_callbacks, monkeypatch
):
    started = []
    claim.queued_at = timezone.now()  # since a document was sent
    claim.save(update_fields=["queued_at"])

    class Decide:
        delay = staticmethod(lambda *args: started.append(args))

    monkeypatch.setattr(tasks, "decide", Decide)
    says(registry, provider, endpoint.address_of(proof))

    with django_capture_on_commit_callbacks(execute=True):
        endpoint.look(proof_id=proof.pk)

    assert started == [(claim.pk,)]
    claim.refresh_from_db()
    assert (claim.state, claim.queued_at) == (State.PROVEN, None)


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_find_it_once(registry, provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proof = endpoint.ask_look(claim=endpoint.open_proof(claim=claim).claim)
    says(registry, provider, endpoint.address_of(proof))

    assert at_once(*[lambda: endpoint.look(proof_id=proof.pk)] * 2) == [True, True]

    assert Event.objects.filter(kind="endpoint_found").count() == 1
    assert Event.objects.filter(kind="state", to_state=State.PROVEN).count() == 1
    assert DayCount.objects.get().count == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_address(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)

    first, second = at_once(*[lambda: endpoint.open_proof(claim=claim)] * 2)

    assert first.code == second.code
