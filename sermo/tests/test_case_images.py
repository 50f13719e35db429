"""A case's pictures: whatever is sent, what comes out is pixels alone, or nothing."""

import io
import random
import resource
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from sermo import images, sandbox
from sermo.images import UnreadableFile, take_in
from sermo.tests.odd_images import (
    COLORS,
    HOLD_THE_SECRET,
    ODD,
    QUARTERS,
    SECRET,
    SIZE,
    STORED_AS,
    WHOLE,
    ct_slice,
    dicom,
    exif,
    file_of,
    heic,
    plain,
    slope,
    swapping_profile,
    turned,
)

PLAIN_SEGMENTS = {0xD8, 0xE0, 0xDB, 0xC0, 0xC4, 0xDA, 0xD9}  # start, JFIF, tables, frame, tables, scan, end

# A process with the decoders loaded, which forks for each file: as `sandbox.run` does, without its start of a second.
NURSERY = """
import os, sys
import numpy, pillow_heif
from PIL import Image, ImageMath, ImageOps
from sermo import dicom, images, sandbox

Image.preinit()
sys.stdout.buffer.write(b"ready")
sys.stdout.buffer.flush()
told = sys.stdin.buffer
while head := told.read(4):
    data = told.read(int.from_bytes(head, "big"))
    file = os.memfd_create("file")
    os.write(file, data)
    os.lseek(file, 0, os.SEEK_SET)
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    if not (child := os.fork()):
        for end, place in ((file, 0), (out_end, 1), (err_end, 2)):
            os.dup2(end, place)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)
        os._exit(images.main("case", str(images.FULL_SIDE)))
    os.close(out_end), os.close(err_end), os.close(file)
    said = [open(out, "rb").read(), open(err, "rb").read()]
    _, status, used = os.wait4(child, 0)
    numbers = [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime]
    sys.stdout.buffer.write(sandbox.pack([*(str(number).encode() for number in numbers), *said]))
    sys.stdout.buffer.flush()
"""


@pytest.fixture(scope="module", autouse=True)
def memory_before():
    return most_memory()


@pytest.fixture(scope="module")
def nursery():
    command = [sys.executable, "-c", NURSERY]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=sandbox.ROOT, env=sandbox.ENVIRONMENT
    ) as process:
        assert process.stdout.read(5) == b"ready"
        yield process
        process.stdin.close()


@pytest.fixture
def quick(nursery, monkeypatch):
    """Files are drawn by the nursery; a list of the seconds of the processor that each took."""
    seconds = []

    def read():
        return nursery.stdout.read(int.from_bytes(nursery.stdout.read(4), "big"))

    def run(command, *, input, **options):
        assert command[1:] == ["-m", "sermo.images", "case", str(images.FULL_SIDE)]
        nursery.stdin.write(sandbox.pack([input]))
        nursery.stdin.flush()
        status = int(read())
        seconds.append(float(read()))
        return subprocess.CompletedProcess(command, status, read(), read())

    monkeypatch.setattr(subprocess, "run", run)
    return seconds


def outcome(data):
    """What a file becomes, checked to be clean if it becomes a picture."""
    try:
        intake = take_in(data)
    except UnreadableFile as refusal:
        return refusal.reason
    for rendition in intake.renditions:
        assert_clean(rendition.jpeg)
        assert opened(rendition.jpeg).size == (intake.width, intake.height)
    return intake.sort


def assert_clean(jpeg):
    assert SECRET.encode() not in jpeg
    assert SECRET.encode("utf-16-le") not in jpeg
    assert segments_of(jpeg) <= PLAIN_SEGMENTS
    image = opened(jpeg)
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert images.sniff(jpeg) == "JPEG"
    assert max(image.size) <= images.FULL_SIDE
    assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # colors as fine as brightness


def segments_of(jpeg):
    """The markers up to the pixels, and the one after them, which must be the last."""
    found, place = {jpeg[1]}, 2
    while 0xDA not in found:
        assert jpeg[place] == 0xFF
        found.add(jpeg[place + 1])
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
    rest = jpeg[place:].replace(b"\xff\0", b"")
    assert rest.index(b"\xff") == len(rest) - 2
    return found | {rest[-1]}


def opened(jpeg):
    return Image.open(io.BytesIO(jpeg))


def only(intake):
    (rendition,) = intake.renditions
    return opened(rendition.jpeg)


def is_near(color, other, tolerance=12):
    return all(abs(one - two) <= tolerance for one, two in zip(color, other, strict=True))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_becomes_pixels_alone_or_is_refused_with_a_reason(name, quick):
    make, expected = ODD[name]

    assert outcome(make()) == expected
    assert sum(quick) < 2


