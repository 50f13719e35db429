"""How long a decision takes, from the last ones. It is what was, and no promise."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from verification import rules
from verification.models import Decision

LAST = 50


@dataclass(frozen=True)
class Foretold:
    """The waiting times of the last decisions; without `half` and `most`, too few were taken to say."""

    of: int
    half: timedelta | None = None
    most: timedelta | None = None  # of nine in ten

    @property
    def is_known(self):
        return self.half is not None

    @property
    def words(self):
        """A whole sentence, for applicants and reviewers alike."""
        if not self.is_known:
            return "Too few claims were decided so far to say how long it takes."
        if spell(self.half) == spell(self.most):
            return f"Nine of ten of the last {self.of} decisions came within {spell(self.most)}."
        return (
            f"Half of the last {self.of} were decided within {spell(self.half)}, "
            f"nine of ten within {spell(self.most)}."
        )


def foretell() -> Foretold:
    """From the last fifty decisions that somebody waited for: the middle and the ninth of ten waiting times."""
    awaited = Decision.objects.filter(waited__isnull=False).order_by("-at", "-pk")
    times = sorted(awaited.values_list("waited", flat=True)[:LAST])
    if len(times) < rules.FORETOLD_FROM:
        return Foretold(len(times))
    return Foretold(len(times), _at(times, 0.5), _at(times, 0.9))


def _at(times: list[timedelta], share: float) -> timedelta:
    """The time within which this share of decisions came: one that was really waited, nothing between two."""
    return times[ceil(share * len(times)) - 1]


def spell(time: timedelta) -> str:
    """A time in words, never shorter than it was: "an hour", "20 hours", "3 days"."""
    hours = max(1, ceil(time / timedelta(hours=1)))
    if hours == 1:
        return "an hour"
    return f"{hours} hours" if hours <= 48 else f"{ceil(time / timedelta(days=1))} days"
