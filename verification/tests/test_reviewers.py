"""What reviewers may not do, alone or twice, whatever page they come by."""

from datetime import timedelta

import pytest
from django.utils import timezone

from verification.models import Claim, Dispute, Objection
from verification.models.claims import State
from verification.services import (
    claims,
    decisions,
    disputes,
    held,
    license_clock,
    objections,
    outcome,
    proofs,
    queue,
)
from verification.signals import member_revoked
from verification.tests.factories import (
    image_bytes,
    make_claim,
    make_exclusion,
    make_provider,
    make_reviewer,
)
from verification.tests.license_cases import make_licensed, now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]


@pytest.fixture
def holder(provider):
    return make_licensed(provider=provider)


@pytest.fixture
def rival(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    return now(claim)


@pytest.fixture
def dispute(holder, rival, reviewer):
    """One that is due."""
    decisions.approve(claim=rival, by=reviewer, reason="document_fits", note="They agree.")
    Dispute.objects.update(opened_at=timezone.now() - timedelta(days=15), due_at=timezone.now())
    return Dispute.objects.get()


def judge(dispute, by, side="rival", **more):
    return disputes.give_opinion(dispute=dispute, by=by, side=side, note="As the documents say.", **more)


def answer(claim, by, act, reason=None, **more):
    reason = reason or held.REASONS[act][0]
    return held.answer(claim=claim, by=by, act=act, reason=reason, note="Compared and thought.", **more)


class TestNobodyPassesAnExclusion:
    def test_not_by_winning_a_dispute(self, dispute, provider, reviewer, second_reviewer):
        judge(dispute, reviewer)
        make_exclusion(provider)

        with pytest.raises(outcome.Excluded):
            judge(dispute, second_reviewer)

        assert now(dispute.rival_claim).state == State.DISPUTED_RIVAL
        assert now(dispute.holder_claim).state == State.DISPUTED_HOLDER

    def test_a_namesake_is_compared_in_a_dispute_too(self, dispute, reviewer):
        make_exclusion(make_provider(), npi=None, state="MI")

        with pytest.raises(outcome.ExclusionNotChecked):
            judge(dispute, reviewer)
        judge(dispute, reviewer, exclusion_checked=True)

        assert dispute.opinions.count() == 1

    def test_the_holders_side_can_be_taken_all_the_same(self, dispute, provider, reviewer):
        make_exclusion(provider)

        judge(dispute, reviewer, "holder")

        assert dispute.opinions.count() == 1

    def test_without_a_proof_a_dispute_is_not_won_and_says_so(self, dispute, reviewer):
        dispute.rival_claim.proofs.get().documents.update(deleted_at=timezone.now())

        with pytest.raises(disputes.NothingBrought):
            judge(dispute, reviewer)

    def test_not_by_an_appeal_while_the_list_has_the_npi(self, holder, provider, reviewer):
        make_exclusion(provider)
        held.suspend(claim=holder, reason=held.EXCLUDED, fact="row")

        with pytest.raises(held.StillExcluded):
            answer(holder, reviewer, "keep", exclusion_checked=True)

        assert now(holder).state == State.SUSPENDED

    def test_not_under_the_name_that_was_typed(self, provider, seeker, reviewer):
        """The registry knows the person by another spelling than the list does."""
        claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW, doubts=["name"])
        claim.identity["typed"]["last"] = "Zephyrwood"
        claim.save()
        proofs.add_document(claim=claim, sort="license", data=image_bytes())
        make_exclusion(
            make_provider("Zephyrwood", provider.first_name.title()), npi=None, state=provider.practice_state
        )

        assert "exclusion" in decisions.reasons_for_two(now(claim))
        with pytest.raises(outcome.ExclusionNotChecked):
            decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="They agree.")


class TestWhoMayNotJudgeADispute:
    def test_who_vouched_for_a_side(self, dispute, reviewer):
        dispute.rival_claim.vouches.create(
            claimant=dispute.rival_claim.user,
            voucher=reviewer,
            relation="works",
            statement="We share nights.",
        )

        with pytest.raises(disputes.NotForYou):
            judge(dispute, reviewer)

    def test_who_claimed_the_same_identity(self, dispute, provider, reviewer):
        Claim.objects.filter(pk=make_claim(provider=provider, state=State.WITHDRAWN).pk).update(user=reviewer)

        with pytest.raises(disputes.NotForYou):
            judge(dispute, reviewer, "holder")

    def test_who_found_against_the_claim_before_its_appeal(self, dispute, seeker, reviewer, second_reviewer):
        judge(dispute, reviewer, "holder")
        judge(dispute, second_reviewer, "holder")
        claims.appeal(user=seeker.user, text="The other card is forged.")
        third = make_reviewer()
        again = decisions.approve(
            claim=dispute.rival_claim, by=third, reason="document_fits", note="They agree."
        )
        second = Dispute.objects.get(rival_claim=again, outcome="")

        for each in (reviewer, second_reviewer):
            with pytest.raises(disputes.JudgedBefore):
                judge(second, each, "holder")
        judge(second, third, "holder")

    def test_who_says_not_why(self, dispute, reviewer):
        with pytest.raises(disputes.ReasonMissing):
            disputes.give_opinion(dispute=dispute, by=reviewer, side="holder", note=" ")

    def test_while_another_reads_it(self, dispute, reviewer, second_reviewer):
        queue.hold(claim=dispute.rival_claim, by=second_reviewer)

        with pytest.raises(queue.HeldByAnother):
            judge(dispute, reviewer)
        judge(dispute, second_reviewer)
        judge(dispute, reviewer, "holder")  # an opinion ends what its reviewer held


