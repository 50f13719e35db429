"""Who is told of what becomes of a poll.

A fan-out is one for each kind and target. Two are made of each poll: of its results, whose target is the poll's
number, and before that of its end, whose target is the same number below zero.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import FanOut, Kind, Member
from accounts.services import notices
from polls.models import Concern, Poll, Receipt, Sight
from questions.models import Post, Question, Subscription
from questions.services import telling

# What is told, as keys of notices say it.
RESULTS, END, STOPPED, CONCERN = "results", "end", "stopped", "concern"


def of_results(poll: Poll) -> None:
    """Have those who voted told that the results are in, and who opened it."""
    notices.fan_out(kind=Kind.POLL, target=poll.pk, about=_about(poll), key=key(poll.pk, RESULTS))


def of_end(poll: Poll) -> None:
    """Have those told who may still take a poll that they saw or whose discussion they follow, and who opened it."""
    notices.fan_out(kind=Kind.POLL, target=-poll.pk, about=_about(poll), key=key(poll.pk, END))


def of_closing_by_moderator(poll: Poll) -> None:
    """Tell whoever opened it, outside of any budget."""
    _tell_of_moderation(poll, poll.question.asker_id, key(poll.pk, STOPPED))


def of_concern(concern: Concern) -> None:
    """Tell the member concerned how it was decided: upheld, after an objection once more, or taken back later."""
    again = ":again" if concern.objection and concern.state == Concern.State.UPHELD else ""
    deed = f"{CONCERN}:{concern.pk}:{concern.state}{again}"
    _tell_of_moderation(concern.poll, concern.member_id, key(concern.poll_id, deed))


def _tell_of_moderation(poll: Poll, member_id: int, name: str) -> None:
    notices.tell(members=[member_id], kind=Kind.MODERATION, target=poll.pk, about=_about(poll), key=name)


def key(poll_id: int, deed: str) -> str:
    return f"poll:{poll_id}:{deed}"


def _about(poll: Poll) -> str:
    return f"question:{poll.pk}"


# Whom a fan-out reaches


def next_members(fan_out: FanOut, after: int, limit: int) -> list[int]:
    """Of those who may read the discussion and did not mute it; nobody once it was removed."""
    poll = Poll.objects.select_related("question__asker").filter(pk=abs(fan_out.target)).first()
    opening = poll and _opening(poll)
    if opening is None:
        return []
    members = _awaiting_results(poll, opening) if fan_out.target > 0 else _awaiting_end(poll, opening)
    return list(members.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:limit])


def _opening(poll: Poll) -> Post | None:
    post = poll.question.posts.standing().select_related("byline").filter(kind=Post.Kind.OPENING).first()
    if post:
        post.question = poll.question
    return post


def _awaiting_results(poll: Poll, opening: Post) -> QuerySet[Member]:
    voted = Receipt.objects.filter(poll=poll, member=OuterRef("pk"), kind=Receipt.Kind.VOTED)
    voters = telling.may_hear(opening).filter(Exists(voted))
    return voters if _knows_of_its_end(poll) else _with_asker(poll, voters)


def _knows_of_its_end(poll: Poll) -> bool:
    """Whether its asker closed it, or the discussion, or is told that a moderator did."""
    if poll.close_reason == Poll.CloseReason.DISCUSSION:
        return poll.question.close_reason != Question.CloseReason.SILENCE
    return poll.close_reason in (Poll.CloseReason.CREATOR, Poll.CloseReason.MODERATOR)


def _awaiting_end(poll: Poll, opening: Post) -> QuerySet[Member]:
    """Nobody once it is over: a worker may come late."""
    if poll.is_over:
        return Member.objects.none()
    own = {"poll": poll, "member": OuterRef("pk")}
    follows = Subscription.objects.filter(question=poll.pk, member=OuterRef("pk"))
    waiting = telling.may_hear(opening).filter(
        Exists(Sight.objects.filter(**own)) | Exists(follows),
        ~Exists(Receipt.objects.filter(**own)),
        pk__in=poll.members().values("pk"),
    )
    return _with_asker(poll, waiting)


def _with_asker(poll: Poll, members: QuerySet[Member]) -> QuerySet[Member]:
    """Unless they muted their own discussion."""
    muted = Subscription.objects.filter(
        member=OuterRef("pk"), question=poll.pk, level=Subscription.Level.MUTED
    )
    asker = Q(pk=poll.question.asker_id) & ~Exists(muted)
    return Member.objects.filter(Q(pk__in=members.values("pk")) | asker)
