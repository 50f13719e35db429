"""The last check after a right code: verified, in dispute, or before a reviewer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Mail, Member
from verification import licenses, tasks
from verification.models import (
    Claim,
    Decision,
    Dispute,
    Event,
    LicenseStatus,
    Objection,
    Proof,
    Provider,
)
from verification.models.claims import State
from verification.services import automatic, codes, outcome, proofs
from verification.tests.calls import code_said
from verification.tests.factories import (
    image_bytes,
    make_applicant,
    make_claim,
    make_exclusion,
    make_provider,
    make_vouchers,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls", "at_noon")]
NUMBER = "4301977598"


@pytest.fixture
def provider(schools, specialties):
    return make_provider(number=NUMBER, practice_fax="5175550199")


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


def prove(claim, kind="phone"):
    """Go through a code, without the last check."""
    from verification.tests import calls

    proof = codes.send_code(claim=claim, kind=kind)
    codes.deliver(proof_id=proof.pk)
    codes.check_code(claim=claim, kind=kind, code=code_said(calls.SAID[-1][2]))
    claim.refresh_from_db()
    return claim


def decided(claim):
    prove(claim)
    return automatic.decide(claim_id=claim.pk)


def board_says(**fields):
    said = {"status": "Active", "expires_on": timezone.localdate() + timedelta(days=300), **fields}
    LicenseStatus.objects.create(
        state="MI",
        number_key=licenses.normal_number("MI", NUMBER),
        degree="MD",
        last_name="QUILLFEATHER",
        source="board",
        as_of=timezone.localdate(),
        **said,
    )


def test_a_clean_claim_is_verified_by_the_site_with_its_proof_as_the_method(claim):
    prove(claim)
    assert (claim.state, claim.user.as_member.standing) == (State.PROVEN, Member.Standing.APPLICANT)

    automatic.decide(claim_id=claim.pk)

    claim = Claim.objects.get()
    assert (claim.state, claim.method, claim.level) == (State.VERIFIED, "phone", outcome.FULL_LEVEL)
    assert claim.user.as_member.standing == Member.Standing.PHYSICIAN
    said = Event.objects.get(kind="state", to_state=State.VERIFIED)
    assert (said.actor, said.evidence) == (None, ["phone"])


def test_the_last_check_is_made_once(claim):
    prove(claim)

    for _ in range(3):
        automatic.decide(claim_id=claim.pk)

    assert Event.objects.filter(kind="last_check").count() == 1
    assert Mail.objects.filter(subject="Your license is verified").count() == 1


def test_a_sweep_makes_the_checks_that_no_task_has_made(claim):
    prove(claim)

    assert [tasks.decide_due(), tasks.decide_due()] == [1, 0]
    assert Claim.objects.get().state == State.VERIFIED


def test_a_task_makes_it_right_after_the_answer(claim, django_capture_on_commit_callbacks, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks.decide, "delay", asked.append)

    with django_capture_on_commit_callbacks(execute=True):
        prove(claim)

    assert asked == [claim.pk]


@pytest.mark.parametrize("gone", ["deleted", "withdrawn", "not proven"])
def test_a_claim_that_is_not_proven_stays_as_it_is(claim, gone):
    if gone == "deleted":
        assert automatic.decide(claim_id=0) is None
        return
    if gone == "withdrawn":
        prove(claim)
        Claim.objects.update(state=State.WITHDRAWN)
    before = Claim.objects.get().state

    assert automatic.decide(claim_id=claim.pk).state == before
    assert not Event.objects.filter(kind="last_check").exists()


def test_a_claim_that_colleagues_alone_have_proven_waits_for_its_reviewer(claim):
    make_vouchers(claim)
    claim.refresh_from_db()

    assert tasks.decide_due() == 0
    assert automatic.decide(claim_id=claim.pk).state == claim.state
    assert claim.queued_at


class TestDoubts:
    def expect(self, claim, *doubts):
        after = decided(claim)

        assert after.state == State.PROVEN, "nothing is decided"
        assert after.queued_at
        assert after.doubts == list(doubts)
        assert Event.objects.get(kind="last_check").evidence == list(doubts)
        assert automatic.decide(claim_id=claim.pk).state == State.PROVEN

    def test_an_exclusion_by_npi(self, claim, provider):
        make_exclusion(provider)
        self.expect(claim, "excluded")

    def test_a_namesake_on_the_exclusion_list(self, claim, provider):
        make_exclusion(provider, npi=None)
        self.expect(claim, "namesake")

    def test_a_license_known_expired(self, claim):
        board_says(expires_on=timezone.localdate() - timedelta(days=1))
        self.expect(claim, "expired")

    @pytest.mark.parametrize(
        "status", ["Suspended", "Active - Probation", "ACTIVE WITH CONDITIONS", "", "Activist"]
    )
    def test_a_status_that_is_not_plainly_good(self, claim, status):
        board_says(status=status)
        self.expect(claim, "status")

    def test_a_mark_of_discipline(self, claim):
        board_says(discipline="Reprimand, 2019")
        self.expect(claim, "discipline")

    def test_a_record_that_is_gone_between_call_and_check(self, claim, provider):
        prove(claim)
        Provider.objects.filter(pk=provider.pk).delete()
        automatic.decide(claim_id=claim.pk)
        assert Claim.objects.get().doubts == ["gone"]

    def test_an_npi_that_was_deactivated(self, claim):
        Provider.objects.update(deactivated_on=timezone.localdate())
        self.expect(claim, "deactivated")

    def test_what_was_doubted_before(self, claim):
        Claim.objects.update(doubts=["crowded"])
        self.expect(claim, "crowded")

    def test_a_reviewer_who_had_asked_for_more(self, claim, reviewer):
        Decision.objects.create(
            claim=claim, reviewer=reviewer, outcome="ask", reason="unclear", note="Which hospital?"
        )
        self.expect(claim, "asked")

    def test_a_reviewer_who_had_asked_about_a_claim_that_was_withdrawn(self, claim, provider, reviewer):
        earlier = make_claim(claim.user.as_member, provider, state=State.WITHDRAWN)
        Decision.objects.create(
            claim=earlier, reviewer=reviewer, outcome="ask", reason="mismatch", note="Why?"
        )

        assert decided(claim).doubts == ["asked"]

    def test_another_account_that_was_refused_with_this_license(self, claim, provider, reviewer):
        other = make_claim(provider=provider, state=State.REJECTED, rejected_for="not_own")
        Decision.objects.create(
            claim=other, reviewer=reviewer, outcome="reject", reason="not_own", note="No."
        )

        self.expect(claim, "contested")

    def test_another_account_that_lost_this_license(self, claim, provider):
        make_claim(provider=provider, state=State.REVOKED, method="document", verified_at=timezone.now())

        self.expect(claim, "contested")

    def test_a_membership_that_was_ended(self, claim):
        Member.objects.filter(pk=claim.user.as_member.pk).update(standing=Member.Standing.SUSPENDED)
        self.expect(claim, "standing")

    def test_somebody_who_said_of_this_license_that_it_was_not_them(self, claim, provider):
        other = make_claim(provider=provider, state=State.LEFT)
        Objection.objects.create(claim=other, way="fax", code_hash="x", objected_at=timezone.now())
        self.expect(claim, "objected")

    def test_what_the_rules_of_an_approval_refuse(self, claim, monkeypatch):
        def refuse(claim, *, exclusion_checked):
            raise outcome.NothingHeld

        monkeypatch.setattr(outcome, "check_may_verify", refuse)
        self.expect(claim, "refused")


@pytest.mark.parametrize("status", ["Active", "ACTIVE", "Active - Renewed", "Current", "In Force"])
def test_a_plainly_good_word_of_the_board_does_not_hold_it_up(claim, status):
    board_says(status=status)

    assert decided(claim).state == State.VERIFIED


@pytest.mark.parametrize("state", [State.VERIFIED, State.LAPSED])
def test_an_identity_that_is_held_begins_a_dispute(claim, provider, state):
    holder = make_claim(provider=provider, state=state)

    after = decided(claim)

    assert after.state == State.DISPUTED_RIVAL
    assert Dispute.objects.get().holder_claim == holder
    holder.refresh_from_db()
    assert holder.state == (State.DISPUTED_HOLDER if state == State.VERIFIED else state)


def test_doubts_come_before_a_dispute(claim, provider):
    make_exclusion(provider)
    make_claim(provider=provider, state=State.VERIFIED)

    assert decided(claim).state == State.PROVEN
    assert not Dispute.objects.exists()


def test_a_second_person_with_the_same_license_finds_the_first_verified(provider, calls):
    claims = [make_claim(provider=provider, state=State.CHALLENGED) for _ in range(2)]
    for claim in claims:
        prove(claim)

    assert tasks.decide_due() == 2
    assert [claim.state for claim in Claim.objects.order_by("pk")] == [
        State.DISPUTED_HOLDER,
        State.DISPUTED_RIVAL,
    ]


def test_the_strongest_right_proof_names_the_method(claim):
    prove(claim, "fax")
    for kind, ok in (("endpoint", True), ("email", True), ("vouch", False)):
        Proof.objects.create(claim=claim, kind=kind, ok_at=timezone.now() if ok else None)

    assert automatic.decide(claim_id=claim.pk).method == "endpoint"


@pytest.mark.parametrize(
    ("right", "method"),
    [
        (["email", "fax", "phone", "endpoint"], "endpoint"),
        (["email", "fax", "phone"], "phone"),
        (["email", "fax"], "fax"),
        (["email"], "email"),
    ],
)
def test_what_a_reviewer_goes_by(claim, right, method):
    for kind in right:
        Proof.objects.create(claim=claim, kind=kind, ok_at=timezone.now())
    assert outcome.proof_method(claim) == method

    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    assert outcome.proof_method(claim) == "document"


def test_a_code_that_was_never_typed_is_no_proof(claim):
    codes.deliver(proof_id=codes.send_code(claim=claim, kind="phone").pk)

    with pytest.raises(outcome.NoProof):
        outcome.proof_method(claim)


def test_a_code_cannot_stand_in_for_the_registry(provider):
    claim = make_claim(make_applicant(), provider, state=State.NEEDS_REVIEW)
    claim.identity["registry"] = None
    claim.save()
    Proof.objects.create(claim=claim, kind="email", ok_at=timezone.now())

    with pytest.raises(outcome.NoRegistryMatch):
        outcome.check_may_verify(claim, exclusion_checked=True)
