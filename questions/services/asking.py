"""Putting a new discussion to some colleagues. Only they learn that they were asked; the asker learns how many."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import FanOut, Kind, Member, Notice, NoticeChoice, User, Way
from accounts.services import notices
from questions.asking import Candidate, choose
from questions.models import Asked, MemberRank, Post, Question, QuestionSpecialty, TopicFollow, TopicMute
from questions.services import telling

PAST_QUESTIONS = 1_000  # on the topic, the newest, from which past corroboration is counted
POOL = 2_000  # members who share the topic and could be drawn
CHOOSING = 7_300_006  # number of the advisory lock under which is chosen whom to ask
FEWEST = 5  # a smaller number of members asked is not told, for it could tell who they are


def put_to_colleagues(opening: Post) -> None:
    """Have a new discussion put to colleagues soon, in the caller's transaction. Twice is as good as once."""
    notices.fan_out(
        kind=Kind.ASKED, target=opening.pk, about=f"question:{opening.question_id}", key=_key(opening.pk)
    )


def _key(post_id: int) -> str:
    """The key of all ways to hear of a post: who was asked hears nothing of it as a follower."""
    return f"post:{post_id}"


# Whom


def next_asked(fan_out: FanOut, after: int, limit: int) -> list[int]:
    """Choose whom to ask, once; when they have been told, note whom that reached at once, and end the fan-out.

    Runs in the transaction that tells them, so a worker that dies has neither chosen nor told anybody. Two at once
    choose one after the other, so that each sees how often a member was asked this week.
    """
    if after:
        _note_reached(fan_out)
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHOOSING])
    post = telling.post_of(fan_out)
    if post is None or not post.question.is_open:
        return []
    chosen = choose(
        candidates(post),
        most=settings.ASK_MOST,
        newcomers_percent=settings.ASK_NEWCOMERS_PERCENT,
        seed=f"{settings.SECRET_KEY}:{post.pk}",
    )
    Asked.objects.bulk_create(
        [
            Asked(question_id=post.question_id, member_id=member, why=why)
            for member, why in sorted(chosen.items())
        ],
        ignore_conflicts=True,
    )
    return sorted(chosen)[:limit]


def _note_reached(fan_out: FanOut) -> None:
    alerted = Notice.objects.filter(member=OuterRef("member"), key=fan_out.key, held=False)
    question = Post.objects.filter(pk=fan_out.target).values("question")
    Asked.objects.filter(Exists(alerted), question__in=question).update(reached=True)


def candidates(opening: Post) -> list[Candidate]:
    """Who may hear of a discussion, could answer it and shares a topic with it, each with their past there.

    The past is that of the handle alone: what stands under a name never counts for whom a handle is asked.
    """
    question = opening.question
    specialties = list(question.specialties.values_list("pk", flat=True))
    tags = list(question.tags.values_list("pk", flat=True))
    may_be_asked = _may_be_asked(opening, specialties, tags)
    past = _past(specialties, tags)
    follows = TopicFollow.objects.filter(
        Q(specialty__in=specialties) | Q(tag__in=tags), member=OuterRef("pk")
    )
    interested = may_be_asked.filter(Q(specialty__in=specialties) | Exists(follows))
    drawn = interested.order_by(_shuffled(opening.pk)).values_list("pk", flat=True)[:POOL]
    known = may_be_asked.filter(pk__in=list(past)).values_list("pk", flat=True)
    members = set(drawn) | set(known)
    ranked = MemberRank.objects.filter(member__in=members).exclude(tier=MemberRank.Tier.NEW)
    tiered = set(ranked.values_list("member", flat=True))
    return [
        Candidate(
            member,
            *past.get(member, (0, 0)),
            is_newcomer=member not in past or (member not in tiered and not past[member][0]),
        )
        for member in sorted(members)
    ]


def _shuffled(number: int):
    """An order by lot that is the same each time, for a pool too large to look at whole."""
    return (F("pk") * 2_654_435_761 + number * 40_503) % 1_000_003


def _may_be_asked(opening: Post, specialties: Iterable[str], tags: Iterable[int]) -> QuerySet[Member]:
    """The readers who may hear of it and write, without those who muted a topic of it, want no such notice, or were
    asked often this week."""
    week = timezone.now() - timedelta(days=7)
    lately = Asked.objects.filter(member=OuterRef("pk"), asked_at__gt=week).order_by().values("member")
    own = {"member": OuterRef("pk")}
    muted = TopicMute.objects.filter(Q(specialty__in=specialties) | Q(tag__in=tags), **own)
    unwanted = NoticeChoice.objects.filter(kind=Kind.ASKED, way=Way.OFF, **own)
    return (
        telling.may_hear(opening)
        .filter(~Exists(muted), ~Exists(unwanted), standing=Member.Standing.PHYSICIAN, user__is_active=True)
        .alias(asked_lately=Coalesce(lately.annotate(number=Count("pk")).values("number")[:1], 0))
        .filter(asked_lately__lt=settings.ASKED_PER_WEEK)
    )


def _past(specialties: Iterable[str], tags: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Corroborations and disputes of handle-signed answers in the newest discussions of these topics, by author."""
    within = QuestionSpecialty.objects.filter(specialty__in=specialties).order_by("-question")
    within = within.exclude(question__kind=Question.Kind.ARTICLE)
    tagged = Question.tags.through.objects.filter(tag__in=tags).order_by("-question")
    alike = {
        question
        for rows in (within, tagged)
        for question in rows.values_list("question", flat=True)[:PAST_QUESTIONS]
    }
    rows = (
        Post.objects.answers()
        .standing()
        .signed_by_handle()
        .filter(question__in=alike)
        .values("author")
        .annotate(yes=Sum("corroborate_count"), no=Sum("dispute_count"))
    )
    return {row["author"]: (row["yes"], row["no"]) for row in rows}


# What is shown


@dataclass(frozen=True)
class Reach:
    """What the asker learns. A number under five is only `few`; of one's connections even a large one tells who."""

    is_under_way: bool
    asked: int = 0
    reached: int = 0
    is_among_connections: bool = False

    @property
    def is_few(self) -> bool:
        return self.asked < FEWEST

    @property
    def few_reached(self) -> bool:
        return self.reached < FEWEST

    @property
    def all_reached(self) -> bool:
        return self.reached == self.asked >= FEWEST


def reach_of(opening: Post) -> Reach | None:
    """How many a discussion was put to, for its asker; None where that was not wanted. One query."""
    rows = FanOut.objects.filter(kind=Kind.ASKED, target=opening.pk)
    asked = Asked.objects.filter(question=opening.question_id).order_by().values("question")
    found = rows.values(
        "done_at",
        all_asked=Coalesce(asked.annotate(number=Count("pk")).values("number"), 0),
        at_once=Coalesce(asked.filter(reached=True).annotate(number=Count("pk")).values("number"), 0),
    ).first()
    if found is None:
        return None
    return Reach(
        is_under_way=found["done_at"] is None,
        asked=found["all_asked"],
        reached=found["at_once"],
        is_among_connections=opening.question.is_among_connections,
    )


def put_to(user: User) -> QuerySet[Asked]:
    """What was put to a member and still waits for an answer of theirs, inside the gate, with its question."""
    member = user.as_member
    open_to = Question.objects.visible_to(user).open().besides_blocked(member).filter(pk=OuterRef("question"))
    answered = Post.objects.answers().filter(question=OuterRef("question"), author=member)
    return (
        Asked.objects.filter(Exists(open_to), ~Exists(answered), member=member, question__solved_at=None)
        .select_related("question")
        .order_by("-asked_at", "-pk")
    )
