"""What leaving does with a verified identity, and what an export says of it."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps
from django.db.models import PROTECT
from django.urls import reverse
from django.utils import timezone

from accounts.leaving import exporting
from accounts.models import Export, Mail, Member, User
from accounts.services import leaving
from conftest import client_of
from verification.models import (
    Challenge,
    Claim,
    Decision,
    Dispute,
    DisputeOpinion,
    Document,
    Event,
    IdentityGuard,
    Proof,
    Subject,
    Vouch,
    VouchLoss,
)
from verification.models.claims import State
from verification.personal import ON_RECORD, DecidedForOthers, UnderDecision, WithAReviewer
from verification.services import (
    challenge,
    decisions,
    disputes,
    events,
    incidents,
    notices,
    outcome,
    proofs,
    states,
)
from verification.services import claims as claiming
from verification.tests.factories import (
    image_bytes,
    make_applicant,
    make_claim,
    make_holder,
    make_reviewer,
    make_vouchers,
    start,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def holder(provider):
    """A physician verified by documents, with all that comes with it."""
    member = make_applicant(handle="quiet_harbor")
    claim = start(member, provider)
    challenge.start_challenge(claim=claim)
    challenge.skip(claim=claim)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    note = "Quillfeather on card and in registry."
    decisions.approve(claim=claim, by=make_reviewer(), reason="document_fits", note=note)
    return Member.objects.select_related("user").get(pk=member.pk)


def the_claim(member) -> Claim:
    return Claim.objects.get(user=member.user)


def archive_of(member) -> zipfile.ZipFile:
    export = Export.objects.create(user=member.user, parts=exporting.number_of_parts())
    leaving.make_export(export_id=export.pk)
    export.refresh_from_db()
    return zipfile.ZipFile(io.BytesIO(b"".join(leaving.read_export(export))))


def rows(archive, name):
    return json.loads(archive.read(f"verification/{name}.json"))


def stored_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


# Leaving


def test_leaving_empties_the_claim_and_keeps_it_for_the_audit(holder):
    case, hashed = the_claim(holder).case_number, the_claim(holder).npi_hash
    leaving.leave(holder.user)

    claim = Claim.objects.get(case_number=case)
    assert (claim.user, claim.state, claim.npi_hash) == (None, State.LEFT, hashed)
    assert set(claim.typed.values()) == {""}
    assert claim.registry is None
    assert (claim.degree, claim.license_state, claim.specialty, claim.verified_at) == ("", "", None, None)
    assert Decision.objects.get().note == ""


def test_documents_proofs_and_their_files_go(holder, private_files, django_capture_on_commit_callbacks):
    assert len(stored_files(private_files)) == 1

    with django_capture_on_commit_callbacks(execute=True):
        leaving.leave(holder.user)
    assert stored_files(private_files) == []
    assert not Document.objects.exists()
    assert not Proof.objects.exists()


def test_the_license_can_be_verified_again_by_its_owner(holder, provider):
    leaving.leave(holder.user)
    back = make_applicant(handle="other_harbor")
    claim = start(back, provider)
    challenge.start_challenge(claim=claim)
    challenge.skip(claim=claim)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    decisions.approve(claim=claim, by=make_reviewer(), reason="document_fits", note="Fits.")

    assert the_claim(back).state == State.VERIFIED
    assert not Dispute.objects.exists()
    back.refresh_from_db()
    assert back.standing == Member.Standing.PHYSICIAN


def test_the_audit_trail_stays_word_for_word_and_names_nobody(holder):
    subject = Subject.objects.get(user=holder.user).pk
    before = list(Event.objects.order_by("pk").values())
    leaving.leave(holder.user)

    after = list(Event.objects.order_by("pk").values())
    assert after[: len(before)] == before
    assert after[-1]["to_state"] == State.LEFT
    assert {event["subject"] for event in after} == {subject}
    assert not Subject.objects.filter(pk=subject).exists()
    assert events.first_broken() is None


def test_tries_of_an_identity_are_for_ever(provider):
    for _ in range(2):
        member = make_applicant()
        challenge.start_challenge(claim=start(member, provider))
        Challenge.objects.update(issued_at=timezone.now() - timedelta(days=2))
        leaving.leave(member.user)

    third = start(make_applicant(), provider)
    assert Challenge.objects.count() == 2
    assert list(Challenge.objects.values_list("facts", flat=True)) == [[], []]
    assert IdentityGuard.objects.get(identity_hash=third.npi_hash).tries_used == 2
    assert third.state == State.NEEDS_REVIEW
    assert "identity_tries" in third.doubts


def test_a_try_just_before_leaving_still_holds_up_the_next_account(provider):
    member = make_applicant()
    challenge.start_challenge(claim=start(member, provider))
    leaving.leave(member.user)

    assert start(make_applicant(), provider).state == State.NEEDS_REVIEW


def test_a_claim_that_nobody_looked_at_is_withdrawn(provider):
    member = make_applicant()
    case = start(member, provider).case_number
    leaving.leave(member.user)

    claim = Claim.objects.get(case_number=case)
    assert (claim.state, claim.user) == (State.WITHDRAWN, None)


def test_vouches_go_in_both_directions(provider):
    applicant = make_applicant()
    claim = make_claim(applicant, provider, state=State.CHALLENGED)
    first, second, third = make_vouchers(claim)
    leaving.leave(first.user)
    assert set(Vouch.objects.values_list("voucher", flat=True)) == {second.user.pk, third.user.pk}

    with pytest.raises(outcome.NoProof):
        outcome.proof_method(Claim.objects.get(pk=claim.pk))
    claiming.withdraw(user=applicant.user)
    leaving.leave(applicant.user)
    assert not Vouch.objects.exists()


@pytest.mark.parametrize("state", ["locked", "suspended", "disputed_holder", "needs_review_held"])
def test_nobody_leaves_while_something_is_decided(provider, state):
    member = make_applicant()
    claim = make_claim(member, provider, state=State.VERIFIED, method="document", verified_at=timezone.now())
    Claim.objects.filter(pk=claim.pk).update(state=state)

    with pytest.raises(UnderDecision):
        leaving.leave(member.user)
    assert User.objects.filter(pk=member.user.pk).exists()


def test_a_revoked_member_may_leave_and_the_case_stays(provider, reviewer):
    member = make_applicant()
    claim = make_claim(member, provider, state=State.VERIFIED)
    states.move(claim=claim, to=State.REVOKED, as_=states.REVIEWER, by=reviewer)
    assert rows(archive_of(member), "claim")[0]["stage"] == "suspended"

    assert leaving.leave(User.objects.get(pk=member.user.pk))

    claim.refresh_from_db()
    assert (claim.state, claim.user) == (State.REVOKED, None)


def test_a_suspended_member_without_a_revocation_does_not_leave(provider):
    member = make_applicant()
    Member.objects.filter(pk=member.pk).update(standing="suspended")
    make_claim(member, provider, state=State.WITHDRAWN)

    with pytest.raises(UnderDecision):
        leaving.leave(User.objects.get(pk=member.user.pk))


@pytest.mark.parametrize("work", ["decision", "opinion"])
def test_a_former_reviewer_is_told_that_the_operator_ends_the_account(provider, work):
    former = make_applicant()
    if work == "decision":
        claim = make_claim(make_applicant(), provider, state=State.WITHDRAWN)
        Decision.objects.create(
            claim=claim, reviewer=former.user, outcome="reject", reason="mismatch", note="No fit."
        )
    else:
        _, _, dispute = make_dispute(provider)
        DisputeOpinion.objects.create(dispute=dispute, reviewer=former.user, side="holder", note="So it is.")

    with pytest.raises(DecidedForOthers):
        leaving.leave(former.user)
    assert User.objects.filter(pk=former.user.pk).exists()


def make_dispute(provider):
    holder = make_holder(provider)
    rival = make_applicant()
    claim = make_claim(rival, provider, state=State.NEEDS_REVIEW)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    decisions.approve(claim=claim, by=make_reviewer(), reason="document_fits", note="Fits.")
    return holder, rival, Dispute.objects.get()


def test_neither_side_leaves_an_open_dispute_and_the_rival_is_not_told_of_it(provider):
    holder, rival, _ = make_dispute(provider)
    waiting = make_applicant()
    claim = make_claim(waiting, state=State.NEEDS_REVIEW)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())

    with pytest.raises(UnderDecision):
        leaving.leave(holder.user)
    with pytest.raises(WithAReviewer) as told_rival:
        leaving.leave(rival.user)
    with pytest.raises(WithAReviewer) as told_other:
        leaving.leave(waiting.user)
    assert str(told_rival.value) == str(told_other.value)


def test_a_lapsed_holder_does_not_leave_an_open_dispute(provider):
    holder, _, dispute = make_dispute(provider)
    Claim.objects.filter(pk=dispute.holder_claim_id).update(state=State.LAPSED)

    with pytest.raises(UnderDecision):
        leaving.leave(holder.user)


def test_a_rival_may_withdraw_and_leave(provider):
    holder, rival, _ = make_dispute(provider)
    claiming.withdraw(user=rival.user)
    leaving.leave(rival.user)

    assert the_claim(holder).state == State.VERIFIED
    assert Dispute.objects.get().rival_claim.user is None


def test_a_settled_dispute_stays_between_two_case_numbers(provider):
    holder, rival, dispute = make_dispute(provider)
    Dispute.objects.update(due_at=timezone.now())
    for _ in range(2):
        disputes.give_opinion(dispute=dispute, by=make_reviewer(), side="holder", note="Quillfeather it is.")
    leaving.leave(User.objects.get(pk=rival.user.pk))

    assert {opinion.note for opinion in dispute.opinions.all()} == {""}
    assert Dispute.objects.get().outcome == "holder"
    assert the_claim(holder).typed["last"] == "Quillfeather"


def test_reviewers_do_not_meet_what_is_left(holder, reviewer):
    claim = the_claim(holder)
    leaving.leave(holder.user)
    desk = client_of(reviewer)

    assert (
        claim.case_number
        not in desk.get(reverse("admin:verification_claim_changelist") + "?queue=all").content.decode()
    )
    assert desk.get(reverse("admin:verification_claim_change", args=[claim.pk])).status_code == 404


def test_mail_about_a_claim_of_somebody_who_left_is_not_sent(holder):
    claim = the_claim(holder)
    notices.tell_applicant(claim, "verified")
    leaving.leave(holder.user)

    claim.refresh_from_db()
    notices.tell_applicant(claim, "verified")
    notices.tell_holder(claim)

    assert not Mail.objects.exclude(user=None).exists()


# Export


def test_the_export_has_what_was_typed_and_the_documents(holder):
    archive = archive_of(holder)
    (claim,) = rows(archive, "claim")

    assert (claim["stage"], claim["typed"]["last"]) == ("verified", "Quillfeather")
    assert claim["registry"]["npi"]
    assert rows(archive, "document")[0]["pages"] == 1
    assert archive.read("documents/1-license-page-1.jpg").startswith(b"\xff\xd8\xff")
    assert {"started", "document_added"} <= {event["kind"] for event in rows(archive, "event")}


def test_the_export_does_not_answer_the_questions(provider):
    member = make_applicant()
    claim = start(member, provider)
    sheet = challenge.start_challenge(claim=claim).sheet
    archive = archive_of(member)
    everything = "\n".join(archive.read(name).decode() for name in archive.namelist())

    assert rows(archive, "claim")[0]["registry"] is None
    assert rows(archive, "challenge")[0].keys() == {
        "case_number",
        "number",
        "issued_at",
        "verdict",
        "finished_at",
    }
    assert sheet
    assert not [entry for entry in sheet if entry["options"][entry["right"]] in everything]


def test_the_export_tells_a_rival_nothing_of_the_dispute(provider):
    _, rival, _ = make_dispute(provider)
    waiting = make_applicant()
    other = make_claim(waiting, state=State.NEEDS_REVIEW)
    proofs.add_document(claim=other, sort="license", data=image_bytes())
    disputed, plain = archive_of(rival), archive_of(waiting)

    assert rows(disputed, "dispute") == []
    assert rows(disputed, "decision") == rows(plain, "decision") == []
    assert rows(disputed, "claim")[0]["stage"] == rows(plain, "claim")[0]["stage"] == "review"
    kinds = [[event["kind"] for event in rows(each, "event")] for each in (disputed, plain)]
    assert kinds[0] == kinds[1]


def test_the_export_names_neither_vouchers_nor_reviewers(provider, reviewer):
    applicant = make_applicant()
    claim = make_claim(applicant, provider, state=State.CHALLENGED)
    vouchers = make_vouchers(claim)
    decisions.ask_for_more(
        claim=Claim.objects.get(pk=claim.pk),
        by=reviewer,
        reason="unreadable",
        note="Blurred.",
        message="Again.",
    )
    archive = archive_of(applicant)
    everything = "\n".join(archive.read(name).decode() for name in archive.namelist())

    assert rows(archive, "vouch") == []
    assert rows(archive, "claim")[0]["asked_for"] == "Again."
    for word in ("Blurred", "night shifts", reviewer.email, *(each.handle for each in vouchers)):
        assert word not in everything


def test_who_may_not_leave_may_export(provider):
    member = make_applicant()
    make_claim(member, provider, state=State.LOCKED)

    assert rows(archive_of(member), "claim")[0]["stage"] == "locked"


def test_every_key_that_keeps_an_account_refuses_in_words():
    """Whatever would stop the deletion of an account is asked for first, also of former staff."""
    ended = {Claim, Vouch, VouchLoss}  # what goes with the member, or is of nobody then
    keys = {
        (model, field.name)
        for model in apps.get_app_config("verification").get_models()
        for field in model._meta.local_fields
        if field.related_model is User and field.remote_field.on_delete is PROTECT and model not in ended
    }

    assert keys == set(ON_RECORD)


def test_a_former_keeper_of_incidents_is_refused_in_words():
    member = make_applicant()
    incidents.open_incident(
        title="A page", kind="access", detected_at=timezone.now(), text="It was open.", by=member.user
    )

    with pytest.raises(DecidedForOthers):
        leaving.leave(member.user)
