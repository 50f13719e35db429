"""The rarity warning, on posts written to be recognized and on posts that point to nobody."""

import json
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

from sermo.identifiers.rarity import DELAY_DAYS, KINDS, LINE, assess, coarsened

HERE = Path(__file__).parent
POSTS = tomllib.loads((HERE / "rarity_posts.toml").read_text("utf-8"))


def share_warned(texts) -> float:
    return sum(assess(text).is_high for text in texts) / len(texts)


def bodies(part):
    if isinstance(part, dict):
        for key, value in part.items():
            yield from [value] if key == "body" else bodies(value)
    elif isinstance(part, list):
        for each in part:
            yield from bodies(each)


def demo_bodies():
    files = sorted((Path(settings.BASE_DIR) / "questions" / "demo").glob("*.toml"))
    return [body for file in files for body in bodies(tomllib.loads(file.read_text("utf-8")))]


def clean_posts():
    for name in ("dev_clean", "held_clean"):
        lines = (HERE / "identifier_corpus" / f"{name}.jsonl").read_text("utf-8").splitlines()
        yield from (json.loads(line)["text"] for line in lines)


def kinds(text, **beside):
    return {sign.kind for sign in assess(text, **beside).signs}


def test_most_posts_about_one_of_a_kind_are_warned():
    assert share_warned(POSTS["one_of_a_kind"][:30]) >= 0.85
    assert share_warned(POSTS["one_of_a_kind"]) >= 0.85


def test_stories_it_was_not_tuned_on_are_found_as_often_as_its_docstring_says():
    assert share_warned(POSTS["unseen"]) >= 0.35


def test_few_ordinary_posts_are_warned():
    demo = demo_bodies()

    assert len(demo) > 300
    assert share_warned(demo) <= 0.05
    assert share_warned(POSTS["ordinary"]) <= 0.05
    assert share_warned(list(clean_posts())) <= 0.01


@pytest.mark.parametrize(
    "text",
    ["What came to us in\n\nOhio is unknown", "Seen near\n \nRapid City", "He has Stiff\n\nperson syndrome"],
)
def test_no_sign_goes_across_paragraphs(text):
    assert all("\n" not in sign.words for sign in assess(text).signs)


def test_a_place_on_a_new_line_is_found_with_the_word_before_it():
    assert [sign.words for sign in assess("He grew up in\nOhio").signs] == ["in\nOhio"]


def test_no_kind_of_detail_crosses_the_line_alone():
    assert max(kind.weight for kind in KINDS.values()) < LINE


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A 43-year-old woman", "age"),
        ("43 yo F with gout", "age"),
        ("Seen in Chattanooga with fever", "town"),
        ("Lives near Smithville with his wife", "town"),
        ("Grew up in Ohio", "state"),
        ("Grew up in Wyoming", "small_state"),
        ("Began last Tuesday", "recent"),
        ("Began on March 3", "date"),
        ("Could it be Erdheim–Chester's disease?", "rare_condition"),
        ("Two girls with Mobius syndrome", "rare_condition"),
        ("He was mauled by a tiger", "unusual_event"),
        ("It was on the evening news", "publicity"),
        ("Fainted at the county fair", "public_event"),
        ("The mayor has gout", "office"),
        ("A retired astronaut", "fame"),
        ("A beekeeper with hives", "trade"),
        ("Quadruplets, all well", "multiples"),
        ("Weighs 312 kg", "measure"),
        ("from a village of 400", "small_place"),
    ],
)
def test_each_kind_of_detail_is_found(text, kind):
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "Boston criteria and the Montgomery tube",
        "It may march on; august company",
        "Georgia's guidelines are out of date",
        "INR 2.4 on 5 mg, ages 5 to 11 in the trial",
        "Jackson-Pratt to bulb",
    ],
)
def test_words_of_medicine_are_no_places_and_no_dates(text):
    assert not kinds(text) & {"town", "state", "date", "recent"}


