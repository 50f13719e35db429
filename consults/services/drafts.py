"""A case while its author writes it: the draft, and the pictures on it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Member
from consults.models import CaseDraft, Image
from consults.models.drafts import MOST_DRAFTS
from consults.models.images import MOST_IMAGES
from consults.services import files, masking
from questions.services import limits
from questions.services.writing import ReadOnly
from sermo import crypto, images, redaction
from sermo.boxes import merge
from sermo.errors import RuleBroken
from sermo.redaction import Box

HOUR = timedelta(hours=1)
PURGED_AFTER = masking.STAGED_FOR - HOUR  # of what is staged, as the rule is carried out once an hour
KEPT_FOR = timedelta(days=30)  # masked pictures of a case that nobody goes on with
MOST_BOXES = 60
WIDEST = "bone"  # of the windows of a CT slice

REFUSALS = {
    "format": "Send a JPEG, PNG, WebP, HEIC or DICOM file.",
    "big": "This picture has too many pixels. Send it smaller, at most 60 megapixels.",
    "small": "This picture is too small. Send one of at least 100 pixels a side.",
    "large": "This file is too large. A picture has at most 15 MB, a DICOM file 32 MB.",
    "frames": "This file holds several pictures. Send the one that matters.",
    "compression": "This DICOM file is compressed in a way not known here. Export it as JPEG, or uncompressed.",
    "broken": "This file cannot be read. Save it anew and send it again.",
}


class TooManyDrafts(RuleBroken):
    message = f"You have {MOST_DRAFTS} cases in writing already. Post or discard one of them first."


class NotInWriting(RuleBroken):
    message = "A moderator looks at this case now. It cannot be changed meanwhile."


class UnreadableImage(RuleBroken):
    """`reason` is one of REFUSALS."""

    def __init__(self, reason: str):
        self.reason = reason if reason in REFUSALS else "broken"
        super().__init__(REFUSALS[self.reason])


class TooManyImages(RuleBroken):
    message = f"A case has at most {MOST_IMAGES} pictures."


class TooManyToday(RuleBroken):
    message = "Too many pictures were sent today. Try again tomorrow."


class TooManyBoxes(RuleBroken):
    message = f"At most {MOST_BOXES} boxes to a picture. Draw fewer, larger ones."


class FaceUncovered(RuleBroken):
    message = "A box leaves a part of a face open. Cover it whole, or say why that is right."


class MaskedAlready(RuleBroken):
    message = "This picture is masked already. Boxes can only be added."


@transaction.atomic
def start(*, member: Member, fields: dict[str, Any] | None = None) -> CaseDraft:
    """Begin a case. Raises ReadOnly, limits.Held, TooManyDrafts."""
    member = Member.objects.select_for_update(no_key=True).get(
        pk=member.pk
    )  # two at once count one after the other
    if not member.may_write:
        raise ReadOnly
    limits.check_not_held(member)
    if CaseDraft.objects.own(member).count() >= MOST_DRAFTS:
        raise TooManyDrafts
    return CaseDraft.objects.create(member=member, fields=fields or {})


@transaction.atomic
def save(*, draft: CaseDraft, member: Member, fields: dict[str, Any]) -> CaseDraft:
    """Keep what was typed. Raises NotInWriting."""
    draft = lock_own(draft, member)
    draft.fields, draft.saved_at = fields, timezone.now()
    draft.save(update_fields=["fields", "saved_at"])
    return draft


def lock_own(draft: CaseDraft, member: Member) -> CaseDraft:
    """Lock a draft its member may still change. Raises NotInWriting, CaseDraft.DoesNotExist for others' drafts."""
    draft = CaseDraft.objects.own(member).select_for_update(of=("self",)).get(pk=draft.pk)
    if draft.is_waiting:
        raise NotInWriting
    return draft


def add_image(*, draft: CaseDraft, member: Member, upload: UUID, data: bytes) -> Image:
    """Take in a file, look for text and faces, and stage it. The same upload twice is one picture.

    The file itself is never written anywhere. Raises UnreadableImage, TooManyImages, TooManyToday, NotInWriting.
    """
    if earlier := _earlier(draft, member, upload):
        return earlier
    if draft.is_waiting:
        raise NotInWriting
    _count_upload(member)
    try:
        intake = images.take_in(data)
    except images.UnreadableFile as refusal:
        raise UnreadableImage(refusal.reason) from refusal
    image = Image(
        draft=draft,
        upload=upload,
        sort=intake.sort,
        width=intake.width,
        height=intake.height,
        windows=[[rendition.window, rendition.label] for rendition in intake.renditions],
        seal=files.new_seal(),
        received_hash=crypto.keyed_hash(hashlib.sha256(data).hexdigest(), "case-picture"),
    )
    _propose(image, intake.renditions)
    files.stage(image, [(rendition.window, rendition.jpeg) for rendition in intake.renditions])
    try:
        return _keep(image, member)
    except IntegrityError:
        files.drop_staged(image)
        if earlier := _earlier(draft, member, upload):
            return earlier
        raise
    except BaseException:
        files.drop_staged(image)
        raise


def _earlier(draft: CaseDraft, member: Member, upload: UUID) -> Image | None:
    rows = Image.objects.filter(draft=draft, draft__member=member, upload=upload)
    return rows.exclude(state=Image.State.SHREDDED).first()


def _propose(image: Image, renditions: Sequence[images.Rendition]) -> None:
    """Note what the search found. A search that failed leaves the looking to a person.

    White letters on what is white in one window of a CT slice stand out in a wider one, so both are searched.
    """
    looked_at = [one for place, one in enumerate(renditions) if place == 0 or one.window == WIDEST]
    try:
        found = [box for one in looked_at for box in redaction.propose(one.jpeg)]
    except redaction.ProposalFailed:
        found, image.was_looked_at = [], False
    image.proposals = masking.as_dicts(merge(found, redaction.MOST_BOXES))
    image.boxes = list(image.proposals)


