"""What remains of a member whose license turned out not to be theirs: no vote and no rating."""

from django.db import transaction

from accounts.models import Member
from questions import ranking
from questions.models import Importance, Question, Vote
from questions.services.counting import recount_questions
from verification.models import Claim
from verification.models.claims import State


@transaction.atomic
def remove_votes(*, member: Member) -> int:
    """Take back all that a member voted and rated, also where discussions are closed; return how many rows went.

    Counters of the posts and discussions, and the points of their authors, are right afterwards. Repeating it
    changes nothing. A vote that is being cast meanwhile, in a discussion where the member had none, is not seen; the
    next night takes it. Discussions are locked once and in order, so they are not looked up again under the locks.
    """
    votes, ratings = Vote.objects.filter(voter=member), Importance.objects.filter(rater=member)
    touched = sorted(
        {*votes.values_list("post__question", flat=True), *ratings.values_list("question", flat=True)}
    )
    list(Question.objects.select_for_update().filter(pk__in=touched).order_by("pk").values_list("pk"))
    votes, ratings = votes.filter(post__question__in=touched), ratings.filter(question__in=touched)
    authors = {*votes.values_list("author", flat=True), *ratings.values_list("asker", flat=True)}
    removed = votes.delete()[0] + ratings.delete()[0]
    if removed:
        recount_questions(touched)
        ranking.recompute_points(*authors)
    return removed


def remove_all_of_the_revoked() -> int:
    """Take back what is left of every revoked member, each in a transaction of its own; return how many rows went."""
    return sum(remove_votes(member=member) for member in revoked_voters())


def revoked_voters():
    """Members whose claim was revoked, who hold no other, and of whom a vote or a rating is left, by id."""
    revoked = Claim.objects.filter(state=State.REVOKED).values("user")
    left = Member.objects.filter(user__in=revoked).exclude(user__in=Claim.objects.holding().values("user"))
    voted, rated = Vote.objects.values("voter"), Importance.objects.values("rater")
    return (left.filter(pk__in=voted) | left.filter(pk__in=rated)).order_by("pk")
