"""An approval against the record takes two people, of whom the second looks for themselves."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Member
from verification.models import Claim, Decision, Event
from verification.models.claims import State
from verification.services import decisions, outcome, proofs
from verification.tests.factories import image_bytes, make_claim, make_exclusion, make_provider, start

pytestmark = pytest.mark.django_db


def claim_with(seeker, provider, *, sort="license", **fields):
    claim = make_claim(seeker, provider, **{"state": State.NEEDS_REVIEW, **fields})
    proofs.add_document(claim=claim, sort=sort, data=image_bytes())
    return Claim.objects.get(pk=claim.pk)


@pytest.fixture
def doubted(seeker, provider):
    return claim_with(seeker, provider, doubts=["license_differs"])


def approve(claim, reviewer, **changes):
    said = {"reason": "document_fits", "note": "Card and registry agree.", **changes}
    return decisions.approve(claim=claim, by=reviewer, **said)


@pytest.mark.parametrize("doubt", decisions.AGAINST_THE_RECORD)
def test_against_the_record_one_approval_is_not_enough(seeker, provider, reviewer, second_reviewer, doubt):
    claim = claim_with(seeker, provider, doubts=[doubt])

    assert approve(claim, reviewer).state == State.NEEDS_REVIEW
    assert Member.objects.get(pk=seeker.pk).standing == "applicant"
    assert approve(claim, second_reviewer).state == State.VERIFIED


@pytest.mark.parametrize(
    "doubt", ["few_facts", "questions_failed", "skipped", "resident", "no_license", "appeal"]
)
def test_other_doubts_take_one(seeker, provider, reviewer, doubt):
    assert approve(claim_with(seeker, provider, doubts=[doubt]), reviewer).state == State.VERIFIED


def test_documents_of_another_sort_alone_take_two(seeker, provider, reviewer):
    claim = claim_with(seeker, provider, sort="other")
    assert decisions.reasons_for_two(claim) == ["documents"]
    assert approve(claim, reviewer).state == State.NEEDS_REVIEW


def test_a_license_card_beside_them_takes_one(seeker, provider, reviewer):
    claim = claim_with(seeker, provider, sort="other")
    proofs.add_document(claim=claim, sort="badge", data=image_bytes((500, 500)))

    assert approve(claim, reviewer).state == State.VERIFIED


def test_a_possible_exclusion_takes_two_who_both_compared(seeker, provider, reviewer, second_reviewer):
    claim = claim_with(seeker, provider)
    make_exclusion(provider, npi=None)
    assert approve(claim, reviewer, exclusion_checked=True).state == State.NEEDS_REVIEW

    with pytest.raises(outcome.ExclusionNotChecked):
        approve(claim, second_reviewer)
    assert approve(claim, second_reviewer, exclusion_checked=True).state == State.VERIFIED


def test_nobody_in_the_registry_takes_two(seeker, provider, reviewer, second_reviewer):
    claim = start(seeker, provider, npi="", license_number="998877")
    proofs.add_document(claim=claim, sort="license", data=image_bytes())

    assert approve(claim, reviewer).state == State.NEEDS_REVIEW
    assert approve(claim, second_reviewer).state == State.VERIFIED


def test_the_claim_waits_on_where_it_stood(doubted, reviewer):
    since = doubted.queued_at

    approved = approve(doubted, reviewer)

    assert (approved.queued_at, approved.held_by) == (since, None)
    assert approved.first_approval.reviewer == reviewer
    assert approved.first_approval.waited is None
    assert Event.objects.filter(kind="approved_first", case_number=doubted.case_number).count() == 1


@pytest.mark.parametrize("act", ["approve", "reject", "ask"])
def test_the_first_reviewer_decides_nothing_more(doubted, reviewer, act):
    approve(doubted, reviewer)

    with pytest.raises(decisions.ApprovedByYou):
        decide(act, doubted, reviewer)


@pytest.mark.parametrize("act", ["reject", "ask"])
def test_anything_but_an_approval_ends_the_first(doubted, reviewer, second_reviewer, act):
    approve(doubted, reviewer)
    decide(act, doubted, second_reviewer)

    doubted.refresh_from_db()
    assert doubted.first_approval is None
    assert doubted.state == {"reject": State.REJECTED, "ask": State.NEEDS_REVIEW}[act]


def test_after_more_was_asked_for_it_takes_two_again(doubted, reviewer, second_reviewer):
    approve(doubted, reviewer)
    decide("ask", doubted, second_reviewer)
    proofs.add_document(claim=doubted, sort="letter", data=image_bytes((500, 500)))

    assert approve(doubted, reviewer).state == State.NEEDS_REVIEW
    assert approve(doubted, second_reviewer).state == State.VERIFIED


def decide(act, claim, by):
    if act == "approve":
        return approve(claim, by)
    if act == "reject":
        return decisions.reject(claim=claim, by=by, reason="mismatch", note="Another name.")
    return decisions.ask_for_more(
        claim=claim, by=by, reason="unreadable", note="Blurred.", message="A sharper photo of the card."
    )


def test_two_approvals_to_a_held_identity_open_a_dispute(doubted, provider, reviewer, second_reviewer):
    make_claim(provider=provider, state=State.VERIFIED)
    approve(doubted, reviewer)

    assert approve(doubted, second_reviewer).state == State.DISPUTED_RIVAL


def test_the_second_decision_says_who_was_first(doubted, reviewer, second_reviewer):
    approve(doubted, reviewer)
    approve(doubted, second_reviewer)

    second = Decision.objects.get(reviewer=second_reviewer)
    assert second.first_reviewer == reviewer
    assert second.waited is not None


def test_the_database_refuses_one_person_for_both(doubted, reviewer):
    with pytest.raises(IntegrityError, match="decision_second_is_by_another"), transaction.atomic():
        Decision.objects.create(
            claim=doubted,
            reviewer=reviewer,
            first_reviewer=reviewer,
            outcome="approve",
            reason="document_fits",
            note="Twice.",
        )


def test_a_rejection_takes_one_and_keeps_the_words_for_the_applicant(seeker, provider, reviewer):
    claim = claim_with(seeker, provider, doubts=["no_match"])

    rejected = decisions.reject(
        claim=claim,
        by=reviewer,
        reason="mismatch",
        note="Another name.",
        message=" The card says another name. ",
    )

    assert (rejected.state, rejected.asked_for) == (State.REJECTED, "The card says another name.")


def test_a_claim_without_doubts_takes_one(seeker, reviewer, schools, specialties):
    claim = claim_with(seeker, make_provider(), queued_at=timezone.now())

    assert decisions.reasons_for_two(claim) == []
    assert approve(claim, reviewer).state == State.VERIFIED
