"""What changed between two versions of a text."""

import time

from hypothesis import given
from hypothesis import strategies as st

from questions.differences import ADDED, KEPT, REMOVED, Span, between, of_line


def said(paragraphs, besides):
    """The text of one side, put together again."""
    whole = ["".join(span.text for span in spans if span.what != besides) for spans in paragraphs]
    return [text.strip() for text in whole if text.strip()]


def test_a_changed_word_is_shown_as_gone_and_come():
    assert of_line("Give apixaban 5 mg now.", "Give apixaban 2.5 mg now.") == [
        Span(KEPT, "Give apixaban "),
        Span(REMOVED, "5 "),
        Span(ADDED, "2.5 "),
        Span(KEPT, "mg now."),
    ]


def test_an_untouched_paragraph_stays_whole():
    old = "First thing.\n\nSecond thing here."
    new = "First thing.\n\nSecond thing there."

    assert between(old, new)[0] == [Span(KEPT, "First thing.")]
    assert Span(REMOVED, "here") in between(old, new)[1]
    assert Span(ADDED, "there") in between(old, new)[1]


def test_a_new_and_a_lost_paragraph_are_whole():
    found = between(
        "Keep this one.\n\nEntirely about warfarin dosing.", "Keep this one.\n\nNothing alike at all!"
    )

    assert found[1:] == [
        [Span(REMOVED, "Entirely about warfarin dosing.")],
        [Span(ADDED, "Nothing alike at all!")],
    ]


def test_equal_texts_have_no_changes_whatever_their_line_ends():
    assert all(span.what == KEPT for spans in between("One.\n\nTwo.", "One.\r\n\r\nTwo.") for span in spans)


words = st.text(alphabet="ab .,\n", max_size=60)


@given(words, words)
def test_both_versions_can_be_read_off_the_differences(old, new):
    found = between(old, new)

    assert "".join("".join(said(found, ADDED)).split()) == "".join(old.split())
    assert "".join("".join(said(found, REMOVED)).split()) == "".join(new.split())


def test_long_texts_without_a_word_in_its_place_cost_little():
    old = " ".join(f"w{number % 50}" for number in range(5000))
    new = " ".join(f"w{number * 7 % 50}" for number in range(5000))
    many, others = "a\n\n" * 6000, "b\n\na\n\n" * 3000

    began = time.perf_counter()
    between(old, new)
    between(many, others)

    assert time.perf_counter() - began < 2
