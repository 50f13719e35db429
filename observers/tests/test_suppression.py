"""What cells of charts give away: nothing of a few, to whoever knows all answers, subtracts, and knows the rules."""

from collections import Counter
from itertools import combinations
from random import Random

import pytest

from observers import suppression
from observers.suppression import (
    blurred,
    keyed,
    may_be_beside,
    may_be_over_all,
    rounded,
    told_of,
)

LEAST, STEP = 11, 5
SEQUENCES, QUERIES = 200, 15
DRAWS = 600  # of margins
WORDS, GROUPS = ("apixaban", "edoxaban", "warfarin"), ("kidney", "heart")


def people(*spans):
    return frozenset(number for first, last in spans for number in range(first, last))


def number_of(asked, shown, least, margin=0):
    """The number of a cell before it is rounded, or None; and whether it is a new one."""
    told, is_new = told_of(asked, shown, least, margin)
    return None if told is None else len(told), is_new


class TestOneCell:
    @pytest.mark.parametrize(("size", "number"), [(0, None), (1, None), (10, None), (11, 11), (40, 40)])
    def test_a_cell_has_eleven_or_no_number(self, size, number):
        assert number_of(people((0, size)), [], LEAST) == (number, number is not None)

    @pytest.mark.parametrize(("number", "lower"), [(11, 10), (14, 10), (15, 15), (29, 25)])
    def test_numbers_are_rounded_down(self, number, lower):
        assert rounded(number, STEP) == lower


class TestMargins:
    """That who knows all of a cell but one does not learn of that one for certain."""

    @pytest.fixture(autouse=True)
    def margins(self, monkeypatch):
        monkeypatch.setattr(suppression, "MARGIN", 6)

    def test_they_are_of_0_to_5_about_as_often_each(self):
        drawn = Counter(keyed(1, "week", post) for post in range(DRAWS))

        assert set(drawn) == set(range(6))
        assert min(drawn.values()) > 60

    def test_they_stay_the_same_for_the_same(self):
        assert {keyed(1, "week", 7, 8) for _ in range(20)} == {keyed(1, "week", 7, 8)}

    def test_and_are_others_under_another_key(self, settings):
        before = [keyed(1, post) for post in range(40)]
        settings.HASH_KEY = b"another key of thirty-two bytes!"

        assert [keyed(1, post) for post in range(40)] != before

    @pytest.mark.parametrize(("margin", "size"), [(0, 11), (1, 12), (5, 16)])
    def test_a_cell_needs_so_many_more(self, margin, size):
        assert number_of(people((0, size)), [], LEAST, margin) == (size, True)
        assert number_of(people((0, size - 1)), [], LEAST, margin) == (None, False)

    def test_also_where_another_would_speak_for_it(self):
        assert number_of(people((0, 11)), [people((0, 20))], LEAST, 1) == (None, False)

    @pytest.mark.parametrize(
        ("number", "margin", "said"), [(11, 0, 10), (11, 5, 10), (15, 0, 15), (15, 1, 10), (20, 5, 15)]
    )
    def test_steps_lie_as_many_higher(self, number, margin, said):
        assert blurred(number, margin, LEAST, STEP) == said

    @pytest.mark.parametrize("known", range(LEAST - 1, 3 * LEAST))
    def test_whether_a_stranger_is_one_of_those_known_is_guessed_little_better_than_by_a_coin(self, known):
        """An attacker asks for people it knows and one it does not: there is one more if that one is none of them. It
        hears the number, or that there is none, knows the rules, and guesses as well as can be."""
        among_them, another = (heard(people((0, size))) for size in (known, known + 1))

        right = sum(max(among_them[answer], another[answer]) for answer in among_them | another)

        assert right / (2 * DRAWS) < 0.62  # a sixth of the answers tell, the others are guessed

    @pytest.mark.parametrize("shown", [[], [people((0, LEAST))]])
    def test_eleven_beside_ten_that_are_known_are_seldom_told(self, shown):
        """Ten are never shown, yet of eleven nothing is said either five times of six; whether eleven were shown that
        all but one of them stood in, too, so that eleven charts without one each do not find that one."""
        answers = [answer_to(people((0, LEAST)), post, shown) for post in range(DRAWS)]

        assert answer_to(people((0, LEAST - 1)), 1, shown) is None
        assert answers.count(None) > 0.75 * DRAWS


def answer_to(asked, post, shown=()):
    """What a firm hears of a cell that was found by these posts."""
    told, _ = told_of(asked, shown, LEAST, keyed(1, "week", post))
    return told and blurred(len(told), keyed(1, "steps", post), LEAST, STEP)


def heard(asked):
    return Counter(answer_to(asked, post) for post in range(DRAWS))


