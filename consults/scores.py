"""What forecasts were worth: Brier scores, calibration, and how much a member's word weighs. No row is read here.

A forecast is a pair: the confidence stated, in percent, and whether the diagnosis was right.
"""

from collections.abc import Iterable
from typing import NamedTuple

from consults.models.replies import CONFIDENCES

LEAST_SCORED = 10  # forecasts, before which everybody weighs the same
LOWEST, HIGHEST = 0.5, 1.5

Forecast = tuple[int, bool]


class Bin(NamedTuple):
    """The forecasts stated with one confidence."""

    confidence: int
    number: int
    right: int

    @property
    def share(self) -> float | None:
        """Which part of them was right."""
        return self.right / self.number if self.number else None


class Calibration(NamedTuple):
    """All bins, in order, those without a forecast among them; and what they come to together."""

    bins: tuple[Bin, ...]

    @property
    def number(self) -> int:
        return sum(each.number for each in self.bins)

    @property
    def right(self) -> int:
        return sum(each.right for each in self.bins)

    @property
    def stated(self) -> float | None:
        """The mean confidence, as a share."""
        said = sum(each.confidence * each.number for each in self.bins)
        return said / 100 / self.number if self.number else None

    @property
    def share(self) -> float | None:
        return self.right / self.number if self.number else None


def error(confidence: int, was_right: bool) -> int:
    """The squared distance of a forecast from what came true, in whole squares of percents: 0 to 10,000."""
    return (confidence - 100 * was_right) ** 2


def brier(forecasts: Iterable[Forecast]) -> float | None:
    """The mean squared distance of confidence from outcome: 0 is perfect, 1 is worst, "50%" always gets 0.25."""
    errors = [error(*forecast) for forecast in forecasts]
    return mean_error(len(errors), sum(errors))


def mean_error(number: int, errors: int) -> float | None:
    """The Brier score of so many forecasts whose errors sum to that."""
    return errors / (10_000 * number) if number else None


def calibration(forecasts: Iterable[Forecast]) -> Calibration:
    known = list(forecasts)
    return Calibration(
        tuple(
            Bin(
                confidence,
                sum(said == confidence for said, _ in known),
                sum(was_right for said, was_right in known if said == confidence),
            )
            for confidence in CONFIDENCES
        )
    )


def reliability(number: int, score: float | None) -> float:
    """How much the word of a member with so many scored forecasts and that Brier score weighs: 0.5 to 1.5.

    1.5 less twice the score, no less than 0.5: who is always right and sure of it weighs 1.5, who says "50%" each time
    weighs 1, as does everybody before ten forecasts are scored. A lower score never weighs less.
    """
    if number < LEAST_SCORED or score is None:
        return 1.0
    return min(max(HIGHEST - 2 * score, LOWEST), HIGHEST)
