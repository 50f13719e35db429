from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Member
from verification import rules, tasks
from verification.models import Challenge, Claim, Decision, Objection
from verification.models.claims import State
from verification.services import claims, decisions, disputes, events, proofs, queue
from verification.tests.factories import (
    image_bytes,
    make_applicant,
    make_claim,
    make_exclusion,
    make_provider,
    make_reviewer,
    make_vouchers,
    start,
)

pytestmark = pytest.mark.django_db


def make_waiting(hours=1, **fields):
    """A claim that waits for a reviewer since some hours."""
    return make_claim(
        provider=make_provider(),
        **{"state": State.NEEDS_REVIEW, "queued_at": timezone.now() - timedelta(hours=hours), **fields},
    )


@pytest.fixture(autouse=True)
def reference(schools, specialties):
    pass


class TestTakingTheNext:
    def test_the_head_comes_first_then_the_longest_waiting(self, reviewer):
        young, old, ahead = make_waiting(1), make_waiting(9), make_waiting(2, is_ahead=True)

        taken = []
        for _ in range(3):
            claim = queue.take_next(by=reviewer)
            taken.append(claim)
            Claim.objects.filter(pk=claim.pk).update(queued_at=None)

        assert taken == [ahead, old, young]

    def test_it_is_held_for_fifteen_minutes(self, reviewer):
        make_waiting()

        claim = queue.take_next(by=reviewer)

        claim.refresh_from_db()
        assert claim.held_by == reviewer
        left = claim.held_until - timezone.now()
        assert timedelta(minutes=14) < left <= timedelta(minutes=rules.HOLD_MINUTES)

    def test_what_another_reads_is_passed_over(self, reviewer, second_reviewer):
        first, second = make_waiting(9), make_waiting(1)
        assert queue.take_next(by=reviewer) == first

        assert queue.take_next(by=second_reviewer) == second
        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=make_reviewer())

    def test_after_its_time_it_is_free_again(self, reviewer, second_reviewer):
        claim = make_waiting(held_by=reviewer, held_until=timezone.now() - timedelta(seconds=1))

        assert queue.take_next(by=second_reviewer) == claim

    def test_from_one_claim_to_the_next_and_round_again(self, reviewer):
        first, second, third = make_waiting(9, is_ahead=True), make_waiting(5), make_waiting(1)

        seen = [queue.take_next(by=reviewer)]
        for _ in range(3):
            seen.append(queue.take_next(by=reviewer, after=seen[-1]))

        assert seen == [first, second, third, first]

    def test_going_on_lets_go_of_what_was_held(self, reviewer, second_reviewer):
        first, second = make_waiting(9), make_waiting(1)
        queue.take_next(by=reviewer)
        assert queue.take_next(by=reviewer, after=first) == second

        assert queue.take_next(by=second_reviewer) == first

    def test_after_a_decision_the_head_of_the_queue_comes(self, reviewer):
        decided, head = make_waiting(1), make_waiting(9)
        Claim.objects.filter(pk=decided.pk).update(queued_at=None)
        decided.refresh_from_db()

        assert queue.take_next(by=reviewer, after=decided) == head

    def test_an_empty_queue_says_so(self, reviewer):
        make_claim(provider=make_provider(), state=State.MATCHED)

        with pytest.raises(queue.NothingToTake, match="No claim is free"):
            queue.take_next(by=reviewer)

    def test_ones_own_claim_is_never_taken(self, reviewer):
        make_waiting(member=make_applicant(user=reviewer))

        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=reviewer)

    def test_what_one_approved_first_is_for_another(self, reviewer, second_reviewer):
        claim = make_waiting(doubts=["name"])
        proofs.add_document(claim=claim, sort="license", data=image_bytes())
        decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="They agree.")

        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=reviewer)
        assert queue.take_next(by=second_reviewer) == claim

    def test_an_appeal_is_for_another(self, reviewer, second_reviewer):
        claim = make_waiting()
        decisions.reject(claim=claim, by=reviewer, reason="mismatch", note="Another name.")
        claims.appeal(user=claim.user, text="The card shows my name before I married.")

        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=reviewer)
        assert queue.take_next(by=second_reviewer) == claim

    def test_a_dispute_is_for_those_without_an_opinion(self, reviewer, second_reviewer):
        provider = make_provider()
        holder = make_claim(provider=provider, state=State.VERIFIED)
        rival = make_claim(provider=provider, state=State.CHALLENGED)
        proofs.add_document(claim=rival, sort="license", data=image_bytes())
        decisions.approve(claim=rival, by=reviewer, reason="document_fits", note="They agree.")
        disputes.give_opinion(
            dispute=holder.disputes_held.get(), by=reviewer, side="holder", note="The card looks drawn."
        )

        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=reviewer)
        assert queue.take_next(by=second_reviewer) == rival


