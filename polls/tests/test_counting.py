"""Run-offs, Borda points and medians, against examples worked by hand and against what must always hold."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polls.counting import Round, Spread, borda, middle_step, run_off, spread


def times(number, *ballot):
    return [list(ballot)] * number


@st.composite
def elections(draw):
    """The number of options, and up to thirty rankings of one or more of them."""
    options = draw(st.integers(2, 6))
    ranking = st.permutations(range(options)).flatmap(
        lambda order: st.integers(1, options).map(lambda length: order[:length])
    )
    return options, draw(st.lists(ranking, max_size=30))


# Instant run-off


def test_whoever_has_more_than_half_of_first_choices_wins_at_once():
    found = run_off(times(3, 0, 1) + times(2, 1, 0), 3)

    assert found.winners == (0,)
    assert found.rounds == (Round({0: 3, 1: 2, 2: 0}, 0, ()),)


def test_votes_of_the_last_one_go_to_their_next_choice():
    """Tennessee chooses its capital, the textbook example: Knoxville, third at first, wins."""
    memphis, nashville, chattanooga, knoxville = range(4)
    ballots = (
        times(42, memphis, nashville, chattanooga, knoxville)
        + times(26, nashville, chattanooga, knoxville, memphis)
        + times(15, chattanooga, knoxville, nashville, memphis)
        + times(17, knoxville, chattanooga, nashville, memphis)
    )

    found = run_off(ballots, 4)

    assert [one.votes for one in found.rounds] == [
        {memphis: 42, nashville: 26, chattanooga: 15, knoxville: 17},
        {memphis: 42, nashville: 26, knoxville: 32},
        {memphis: 42, knoxville: 58},
    ]
    assert [one.out for one in found.rounds] == [(chattanooga,), (nashville,), ()]
    assert found.winners == (knoxville,)


def test_half_is_not_more_than_half():
    found = run_off(times(2, 0) + times(1, 1, 2) + times(1, 2, 1), 3)

    assert found.rounds[0].out == (1, 2)
    assert found.rounds[1] == Round({0: 2}, 2, ())
    assert found.winners == (0,)


def test_a_ballot_whose_options_have_all_left_counts_no_more():
    found = run_off(times(4, 0) + times(3, 1) + times(2, 2), 3)

    assert found.rounds == (Round({0: 4, 1: 3, 2: 2}, 0, (2,)), Round({0: 4, 1: 3}, 2, ()))
    assert found.winners == (0,)


def test_options_level_at_the_bottom_leave_together():
    found = run_off(times(4, 0) + times(2, 1, 0) + times(2, 2, 3) + times(3, 3), 4)

    assert [one.out for one in found.rounds] == [(1, 2), ()]
    assert found.rounds[1].votes == {0: 6, 3: 5}
    assert found.winners == (0,)


def test_all_that_are_level_win_together():
    assert run_off(times(2, 0, 1) + times(2, 1, 0), 2).winners == (0, 1)
    assert run_off([[0], [1], [2]], 3).winners == (0, 1, 2)


def test_options_nobody_put_first_leave_in_the_first_round():
    found = run_off(times(2, 0, 2) + times(2, 1, 2) + times(1, 3, 2, 1), 5)

    assert [one.out for one in found.rounds] == [(2, 4), (3,), ()]
    assert found.rounds[2].votes == {0: 2, 1: 3}


def test_without_ballots_nobody_wins():
    assert run_off([], 3).winners == ()
    assert run_off([], 3).rounds == (Round({0: 0, 1: 0, 2: 0}, 0, ()),)


def test_without_options_nobody_wins():
    assert run_off([], 0).winners == ()


@given(elections())
def test_a_run_off_ends_and_accounts_for_every_ballot(election):
    options, ballots = election

    found = run_off(ballots, options)

    assert all(sum(one.votes.values()) + one.exhausted == len(ballots) for one in found.rounds)
    assert [one.exhausted for one in found.rounds] == sorted(one.exhausted for one in found.rounds)
    assert len(found.rounds) <= options
    assert bool(found.winners) == bool(ballots)
    left = set(range(options))
    for one in found.rounds:
        assert set(one.votes) == left
        left -= set(one.out)
    assert set(found.winners) <= left


@given(elections(), st.data())
def test_whoever_most_put_first_wins(election, data):
    options, ballots = election
    favorite = data.draw(st.integers(0, options - 1))

    found = run_off(ballots + times(len(ballots) + 1, favorite), options)

    assert found.winners == (favorite,)


@given(elections())
def test_a_single_winner_has_more_than_half_of_what_counts_and_the_others_are_level(election):
    options, ballots = election
    found = run_off(ballots, options)
    if not ballots:
        return

    last = found.rounds[-1].votes
    if len(found.winners) == 1:
        assert last[found.winners[0]] * 2 > sum(last.values())
    else:
        assert set(found.winners) == set(last)
        assert len(set(last.values())) == 1


@given(elections(), st.randoms(use_true_random=False))
def test_neither_count_depends_on_the_order_of_ballots(election, lot):
    options, ballots = election
    mixed = list(ballots)
    lot.shuffle(mixed)

    assert run_off(mixed, options) == run_off(ballots, options)
    assert borda(mixed, options) == borda(ballots, options)


@given(elections(), st.data())
def test_neither_count_favors_an_option_for_its_place(election, data):
    """Renaming the options renames the outcome."""
    options, ballots = election
    to = data.draw(st.permutations(range(options)))
    renamed = [[to[option] for option in ballot] for ballot in ballots]

    assert run_off(renamed, options).winners == tuple(
        sorted(to[option] for option in run_off(ballots, options).winners)
    )
    points = borda(ballots, options)
    assert borda(renamed, options) == [points[to.index(option)] for option in range(options)]


def test_two_options_go_by_majority_in_both_counts():
    ballots = times(5, 0, 1) + times(3, 1, 0) + times(1, 1)

    assert run_off(ballots, 2).winners == (0,)
    assert borda(ballots, 2) == [5, 4]


# Borda


def test_borda_points_of_whole_rankings():
    """The same capital: by Borda Nashville wins, 194 points before Chattanooga's 173."""
    ballots = times(42, 0, 1, 2, 3) + times(26, 1, 2, 3, 0) + times(15, 2, 3, 1, 0) + times(17, 3, 2, 1, 0)

    assert borda(ballots, 4) == [126, 194, 173, 107]


