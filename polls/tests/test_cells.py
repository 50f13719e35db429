"""No small number can be worked out of a breakdown, by adding and subtracting, by waiting, or by knowing the rules.

Who attacks sees the counts of all options after every vote, so of each vote what it chose, and the shown cells after
every release. They look for votes whose value they could tell: a cell, at any time or between any two looks, of which
fewer than five votes are left and of which only one number is possible.
"""

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations, count, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polls.cells import EVERY, LEAST, LEAST_FOR_FIRMS, coarser, joined, portions

VALUES = {"specialty": 12, "region": 6, "years": 2}  # so many there are, which everybody knows


@dataclass(frozen=True)
class Vote:
    choice: int  # of a vote for several options the one drawn
    values: dict[str, str]
    is_lost: bool = False  # by Redis


@dataclass
class Seen:
    """All that is seen of one dimension: what each vote chose, and the shown cells with the number of votes by then.

    Of votes for several options even which one was drawn, which nobody but the voter's browser could know.
    """

    choices: list[int]
    values: list[str]  # of each vote: what nobody may find out
    known: list[str]  # values there are
    releases: list[tuple[int, dict[str, list[int]]]] = field(default_factory=list)

    def arrivals(self, option: int) -> list[int]:
        return [time for time, chosen in enumerate(self.choices) if option == chosen]

    def shown(self, option: int) -> list[tuple[int, dict[str, int]]]:
        return [
            (time, {value: numbers[option] for value, numbers in shown.items() if option < len(numbers)})
            for time, shown in self.releases
        ]


def draw_votes(lot: random.Random, number: int, options: int, *, added_at=None) -> list[Vote]:
    """A population in which some values are rare, some chose alike, and Redis forgot some votes."""
    weights = {name: [lot.choice((1, 1, 2, 5, 20)) for _ in range(size)] for name, size in VALUES.items()}
    taste = {place: [lot.choice((0, 1, 5)) + 0.1 for _ in range(options)] for place in range(12)}
    is_forgetful = lot.random() < 0.3
    votes = []
    for time in range(number):
        places = {name: lot.choices(range(size), weights[name])[0] for name, size in VALUES.items()}
        there = options if added_at is None or time >= added_at else options - 1
        liked = lot.choices(range(there), taste[places["specialty"]][:there])[0]
        votes.append(
            Vote(
                liked,
                {name: f"{name} {place}" for name, place in places.items()},
                is_forgetful and lot.random() < 0.1,
            )
        )
    return votes


def play(votes, options, *, rule=portions, every=EVERY, added_at=None, restart_at=None):
    """Let the votes come in, as the services do, and return what is seen of each dimension."""
    seen = {
        name: Seen(
            [vote.choice for vote in votes],
            [vote.values[name] for vote in votes],
            [f"{name} {place}" for place in range(size)],
        )
        for name, size in VALUES.items()
    }
    unshown = {name: {} for name in VALUES}
    shown = {name: {} for name in VALUES}
    counts = [0] * (options if added_at is None else options - 1)
    for time, vote in enumerate(votes, start=1):
        if time - 1 == added_at:
            counts.append(0)
        if time == restart_at:
            unshown = {name: {} for name in VALUES}
        counts[vote.choice] += 1
        if not vote.is_lost:
            for name, value in vote.values.items():
                unshown[name].setdefault(value, [0] * options)[vote.choice] += 1
        if time == len(votes) or time % every == 0:
            for name in VALUES:
                added = rule(counts, shown[name], unshown[name])
                for value, numbers in added.items():
                    for option, number in enumerate(numbers):
                        unshown[name][value][option] -= number
                shown[name] = joined(shown[name], added, len(counts))
                seen[name].releases.append((time, shown[name]))
    return seen


# What can be worked out


