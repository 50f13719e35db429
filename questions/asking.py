"""Whom a new discussion is put to: who was corroborated on it before, some newcomers, the rest drawn by lot. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from questions.models import Asked

Why = Asked.Why
CONFIDENCE = 1.96  # standard deviations: 95 %


@dataclass(frozen=True)
class Candidate:
    """A member who may be asked. The counts are of answers on the topic, over all of them."""

    member_id: int
    corroborated: int = 0
    disputed: int = 0
    is_newcomer: bool = False

    @property
    def standing(self) -> float:
        return wilson(self.corroborated, self.corroborated + self.disputed)


def wilson(positive: int, total: int) -> float:
    """The lower bound of the share of positive votes that so many votes bear out."""
    if not total:
        return 0.0
    share, square = positive / total, CONFIDENCE**2
    middle = share + square / (2 * total)
    spread = CONFIDENCE * sqrt((share * (1 - share) + square / (4 * total)) / total)
    return (middle - spread) / (1 + square / total)


def choose(
    candidates: Iterable[Candidate], *, most: int, newcomers_percent: int, seed: str
) -> dict[int, Why]:
    """Whom to ask, and why, by member. The same candidates and seed give the same choice.

    Of the seats a share is drawn among newcomers; the others go to those with the best past, best first, and what
    is left is drawn among all that share the topic. Nobody's draw depends on who else stands in it.
    """
    drawn = sorted(candidates, key=lambda one: _lot(seed, one.member_id))
    newcomers = [one.member_id for one in drawn if one.is_newcomer]
    past = [one for one in drawn if one.corroborated]
    past = [one.member_id for one in sorted(past, key=lambda one: -one.standing)]  # equals stay as drawn
    seats = most * newcomers_percent // 100
    chosen = dict.fromkeys(newcomers[:seats], Why.NEWCOMER)
    for member_id in past[: most - seats]:
        chosen[member_id] = Why.PAST
    for one in drawn:
        if len(chosen) >= most:
            break
        chosen.setdefault(one.member_id, Why.INTEREST)
    return chosen


def _lot(seed: str, member_id: int) -> bytes:
    return hashlib.sha256(f"{seed}:{member_id}".encode()).digest()
