from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Member
from accounts.services import profiles
from accounts.tests.factories import make_member
from questions import ranking, tasks
from questions.cells import safe_cells
from questions.hot import bayesian_importance, hot_rank
from questions.models import Board, BoardPlace, MemberRank, PairFlag, Post, Question, TierBar, Vote
from questions.services import closing, voting
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question

pytestmark = pytest.mark.usefixtures("nobody_told")


def points(member):
    return MemberRank.objects.get(member=member).points


def test_each_deed_is_worth_what_the_formula_says(physician, colleague, third):
    question = make_question(physician)
    answer = make_answer(question, colleague)
    corroborate(answer, third)
    corroborate(make_comment(answer, physician), third)
    for value in (5, 5, 4, 4):
        voting.rate_importance(question=question, rater=make_member(), value=value)
    closing.solve_question(question=question, by=physician, answers=[answer])

    assert points(colleague) == 5 + 10
    assert points(physician) == 1 + Decimal("2") * Decimal("1.5") * 2


def test_the_nth_vote_of_the_same_colleague_in_thirty_days_counts_one_nth(physician, colleague, third):
    for number in range(3):
        question = make_question(physician, title=f"Question number {number} of several?")
        corroborate(make_answer(question, colleague), third)

    assert points(colleague) == Decimal("5") + Decimal("2.5") + Decimal("1.6667")


def test_votes_more_than_thirty_days_apart_count_in_full(physician, colleague, third):
    answers = [
        make_answer(make_question(physician, title=f"Question number {n} here?"), colleague) for n in range(2)
    ]
    corroborate(answers[0], third)
    Vote.objects.update(cast_at=timezone.now() - timedelta(days=31))
    corroborate(answers[1], third)

    lines = ranking.lines_of(colleague)

    assert [line.worth for line in lines] == [5, 5]
    assert lines[0].points == 5
    assert lines[1].points == round(Decimal(5 * 0.5 ** (31 / 180)), 4)


def test_the_pair_s_votes_are_counted_across_bylines_of_the_handle(physician, colleague, third):
    for number, mode in enumerate(("anonymous", "partial", "anonymous")):
        question = make_question(physician, title=f"Question number {number} of several?")
        answer = make_answer(question, colleague, byline=mode, byline_confirmed=True)
        corroborate(answer, third)

    assert [line.nth for line in reversed(ranking.lines_of(colleague))] == [1, 2, 3]


def test_a_vote_on_a_named_post_does_not_lower_the_next_one_on_the_handle(physician, colleague, third):
    """Else whoever votes on both would see in the handle's points whose name it is."""
    profiles.choose_byline(member=colleague, mode="public", display_name="Amara Okafor, MD")
    colleague.refresh_from_db()
    corroborate(make_answer(make_question(physician), colleague), third)
    question = make_question(physician, title="Something for the handle to answer?")
    corroborate(make_answer(question, colleague, byline="anonymous"), third)

    assert points(colleague) == 5


def test_a_change_of_mind_keeps_the_vote_s_place_in_the_thirty_days(physician, colleague, third):
    first, second = (
        make_answer(make_question(physician, title=f"Question number {n} here?"), colleague) for n in range(2)
    )
    for answer in (first, second):
        corroborate(answer, third)
    dispute(first, third)
    corroborate(first, third)

    assert {line.post_id: line.nth for line in ranking.lines_of(colleague)} == {first.pk: 1, second.pk: 2}


def test_disputes_cost_only_when_upheld(physician, colleague):
    answer = make_answer(make_question(physician), colleague)
    for _ in range(2):
        dispute(answer)
    assert points(colleague) == 0

    dispute(answer)
    assert points(colleague) == -9

    for _ in range(3):
        corroborate(answer)
    assert points(colleague) == 15


def test_helpful_comments_count_twenty_a_day(physician, colleague):
    answer = make_answer(make_question(physician), colleague)
    comments = [make_comment(answer, colleague) for _ in range(3)]
    for number in range(25):
        corroborate(comments[number % 3], make_member())

    assert points(colleague) == 20


def test_points_halve_in_180_days(physician, colleague, third):
    corroborate(make_answer(make_question(physician), colleague), third)
    Vote.objects.update(cast_at=ranking.midnight() - timedelta(days=180))

    ranking.recompute_points(colleague.pk)

    assert points(colleague) == Decimal("2.5")


def test_who_left_gets_no_rank(physician, colleague, third):
    corroborate(make_answer(make_question(physician), colleague), third)
    MemberRank.objects.filter(member=colleague).delete()
    Member.objects.filter(pk=colleague.pk).update(user=None)

    ranking.recompute_points(colleague.pk, physician.pk)

    assert list(MemberRank.objects.values_list("member", flat=True)) == [physician.pk]


