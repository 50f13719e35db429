"""Brier scores, calibration and weights against values worked out by hand."""

from math import isclose

import pytest

from consults import scores
from consults.models.replies import CONFIDENCES

# Twelve forecasts: errors 0.25 x 2, 0.16, 0.36, 0.09 x 2, 0.49, 0.04 x 2, 0.01, 0.81, 0
TWELVE = [
    (50, True),
    (50, False),
    (60, True),
    (60, False),
    (70, True),
    (70, True),
    (70, False),
    (80, True),
    (80, True),
    (90, True),
    (90, False),
    (100, True),
]


@pytest.mark.parametrize(
    ("forecasts", "score"),
    [
        ([(100, True)], 0),
        ([(100, False)], 1),
        ([(50, True)], 0.25),
        ([(50, False)], 0.25),
        ([(90, True), (90, False)], 0.41),  # (0.01 + 0.81) / 2
        ([(70, True), (80, False), (60, True)], 0.89 / 3),  # (0.09 + 0.64 + 0.16) / 3
        (TWELVE, 2.59 / 12),
    ],
)
def test_a_brier_score_is_the_mean_squared_distance(forecasts, score):
    assert isclose(scores.brier(forecasts), score)


def test_without_a_forecast_there_is_no_score():
    empty = scores.calibration([])

    assert scores.brier([]) is None
    assert [each.confidence for each in empty.bins] == list(CONFIDENCES)
    assert (empty.number, empty.share, empty.stated) == (0, None, None)


def test_the_calibration_of_twelve_forecasts():
    table = scores.calibration(TWELVE)

    assert [(each.number, each.right) for each in table.bins] == [
        (2, 1),
        (2, 1),
        (3, 2),
        (2, 2),
        (2, 1),
        (1, 1),
    ]
    assert [each.share for each in table.bins] == [0.5, 0.5, 2 / 3, 1, 0.5, 1]
    assert (table.number, table.right) == (12, 8)
    assert isclose(table.stated, 870 / 12 / 100)
    assert isclose(table.share, 8 / 12)


def test_an_empty_bin_stays_in_the_table():
    table = scores.calibration([(90, True)])

    assert [each.share for each in table.bins] == [None, None, None, None, 1, None]


@pytest.mark.parametrize(
    ("number", "score", "weight"),
    [
        (0, None, 1),
        (9, 0.0, 1),  # too few
        (9, 1.0, 1),
        (10, 0.0, 1.5),
        (10, 0.05, 1.4),
        (10, 0.25, 1),
        (10, 0.4, 0.7),
        (10, 0.5, 0.5),
        (10, 1.0, 0.5),
    ],
)
def test_what_a_word_weighs(number, score, weight):
    assert isclose(scores.reliability(number, score), weight)


def test_a_better_score_never_weighs_less():
    weights = [scores.reliability(10, score / 100) for score in range(101)]

    assert weights == sorted(weights, reverse=True)
    assert (min(weights), max(weights)) == (0.5, 1.5)
