"""Rows of news lists: what each card shows, brought by one query."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Concat
from django.urls import reverse

from accounts.models import Member, User
from newsfeed.models import Article, ArticleSpecialty, Region, Relation
from newsfeed.models.reading import ReadMark, SavedArticle
from questions.models import Question
from sermo.text import clip

BETWEEN = "\x1f"
MOST_TOPICS = 3  # of an article that its row brings
LONGEST = 160  # characters of a title on a card

NOT_REVIEWED = "Preprint, not peer reviewed"
KINDS = {**dict(Article.Kind.choices), Article.Kind.PREPRINT: NOT_REVIEWED}
ICONS = {
    Article.Kind.PREPRINT: "file-clock",
    Article.Kind.GUIDELINE: "scale",
    Article.Kind.CORRECTION: "pencil",
    Article.Kind.RETRACTION: "octagon-alert",
    Article.Kind.ALERT: "triangle-alert",
}
PLAIN = {Article.Kind.ARTICLE, Article.Kind.NEWS}  # say nothing of themselves


class Topic(NamedTuple):
    slug: str
    name: str


@dataclass
class Shown:
    """An article as a list shows it. `why` says why it stands in one's own feed, in words that begin small."""

    pk: int
    kind: str
    title: str
    source: str  # what it is called in short; empty for the editors of this site
    source_slug: str
    journal: str
    shown_at: datetime
    lines: list[str]
    minutes: int | None
    language: str
    region: str
    version: int
    comments: int
    is_read: bool
    is_saved: bool
    topics: list[Topic]
    saved_at: datetime | None = None
    why: str = ""
    held_back: int = 0  # articles of its source that found no room on this page
    is_retracted: bool = False
    is_corrected: bool = False
    changed_at: datetime | None = None

    def get_absolute_url(self) -> str:
        return reverse("newsfeed:article", args=[self.pk])

    @property
    def key_point(self) -> str:
        return self.lines[0] if self.lines else ""

    @property
    def short_title(self) -> str:
        """The title in a list; the whole of it stands on the page of the article."""
        return clip(self.title, LONGEST)

    @property
    def badge(self) -> str:
        """What a reader must know of what became of it and of its kind, in words; empty for an article like most."""
        became = "Retracted" if self.is_retracted else "Corrected" if self.is_corrected else ""
        kind = "" if self.kind in PLAIN else KINDS[self.kind]
        return ". ".join(filter(None, [became, kind]))

    @property
    def badge_kind(self) -> str:
        """The kind of article whose badge this one's looks like."""
        if self.is_retracted:
            return Article.Kind.RETRACTION
        return Article.Kind.CORRECTION if self.is_corrected and self.kind in PLAIN else self.kind

    @property
    def icon(self) -> str:
        return ICONS.get(self.badge_kind, "")

    @property
    def where(self) -> str:
        """The journal it appeared in, else its source."""
        return self.journal or self.source

    @property
    def via(self) -> str:
        """Its source, where that is not the journal itself."""
        return self.source if self.journal and self.source.lower() != self.journal.lower() else ""

    @property
    def region_name(self) -> str:
        return Region(self.region).label if self.region else ""


class Card(NamedTuple):
    """What `shown` asks of a row of `columns`, for queries that bring values."""

    pk: int
    kind: str
    title: str
    journal: str
    shown_at: datetime
    changed_at: datetime | None
    lines: list[str]
    minutes: int | None
    language: str
    region: str
    version: int
    source_name: str
    slug: str
    comments: int
    is_read: bool
    is_saved: bool
    named: list[str]
    is_retracted: bool
    is_corrected: bool


def columns(rows: QuerySet, user: User) -> QuerySet:
    """Have a query of articles bring what their cards show; further columns are its annotations."""
    member = user.as_member
    topics = ArticleSpecialty.objects.filter(article=OuterRef("pk"), is_off=False).order_by(
        "specialty__name", "specialty"
    )
    named = topics.values_list(Concat("specialty__slug", Value(BETWEEN), "specialty__name"))[:MOST_TOPICS]
    return rows.annotate(
        source_name=Coalesce("source__short_name", Value("")),
        slug=Coalesce("source__slug", Value("")),
        comments=_comments(),
        is_read=marked_by(member, ReadMark),
        is_saved=marked_by(member, SavedArticle),
        named=ArraySubquery(named),
        is_retracted=_is_named(Relation.Kind.RETRACTS),
        is_corrected=_is_named(Relation.Kind.CORRECTS),
    ).defer("abstract", "body", "body_html", "terms", "search_text", "search_vector", "authors")


def shown(row: Article | Card) -> Shown:
    """What `columns` brought, as a row of a list."""
    return Shown(
        pk=row.pk,
        kind=row.kind,
        title=row.title,
        source=row.source_name,
        source_slug=row.slug,
        journal=row.journal,
        shown_at=row.shown_at,
        lines=row.lines,
        minutes=row.minutes,
        language=row.language,
        region=row.region,
        version=row.version,
        comments=row.comments,
        is_read=row.is_read,
        is_saved=row.is_saved,
        topics=[Topic(*each.split(BETWEEN)) for each in row.named],
        saved_at=getattr(row, "saved_at", None),
        changed_at=row.changed_at,
        is_retracted=row.is_retracted,
        is_corrected=row.is_corrected,
    )


def load(user: User, ids: list[int]) -> dict[int, Shown]:
    """The rows of these articles, as far as the reader may see them, by id."""
    rows = columns(Article.objects.visible_to(user).filter(pk__in=ids), user)
    return {row.pk: shown(row) for row in rows} if ids else {}


def _comments():
    """How many comments its thread has; a removed thread is as if there were none."""
    question = "discussion__question"
    is_open = ~Q(**{f"{question}__status": Question.Status.REMOVED}) & Q(**{f"{question}__isnull": False})
    return Case(When(is_open, then=F(f"{question}__answer_count")), default=0)


def _is_named(kind: str) -> Exists:
    """Whether something in the news says so of an article."""
    said = Relation.objects.filter(related=OuterRef("pk"), kind=kind)
    return Exists(said.filter(article__state=Article.State.LISTED))


def marked_by(member: Member | None, model):
    """Whether a member has a row about an article, such as one that says it was read."""
    if member is None:
        return Value(False, output_field=BooleanField())
    return Exists(model.objects.filter(member=member, article=OuterRef("pk")))
