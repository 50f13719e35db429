"""Votes of a member whose license turned out not to be theirs."""

import pytest
from django.core.management import call_command

from accounts.tests.factories import make_member
from questions import tasks
from questions.models import Importance, MemberRank, Post, Question, Vote
from questions.services import closing, revoking, voting
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question
from verification.models import Claim
from verification.models.claims import State
from verification.signals import member_revoked
from verification.tests.factories import make_claim, make_provider


@pytest.fixture
def impostor(physician, colleague):
    """Somebody who voted on a post of each kind and rated a discussion, one of them closed since."""
    member = make_member()
    question = make_question(physician)
    answer = make_answer(question, colleague)
    corroborate(answer, member)
    corroborate(answer)
    corroborate(make_comment(answer, physician), member)
    for value, rater in ((5, member), (5, make_member()), (3, make_member())):
        voting.rate_importance(question=question, rater=rater, value=value)
    for _ in range(2):
        dispute(answer)
    closed = make_question(physician, title="One that was closed since?")
    dispute(make_answer(closed, colleague), member)
    closing.close_question(question=closed, by=physician)
    return member


def revoke(member, state=State.REVOKED):
    return make_claim(member, make_provider(school=None, year=None), state=state)


def counters():
    return [
        list(
            Question.objects.order_by("pk").values_list(
                "vote_count", "importance_sum", "importance_count", "hot"
            )
        ),
        list(Post.objects.order_by("pk").values_list("corroborate_count", "dispute_count")),
        list(MemberRank.objects.filter(events__gt=0).order_by("pk").values_list("pk", "points", "events")),
    ]


def test_a_revoked_member_s_votes_and_ratings_go_with_all_they_moved(impostor, physician, colleague):
    member_revoked.send(sender=Claim, member=impostor, claim=None)

    assert not Vote.objects.filter(voter=impostor).exists()
    assert not Importance.objects.filter(rater=impostor).exists()
    question, closed = Question.objects.order_by("pk")
    assert (question.vote_count, question.importance_sum, question.importance_count) == (3, 8, 2)
    assert (closed.vote_count, closed.status) == (0, "closed")
    ranks = {rank.member_id: rank for rank in MemberRank.objects.all()}
    assert ranks[colleague.pk].points == 5
    assert float(ranks[physician.pk].points) == pytest.approx(2 * 1 * 2**0.5, abs=0.0001)


def test_what_is_left_is_what_recount_finds(impostor):
    revoking.remove_votes(member=impostor)
    after = counters()

    call_command("recount")

    assert counters() == after


def test_removing_twice_changes_nothing_the_second_time(impostor):
    assert revoking.remove_votes(member=impostor) == 4
    after = counters()

    assert revoking.remove_votes(member=impostor) == 0
    assert counters() == after


def test_recount_removes_what_is_left_of_the_revoked(impostor, capsys):
    revoke(impostor)

    call_command("recount")
    call_command("recount")

    first, second = (
        line for line in capsys.readouterr().out.splitlines() if line.startswith("recount as of")
    )
    assert "4 votes of the revoked removed" in first
    assert "0 votes of the revoked removed" in second
    assert not Vote.objects.filter(voter=impostor).exists()


def test_the_night_takes_what_was_in_flight_at_the_revocation(impostor, physician, colleague):
    revoke(impostor)
    revoking.remove_votes(member=impostor)
    corroborate(make_answer(make_question(physician, title="Opened in the meantime?"), colleague), impostor)

    tasks.recount_ranks()

    assert not Vote.objects.filter(voter=impostor).exists()
    assert MemberRank.objects.get(member=colleague).points == 5


def test_who_holds_another_claim_keeps_their_votes(impostor):
    revoke(impostor)
    revoke(impostor, State.VERIFIED)

    call_command("recount")

    assert Vote.objects.filter(voter=impostor).count() == 3


@pytest.mark.parametrize("state", [State.SUSPENDED, State.LAPSED, State.WITHDRAWN])
def test_only_revocation_takes_votes_back(impostor, state):
    revoke(impostor, state)

    assert not revoking.revoked_voters().exists()
