"""What the questions are worth against somebody who guesses: sheets by the product's own code, guesses by the million.

`pytest -m scale -s verification/tests/test_options_bars.py` prints the figures.
"""

import random
from collections import Counter
from datetime import date
from itertools import combinations
from math import sqrt

import pytest
from django.db import connection

from accounts.models import Specialty
from accounts.places import STATES
from verification import npi as npis
from verification import options, registry
from verification.models import Education, MedicalSchool, Provider, ProviderLicense
from verification.options import NONE_OF_THESE
from verification.services import challenge as challenges
from verification.tests.chances import CHI_SQUARE_OF_SIX, chi_square
from verification.tests.factories import CARDIOLOGY, make_applicant, make_claim

pytestmark = pytest.mark.django_db
KINDS = ("school", "grad_year", "license", "second_license", "practice_zip", "enumeration_year", "taxonomy")
ONE_IN = 3_888  # blind guessers of five questions of six options, in two tries
STATE_SHARES = {state: weight for state, weight in options.STATE_WEIGHTS.items() if state != "MI"}


@pytest.fixture(autouse=True)
def one_key(settings):
    """The same lots on every machine, so that the figures are the same, too."""
    settings.HASH_KEY = b"a key of these tests, of as many bytes as it takes"


def make_people(count, seed=12):
    """So many physicians of Michigan with all seven facts, as different as people are."""
    draw = random.Random(seed)
    schools = list(MedicalSchool.objects.filter(degree="MD", campus_of=None, year_closed=None))
    codes = list(Specialty.objects.filter(is_choice=True).values_list("code", flat=True))
    states, weights = list(STATE_SHARES), list(STATE_SHARES.values())
    people, slots, studies = [], [], []
    for number in range(count):
        nine = f"29{number:07}"
        npi = nine + npis.check_digit(nine)
        grad_year = draw.randint(1967, 2025)
        enumerated = draw.randint(2008, 2026)
        people.append(
            Provider(
                npi=npi,
                last_name="QUILLFEATHER",
                first_name="OTTOLINE",
                credential="MD",
                name_key="quillfeather ottoline",
                practice_city="LANSING",
                practice_state="MI",
                practice_zip=f"4{draw.randint(800, 999)}{draw.randint(0, 9)}",
                enumerated_on=date(enumerated, 1, 9),
                is_physician=True,
                is_resident=False,
                row_hash="",
                run_id=0,
            )
        )
        for slot, (state, text) in enumerate(
            [
                ("MI", f"4301{draw.randint(0, 999_999):06}"),
                (draw.choices(states, weights)[0], f"ME{draw.randint(1000, 999_999)}"),
            ],
            start=1,
        ):
            slots.append(
                ProviderLicense(
                    npi=npi,
                    slot=slot,
                    taxonomy=draw.choice(codes) if slot == 1 else CARDIOLOGY,
                    number=text,
                    number_key=text,
                    state=state,
                    is_primary=slot == 1,
                )
            )
        open_then = [each for each in schools if (each.year_from or 0) + options.STUDY_YEARS <= grad_year]
        studies.append(Education(npi=npi, school=draw.choice(open_then), grad_year=grad_year, run_id=0))
    Provider.objects.bulk_create(people, batch_size=2000)
    ProviderLicense.objects.bulk_create(slots, batch_size=2000)
    Education.objects.bulk_create(studies, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE verification_provider, verification_providerlicense, verification_education")
    return people


def offers_of(person, kinds=KINDS):
    """The options of each fact of a person."""
    facts = registry.facts_of(person, "MI")
    return [options.options_for(person, fact) for fact in facts if fact.kind in kinds]


def sheet_of(person, kinds=KINDS, seed=0):
    """A sheet as `services.challenge` makes it, of certain kinds, for many people without an account each."""
    none = options.none_questions(person.npi, [fact.kind for fact in registry.facts_of(person, "MI")])
    shuffle = random.Random(f"{person.npi} {seed}").shuffle
    return [
        options.question(person, offer, none.get(offer.fact), shuffle) for offer in offers_of(person, kinds)
    ]


def passes(sheets, guesses, seed=7):
    """How many of so many identities somebody passes who guesses blindly, with two tries each at different sheets."""
    draw = random.Random(seed)
    right = [tuple(entry["right"] for entry in sheet[:5]) for sheet in sheets]
    passed = 0
    for number in range(guesses):
        truth = right[number % len(right)]
        for _ in range(2):
            if all(draw.randrange(6) == place for place in truth):
                passed += 1
                break
    return passed


def is_near(passed, tries, one_in=ONE_IN, sigmas=3.5):
    expected = tries / one_in
    return abs(passed - expected) <= sigmas * sqrt(expected)


def check_ranks(people, kinds=KINDS):
    """That the truth lies at every place of a question alike, and on a scale at every rank."""
    ranks = {kind: Counter() for kind in KINDS}
    places = {kind: Counter() for kind in KINDS}
    for person in people:
        for offer in offers_of(person, kinds):
            shuffle = random.Random(f"{person.npi} {offer.fact}").shuffle
            entry = options.question(person, offer, None, shuffle)
            places[offer.fact][entry["right"]] += 1
            if offer.is_scale:
                ranks[offer.fact][sum(wrong < offer.truth for wrong in offer.wrong)] += 1
    strays = {}
    for kind in kinds:
        assert places[kind].total() == len(people)
        strays[kind] = [chi_square(each[kind]) for each in (places, ranks) if each[kind]]
        print(f"{kind}: {len(people)} questions, chi-square {max(strays[kind]):.1f}")
    assert all(max(each) < CHI_SQUARE_OF_SIX for each in strays.values())


def test_the_truth_lies_at_every_place_alike(schools, specialties):
    check_ranks(make_people(240))


def test_who_guesses_blindly_hardly_ever_passes(schools, specialties):
    sheets = [sheet_of(person) for person in make_people(30)]

    assert all(len(sheet) == 7 for sheet in sheets)
    assert is_near(passes(sheets, 40_000), 40_000)


@pytest.mark.scale
@pytest.mark.parametrize("kind", KINDS)
def test_of_ten_thousand_people_the_truth_lies_at_every_place_alike(schools, specialties, kind):
    check_ranks(make_people(10_000), [kind])


@pytest.mark.scale
def test_of_a_million_identities_a_blind_guesser_passes_one_in_3888(schools, specialties):
    sheets = [sheet_of(person) for person in make_people(500)]

    passed = passes(sheets, 1_000_000)

    print(f"1,000,000 identities, two tries each: {passed} passed, expected {1_000_000 / ONE_IN:.0f}")
    assert is_near(passed, 1_000_000)


def test_no_way_to_guess_is_better_than_another():
    """Of the two questions with "None of these" all 35 pairs of right answers are as likely."""
    pairs = Counter()
    for number in range(14_000):
        npi = f"29{number:08}"
        none = options.none_questions(npi, KINDS)
        assert len(none) == 2
        assert sum(none.values()) <= 1
        one, other = (none[kind] for kind in sorted(none))
        pairs["one" if one else "other" if other else "neither"] += 1

    total = pairs.total()
    for answer, ways in (("one", 5), ("other", 5), ("neither", 25)):
        share = ways / 35
        assert abs(pairs[answer] - total * share) < 4 * sqrt(total * share * (1 - share))


class TestTwoViews:
    """Of one person, by different accounts, on different days, after typing different things."""

    def sheets(self, person, **typed):
        claims = []
        for license_number in ("", "4301000001"):
            claim = make_claim(make_applicant(), person)
            claim.identity["typed"]["license_number"] = license_number
            claim.save()
            claims.append(claim)
        return [challenges._sheet(claim) for claim in claims for _ in range(2)]

    def test_they_show_the_same_options_of_each_fact(self, schools, specialties):
        for person in make_people(25):
            seen = {}
            for sheet in self.sheets(person):
                for entry in sheet:
                    shown = seen.setdefault(entry["fact"], set(entry["options"]))
                    assert shown == set(entry["options"])
                    assert len(shown) == 6

    def test_none_of_these_is_shown_in_the_same_two_and_true_in_one_at_most(self, schools, specialties):
        for person in make_people(25):
            views = []
            for sheet in self.sheets(person):
                shown = {entry["fact"] for entry in sheet if NONE_OF_THESE in entry["options"]}
                true = [entry for entry in sheet if entry["options"][entry["right"]] == NONE_OF_THESE]
                assert len(sheet) == 5
                assert len(shown) <= 2
                assert len(true) <= 1
                views.append((shown, [entry["fact"] for entry in true]))
            assert views[0] == views[1] == views[2] == views[3]

    def test_the_second_try_after_new_year_shows_those_who_are_not_of_the_latest_years_the_same(
        self, schools, specialties, monkeypatch
    ):
        people = [
            person for person in make_people(40) if Education.objects.get(pk=person.npi).grad_year < 2015
        ]
        before = [options_of(person, "grad_year") for person in people]
        monkeypatch.setattr(options.timezone, "localdate", lambda: date(2027, 1, 1))

        assert [options_of(person, "grad_year") for person in people] == before

    def test_the_order_they_stand_in_differs_where_it_has_no_meaning(self, schools, specialties):
        (person,) = make_people(1)
        claim = make_claim(make_applicant(), person)

        orders = {tuple(challenges._sheet(claim)[0]["options"]) for _ in range(12)}

        assert len(orders) > 3


def options_of(person, kind):
    return next({offer.truth, *offer.wrong} for offer in offers_of(person) if offer.fact == kind)


def test_what_is_wrong_of_one_fact_does_not_answer_another(schools, specialties):
    """No text of one question stands in another of the same sheet."""
    for person in make_people(60):
        for one, other in combinations(sheet_of(person), 2):
            shared = set(one["options"]) & set(other["options"]) - {NONE_OF_THESE}
            assert not shared or {one["fact"], other["fact"]} == {"grad_year", "enumeration_year"}


def test_all_states_can_be_drawn(schools, specialties):
    assert {state for state, _ in STATES} >= set(options.STATE_WEIGHTS)
