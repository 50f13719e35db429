"""From an uploaded file to fresh JPEG pages, drawn in a process of its own.

Formats are told by content, never by name. Sizes are judged before anything is decoded. Pixels are copied into new
images, so no metadata, thumbnail, layer, script or appended data can survive. The decoders run in a child process
with limits on memory and time: what breaks them breaks only that process.

`draw_pages` is for the site; run as a module, this file is the child: a file on stdin, pages on stdout, each after
its length in four bytes.
"""

import io
import struct
import subprocess
import sys
import warnings
from pathlib import Path

from sermo.errors import RuleBroken

MAX_SIDE = 15_000  # pixels
MAX_PIXELS = 60_000_000
MAX_PAGES = 10
PAGE_SIDE = 2_200  # pixels of the longer side of a page as kept: a letter page at 200 dpi
MIN_SIDE = 200
QUALITY = 82
MEMORY = 1_200_000_000  # bytes of address space for the child
SECONDS = 20

REFUSALS = {
    "format": "Send a JPEG, PNG or WebP image, or a PDF.",
    "broken": "This file cannot be read. Save it anew, or take a photo of the page.",
    "big": "This image has too many pixels. Send it smaller, at most 60 megapixels.",
    "small": "This image is too small to read. Send one of at least 200 pixels a side.",
    "frames": "This file holds several pictures. Send one picture, or a PDF.",
    "pages": "This PDF has more than 10 pages. Send the pages that matter.",
    "locked": "This PDF asks for a password. Send one without.",
}


class UnreadableDocument(RuleBroken):
    message = REFUSALS["broken"]


class Refused(Exception):
    """In the child: the reason, a key of REFUSALS."""


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
    """The pages of an image or PDF as new JPEGs. Raises UnreadableDocument with a message to show."""
    if sniff(data) is None:
        raise UnreadableDocument(REFUSALS["format"])
    try:
        child = subprocess.run(
            [sys.executable, "-m", "verification.documents"],
            input=data,
            capture_output=True,
            timeout=SECONDS * 2,
            cwd=Path(__file__).resolve().parent.parent,
            env={"MALLOC_ARENA_MAX": "2", "PATH": ""},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableDocument from error
    if child.returncode != 0:
        reason = child.stderr.decode(errors="replace").strip().splitlines()[-1:] or [""]
        raise UnreadableDocument(REFUSALS.get(reason[0], REFUSALS["broken"]))
    return list(_unpack(child.stdout))


def _unpack(stream: bytes):
    while stream:
        (length,) = struct.unpack(">I", stream[:4])
        yield stream[4 : 4 + length]
        stream = stream[4 + length :]


# The child


def main() -> int:
    _limit()
    data = sys.stdin.buffer.read()
    try:
        pages = _pdf_pages(data) if sniff(data) == "PDF" else [_image_page(data)]
        packed = b"".join(struct.pack(">I", len(page)) + page for page in map(_jpeg, pages))
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


def _image_page(data: bytes):
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP"])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("big") from error
    if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
        raise Refused("big")
    if min(image.size) < MIN_SIDE:
        raise Refused("small")
    if (
        getattr(image, "n_frames", 1) > 1 and image.format != "MPO"
    ):  # phones keep a gain map as a second JPEG: dropped
        raise Refused("frames")
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB", (PAGE_SIDE, PAGE_SIDE))  # decode a large photo at the size that is kept
    image.load()
    return ImageOps.exif_transpose(image)


def _pdf_pages(data: bytes):
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Refused("locked" if "assword" in str(error) else "broken") from error
    if not 1 <= len(pdf) <= MAX_PAGES:
        raise Refused("pages" if len(pdf) else "broken")
    for page in pdf:
        scale = PAGE_SIDE / max(*page.get_size(), 1)
        yield page.render(scale=min(scale, 4), may_draw_forms=False).to_pil()


def _jpeg(image) -> bytes:
    """Pixels alone: 8 bits a channel, on white, at most PAGE_SIDE a side, in a new image."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        low, high = image.getextrema()
        image = image.point(lambda value: (value - low) * 255 / max(1, high - low)).convert("L")
    image = image.convert("RGBA")
    image.thumbnail((PAGE_SIDE, PAGE_SIDE))
    fresh = Image.new("RGB", image.size, "white")
    fresh.paste(image, mask=image.getchannel("A"))
    out = io.BytesIO()
    fresh.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def watermark(page: bytes, text: str) -> bytes:
    """A page with a text drawn across it again and again, as a reviewer sees it."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.open(io.BytesIO(page), formats=["JPEG"]).convert("RGBA")
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(size=max(14, image.width // 45))
    step = max(120, image.height // 6)
    for row, top in enumerate(range(step // 3, image.height, step)):
        place = (image.width // 12 * (1 + row % 3), top)
        draw.text(
            place, text, font=font, fill=(120, 0, 60, 110), stroke_width=2, stroke_fill=(255, 255, 255, 90)
        )
    out = io.BytesIO()
    Image.alpha_composite(image, layer).convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
