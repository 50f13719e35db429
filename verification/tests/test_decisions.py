from datetime import date, timedelta

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from accounts.models import Member
from accounts.tasks import send_mail
from accounts.tests.factories import make_specialty
from verification.models import (
    Challenge,
    Claim,
    Decision,
    Dispute,
    Document,
    Event,
    IdentityGuard,
    LicenseStatus,
    Proof,
    Vouch,
)
from verification.models.claims import State
from verification.services import decisions, disputes, notices, outcome, proofs
from verification.signals import member_revoked, member_verified
from verification.tests.factories import (
    image_bytes,
    make_applicant,
    make_claim,
    make_exclusion,
    make_provider,
    make_vouchers,
    start,
)

pytestmark = pytest.mark.django_db
WHY = {"reason": "document_fits", "note": "Card and registry agree."}


@pytest.fixture
def claim(provider, seeker):
    return with_document(make_claim(seeker, provider, state=State.CHALLENGED))


def with_document(claim):
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    return Claim.objects.get(pk=claim.pk)


def approve(claim, reviewer, **changes):
    return decisions.approve(claim=claim, by=reviewer, **{**WHY, **changes})


def reject(claim, reviewer, **changes):
    return decisions.reject(
        claim=claim, by=reviewer, **{"reason": "mismatch", "note": "Another name on the card.", **changes}
    )


def heard(signal, act):
    """What a signal announced during an act."""
    facts = []

    def listen(**fact):
        facts.append(fact)

    signal.connect(listen)
    try:
        act()
    finally:
        signal.disconnect(listen)
    return facts


def test_an_approved_claim_is_verified_and_its_member_a_physician(claim, seeker, reviewer):
    verified = approve(claim, reviewer)

    seeker.refresh_from_db()
    assert (verified.state, verified.method, verified.level) == (State.VERIFIED, "document", 2)
    assert verified.queued_at is None
    assert seeker.standing == Member.Standing.PHYSICIAN
    assert [
        (event.from_state, event.to_state) for event in Event.objects.filter(kind="state").order_by("pk")
    ] == [
        ("challenged", "proven"),
        ("proven", "verified"),
    ]


def test_the_member_verified_is_announced(claim, seeker, reviewer):
    (fact,) = heard(member_verified, lambda: approve(claim, reviewer))

    assert (fact["member"], fact["claim"]) == (seeker, claim)


def test_the_mail_says_nothing_of_the_identity(claim, provider, reviewer):
    approve(claim, reviewer)
    send_mail()

    (message,) = mail.outbox
    assert message.to == [claim.user.email]
    assert "/verify/" in message.body
    assert "Quillfeather" not in message.subject + message.body
    assert provider.npi not in message.subject + message.body


def test_mail_goes_once_the_transaction_stands_also_without_a_broker(
    claim, reviewer, django_capture_on_commit_callbacks, monkeypatch
):
    def gone():
        raise OSError("no broker")

    monkeypatch.setattr(send_mail, "delay", gone)
    with django_capture_on_commit_callbacks(execute=True):
        approve(claim, reviewer)
    assert mail.outbox == []

    send_mail()  # the sweep

    (message,) = mail.outbox
    assert message.to == [claim.user.email]


def test_a_member_without_specialty_gets_the_registrys(claim, seeker, reviewer):
    approve(claim, reviewer)

    seeker.refresh_from_db()
    assert seeker.specialty.name == "Cardiovascular Disease"


def test_a_specialty_of_ones_own_choice_stays(claim, seeker, reviewer):
    Member.objects.filter(pk=seeker.pk).update(specialty=make_specialty("Dermatology"))

    approve(claim, reviewer)

    seeker.refresh_from_db()
    assert seeker.specialty.name == "Dermatology"


def test_a_claim_in_review_is_proven_by_the_reviewer(provider, seeker, reviewer):
    claim = with_document(make_claim(seeker, provider, state=State.NEEDS_REVIEW))

    assert approve(claim, reviewer).state == State.VERIFIED


def test_a_license_outside_the_registry_is_verified_by_document(provider, seeker, reviewer, second_reviewer):
    claim = with_document(start(seeker, provider, npi="", license_number="998877"))
    approve(claim, reviewer)

    assert claim.registry is None
    assert approve(claim, second_reviewer).state == State.VERIFIED


def test_nothing_is_approved_without_a_proof(provider, seeker, reviewer):
    claim = make_claim(seeker, provider, state=State.CHALLENGED, queued_at=timezone.now())

    with pytest.raises(outcome.NoProof):
        approve(claim, reviewer)