class TestBesideOthers:
    @pytest.mark.parametrize("more", [0, 1, 10])
    def test_a_few_more_have_the_number_from_before(self, more):
        assert number_of(people((0, 30 + more)), [people((0, 30))], LEAST) == (30, False)

    @pytest.mark.parametrize("less", [0, 1, 10])
    def test_a_few_less_as_well(self, less):
        assert number_of(people((0, 30 - less)), [people((0, 30))], LEAST) == (30, False)

    def test_eleven_more_are_told(self):
        assert number_of(people((0, 41)), [people((0, 30))], LEAST) == (41, True)

    @pytest.mark.parametrize(
        "asked",
        [
            people((0, 15)) | people((30, 35)),  # five that were not in the other
            people((27, 60)),  # three that were in it
        ],
    )
    def test_a_few_on_one_side_are_not(self, asked):
        assert number_of(asked, [people((0, 30))], LEAST) == (None, False)

    def test_nor_a_few_cut_out_by_two_that_were_shown(self):
        first, second = people((0, 30)), people((15, 45))

        assert number_of(second, [first], LEAST) == (45 - 15, True)
        assert number_of(people((0, 12), (33, 60)), [first, second], LEAST) == (None, False)

    def test_those_apart_stand_beside_each_other(self):
        assert number_of(people((30, 60)), [people((0, 30))], LEAST) == (30, True)

    def test_of_several_near_ones_the_oldest_speaks(self):
        assert number_of(people((0, 34)), [people((0, 30)), people((0, 41))], LEAST) == (30, False)


class TestOverAllWeeks:
    def test_a_week_within_leaves_enough_or_nobody(self):
        whole = people((0, 40))

        assert may_be_beside(whole, [people((0, 29)), people((0, 40)), people((35, 60))], LEAST)
        assert not may_be_beside(whole, [people((0, 30))], LEAST)
        assert not may_be_beside(people((0, 30)), [whole], LEAST)

    @pytest.mark.parametrize(
        ("number", "weeks", "may"),
        [(11, 1, False), (10, 2, True), (11, 2, False), (240, 25, True), (241, 25, False)],
    )
    def test_no_week_must_have_somebody(self, number, weeks, may):
        assert may_be_over_all(number, weeks, LEAST) is may


class World:
    """Physicians of one week, each with words in one post or in several, and a group the discussion was put to."""

    def __init__(self, random):
        self.random = random
        self.posts = {}
        self.size = random.choice((40, 90, 160))
        for person in range(self.size):
            self.posts[person] = self._written()

    def _written(self):
        often = [self.random.random() ** 2 for _ in WORDS]
        return [
            (
                frozenset(
                    word for word, share in zip(WORDS, often, strict=True) if self.random.random() < share
                ),
                group,
            )
            for group in self.random.sample(GROUPS, self.random.randint(1, 2))
        ]

    def grow(self):
        """A few come, go, or shut the firm out, as between two days."""
        for person in self.random.sample(range(self.size), self.random.randint(0, 4)):
            self.posts[person] = self._written() if self.random.random() < 0.5 else []

    def who(self, words, joined, group):
        """Of whom a search is answered: "a b" in one post, or "a or b"; put to a group or to any."""
        test = all if joined == "and" else any
        return frozenset(
            person
            for person, posts in self.posts.items()
            if any(test(word in said for word in words) and group in ("", put_to) for said, put_to in posts)
        )


class Attacker:
    """Knows of each answer exactly whose physicians were counted, and more: their number before it was rounded.

    What adding and subtracting tells is made of pieces: who is in these answers and in none of those. What it tells
    that a cell is shown at all, or is not, see `TestMargins`.
    """

    def __init__(self):
        self.told = []

    def hear(self, cell):
        self.told.append(cell)

    def pieces(self):
        everybody = set().union(*self.told)
        found = {}
        for person in everybody:
            signature = tuple(person in cell for cell in self.told)
            found[signature] = found.get(signature, 0) + 1
        return found.values()

    def differences(self):
        """What is left of one answer without another that lies in it, the plainest attack of all."""
        for one, other in combinations(self.told, 2):
            if one <= other or other <= one:
                yield len(one ^ other)


def test_random_sequences_of_queries_reveal_no_cell_under_eleven():
    for seed in range(SEQUENCES):
        attack(Random(seed))


def attack(random):
    """One firm asks, day after day, and what it was told is looked at in the end."""
    world, attacker, shown, counted = World(random), Attacker(), [], {}

    for _ in range(QUERIES):
        words = random.sample(WORDS, random.randint(1, 3))
        asked = (frozenset(words), random.choice(("and", "or")), random.choice(("", *GROUPS)))
        if asked not in counted:  # a week is counted once for the same words
            cell = world.who(*asked)
            counted[asked], is_new = number_of(cell, shown, LEAST, random.randrange(6))
            if is_new:
                shown.append(cell)
                attacker.hear(cell)
            elif counted[asked] is not None:
                assert len(cell) >= LEAST
                assert counted[asked] in {len(each) for each in shown}
        world.grow()

    assert all(size >= LEAST for size in attacker.pieces())
    assert not any(0 < rest < LEAST for rest in attacker.differences())


def test_the_sequences_are_answered_at_all():
    answered = 0
    for seed in range(SEQUENCES):
        world = World(Random(seed))
        answered += number_of(world.who(WORDS[:1], "or", ""), [], LEAST)[1]

    assert answered > SEQUENCES / 2
