"""Who is told of what happens in a discussion."""

import re
from collections.abc import Iterable
from itertools import groupby

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.handles import SHAPE
from accounts.models import Block, Connection, Face, Follow, Kind, Member
from accounts.services import notices
from questions.models import (
    Byline,
    Commitment,
    FollowUp,
    Invitation,
    Post,
    Question,
    QuestionSpecialty,
    Subscription,
    TopicFollow,
    TopicMute,
)

MENTION = re.compile(rf"(?<![\w@/.])@({SHAPE.pattern})")
MOST_MENTIONS = 10  # a post
MILESTONES = (5, 10, 25, 50, 100, 250)  # corroborations


# Who may be told


def readers(question: Question) -> QuerySet[Member]:
    """The physicians a discussion is addressed to: those for whom `Question.visible_to` has it."""
    physicians = Member.objects.physicians()
    if question.is_removed:
        return physicians.none()
    if question.audience == Question.Audience.SPECIALTY:
        addressed = QuestionSpecialty.objects.filter(question=question).values("specialty")
        return physicians.filter(Q(pk=question.asker_id) | Q(specialty__in=addressed))
    if question.audience == Question.Audience.CONNECTIONS:
        connected = Connection.objects.accepted().others(question.asker)
        return physicians.filter(Q(pk=question.asker_id) | Q(pk__in=connected))
    if question.is_private:
        invited = Invitation.objects.standing().filter(question=question).values("member")
        parted = Block.objects.parting_handles(question.asker)
        return physicians.filter(Q(pk=question.asker_id) | (Q(pk__in=invited) & ~Q(pk__in=parted)))
    return physicians


def may_hear(post: Post) -> QuerySet[Member]:
    """The readers who may be told of a post: not its author, not who muted the discussion, not across a block.

    A block counts for the face the byline shows. A masked byline shows none: silence about it would say who it is.
    Under a handle only a block between handles counts: one who falls silent when a name is blocked is that name.
    """
    muted = Subscription.objects.filter(
        member=OuterRef("pk"), question=post.question_id, level=Subscription.Level.MUTED
    )
    hearers = readers(post.question).exclude(pk=post.author_id).filter(~Exists(muted))
    face = _face(post.byline)
    if face is None:
        return hearers
    if face == Face.HANDLE:
        return hearers.exclude(pk__in=Block.objects.parting_handles(post.author))
    shut_out = Block.objects.filter(blocker=OuterRef("pk"), blocked=post.author_id, blocked_face=face)
    shut_in = Block.objects.filter(blocked=OuterRef("pk"), blocker=post.author_id, blocker_face=face)
    return hearers.filter(~Exists(shut_out), ~Exists(shut_in))


def _face(byline: Byline) -> str | None:
    if byline.mode == Byline.Mode.PUBLIC:
        return Face.NAME
    return Face.HANDLE if byline.mode in Byline.UNDER_HANDLE else None


def mentioned(source: str) -> list[str]:
    """The first handles that a text names with an @ before them, in lower case."""
    handles = dict.fromkeys(handle.lower() for handle in MENTION.findall(source))
    return list(handles)[:MOST_MENTIONS]


# Telling


def of_opening(post: Post) -> None:
    """Tell whom a new discussion names, and have its followers told soon."""
    _tell(post, replied_to=())
    notices.fan_out(kind=Kind.TOPIC, target=post.pk, about=_about(post), key=_key(post))
    _fan_out_to_followers(post)


def of_answer(post: Post) -> None:
    """Tell the asker, who wants alerts of this discussion, whom the answer names, and the author's followers."""
    question = post.question
    alerted = question.subscriptions.filter(level=Subscription.Level.ALERTS).values("member")
    _tell(post, replied_to=Q(pk=question.asker_id) | Q(pk__in=alerted))
    _fan_out_to_followers(post)


def of_comment(post: Post) -> None:
    """Tell the author of the answer, who commented under it, and whom the comment names."""
    others = Post.objects.standing().filter(parent=post.parent_id).values("author")
    _tell(post, replied_to=Q(pk=post.parent.author_id) | Q(pk__in=others))


def of_solution(question: Question, credited: Iterable[Post]) -> None:
    """Tell the authors of credited answers, and everybody else who wrote there that the question is solved."""
    opening = question.posts.select_related("byline").get(kind=Post.Kind.OPENING)
    opening.question = question
    hearers = may_hear(opening)
    wrote = Exists(question.posts.standing().filter(author=OuterRef("pk")))
    authors = [post.author_id for post in credited]
    present = set(hearers.filter(pk__in=authors).values_list("pk", flat=True))
    rest = hearers.filter(wrote).exclude(pk__in=authors).values_list("pk", flat=True)
    deeds = [(post.author_id, f"credited:{post.pk}", post) for post in credited if post.author_id in present]
    _tell_in_order(deeds + [(member, f"solved:{opening.pk}", opening) for member in rest])


