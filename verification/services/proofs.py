"""Documents of a claim: taken in, shown to reviewers, deleted when their time is over."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, When
from django.utils import timezone

from accounts.models import User
from sermo import crypto, private_files
from sermo.background import each_alone
from sermo.errors import RuleBroken
from verification import documents, rules
from verification.models import Claim, Decision, Document, Proof
from verification.models.claims import FINAL, HOLDING, UNDECIDED, State
from verification.services import events, limits, queue, states

FOLDER = "documents"
UNDER_WAY = (  # of a license that is held: a new document is for a reviewer
    State.NEEDS_REVIEW_HELD,
    State.LAPSED,
    State.SUSPENDED,
)
MAY_PROVE = (State.CHALLENGED, State.NEEDS_REVIEW, State.PROVEN, State.DISPUTED_RIVAL, State.DISPUTED_HOLDER)
MAY_SEND = (*MAY_PROVE, *UNDER_WAY)  # documents; codes say nothing of whether a license is still in force


class NotProving(RuleBroken):
    message = "Documents are not needed now."


class TooLarge(RuleBroken):
    message = "This file is larger than 10 MB. Send it smaller."


class TooManyDocuments(RuleBroken):
    message = "Six files are here already. A reviewer looks at these first."


def add_document(*, claim: Claim, sort: str, data: bytes) -> Document:
    """Redraw a file, keep its pages encrypted, put the claim before a reviewer. The same file again changes nothing.

    Raises NotProving, TooLarge, TooManyDocuments, limits.TooManyUploads, documents.UnreadableDocument.
    """
    if len(data) > rules.DOCUMENT_BYTES:
        raise TooLarge
    claim.refresh_from_db(fields=["state"])
    if claim.state not in MAY_SEND:
        raise NotProving
    sha256 = hashlib.sha256(data).hexdigest()
    if known := Document.objects.filter(proof__claim=claim, sha256=sha256, deleted_at=None).first():
        return _again(claim, known)
    limits.count_upload(claim.user)
    pages = documents.draw_pages(data)
    document = Document(sort=sort, sha256=sha256, size=len(data), pages=len(pages))
    _write(document, pages)
    kept = None
    try:
        kept = _keep(claim, document)
    finally:
        if kept is not document:
            _delete_files(document)
    return kept


@transaction.atomic
def _keep(claim: Claim, document: Document) -> Document:
    claim = states.lock(claim)
    if claim.state not in MAY_SEND:
        raise NotProving
    proof, _ = Proof.objects.get_or_create(claim=claim, kind=Proof.Kind.DOCUMENT)
    there = proof.documents.filter(deleted_at=None)
    if known := there.filter(sha256=document.sha256).first():
        put_in_queue(claim)
        return known
    if there.count() >= rules.DOCUMENTS_PER_CLAIM:
        raise TooManyDocuments
    document.proof = proof
    document.save()
    put_in_queue(claim)
    events.record(kind="document_added", claim=claim, by=claim.user, evidence=[document.sort])
    return document


@transaction.atomic
def _again(claim: Claim, known: Document) -> Document:
    """The same file sent anew is the answer to whatever was asked since."""
    claim = states.lock(claim)
    if claim.state not in MAY_SEND:
        raise NotProving
    put_in_queue(claim)
    return known


def put_in_queue(claim: Claim) -> None:
    """Let a locked claim wait for a reviewer, from now unless it waits already; what was asked for is answered."""
    claim.queued_at = claim.queued_at or timezone.now()
    claim.asked_for = None
    claim.save(update_fields=["queued_at", "asked_for"])
    queue.weigh(claim)


def documents_of(claim: Claim) -> QuerySet[Document]:
    """All documents of a claim, also those whose files are gone."""
    return Document.objects.filter(proof__claim=claim)


def read_page(*, document: Document, page: int, by: User) -> bytes:
    """One page of a document as a reviewer may see it: watermarked with the case, the reviewer's id and the time."""
    claim = document.proof.claim
    events.record(kind="document_viewed", claim=claim, by=by, evidence=[document.sort, f"page {page}"])
    with _storage().open(document.page_name(page)) as sealed:
        plain = crypto.decrypt(sealed.read())
    mark = f"{claim.case_number}  reviewer {by.pk}  {timezone.now():%Y-%m-%d %H:%M} UTC"
    return documents.watermark(plain, mark)


def purge_documents() -> int:
    """Delete the files of claims decided or ended 30 days ago, and files that no document knows.

    Rows with hash and size stay. Returns how many documents were purged.
    """
    purged = _purge_all(due_documents)
    private_files.sweep(stray_files())
    return purged


def purge_abandoned() -> int:
    """Delete the files, and forget the codes, of claims that nobody goes on with; return how many of both.

    The claims stay as they are: whoever comes back goes on, and sends their documents once more.
    """
    purged = _purge_all(abandoned_documents)
    return purged + _forget(abandoned_codes(timezone.now()))


def abandoned_documents(at: datetime) -> QuerySet[Document]:
    """Documents of abandoned claims whose files should be gone at a moment."""
    return Document.objects.filter(
        _abandoned(at, "proof__claim"), deleted_at=None, uploaded_at__lt=_since(at)
    )


def abandoned_codes(at: datetime) -> QuerySet[Proof]:
    """Proofs of abandoned claims that should have forgotten where their codes went at a moment."""
    codes = Q(
        kind__in=("phone", "fax", "email")
    )  # a link for colleagues, or an entry, still serves who comes back
    proofs = Proof.objects.filter(_REMEMBERS, codes, _abandoned(at, "claim"), _untouched(at, _since(at)))
    return proofs.exclude(ok_at__gte=_since(at))


