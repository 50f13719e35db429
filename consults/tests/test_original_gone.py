"""Once a case is out, what its pictures were before exists nowhere, and under the masks there is nothing."""

import io
import os
import uuid
from pathlib import Path

import numpy as np
import pytest
import redis
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import connection
from django.urls import reverse
from PIL import Image as Picture

from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Case, Image
from consults.services import consents, drafts, files, masking, submitting
from consults.tests.factories import FIELDS, make_case
from consults.words import TICKS
from sermo import crypto, images
from sermo.redaction import SIZES, Box

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = b"Roe^Jamie 0048213 49.2827 -123.1207"
MASK = Box(left=100, top=100, width=400, height=300, sort="own")


@pytest.fixture
def author():
    asker = make_member()
    for _ in range(3):  # whose cases go out at once
        make_case(asker, images=0)
    return asker


def photo():
    """A photo with a place and a name in its metadata, and a pattern where the mask will be."""
    lot = np.random.default_rng(8)
    pixels = np.full((450, 600, 3), 150, np.uint8)
    pixels[45:180, 60:300] = lot.integers(0, 255, (135, 240, 3))
    exif = Picture.Exif()
    exif[0x010E] = SECRET.decode()
    out = io.BytesIO()
    Picture.fromarray(pixels).save(out, "JPEG", quality=95, exif=exif, comment=SECRET)
    return out.getvalue()


def post(author, data):
    """Post a case as its author does, and give what was staged on the way as well."""
    specialty = author.specialty_id
    draft = drafts.start(member=author, fields={**FIELDS, "specialties": [specialty]})
    image = drafts.add_image(draft=draft, member=author, upload=uuid.uuid4(), data=data)
    staged, seal = files.read_staged(image), image.seal
    drafts.describe(image=image, member=author, boxes=[MASK], description="A patch on gray ground.")
    Image.objects.filter(pk=image.pk).update(proposals=[])  # of noise, which would go to a moderator
    consent = consents.attest(member=author, kind="deidentified", statement="Nothing tells who it is.")
    case = submitting.submit(draft=draft, member=author, consent=consent, ticks=TICKS)
    assert isinstance(case, Case)
    return case, staged, seal


def paths_on_disk():
    return {Path(folder) / name for folder, _, names in os.walk(settings.VAR_DIR) for name in names}


@pytest.fixture
def everything_on_disk(author):
    """All files that came below the folder of this site's data since the test began; other tests left theirs."""
    before = paths_on_disk()
    return lambda: {path: path.read_bytes() for path in paths_on_disk() - before}


def everything_in_the_database():
    """The text of all rows, where a binary value stands as hexadecimal digits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        said = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            said += [row for (row,) in cursor.fetchall()]
    return "\n".join(said)


def everything_in_redis():
    server = redis.Redis.from_url(settings.REDIS_URL)
    return b"".join(server.dump(key) or b"" for key in server.scan_iter())


def test_the_original_is_nowhere_once_the_case_is_out(author, everything_on_disk):
    data = photo()

    case, staged, seal = post(author, data)

    assert (SECRET in data, SECRET in staged) == (True, False)
    assert case.images.get().destroyed_at is not None
    assert_nowhere(
        [whole[len(whole) // 2 :][:64] for whole in (data, staged)] + [SECRET], everything_on_disk()
    )
    assert_no_file_opens_but_the_masked_sizes(case.images.get(), staged, seal, everything_on_disk())
    assert_the_seal_is_forgotten(case.images.get(), seal)
    assert_what_is_masked_is_one_color_in_every_size(case)


def assert_nowhere(pieces, on_disk):
    for path, held in on_disk.items():
        for piece in pieces:
            assert piece not in held, path
    rows = everything_in_the_database()
    for piece in pieces:
        assert piece.hex() not in rows
    assert SECRET.decode() not in rows
    assert not any(piece in everything_in_redis() for piece in pieces)


def assert_no_file_opens_but_the_masked_sizes(image, staged, seal, on_disk):
    opened = []
    for path, held in on_disk.items():
        for key in (seal, image.seal, *settings.FIELD_KEYS):
            try:
                opened.append((path.name, Fernet(key).decrypt(held)))
            except (InvalidToken, ValueError):
                continue

    assert sorted(name for name, _ in opened) == sorted(Path(name).name for name in files.masked_names(image))
    assert staged not in [plain for _, plain in opened]


def assert_the_seal_is_forgotten(image, seal):
    assert image.seal != seal
    with connection.cursor() as cursor:
        cursor.execute("SELECT seal FROM consults_image")
        sealed = [crypto.decrypt(bytes(row)).decode() for (row,) in cursor.fetchall() if row]
    assert seal not in sealed


def assert_what_is_masked_is_one_color_in_every_size(case):
    reader = client_of(make_member())
    for size in SIZES:
        answer = reader.get(reverse("consults:image", args=[case.images.get().key]), {"size": size})
        pixels = np.asarray(Picture.open(io.BytesIO(answer.content)).convert("RGB"))
        height, width = pixels.shape[:2]
        under = pixels[height // 10 : height * 4 // 10, width // 10 : width // 2]
        assert (under == under[0, 0]).all()
        assert SECRET not in answer.content
        assert not Picture.open(io.BytesIO(answer.content)).getexif()


def test_a_backup_of_the_files_made_before_opens_nothing_after(author, everything_on_disk):
    """The copy that a backup made while the picture was staged, and the database of now."""
    draft = drafts.start(member=author, fields={**FIELDS, "specialties": [author.specialty_id]})
    image = drafts.add_image(draft=draft, member=author, upload=uuid.uuid4(), data=photo())
    copied = everything_on_disk()
    masking.mask(image)

    image.refresh_from_db()
    for held in copied.values():
        for key in (image.seal, *settings.FIELD_KEYS):
            try:
                plain = Fernet(key).decrypt(held)
            except (InvalidToken, ValueError):
                continue
            assert not plain.startswith(b"\xff\xd8")


def test_the_folder_of_staged_files_lies_outside_of_what_is_backed_up():
    staging = Path(settings.STORAGES["staging"]["OPTIONS"]["location"])

    for kept in (settings.MEDIA_ROOT, settings.STORAGES["private"]["OPTIONS"]["location"]):
        assert Path(kept) not in (staging, *staging.parents)


def test_what_takes_a_photo_in_leaves_no_metadata():
    assert SECRET not in images.take_in(photo()).renditions[0].jpeg
