"""From an uploaded file to fresh JPEGs, drawn in a process of its own.

Formats are told by content, never by name. Sizes are judged before anything is decoded. Pixels are copied into new
images, so no metadata, thumbnail, layer, script or appended data can survive. The decoders run in a child process
with limits on memory and time: what breaks them breaks only that process.

`draw_pages`, `draw_square` and `take_in` are for the site; run as a module, this file is the child: a file on stdin,
JPEGs on stdout.
"""

import io
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from sermo import sandbox
from sermo.image_headers import MAX_PIXELS, check, check_size, sniff
from sermo.sandbox import Refused

MAX_PAGES = 10
PAGE_SIDE = 2_200  # pixels of the longer side of a page as kept: a letter page at 200 dpi
MIN_PAGE_SIDE = 200
MIN_SQUARE_SIDE = 128
FULL_SIDE = 3_000  # pixels of the longer side of a case's picture as kept
MIN_CASE_SIDE = 100
MOST_BYTES = 15_000_000
MOST_DICOM_BYTES = 32_000_000
MOST_TEXT = 4_000_000  # bytes of all texts in a PNG, inflated
QUALITY = 82
CASE_QUALITY = 92
MEMORY = 1_200_000_000  # bytes of address space for the child
CASE_MEMORY = (
    1_500_000_000  # the heaviest there is, 60 megapixels of 16 bits or of WebP with alpha, takes 1.1
)
SECONDS = 20
DOCUMENTS = ("JPEG", "PNG", "WEBP", "PDF")
PICTURES = ("JPEG", "PNG", "WEBP")
CASE_FILES = ("JPEG", "PNG", "WEBP", "HEIC", "DICOM")
REASONS = ("format", "broken", "big", "small", "frames", "pages", "locked", "large", "compression")
LIKENESS_SIDE = 16  # 16 x 16 comparisons of neighbors make 256 bits
MOST_ALIKE = 25  # of 256 bits, a tenth: pictures that differ in no more look alike


