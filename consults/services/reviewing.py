"""The moderator's decision about a case that waits: it goes out, back to its author, or its pictures are destroyed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import Member, User
from consults.models import Case, CaseDraft, Image
from consults.services import drafts, masking, submitting, telling, triage
from questions.services.moderation import rights
from sermo.errors import RuleBroken
from sermo.redaction import Box
from sermo.text import clip
from verification.services import events

LONGEST = CaseDraft._meta.get_field("answer").max_length
State = CaseDraft.State


class OwnCase(RuleBroken):
    message = "This is a case of your own. Another moderator decides."


class NotWaitingAnyMore(RuleBroken):
    message = "This case does not wait any more: another moderator decided, or its author has left."


class SentAgain(NotWaitingAnyMore):
    message = "This case was sent anew since you opened the page. Look at it as it is now."


class WordsMissing(RuleBroken):
    message = "Say why, in a sentence. The author reads it."


class CouldNotGoOut(RuleBroken):
    """One message for every rule: what refused may be about its author's other face. The author is told."""

    message = "A rule of the site kept it from going out. It went back to its author, who is told which."


# The queue


def queue_place(draft: CaseDraft) -> int:
    """How many cases wait until a moderator has looked at this one, itself among them; 0 when it does not wait."""
    if not draft.is_waiting:
        return 0
    before = Q(submitted_at__lt=draft.submitted_at) | Q(submitted_at=draft.submitted_at, pk__lt=draft.pk)
    return CaseDraft.objects.filter(before, state=State.WAITING).count() + 1


def due_at(draft: CaseDraft) -> datetime:
    """Until when a moderator should have looked."""
    return draft.submitted_at + timedelta(minutes=settings.CASE_REVIEW_MINUTES)


# Deciding


def approve(*, draft: CaseDraft, by: User, seen: datetime | None = None) -> Case:
    """Publish a case that waits. `seen` is when what the moderator looked at had been sent.

    Where a rule refuses that (its author is held, the consent has ended), the case goes back with its words, which
    the moderator is not told.
    Raises rights.NotAModerator, OwnCase, NotWaitingAnyMore, SentAgain, CouldNotGoOut.
    """
    case = _approve(draft, by, seen)
    if case is None:
        raise CouldNotGoOut
    return case


@transaction.atomic
def _approve(draft: CaseDraft, by: User, seen: datetime | None) -> Case | None:
    draft = _lock_waiting(draft, by, seen)
    try:
        with transaction.atomic():
            case = submitting.publish(draft=draft, reviewed_by=by)
    except RuleBroken as refusal:
        _return(draft, by, telling.STOPPED, str(refusal))
        return None
    _write_event(by, telling.PUBLISHED, f"case:{case.pk}")
    telling.of_publishing(case)
    return case


@transaction.atomic
def send_back(*, draft: CaseDraft, by: User, words: str, seen: datetime | None = None) -> CaseDraft:
    """Give a case back to its author, who can mend it and send it again. Its pictures stay, masked as they are.

    Raises rights.NotAModerator, OwnCase, NotWaitingAnyMore, SentAgain, WordsMissing.
    """
    words = _checked(words)
    draft = _lock_waiting(draft, by, seen)
    _return(draft, by, telling.RETURNED, words)
    return draft


@transaction.atomic
def refuse(*, draft: CaseDraft, by: User, words: str, seen: datetime | None = None) -> CaseDraft:
    """Destroy the pictures of a case. Its words go back to the author with the reason. Raises as `send_back`."""
    words = _checked(words)
    draft = _lock_waiting(draft, by, seen)
    drafts.shred_all(draft, Image.Shredded.REFUSED)
    _return(draft, by, telling.REFUSED, words)
    return draft


def cover(*, image: Image, by: User, boxes: Iterable[Box]) -> Image:
    """Burn more boxes into a picture of a case that waits. What is covered stays so.

    Raises rights.NotAModerator, OwnCase, NotWaitingAnyMore, drafts.TooManyBoxes, masking.MaskingFailed,
    masking.NoPictureAnyMore.
    """
    boxes = list(boxes)
    if image.draft is None:
        raise NotWaitingAnyMore
    with transaction.atomic():
        _lock_waiting(image.draft, by, None)
        if len(image.boxes) + len(boxes) > drafts.MOST_BOXES:
            raise drafts.TooManyBoxes
    image = masking.mask_more(image, boxes)  # takes long; who decides meanwhile is not kept waiting
    events.record(kind="moderation_case_cover", by=by, object=f"image:{image.pk}")
    _look_again(image.draft)
    return image


@transaction.atomic
def _look_again(draft: CaseDraft) -> None:
    """Note what is still found, for the list of what waits."""
    draft = CaseDraft.objects.select_for_update(of=("self",)).filter(pk=draft.pk, state=State.WAITING).first()
    if draft:
        draft.hits = triage.look(draft).as_dict()
        draft.save(update_fields=["hits"])


def _checked(words: str) -> str:
    words = words.strip()
    if not words:
        raise WordsMissing
    return clip(words, LONGEST)


def _lock_waiting(draft: CaseDraft, by: User, seen: datetime | None) -> CaseDraft:
    """The draft, locked after the chain, as each decision leaves an event, and after its member, as whoever leaves
    does. One who comes second is told so.
    """
    rights.check_moderator(by)
    events.lock_chain()
    Member.objects.select_for_update(no_key=True).filter(pk=draft.member_id).first()
    rows = CaseDraft.objects.select_for_update(of=("self",)).select_related("member", "consent")
    found = rows.filter(pk=draft.pk).first()
    if found is None or not found.is_waiting:
        raise NotWaitingAnyMore
    if by.as_member and found.member_id == by.as_member.pk:
        raise OwnCase
    if seen is not None and seen != found.submitted_at:
        raise SentAgain
    return found


def _return(draft: CaseDraft, by: User, deed: str, words: str) -> None:
    draft.state, draft.answer, draft.decided_by = State.RETURNED, clip(words, LONGEST), by
    draft.save(update_fields=["state", "answer", "decided_by"])
    _write_event(by, deed, f"draft:{draft.pk.hex}")
    telling.of_draft(draft, deed)


def _write_event(by: User, deed: str, what: str) -> None:
    """The chain names the moderator and the case, and nobody concerned."""
    events.record(kind="moderation_case", by=by, to_state=deed, object=what)
