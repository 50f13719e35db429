import os
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from sermo import crypto
from verification import documents
from verification.models import Claim, Document, Event
from verification.models.claims import State
from verification.services import limits, proofs
from verification.tests.factories import image_bytes, make_claim

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


def add(claim, data=None, sort="license"):
    return proofs.add_document(claim=claim, sort=sort, data=data or image_bytes())


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_document_puts_the_claim_before_a_reviewer(claim):
    document = add(claim)

    claim.refresh_from_db()
    assert claim.queued_at
    assert (document.pages, document.get_sort_display()) == (1, "License card or certificate")
    assert Event.objects.get(kind="document_added").evidence == ["license"]


def test_pages_are_stored_encrypted_under_random_names(claim, private_files):
    data = image_bytes()

    add(claim, data)

    (path,) = files_in(private_files)
    stored = path.read_bytes()
    assert not stored.startswith(b"\xff\xd8")
    assert crypto.decrypt(stored).startswith(b"\xff\xd8\xff")
    assert claim.case_number not in str(path)
    assert path.stat().st_mode & 0o077 == 0


def test_the_same_file_twice_is_one_document(claim, private_files):
    first, second = add(claim), add(claim)

    assert first == second
    assert len(files_in(private_files)) == 1


def test_the_same_file_again_answers_what_was_asked_since(claim):
    add(claim)
    Claim.objects.update(asked_for="The same, once more.", queued_at=None)

    add(claim)

    claim.refresh_from_db()
    assert claim.asked_for is None
    assert claim.queued_at


def test_a_file_that_was_deleted_can_be_sent_again(claim, private_files):
    old = add(claim)
    Document.objects.filter(pk=old.pk).update(deleted_at=timezone.now())

    new = add(claim)

    assert new != old
    assert new.deleted_at is None


def test_what_was_asked_for_is_answered_by_a_document(claim):
    Claim.objects.update(asked_for="A sharper photo, please.")

    add(claim)

    claim.refresh_from_db()
    assert claim.asked_for is None


def test_a_file_over_ten_megabytes_is_refused(claim, settings):
    settings.DOCUMENT_BYTES = 1000

    with pytest.raises(proofs.TooLarge):
        add(claim)


def test_six_documents_are_the_most(claim, settings, private_files):
    settings.DOCUMENTS_PER_CLAIM = 2
    for side in (300, 301):
        add(claim, image_bytes((side, 300)))

    with pytest.raises(proofs.TooManyDocuments):
        add(claim, image_bytes((302, 300)))
    assert len(files_in(private_files)) == 2


@pytest.mark.parametrize("state", [State.MATCHED, State.VERIFIED, State.WITHDRAWN, State.LOCKED])
def test_a_claim_that_needs_no_proof_takes_none(provider, seeker, state, private_files):
    claim = make_claim(seeker, provider, state=state)

    with pytest.raises(proofs.NotProving):
        add(claim)
    assert not files_in(private_files)


def test_a_claim_decided_while_the_file_was_read_takes_none(claim, private_files, monkeypatch):
    draw = documents.draw_pages

    def draw_slowly(data):
        Claim.objects.update(state=State.WITHDRAWN)
        return draw(data)

    monkeypatch.setattr(documents, "draw_pages", draw_slowly)

    with pytest.raises(proofs.NotProving):
        add(claim)
    assert not files_in(private_files)


def test_a_file_that_is_no_document_leaves_nothing(claim, private_files):
    with pytest.raises(documents.UnreadableDocument):
        add(claim, b"MZ an executable")

    assert not files_in(private_files)
    assert not Document.objects.exists()


def test_a_reviewer_sees_a_watermarked_page_and_leaves_a_trace(claim, reviewer):
    document = add(claim)

    page = proofs.read_page(document=document, page=1, by=reviewer)

    assert page.startswith(b"\xff\xd8\xff")
    assert page != documents.draw_pages(image_bytes())[0]
    assert Event.objects.get(kind="document_viewed").evidence == ["license", "page 1"]


@pytest.mark.parametrize(("days", "left"), [(29, 1), (31, 0)])
def test_files_go_30_days_after_the_decision(claim, private_files, days, left, capsys):
    add(claim)
    decided = timezone.now() - timedelta(days=days)
    Claim.objects.update(state=State.REJECTED, rejected_for="mismatch", decided_at=decided)

    call_command("purge_documents")

    document = Document.objects.get()
    assert len(files_in(private_files)) == left
    assert bool(document.deleted_at) == (left == 0)
    assert len(document.sha256) == 64
    assert f"{1 - left} documents deleted." in capsys.readouterr().out


def test_files_of_a_claim_under_review_stay(claim, private_files):
    add(claim)

    assert proofs.purge_documents() == 0
    assert len(files_in(private_files)) == 1


def test_purging_twice_is_purging_once(claim):
    add(claim)
    Claim.objects.update(state=State.WITHDRAWN, decided_at=timezone.now() - timedelta(days=40))

    assert [proofs.purge_documents(), proofs.purge_documents()] == [1, 0]
    assert Event.objects.filter(kind="document_deleted").count() == 1


def test_thirty_files_a_day_are_the_most_even_bad_ones(claim, settings):
    settings.UPLOADS_PER_DAY = 2
    for number in range(2):
        with pytest.raises(documents.UnreadableDocument):
            add(claim, b"\xff\xd8\xff broken" + bytes([number]))

    with pytest.raises(limits.TooManyUploads):
        add(claim)


def test_files_of_an_upload_that_was_cut_off_are_swept_a_day_later(claim, private_files):
    add(claim)
    for name, age in (("ab/" + "a" * 32 + "-1", 2), ("cd/" + "c" * 32 + "-1", 0)):
        path = private_files / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
        moment = (timezone.now() - timedelta(days=age)).timestamp()
        os.utime(path, (moment, moment))

    proofs.purge_documents()

    assert len(files_in(private_files)) == 2
    assert not (private_files / "documents" / "ab" / ("a" * 32 + "-1")).exists()