@pytest.mark.django_db(transaction=True)
def test_reviewers_who_ask_at_once_get_different_claims(reference):
    for hours in range(1, 5):
        make_waiting(hours)
    reviewers = [make_reviewer() for _ in range(4)]

    def take(by):
        try:
            return queue.take_next(by=by).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as crowd:
        taken = list(crowd.map(take, reviewers))

    assert len(set(taken)) == 4


class TestHolding:
    def test_opening_holds_it_unless_another_does(self, reviewer, second_reviewer):
        claim = make_waiting()

        assert queue.hold(claim=claim, by=reviewer).held_by == reviewer
        assert queue.hold(claim=claim, by=second_reviewer).held_by == reviewer

    def test_a_reviewer_holds_one_at_a_time(self, reviewer):
        first, second = make_waiting(9), make_waiting(1)
        queue.hold(claim=first, by=reviewer)

        queue.hold(claim=second, by=reviewer)

        assert list(Claim.objects.filter(held_by=reviewer)) == [second]

    def test_what_does_not_wait_is_not_held(self, reviewer):
        claim = make_claim(provider=make_provider(), state=State.VERIFIED)

        assert queue.hold(claim=claim, by=reviewer).held_by is None

    def test_a_claim_one_cannot_decide_is_not_held(self, reviewer):
        claim = make_waiting(member=make_applicant(user=reviewer))

        assert queue.hold(claim=claim, by=reviewer).held_by is None

    def test_it_is_put_back_by_its_holder_alone(self, reviewer, second_reviewer):
        claim = queue.hold(claim=make_waiting(), by=reviewer)

        assert queue.release(claim=claim, by=second_reviewer).held_by == reviewer
        assert queue.release(claim=claim, by=reviewer).held_by is None

    @pytest.mark.parametrize("act", ["approve", "reject", "ask"])
    def test_a_decision_ends_it(self, reviewer, act):
        claim = queue.hold(claim=make_waiting(is_ahead=True), by=reviewer)
        proofs.add_document(claim=claim, sort="license", data=image_bytes())

        _decide(act, claim, reviewer)

        claim.refresh_from_db()
        assert (claim.held_by, claim.held_until, claim.is_ahead) == (None, None, False)

    @pytest.mark.parametrize("act", ["approve", "reject", "ask"])
    def test_nobody_else_decides_meanwhile(self, reviewer, second_reviewer, act):
        claim = queue.hold(claim=make_waiting(), by=reviewer)
        proofs.add_document(claim=claim, sort="license", data=image_bytes())

        with pytest.raises(queue.HeldByAnother, match=f"Reviewer {reviewer.pk} reads this claim until"):
            _decide(act, claim, second_reviewer)


def _decide(act, claim, by):
    if act == "approve":
        return decisions.approve(claim=claim, by=by, reason="document_fits", note="They agree.")
    if act == "reject":
        return decisions.reject(claim=claim, by=by, reason="mismatch", note="Another name.")
    return decisions.ask_for_more(
        claim=claim, by=by, reason="unreadable", note="Blurred.", message="A sharper photo of the card."
    )