def test_what_a_ballot_leaves_out_shares_what_is_left():
    assert borda([[2]], 4) == [1, 1, 3, 1]
    assert borda([[2, 0]], 4) == [2, 0.5, 3, 0.5]
    assert borda([[2, 0, 1]], 4) == [2, 1, 3, 0]


def test_borda_without_ballots_is_nothing():
    assert borda([], 3) == [0, 0, 0]


@given(elections())
def test_every_ballot_gives_as_many_borda_points(election):
    options, ballots = election

    assert sum(map(Fraction, borda(ballots, options))) == Fraction(len(ballots) * options * (options - 1), 2)


@given(elections())
def test_an_option_all_rank_above_another_has_more_borda_points(election):
    options, ballots = election
    if not ballots:
        return
    above = [[0, *(option for option in ballot if option not in (0, 1)), 1] for ballot in ballots]

    points = borda(above, options)

    assert points[0] > points[1]
    assert points[0] == max(points)


# Scales


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([0, 0, 0, 0, 0], None),
        ([0, 0, 1, 0, 0], Spread(3, 3, 3)),
        ([1, 0, 0, 0, 1], Spread(1, 3, 5)),
        ([1, 1, 0, 0, 0], Spread(1, 1.5, 2)),
        ([1, 1, 1, 1, 1], Spread(2, 3, 4)),
        ([1, 1, 1, 1, 0], Spread(1, 2.5, 3)),
        ([0, 0, 0, 0, 8], Spread(5, 5, 5)),
        ([2, 3, 10, 4, 1], Spread(2, 3, 3)),
        ([10, 0, 0, 0, 10], Spread(1, 3, 5)),
    ],
)
def test_the_middle_of_a_scale(counts, expected):
    assert spread(counts) == expected


@given(st.lists(st.integers(0, 9), min_size=5, max_size=5))
def test_the_middle_of_a_scale_as_the_plain_list_has_it(counts):
    answers = [point for point, number in enumerate(counts, start=1) for _ in range(number)]
    found = spread(counts)

    if not answers:
        assert found is None
        return
    assert found.median == (answers[(len(answers) - 1) // 2] + answers[len(answers) // 2]) / 2
    for quarter, quartile in ((1, found.lower), (3, found.upper)):
        assert 4 * sum(answer <= quartile for answer in answers) >= quarter * len(answers)
        assert 4 * sum(answer < quartile for answer in answers) < quarter * len(answers)
    assert found.lower <= found.median <= found.upper


@pytest.mark.parametrize(
    ("steps", "expected"),
    [([0, 0, 0], None), ([0, 1, 0], 1), ([1, 1, 0], 0), ([1, 1, 1], 1), ([3, 0, 4], 2), ([4, 0, 4], 0)],
)
def test_the_step_in_which_the_median_lies(steps, expected):
    assert middle_step(steps) == expected
