"""How much of everything, and which discussion gets how much of it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MOST_VOTES = 0.6  # of all members, on one post
FEWEST_MEMBERS = 24


@dataclass(frozen=True)
class Scale:
    questions: int
    posts: int  # openings, answers and comments
    votes: int
    members: int
    tags: int = 300
    ratings: int = 5  # importance, of one discussion on average

    def __post_init__(self):
        if self.members < FEWEST_MEMBERS:
            raise ValueError(f"A load has {FEWEST_MEMBERS} members or more.")
        if self.posts < self.questions:
            raise ValueError("Each question has an opening post, so there are at least as many posts.")


SCALES = {
    "small": Scale(questions=1_000, posts=10_000, votes=50_000, members=100),
    "medium": Scale(questions=10_000, posts=100_000, votes=500_000, members=1_000),
    "large": Scale(questions=100_000, posts=1_000_000, votes=5_000_000, members=10_000),
}


class Share(NamedTuple):
    """What one discussion gets."""

    answers: int
    comments: int
    votes: int


def shares(scale: Scale, seed: str) -> list[Share]:
    """The share of each discussion, the same for the same scale; together exactly what the scale names.

    A twelfth has twenty answers or more, another has none.
    """
    rng = random.Random(seed)  # noqa: S311 - the same every time is the purpose
    replies = scale.posts - scale.questions
    wanted = [_answers_wanted(rng) for _ in range(scale.questions)]
    answers = spread(replies * 6 // 10, wanted, [10**6 if weight else 0 for weight in wanted])
    talk = [number * rng.uniform(0.2, 1.8) for number in answers]
    comments = spread(replies - sum(answers), talk, [10**6 if number else 0 for number in answers])
    most = int(scale.members * MOST_VOTES)
    interest = [number * rng.uniform(0.4, 1.6) for number in answers]
    votes = spread(scale.votes, interest, [number * most for number in answers])
    return [Share(*row) for row in zip(answers, comments, votes, strict=True)]


def _answers_wanted(rng: random.Random) -> float:
    kind = rng.random()
    if kind < 1 / 12:
        return 0
    return rng.uniform(23, 34) if kind > 11 / 12 else rng.uniform(1, 7.5)


def spread(total: int, weights: Sequence[float], caps: Sequence[int]) -> list[int]:
    """`total` things shared out by weight, no share above its cap. Raises ValueError where they have no room."""
    if total > sum(caps):
        raise ValueError(f"{total} do not fit where {sum(caps)} have room.")
    whole = sum(weights) or 1
    given = [min(cap, int(total * weight / whole)) for weight, cap in zip(weights, caps, strict=True)]
    left = total - sum(given)
    while left:
        for place, cap in enumerate(caps):
            if left and given[place] < cap:
                given[place] += 1
                left -= 1
    return given