class TestRisk:
    def test_a_claim_is_weighed_as_it_enters_the_queue(self, seeker):
        provider = make_provider()
        claim = start(seeker, provider, npi="", license_number="998877")  # nobody in the registry

        proofs.add_document(claim=claim, sort="license", data=image_bytes())

        claim.refresh_from_db()
        assert claim.risk == 3

    def test_vouched_claims_and_appeals_are_weighed_too(self, seeker, reviewer):
        claim = make_claim(seeker, make_provider(), state=State.NEEDS_REVIEW, doubts=["name"])
        make_vouchers(claim)
        claim.refresh_from_db()
        assert claim.risk == 2

        decisions.reject(claim=claim, by=reviewer, reason="mismatch", note="Another name.")
        Claim.objects.update(risk=0)
        claims.appeal(user=seeker.user, text="The card shows my name before I married.")
        claim.refresh_from_db()
        assert claim.risk == 2

    def test_others_who_claim_or_hold_the_identity_count(self, seeker):
        provider = make_provider()
        claim = make_claim(seeker, provider)
        make_claim(provider=provider, state=State.VERIFIED)
        make_claim(provider=provider, state=State.CHALLENGED)
        make_claim(provider=provider, state=State.WITHDRAWN)

        assert queue.facts_of(claim).others == 2

    def test_other_people_the_account_named_count_once_each(self, seeker):
        first, second = make_provider(), make_provider()
        for provider in (first, first, second):
            make_claim(seeker, provider, state=State.WITHDRAWN)

        assert queue.facts_of(make_claim(seeker, make_provider())).identities == 2
        Claim.objects.filter(state=State.MATCHED).delete()
        assert queue.facts_of(make_claim(seeker, first)).identities == 1

    def test_exclusions_count(self, seeker):
        provider = make_provider()
        claim = make_claim(seeker, provider)
        make_exclusion(provider, npi=None)

        assert queue.facts_of(claim).exclusion == "possible"

    def test_objections_count_once_made(self, seeker):
        claim = make_claim(seeker, make_provider())
        objection = Objection.objects.create(claim=claim, way="mail", code_hash="x")
        assert queue.facts_of(claim).objections == 0

        objection.objected_at = timezone.now()
        objection.save()

        assert queue.facts_of(claim).objections == 1

    def test_an_address_shared_with_another_account_counts(self, seeker):
        claim, other = make_claim(seeker, make_provider()), make_claim(provider=make_provider())
        events.record(kind="challenge_started", claim=claim, by=claim.user, address_hash="here")
        events.record(kind="challenge_started", claim=claim, by=claim.user, address_hash="here")
        assert not queue.facts_of(claim).shares_address

        events.record(kind="challenge_started", claim=other, by=other.user, address_hash="here")

        assert queue.facts_of(claim).shares_address

    def test_what_waits_is_weighed_anew_as_others_come(self, seeker):
        provider = make_provider()
        claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW, queued_at=timezone.now())
        assert tasks.weigh_queue() == 0

        make_claim(provider=provider, state=State.CHALLENGED)

        assert tasks.weigh_queue() == 1
        claim.refresh_from_db()
        assert claim.risk == 3

    def test_no_challenge_is_needed_to_weigh(self, seeker):
        claim = make_claim(seeker, make_provider())

        assert not Challenge.objects.exists()
        assert queue.weigh(claim).risk == 0


def test_how_long_a_claim_waited_is_written_with_the_decision(reviewer):
    claim = make_waiting(hours=3)

    decisions.reject(claim=claim, by=reviewer, reason="mismatch", note="Another name.")

    waited = Decision.objects.get().waited
    assert timedelta(hours=3) <= waited < timedelta(hours=3, minutes=1)


def test_a_decision_nobody_waited_for_has_no_time(reviewer, seeker):
    claim = make_claim(seeker, make_provider(), state=State.CHALLENGED)

    decisions.reject(claim=claim, by=reviewer, reason="mismatch", note="Another name.")

    assert Decision.objects.get().waited is None
    assert Member.objects.get(pk=seeker.pk).standing == "applicant"
