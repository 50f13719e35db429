"""Frozen options that give nothing away. Many people, few rules."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from verification import options, registry
from verification.models import MedicalSchool
from verification.options import NONE_OF_THESE, Lots, none_questions, options_for, question
from verification.registry import Fact
from verification.tests.chances import CHI_SQUARE_OF_SIX, chi_square
from verification.tests.factories import SCHOOL, add_license, make_provider, new_npi

pytestmark = pytest.mark.django_db
KINDS = ("school", "grad_year", "license", "second_license", "practice_zip", "enumeration_year", "taxonomy")


def offer(provider, kind):
    fact = next(fact for fact in registry.facts_of(provider, "MI") if fact.kind == kind)
    return options_for(provider, fact)


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_has_five_different_wrong_answers(provider, kind):
    made = offer(provider, kind)

    assert len({made.truth, *made.wrong}) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_sees_the_same_options(provider, kind):
    assert offer(provider, kind) == offer(provider, kind)


def test_other_people_and_other_keys_see_others(provider, schools, settings):
    someone_else = make_provider()
    mine = offer(provider, "grad_year").wrong

    assert offer(someone_else, "school").wrong != offer(provider, "school").wrong
    settings.HASH_KEY = b"another key, of as many bytes as it takes"
    assert offer(provider, "grad_year").wrong != mine


def test_a_school_added_later_leaves_most_draws_as_they_were(schools, specialties):
    people = [make_provider() for _ in range(40)]
    before = [set(offer(person, "school").wrong) for person in people]

    MedicalSchool.objects.create(
        name="New School of Medicine", city="Reno", state="NV", degree="MD", status="open"
    )

    after = [set(offer(person, "school").wrong) for person in people]
    assert sum(was == now for was, now in zip(before, after, strict=True)) > 30


def test_wrong_schools_could_be_right(provider):
    made = offer(provider, "school")
    schools = MedicalSchool.objects.filter(name__in=made.wrong)

    assert all(school.degree == "MD" and (school.year_from or 0) <= 2006 for school in schools)
    assert sum(school.state == "MI" for school in schools) == 2


@pytest.mark.parametrize(
    "school", [SCHOOL, "Medical College of Wisconsin", "Geisel School of Medicine at Dartmouth"]
)
def test_no_state_is_named_more_often_than_the_others(schools, specialties, school):
    for _ in range(15):
        made = offer(make_provider(school=school), "school")
        named = MedicalSchool.objects.filter(name__in=[made.truth, *made.wrong]).values_list(
            "state", flat=True
        )
        assert len(set(Counter(named).values())) == 1


def test_a_campus_is_no_wrong_answer_to_its_own_college(schools, specialties):
    campus = MedicalSchool.objects.exclude(campus_of=None).select_related("campus_of").first()
    people = [make_provider(school=campus.name, credential="DO") for _ in range(20)]

    wrong = {name for person in people for name in offer(person, "school").wrong}

    assert campus.campus_of.name not in wrong
    assert not MedicalSchool.objects.filter(name__in=wrong).exclude(campus_of=None).exists()


@pytest.mark.parametrize("truth", [1931, 1943, 1998, 2002, 2003, 2014, 2015, 2024, 2026])
def test_whichever_of_the_six_years_is_true_the_same_six_are_shown(truth):
    for lots in (Lots(new_npi(), "grad_year") for _ in range(20)):
        hand = {truth, *lots.dealt(truth, 1931, 2026)}

        assert all({year, *lots.dealt(year, 1931, 2026)} == hand for year in hand)


@pytest.mark.parametrize("latest", range(2025, 2036, 2))
def test_the_true_year_lies_at_every_rank_alike_up_to_the_latest(latest):
    """Also where years are left over, and whether what is shown is narrow or wide."""
    narrow, wide = Counter(), Counter()
    draw = random.Random(latest)
    for number in range(6000):
        truth = draw.randint(2015, latest)
        others = Lots(f"{number}", "grad_year").dealt(truth, 1943, latest)
        is_wide = max(*others, truth) - min(*others, truth) > 9
        (wide if is_wide else narrow)[sum(year < truth for year in others)] += 1

    for ranks in (narrow, wide):
        assert chi_square(ranks) < CHI_SQUARE_OF_SIX


def test_years_lie_near_each_other():
    for truth in range(1943, 2027):
        hand = [truth, *Lots(new_npi(), "grad_year").dealt(truth, 1943, 2026)]

        assert max(hand) - min(hand) < 12


def test_a_new_year_changes_only_the_latest_options():
    lots = [Lots(new_npi(), "grad_year") for _ in range(20)]

    for truth in (1943, 1980, 2014):
        assert all(
            each.dealt(truth, 1943, latest) == each.dealt(truth, 1943, 2026)
            for each in lots
            for latest in range(2026, 2050)
        )


@pytest.mark.parametrize(
    ("truth", "first", "latest"),
    [(2026, 1943, 2026), (2008, 2008, 2009), (1901, 1943, 2026), (2030, 2008, 2026)],
)
def test_the_ends_of_a_range_still_give_five_others(truth, first, latest):
    others = Lots(new_npi(), "grad_year").dealt(truth, first, latest)

    assert len(set(others) - {truth}) == 5


def test_a_number_lies_at_every_rank_alike_also_near_the_ends():
    for truth in (0, 3, 5_000, 9_999):
        places = Counter()
        for _ in range(3000):
            others = Lots(new_npi(), "license").on_a_ring(truth, 10_000)
            assert len({*others, truth}) == 6
            assert all(0 <= other < 10_000 for other in others)
            places[sum((truth - other) % 10_000 < 5_000 for other in others)] += 1

        assert all(400 < places[rank] < 600 for rank in range(6))


@pytest.mark.parametrize(
    "number", ["4301977598", "ME780618", "01416429A", "35.045682", "0101-196913", "A1", "7", "MD38313241"]
)
def test_wrong_license_numbers_have_the_shape_of_the_right_one(provider, number):
    made = options_for(provider, Fact("license", number, "MI"))

    def shape(text):
        return "".join("9" if sign.isdigit() else sign for sign in text)

    assert {shape(wrong) for wrong in made.wrong} == {shape(number)}
    assert number not in made.wrong


def test_no_number_of_the_person_is_a_wrong_answer(provider):
    for slot, tail in enumerate(range(7590, 7602), start=3):
        if tail != 7598:
            add_license(provider, slot, f"430197{tail}", "OH")

    own = {license.number for license in provider.licenses()}
    assert not own & set(offer(provider, "license").wrong)


def test_no_state_where_the_person_is_licensed_is_a_wrong_answer(provider):
    made = offer(provider, "second_license")

    assert made.truth == "Arizona"
    assert "Michigan" not in made.wrong


def test_wrong_zip_codes_are_of_the_same_block_and_real_where_there_are_enough(provider, schools):
    for tail in (1, 2, 3, 4, 5, 6):
        make_provider(practice_zip=f"489{tail:02}", practice_state="MI")

    made = offer(provider, "practice_zip")

    assert set(made.wrong) <= {"48901", "48902", "48903", "48904", "48905", "48906"}


def test_none_of_these_is_shown_twice_and_true_at_most_once(schools, specialties):
    shown, true = 0, 0
    for _ in range(2000):
        chosen = none_questions(new_npi(), KINDS)
        assert len(chosen) == 2
        assert sum(chosen.values()) <= 1
        shown, true = shown + 2, true + sum(chosen.values())

    assert 0.12 < true / shown < 0.17  # one in seven


def test_a_question_shows_six_options_and_knows_the_right_one(provider):
    made = offer(provider, "school")

    plain = question(provider, made, None, lambda options: None)
    offered = question(provider, made, False, lambda options: None)
    true = question(provider, made, True, lambda options: None)

    assert plain["options"][plain["right"]] == options_school(provider)
    assert offered["options"][offered["right"]] == options_school(provider)
    assert true["options"][true["right"]] == NONE_OF_THESE
    assert [len(sheet["options"]) for sheet in (plain, offered, true)] == [6, 6, 6]
    assert offered["options"][-1] == true["options"][-1] == NONE_OF_THESE
    assert options_school(provider) not in true["options"]


def options_school(provider):
    return offer(provider, "school").truth


def test_options_on_a_scale_stand_in_order(provider):
    sheet = question(provider, offer(provider, "grad_year"), None, pytest.fail)

    assert all(first < second for first, second in pairwise(sheet["options"]))


def test_a_foreign_or_unknown_school_is_no_question(schools, specialties):
    stranger = make_provider(school=None)

    assert "school" not in {fact.kind for fact in registry.facts_of(stranger, "MI")}


def test_a_specialty_unknown_here_is_no_question(provider):
    assert options_for(provider, Fact("taxonomy", "20ZZZ9999X")) is None


def test_every_fact_has_a_text_and_a_builder():
    assert set(KINDS) == set(options.TEXTS) == set(options._BUILDERS)
