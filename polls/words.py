"""What is said about a poll: how it was taken, of whom, what it pays, how long it takes."""

from collections.abc import Iterable, Sequence

from django.utils import timezone

from accounts.places import REGIONS, STATES
from polls.counting import Spread, middle_step
from polls.models import Poll
from polls.models.ballots import SECONDS, STEPS
from questions.models import MemberRank, Question

STATE_NAMES = dict(STATES)
TIERS = dict(MemberRank.Tier.choices)
READERS = {  # of discussions that are not open to all
    Question.Audience.SPECIALTY: "physicians in the specialties of this discussion",
    Question.Audience.CONNECTIONS: "connections of its author",
}
FEWEST_TIMES = 5  # votes, before which a median would be about single voters


def method(poll: Poll, *, voters: int, seen: int) -> str:
    """How a result came about, as under every result."""
    opened = timezone.localtime(poll.opened_at)
    closed = timezone.localtime(poll.closed_at or poll.closes_at)
    first = f"{opened:%b} {opened.day}" + (f", {opened.year}" if opened.year != closed.year else "")
    return (
        f"Self-selected, n = {voters:,}, invited {poll.invited:,}, seen by {seen:,}, "
        f"open {first} to {closed:%b} {closed.day}, {closed.year}. "
        "No margin of error, because nobody was drawn at random."
    )


def audience(poll: Poll, specialties: Sequence[str]) -> str:
    """Whom a poll is open to, as the end of a sentence; `specialties` are the names of its own."""
    readers = READERS.get(poll.question.audience)
    if not poll.is_narrowed:
        return readers or "all physicians"
    words = readers or "physicians"
    if specialties:
        comma = "," if poll.question.audience == Question.Audience.SPECIALTY else ""
        words += f"{comma} in {either(specialties)}"
    elif not readers:
        words += " of every specialty"
    if poll.states:
        words += f" who practice in {either(places(poll.states))}"
    if poll.tiers:
        words += f", of tier {either(TIERS.get(tier, tier) for tier in poll.tiers)}"
    return words


def places(states: Iterable[str]) -> list[str]:
    """The names of states, and of the region for all states of one."""
    states, named = set(states), []
    for region, codes in REGIONS.items():
        if states.issuperset(codes.split()):
            named.append(region)
            states.difference_update(codes.split())
    return [*named, *sorted(STATE_NAMES.get(state, state) for state in states)]


def either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def minutes(seconds: Sequence[int]) -> str:
    """The step in which the median of the times lies, from how many votes took each step; "" before the fifth."""
    if sum(seconds) < FEWEST_TIMES:
        return ""
    step = middle_step(seconds)
    if step == STEPS - 1:
        return "5 minutes or more"
    start, end = step * SECONDS, (step + 1) * SECONDS
    if end <= 60:
        return f"less than a minute ({start} to {end} seconds)"
    return f"{start // 60}:{start % 60:02} to {end // 60}:{end % 60:02} minutes"


def dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02}"


def spread(found: Spread | None) -> str:
    """The middle of a scale's answers in a sentence."""
    if found is None:
        return ""
    if found.lower == found.upper:
        return f"Median {found.median:g}. At least half of the answers are {found.lower}."
    return f"Median {found.median:g}. At least half of the answers are from {found.lower} to {found.upper}."


def ordinal(number: int) -> str:
    """1st to 10th."""
    return str(number) + {1: "st", 2: "nd", 3: "rd"}.get(number, "th")
