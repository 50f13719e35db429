"""Who judged an earmarked post. How they judged is not read."""

from django.db.models import Exists, OuterRef, Q

from accounts.models import Member
from polls.models import Concern, Receipt
from questions.models import Importance, Post, Vote
from rewards.models import Affiliation, Earmark, Payee


def count(post: Post) -> int:
    """Votes on a post; of an opening also ratings of its discussion, and votes in its poll by their receipts alone."""
    votes = Vote.objects.filter(post=post).count()
    if post.kind != Post.Kind.OPENING:
        return votes
    return votes + Importance.objects.filter(question=post.question_id).count() + _receipts(post).count()


def came_since(earmark: Earmark) -> bool:
    """Whether anybody judged the post after it was earmarked. Receipts know no time, so they are counted."""
    post, since = earmark.post, earmark.placed_at
    if count(post) > earmark.votes_before or Vote.objects.filter(post=post, cast_at__gte=since).exists():
        return True
    if post.kind != Post.Kind.OPENING:
        return False
    return Importance.objects.filter(question=post.question_id, rated_at__gte=since).exists()


def eligible(earmark: Earmark) -> list[Member]:
    """Verified physicians who judged the post and may be paid for it by the firm, by id.

    Not its author, nobody whose vote in the poll was found against the rules, nobody who takes no money, and nobody
    the firm paid elsewhere at any time since it placed the earmark.
    """
    post = earmark.post
    judged = Vote.objects.filter(post=post).values("voter")
    if post.kind == Post.Kind.OPENING:
        ratings = Importance.objects.filter(question=post.question_id).values("rater")
        judged = judged.union(ratings, _receipts(post).values("member"))
    members = (
        Member.objects.physicians().filter(pk__in=judged, user__is_active=True).exclude(pk=post.author_id)
    )
    takes_nothing = Payee.objects.filter(member=OuterRef("pk"), takes=Payee.Takes.NOTHING)
    return list(
        members.exclude(Exists(takes_nothing)).exclude(Exists(_ties(earmark, OuterRef("pk")))).order_by("pk")
    )


def is_affiliated(earmark: Earmark, member: Member) -> bool:
    """Whether the firm paid a member elsewhere at any time since it placed the earmark."""
    return _ties(earmark, member).exists()


def _ties(earmark: Earmark, member):
    stood = Q(ended_at=None) | Q(ended_at__gte=earmark.placed_at)
    return Affiliation.objects.filter(stood, member=member, firm=earmark.firm_id)


def _receipts(post: Post):
    against_rules = Concern.objects.filter(
        poll=OuterRef("poll"), member=OuterRef("member"), state=Concern.State.UPHELD
    )
    rows = Receipt.objects.filter(poll=post.question_id, kind=Receipt.Kind.VOTED)
    return rows.exclude(Exists(against_rules))
