"""Who is meant, what is known of them, whether they are excluded."""

import json
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from verification.demo_registry import load_samples
from verification.models import Education, Exclusion, MedicalSchool, Provider
from verification.names import PersonName
from verification.registry import exclusions_of, facts_of, find_person, is_excluded, snapshot
from verification.tests.registry_files import leie_file, load, nppes_file, number, person, slot

pytestmark = pytest.mark.django_db

MAGNUS = PersonName("Fernwick", "Magnus")


@pytest.fixture
def people(tmp_path):
    """Load NPPES rows."""

    def load_people(*rows):
        load("import_nppes", nppes_file(tmp_path / "file.csv", list(rows)))

    return load_people


def test_an_npi_finds_its_holder(people):
    people(person(1), person(2))

    match = find_person(MAGNUS, "MD", "FL", npi=number(1))

    assert (match.kind, match.provider.pk, match.doubts) == ("one", number(1), ())
    assert match.score.verdict == "accepted"


@pytest.mark.parametrize("npi", ["1234567893", "12", "", "x" * 300])
def test_an_npi_of_nobody_finds_nobody(people, npi):
    people(person(1, last="OTHER"))

    assert find_person(MAGNUS, "MD", "FL", npi=npi).kind == "none"


def test_the_right_number_with_the_wrong_name_finds_nobody(people):
    people(person(1))

    assert find_person(PersonName("Somebody", "Else"), "MD", "FL", npi=number(1)).kind == "none"
    assert find_person(PersonName("Somebody", "Else"), "MD", "FL", license_number="ME780618").kind == "none"


@pytest.mark.parametrize("typed", ["ME780618", "780618", "me 0780618"])
def test_a_license_number_finds_its_holder_however_it_is_written(people, typed):
    people(person(1), person(2, license="ME111"))

    assert find_person(MAGNUS, "MD", "FL", license_number=typed).provider.pk == number(1)


def test_a_license_number_of_another_state_finds_nobody(people):
    people(person(1))

    assert find_person(MAGNUS, "MD", "GA", license_number="ME780618").kind == "none"


def test_one_number_for_an_md_and_a_do_is_settled_by_name_and_degree(people):
    people(person(1), person(2, credential="DO", license="OS780618"), person(3, last="OTHER"))

    assert find_person(MAGNUS, "DO", "FL", license_number="780618").provider.pk == number(2)
    assert find_person(MAGNUS, "MD", "FL", license_number="780618").provider.pk == number(1)


def test_a_name_and_state_find_one_person(people):
    people(person(1), person(2, last="OTHERWISE"), person(3, state="GA", license_state="GA"))

    assert find_person(MAGNUS, "MD", "FL").provider.pk == number(1)


def test_a_name_is_found_in_a_state_of_license_beside_that_of_practice(people):
    people(person(1, **slot(2, "207R00000X", "12345", "GA")))

    assert find_person(MAGNUS, "MD", "GA").provider.pk == number(1)


def test_a_misspelled_name_is_found_in_the_state_of_practice(people):
    people(person(1))

    match = find_person(PersonName("Fernwik", "Magnus"), "MD", "FL")

    assert match.provider.pk == number(1)


def test_a_former_name_finds_the_person(people):
    people(person(1, other_last="OLDNAME"))

    assert find_person(PersonName("Oldname", "Magnus"), "MD", "FL").provider.pk == number(1)


def test_namesakes_are_many_until_the_city_or_a_number_decides(people):
    people(person(1), person(2, city="MIAMI", license="ME999"))

    assert find_person(MAGNUS, "MD", "FL").kind == "many"
    assert find_person(MAGNUS, "MD", "FL").provider is None
    assert find_person(MAGNUS, "MD", "FL", city="Miami").provider.pk == number(2)
    assert find_person(MAGNUS, "MD", "FL", license_number="ME999").provider.pk == number(2)


def test_by_name_alone_only_active_physicians_are_found(people):
    people(person(1, deactivated="01/06/2019"), person(2, code="390200000X"))

    assert find_person(MAGNUS, "MD", "FL").kind == "none"


@pytest.mark.parametrize(
    ("values", "claim", "doubts"),
    [
        ({"code": "390200000X", "license": ""}, {}, {"resident", "no_license"}),
        ({"license": "$$$$"}, {}, {"no_license"}),
        ({}, {"state": "GA"}, {"no_license"}),
        ({}, {"license_number": "ME111"}, {"license_differs"}),
        ({"deactivated": "01/06/2019"}, {}, {"deactivated"}),
        ({}, {"degree": "DO"}, {"degree"}),
        ({"credential": ""}, {"degree": "DO"}, set()),
        ({"last": "FERNWYCH"}, {}, {"name"}),
    ],
)
def test_what_people_must_look_at_is_named(people, values, claim, doubts):
    people(person(1, **values))

    match = find_person(MAGNUS, **({"degree": "MD", "state": "FL", "npi": number(1)} | claim))

    assert match.kind == "one"
    assert set(match.doubts) == doubts


def test_someone_with_two_names_on_one_day_is_looked_at_by_people(people):
    people(person(1), person(1, last="OTHER"), person(1))

    assert "conflict" in find_person(MAGNUS, "MD", "FL", npi=number(1)).doubts


