"""What documents are promised (design, 7.6), where no other test says it: where they lie, what a reviewer sees of
them, and what is left once their files are gone.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from verification import documents
from verification.models import Claim, Decision, Dispute, Document, Event
from verification.models.claims import State
from verification.services import claims, decisions, proofs
from verification.tests.factories import image_bytes, make_claim

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


def add(claim, data=None):
    return proofs.add_document(claim=claim, sort="license", data=data or image_bytes())


def test_they_lie_outside_of_all_that_is_served():
    private = Path(settings.PRIVATE_DIR).resolve()

    for served in (settings.MEDIA_ROOT, settings.STATIC_ROOT):
        served = Path(served).resolve()
        assert served not in (private, *private.parents)
        assert private not in served.parents
    assert settings.STORAGES["private"]["OPTIONS"]["base_url"] is None


def test_no_name_follows_from_what_was_sent(claim, provider, schools):
    one = add(claim)
    other = add(make_claim(provider=provider, state=State.CHALLENGED))

    assert one.sha256 == other.sha256
    assert one.key != other.key
    assert len(one.key) == len(other.key) == 32


def test_members_have_no_address_for_a_page():
    with pytest.raises(NoReverseMatch):
        reverse("verification:document")


def test_the_watermark_names_case_reviewer_and_moment(claim, reviewer, monkeypatch):
    marks = []
    monkeypatch.setattr(documents, "watermark", lambda page, text: marks.append(text) or page)

    proofs.read_page(document=add(claim), page=1, by=reviewer)

    (mark,) = marks
    assert claim.case_number in mark
    assert f"reviewer {reviewer.pk}" in mark
    assert f"{timezone.now():%Y-%m-%d}" in mark
    assert "Quillfeather" not in mark


def test_hash_and_outcome_outlive_the_file(claim, reviewer):
    document = add(claim)
    decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="They agree.")
    Claim.objects.update(decided_at=timezone.now() - timedelta(days=31))

    assert proofs.purge_documents() == 1

    document.refresh_from_db()
    assert document.deleted_at
    assert len(document.sha256) == 64
    assert Decision.objects.get().outcome == "approve"
    assert Claim.objects.get().method == "document"
    assert Event.objects.filter(kind="document_deleted", case_number=claim.case_number).count() == 1


def long_ago(claim, *, days, **fields):
    moment = timezone.now() - timedelta(days=days)
    Claim.objects.filter(pk=claim.pk).update(state_at=moment, **fields)
    Document.objects.filter(proof__claim=claim).update(uploaded_at=moment)
    Decision.objects.filter(claim=claim).update(at=moment)


def ask_for_more(claim, reviewer):
    decisions.ask_for_more(
        claim=claim, by=reviewer, reason="unreadable", note="Blurred.", message="Send it anew."
    )


def test_files_of_whoever_never_answers_are_deleted_and_the_claim_stays_open(claim, reviewer):
    document = add(claim)
    ask_for_more(claim, reviewer)
    long_ago(claim, days=89)
    assert proofs.purge_abandoned() == 0
    long_ago(claim, days=91)

    assert [proofs.purge_abandoned(), proofs.purge_abandoned()] == [1, 0]

    document.refresh_from_db()
    assert document.deleted_at
    assert not any(storages["private"].exists(name) for name in proofs.page_names(document))
    assert Event.objects.filter(kind="document_deleted", case_number=claim.case_number).count() == 1
    assert add(claim).pk != document.pk  # whoever comes back sends it once more
    claim.refresh_from_db()
    assert (claim.state, bool(claim.queued_at)) == (State.CHALLENGED, True)


def test_what_waits_for_a_reviewer_is_kept_however_long(claim, reviewer):
    add(claim)
    long_ago(claim, days=400)
    assert proofs.purge_abandoned() == 0

    Claim.objects.update(queued_at=None, state=State.DISPUTED_RIVAL)
    assert proofs.purge_abandoned() == 0


@pytest.mark.parametrize("lately", ["asked", "sent"])
def test_a_step_of_either_side_begins_the_days_anew(claim, reviewer, lately):
    add(claim)
    ask_for_more(claim, reviewer)
    long_ago(claim, days=100)
    if lately == "asked":
        Decision.objects.update(at=timezone.now() - timedelta(days=80))
    else:
        Document.objects.update(uploaded_at=timezone.now() - timedelta(days=80))

    assert proofs.purge_abandoned() == 0


def test_where_codes_went_is_forgotten_with_an_abandoned_claim(claim):
    Claim.objects.update(state=State.NEEDS_REVIEW)
    moment = timezone.now() - timedelta(days=100)
    proof = claim.proofs.create(
        kind="email",
        target="o.quillfeather@mercyridge.example",
        code_hash="of the mailbox",
        started_at=moment,
        sent_at=moment,
        expires_at=moment,
        ok_at=moment,
    )
    assert proofs.purge_abandoned() == 0
    long_ago(claim, days=91)

    assert proofs.purge_abandoned() == 1

    proof.refresh_from_db()
    assert (proof.target, proof.code_hash, bool(proof.ok_at)) == (None, "of the mailbox", True)


@pytest.mark.parametrize("state", [State.DRAFT, State.MATCHED, State.CHALLENGED, State.NEEDS_REVIEW])
def test_files_of_a_claim_that_is_withdrawn_go_after_30_days(claim, state):
    add(claim)
    Claim.objects.update(state=state)
    claims.withdraw(user=claim.user)
    assert proofs.purge_documents() == 0

    Claim.objects.update(decided_at=timezone.now() - timedelta(days=31))

    assert proofs.purge_documents() == 1


def test_files_of_a_holder_stay_while_a_dispute_is_open(claim, provider, reviewer):
    holder = make_claim(provider=provider, state=State.CHALLENGED)
    add(holder)
    decisions.approve(claim=holder, by=reviewer, reason="document_fits", note="They agree.")
    add(claim, image_bytes((500, 500)))
    decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="They agree.")
    Claim.objects.update(decided_at=timezone.now() - timedelta(days=40))

    assert proofs.purge_documents() == 0

    Dispute.objects.update(outcome="withdrawn", settled_at=timezone.now())
    assert proofs.purge_documents() == 1
    assert Document.objects.filter(deleted_at=None).count() == 1
