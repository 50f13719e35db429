"""Spellings compared letter by letter, without a database."""

import pytest

from verification.letters import compare


def marked(parts):
    return "".join(f"[{part.text}]" if part.is_marked else part.text for part in parts)


@pytest.mark.parametrize(
    ("one", "other", "left", "right", "words"),
    [
        ("Blakthorn", "BLACKTHORN", "Blakthorn", "BLA[C]KTHORN", "only in the registry: “C”"),
        ("Stonebridger", "STONEBRIDGE", "Stonebridge[r]", "STONEBRIDGE", "only in the claim: “r”"),
        (
            "Quillfeather",
            "QUILLFEATHER-MARSH",
            "Quillfeather",
            "QUILLFEATHER[-MARSH]",
            "only in the registry: “-MARSH”",
        ),
        ("Jon", "Jan", "J[o]n", "J[a]n", "only in the claim: “o”; only in the registry: “a”"),
        ("De Witt", "DEWITT", "De[ ]Witt", "DEWITT", "only in the claim: “space”"),
        ("Ng", "OKAFOR", "[Ng]", "[OKAFOR]", "only in the claim: “Ng”; only in the registry: “OKAFOR”"),
        ("Weiss", "WEISS", "Weiss", "WEISS", "the same letters"),
        ("", "MARSH", "", "[MARSH]", "only in the registry: “MARSH”"),
        (
            "4301977598",
            "4301977589",
            "43019775[98]",
            "43019775[89]",
            "two swapped: “98” in the claim, “89” in the registry",
        ),
        ("Braun", "BRUAN", "Br[au]n", "BR[UA]N", "two swapped: “au” in the claim, “UA” in the registry"),
    ],
)
def test_what_stands_in_one_alone_is_marked(one, other, left, right, words):
    letters = compare(one, other)

    assert "".join(part.text for part in letters.one) == one
    assert "".join(part.text for part in letters.other) == other
    assert (marked(letters.one), marked(letters.other), letters.words) == (left, right, words)


def test_a_letter_whose_small_form_is_longer_breaks_nothing():
    letters = compare("İlhan", "ILHAN")

    assert "".join(part.text for part in letters.one) == "İlhan"


def test_the_two_sides_can_be_called_otherwise():
    assert compare("Jon", "Jo", names=("the first", "the second")).words == "only in the first: “n”"