def test_what_must_not_come_out_did_go_in():
    assert len(HOLD_THE_SECRET) > 15
    for name in HOLD_THE_SECRET:
        make, _ = ODD[name]
        data = make()
        assert SECRET.encode() in data or zlib.compress(SECRET.encode() * 30) in data, name


@pytest.mark.parametrize("name", COLORS)
def test_colors_are_those_a_person_saw(name, quick):
    make, _ = ODD[name]

    image = only(take_in(make()))

    assert is_near(image.getpixel((image.width * 3 // 4, image.height // 2)), COLORS[name])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_colors_are_read_by_the_profile_they_were_taken_with(file_format, quick):
    profile = swapping_profile()
    red = plain(color=(220, 20, 20))
    if file_format == "HEIC":
        data = heic(red, icc_profile=profile, icc_profile_type="prof")
    else:
        data = file_of(red, file_format, icc_profile=profile)

    assert is_near(only(take_in(data)).getpixel((100, 100)), (20, 20, 220), 25)


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_a_picture_is_turned_upright(orientation, file_format, quick):
    if file_format == "HEIC":
        data = heic(turned(orientation), exif=exif(orientation))
    else:
        data = file_of(turned(orientation), file_format, exif=exif(orientation))

    image = only(take_in(data))

    assert image.size == SIZE
    for (right, low), color in QUARTERS.items():
        assert is_near(image.getpixel((80 + 160 * right, 60 + 120 * low)), color, 40)


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_cut_short_is_refused(name, quick):
    whole = WHOLE[name]()
    assert outcome(whole) in ("photo", "dicom")

    for share in (0.01, 0.3, 0.7, 0.99):
        assert outcome(whole[: int(len(whole) * share)]) in ("broken", "format")
    for last in (1, 8):
        is_wrapping = name == "DICOM holding a JPEG"  # and ends in a mark of its own, which says little
        assert outcome(whole[:-last]) in ({"broken", "dicom"} if is_wrapping else {"broken"})


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_with_bytes_changed_at_random_harms_nothing(name, quick):
    whole = WHOLE[name]()
    chance = random.Random(name)

    for round_ in range(6):
        changed = bytearray(whole)
        reach = len(whole) if round_ % 2 else min(len(whole), 600)  # headers, then all
        for _ in range(chance.choice((1, 4, 30))):
            changed[chance.randrange(reach)] = chance.randrange(256)
        assert outcome(bytes(changed)) in ("photo", "dicom", *images.REASONS)


# Sizes


@pytest.mark.parametrize(
    ("size", "kept"), [((4500, 3000), (3000, 2000)), ((3000, 300), (3000, 300)), ((120, 400), (120, 400))]
)
def test_a_picture_is_kept_no_larger_than_needed_and_never_enlarged(size, kept, quick):
    for file_format in ("JPEG", "PNG"):
        intake = take_in(file_of(plain(size=size), file_format, compress_level=1))

        assert (intake.width, intake.height) == kept


# DICOM


def grays(rendition):
    """Of the middle row, one for each column."""
    return np.array(opened(rendition.jpeg).convert("L"))[SIZE[1] // 2].astype(int)


def column_of(hounsfield):
    return round((hounsfield + 1000) / 3000 * (SIZE[0] - 1))


def test_a_slice_of_ct_is_seen_through_four_windows(quick):
    lung, soft, bone, brain = take_in(ct_slice()).renditions

    assert [view.window for view in (lung, soft, bone, brain)] == ["lung", "soft", "bone", "brain"]
    assert [view.label for view in (lung, soft, bone, brain)] == ["Lung", "Soft tissue", "Bone", "Brain"]
    for view, center in ((lung, -600), (soft, 40), (bone, 400)):
        assert abs(grays(view)[column_of(center)] - 128) < 12
    assert grays(lung)[column_of(300)] > 250
    assert grays(soft)[column_of(-300)] < 5
    assert grays(bone)[column_of(1500)] > 250
    assert grays(brain)[column_of(-20)] < 8
    assert grays(brain)[column_of(100)] > 247


def test_a_film_stored_the_other_way_round_is_inverted(quick):
    (view,) = take_in(dicom(PhotometricInterpretation="MONOCHROME1")).renditions

    assert (view.window, view.label) == ("as-sent", "As sent")
    assert grays(view)[0] > 250
    assert grays(view)[-1] < 5


def test_the_window_of_the_file_is_kept(quick):
    (view,) = take_in(dicom(WindowCenter=1000, WindowWidth=200)).renditions

    assert grays(view)[SIZE[0] * 1200 // 4000] > 250
    assert grays(view)[SIZE[0] * 800 // 4000] < 5


def test_a_window_that_shows_nothing_gives_way_to_all_there_is(quick):
    (view,) = take_in(dicom(WindowCenter=60_000, WindowWidth=2)).renditions

    assert grays(view)[0] < 5
    assert grays(view)[-1] > 250


@pytest.mark.parametrize("inverted", [False, True])
def test_padding_is_black_and_does_not_count_as_the_darkest(inverted, quick):
    pixels = slope(np.int16) + 100
    pixels[:, :40] = -2000
    colors = "MONOCHROME1" if inverted else "MONOCHROME2"

    (view,) = take_in(dicom(pixels, PixelPaddingValue=-2000, PhotometricInterpretation=colors)).renditions

    assert grays(view)[20] < 8
    assert abs(grays(view)[180] - 128) < 25


def test_overlays_are_not_drawn(quick):
    make, _ = ODD["a DICOM with overlays"]
    (view,) = take_in(make()).renditions

    assert np.ptp(np.array(opened(view.jpeg))) < 4


# In processes of their own


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a JPEG with EXIF and a place", "photo"),
        ("a plain HEIC", "photo"),
        ("a slice of CT", "dicom"),
        ("a HEIC of 60000 a side by its header", "big"),
        ("a DICOM of 65535 rows and columns", "big"),
    ],
)
def test_a_file_is_drawn_in_a_process_of_its_own(name, expected):
    make, _ = ODD[name]
    data = make()
    started = processor_time()

    assert outcome(data) == expected
    assert processor_time() - started < 2


def processor_time():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def most_memory(who=resource.RUSAGE_SELF):
    return resource.getrusage(who).ru_maxrss * 1024


def photo(size):
    """As heavy as a phone's: a slope under noise."""
    width, height = size
    noise = np.random.default_rng(7).integers(0, 26, (500, width, 3), dtype=np.uint8)
    lines = np.linspace(0, 200, width, dtype=np.uint8)[None, :, None] + noise
    return Image.fromarray(np.concatenate([lines] * (height // 500 + 1))[:height])


def test_a_phone_s_photo_is_taken_in_quickly_and_with_little_memory():
    data = file_of(photo((4032, 3024)), quality=95)
    assert 4_000_000 < len(data) < 7_000_000
    before = most_memory()
    used = processor_time()

    intake = take_in(data)

    assert (intake.width, intake.height) == (3000, 2250)
    assert processor_time() - used < 1.2
    assert most_memory() - before < 100_000_000


def test_neither_the_site_nor_a_child_grows(memory_before):
    """The last but the large ones: over all files of this page."""
    assert most_memory() - memory_before < 300_000_000
    assert most_memory(resource.RUSAGE_CHILDREN) < images.CASE_MEMORY


def test_memory_runs_out_in_the_child_alone_and_is_called_big(monkeypatch):
    """As for a picture within all limits whose decoding takes too much."""
    run = subprocess.run

    def run_short_of_memory(command, **options):
        start = "import sys; from sermo import images; images.CASE_MEMORY = 200_000_000"
        return run([command[0], "-c", f"{start}; sys.exit(images.main(*{command[3:]!r}))"], **options)

    monkeypatch.setattr(subprocess, "run", run_short_of_memory)

    assert outcome(file_of(plain("L", (7000, 7000)), "PNG", compress_level=1)) == "big"


CHATTY = """
import os, sys
from sermo import sandbox

def work(data):
    os.write(1, b"in between")
    os.write(2, b"too big\\nbig\\n")
    {then}
    yield data

sys.exit(sandbox.serve(work))
"""


@pytest.mark.parametrize(
    ("then", "reason"),
    [("os.abort()", "broken"), ("raise sandbox.Refused('small')", "small"), ("len()", "broken")],
)
def test_what_a_library_prints_is_neither_a_frame_nor_a_reason(then, reason, monkeypatch):
    run = subprocess.run
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **options: run([command[0], "-c", CHATTY.replace("{then}", command[3])], **options),
    )

    assert sandbox.run("", "pass", data=b"a frame") == [b"a frame"]
    with pytest.raises(sandbox.ChildFailed) as failure:
        sandbox.run("", then, data=b"")
    assert failure.value.reason == reason


@pytest.mark.scale
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_sixty_megapixels_are_taken_in(file_format, mode):
    if (file_format, mode) == ("JPEG", "RGBA"):
        mode = "CMYK"
    image = Image.linear_gradient("L").resize((9000, 6600)).convert(mode)
    options = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}}.get(file_format, {})
    data = file_of(image, file_format, **options)
    before = most_memory()

    assert outcome(data) == "photo"
    assert most_memory() - before < 300_000_000
