"""One article as its page shows it, brought by one query."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, OuterRef, When
from django.db.models.functions import JSONObject
from django.urls import reverse

from accounts.models import User
from newsfeed.minutes import minutes_of
from newsfeed.models import Article, Region, Relation
from newsfeed.models.reading import ReadMark, SavedArticle
from newsfeed.rows import marked_by
from questions.models import Question

AUTHORS_SHOWN = 3
MOST_RELATED = 20
HIDDEN = ("terms", "search_text", "search_vector", "body")
Kind = Relation.Kind
SAYS = {
    Kind.RETRACTS: "Retracts",
    Kind.CORRECTS: "Corrects",
    Kind.PREPRINT_OF: "Preprint of",
    Kind.ABOUT: "About",
}
SAID = {
    Kind.RETRACTS: "Retracted by",
    Kind.CORRECTS: "Corrected by",
    Kind.PREPRINT_OF: "Its preprint",
    Kind.ABOUT: "About this",
}
# However many others name it, these are never the ones that find no room.
WEIGHTIEST = Case(When(kind=Kind.RETRACTS, then=0), When(kind=Kind.CORRECTS, then=1), default=2)


class Related(NamedTuple):
    """A work and what it has to do with the article. `is_here`: among the news."""

    words: str
    title: str
    url: str
    is_here: bool = True


@dataclass
class ArticlePage:
    article: Article
    user: User

    @property
    def pk(self) -> int:
        return self.article.pk

    @property
    def url(self) -> str:
        return self.article.get_absolute_url()

    @property
    def question_id(self) -> int | None:
        return self.article.question_id

    @property
    def is_discussion_removed(self) -> bool:
        return self.article.question_status == Question.Status.REMOVED

    @property
    def may_discuss(self) -> bool:
        member = self.user.as_member
        return self.question_id is None and member is not None and member.may_write

    @property
    def is_member(self) -> bool:
        return self.user.as_member is not None

    # What it is

    @property
    def authors(self) -> str:
        """The first authors, and how many others; all of them where only one would be left out."""
        names = self.article.authors
        if len(names) <= AUTHORS_SHOWN + 1:
            return ", ".join(names)
        return f"{', '.join(names[:AUTHORS_SHOWN])} and {len(names) - AUTHORS_SHOWN} others"

    @property
    def where(self) -> str:
        source = self.article.source
        return self.article.journal or (source.name if source else "")

    @property
    def via(self) -> str:
        """Its source, where that is not the journal itself."""
        source = self.article.source
        return source.name if source and source.name.lower() != self.where.lower() else ""

    @property
    def minutes(self) -> int | None:
        """To read what is shown here, where that is more than the title."""
        return minutes_of(self.article)

    @property
    def abstract(self) -> str:
        source = self.article.source
        return self.article.abstract if source and source.shows_abstracts else ""

    @property
    def region(self) -> str:
        return Region(self.article.region).label if self.article.region else ""

    # Where it stands

    @property
    def link(self) -> str:
        """Where it is read: at its publisher, else wherever its DOI leads."""
        link = self.article.link
        return link if link.startswith(("https://", "http://")) else self.doi_url

    @property
    def host(self) -> str:
        return (urlsplit(self.link).hostname or "").removeprefix("www.")

    @property
    def doi_url(self) -> str:
        return doi_url(self.article.doi) if self.article.doi else ""

    @property
    def pubmed_url(self) -> str:
        return f"https://pubmed.ncbi.nlm.nih.gov/{self.article.pmid}/" if self.article.pmid else ""

    # What belongs to it

    @cached_property
    def retracted_by(self) -> list[Related]:
        return self._said(Kind.RETRACTS)

    @cached_property
    def corrected_by(self) -> list[Related]:
        return self._said(Kind.CORRECTS)

    @cached_property
    def acts_on(self) -> list[Related]:
        """What it takes back or puts right."""
        weighty = (Kind.RETRACTS, Kind.CORRECTS)
        return [_related(SAYS[row["kind"]], row) for row in self.article.says if row["kind"] in weighty]

    @cached_property
    def related(self) -> list[Related]:
        """All works it names or is named by; what it retracts or corrects first."""
        named = [
            _related(SAYS[kind], row) for kind in SAYS for row in self.article.says if row["kind"] == kind
        ]
        return named + [related for kind in SAID for related in self._said(kind)]

    def _said(self, kind: str) -> list[Related]:
        return [_related(SAID[kind], row) for row in self.article.said if row["kind"] == kind]


def load(user: User, **condition) -> ArticlePage | None:
    """An article through its gate, by its number or by that of its discussion; None where there is none."""
    member = user.as_member
    says = Relation.objects.filter(article=OuterRef("pk")).order_by(WEIGHTIEST, "doi")
    said = Relation.objects.filter(related=OuterRef("pk"), article__state=Article.State.LISTED)
    said = said.order_by(WEIGHTIEST, "-article")
    rows = (
        Article.objects.visible_to(user)
        .select_related("source")
        .defer(*HIDDEN)
        .annotate(
            question_id=F("discussion__question"),
            question_status=F("discussion__question__status"),
            is_read=marked_by(member, ReadMark),
            is_saved=marked_by(member, SavedArticle),
            filed_under=ArraySubquery(_topics()),
            says=ArraySubquery(says.values_list(_columns("related"))[:MOST_RELATED]),
            said=ArraySubquery(said.values_list(_columns("article"))[:MOST_RELATED]),
        )
    )
    article = rows.filter(**condition).first()
    return ArticlePage(article, user) if article else None


def _topics():
    tags = Article.specialties.through.objects.filter(article=OuterRef("pk"), is_off=False)
    row = JSONObject(name="specialty__name", slug="specialty__slug", how="how", why="why")
    return tags.order_by("specialty__name").values_list(row)


def _columns(path: str) -> JSONObject:
    return JSONObject(kind="kind", doi="doi", pk=path, title=f"{path}__title", state=f"{path}__state")


def _related(words: str, row: dict) -> Related:
    if row["pk"] and row["state"] == Article.State.LISTED:
        return Related(words, row["title"], reverse("newsfeed:article", args=[row["pk"]]))
    return Related(words, f"doi:{row['doi']}", doi_url(row["doi"]), is_here=False)


def doi_url(doi: str) -> str:
    return f"https://doi.org/{quote(doi, safe='/:;()')}"
