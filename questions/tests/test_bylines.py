"""How bylines read under the small-cell guard."""

import pytest

from accounts import faces
from accounts.tests.factories import make_member, make_specialty
from questions.services import bylines
from questions.signature import signature

FACE = {
    "specialty": "Nephrology",
    "subspecialty": "",
    "state": "",
    "region": "West North Central",
    "years": "11+",
    "languages": [],
}


@pytest.fixture
def nephrologist(db):
    specialty = make_specialty("Nephrology", group="Internal Medicine")
    return make_member("nephron_loop", specialty=specialty, state="MN", years_band="11-20", face=FACE)


def test_a_handle_signs_with_what_is_shown_and_a_name_with_the_verified_specialty(nephrologist):
    nephrologist.face = {}
    assert signature("anonymous", nephrologist).specialty == "Internal Medicine"
    assert signature("masked", nephrologist).specialty == "Internal Medicine"

    nephrologist.byline_mode, nephrologist.display_name = "public", "Amara Okafor, MD"
    assert signature("public", nephrologist).specialty == "Nephrology"


def test_a_partial_byline_says_the_region_at_most_and_guarded_years(nephrologist):
    nephrologist.face = {**FACE, "state": "MN"}

    assert faces.shown_to_physicians(nephrologist).place == "Minnesota"
    assert signature("partial", nephrologist).details == ("West North Central", "11 years and more")
    assert signature("anonymous", nephrologist).details == ()


def test_the_choice_of_bylines_reads_as_they_will(nephrologist):
    assert bylines.choices_for(nephrologist) == [
        ("anonymous", "nephron_loop, Nephrology"),
        ("partial", "nephron_loop, Nephrology, West North Central, 11 years and more"),
    ]

    nephrologist.face = {}
    assert bylines.choices_for(nephrologist) == [("anonymous", "nephron_loop, Internal Medicine")]
