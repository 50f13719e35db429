"""Pictures and pages that participants look at: kept drawn anew and encrypted, shown with a watermark of who looks."""

import hashlib
import io
import math
import uuid

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from accounts.models import User
from focusgroups.models import Prompt, Stimulus
from focusgroups.services import guiding, holding
from sermo import crypto, images, private_files
from sermo.errors import RuleBroken

FOLDER = "stimuli"
LARGEST = 15_000_000  # bytes of a file as sent
MOST = 20  # of one prompt, each page of a PDF counted
LONGEST = 300  # characters of a description
DRAWN_FOR = 120  # seconds that a marked picture is there for who looks again
SLANT = 24  # degrees by which the watermark climbs
LIGHT, DARK = (255, 255, 255, 120), (0, 0, 0, 120)

REFUSALS = {
    "format": "Send a JPEG, PNG or WebP image, or a PDF.",
    "broken": "This file cannot be read. Save it anew and send it again.",
    "big": "This image has too many pixels. Send it smaller, at most 60 megapixels.",
    "small": "This image is too small. Send one of at least 200 pixels a side.",
    "frames": "This file holds several pictures. Send one that does not move, or a PDF.",
    "pages": "This PDF has more than 10 pages. Send the pages that matter.",
    "locked": "This PDF asks for a password. Send one without.",
}


class UnreadableStimulus(RuleBroken):
    message = REFUSALS["broken"]


class TooLarge(RuleBroken):
    message = "This file is larger than 15 MB. Send it smaller."


class TooManyStimuli(RuleBroken):
    message = f"A question shows at most {MOST} pictures and pages."


def add(
    *, prompt: Prompt, by: User, data: bytes, description: str, submission: uuid.UUID | None = None
) -> list[Stimulus]:
    """Redraw an image, or each page of a PDF, and show them last with a question. The same form sent twice adds them
    once.

    Raises TooLarge, UnreadableStimulus, TooManyStimuli, and of `holding` and `guiding` NotYours, Over, Opened, Unfit.
    """
    if len(data) > LARGEST:
        raise TooLarge
    needed = "Describe what it shows for who cannot see it."
    description = holding.text("description", description, LONGEST, needed)
    key = holding.key_of(submission, prompt, hashlib.sha256(data).hexdigest(), description) or uuid.uuid4()
    with transaction.atomic():  # before the work of drawing, and once more after it
        if earlier := _added_before(_hold(prompt, by), key):
            return earlier
    try:
        pages = images.draw_pages(data)
    except images.UnreadableFile as refusal:
        raise UnreadableStimulus(REFUSALS.get(refusal.reason, REFUSALS["broken"])) from refusal
    described = [_of_page(description, at, len(pages)) for at in range(1, len(pages) + 1)]
    drawn = [
        _write(_key(key, at), page, words)
        for at, (page, words) in enumerate(zip(pages, described, strict=True), 1)
    ]
    kept = []
    try:
        kept = _keep(prompt, by, key, drawn)
    finally:
        for stimulus in drawn if kept is not drawn else ():
            _storage().delete(stimulus.file)
    return kept


def _key(key: uuid.UUID, at: int) -> uuid.UUID:
    """Of a page of what a form sent."""
    return uuid.uuid5(key, str(at))


def _added_before(prompt: Prompt, key: uuid.UUID) -> list[Stimulus]:
    """What the same form has added to a question of a locked room."""
    return list(prompt.stimuli.filter(pk__in=[_key(key, at) for at in range(1, MOST + 1)]))


def _of_page(description: str, at: int, of: int) -> str:
    if of == 1:
        return description
    page = f"{'' if description.endswith(('.', '!', '?')) else '.'} Page {at} of {of}."
    return holding.text("description", description, LONGEST - len(page)) + page


def _write(key: uuid.UUID, page: bytes, description: str) -> Stimulus:
    """Each try has a file of its own, so that of two at once one can be deleted."""
    width, height = _open(page).size
    name = _name(uuid.uuid4().hex)
    _storage().save(name, ContentFile(crypto.encrypt(page)))
    return Stimulus(key=key, description=description, file=name, width=width, height=height)