def test_an_observation_earns_nothing_and_is_counted_in_n(physician, colleague, third):
    observation = make_question(colleague, title="Seen twice in a week here", kind="observation")
    corroborate(observation.posts.get(), third)
    corroborate(make_answer(make_question(physician), colleague), third)

    assert [(line.nth, line.worth) for line in ranking.lines_of(colleague)] == [(2, Decimal("2.5"))]


def test_crediting_one_s_own_answer_gives_nothing(physician):
    question = make_question(physician)
    answer = make_answer(question, physician)

    closing.solve_question(question=question, by=physician, answers=[answer])

    assert points(physician) == 0


def test_a_low_importance_takes_nothing_away(physician):
    question = make_question(physician)

    voting.rate_importance(question=question, rater=make_member(), value=1)

    assert points(physician) == 0


def test_the_lines_add_up_to_the_points(physician, colleague):
    answer = make_answer(make_question(physician), colleague)
    for number in range(7):
        vote = corroborate(answer)
        Vote.objects.filter(pk=vote.pk).update(cast_at=timezone.now() - timedelta(days=11 * number))
    ranking.recompute_points(colleague.pk)

    assert sum(line.points for line in ranking.lines_of(colleague)) == points(colleague)


def test_recount_gives_the_same_figures_as_living_through_it(physician, colleague, third):
    question = make_question(physician)
    answer = make_answer(question, colleague)
    for _ in range(4):
        corroborate(answer)
    dispute(answer)
    make_comment(answer, third)
    voting.rate_importance(question=question, rater=third, value=5)
    closing.solve_question(question=question, by=physician, answers=[answer])
    lived = (
        list(
            MemberRank.objects.filter(events__gt=0).order_by("pk").values_list("member", "points", "events")
        ),
        Question.objects.values().get(),
        list(Post.objects.order_by("pk").values_list("pk", "corroborate_count", "dispute_count", "balance")),
    )
    MemberRank.objects.all().delete()
    Question.objects.update(
        answer_count=9,
        vote_count=9,
        comment_count=9,
        hot=0,
        importance=1,
        importance_sum=0,
        importance_count=0,
    )
    Post.objects.update(corroborate_count=7, dispute_count=7)

    call_command("recount", "--as-of", f"{ranking.midnight():%Y-%m-%d}")

    assert lived == (
        list(
            MemberRank.objects.filter(events__gt=0).order_by("pk").values_list("member", "points", "events")
        ),
        Question.objects.values().get(),
        list(Post.objects.order_by("pk").values_list("pk", "corroborate_count", "dispute_count", "balance")),
    )


def test_recount_twice_changes_nothing_the_second_time(physician, colleague, third, capsys):
    corroborate(make_answer(make_question(physician), colleague), third)

    call_command("recount")
    call_command("recount")

    assert "0 counters mended, 0 points and 0 tiers changed" in capsys.readouterr().out


def test_recount_of_an_earlier_day_shows_it_and_writes_nothing(physician, colleague, third, capsys):
    early, late = (
        make_answer(make_question(physician, title=f"Question number {n} here?"), colleague) for n in range(2)
    )
    corroborate(early, third)
    Vote.objects.update(cast_at=ranking.midnight() - timedelta(days=40))
    corroborate(late, third)
    ranking.recompute_points(colleague.pk)
    before = points(colleague)
    day = (ranking.midnight() - timedelta(days=40)).date()

    call_command("recount", "--as-of", day.isoformat())

    assert f"member {colleague.pk}: 5.0000 points from 1 events" in capsys.readouterr().out
    assert points(colleague) == before


def test_posts_under_a_name_move_no_points_of_the_handle(physician, colleague, third):
    profiles.choose_byline(member=colleague, mode="public", display_name="Amara Okafor, MD")
    colleague.refresh_from_db()
    question = make_question(colleague)
    answer = make_answer(make_question(physician, title="Something for a named answer?"), colleague)
    corroborate(answer, third)
    voting.rate_importance(question=question, rater=third, value=5)
    closing.solve_question(question=answer.question, by=physician, answers=[answer])
    assert points(colleague) == 0

    profiles.choose_byline(member=colleague, mode="anonymous")
    call_command("recount")
    assert points(colleague) == 0


def lived_through(member, other):
    """A month and a half of votes between two and among others, each night drawn as it came."""
    question = make_question(make_member())
    one, two = make_answer(question, member), make_answer(question, other)
    comments = [make_comment(one, who) for who in (member, other) for _ in range(6)]
    Post.objects.update(posted_at=ranking.midnight() - timedelta(days=60))
    for back, post in zip(range(45, 0, -3), [one, two, *comments], strict=False):
        voter = other if post.author_id == member.pk else member
        for who in (voter, make_member()):
            vote = corroborate(post, who)
            Vote.objects.filter(pk=vote.pk).update(cast_at=ranking.midnight() - timedelta(days=back, hours=3))


