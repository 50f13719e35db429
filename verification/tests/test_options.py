"""Frozen options that give nothing away. Many people, few rules."""

from collections import Counter
from itertools import pairwise

import pytest

from verification import options, registry
from verification.models import MedicalSchool
from verification.options import NONE_OF_THESE, Lots, none_questions, options_for, question
from verification.registry import Fact
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


@pytest.mark.parametrize(
    ("truth", "lowest", "highest", "gap"), [(1998, 1940, 2026, 3), (48_213, 0, 99_999, 12_500)]
)
def test_the_truth_lies_at_every_rank_alike(truth, lowest, highest, gap):
    ranks = Counter()
    for _ in range(3000):
        wrong = Lots(new_npi(), "grad_year").around(truth, lowest, highest, gap)
        ranks[sum(value < truth for value in wrong)] += 1

    assert set(ranks) == set(range(6))
    assert all(400 < count < 600 for count in ranks.values())


def test_the_width_of_the_options_tells_nothing_of_the_rank():
    narrow, wide = Counter(), Counter()
    for _ in range(4000):
        wrong = Lots(new_npi(), "grad_year").around(1998, 1940, 2026, 3)
        rank = sum(year < 1998 for year in wrong)
        (narrow if max(*wrong, 1998) - min(*wrong, 1998) <= 9 else wide)[rank] += 1

    for ranks in (narrow, wide):
        total = sum(ranks.values())
        assert all(0.12 < ranks[rank] / total < 0.22 for rank in range(6))


@pytest.mark.parametrize(
    ("truth", "lowest", "highest"), [(2026, 1940, 2026), (2005, 2005, 2011), (0, 0, 9), (2030, 2005, 2026)]
)
def test_the_ends_of_a_range_still_give_five_others(truth, lowest, highest):
    wrong = Lots(new_npi(), "grad_year").around(truth, lowest, highest, 3)

    assert len(set(wrong) - {truth}) == 5
    assert all(min(lowest, truth) <= value <= max(highest, truth) for value in wrong)


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
    for _ in range(600):
        chosen = none_questions(new_npi(), KINDS)
        assert len(chosen) == 2
        assert sum(chosen.values()) <= 1
        shown, true = shown + 2, true + sum(chosen.values())

    assert 0.12 < true / shown < 0.22


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