def _since(at: datetime) -> datetime:
    return at - timedelta(days=rules.UNDECIDED_KEEP_DAYS)


def _abandoned(at: datetime, claim: str) -> Q:
    """That nobody waits for a reviewer, and neither side has moved for UNDECIDED_KEEP_DAYS: an answer never came.

    What stands in the queue is the reviewers' to decide, and a dispute theirs to settle, however long that takes.
    """
    before = _since(at)
    lately = Decision.objects.filter(at__gte=before).values("claim")
    waits = {"state__in": (*_OPEN, State.LOCKED), "queued_at": None, "state_at__lt": before}
    return Q(**{f"{claim}__{name}": value for name, value in waits.items()}) & ~Q(**{f"{claim}__in": lately})


_OPEN = tuple(state for state in UNDECIDED if state != State.DISPUTED_RIVAL)


def _purge_all(due: Callable[[datetime], QuerySet[Document]]) -> int:
    ids = due(timezone.now()).order_by("pk").values_list("pk", flat=True)
    return each_alone(lambda pk: _purge(pk, due), ids, failed="document_not_purged")


@transaction.atomic
def _purge(pk: int, due: Callable[[datetime], QuerySet[Document]]) -> bool:
    """Delete the files of one document, unless it was sent anew in this moment and waits for a reviewer."""
    states.lock(Claim.objects.get(proofs__documents=pk))
    document = due(timezone.now()).select_related("proof__claim__user").filter(pk=pk).first()
    if document is None:
        return False
    document.deleted_at = timezone.now()
    document.save(update_fields=["deleted_at"])
    events.record(kind="document_deleted", claim=document.proof.claim, key=f"document_deleted {document.key}")
    _delete_files(document)  # last: where that fails the row still says that they are there
    return True


def due_documents(at: datetime) -> QuerySet[Document]:
    """Documents whose files should be gone at a moment."""
    before = _keep_from(at)
    waits = Q(proof__claim__queued_at__isnull=False) | Q(uploaded_at__gte=before)
    for_the_next_decision = Q(proof__claim__state__in=UNDER_WAY) & waits
    return (
        Document.objects.filter(
            deleted_at=None,
            proof__claim__decided_at__lt=before,
            proof__claim__state__in=(*FINAL, *HOLDING),
        )
        .exclude(proof__claim__disputes_held__outcome="")
        .exclude(for_the_next_decision)
    )


def stray_files() -> list[str]:
    """Files of a day ago that no document knows: of uploads cut off before their row."""
    return private_files.strays(FOLDER, known=_keys_of_kept, key_of=lambda name: name.split("-")[0])


@transaction.atomic
def forget_codes() -> int:
    """Forget codes, and where they were sent, 30 days after the claim was decided. Returns of how many proofs.

    That there was such a proof, its masked target and when it held stay; so does the keyed hash of a mailbox whose
    code was right, or one mailbox could prove somebody else every month.
    """
    return _forget(due_codes(timezone.now()))


def _forget(codes: QuerySet[Proof]) -> int:
    kept = Case(When(_HAS_MAILBOX, then=F("code_hash")))
    return codes.update(code=None, code_hash=kept, target=None)


_HAS_MAILBOX = Q(kind=Proof.Kind.EMAIL, ok_at__isnull=False)
_REMEMBERS = Q(code__isnull=False) | (Q(code_hash__isnull=False) & ~_HAS_MAILBOX) | Q(target__isnull=False)


def due_codes(at: datetime) -> QuerySet[Proof]:
    """Proofs that should have forgotten their codes at a moment: old themselves, too, and not in dispute.

    A code that nobody typed is forgotten whatever became of the claim.
    """
    before = _keep_from(at)
    decided = Q(claim__decided_at__lt=before, claim__state__in=(*FINAL, *HOLDING))
    decided |= Q(kind__in=("phone", "fax", "email"), ok_at=None)
    proofs = Proof.objects.filter(_REMEMBERS, decided, _untouched(at, before))
    return proofs.exclude(claim__disputes_held__outcome="")


def _untouched(at: datetime, before: datetime) -> Q:
    return (
        Q(started_at__lt=before)
        & (Q(sent_at=None) | Q(sent_at__lt=before))
        & (Q(expires_at=None) | Q(expires_at__lt=at))
    )


def _keep_from(at: datetime) -> datetime:
    return at - timedelta(days=rules.DOCUMENT_KEEP_DAYS)


def _keys_of_kept(keys: list[str]):
    return Document.objects.filter(key__in=keys, deleted_at=None).values_list("key", flat=True)


def _storage():
    return storages["private"]


def _write(document: Document, pages: list[bytes]) -> None:
    for number, page in enumerate(pages, start=1):
        _storage().save(document.page_name(number), ContentFile(crypto.encrypt(page)))


def _delete_files(document: Document) -> None:
    for name in page_names(document):
        _storage().delete(name)


def page_names(document: Document) -> list[str]:
    """Where the pages of a document lie in the private storage."""
    return [document.page_name(number) for number in range(1, document.pages + 1)]


def pages_of(document: Document) -> Iterator[bytes]:
    """The pages as JPEG, for whoever sent them. Raises FileNotFoundError."""
    for name in page_names(document):
        with _storage().open(name) as sealed:
            yield crypto.decrypt(sealed.read())