def drawn():
    """All that a recount computes for ranks, boards and pairs."""
    return [
        sorted(MemberRank.objects.values_list("member", "points", "events", "tier")),
        sorted(
            BoardPlace.objects.values_list("board__month", "member", "place", "points").order_by(), key=str
        ),
        sorted(
            PairFlag.objects.values_list("low", "high", "votes_up", "votes_down", "flagged_at", "verdict")
        ),
        sorted(TierBar.objects.values_list("active", "trusted", "expert", "top"), key=str),
    ]


def test_recount_draws_boards_tiers_and_flags_as_the_nights_did(physician, colleague, monkeypatch):
    lived_through(physician, colleague)
    today = ranking.midnight()
    for back in range(50, -1, -1):
        monkeypatch.setattr(
            timezone, "now", lambda back=back: today - timedelta(days=back) + timedelta(minutes=5)
        )
        tasks.recount_ranks()
    lived = drawn()
    for table in (MemberRank, Board, PairFlag, TierBar):
        table.objects.all().delete()

    call_command("recount")

    assert PairFlag.objects.exists()
    assert BoardPlace.objects.exclude(board__month=None).exists()
    assert drawn() == lived


def test_recount_goes_on_where_it_was_stopped(physician, colleague, third, monkeypatch):
    corroborate(make_answer(make_question(physician), colleague), third)
    MemberRank.objects.all().delete()

    def stop(**kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ranking, "recount_ranks", stop)
        with pytest.raises(KeyboardInterrupt):
            call_command("recount")
    call_command("recount")

    assert points(colleague) == 5


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", "2999-01-01"])
def test_recount_refuses_a_day_that_is_none(db, day):
    with pytest.raises(CommandError):
        call_command("recount", "--as-of", day)


YESTERDAY = timedelta(days=1)  # what happened today is in no tier and on no board yet


def rated(member, number, events=10):
    """Give a member so many corroborations, of as many colleagues who have not been active for 100 days."""
    question = Question.objects.first() or make_question(make_member())
    answer = make_answer(question, member)
    Post.objects.update(posted_at=ranking.midnight() - YESTERDAY)
    for _ in range(events + number):
        long_ago = timezone.now() - timedelta(days=100)
        Vote.objects.create(post=answer, voter=make_member(), author=member, value=1, cast_at=long_ago)


def test_tiers_follow_place_among_the_active(db):
    members = [make_member(specialty="Urology") for _ in range(8)]
    for place, member in enumerate(members):
        rated(member, place)
    newcomer = make_member()
    rated(newcomer, 0, events=9)

    call_command("recount")

    tiers = {rank.member_id: rank.tier for rank in MemberRank.objects.all()}
    assert tiers[newcomer.pk] == "new"
    assert tiers[members[0].pk] == "contributor"
    active = 10  # the eight, the newcomer and the asker
    trusted = [member for member in members if tiers[member.pk] == "trusted"]
    assert len(trusted) == int(active * 0.25)
    assert set(trusted) == set(members[-2:])


def test_the_first_three_of_a_large_specialty_are_top(physician):
    answer = make_answer(make_question(physician), physician)
    members = [make_member(specialty="Dermatology") for _ in range(20)]
    for member in members:
        make_answer(answer.question, member)
    for place, member in enumerate(members[:4]):
        rated(member, place)

    call_command("recount")

    top = set(MemberRank.objects.filter(tier="top").values_list("member", flat=True))
    assert top == {member.pk for member in members[1:4]}


def test_the_inactive_are_not_ranked(physician, colleague, third):
    rated(colleague, 30)
    long_ago = ranking.midnight() - timedelta(days=91)
    Question.objects.update(opened_at=long_ago)
    Post.objects.update(posted_at=long_ago)

    call_command("recount")

    assert MemberRank.objects.get(member=colleague).tier == "contributor"


def test_hot_doubles_the_weight_for_each_day_of_age(physician):
    question = make_question(physician)
    question.answer_count, question.opened_at = 0, datetime(2026, 5, 1, tzinfo=UTC)
    young = hot_rank(question)

    question.vote_count, question.opened_at = 1, datetime(2026, 4, 30, tzinfo=UTC)

    assert hot_rank(question) == pytest.approx(young)


def test_importance_without_ratings_is_the_prior():
    assert bayesian_importance(0, 0) == 3
    assert bayesian_importance(5, 1) == Decimal("3.3333")


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"Cardiology": 9, "Urology": 5}, {"Cardiology": 9, "Urology": 5}),
        ({"Cardiology": 9, "Urology": 4}, {}),
        ({"Cardiology": 9, "Neurology": 6, "Urology": 2}, {"Cardiology": 9}),
        ({"Cardiology": 9, "Urology": 3, "Neurology": 2}, {"Cardiology": 9}),
        ({"Cardiology": 4}, {}),
        ({}, {}),
    ],
)
def test_small_cells_are_hidden_and_cannot_be_computed(counts, shown):
    assert safe_cells(counts) == shown
