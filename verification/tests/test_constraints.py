"""What the database refuses, whoever asks."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from verification.models import (
    Challenge,
    Claim,
    DayCount,
    Dispute,
    DisputeOpinion,
    Document,
    IdentityGuard,
    Proof,
    Vouch,
)
from verification.models.claims import HOLDING, State
from verification.tests.factories import make_applicant, make_claim, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


def refused(constraint):
    return pytest.raises(IntegrityError, match=constraint)


@pytest.mark.parametrize("state", HOLDING)
def test_one_claim_holds_an_npi(provider, state):
    make_claim(provider=provider, state=State.VERIFIED, license_hash=None)

    with refused("claim_one_holder_per_npi"), transaction.atomic():
        make_claim(
            provider=provider, state=state, license_hash=None, method="document", verified_at=timezone.now()
        )


@pytest.mark.parametrize("state", HOLDING)
def test_one_claim_holds_a_license(provider, state):
    make_claim(provider=provider, state=State.VERIFIED, npi_hash=None)

    with refused("claim_one_holder_per_license"), transaction.atomic():
        make_claim(
            provider=provider, state=state, npi_hash=None, method="document", verified_at=timezone.now()
        )


def test_any_number_may_be_undecided(provider):
    for _ in range(4):
        make_claim(provider=provider, state=State.PROVEN)

    assert Claim.objects.count() == 4


def test_one_unfinished_claim_per_user(claim, seeker, schools, specialties):
    with refused("claim_one_unfinished_per_user"):
        make_claim(seeker, make_provider(), state=State.DRAFT)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"state": "approved"}, "claim_state_is_known"),
        ({"state": "verified", "npi_hash": None, "license_hash": None}, "claim_holder_holds_something"),
        ({"state": "verified", "verified_at": None}, "claim_holder_was_verified"),
        ({"state": "verified", "method": ""}, "claim_holder_was_verified"),
        ({"state": "rejected"}, "claim_rejected_for_a_reason"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(provider, fields, constraint):
    with refused(constraint):
        make_claim(provider=provider, **fields)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"number": 3}, "challenge_first_or_second"),
        ({"number": 0}, "challenge_first_or_second"),
        ({"number": 2}, "challenge_one_running"),
        (
            {"number": 1, "verdict": "failed", "finished_at": timezone.now()},
            "challenge_number_once_per_claim",
        ),
        ({"number": 2, "verdict": "failed"}, "challenge_finished_with_verdict"),
        ({"number": 2, "verdict": "won", "finished_at": timezone.now()}, "challenge_finished_with_verdict"),
    ],
)
def test_a_challenge_that_makes_no_sense_is_refused(claim, fields, constraint):
    Challenge.objects.create(claim=claim, number=1, facts=[], sheet=[])

    with refused(constraint):
        Challenge.objects.create(claim=claim, facts=[], sheet=[], **fields)


def test_a_third_try_on_a_person_is_refused(db):
    with refused("identity_guard_two_tries_ever"):
        IdentityGuard.objects.create(identity_hash="0" * 64, tries_used=3)


def test_an_address_is_counted_in_one_row_a_day(db):
    DayCount.objects.create(key_hash="0" * 64, day=timezone.now().date())

    with refused("day_count_once"):
        DayCount.objects.create(key_hash="0" * 64, day=timezone.now().date())


def test_an_address_count_is_above_zero(db):
    with refused("day_count_above_zero"):
        DayCount.objects.create(key_hash="0" * 64, day=timezone.now().date(), count=0)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"kind": "document"}, "proof_once_per_kind"),
        ({"kind": "selfie"}, "proof_kind_is_known"),
        ({"kind": "phone", "tries": 6}, "proof_five_tries"),
    ],
)
def test_a_proof_that_makes_no_sense_is_refused(claim, fields, constraint):
    Proof.objects.create(claim=claim, kind="document")

    with refused(constraint):
        Proof.objects.create(claim=claim, **fields)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"sha256": "a"}, "document_once_per_claim"),
        ({"sha256": "b", "pages": 0}, "document_one_to_ten_pages"),
        ({"sha256": "b", "pages": 11}, "document_one_to_ten_pages"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(claim, fields, constraint):
    proof = Proof.objects.create(claim=claim, kind="document")
    Document.objects.create(proof=proof, sort="license", sha256="a", size=1, pages=1)

    with refused(constraint):
        Document.objects.create(**{"proof": proof, "sort": "license", "size": 1, "pages": 1, **fields})


def test_a_voucher_signs_once(claim, physician):
    Vouch.objects.create(
        claim=claim, claimant=claim.user, voucher=physician.user, relation="works", statement="Yes."
    )

    with refused("vouch_once_per_claim"):
        Vouch.objects.create(
            claim=claim, claimant=claim.user, voucher=physician.user, relation="works", statement="Yes."
        )


def test_nobody_signs_for_themselves(claim):
    with refused("vouch_not_for_oneself"):
        Vouch.objects.create(
            claim=claim, claimant=claim.user, voucher=claim.user, relation="works", statement="Yes."
        )


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({}, "dispute_one_open_per_pair"),
        ({"due_at": timezone.now() - timedelta(days=1)}, "dispute_due_after_opening"),
        ({"outcome": "holder"}, "dispute_settled_with_outcome"),
        ({"outcome": "draw", "settled_at": timezone.now()}, "dispute_settled_with_outcome"),
    ],
)
def test_a_dispute_that_makes_no_sense_is_refused(claim, provider, fields, constraint):
    parties = {"holder_claim": make_claim(make_applicant(), provider), "rival_claim": claim}
    due = timezone.now() + timedelta(days=14)
    Dispute.objects.create(**parties, due_at=due)

    with refused(constraint):
        Dispute.objects.create(**{**parties, "due_at": due, **fields})


def test_a_dispute_has_two_sides(claim):
    with refused("dispute_between_two_claims"):
        Dispute.objects.create(
            holder_claim=claim, rival_claim=claim, due_at=timezone.now() + timedelta(days=14)
        )


@pytest.mark.parametrize(
    ("side", "constraint"), [("holder", "dispute_opinion_once"), ("both", "dispute_opinion_takes")]
)
def test_a_reviewer_takes_one_side_once(claim, provider, reviewer, side, constraint):
    dispute = Dispute.objects.create(
        holder_claim=make_claim(make_applicant(), provider),
        rival_claim=claim,
        due_at=timezone.now() + timedelta(days=14),
    )
    DisputeOpinion.objects.create(dispute=dispute, reviewer=reviewer, side="rival", note="Why.")

    with refused(constraint):
        DisputeOpinion.objects.create(dispute=dispute, reviewer=reviewer, side=side, note="Why.")