@transaction.atomic
def _keep(prompt: Prompt, by: User, key: uuid.UUID, drawn: list[Stimulus]) -> list[Stimulus]:
    prompt = _hold(prompt, by)
    if earlier := _added_before(prompt, key):
        return earlier
    there = prompt.stimuli.all()
    if there.count() + len(drawn) > MOST:
        raise TooManyStimuli
    for place, stimulus in enumerate(drawn, start=holding.next_place(there)):
        stimulus.prompt, stimulus.place = prompt, place
        stimulus.save(force_insert=True)
    holding.note("stimulus", prompt.section.room, by)
    return drawn


@transaction.atomic
def remove(*, stimulus: Stimulus, by: User) -> None:
    """Show it no more; its file goes with it. Raises NotYours, Over, Opened."""
    prompt = _hold(stimulus.prompt, by)
    private_files.delete_files([stimulus.file])
    prompt.stimuli.filter(pk=stimulus.pk).delete()
    holding.close_ranks(prompt.stimuli.all())
    holding.note("stimulus_delete", prompt.section.room, by)


@transaction.atomic
def move(*, stimulus: Stimulus, by: User, up: bool) -> None:
    """Raises NotYours, Over, Opened."""
    prompt = _hold(stimulus.prompt, by)
    holding.swap(prompt.stimuli.get(pk=stimulus.pk), prompt.stimuli.all(), up=up)
    holding.note("stimulus", prompt.section.room, by)


def _hold(prompt: Prompt, by: User) -> Prompt:
    section = guiding.hold_section(prompt.section, by)
    prompt = section.prompts.get(pk=prompt.pk)
    prompt.section = section
    return prompt


# Files


def read(stimulus: Stimulus) -> bytes:
    """The JPEG as kept, without any mark. Raises FileNotFoundError."""
    with _storage().open(stimulus.file) as sealed:
        return crypto.decrypt(sealed.read())


def sweep_files() -> int:
    """Delete files of a day ago that no stimulus knows: of uploads cut off. Returns how many."""
    return private_files.sweep(stray_files())


def stray_files() -> list[str]:
    return private_files.strays(
        FOLDER,
        known=lambda names: Stimulus.objects.filter(file__in=names).values_list("file", flat=True),
        key_of=_name,
    )


def _name(key: str) -> str:
    return f"{FOLDER}/{key[:2]}/{key}"


def _storage():
    return storages["private"]


def _open(page: bytes):
    """Of JPEGs that were drawn here alone: what a person sent is never decoded in this process."""
    from PIL import Image

    return Image.open(io.BytesIO(page), formats=["JPEG"])


# What is shown


def watermarked(stimulus: Stimulus, words: str) -> bytes:
    """A JPEG with words all across it: light with a dark rim, so that they show on any ground.

    Drawn once in `DRAWN_FOR` for the same words, which name who looks, and kept encrypted as the picture itself is.
    Raises FileNotFoundError.
    """
    if not _storage().exists(stimulus.file):
        raise FileNotFoundError(stimulus.file)
    key = "stimulus:" + crypto.keyed_hash(f"{stimulus.file} {words}", "watermark")
    if sealed := cache.get(key):
        return crypto.decrypt(sealed)
    drawn = _marked(read(stimulus), words)
    cache.set(key, crypto.encrypt(drawn), DRAWN_FOR)
    return drawn


def _marked(page: bytes, words: str) -> bytes:
    image = _open(page).convert("RGB")
    mark = _mark(words, image.size)
    across, down = mark.width + mark.width // 8, mark.height
    for row, top in enumerate(range(-mark.height // 2, image.height, down)):
        for left in range(-mark.width // 2 - row % 2 * across // 2, image.width, across):
            image.paste(mark, (left, top), mask=mark)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=images.QUALITY)
    return out.getvalue()


def _mark(words: str, size: tuple[int, int]):
    """The words once, climbing, no longer than the image is wide."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=max(size) // 45)
    longest = 0.9 * size[0] / math.cos(math.radians(SLANT))
    if (length := font.getlength(words)) > longest:
        font = ImageFont.load_default(size=font.size * longest / length)
    rim = max(1, round(font.size / 12))
    left, top, right, bottom = font.getbbox(words, stroke_width=rim)
    straight = Image.new("RGBA", (int(right - left) + 2, int(bottom - top) + 2), (0, 0, 0, 0))
    ImageDraw.Draw(straight).text(
        (1 - left, 1 - top), words, font=font, fill=LIGHT, stroke_width=rim, stroke_fill=DARK
    )
    return straight.rotate(SLANT, resample=Image.Resampling.BICUBIC, expand=True)
