"""From what a person sent to fresh pixels, without a database."""

import io
import struct
import subprocess
import time
import zlib

import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from sermo import images
from sermo.images import UnreadableFile, are_alike, draw_pages, draw_square, likeness

SIDE = 256


def file_of(image, file_format="JPEG", **options):
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def plain(size=(400, 300), mode="RGB", color="teal"):
    return Image.new(mode, size, color if mode in ("RGB", "RGBA") else 0)


def portrait(seed=0, size=(400, 300)):
    """A picture with light and dark in it: a slope and a disk, placed by the seed."""
    image = Image.linear_gradient("L").resize(size).rotate(seed * 90).resize(size).convert("RGB")
    left = 40 + 60 * (seed % 4)
    ImageDraw.Draw(image).ellipse((left, 60, left + 120, 180), fill=(250, 240, 220))
    return image


def opened(jpeg):
    return Image.open(io.BytesIO(jpeg))


def with_chunk(png, kind, body):
    """A PNG with one chunk more, before its last."""
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:-12] + chunk + png[-12:]


def png_claiming(width, height):
    """A tiny PNG whose header speaks of a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    png = with_chunk(start + end, b"IHDR", header)
    return with_chunk(png, b"IDAT", zlib.compress(b"\0" * 100))


def reason_of(draw, *args):
    with pytest.raises(UnreadableFile) as refusal:
        draw(*args)
    return refusal.value.reason


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "I;16"),
        ("WEBP", "RGB"),
    ],
)
def test_images_of_every_kind_become_plain_squares(file_format, mode):
    square = draw_square(file_of(plain(mode=mode), file_format), SIDE)

    assert (opened(square).format, opened(square).mode, opened(square).size) == ("JPEG", "RGB", (SIDE, SIDE))


def test_a_square_is_the_middle_of_the_picture():
    image = plain((900, 300), color="red")
    image.paste((0, 0, 255), (300, 0, 600, 300))

    square = opened(draw_square(file_of(image, "PNG"), SIDE))

    for place in ((5, 128), (128, 128), (250, 128)):
        red, _, blue = square.getpixel(place)
        assert blue > 240 > 15 > red


def test_a_small_picture_is_drawn_larger_and_a_huge_one_smaller():
    assert opened(draw_square(file_of(plain((130, 140))), SIDE)).size == (SIDE, SIDE)
    assert opened(draw_square(file_of(plain((7000, 6000))), SIDE)).size == (SIDE, SIDE)


def test_nothing_but_pixels_survives_in_a_square():
    exif = Image.Exif()
    exif[0x010E] = "PLANTED description"
    exif.get_ifd(0x8825)[1] = "N"
    data = file_of(
        plain(),
        exif=exif.tobytes(),
        comment=b"PLANTED comment",
        icc_profile=b"PLANTED profile" * 20,
        xmp=b"<x:xmpmeta>PLANTED</x:xmpmeta>",
    )
    data += b"PLANTED tail" + file_of(plain(color="red"))
    assert data.count(b"PLANTED") > 4

    square = draw_square(data, SIDE)

    assert b"PLANTED" not in square
    assert not opened(square).getexif()
    assert set(opened(square).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert square.count(b"\xff\xd8\xff") == 1  # no thumbnail, no second picture
    assert square.endswith(b"\xff\xd9")


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_the_chunks_of_other_formats_do_not_survive(file_format):
    info = PngInfo()
    info.add_text("Comment", "PLANTED")
    info.add_itxt("XML:com.adobe.xmp", "PLANTED")
    exif = Image.Exif()
    exif[0x010E] = "PLANTED"
    options = {"pnginfo": info} if file_format == "PNG" else {"exif": exif.tobytes(), "xmp": b"PLANTED"}
    data = file_of(plain(), file_format, **options)
    assert b"PLANTED" in data

    assert b"PLANTED" not in draw_square(data, SIDE)


def test_two_files_with_the_same_pixels_become_the_same_square():
    image = portrait()
    info = PngInfo()
    info.add_text("Owner", "somebody")

    assert draw_square(file_of(image, "PNG"), SIDE) == draw_square(file_of(image, "PNG", pnginfo=info), SIDE)


def test_a_photo_taken_sideways_is_turned_upright():
    image = plain((600, 300), color="red")
    image.paste((0, 0, 255), (0, 0, 300, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter to the right

    square = opened(draw_square(file_of(image, exif=exif.tobytes(), quality=95), SIDE))

    assert square.getpixel((128, 20))[2] > 200
    assert square.getpixel((128, 236))[0] > 200


def test_what_is_transparent_is_drawn_on_white():
    image = plain((300, 300), "RGBA", (0, 0, 0, 0))

    assert opened(draw_square(file_of(image, "PNG"), SIDE)).getpixel((128, 128)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GIF89a" + b"\0" * 100, "format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "format"),
        (b"%PDF-1.7\n", "format"),
        (b"PK\x03\x04 a zip", "format"),
        (b"", "format"),
        (b"\xff\xd8\xff" + b"no picture" * 20, "broken"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "broken"),
        (file_of(portrait())[:1500], "broken"),
        (file_of(portrait(), "PNG")[:1500], "broken"),
        (file_of(plain((127, 400))), "small"),
        (png_claiming(100_000, 100_000), "big"),
        (png_claiming(14_000, 14_000), "big"),
        (file_of(plain((14_000, 14_000), "1"), "PNG"), "big"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_picture_is_refused_quickly_and_with_a_reason(data, reason):
    started = time.monotonic()

    assert reason_of(draw_square, data, SIDE) == reason
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_a_picture_that_moves_is_refused(file_format):
    data = file_of(plain(), file_format, save_all=True, append_images=[plain(color="red")], duration=100)

    assert reason_of(draw_square, data, SIDE) == "frames"


def test_the_second_picture_of_a_phone_s_file_is_dropped():
    data = file_of(portrait(), "MPO", save_all=True, append_images=[plain((400, 300), color="red")])

    square = draw_square(data, SIDE)

    assert are_alike(likeness(square), likeness(draw_square(file_of(portrait()), SIDE)))


def test_a_text_chunk_that_swells_is_refused():
    swollen = b"Comment\0\0" + zlib.compress(b"A" * 80_000_000, 9)
    data = with_chunk(file_of(plain(), "PNG"), b"zTXt", swollen)

    assert reason_of(draw_square, data, SIDE) == "broken"


def test_a_file_that_is_two_things_is_read_by_its_first_bytes():
    data = file_of(plain()) + b"%PDF-1.4 <script>alert(1)</script>"

    assert b"script" not in draw_square(data, SIDE)
    assert len(draw_pages(data)) == 1


def test_a_decoder_without_memory_breaks_only_its_own_process(monkeypatch):
    """As for a picture within all limits whose decoding takes too much."""
    run = subprocess.run

    def run_short_of_memory(command, **options):
        assert command[1:3] == ["-m", "sermo.images"]
        start = "import sys; from sermo import images; images.MEMORY = 150_000_000"
        code = f"{start}; sys.exit(images.main(*{command[3:]!r}))"
        return run([command[0], "-c", code], **options)

    monkeypatch.setattr(subprocess, "run", run_short_of_memory)

    assert reason_of(draw_square, file_of(plain((7000, 7000)), "PNG"), SIDE) in ("big", "broken")


def test_a_decoder_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(images, "SECONDS", 0.01)

    assert reason_of(draw_square, file_of(portrait()), SIDE) == "broken"


# Likeness


def test_a_picture_is_like_itself_drawn_anew_smaller_and_paler():
    first = likeness(draw_square(file_of(portrait(size=(800, 800)), quality=95), SIDE))

    for other in (
        file_of(portrait(size=(800, 800)), "WEBP", quality=30),
        file_of(portrait(size=(800, 800)).resize((200, 200))),
        file_of(portrait(size=(800, 800)).point(lambda value: value * 0.8 + 30), "PNG"),
        file_of(portrait(size=(800, 800)).convert("L")),
    ):
        assert are_alike(first, likeness(draw_square(other, SIDE)))


def test_different_pictures_are_not_alike():
    found = [likeness(draw_square(file_of(portrait(seed)), SIDE)) for seed in range(4)]

    assert all(len(one) == 64 for one in found)
    assert not any(are_alike(one, other) for one in found for other in found if one is not other)


def test_pictures_are_alike_up_to_a_tenth_of_their_bits():
    none = f"{0:064x}"

    assert are_alike(none, f"{(1 << 25) - 1:064x}")
    assert not are_alike(none, f"{(1 << 26) - 1:064x}")
