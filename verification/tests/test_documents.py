"""The pipeline from upload to fresh pages, without a database."""

import io
import struct
import time
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from verification import documents
from verification.documents import UnreadableDocument, draw_pages
from verification.tests.factories import image_bytes


def page_of(data):
    (page,) = draw_pages(data)
    return Image.open(io.BytesIO(page))


def png_claiming(width, height):
    """A tiny PNG whose header speaks of a huge picture."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "I;16"),
        ("PNG", "1"),
        ("WEBP", "RGBA"),
    ],
)
def test_images_of_every_kind_become_plain_jpegs(file_format, mode):
    page = page_of(image_bytes((640, 480), file_format, mode=mode))

    assert (page.format, page.mode, page.size) == ("JPEG", "RGB", (640, 480))


def test_a_pdf_becomes_a_jpeg_for_each_page():
    out = io.BytesIO()
    sheets = [Image.new("RGB", (850, 1100), color) for color in ("white", "gray", "black")]
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])

    pages = draw_pages(out.getvalue())

    assert len(pages) == 3
    assert all(Image.open(io.BytesIO(page)).format == "JPEG" for page in pages)


def test_nothing_of_the_metadata_survives():
    exif = Image.Exif()
    exif[0x010E] = "PLANTED description"
    exif.get_ifd(0x8825)[1] = "N"
    data = (
        image_bytes(exif=exif.tobytes(), comment=b"PLANTED comment", icc_profile=b"PLANTED profile" * 20)
        + b"PLANTED tail"
    )
    assert data.count(b"PLANTED") > 3

    (page,) = draw_pages(data)

    assert b"PLANTED" not in page
    assert b"Exif" not in page
    assert not Image.open(io.BytesIO(page)).getexif()


def test_text_chunks_of_a_png_do_not_survive():
    info = PngInfo()
    info.add_text("Comment", "PLANTED")

    (page,) = draw_pages(image_bytes(file_format="PNG", pnginfo=info))

    assert b"PLANTED" not in page


def test_a_photo_taken_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6

    page = page_of(image_bytes((640, 480), exif=exif.tobytes()))

    assert page.size == (480, 640)


def test_what_is_transparent_is_drawn_on_white():
    page = page_of(image_bytes((300, 300), "PNG", mode="RGBA", color=(0, 0, 0, 0)))

    assert page.getpixel((150, 150)) == (255, 255, 255)


def test_a_large_photo_is_kept_at_a_readable_size():
    page = page_of(image_bytes((4000, 3000)))

    assert page.size == (2200, 1650)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GIF89a" + b"\0" * 100, "Send a JPEG"),
        (b"PK\x03\x04 a zip", "Send a JPEG"),
        (b"<svg onload=alert(1)>", "Send a JPEG"),
        (b"", "Send a JPEG"),
        (b"\xff\xd8\xff" + b"no picture" * 20, "cannot be read"),
        (b"%PDF-1.7\nno document", "cannot be read"),
        (image_bytes()[:1500], "cannot be read"),
        (image_bytes((50, 50)), "too small"),
        (png_claiming(100_000, 100_000), "too many pixels"),
        (png_claiming(14_000, 14_000), "too many pixels"),
        (image_bytes((14_000, 14_000), "PNG", mode="1"), "too many pixels"),
    ],
)
def test_files_that_are_no_document_are_refused_quickly(data, message):
    started = time.monotonic()

    with pytest.raises(UnreadableDocument, match=message):
        draw_pages(data)

    assert time.monotonic() - started < 5


def test_a_picture_in_motion_is_refused():
    out = io.BytesIO()
    frames = [Image.new("RGB", (300, 300), color) for color in ("red", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])

    with pytest.raises(UnreadableDocument, match="several pictures"):
        draw_pages(out.getvalue())


def test_a_pdf_of_many_pages_is_refused():
    out = io.BytesIO()
    sheets = [Image.new("1", (200, 200)) for _ in range(11)]
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])

    with pytest.raises(UnreadableDocument, match="more than 10 pages"):
        draw_pages(out.getvalue())


def test_a_file_that_is_image_and_pdf_at_once_is_read_by_its_first_bytes():
    page = page_of(image_bytes() + b"%PDF-1.4 hidden")

    assert page.format == "JPEG"


def test_the_reviewers_page_has_the_watermark_in_its_pixels():
    (page,) = draw_pages(image_bytes((800, 1000), color=(255, 255, 255)))

    marked = documents.watermark(page, "V-TEST reviewer 1")

    assert Image.open(io.BytesIO(marked)).size == (800, 1000)
    assert len(Image.open(io.BytesIO(marked)).convert("RGB").getcolors(1_000_000)) > 1
