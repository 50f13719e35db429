"""Who sees what of a poll, and the words under it."""

from datetime import datetime
from types import SimpleNamespace

import pytest
from django.utils import timezone

from accounts.models import Member, User
from accounts.tests.factories import make_member
from polls import charts, words
from polls.counting import Spread
from polls.models import Poll, Receipt, Tally
from polls.models.ballots import STEPS
from polls.reading import State, load_poll
from polls.results import breakdown, percent, rank
from polls.services import voting
from polls.tests.factories import make_poll
from questions.models import Question


def loaded_for(member, poll):
    return load_poll(User.objects.get(pk=member.user_id), poll.pk)


def voted(poll, number):
    Tally.objects.filter(poll=poll).update(voters=number)


# States


@pytest.mark.django_db
class TestStates:
    def test_whom_it_is_open_to_may_vote(self, physician):
        assert loaded_for(physician, make_poll()).state == State.VOTE

    def test_whom_it_is_not_open_to_sees_its_result_for_the_vote_they_might_have(self, physician):
        poll = make_poll(states=["TX"])
        Member.objects.filter(pk=physician.pk).update(state="MN")
        voted(poll, 5)

        loaded = loaded_for(physician, poll)

        assert loaded.state == State.OTHERS
        assert loaded.may_look
        assert not loaded.shows_results

        voting.forfeit(poll=poll, member=physician)
        Member.objects.filter(pk=physician.pk).update(state="TX")

        assert loaded_for(physician, poll).shows_results
        assert loaded_for(physician, poll).state == State.FORFEITED

    def test_who_may_only_read_sees_nothing_before_it_is_over(self, physician):
        Member.objects.filter(pk=physician.pk).update(standing="read_only")

        assert not loaded_for(physician, make_poll()).shows_results
        assert loaded_for(physician, make_poll(is_over=True)).shows_results

    @pytest.mark.parametrize("kind", Receipt.Kind.values)
    def test_who_voted_or_looked_sees_the_result(self, physician, kind):
        poll = make_poll()
        Receipt.objects.create(poll=poll, member=physician, kind=kind)

        loaded = loaded_for(physician, poll)

        assert loaded.state == kind
        assert loaded.shows_results

    def test_where_results_open_at_the_end_nobody_sees_them_before(self, physician, colleague):
        poll = make_poll(shown="closed", specialties=[physician.specialty_id])
        voted(poll, 9)
        Receipt.objects.create(poll=poll, member=physician, kind="voted")

        assert not loaded_for(physician, poll).shows_results
        assert not loaded_for(colleague, poll).shows_results
        Poll.objects.filter(pk=poll.pk).update(closed_at=timezone.now(), close_reason="time")
        assert loaded_for(physician, poll).shows_results
        assert loaded_for(colleague, poll).shows_results

    @pytest.mark.parametrize("field", ["specialties", "states", "tiers"])
    @pytest.mark.parametrize("is_over", [True, False])
    def test_a_narrowed_poll_shows_nothing_before_the_fifth_vote(self, physician, colleague, field, is_over):
        value = {"specialties": physician.specialty_id, "states": "TX", "tiers": "new"}[field]
        poll = make_poll(is_over=is_over, **{field: [value]})
        Receipt.objects.create(poll=poll, member=physician, kind="voted")

        voted(poll, 4)
        assert not loaded_for(physician, poll).shows_results
        assert not loaded_for(colleague, poll).shows_results
        voted(poll, 5)
        assert loaded_for(physician, poll).shows_results

    def test_with_its_discussion_a_poll_is_over(self, physician):
        poll = make_poll()
        Question.objects.filter(pk=poll.pk).update(
            status="closed", closed_at=timezone.now(), close_reason="author"
        )

        assert loaded_for(physician, poll).state == State.OVER

    def test_everything_is_one_query(self, physician, django_assert_num_queries):
        poll, user = make_poll(specialties=[physician.specialty_id]), User.objects.get(pk=physician.user_id)
        assert user.member.specialty
        load_poll(user, poll.pk)

        with django_assert_num_queries(1):
            loaded = load_poll(user, poll.pk)
            assert [option.text for option in loaded.options] == ["A", "B", "C"]
            assert loaded.beside.specialty_names == [physician.specialty.name]
            assert loaded.tally.counts == [0, 0, 0]
            assert loaded.poll.question.title


# Numbers


@pytest.mark.parametrize(
    ("count", "voters", "expected"),
    [(0, 0, 0), (0, 9, 0), (1, 3, 33), (2, 3, 67), (1, 200, 1), (1, 201, 0), (5, 5, 100)],
)
def test_percent_is_of_voters_and_rounded_half_up(count, voters, expected):
    assert percent(count, voters) == expected


def test_both_ways_of_counting_a_ranking_stand_side_by_side():
    ballots = [[0, 2, 1]] * 4 + [[1, 2, 0]] * 3 + [[2, 1, 0]] * 2

    found = rank(["Apixaban", "Warfarin", "Occlusion"], ballots)

    assert found.rounds == [1, 2]
    assert [(row.text, row.votes, row.points, row.wins) for row in found.rows] == [
        ("Warfarin", [3, 5], "8", True),
        ("Apixaban", [4, 4], "8", False),
        ("Occlusion", [2, None], "11", False),
    ]
    assert found.winners == ["Warfarin"]
    assert found.most_points == ["Occlusion"]
    assert found.exhausted == [0, 0]


def test_points_are_written_out_to_the_half():
    many = rank(["A", "B", "C", "D"], [[0]] * 333_335)

    assert {row.text: row.points for row in many.rows} == {
        "A": "1000005",
        "B": "333335",
        "C": "333335",
        "D": "333335",
    }
    assert rank(["A", "B"], [[0], [0]]).rows[0].points == "2"
    assert rank(["A", "B", "C"], [[0]]).rows[1].points == "0.5"


