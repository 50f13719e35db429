import io

import pytest
from django.db import transaction

from accounts import demo as people
from accounts import reference as specialties
from accounts.models import Member
from verification import demo, reference, registry
from verification.models import Claim, LicenseCheck, Provider
from verification.models.claims import State
from verification.names import PersonName
from verification.services import byline, events, license_clock, rechecks
from verification.services import challenge as challenges
from verification.services.claims import start_claim

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


def test_the_queue_has_a_namesake_a_resident_and_a_misspelling(demonstration):
    doubts = [claim.doubts for claim in Claim.objects.in_queue()]

    assert "resident" in doubts[1]
    assert doubts[2]
    namesake = Provider.objects.get(npi=demo.QUEUE[0][1])
    assert registry.exclusions_of(namesake).verdict == "possible"


def test_no_license_of_the_demonstration_lapses_or_is_doubted_by_the_first_nights(demonstration):
    held = Claim.objects.holding()
    assert LicenseCheck.objects.filter(wants_look=True).count() == demo.DRAWN
    assert LicenseCheck.objects.count() == held.count()

    license_clock.run()
    rechecks.recheck_due()

    assert set(Claim.objects.holding().values_list("state", flat=True)) == {State.VERIFIED}