def test_the_same_details_apart_are_fine_and_together_are_not():
    apart = [
        "Erdheim-Chester disease, which dose?",
        "A 52-year-old man",
        "Seen in Duluth",
        "It began last week",
    ]

    assert not any(assess(text).is_high for text in apart)
    assert assess(". ".join(apart)).is_high


def test_a_detail_said_twice_weighs_no_more():
    once = assess("A 52-year-old in Duluth.")

    assert assess("A 52-year-old in Duluth. Her 54-year-old husband is in Fargo.").score == once.score


def test_only_a_high_score_asks_for_a_delay():
    high = assess("A 52-year-old in Duluth with Erdheim-Chester disease since last week.")
    low = assess("A 52-year-old with gout.")

    assert (high.is_high, high.delay_days) == (True, DELAY_DAYS)
    assert (low.is_high, low.delay_days) == (False, 0)


def test_signs_say_where_they_are_in_order_and_do_not_overlap():
    for text in POSTS["one_of_a_kind"]:
        end_before = 0
        for sign in assess(text).signs:
            assert end_before <= sign.start < sign.end
            assert text[sign.start : sign.end] == sign.words
            assert sign.advice
            end_before = sign.end


@pytest.mark.parametrize(
    ("text", "coarser"),
    [
        ("A 43-year-old woman with gout", "A woman in the 40s with gout"),
        ("An 81-year-old man with gout", "A man in the 80s with gout"),
        ("An 81-year-old farmer with gout", "An 80-something farmer with gout"),
        ("33-year-old who fell", "Person in the 30s who fell"),
        ("a forty-three-year-old nurse", "a 40-something nurse"),
        ("58F on statins", "F in the 50s on statins"),
        ("a 7-year-old boy", "a school-age boy"),
        ("an 18-month-old girl", "a toddler-age girl"),
        ("a 2-week-old with fever", "a newborn with fever"),
        ("a 93-year-old woman", "a woman over 89"),
        ("She is 58, and tired", "She is in the 50s, and tired"),
        ("a woman of 47 with lupus", "a woman in the 40s with lupus"),
        ("seen in Tulsa, OK, twice", "seen in the South, twice"),
        ("He came from Wyoming", "He came from the West"),
        ("Admitted last week. Stable.", "Admitted recently. Stable."),
        ("Seen March 3, 2025, and well", "Seen in 2025, and well"),
        ("all three brothers have it", "several brothers have it"),
    ],
)
def test_replacements_are_coarser_and_read_as_english(text, coarser):
    assert coarsened(text, assess(text).signs) == coarser


def test_using_all_replacements_lowers_the_score_of_most():
    warned = [(text, assess(text)) for text in POSTS["one_of_a_kind"] if assess(text).is_high]
    lowered = [text for text, rarity in warned if assess(coarsened(text, rarity.signs)).score < rarity.score]

    assert len(lowered) / len(warned) > 0.9


def test_what_the_page_shows_beside_the_post_counts():
    text = "A 52-year-old with Erdheim-Chester disease."

    assert not assess(text).is_high
    assert not assess(text, state="CA").is_high
    assert kinds(text, state="CA", specialty="Cardiology") == kinds(text)
    assert assess(text, state="WY").is_high
    assert assess(text, state="Wyoming").is_high
    assert "small_specialty" in kinds(text, state="CA", specialty="Medical Genetics")
    assert "small_specialty" not in kinds(text, specialty="Medical Genetics")


def test_signs_from_beside_the_post_leave_the_text_alone():
    text = "A 52-year-old with gout."
    signs = assess(text, state="WY").signs

    assert coarsened(text, signs) == "A person in the 50s with gout."


def test_the_lists_hold_no_term_twice_and_enough_conditions():
    data = Path(settings.BASE_DIR) / "sermo" / "identifiers" / "data"
    rare = [line for line in (data / "rare.txt").read_text("utf-8").splitlines() if line and line[0] != "#"]

    assert len(rare) >= 400
    assert len({term.lower() for term in rare}) == len(rare)


def test_no_text_and_long_text_are_fine():
    assert assess("").score == 0
    assert assess("x" * 20_000).score == 0