@transaction.atomic
def _keep(image: Image, member: Member) -> Image:
    draft = lock_own(image.draft, member)
    places = set(draft.images.exclude(state=Image.State.SHREDDED).values_list("place", flat=True))
    free = [place for place in range(1, MOST_IMAGES + 1) if place not in places]
    if not free:
        raise TooManyImages
    image.draft, image.place = draft, max(places, default=0) + 1
    if image.place not in free:
        image.place = free[0]
    image.save(force_insert=True)
    return image


def _count_upload(member: Member) -> None:
    key = f"case-pictures-sent:{member.pk}:{timezone.now():%Y-%m-%d}"
    cache.add(key, 0, timedelta(days=1).total_seconds())
    if cache.incr(key) > settings.CASE_UPLOADS_PER_DAY:
        raise TooManyToday


@transaction.atomic
def describe(
    *,
    image: Image,
    member: Member,
    boxes: Sequence[Box],
    description: str,
    why_uncovered: str = "",
    shows: str | None = None,
) -> Image:
    """Keep the boxes of a picture, what it shows in words, and which kind it is where that is said (`shows`).

    Nothing is burned yet.

    A box drawn over a found face may leave a part of it open only for a reason. On a picture that is masked already,
    only the words change. Raises NotInWriting, TooManyBoxes, FaceUncovered, MaskedAlready.
    """
    draft = lock_own(image.draft, member)
    image = Image.objects.select_for_update(of=("self",)).get(pk=image.pk, draft=draft)
    image.description = description.strip()
    if shows is not None:
        image.shows = shows
    if image.is_masked:
        if masking.as_dicts(boxes) != image.boxes:
            raise MaskedAlready
        image.save(update_fields=["description", "shows"])
        return image
    if len(boxes) > MOST_BOXES:
        raise TooManyBoxes
    image.boxes, image.why_uncovered = masking.as_dicts(boxes), why_uncovered.strip()
    if uncovered_faces(image) and not image.why_uncovered:
        raise FaceUncovered
    if not uncovered_faces(image):
        image.why_uncovered = ""
    image.save(update_fields=["boxes", "description", "why_uncovered", "shows"])
    return image


def uncovered_faces(image: Image) -> int:
    """How many found faces are not under its boxes whole."""
    return len(left_open(image, "face", masking.boxes_of(image.boxes)))


def left_open(image: Image, sort: str, boxes: Sequence[Box]) -> list[int]:
    """Which of the findings of a sort are not under boxes whole, but for a rim as wide as rounding makes."""
    found = enumerate(masking.boxes_of(image.proposals))
    return [place for place, one in found if one.sort == sort and redaction.covered_share(one, boxes) < 0.98]


@transaction.atomic
def remove_image(*, image: Image, member: Member) -> None:
    """Shred a picture of a draft. Twice is as good as once. Raises NotInWriting."""
    draft = lock_own(image.draft, member)
    found = Image.objects.select_for_update(of=("self",)).filter(pk=image.pk, draft=draft).first()
    if found and not found.is_shredded:
        shred(found, Image.Shredded.AUTHOR)


@transaction.atomic
def discard(*, draft: CaseDraft, member: Member) -> None:
    """Forget a draft and shred its pictures. Raises NotInWriting."""
    draft = lock_own(draft, member)
    shred_all(draft, Image.Shredded.AUTHOR)
    draft.delete()


def shred_all(draft: CaseDraft, why: str) -> None:
    """Shred the pictures of a locked draft."""
    for image in draft.images.select_for_update(of=("self",)).exclude(state=Image.State.SHREDDED):
        shred(image, why)


def shred(image: Image, why: str) -> None:
    """Destroy every file of a locked picture, by its key and then for good. The row stays, and says why."""
    files.shred(image)
    image.state, image.shredded, image.shredded_at = Image.State.SHREDDED, why, timezone.now()
    image.seal, image.description, image.why_uncovered = None, "", ""
    image.save()


def purge_expired() -> int:
    """Shred what was staged a day ago and never masked, and what is masked in drafts left alone for a month.

    Returns how many pictures went. The words of their cases stay drafts.
    """
    purged = sum(_purge(pk) for rows in expired(timezone.now()) for pk in rows.values_list("pk", flat=True))
    files.sweep_destroyed()
    return purged


def expired(at: datetime) -> tuple[QuerySet[Image], QuerySet[Image]]:
    """What was past its time at a moment: staged and never masked, and masked in drafts left alone."""
    staged = Image.objects.filter(state=Image.State.STAGED, staged_at__lt=at - PURGED_AFTER)
    left = Image.objects.filter(
        Q(draft=None) | Q(draft__saved_at__lt=at - KEPT_FOR),
        Q(masked_at__lte=at - KEPT_FOR),
        state=Image.State.MASKED,
        case=None,
    )
    return staged, left.exclude(draft__state=CaseDraft.State.WAITING)


@transaction.atomic
def _purge(image_id: int) -> int:
    """Shred one picture unless somebody has just masked or published it; one that is locked waits for the next time."""
    rows = Image.objects.select_for_update(of=("self",), skip_locked=True)
    image = rows.filter(pk=image_id, case=None).exclude(state=Image.State.SHREDDED).first()
    if image is None or (image.is_masked and image.masked_at > timezone.now() - KEPT_FOR):
        return 0
    shred(image, Image.Shredded.EXPIRED)
    return 1