def of_follow_up(question: Question, follow_up: FollowUp) -> None:
    """Tell the authors of credited answers what became of it, once for each time it was asked."""
    opening = question.posts.select_related("byline").get(kind=Post.Kind.OPENING)
    opening.question = question
    credited = may_hear(opening).filter(pk__in=question.credits.values("post__author"))
    members = list(credited.order_by("pk").values_list("pk", flat=True))
    _tell_of(opening, Kind.REPLY, f"outcome:{opening.pk}:{follow_up.days}", members, follow_up.days)


def of_milestone(post: Post) -> None:
    """Tell an author how many have corroborated, at a few round numbers and at each once."""
    number = post.corroborate_count
    if number in MILESTONES and post.takes_verdicts:
        _tell_of(post, Kind.MILESTONE, f"milestone:{post.pk}:{number}", [post.author_id], number)


def of_closing_by_moderator(question: Question) -> None:
    opening = question.posts.get(kind=Post.Kind.OPENING)
    key = f"closed:{opening.pk}:{question.closed_at:%Y%m%d%H%M%S}"
    _tell_of(opening, Kind.MODERATION, key, [question.asker_id])


def of_removal_by_moderator(post: Post) -> None:
    key = f"removed:{post.pk}:{post.removed_at:%Y%m%d%H%M%S}"
    _tell_of(post, Kind.MODERATION, key, [post.author_id])


def _tell(post: Post, replied_to) -> None:
    hearers = may_hear(post)
    kinds = {}
    if replied_to:
        kinds[Kind.REPLY] = list(hearers.filter(replied_to).values_list("pk", flat=True))
    if handles := mentioned(post.source):
        kinds[Kind.MENTION] = list(hearers.filter(handle__lower__in=handles).values_list("pk", flat=True))
    if any(kinds.values()):
        deed = notices.Deed(target=post.pk, about=_about(post), key=_key(post))
        notices.tell_first(kinds=kinds, deed=deed)


def _tell_in_order(deeds: list[tuple[int, str, Post]]) -> None:
    """Tell each member a reply of their own, lowest id first, as all who tell lock them; neighbours at once."""
    in_order = sorted(deeds, key=lambda deed: deed[:2])
    for (key, post), some in groupby(in_order, key=lambda deed: deed[1:]):
        _tell_of(post, Kind.REPLY, key, [member for member, _, _ in some])


def _tell_of(post: Post, kind: Kind, key: str, members: Iterable[int], number: int = 0) -> None:
    notices.tell(members=members, kind=kind, target=post.pk, about=_about(post), key=key, number=number)


def _fan_out_to_followers(post: Post) -> None:
    """Only of what stands under the handle: a named post told to a handle's followers would say whose handle it is."""
    followers = Follow.objects.filter(followed=post.author_id, alerts=True)
    if post.byline.mode in Byline.UNDER_HANDLE and followers.exists():
        notices.fan_out(kind=Kind.FOLLOW, target=post.pk, about=_about(post), key=_key(post))


def _about(post: Post) -> str:
    return f"question:{post.question_id}"


def _key(post: Post) -> str:
    """One key for all ways to hear of a post, so that nobody is told of it twice."""
    return f"post:{post.pk}"


# Whom a fan-out reaches


def next_topic_followers(fan_out, after: int, limit: int) -> list[int]:
    """Who wants alerts of a topic of a new discussion and may hear of it."""
    post = post_of(fan_out)
    if post is None:
        return []
    topics = Q(tag__in=post.question.tags.values("pk")) | Q(
        specialty__in=post.question.specialties.values("pk")
    )
    follows = TopicFollow.objects.filter(topics, member=OuterRef("pk"), alerts=True)
    mutes = TopicMute.objects.filter(topics, member=OuterRef("pk"))
    return _next(may_hear(post).filter(Exists(follows), ~Exists(mutes)), after, limit)


def next_followers(fan_out, after: int, limit: int) -> list[int]:
    """Who follows the author's handle with alerts, as long as the post stands under it, and is open to them."""
    post = post_of(fan_out)
    if post is None or post.byline.mode not in Byline.UNDER_HANDLE:
        return []
    follows = Follow.objects.filter(follower=OuterRef("pk"), followed=post.author_id, alerts=True)
    return _next(_to_whom_open(post, may_hear(post)).filter(Exists(follows)), after, limit)


def _to_whom_open(post: Post, members: QuerySet[Member]) -> QuerySet[Member]:
    """Without those to whom the answers are closed: that it is told at all would say whose answer it is."""
    if not post.question.answer_first or post.kind == Post.Kind.OPENING:
        return members
    committed = Commitment.objects.filter(question=post.question_id, member=OuterRef("pk"))
    return members.filter(Q(pk=post.question.asker_id) | Exists(committed))


def post_of(fan_out) -> Post | None:
    """The post a fan-out tells of, unless it was removed meanwhile."""
    posts = Post.objects.standing().select_related("question__asker", "byline")
    return posts.filter(pk=fan_out.target).first()


def _next(members: QuerySet[Member], after: int, limit: int) -> list[int]:
    return list(members.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:limit])