def test_three_colleagues_are_a_proof(provider, seeker, reviewer):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    make_vouchers(claim)

    assert approve(claim, reviewer, reason="colleagues_fit").method == "vouch"


def test_colleagues_do_not_stand_in_for_the_registry(provider, seeker, reviewer):
    claim = start(seeker, provider, npi="", license_number="998877")
    make_vouchers(claim)

    with pytest.raises(outcome.NoRegistryMatch):
        approve(claim, reviewer)


def test_an_excluded_npi_is_not_approved(claim, provider, reviewer):
    make_exclusion(provider)

    with pytest.raises(outcome.Excluded):
        approve(claim, reviewer, exclusion_checked=True)
    claim.refresh_from_db()
    assert claim.state == State.CHALLENGED


def test_a_namesake_on_the_exclusion_list_must_be_compared(claim, provider, reviewer):
    make_exclusion(provider, npi=None)

    with pytest.raises(outcome.ExclusionNotChecked):
        approve(claim, reviewer)


@pytest.mark.parametrize(
    ("status", "expires", "expired"),
    [
        ("Active", date(2020, 1, 1), True),
        ("Active", date(2099, 1, 1), False),
        ("Expired", None, True),
        ("Lapsed - not renewed", None, True),
    ],
)
def test_a_license_known_to_be_expired_is_not_approved(claim, reviewer, status, expires, expired):
    LicenseStatus.objects.create(
        state="MI",
        number_key=claim.registry["licenses"][0]["number_key"],
        degree="MD",
        last_name="QUILLFEATHER",
        status=status,
        expires_on=expires,
        source="board",
        as_of=date(2026, 11, 1),
    )

    if expired:
        with pytest.raises(outcome.LicenseExpired):
            approve(claim, reviewer)
    else:
        assert approve(claim, reviewer).license_expires_on == expires


def test_a_decision_needs_a_reviewer(claim, physician):
    with pytest.raises(decisions.NotAReviewer):
        approve(claim, physician.user)


def test_nobody_decides_their_own_claim(provider, reviewer):
    claim = with_document(make_claim(make_applicant(user=reviewer), provider, state=State.CHALLENGED))

    with pytest.raises(decisions.NotAReviewer):
        approve(claim, reviewer)


def test_a_decision_needs_a_reason_in_words(claim, reviewer):
    with pytest.raises(decisions.ReasonMissing):
        approve(claim, reviewer, note="  ")


def test_a_claim_is_decided_once(claim, reviewer, second_reviewer):
    approve(claim, reviewer)

    with pytest.raises(decisions.AlreadyDecided):
        approve(claim, second_reviewer)
    with pytest.raises(decisions.AlreadyDecided):
        reject(claim, second_reviewer)


@pytest.mark.parametrize("state", [State.CHALLENGED, State.NEEDS_REVIEW, State.PROVEN])
def test_a_rejection_has_a_reason_and_leaves_the_member_an_applicant(provider, seeker, reviewer, state):
    claim = make_claim(seeker, provider, state=state, queued_at=timezone.now())

    rejected = reject(claim, reviewer)

    seeker.refresh_from_db()
    assert (rejected.state, rejected.rejected_for, rejected.queued_at) == (State.REJECTED, "mismatch", None)
    assert seeker.standing == Member.Standing.APPLICANT
    assert Decision.objects.get().note == "Another name on the card."


def test_an_appeal_is_read_by_another_reviewer(claim, reviewer, second_reviewer, seeker):
    from verification.services import claims

    reject(claim, reviewer)
    claims.appeal(user=seeker.user, text="The card shows my name before I married.")

    with pytest.raises(decisions.SecondReviewerNeeded):
        approve(claim, reviewer)
    assert approve(claim, second_reviewer).state == State.VERIFIED


def test_asking_for_more_gives_the_claim_back(claim, reviewer):
    asked = decisions.ask_for_more(
        claim=claim,
        by=reviewer,
        reason="unreadable",
        note="Blurred.",
        message="A sharper photo of the whole card.",
    )

    assert (asked.state, asked.queued_at) == (State.CHALLENGED, None)
    assert asked.asked_for == "A sharper photo of the whole card."


def test_asking_for_more_says_what(claim, reviewer):
    with pytest.raises(decisions.ReasonMissing, match="applicant should send"):
        decisions.ask_for_more(claim=claim, by=reviewer, reason="unreadable", note="Blurred.", message=" ")


def test_doubted_colleagues_bring_a_claim_back_into_review(provider, seeker, reviewer):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    make_vouchers(claim)

    asked = decisions.ask_for_more(
        claim=claim, by=reviewer, reason="other", note="All brothers.", message="A document."
    )

    assert asked.state == State.NEEDS_REVIEW


