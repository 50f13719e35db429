"""Choosing, sending and removing the picture of a face. The two faces of a member never come to share one."""

from datetime import timedelta

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone

from accounts.models import Face, Member, Picture
from accounts.pictures import LARGEST, SIDE, STOCK, STOCK_PICTURES, field_of, other_face
from sermo import crypto, images, private_files
from sermo.errors import RuleBroken

FOLDER = "pictures"
UPLOADS_PER_DAY = 20  # by one member, those refused among them
BESIDE = {Face.HANDLE: "handle", Face.NAME: "name"}

REFUSALS = {
    "format": "Send a JPEG, PNG or WebP image.",
    "big": "This image has too many pixels. Send it smaller, at most 60 megapixels.",
    "small": "This image is too small. Send one of at least 128 pixels a side.",
    "frames": "This file holds several pictures. Send one that does not move.",
    "broken": "This file cannot be read. Save it anew and send it again.",
}


class UnreadablePicture(RuleBroken):
    message = REFUSALS["broken"]


class TooLarge(RuleBroken):
    message = "This file is larger than 15 MB. Send it smaller."


class TooManyUploads(RuleBroken):
    message = "Too many pictures were sent today. Try again tomorrow."


class UnknownPicture(RuleBroken):
    message = "Choose one of the pictures."


class NameNotShown(RuleBroken):
    message = "Your name is not shown. A picture beside it can be chosen once it is."


class AlikeOnBothFaces(RuleBroken):
    def __init__(self, other: Face):
        super().__init__(
            f"This looks like the picture beside your {BESIDE[other]}. Two alike would tell that both are you."
        )


def send_picture(*, member: Member, face: str, data: bytes) -> Picture:
    """Redraw an image and keep it, encrypted, as the picture of a face; the one before goes.

    Raises TooLarge, TooManyUploads, UnreadablePicture, NameNotShown, AlikeOnBothFaces.
    """
    face = Face(face)
    if len(data) > LARGEST:
        raise TooLarge
    _check_shown(member, face)
    _count_upload(member)
    drawn = _draw(data)
    picture = Picture(member=member, face=face, likeness=images.likeness(drawn))
    _storage().save(picture.file_name, ContentFile(crypto.encrypt(drawn)))
    try:
        _keep(picture)
    except BaseException:
        _storage().delete(picture.file_name)
        raise
    return picture


def _draw(data: bytes) -> bytes:
    try:
        return images.draw_square(data, SIDE)
    except images.UnreadableFile as refusal:
        raise UnreadablePicture(REFUSALS[refusal.reason]) from refusal


@transaction.atomic
def _keep(picture: Picture) -> None:
    member = _lock(picture.member)
    face = Face(picture.face)
    _check_shown(member, face)
    beside = Picture.objects.filter(member=member, face=other_face(face)).first()
    if beside and images.are_alike(beside.likeness, picture.likeness):
        raise AlikeOnBothFaces(other_face(face))
    _drop_upload(member, face)
    picture.save(force_insert=True)
    _choose(member, face, picture.key)


@transaction.atomic
def choose_stock(*, member: Member, face: str, name: str) -> Member:
    """Take one of the drawings; an upload of this face goes. Raises UnknownPicture, NameNotShown, AlikeOnBothFaces."""
    face = Face(face)
    if name not in STOCK_PICTURES:
        raise UnknownPicture
    member = _lock(member)
    _check_shown(member, face)
    if getattr(member, field_of(other_face(face))) == STOCK + name:
        raise AlikeOnBothFaces(other_face(face))
    _drop_upload(member, face)
    return _choose(member, face, STOCK + name)


@transaction.atomic
def remove_picture(*, member: Member, face: str) -> Member:
    """Go back to two letters. The file goes once this is committed. Does nothing where there is no picture."""
    member = _lock(member)
    _drop_upload(member, face)
    return _choose(member, face, "")


def read_picture(picture: Picture) -> bytes:
    """The JPEG of an upload. Raises FileNotFoundError."""
    with _storage().open(picture.file_name) as sealed:
        return crypto.decrypt(sealed.read())


def stray_files() -> list[str]:
    """Files of a day ago that no picture knows: of uploads cut off, of members deleted."""
    return private_files.strays(
        FOLDER, known=lambda keys: Picture.objects.filter(key__in=keys).values_list("key", flat=True)
    )


def sweep_files() -> int:
    """Delete them. Returns how many."""
    return private_files.sweep(stray_files())


def _lock(member: Member) -> Member:
    return Member.objects.select_for_update().get(pk=member.pk)


def _check_shown(member: Member, face: Face) -> None:
    if face == Face.NAME and member.byline_mode != Member.BylineMode.PUBLIC:
        raise NameNotShown


def _count_upload(member: Member) -> None:
    key = f"pictures-sent:{member.pk}:{timezone.now():%Y-%m-%d}"
    cache.add(key, 0, timedelta(days=1).total_seconds())
    if cache.incr(key) > UPLOADS_PER_DAY:
        raise TooManyUploads


def _drop_upload(member: Member, face: str) -> None:
    dropped = Picture.objects.filter(member=member, face=face)
    private_files.delete_files(picture.file_name for picture in dropped)
    dropped.delete()


def _choose(member: Member, face: str, value: str) -> Member:
    setattr(member, field_of(face), value)
    member.save(update_fields=[field_of(face)])
    return member


def _storage():
    return storages["private"]