def test_looking_somebody_up_costs_few_queries(people):
    people(*[person(serial, last=f"FERN{serial:03d}") for serial in range(50)], person(99))

    with CaptureQueriesContext(
        connection,
    ) as queries:
        find_person(MAGNUS, "MD", "FL")

    assert len(queries) <= 3


def test_facts_come_in_the_order_of_use(people):
    people(person(1, **slot(2, "207RC0000X", "35.045682", "OH", "N")))
    school = MedicalSchool.objects.create(
        name="Yale", city="New Haven", state="CT", degree="MD", status="open"
    )
    Education.objects.create(npi=number(1), school_text="YALE", school=school, grad_year=2004, run_id=1)

    facts = facts_of(Provider.objects.get(), "FL")

    assert facts == [
        ("school", str(school.pk), ""),
        ("grad_year", "2004", ""),
        ("license", "ME780618", "FL"),
        ("second_license", "35.045682", "OH"),
        ("practice_zip", "33601", ""),
        ("enumeration_year", "2012", ""),
        ("taxonomy", "207R00000X", ""),
    ]
    assert [fact.kind for fact in facts_of(Provider.objects.get(), "FL", {"license", "taxonomy"})] == [
        "school",
        "grad_year",
        "second_license",
        "practice_zip",
        "enumeration_year",
    ]


@pytest.mark.parametrize(("enumerated", "is_fact"), [("12/31/2007", False), ("01/01/2008", True)])
def test_the_first_years_of_npis_are_no_fact(people, enumerated, is_fact):
    """Most physicians were given theirs then, so that whoever guesses would choose one of them."""
    people(person(1, enumerated=enumerated))

    assert ("enumeration_year" in {fact.kind for fact in facts_of(Provider.objects.get(), "FL")}) == is_fact


def test_a_school_we_do_not_know_is_no_fact(people):
    people(person(1))
    Education.objects.create(npi=number(1), school_text="OTHER", grad_year=2004, run_id=1)

    assert facts_of(Provider.objects.get(), "FL")[0].kind == "grad_year"


def test_who_has_nothing_but_a_name_has_no_facts(people):
    people(
        person(
            1,
            code="20ZZ99999X",
            license="",
            enumerated="",
            **{"Provider Business Practice Location Address Postal Code": "N/A"},
        )
    )

    assert [fact.kind for fact in facts_of(Provider.objects.get(), "FL")] == ["taxonomy"]


def test_a_snapshot_is_plain_json_with_all_that_is_known():
    load_samples(StringIO())
    provider = Provider.objects.get(pk="2417088079")

    kept = json.loads(json.dumps(snapshot(provider)))

    assert (kept["npi"], kept["last_name"], kept["enumerated_on"]) == (
        "2417088079",
        "COLDWATER",
        "2009-04-08",
    )
    assert [(slot["state"], slot["number"]) for slot in kept["licenses"]] == [
        ("TX", "L8115"),
        ("NC", "67096"),
        ("TX", "L8115"),
    ]
    assert kept["registry_file"] == "nppes_sample.csv"
    assert "run" not in kept


def test_the_sample_has_the_exclusions_its_description_names():
    load_samples(StringIO())

    verdicts = [exclusions_of(provider).verdict for provider in Provider.objects.physicians()]

    assert (verdicts.count("definite"), verdicts.count("possible")) == (4, 4)


@pytest.fixture
def listed(tmp_path):
    """One excluded person without an NPI."""
    row = {
        "LASTNAME": "FERNWICK",
        "FIRSTNAME": "MAGNUS",
        "NPI": "0000000000",
        "STATE": "FL",
        "EXCLTYPE": "1128a1",
    }
    load("import_leie", leie_file(tmp_path / "leie.csv", [row]))
    return Exclusion.objects.get()


@pytest.mark.parametrize(
    ("last", "first", "states", "other", "verdict"),
    [
        ("Fernwick", "Magnus", {"FL", "GA"}, "", "possible"),
        ("Fernwick", "M.", {"FL"}, "", "possible"),
        ("Newname", "Magnus", {"FL"}, "Fernwick", "possible"),
        ("Fernwick-Newname", "Magnus", {"FL"}, "", "possible"),
        ("Fernwick", "Magnus", {"GA"}, "", ""),
        ("Fernwick", "Robert", {"FL"}, "", ""),
        ("Newname", "Magnus", {"FL"}, "", ""),
        ("Fernwick", "Magnus", set(), "", ""),
    ],
)
def test_a_name_in_the_state_is_a_possible_exclusion(listed, last, first, states, other, verdict):
    assert is_excluded(number(1), last, first, states, other).verdict == verdict


def test_a_listed_person_with_another_npi_is_somebody_else(listed):
    Exclusion.objects.update(npi=number(2))

    assert is_excluded(number(1), "Fernwick", "Magnus", {"FL"}).verdict == ""
    assert is_excluded(number(2)).rows == [listed]
    assert is_excluded("", "Fernwick", "Magnus", {"FL"}).verdict == "possible"
    typed = is_excluded(number(1), "Fernwick", "Magnus", {"FL"}, npi_is_theirs=False)
    assert typed.verdict == "possible"