class TestTwoOfOneMind:
    def test_one_alone_does_not_make_it_a_fraud(self, holder, reviewer, second_reviewer):
        heard = []

        def hear(**fact):
            heard.append(fact["claim"])

        Claim.objects.filter(pk=holder.pk).update(state=State.SUSPENDED)
        member_revoked.connect(hear)
        try:
            answer(holder, reviewer, "revoke", "license_ended")
            answer(holder, second_reviewer, "revoke", "not_own")
            assert now(holder).state == State.SUSPENDED
            answer(holder, make_reviewer(), "revoke", "license_ended")
        finally:
            member_revoked.disconnect(hear)

        assert now(holder).state == State.REVOKED
        assert heard == []

    def test_a_look_at_the_board_waits_for_who_reads_the_license(
        self, holder, reviewer, second_reviewer, settings
    ):
        settings.LOOK_UP_SHARE = 1
        check = license_clock.confirm(user=holder.user, expires_on=timezone.localdate() + timedelta(days=200))
        held.raise_doubt(claim=holder, doubt="gone", fact="gone")
        queue.hold(claim=now(holder), by=reviewer)

        with pytest.raises(queue.HeldByAnother):
            license_clock.look_up(check=check, by=second_reviewer, finding="ended", note="Seen there.")

        license_clock.look_up(check=check, by=reviewer, finding="ended", note="Seen there.")
        assert (now(holder).state, now(holder).held_by) == (State.SUSPENDED, None)


class TestTheNextClaim:
    def test_an_appeal_is_not_offered_to_who_suspended(self, holder, reviewer, second_reviewer):
        answer(holder, reviewer, "suspend", "no_license")
        claims.appeal(user=holder.user, text="It is in force; see the board.")

        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=reviewer)
        assert queue.take_next(by=second_reviewer) == holder

    def test_who_would_revoke_is_not_asked_again(self, holder, reviewer, second_reviewer):
        held.raise_doubt(claim=holder, doubt="gone", fact="gone")
        answer(holder, reviewer, "revoke", "not_own")

        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=reviewer)
        assert queue.take_next(by=second_reviewer) == holder

        answer(holder, second_reviewer, "ask", message="Send the card.")
        proofs.add_document(claim=now(holder), sort="license", data=image_bytes())
        assert queue.take_next(by=reviewer) == holder

    def test_who_vouched_is_not_asked(self, rival, reviewer):
        rival.vouches.create(
            claimant=rival.user, voucher=reviewer, relation="works", statement="We share the night shifts."
        )

        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=reviewer)

    def test_the_appeal_of_a_lost_dispute_is_for_others(self, dispute, seeker, reviewer, second_reviewer):
        judge(dispute, reviewer, "holder")
        judge(dispute, second_reviewer, "holder")
        claims.appeal(user=seeker.user, text="The other card is forged.")

        with pytest.raises(queue.NothingToTake):
            queue.take_next(by=reviewer)
        assert queue.take_next(by=make_reviewer()) == dispute.rival_claim


class TestObjections:
    @pytest.fixture
    def object_to(self):
        def say(claim, code, way="mail"):
            Objection.objects.create(claim=claim, way=way, code_hash=objections._hash(code))
            objections.object_to(code=code)
            return now(claim)

        return say

    def test_they_are_weighed_as_they_come_and_cleared_by_the_answer(self, holder, reviewer, object_to):
        claim = object_to(holder, "first")
        assert (claim.is_ahead, claim.risk) == (True, 6)

        answer(claim, reviewer, "keep", "other")
        claim = now(claim)
        assert (claim.is_ahead, claim.queued_at, claim.risk, claim.doubts) == (False, None, 0, [])

        claim = object_to(claim, "second", way="fax")
        assert (claim.is_ahead, claim.risk) == (True, 6)

    def test_what_came_up_in_a_dispute_is_looked_at_when_the_rival_withdraws(
        self, dispute, seeker, object_to
    ):
        object_to(now(dispute.holder_claim), "first")

        claims.withdraw(user=seeker.user)

        claim = now(dispute.holder_claim)
        assert (claim.state, claim.doubts) == (State.NEEDS_REVIEW_HELD, ["objected"])
        assert claim.queued_at

    def test_who_wins_the_dispute_is_doubted_no_more(self, dispute, reviewer, second_reviewer, object_to):
        object_to(now(dispute.holder_claim), "first")

        for each in (reviewer, second_reviewer):
            judge(dispute, each, "holder")

        claim = now(dispute.holder_claim)
        assert (claim.state, claim.doubts) == (State.VERIFIED, [])
        assert queue.facts_of(claim).objections == 0


def test_doubts_and_appeals_are_weighed_as_they_come(holder):
    held.raise_doubt(claim=holder, doubt="gone", fact="gone")
    assert now(holder).risk == 3

    held.suspend(claim=holder, reason="license_ended", fact="row")
    claims.appeal(user=holder.user, text="It is in force; see the board.")
    assert now(holder).risk == 3
