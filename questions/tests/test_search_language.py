"""What can be typed into the search box, without a database."""

from datetime import UTC, datetime

import pytest

from questions.search.language import LONGEST, MOST_FILTERS, Filter, Typed, day_after, first_moment, parse


def test_operators_are_taken_out_of_the_words():
    typed = parse('apixaban "end stage" tag:dialysis specialty:"Family Medicine" -warfarin')

    assert typed.words == 'apixaban "end stage" -warfarin'
    assert typed.filters == (Filter("tag", "dialysis"), Filter("specialty", "Family Medicine"))
    assert typed.hints == ()


@pytest.mark.parametrize("text", ["ratio:3", "3:1", "nct:NCT01", "http://example.org", ":", "a:b:c"])
def test_what_is_no_operator_stays_a_word(text):
    assert parse(text) == Typed(words=text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Kind:Observations", "kind:observation"),
        ("solved:Y", "solved:yes"),
        ("STATUS:Open", "status:open"),
        ("author:@left_atrium", "author:left_atrium"),
        ("has:references", "has:reference"),
        ("tag:Dialysis", "tag:dialysis"),
        ('-tag:"heart failure"', '-tag:"heart failure"'),
        ("before:2026-07-04 fever after:2026", "fever before:2026-07-04 after:2026"),
    ],
)
def test_one_search_has_one_spelling(text, canonical):
    assert str(parse(text)) == canonical
    assert str(parse(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind:poem", "There is no kind poem."),
        ("status:removed", "There is no status removed."),
        ("solved:perhaps", "solved: is yes or no."),
        ("has:image", "has: knows references"),
        ("after:yesterday", "yesterday is no date."),
        ("before:2026-02-30", "2026-02-30 is no date."),
        ("after:0000", "0000 is no date."),
        ("tag:", "tag: needs something behind the colon"),
        ("-after:2026", "A minus does not go with after:."),
    ],
)
def test_an_operator_that_cannot_be_understood_is_left_out_and_becomes_a_hint(text, said):
    typed = parse(f"fever {text}")

    assert (typed.words, typed.filters) == ("fever", ())
    assert said in typed.hints[0]


def test_or_joins_words_and_no_operators():
    assert parse("dialysis OR hemodialysis").has_alternatives
    typed = parse("dialysis OR tag:renal fever")

    assert typed.words == "dialysis fever"
    assert typed.hints == ("OR joins words. Operators narrow a search together.",)


def test_of_what_a_discussion_has_only_one_the_last_holds():
    typed = parse("status:open solved:yes status:closed tag:a tag:b")

    assert typed.values("status") == ["closed"]
    assert typed.values("tag") == ["a", "b"]


def test_words_to_leave_out_alone_find_nothing_and_say_why():
    typed = parse("-warfarin")

    assert not typed.has_words
    assert typed.hints == ("Beside what to leave out, a search needs a word to look for.",)


def test_what_is_looked_for_goes_without_signs_and_without_what_is_left_out():
    assert parse('"heart failure" -child dose or rate tag:x').looked_for == "heart failure dose rate"


def test_a_search_takes_so_many_operators_and_characters():
    many = parse(" ".join(f"tag:t{number}" for number in range(MOST_FILTERS + 3)))

    assert len(many.filters) == MOST_FILTERS
    assert "the rest was left out" in many.hints[0]
    assert len(parse("x" * 900).words) == LONGEST


def test_narrowing_and_widening_are_searches_again():
    typed = parse("fever kind:question tag:a")

    assert str(typed.plus("tag", "b")) == "fever kind:question tag:a tag:b"
    assert str(typed.plus("tag", "a")) == str(typed)
    assert str(typed.minus(Filter("tag", "a"))) == "fever kind:question"
    assert str(typed.of_kind("observation")) == "fever tag:a kind:observation"
    assert str(typed.of_kind("")) == "fever tag:a"


@pytest.mark.parametrize(
    "text", ["", '"', '""', "-", "OR", "or or", "&|!<>()", "\x01", 'tag:"', '-"', "a" * 999]
)
def test_anything_can_be_typed(text):
    parse(str(parse(text)))


def test_dates_are_those_of_utc():
    assert first_moment("2026-03") == datetime(2026, 3, 1, tzinfo=UTC)
    assert day_after(datetime(2026, 2, 28, 23, 59, tzinfo=UTC)) == "2026-03-01"