class Attack:
    """What is possible of one option, exactly.

    Anything may be drawn, so a world is possible if at each release every value had at least as many votes as were
    shown of it. Votes fixed to a value aside, the others may serve any value, earlier ones also later releases: so a
    world exists if, at each release, what the fixed votes leave missing is no more than the other votes there are.
    """

    def __init__(self, seen: Seen, option: int):
        self.arrivals = seen.arrivals(option)
        self.values = [seen.values[time] for time in self.arrivals]
        self.known = seen.known
        self.shown = [  # with how many votes of the option had come by then
            (bisect_left(self.arrivals, time), shown) for time, shown in seen.shown(option)
        ]
        self.found: dict = {}

    def is_possible(self, fixed: dict[int, str]) -> bool:
        """Whether votes, by their place among those of the option, may have these values."""
        key = tuple(sorted(fixed.items()))
        if key not in self.found:
            self.found[key] = self._is_possible(fixed)
        return self.found[key]

    def _is_possible(self, fixed):
        missing = dict.fromkeys(self.known, 0)
        for come, shown in self.shown:
            own = [value for place, value in fixed.items() if place < come]
            for value, number in shown.items():
                missing[value] = max(missing[value], number - own.count(value))
            if sum(missing.values()) > come - len(own):
                return False
        return True

    def tells(self, least: int = LEAST) -> str:
        """What can be worked out, or nothing: of a set of votes, how many of fewer than `least` are of one value."""
        if len(self.known) == 1:
            return ""
        for place, value in product(range(len(self.arrivals)), self.known):
            if not self.is_possible({place: value}):
                return f"vote {place} is not of {value}"
        for start, value in product(range(len(self.arrivals)), self.known):
            for end in range(start + 1, len(self.arrivals) + 1):
                number = self.values[start:end].count(value)
                if number < least and not self.hides(start, end, value, number, least):
                    return f"{number} of {value} among {start} to {end}"
        return ""

    def hides(self, start, end, value, number, least) -> bool:
        """Whether there is a world with another number of a value among these votes."""
        some = range(start, min(end, start + least))
        if number < len(some):
            return self.is_possible(dict.fromkeys(some, value))
        other = next(one for one in self.known if one != value)
        return self.is_possible(dict.fromkeys(some, other))


def what_tells(seen: dict[str, Seen], options: int) -> str:
    return next(
        (
            f"{name}, option {option}: {told}"
            for name, one in seen.items()
            for option in range(options)
            if (told := Attack(one, option).tells())
        ),
        "",
    )


POPULATIONS = {
    "seed": st.integers(0, 2**32),
    "number": st.integers(1, 90),
    "options": st.integers(2, 4),
    "added": st.booleans(),
    "restarts": st.booleans(),
}


def drawn(seed, number, options, added, restarts):
    lot = random.Random(seed)
    events = {
        "added_at": lot.randrange(number) if added else None,
        "restart_at": lot.randint(1, number) if restarts else None,
    }
    votes = draw_votes(lot, number, options, added_at=events["added_at"])
    return votes, events


@settings(max_examples=60, deadline=None)
@given(**POPULATIONS)
def test_no_small_number_can_be_worked_out_from_all_that_is_ever_shown(
    seed, number, options, added, restarts
):
    votes, events = drawn(seed, number, options, added, restarts)
    seen = play(votes, options, **events)

    assert what_tells(seen, options) == ""


@settings(max_examples=60, deadline=None)
@given(**POPULATIONS)
def test_each_portion_and_each_rest_has_at_least_five_and_no_cell_more_than_there_are(
    seed, number, options, added, restarts
):
    votes, events = drawn(seed, number, options, added, restarts)

    for one in play(votes, options, **events).values():
        for option in range(options):
            before = dict.fromkeys(one.known, 0)
            for time, shown in one.shown(option):
                come = [at for at in one.arrivals(option) if at < time]
                assert not any(shown.values()) or len(come) - sum(shown.values()) >= LEAST
                for value, shown_of_it in shown.items():
                    assert shown_of_it - before[value] == 0 or shown_of_it - before[value] >= LEAST
                    assert shown_of_it <= sum(one.values[at] == value for at in come)
                before |= shown


@settings(max_examples=40, deadline=None)
@given(**POPULATIONS)
def test_a_firm_can_work_out_no_number_below_eleven(seed, number, options, added, restarts):
    votes, events = drawn(seed, number, options, added, restarts)

    for one in play(votes, options, **events).values():
        counts = [len(one.arrivals(option)) for option in range(options)]
        shown = one.releases[-1][1]
        coarse = coarser(counts, shown)
        for_firms = Seen(one.choices, one.values, one.known, [(number, coarse)])
        assert coarse == coarser(counts, shown)
        assert all(
            number == 0 or number >= LEAST_FOR_FIRMS for numbers in coarse.values() for number in numbers
        )
        assert all(Attack(for_firms, option).tells(LEAST_FOR_FIRMS) == "" for option in range(options))


def test_much_is_shown_all_the_same():
    """Of two thousand votes all but a few of each option have their value."""
    lot = random.Random(5)
    votes = draw_votes(lot, 2000, 3)
    votes = [Vote(vote.choice, vote.values) for vote in votes]

    for one in play(votes, 3).values():
        shown = sum(sum(numbers) for numbers in one.releases[-1][1].values())
        assert shown >= 1850


