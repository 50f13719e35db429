"""Burning masks into a picture, and destroying what it was before.

The order is what makes it safe: the masked sizes are written under a new seal and other names; with the commit the seal
of the original is overwritten, which makes its files noise; then they are deleted. A crash in between leaves either an
original that is still to be masked or noise that a sweep finds.
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from consults.models import Image
from consults.services import files
from sermo import redaction
from sermo.errors import RuleBroken
from sermo.redaction import Box
from verification.services import events

STAGED_FOR = timedelta(hours=24)  # at most, from the upload on
COVERED = 0.8  # of a found line or face, from which on it counts as masked


class MaskingFailed(RuleBroken):
    message = "This picture could not be masked. Remove it, and send it again."


class NoPictureAnyMore(RuleBroken):
    message = "This picture is not there any more. Send it again."


@transaction.atomic
def mask(image: Image) -> Image:
    """Burn the boxes of a staged picture into all its sizes and destroy the original. Twice is as good as once.

    Raises MaskingFailed, NoPictureAnyMore.
    """
    image = _lock(image)
    if image.is_masked:
        return image
    if timezone.now() - image.staged_at > STAGED_FOR:
        raise NoPictureAnyMore
    renditions = [(window, _read(files.read_staged, image, window)) for window, _ in image.windows]
    files.drop_staged(image)
    image.state, image.masked_at = Image.State.MASKED, timezone.now()
    _burn(image, renditions)
    image.destroyed_at = timezone.now()
    image.left_over = left_over(image)
    image.save()
    events.record(
        kind="case_picture_masked",
        object=f"image:{image.pk}",
        evidence=[f"boxes:{len(image.boxes)}", *(f"sha256:{known}" for known in image.masked_hashes)],
        key=f"case_picture_masked:{image.pk}",
    )
    return image


@transaction.atomic
def mask_more(image: Image, boxes: Iterable[Box]) -> Image:
    """Burn further boxes into a masked picture; what is masked stays so. Raises MaskingFailed, NoPictureAnyMore."""
    image = _lock(image)
    if not image.is_masked:
        raise NoPictureAnyMore
    known = boxes_of(image.boxes)
    added = [box for box in boxes if box not in known]
    if not added:
        return image
    renditions = [(window, _read(files.read, image, window, size="full")) for window, _ in image.windows]
    files.drop_masked(image)
    image.boxes = [*image.boxes, *as_dicts(added)]
    _burn(image, renditions)
    image.left_over = left_over(image)
    image.save()
    return image


def left_over(image: Image) -> int:
    """How many of the lines and faces that were found are not covered by the boxes."""
    return len(open_still(image))


def open_still(image: Image) -> list[Box]:
    """The lines and faces that were found and are not covered by the boxes."""
    boxes = boxes_of(image.boxes)
    return [one for one in boxes_of(image.proposals) if redaction.covered_share(one, boxes) < COVERED]


def boxes_of(dicts: Iterable[dict]) -> list[Box]:
    return [Box(**one) for one in dicts]


def as_dicts(boxes: Iterable[Box]) -> list[dict]:
    names = ("left", "top", "width", "height", "sort")
    return [{name: getattr(box, name) for name in names} for box in boxes]


def _lock(image: Image) -> Image:
    found = Image.objects.select_for_update(of=("self",)).get(pk=image.pk)
    if found.is_shredded:
        raise NoPictureAnyMore
    return found


def _read(reader, image: Image, window: str, **how) -> bytes:
    try:
        return reader(image, window=window, **how)
    except FileNotFoundError as gone:
        raise NoPictureAnyMore from gone


def _burn(image: Image, renditions: list[tuple[str, bytes]]) -> None:
    """Make the masked sizes of all windows and keep them under a new seal."""
    try:
        burned = redaction.burn([jpeg for _, jpeg in renditions], boxes_of(image.boxes))
    except redaction.BurningFailed as error:
        raise MaskingFailed from error
    image.seal = files.new_seal()
    windows = [window for window, _ in renditions]
    files.keep(image, list(zip(windows, burned, strict=True)))
    image.masked_hashes = [hashlib.sha256(sizes["full"]).hexdigest() for sizes in burned]
