"""The head of a discussion's page and the facts beside it, as one reader sees them; each drawn once for its like."""

from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from questions.models import FollowUp, Question
from questions.seen import Seen
from questions.words import Words, words_of
from sermo.fragments import age_of, draw, draw_once


class Became(NamedTuple):
    """What the asker said became of it."""

    days: int
    finding: str
    text: str

    @property
    def when(self) -> str:
        return FollowUp.Days(self.days).label.capitalize()

    @property
    def finding_label(self) -> str:
        return FollowUp.Finding(self.finding).label.lower()


class Head(NamedTuple):
    """A discussion and what this reader may do with it. Equal ones look alike."""

    pk: int
    kind: str
    title: str
    status: str
    audience: str
    peers_only: bool
    has_poll: bool
    is_urgent: bool
    outcome: str
    topics: tuple[tuple[str, str], ...]  # name, slug
    tags: tuple[tuple[str, str], ...]
    opened_at: datetime
    first_answer_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    close_reason: str
    closes_at: datetime
    importance_sum: int
    importance_count: int
    ages: tuple[int, ...]  # of the moments above, as they read now

    own_importance: int | None
    own_level: str | None
    own_bookmark: int | None
    is_asker: bool
    is_member: bool
    writable: bool
    can_moderate: bool

    answer_count: int
    became: tuple[Became, ...] = ()
    next_days: int | None = None  # which follow-up the asker would answer now
    answerers: tuple[str, ...] = ()
    reach: tuple | None = None

    @property
    def is_solved(self) -> bool:
        return self.solved_at is not None

    @property
    def is_open(self) -> bool:
        return self.status == Question.Status.OPEN

    @property
    def is_removed(self) -> bool:
        return self.status == Question.Status.REMOVED

    @property
    def is_among_connections(self) -> bool:
        return self.audience == Question.Audience.CONNECTIONS

    @property
    def is_private(self) -> bool:
        return self.audience == Question.Audience.INVITED

    @property
    def can_be_solved(self) -> bool:
        return self.kind == Question.Kind.QUESTION

    @property
    def words(self) -> Words:
        return words_of(self.kind)

    @property
    def kind_label(self) -> str:
        return Question.Kind(self.kind).label

    @property
    def status_label(self) -> str:
        return Question.Status(self.status).label

    @property
    def close_reason_label(self) -> str:
        if self.kind == Question.Kind.ARTICLE and self.close_reason == Question.CloseReason.AUTHOR:
            return "with its article"
        return Question.CloseReason(self.close_reason).label if self.close_reason else ""

    @property
    def importance_mean(self) -> float | None:
        return self.importance_sum / self.importance_count if self.importance_count else None


def head_of(question: Question, member, *, can_moderate: bool, **more) -> Head:
    """The head for a question as `views.thread.load_question` loaded it."""
    now = timezone.now()
    moments = (question.opened_at, question.closed_at, question.closes_at)
    return Head(
        pk=question.pk,
        kind=question.kind,
        title=question.title,
        status=question.status,
        audience=question.audience,
        peers_only=question.peers_only,
        has_poll=question.has_poll,
        is_urgent=question.is_urgent,
        outcome=question.outcome if question.answers_open else "",
        topics=tuple((topic["name"], topic["slug"]) for topic in question.topics),
        tags=tuple((tag["name"], tag["slug"]) for tag in question.tag_list),
        opened_at=question.opened_at,
        first_answer_at=question.first_answer_at,
        solved_at=question.solved_at,
        closed_at=question.closed_at,
        close_reason=question.close_reason,
        closes_at=question.closes_at,
        importance_sum=question.importance_sum,
        importance_count=question.importance_count,
        ages=tuple(age_of(moment, now) for moment in moments),
        own_importance=question.own_importance,
        own_level=question.own_level,
        own_bookmark=question.own_bookmark,
        is_asker=member is not None and question.asker_id == member.pk,
        is_member=member is not None,
        writable=question.is_open and question.takes_words and member is not None and member.may_write,
        can_moderate=can_moderate,
        answer_count=question.answer_count,
        **more,
    )


def drawn_head(head: Head, opening: Seen, csrf_token: str):
    """The head; with a refused dispute of an observation in it, it is kept nowhere."""
    make = draw_once if opening.refused else draw
    return make("questions/_head.html", csrf_token, question=head, opening=opening, scale=(1, 2, 3, 4, 5))


def drawn_facts(head: Head, csrf_token: str):
    return draw("questions/_facts.html", csrf_token, question=head)
