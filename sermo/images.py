"""From an uploaded file to fresh JPEGs, drawn in a process of its own.

Formats are told by content, never by name. Sizes are judged before anything is decoded. Pixels are copied into new
images, so no metadata, thumbnail, layer, script or appended data can survive. The decoders run in a child process
with limits on memory and time: what breaks them breaks only that process.

`draw_pages` and `draw_square` are for the site; run as a module, this file is the child: a file on stdin, JPEGs on
stdout, each after its length in four bytes.
"""

import io
import struct
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

MAX_SIDE = 15_000  # pixels
MAX_PIXELS = 60_000_000
MAX_PAGES = 10
PAGE_SIDE = 2_200  # pixels of the longer side of a page as kept: a letter page at 200 dpi
MIN_PAGE_SIDE = 200
MIN_SQUARE_SIDE = 128
QUALITY = 82
MEMORY = 1_200_000_000  # bytes of address space for the child
SECONDS = 20
REASONS = ("format", "broken", "big", "small", "frames", "pages", "locked")
LIKENESS_SIDE = 16  # 16 x 16 comparisons of neighbors make 256 bits
MOST_ALIKE = 25  # of 256 bits, a tenth: pictures that differ in no more look alike


class UnreadableFile(Exception):
    """No picture came out of a file. `reason` is one of REASONS; the caller has the words for it."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason if reason in REASONS else "broken"


def sniff(data: bytes) -> str | None:
    """Which of the accepted formats a file has by its first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"%PDF-"):
        return "PDF"
    return None


def draw_pages(data: bytes) -> list[bytes]:
    """The pages of an image or PDF as new JPEGs. Raises UnreadableFile."""
    if sniff(data) is None:
        raise UnreadableFile("format")
    return _draw(data, "pages", PAGE_SIDE)


def draw_square(data: bytes, side: int) -> bytes:
    """The middle of an image as a new JPEG of `side` times `side` pixels. Raises UnreadableFile."""
    if sniff(data) in (None, "PDF"):
        raise UnreadableFile("format")
    (square,) = _draw(data, "square", side)
    return square


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


def _draw(data: bytes, what: str, side: int) -> list[bytes]:
    try:
        child = subprocess.run(  # noqa: S603 - our own module, a word and a number of ours
            [sys.executable, "-m", "sermo.images", what, str(side)],
            input=data,
            capture_output=True,
            timeout=SECONDS * 2,
            cwd=Path(__file__).resolve().parent.parent,
            env={"MALLOC_ARENA_MAX": "2", "PATH": ""},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile("broken") from error
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace").strip().splitlines()[-1:] or [""]
        raise UnreadableFile(said[0])
    return list(_unpack(child.stdout))


def _unpack(stream: bytes) -> Iterator[bytes]:
    while stream:
        (length,) = struct.unpack(">I", stream[:4])
        yield stream[4 : 4 + length]
        stream = stream[4 + length :]


# The child


class Refused(Exception):
    """The reason, one of REASONS."""


def main(what: str, side: str) -> int:
    _limit()
    data = sys.stdin.buffer.read()
    draw = {"pages": _pages, "square": _square}[what]
    try:
        packed = b"".join(struct.pack(">I", len(drawn)) + drawn for drawn in draw(data, int(side)))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except MemoryError:
        print("big", file=sys.stderr)
        return 1
    except Exception:  # whatever a decoder trips over, the file is at fault
        print("broken", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(packed)
    return 0


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _pages(data: bytes, side: int) -> Iterator[bytes]:
    images = _pdf_pages(data, side) if sniff(data) == "PDF" else [_open(data, MIN_PAGE_SIDE, side)]
    for image in images:
        image = _eight_bits(image)
        image.thumbnail((side, side))
        yield _jpeg(image)


def _square(data: bytes, side: int) -> Iterator[bytes]:
    image = _eight_bits(_open(data, MIN_SQUARE_SIDE, 2 * side))
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    yield _jpeg(image.resize((side, side), box=(left, top, left + edge, top + edge)))


def _open(data: bytes, least: int, enough: int):
    """Decode one image, upright. No side may be under `least` pixels; a JPEG may come no larger than `enough` needs."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP"])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("big") from error
    if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
        raise Refused("big")
    if min(image.size) < least:
        raise Refused("small")
    if (
        getattr(image, "n_frames", 1) > 1 and image.format != "MPO"
    ):  # phones keep a gain map as a second JPEG: dropped
        raise Refused("frames")
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB", (enough, enough))  # decode a large photo at the size that is kept
    image.load()
    return ImageOps.exif_transpose(image)


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


def _eight_bits(image):
    """The same with 8 bits a channel and an alpha channel, whatever the color model was."""
    if image.mode.startswith("I") or image.mode == "F":
        low, high = image.getextrema()
        image = image.point(lambda value: (value - low) * 255 / max(1, high - low)).convert("L")
    return image.convert("RGBA")


def _jpeg(image) -> bytes:
    """Pixels alone, on white, in a new image."""
    from PIL import Image

    fresh = Image.new("RGB", image.size, "white")
    fresh.paste(image, mask=image.getchannel("A"))
    out = io.BytesIO()
    fresh.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
