import io

import pytest
from django.core import mail
from django.db import transaction

from accounts import demo as people
from accounts import reference as specialties
from accounts.models import Member
from verification import calling_hours, demo, reference, registry
from verification.models import Claim, MailDomain, Provider
from verification.models.claims import State
from verification.names import PersonName
from verification.services import automatic, byline, codes, events, states
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
    assert Claim.objects.filter(state=State.VERIFIED).count() == physicians.count()
    assert Claim.objects.in_queue().count() == 3
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


def test_domains_wait_for_a_reviewer(demonstration):
    assert MailDomain.objects.filter(state="asked").count() == len(demo.ASKED_DOMAINS)


def test_the_queue_has_a_namesake_a_resident_and_a_misspelling(demonstration):
    doubts = [claim.doubts for claim in Claim.objects.in_queue()]

    assert "resident" in doubts[1]
    assert doubts[2]
    namesake = Provider.objects.get(npi=demo.QUEUE[0][1])
    assert registry.exclusions_of(namesake).verdict == "possible"