def test_staff_unlock_an_account(provider, seeker, reviewer):
    claim = make_claim(seeker, provider, state=State.LOCKED, queued_at=timezone.now())

    unlocked = decisions.unlock(claim=claim, by=reviewer, note="Typed three wrong numbers.")

    assert (unlocked.state, unlocked.queued_at) == (State.NEEDS_REVIEW, None)


def test_verification_forgives_the_holders_tries(provider, seeker, reviewer):
    claim = start(seeker, provider)
    IdentityGuard.objects.filter(identity_hash=claim.npi_hash).update(tries_used=2)
    Challenge.objects.create(
        claim=claim, number=1, facts=[], sheet=[], verdict="passed", finished_at=timezone.now()
    )
    rival = make_claim(provider=provider)
    Challenge.objects.create(
        claim=rival, number=1, facts=[], sheet=[], verdict="failed", finished_at=timezone.now()
    )
    Claim.objects.filter(pk=claim.pk).update(state=State.CHALLENGED)

    approve(with_document(Claim.objects.get(pk=claim.pk)), reviewer)

    assert IdentityGuard.objects.get(identity_hash=claim.npi_hash).tries_used == 1


class TestDisputes:
    @pytest.fixture
    def holder(self, provider):
        return make_claim(provider=provider, state=State.VERIFIED)

    @pytest.fixture
    def dispute(self, holder, claim, reviewer):
        Member.objects.filter(user=holder.user).update(standing="physician")
        approve(claim, reviewer)
        passed = timedelta(days=15)
        Dispute.objects.update(opened_at=F("opened_at") - passed, due_at=F("due_at") - passed)
        return Dispute.objects.get()

    def judge(self, dispute, reviewer, side):
        return disputes.give_opinion(dispute=dispute, by=reviewer, side=side, note="As the documents say.")

    def test_a_proven_claim_to_a_held_identity_is_disputed(self, dispute, holder, claim, seeker):
        holder.refresh_from_db()
        claim.refresh_from_db()
        seeker.refresh_from_db()
        assert (holder.state, claim.state) == (State.DISPUTED_HOLDER, State.DISPUTED_RIVAL)
        assert seeker.standing == Member.Standing.APPLICANT
        assert (dispute.due_at - dispute.opened_at).days == 14

    def test_the_holder_has_14_days_to_answer_unless_a_document_came(self, dispute, holder, reviewer):
        Dispute.objects.update(
            opened_at=F("opened_at") + timedelta(days=15), due_at=F("due_at") + timedelta(days=15)
        )
        with pytest.raises(disputes.TooEarly):
            self.judge(dispute, reviewer, "rival")

        holder.refresh_from_db()
        with_document(holder)
        assert self.judge(dispute, reviewer, "rival").outcome == ""

    def test_an_entry_in_the_registry_is_an_answer_of_the_holder_too(self, dispute, holder, reviewer):
        Dispute.objects.update(due_at=F("due_at") + timedelta(days=15))
        entry = Proof.objects.create(
            claim=holder, kind="endpoint", ok_at=dispute.opened_at - timedelta(days=300)
        )
        with pytest.raises(disputes.TooEarly):
            self.judge(dispute, reviewer, "rival")

        Proof.objects.filter(pk=entry.pk).update(ok_at=timezone.now())
        assert self.judge(dispute, reviewer, "rival").outcome == ""

    @pytest.mark.parametrize("kind", ["phone", "fax", "email", "vouch"])
    def test_nobody_loses_a_license_to_a_code_or_colleagues_alone(self, dispute, claim, reviewer, kind):
        claim.proofs.update(kind=kind, ok_at=timezone.now())
        Document.objects.update(deleted_at=timezone.now())

        with pytest.raises(disputes.NothingBrought):
            self.judge(dispute, reviewer, "rival")
        assert not dispute.opinions.exists()

        Proof.objects.create(claim=claim, kind="endpoint", ok_at=timezone.now())
        assert self.judge(dispute, reviewer, "rival").opinions.count() == 1

    def test_who_was_excluded_meanwhile_wins_nothing(self, dispute, provider, reviewer, second_reviewer):
        self.judge(dispute, reviewer, "rival")
        make_exclusion(provider)

        with pytest.raises(outcome.Excluded):
            self.judge(dispute, second_reviewer, "rival")
        assert self.judge(dispute, second_reviewer, "holder").outcome == ""

    def test_who_vouched_for_the_rival_or_claims_the_same_judges_nothing(
        self, dispute, claim, provider, reviewer, second_reviewer
    ):
        Vouch.objects.create(
            claim=claim, claimant=claim.user, voucher=reviewer, relation="works", statement="We share nights."
        )
        Claim.objects.filter(pk=make_claim(provider=provider, state=State.WITHDRAWN).pk).update(
            user=second_reviewer
        )

        for party in (reviewer, second_reviewer):
            with pytest.raises(disputes.NotForYou):
                self.judge(dispute, party, "holder")

    def test_a_dispute_lifts_no_lapse(self, provider, claim, reviewer):
        lapsed = make_claim(provider=provider, state=State.LAPSED)

        approve(claim, reviewer)

        lapsed.refresh_from_db()
        assert lapsed.state == State.LAPSED
        assert Dispute.objects.get().holder_claim == lapsed

    def test_whoever_shares_the_identity_or_vouched_decides_nothing(self, provider, claim, reviewer):
        Claim.objects.filter(pk=make_claim(provider=provider, state=State.WITHDRAWN).pk).update(user=reviewer)

        with pytest.raises(decisions.NotAReviewer):
            approve(claim, reviewer)

    def test_the_holder_keeps_writing_meanwhile(self, dispute, holder):
        assert Member.objects.get(user=holder.user).standing == Member.Standing.PHYSICIAN

    def test_one_license_under_two_npis_is_one_identity(self, schools, specialties, reviewer, seeker):
        first, second = make_provider(number="4301000001"), make_provider(number="4301000001")
        make_claim(provider=first, state=State.VERIFIED)

        decided = approve(with_document(make_claim(seeker, second, state=State.CHALLENGED)), reviewer)

        assert decided.state == State.DISPUTED_RIVAL

    def test_one_opinion_settles_nothing(self, dispute, reviewer):
        self.judge(dispute, reviewer, "rival")

        assert Dispute.objects.get().outcome == ""

    def test_a_reviewer_has_one_opinion(self, dispute, reviewer):
        self.judge(dispute, reviewer, "rival")

        with pytest.raises(disputes.AlreadySaid):
            self.judge(dispute, reviewer, "rival")

    def test_two_opinions_for_the_holder_reject_the_rival(
        self, dispute, holder, claim, reviewer, second_reviewer
    ):
        self.judge(dispute, reviewer, "holder")
        self.judge(dispute, second_reviewer, "holder")

        holder.refresh_from_db()
        claim.refresh_from_db()
        assert (holder.state, claim.state, claim.rejected_for) == (State.VERIFIED, State.REJECTED, "not_own")
        with pytest.raises(disputes.AlreadySettled):
            self.judge(dispute, reviewer, "rival")

    def test_two_opinions_for_the_rival_revoke_the_holder(
        self, dispute, holder, claim, seeker, reviewer, second_reviewer
    ):
        self.judge(dispute, reviewer, "rival")
        (fact,) = heard(member_revoked, lambda: self.judge(dispute, second_reviewer, "rival"))

        holder.refresh_from_db()
        claim.refresh_from_db()
        seeker.refresh_from_db()
        assert (holder.state, claim.state) == (State.REVOKED, State.VERIFIED)
        assert seeker.standing == Member.Standing.PHYSICIAN
        assert fact["claim"] == holder
        assert Member.objects.get(user=holder.user).standing == Member.Standing.SUSPENDED

    def test_differing_opinions_wait_for_a_third(self, dispute, reviewer, second_reviewer):
        from verification.tests.factories import make_reviewer

        self.judge(dispute, reviewer, "rival")
        self.judge(dispute, second_reviewer, "holder")
        assert Dispute.objects.get().outcome == ""

        self.judge(dispute, make_reviewer(), "holder")
        assert Dispute.objects.get().outcome == "holder"

    def test_a_party_does_not_judge(self, dispute, holder):
        with pytest.raises(disputes.NotForYou):
            self.judge(dispute, holder.user, "holder")

    def test_a_rival_who_withdraws_ends_the_dispute(self, dispute, holder, seeker):
        from verification.services import claims

        claims.withdraw(user=seeker.user)

        holder.refresh_from_db()
        assert holder.state == State.VERIFIED
        assert Dispute.objects.get().outcome == "withdrawn"

    def test_the_holder_may_send_documents(self, dispute, holder):
        holder.refresh_from_db()

        assert with_document(holder).queued_at

    def test_the_holder_is_warned_once_for_each_rival(self, holder, claim):
        notices.tell_holder(claim)
        notices.tell_holder(claim)
        send_mail()

        (message,) = mail.outbox
        assert message.to == [holder.user.email]
        assert message.subject == "Someone tried to claim your license"

    def test_nobody_is_warned_of_a_claim_to_a_free_identity(self, claim):
        notices.tell_holder(claim)
        send_mail()

        assert mail.outbox == []