def test_the_exact_reasoning_agrees_with_trying_all_worlds():
    for seed in range(30):
        lot = random.Random(seed)
        values = [lot.choice("ABC") for _ in range(6)]
        releases = []
        for time in (3, 6):
            least = releases[-1][1] if releases else {}
            come = values[:time]
            shown = {
                value: [max(least.get(value, [0])[0], lot.randint(0, come.count(value)))] for value in "ABC"
            }
            releases.append((time, shown))
        attack = Attack(Seen([0] * 6, values, list("ABC"), releases), 0)
        worlds = [
            world
            for world in product("ABC", repeat=6)
            if all(
                world[:time].count(value) >= shown[value][0] for time, shown in releases for value in "ABC"
            )
        ]
        for places in combinations(range(6), 2):
            for wanted in product("ABC", repeat=2):
                exists = any(
                    all(world[p] == w for p, w in zip(places, wanted, strict=True)) for world in worlds
                )
                assert attack.is_possible(dict(zip(places, wanted, strict=True))) == exists


# Rules that would not do


def without_the_rest(counts, shown, unshown):
    """Every cell of five or more, whatever is left."""
    return {
        value: [number if number >= LEAST else 0 for number in numbers] for value, numbers in unshown.items()
    }


def live(counts, shown, unshown):
    """Once a cell has five, each vote at once."""
    return {
        value: [
            number if number >= LEAST or (value in shown and shown[value][option]) else 0
            for option, number in enumerate(numbers)
        ]
        for value, numbers in unshown.items()
    }


@pytest.mark.parametrize(("rule", "every"), [(without_the_rest, EVERY), (live, 1)])
def test_a_wrong_rule_tells(rule, every):
    told = []
    for seed in range(4):
        votes = [Vote(vote.choice, vote.values) for vote in draw_votes(random.Random(seed), 60, 2)]
        told.append(what_tells(play(votes, 2, rule=rule, every=every), 2))
        assert what_tells(play(votes, 2), 2) == ""
    assert sum(map(bool, told)) >= 2, told


# Who knows the rule


@cache
def outcomes(rule, total, shown, unshown, least):
    """All that a rule may add for an option with `total` votes, whatever is drawn: pairs of value and number."""
    most = max((number for _, number in unshown), default=0)
    found, ways = set(), [()]
    while ways:
        way = ways.pop()
        asked = count()

        def held(way=way, asked=asked):
            number = next(asked)
            return way[number] if number < len(way) else 0

        result = rule(
            [total],
            {value: [number] for value, number in shown},
            {value: [number] for value, number in unshown},
            least=least,
            held=held,
        )
        if next(asked) > len(way):
            ways += [(*way, back) for back in range(most - least + 2)]
        else:
            found.add(tuple(sorted((value, number) for value, [number] in result.items())))
    return found


def views_of(world, times, rule, least):
    """All sequences of shown cells that a world, the value of each vote, may lead to."""
    ways = {((), ())}  # (what was seen, what is shown by now)
    for time in times:
        there = Counter(world[:time])
        following = set()
        for seen, shown in ways:
            unshown = there - Counter(dict(shown))
            for added in outcomes(rule, time, shown, tuple(sorted(unshown.items())), least):
                now = tuple(sorted((Counter(dict(shown)) + Counter(dict(added))).items()))
                following.add(((*seen, now), now))
        ways = following
    return {seen for seen, _ in ways}


def determined(values, votes, times, *, rule=portions, least=2):
    """What somebody who knows the rule can tell: views, from, to, value and number, for numbers under `least`.

    All worlds of an option are tried, each with all that may be drawn. `times` are those of the releases.
    """
    numbers = defaultdict(set)
    for world in product(values, repeat=votes):
        views = views_of(world, times, rule, least)
        for start, end in combinations(range(votes + 1), 2):
            for value in values:
                number = world[start:end].count(value)
                for view in views:
                    numbers[view, start, end, value].add(number)
    return [(*key, min(found)) for key, found in numbers.items() if len(found) == 1 and min(found) < least]


@pytest.mark.parametrize("values", ["AB", "ABC"])
@pytest.mark.parametrize("times", [(4, 7), (3, 5, 7), (7,)])
def test_knowing_the_rule_tells_no_more(values, times):
    """In all worlds of seven votes, with a rule of two in place of five."""
    assert determined(values, 7, times) == []


def by_size(counts, shown, unshown, *, least, held):
    """As portions, without the lot: what is ready is shown, but for the smallest ones that the rest needs."""
    added = {}
    for option, total in enumerate(counts):
        rest = total - sum(numbers[option] for numbers in shown.values())
        ready = sorted(
            (numbers[option], value) for value, numbers in unshown.items() if numbers[option] >= least
        )
        while ready and rest - sum(number for number, _ in ready) < least:
            ready.pop(0)
        for number, value in ready:
            added.setdefault(value, [0] * len(counts))[option] = number
    return added


@pytest.mark.parametrize("values", ["AB", "ABC"])
def test_a_rule_without_the_lot_tells_those_who_know_it(values):
    """Such as three votes of one value in an interval, where there are two values and one was shown before."""
    assert determined(values, 7, (4, 7), rule=by_size)