def test_a_ballot_with_no_choice_left_is_told():
    found = rank(["A", "B", "C"], [[0]] * 3 + [[1]] * 3 + [[2]])

    assert found.exhausted == [0, 1]
    assert found.winners == ["A", "B"]


def test_columns_of_a_trend_are_whole_units_and_leave_out_what_was_not_asked():
    drawn = charts.columns_of([(50, 9), None, (0, 1), (0, 0)])

    assert [column.height for column in drawn.columns] == [30, None, 1, 0]
    assert [column.x for column in drawn.columns] == [0, 40, 80, 120]
    assert drawn.width == 150


# Words


def asked(readers="physicians", **fields):
    fields = {"specialties": [], "states": [], "tiers": [], **fields}
    poll = Poll(question=Question(audience=readers), **fields)
    return words.audience(poll, ["Cardiovascular Disease", "Nephrology"][: len(fields["specialties"])])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "all physicians"),
        ({"specialties": ["a"]}, "physicians in Cardiovascular Disease"),
        ({"specialties": ["a", "b"]}, "physicians in Cardiovascular Disease or Nephrology"),
        (
            {"states": ["TX", "NJ", "NY", "PA"]},
            "physicians of every specialty who practice in Middle Atlantic or Texas",
        ),
        (
            {"specialties": ["a"], "states": ["TX"], "tiers": ["expert", "top"]},
            "physicians in Cardiovascular Disease who practice in Texas, of tier Expert or Top",
        ),
        ({"readers": "connections"}, "connections of its author"),
        (
            {"readers": "connections", "specialties": ["a"], "states": ["TX"]},
            "connections of its author in Cardiovascular Disease who practice in Texas",
        ),
        ({"readers": "connections", "states": ["TX"]}, "connections of its author who practice in Texas"),
        ({"readers": "specialty"}, "physicians in the specialties of this discussion"),
        (
            {"readers": "specialty", "specialties": ["a"]},
            "physicians in the specialties of this discussion, in Cardiovascular Disease",
        ),
    ],
)
def test_whom_a_poll_is_open_to_is_said_in_words(fields, expected):
    assert asked(**fields) == expected


def steps(**numbers):
    return [numbers.get(f"s{step}", 0) for step in range(STEPS)]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (steps(), ""),
        (steps(s0=4), ""),
        (steps(s0=5), "less than a minute (0 to 5 seconds)"),
        (steps(s11=5), "less than a minute (55 to 60 seconds)"),
        (steps(s11=2, s12=3), "1:00 to 1:05 minutes"),
        (steps(s59=5), "4:55 to 5:00 minutes"),
        (steps(s60=5), "5 minutes or more"),
    ],
)
def test_how_long_it_takes_is_said_as_exactly_as_it_is_known(seconds, expected):
    assert words.minutes(seconds) == expected


@pytest.mark.parametrize(("cents", "expected"), [(0, "$0.00"), (2505, "$25.05"), (123_456_7, "$12,345.67")])
def test_money_is_exact_to_the_cent(cents, expected):
    assert words.dollars(cents) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, ""),
        (Spread(3, 4, 5), "Median 4. At least half of the answers are from 3 to 5."),
        (Spread(2, 3.5, 4), "Median 3.5. At least half of the answers are from 2 to 4."),
        (Spread(4, 4, 4), "Median 4. At least half of the answers are 4."),
    ],
)
def test_the_middle_of_a_scale_is_said_in_a_sentence(found, expected):
    assert words.spread(found) == expected


def test_the_years_are_named_where_a_poll_runs_into_the_next():
    poll = SimpleNamespace(
        opened_at=timezone.make_aware(datetime(2026, 12, 28)),
        closed_at=None,
        closes_at=timezone.make_aware(datetime(2027, 1, 3)),
        invited=1410,
    )

    assert "invited 1,410" in words.method(poll, voters=2, seen=3)
    assert "open Dec 28, 2026 to Jan 3, 2027." in words.method(poll, voters=2, seen=3)


@pytest.mark.django_db
def test_a_years_band_nobody_knows_stands_last(physician):
    poll = make_poll()
    cells = {"years": {"": [5, 0, 0], "31+": [5, 0, 0], "6-10": [0, 5, 0]}}
    Tally.objects.filter(poll=poll).update(counts=[20, 9, 0], voters=29, cells=cells)

    years = breakdown(loaded_for(make_member(), poll).tally)[2]

    assert [group.label for group in years.groups] == ["6 to 10 years", "31 years and more", "Not known"]
    assert years.rest == [10, 4, 0]


@pytest.mark.django_db
def test_where_votes_name_several_options_a_breakdown_is_of_what_was_drawn(physician):
    poll = make_poll("multiple")
    cells = {"drawn": {"": [12, 9]}, "specialty": {"Surgery": [7, 0]}}
    Tally.objects.filter(poll=poll).update(counts=[30, 21, 4], voters=40, cells=cells)

    specialty, region, _ = breakdown(loaded_for(physician, poll).tally)

    assert specialty.rest == [5, 9, 0]
    assert specialty.all == region.all == [12, 9, 0]
    assert specialty.all_label == "Drawn for this option"


@pytest.mark.django_db
def test_else_it_is_of_all_votes(physician):
    poll = make_poll()
    Tally.objects.filter(poll=poll).update(
        counts=[30, 9, 4], voters=43, cells={"specialty": {"Surgery": [7]}}
    )

    specialty = breakdown(loaded_for(physician, poll).tally)[0]

    assert (specialty.all_label, specialty.all, specialty.rest) == ("All", [30, 9, 4], [23, 9, 4])
