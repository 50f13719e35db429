"""Rows of news lists: what each card shows, brought by one query."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Concat
from django.urls import reverse

from accounts.models import User
from newsfeed.models import Article, ArticleSpecialty, Region
from newsfeed.models.reading import ReadMark, SavedArticle
from questions.models import Question

BETWEEN = "\x1f"
MOST_TOPICS = 3  # of an article that its card names

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

    def get_absolute_url(self) -> str:
        return reverse("newsfeed:article", args=[self.pk])

    @property
    def key_point(self) -> str:
        return self.lines[0] if self.lines else ""

    @property
    def badge(self) -> str:
        """What a reader must know of its kind, in words; empty for an article like most."""
        return "" if self.kind in PLAIN else KINDS[self.kind]

    @property
    def icon(self) -> str:
        return ICONS.get(self.kind, "")

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
        is_read=_own(ReadMark, member),
        is_saved=_own(SavedArticle, member),
        named=ArraySubquery(named),
    ).defer("abstract", "body", "body_html", "terms", "search_text", "search_vector", "authors")


def shown(row: Article) -> Shown:
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


def _own(model, member):
    if member is None:
        return Value(False, output_field=BooleanField())
    return Exists(model.objects.filter(member=member, article=OuterRef("pk")))