class UnreadableFile(Exception):
    """No picture came out of a file. `reason` is one of REASONS; the caller has the words for it."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason if reason in REASONS else "broken"


@dataclass(frozen=True)
class Rendition:
    """One way to look at what was sent. A photo has one; a CT slice one for each window."""

    window: str  # "" for a photo; "lung", "soft", "bone", "brain" or "as-sent" for DICOM
    label: str
    jpeg: bytes


@dataclass(frozen=True)
class Intake:
    """What came of a file: renditions of one size."""

    sort: str  # "photo" or "dicom"
    width: int
    height: int
    renditions: tuple[Rendition, ...]


def draw_pages(data: bytes) -> list[bytes]:
    """The pages of an image or PDF as new JPEGs. Raises UnreadableFile."""
    if sniff(data) not in DOCUMENTS:
        raise UnreadableFile("format")
    return _draw(data, "pages", PAGE_SIDE)


def draw_square(data: bytes, side: int) -> bytes:
    """The middle of an image as a new JPEG of `side` times `side` pixels. Raises UnreadableFile."""
    if sniff(data) not in PICTURES:
        raise UnreadableFile("format")
    (square,) = _draw(data, "square", side)
    return square


def take_in(data: bytes) -> Intake:
    """A case's photo or DICOM slice as new JPEGs, upright and without its metadata. Raises UnreadableFile.

    What is written in the pixels themselves is still there: see `sermo.redaction`.
    """
    sort = sniff(data)
    if sort not in CASE_FILES:
        raise UnreadableFile("format")
    if len(data) > (MOST_DICOM_BYTES if sort == "DICOM" else MOST_BYTES):
        raise UnreadableFile("large")
    about, *jpegs = _draw(data, "case", FULL_SIDE)
    about = json.loads(about)
    return Intake(
        sort="dicom" if sort == "DICOM" else "photo",
        width=about["width"],
        height=about["height"],
        renditions=tuple(
            Rendition(window, label, jpeg)
            for (window, label), jpeg in zip(about["views"], jpegs, strict=True)
        ),
    )


def likeness(jpeg: bytes) -> str:
    """256 bits, as 64 hex digits, that change little where a picture is drawn anew, smaller or paler.

    For JPEGs drawn here alone: what a person sent is never decoded in this process.
    """
    from PIL import Image

    gray = Image.open(io.BytesIO(jpeg), formats=["JPEG"]).convert("L")
    small = gray.resize((LIKENESS_SIDE + 1, LIKENESS_SIDE))
    bits = 0
    for top in range(LIKENESS_SIDE):
        for left in range(LIKENESS_SIDE):
            bits = bits << 1 | (small.getpixel((left, top)) > small.getpixel((left + 1, top)))
    return f"{bits:064x}"


def are_alike(one: str, other: str) -> bool:
    """Whether two likenesses belong to pictures a person would take for the same."""
    return (int(one, 16) ^ int(other, 16)).bit_count() <= MOST_ALIKE


def shrunk(jpeg: bytes, side: int) -> bytes:
    """The same with a longer side of so many pixels at most. For JPEGs drawn here alone, as `likeness`."""
    from PIL import Image

    image = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
    if max(image.size) <= side:
        return jpeg
    image.draft("RGB", (side, side))
    image = image.convert("RGB")
    image.thumbnail((side, side))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _draw(data: bytes, what: str, side: int) -> list[bytes]:
    try:
        return sandbox.run("sermo.images", what, str(side), data=data, seconds=SECONDS)
    except sandbox.ChildFailed as failure:
        raise UnreadableFile(failure.reason) from failure


# The child


def main(what: str, side: str) -> int:
    draw = {"pages": _pages, "square": _square, "case": _case}[what]
    memory = CASE_MEMORY if what == "case" else MEMORY
    return sandbox.serve(lambda data: draw(data, int(side)), memory=memory, seconds=SECONDS)


def _pages(data: bytes, side: int) -> Iterator[bytes]:
    images = _pdf_pages(data, side) if sniff(data) == "PDF" else [_open(data, MIN_PAGE_SIDE, side)]
    for image in images:
        image = _on_white(image)
        image.thumbnail((side, side))
        yield _jpeg(image)


def _square(data: bytes, side: int) -> Iterator[bytes]:
    image = _on_white(_open(data, MIN_SQUARE_SIDE, 2 * side))
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    yield _jpeg(image.resize((side, side), box=(left, top, left + edge, top + edge)))


def _case(data: bytes, side: int) -> Iterator[bytes]:
    """What there is to say about the renditions, as JSON, and then each of them."""
    if sniff(data) == "DICOM":
        from sermo import dicom

        drawn = [((view.name, view.label), image) for view, image in dicom.draw(data, MIN_CASE_SIDE)]
        for _, image in drawn:
            image.thumbnail((side, side))
    else:
        drawn = [(("", ""), _photo(data, side))]
    width, height = drawn[0][1].size
    yield json.dumps({"width": width, "height": height, "views": [view for view, _ in drawn]}).encode()
    for _, image in drawn:
        yield _jpeg(image, quality=CASE_QUALITY, subsampling=0)


def _photo(data: bytes, side: int):
    opened = _open_heic(data, MIN_CASE_SIDE) if sniff(data) == "HEIC" else _open(data, MIN_CASE_SIDE, side)
    profile = opened.info.get("icc_profile") if opened.mode in ("RGB", "RGBA") else None
    image = _on_white(opened)
    image.thumbnail((side, side))
    return _in_srgb(image, profile) if profile else image


def _open(data: bytes, least: int, enough: int):
    """Decode one image, upright. No side may be under `least` pixels; a JPEG may come no larger than `enough` needs."""
    from PIL import Image, ImageOps, PngImagePlugin

    PngImagePlugin.MAX_TEXT_MEMORY = MOST_TEXT
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    check(data, sniff(data))
    try:
        image = Image.open(io.BytesIO(data), formats=PICTURES)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("big") from error
    check_size(image.width, image.height, least)
    if (
        getattr(image, "n_frames", 1) > 1 and image.format != "MPO"
    ):  # phones keep a gain map as a second JPEG: dropped
        raise Refused("frames")
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB", (enough, enough))  # decode a large photo at the size that is kept
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _open_heic(data: bytes, least: int):
    """Decode one image; the format's own turns are applied by its decoder, and EXIF's say nothing here."""
    import pillow_heif

    check(data, "HEIC")
    pillow_heif.options.DECODE_THREADS = 2  # each takes address space
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    try:
        file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        if len(file) != 1:
            raise Refused("frames" if len(file) else "broken")
        check_size(*file.size, least)
        image = file.to_pillow()
    except SyntaxError as error:  # a picture of another codec in the same wrapping
        raise Refused("format") from error
    check_size(*image.size, least)
    return image


def _pdf_pages(data: bytes, side: int) -> Iterator:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Refused("locked" if "assword" in str(error) else "broken") from error
    if not 1 <= len(pdf) <= MAX_PAGES:
        raise Refused("pages" if len(pdf) else "broken")
    for page in pdf:
        scale = side / max(*page.get_size(), 1)
        yield page.render(scale=min(scale, 4), may_draw_forms=False).to_pil()


def _on_white(image):
    """The same in RGB of 8 bits, on white where it is transparent, whatever the color model was."""
    from PIL import Image

    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    image = image.convert("RGBA")
    fresh = Image.new("RGB", image.size, "white")
    fresh.paste(image, mask=image.getchannel("A"))
    return fresh


def _in_srgb(image, profile: bytes):
    """Phones see more colors than sRGB has: without their profile skin would be too pale.

    A profile that makes no sense is passed over.
    """
    from PIL import ImageCms

    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image


def _eight_bits(image):
    """Grays of 16 bits, from the darkest to the brightest there is; a gray that means "transparent" stays so."""
    from PIL import ImageMath

    low, high = image.getextrema()
    gray = image.point(lambda value: (value - low) * 255 / max(1, high - low)).convert("L")
    clear = gray.info.pop("transparency", None)
    if clear is not None:
        seen = ImageMath.lambda_eval(lambda args: (args["it"] != clear) * 255, it=image.convert("I"))
        gray.putalpha(seen.convert("L"))
    return gray


def _jpeg(image, **options) -> bytes:
    """Pixels alone, in a new image."""
    from PIL import Image

    fresh = Image.new("RGB", image.size)
    fresh.paste(image)
    out = io.BytesIO()
    fresh.save(out, "JPEG", **{"quality": QUALITY} | options)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
