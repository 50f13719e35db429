"""The corpus itself: marks that fit the text, and halves that have nothing in common."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

CORPUS = Path(__file__).parent / "identifier_corpus"
FILES = ("dev_identifiers", "held_identifiers", "dev_clean", "held_clean")
KINDS = {
    *("name", "place", "street", "zip", "facility", "employer", "date", "age", "phone", "fax", "email"),
    *("ssn", "record", "plan", "account", "license", "vehicle", "device", "url", "ip", "other"),
}
COMMON_WORDS_IN_NAMES = {"mrs", "miss", "baby", "big"}


def rows(name):
    return [json.loads(line) for line in (CORPUS / f"{name}.jsonl").read_text("utf-8").splitlines()]


def marks(row):
    return [*row["spans"], *row.get("unlabelled", [])]


def families(half):
    return {row["family"] for name in FILES if name.startswith(half) for row in rows(name)}


def name_words(half):
    return {
        word
        for row in rows(f"{half}_identifiers")
        for start, end, kind in marks(row)
        if kind == "name"
        for word in re.findall(r"[^\W\d_]{3,}", row["text"][start:end].lower())
    } - COMMON_WORDS_IN_NAMES


@pytest.mark.parametrize("name", ["dev_identifiers", "held_identifiers"])
def test_marks_lie_within_the_text_and_do_not_overlap(name):
    for row in rows(name):
        end_before = 0
        assert marks(row), row
        for start, end, kind in sorted(marks(row)):
            assert end_before <= start < end <= len(row["text"]), row
            assert row["text"][start:end].strip() == row["text"][start:end], row
            assert kind in KINDS, row
            end_before = end


@pytest.mark.parametrize("name", ["dev_clean", "held_clean"])
def test_clean_posts_carry_no_marks(name):
    for row in rows(name):
        assert set(row) == {"family", "text"}
        assert row["text"].strip()


def test_the_halves_share_no_family_no_text_and_no_name():
    texts = Counter(row["text"] for name in FILES for row in rows(name))

    assert not families("dev") & families("held")
    assert [text for text, count in texts.items() if count > 1] == []
    assert not name_words("dev") & name_words("held")


def test_most_of_it_is_held_out_and_large_enough_to_measure_with():
    held = len(rows("held_identifiers")) + len(rows("held_clean"))
    whole = sum(len(rows(name)) for name in FILES)
    spans = Counter()
    for row in rows("held_identifiers"):
        spans[row["level"]] += len(row["spans"])

    assert held / whole >= 0.6
    assert spans["labelled"] >= 350
    assert spans["prose"] >= 250
    assert spans["names"] >= 250
    assert len(rows("held_clean")) >= 400
