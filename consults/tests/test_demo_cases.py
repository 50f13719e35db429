"""The cases of the demonstration."""

import io
import random
import tomllib

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image as Picture

from accounts.tests.factories import make_member, make_specialty
from consults import board, crowd, figures
from consults.demo import past, pictures, seeding
from consults.models import Case, CaseDraft, Image, Marker, Reply
from consults.services import diagnoses, files
from questions.demo.seeding import Cast
from questions.models import Commitment

pytestmark = pytest.mark.django_db(transaction=True)
DRAWN = (
    "rash",
    "chest_film",
    "ekg",
    "chest_ct",
    "dermoscopy",
    "fundus",
    "lab_page",
    "wheals",
    "wheals_later",
)


def entries():
    return tomllib.loads(seeding.WRITTEN.read_text(encoding="utf-8"))["case"]


@pytest.fixture
def two(monkeypatch, tmp_path):
    """The first entry and the one that waits: each picture goes through the whole search and is slow."""
    whole = seeding.WRITTEN.read_text(encoding="utf-8").split("[[case]]\n")
    some = tmp_path / "cases.toml"
    some.write_text("[[case]]\n".join(["", whole[1], whole[-1]]), encoding="utf-8")
    monkeypatch.setattr(seeding, "WRITTEN", some)
    monkeypatch.setattr(past, "entries", lambda rng: [])
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
    assert (case.question.urgency, case.question.peers_only, case.question.answer_count) == ("today", True, 5)
    assert [mark.post_id is not None for mark in Marker.objects.order_by("number")] == [True, True]
    assert CaseDraft.objects.get().is_waiting
    found = board.board_of(case.pk, reader_id=None)
    first = found.rows[0]
    assert (first.name, first.on_their_own, first.is_leading) == ("Erythema migrans", 3, True)
    assert [name for _, name in first.synonyms] == ["Early localized Lyme disease"]
    assert [row.after_reading for row in found.rows] == [0, 1, 0]
    assert case.question.answer_first
    assert all(Commitment.objects.filter(member=reply.member).exists() for reply in Reply.objects.all())
    assert {one.state for one in Image.objects.all()} == {"masked"}
    assert said == ["cases: 1 with 2 pictures, 1 waiting for a moderator", "cases: here already"]
    pixels = np.asarray(Picture.open(io.BytesIO(files.read(image, "full"))).convert("L"))
    assert pixels[1075:1105, 215:900].max() == 0  # where the ruler bore a name


def test_every_picture_is_shown_somewhere():
    assert set(DRAWN) == {one["draw"] for entry in entries() for one in entry["pictures"]}


def test_one_case_with_pictures_may_be_seen_by_firms():
    assert [len(entry["pictures"]) for entry in entries() if entry.get("for_observers")] == [2]


def test_firms_may_see_it_by_the_signature_of_the_patient(two):
    entry = {**entries()[0], "for_observers": True, "mark": []}

    case = seeding.Scribe(Cast(random.Random(1)), entry, [], timezone.now()).publish()

    case.question.refresh_from_db()
    assert not case.question.peers_only
    assert (case.consent.kind, case.consent.is_standing) == ("signed", True)
    assert Case.objects.consented_to_observers().get() == case


def test_a_picture_is_the_same_each_time():
    assert pictures.ekg() == pictures.ekg()


def test_no_text_of_a_case_holds_what_the_check_would_stop():
    from sermo.identifiers import STOP, check

    for entry in entries():
        texts = [str(value) for value in entry.values() if isinstance(value, str)]
        for one in entry.get("answer", []):
            texts += [one.get(name, "") for name in ("body", "diagnosis", "next_step")]
        texts += [one["description"] for one in entry["pictures"]]
        for text in texts:
            assert not [found for found in check(text) if found.level == STOP], text


def test_names_that_are_merged_or_judged_are_named_in_an_answer():
    for entry in entries():
        known = {diagnoses.normalize(one.get("diagnosis", "")) for one in entry.get("answer", [])}
        named = [name for pair in entry.get("merged", []) for name in pair]
        named += [one["diagnosis"] for one in entry.get("verdict", [])]
        assert {diagnoses.normalize(name) for name in named} <= known, entry["title"]
        assert all(
            diagnoses.as_code(one.get("code", "")) == one.get("code", "") for one in entry.get("answer", [])
        )


def test_the_cases_of_earlier_weeks_fill_the_archive_the_figures_and_the_table(monkeypatch, tmp_path):
    none = tmp_path / "cases.toml"
    none.write_text("case = []", encoding="utf-8")
    written = past.entries(random.Random(1))
    some = [entry for entry in written if entry["specialties"][0] == "Dermatology"]
    monkeypatch.setattr(seeding, "WRITTEN", none)
    monkeypatch.setattr(past, "entries", lambda rng: some)
    for name in {name for entry in some for name in entry["specialties"]}:
        make_specialty(name)
    for name in ("Dermatology", "Internal Medicine") * 13:  # who also speaks where there is nobody else
        make_member(specialty=name)

    seeding.seed(Said())

    assert len(written) >= figures.LEAST_FOR_RATE
    assert figures.compute()["all"].whole.reply.is_shown
    assert [row.name for row in crowd.table().rows] == ["Dermatology"]


def test_no_text_of_the_cases_of_earlier_weeks_holds_what_the_check_would_stop():
    from sermo.identifiers import STOP, check

    for entry in past.entries(random.Random(1)):
        texts = [entry[name] for name in ("title", "history", "findings", "next_step")]
        assert not [found for text in texts for found in check(text) if found.level == STOP], entry["title"]
        assert diagnoses.as_code(entry.get("code", "")) == entry.get("code", "")
