"""The cases of the demonstration."""

import io
import tomllib

import numpy as np
import pytest
from PIL import Image as Picture

from accounts.tests.factories import make_member, make_specialty
from consults.demo import pictures, seeding
from consults.models import Case, CaseDraft, Image, Marker
from consults.services import files

pytestmark = pytest.mark.django_db(transaction=True)
DRAWN = ("rash", "chest_film", "ekg", "chest_ct", "dermoscopy", "fundus", "lab_page")


def entries():
    return tomllib.loads(seeding.WRITTEN.read_text(encoding="utf-8"))["case"]


@pytest.fixture
def two(monkeypatch, tmp_path):
    """The first entry and the one that waits: each picture goes through the whole search and is slow."""
    whole = seeding.WRITTEN.read_text(encoding="utf-8").split("[[case]]\n")
    some = tmp_path / "cases.toml"
    some.write_text("[[case]]\n".join(["", whole[1], whole[-1]]), encoding="utf-8")
    monkeypatch.setattr(seeding, "WRITTEN", some)
    for entry in entries():
        for name in {*entry["specialties"], entry["asker"], "Internal Medicine"}:
            make_member(specialty=make_specialty(name))
            make_member(specialty=make_specialty(name))


class Said(list):
    write = list.append


def test_a_case_is_shown_masked_and_one_waits_and_twice_is_once(two):
    said = Said()
    seeding.seed(said)
    seeding.seed(said)

    case = Case.objects.get()
    image = case.images.get()
    assert (case.question.urgency, case.question.peers_only, case.question.answer_count) == ("today", True, 2)
    assert [mark.post_id is not None for mark in Marker.objects.order_by("number")] == [True, True]
    assert CaseDraft.objects.get().is_waiting
    assert {one.state for one in Image.objects.all()} == {"masked"}
    assert said == ["cases: 1 with 2 pictures, 1 waiting for a moderator", "cases: here already"]
    pixels = np.asarray(Picture.open(io.BytesIO(files.read(image, "full"))).convert("L"))
    assert pixels[1075:1105, 215:900].max() == 0  # where the ruler bore a name


def test_every_picture_is_shown_somewhere():
    assert set(DRAWN) == {one["draw"] for entry in entries() for one in entry["pictures"]}


def test_a_picture_is_the_same_each_time():
    assert pictures.ekg() == pictures.ekg()


def test_no_text_of_a_case_holds_what_the_check_would_stop():
    from sermo.identifiers import STOP, check

    for entry in entries():
        texts = [str(value) for value in entry.values() if isinstance(value, str)]
        texts += [one["body"] for one in entry.get("answer", [])] + [
            one["description"] for one in entry["pictures"]
        ]
        for text in texts:
            assert not [found for found in check(text) if found.level == STOP], text
