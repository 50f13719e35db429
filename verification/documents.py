"""From an uploaded document to fresh JPEG pages, and the mark a reviewer sees on them."""

import io

from sermo import images
from sermo.errors import RuleBroken

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


def draw_pages(data: bytes) -> list[bytes]:
    """The pages of an image or PDF as new JPEGs. Raises UnreadableDocument with a message to show."""
    try:
        return images.draw_pages(data)
    except images.UnreadableFile as refusal:
        raise UnreadableDocument(REFUSALS[refusal.reason]) from refusal


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
    Image.alpha_composite(image, layer).convert("RGB").save(out, "JPEG", quality=images.QUALITY)
    return out.getvalue()
