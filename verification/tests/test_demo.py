import io

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse

from accounts import demo as people
from accounts import reference as specialties
from accounts.demo_logins import DEMO_PASSWORD
from accounts.models import Member, User
from verification import calling_hours, demo, demo_queue, reference, registry
from verification.models import Claim, Incident, LicenseCheck, MailDomain, Provider
from verification.models.claims import State
from verification.names import PersonName
from verification.services import (
    automatic,
    byline,
    codes,
    events,
    foretold,
    incidents,
    license_clock,
    queue,
    rechecks,
    risk,
    states,
    vouching,
)
from verification.services import challenge as challenges
from verification.services.claims import start_claim
from verification.tests.calls import code_said

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def demonstration(django_db_setup, django_db_blocker):
    """Seeded once for the tests of this file, and undone after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        out = io.StringIO()
        for load in (specialties.load, reference.load, people.seed, demo.seed):
            load(out)
        yield out
        transaction.set_rollback(True)


def test_the_demonstration(demonstration):
    physicians = Member.objects.filter(standing="physician")
    assert physicians.count() >= people.PEOPLE
    writing = (State.VERIFIED, State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER)
    assert Claim.objects.filter(state__in=writing).count() == physicians.count()
    assert events.first_broken() is None
    assert byline.display_name_for(physicians.first()).endswith((", MD", ", DO"))

    before = Claim.objects.count()
    demo.seed(io.StringIO())
    assert Claim.objects.count() == before


def test_the_demo_applicant_can_pass_the_questions(demonstration):
    user = Member.objects.get(user__email="applicant@demo.sermo.test").user
    said = demo.APPLICANT
    claim = start_claim(
        user=user,
        name=PersonName(said["last"], said["first"], ""),
        degree=said["degree"],
        state=said["state"],
        npi=said["npi"],
    )

    running = challenges.start_challenge(claim=claim)
    for position, entry in enumerate(running.sheet):
        known = set(said["answers"].values()) & set(entry["options"])
        choice = entry["options"].index(known.pop() if known else "None of these")
        challenges.answer(claim=claim, position=position, choice=choice)

    claim.refresh_from_db()
    assert claim.state == State.CHALLENGED


@pytest.mark.parametrize(("kind", "address"), [("phone", ""), ("email", "j.fitzwallace@mercyridge.example")])
def test_the_demo_applicant_can_prove_it_by_a_code(
    demonstration, kind, address, settings, tmp_path, monkeypatch
):
    settings.CALL_PROVIDER, settings.VAR_DIR = "verification.calling.Files", tmp_path
    monkeypatch.setattr(calling_hours, "may_ring", lambda state, now: True)
    claim = Claim.objects.get(user__email="applicant@demo.sermo.test")
    claim = states.move(claim=claim, to=State.CHALLENGED, as_=states.SYSTEM)

    codes.deliver(proof_id=codes.send_code(claim=claim, kind=kind, address=address).pk)
    said = mail.outbox[0].body if address else words_of_call(tmp_path)
    codes.check_code(claim=claim, kind=kind, code=code_said(said))

    assert automatic.decide(claim_id=claim.pk).state == State.VERIFIED


def words_of_call(folder):
    (call,) = (folder / "calls").iterdir()
    return call.read_text().partition("\n\n")[2]


@pytest.mark.parametrize(
    ("handle", "state", "words"),
    [
        ("board_says_no", State.SUSPENDED, "Your appeal is with a reviewer"),
        ("date_is_over", State.LAPSED, "Reading stays open"),
    ],
)
def test_who_is_suspended_or_lapsed_can_log_in_and_read_why(demonstration, client, handle, state, words):
    member = Member.objects.select_related("user").get(handle=handle)
    assert client.login(email=member.user.email, password=DEMO_PASSWORD)

    assert words in client.get(reverse("verification:start")).text
    assert Claim.objects.get(user=member.user).state == state


def test_an_incident_is_under_way(demonstration):
    incident = Incident.objects.get()

    assert incidents.next_step(incident) == "assessed"
    assert incidents.clock(incident).days_left == 51


def test_domains_wait_for_a_reviewer(demonstration):
    assert MailDomain.objects.filter(state="asked").count() == len(demo.ASKED_DOMAINS)


def test_the_queue_has_a_claim_of_every_kind(demonstration):
    waiting = {claim.user.as_member.handle: claim for claim in Claim.objects.in_queue()}

    assert len(waiting) == 17
    assert "resident" in waiting["in_training"].doubts
    assert waiting["misspelled"].doubts == ["name"]
    assert waiting["two_digits_swapped"].doubts == ["license_differs"]
    assert waiting["not_in_the_file"].doubts == ["no_match"]
    assert waiting["other_degree"].first_approval is not None
    assert waiting["appeals"].appeal
    assert waiting["board_says_no"].state == State.SUSPENDED
    assert waiting["board_says_no"].appeal
    assert waiting["four_people"].state == State.LOCKED
    assert waiting["came_second"].state == State.DISPUTED_RIVAL
    assert waiting["came_first"].state == State.DISPUTED_HOLDER
    assert waiting["somebody_objects"].objections.filter(objected_at__isnull=False).count() == 1
    assert len(vouching.standing_vouches(waiting["two_vouch"])) == 2
    assert {handle for handle, claim in waiting.items() if claim.is_ahead} == {
        "two_vouch",
        "came_second",
        "somebody_objects",
    }
    assert {risk.band_of(claim.risk) for claim in waiting.values()} == {"low", "medium", "high"}
    namesake = Provider.objects.get(npi=demo_queue.NAMESAKE.npi)
    assert registry.exclusions_of(namesake).verdict == "possible"


def test_the_demonstration_can_foretell_decisions(demonstration):
    said = foretold.foretell()

    assert said.of == 50
    assert "Half of the last 50 were decided within" in said.words


def test_the_reviewer_of_the_demonstration_can_take_the_next(demonstration):
    claim = queue.take_next(by=User.objects.get(email="reviewer@demo.sermo.test"))

    assert claim.is_ahead
    queue.release(claim=claim, by=claim.held_by)


def test_no_license_of_the_demonstration_lapses_or_is_doubted_by_the_first_nights(demonstration):
    held = Claim.objects.holding()
    before = dict(held.values_list("case_number", "state"))
    assert LicenseCheck.objects.filter(wants_look=True, looked_at=None).count() == demo.DRAWN
    assert set(LicenseCheck.objects.values_list("claim", flat=True)) == set(held.values_list("pk", flat=True))

    license_clock.run()
    rechecks.recheck_due()

    assert dict(held.all().values_list("case_number", "state")) == before
