"""Lists of news: what an address narrows them to, and their pages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.postgres.search import SearchQuery
from django.db.models import F, OuterRef, QuerySet, Subquery

from accounts.models import Specialty, User
from newsfeed import own_feed
from newsfeed.models import Article, Region, SavedArticle, Source, SourceFollow
from newsfeed.rows import KINDS as BADGES
from newsfeed.rows import Card, Shown, columns, shown
from questions.readers import ReaderShape, shape_of, stand_in, values_of
from sermo.paging import Page, page
from sermo.prepared import written

SHOWS = {"own": "For you", "all": "All", "saved": "Saved"}
MEETINGS = "meetings"
KINDS = {
    "guideline": "Guidelines",
    "preprint": "Preprints",
    MEETINGS: "Meetings and societies",
    "alert": "Safety alerts",
    "correction": "Corrections",
    "retraction": "Retractions",
    "sermo": BADGES[Article.Kind.SERMO],
}
NEWEST = ("-shown_at", "-pk")
SLUG = re.compile(r"[a-z0-9-]{1,80}")
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; each field is a parameter of the address, in this order."""

    show: str = "own"
    specialty: str = ""  # a slug
    source: str = ""  # a slug
    region: str = ""
    kind: str = ""
    followed: bool = False  # only sources one follows
    q: str = ""

    @property
    def narrowing(self) -> list[str]:
        return [each.name for each in fields(self)[1:] if getattr(self, each.name)]

    @property
    def query(self) -> str:
        """The canonical query string; what narrows one's own feed would be nothing else than the whole list."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        if self.show == "own" or (self.show == "all" and self.narrowing):
            del said["show"]
        return urlencode({name: "1" if value is True else value for name, value in said.items() if value})

    def but(self, **changes) -> "Filters":
        return replace(self, **changes).settled()

    def without(self, name: str) -> "Filters":
        return self.but(**{name: next(each.default for each in fields(self) if each.name == name)})

    def settled(self) -> "Filters":
        """One's own feed is what it is; filters narrow the whole list, or what one saved."""
        return replace(self, show="all") if self.show == "own" and self.narrowing else self


def parse(typed: Any, user: User) -> Filters:
    """The filters an address names (a QueryDict or a dict). What it gets wrong is taken as not said."""

    def one_of(name: str, known: Iterable[str], usual: str = "") -> str:
        value = typed.get(name, usual)
        return value if value in known else usual

    def slug(name: str) -> str:
        value = typed.get(name, "").lower()
        return value if SLUG.fullmatch(value) else ""

    is_member = user.as_member is not None
    found = Filters(
        show=one_of("show", SHOWS, "own") if is_member else "all",
        specialty=slug("specialty"),
        source=slug("source"),
        region=one_of("region", Region.values),
        kind=one_of("kind", KINDS),
        followed=is_member and typed.get("followed") == "1",
        q=" ".join(typed.get("q", "").replace("\x00", " ").split())[:LONGEST_SEARCH],
    )
    return found.settled()


def page_of(user: User, filters: Filters, *, after: str | None, wishes=None) -> Page:
    """A page of the list that the filters make, of `Shown`."""
    if filters.show == "own":
        return own_feed.newest_for(user, after=after, wishes=wishes)
    rows, order = narrow(Article.objects.visible_to(user), filters, user), NEWEST
    if filters.show == "saved":
        rows = _saved(rows, user)
        order = ("-saved_at", "-pk")
    elif filters.specialty:
        rows = rows.annotate(tagged_at=F("tags__shown_at"))  # the same moment, where an index has it
        order = ("-tagged_at", "-pk")
    found = page(columns(rows, user), order=order, after=after, size=settings.NEWS_PER_PAGE)
    return Page([shown(row) for row in found], found.next)


def narrow(rows: QuerySet, filters: Filters, user: User) -> QuerySet:
    """Put filters into a query of articles."""
    if filters.specialty:
        code = Specialty.objects.filter(slug=filters.specialty, is_choice=True).values("code")
        rows = rows.filter(tags__specialty=Subquery(code), tags__is_off=False)
    if filters.source:
        rows = rows.filter(source=Subquery(Source.objects.filter(slug=filters.source).values("pk")))
    if filters.region:
        rows = rows.filter(region=filters.region)
    if filters.kind == MEETINGS:
        rows = rows.filter(source__kind=Source.Kind.MEETINGS)
    elif filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.followed:
        rows = rows.filter(source__in=SourceFollow.objects.filter(member=user.as_member).values("source"))
    if filters.q:
        rows = rows.filter(search_vector=in_words(filters.q))
    return rows


def in_words(words: str) -> SearchQuery:
    return SearchQuery(words, config="english", search_type="websearch")


def search(user: User, words: str, size: int) -> list[Shown]:
    """The newest articles with these words, as far as the reader may see them."""
    words = words.replace("\x00", " ").strip()
    if not words:
        return []
    return [shown(Card(*row)) for row in _found((shape_of(user), size), **values_of(user), words=words)]


@written
def _found(shape: tuple[ReaderShape, int], *, reader, reader_specialty, words: str) -> QuerySet:
    """Planned for these words: a rare one is looked up in its index, a common one found among the newest articles."""
    reader_shape, size = shape
    user = stand_in(reader_shape, reader, reader_specialty)
    rows = Article.objects.visible_to(user).filter(search_vector=in_words(words)).order_by(*NEWEST)
    return columns(rows, user).values_list(*Card._fields)[:size]


def _saved(rows: QuerySet, user: User) -> QuerySet:
    own = SavedArticle.objects.filter(member=user.as_member)
    return rows.filter(pk__in=own.values("article")).annotate(
        saved_at=Subquery(own.filter(article=OuterRef("pk")).values("saved_at"))
    )
