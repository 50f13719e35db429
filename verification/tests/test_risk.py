"""The sum of weights, without a database."""

import pytest

from verification.services import risk
from verification.services.claims import DOUBTS
from verification.services.risk import Facts


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), 0),
        (Facts(doubts=("few_facts", "skipped", "appeal")), 0),
        (Facts(doubts=("name",)), 2),
        (Facts(doubts=("no_match", "probing")), 7),
        (Facts(doubts=("name", "name")), 2),
        (Facts(others=1), 3),
        (Facts(others=2), 6),
        (Facts(others=5), 6),
        (Facts(identities=1), 2),
        (Facts(identities=4), 4),
        (Facts(exclusion="possible"), 4),
        (Facts(exclusion="definite"), 6),
        (Facts(shares_address=True), 3),
        (Facts(objections=1), 6),
        (Facts(doubts=("degree",), others=1, identities=1, exclusion="possible", shares_address=True), 15),
    ],
)
def test_the_risk_is_the_sum_of_its_parts(facts, expected):
    assert risk.total(facts) == expected
    assert sum(part.weight for part in risk.parts_of(facts)) == expected


@pytest.mark.parametrize(
    ("total", "band"), [(0, "low"), (2, "low"), (3, "medium"), (5, "medium"), (6, "high"), (40, "high")]
)
def test_three_bands(total, band):
    assert risk.band_of(total) == band


def test_the_heaviest_part_is_said_first():
    parts = risk.parts_of(Facts(doubts=("name", "no_match"), others=3))

    assert [part.weight for part in parts] == [6, 3, 2]
    assert parts[0].words == "3 other accounts claim or hold this identity"


def test_one_other_account_is_said_in_the_singular():
    (part,) = risk.parts_of(Facts(others=1))

    assert part.words == "Another account claims or holds this identity"


def test_a_doubt_without_a_weight_weighs_nothing():
    assert risk.total(Facts(doubts=("invented",))) == 0
    assert {"no_match", "name", "license_differs", "probing"} <= set(risk.DOUBTS) & set(DOUBTS)
