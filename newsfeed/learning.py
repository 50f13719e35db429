"""A learning log as its pages and files show it: entries with what they are about, and totals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth

from accounts.models import Member, User
from newsfeed.models import Article, LogEntry
from questions.models import Question
from sermo.csv_cells import BYTE_ORDER_MARK, harmless, line_of

NEWEST_FIRST = ("-done_on", "-pk")
HIDDEN_QUESTION = "A discussion not open to you anymore"
HIDDEN_ARTICLE = "An article no longer in the news"
COLUMNS = ("Date", "Minutes", "What", "Title", "Published in", "DOI", "Link", "What I take from it")


@dataclass(frozen=True)
class Line:
    """An entry, with what may be shown of its article or discussion."""

    entry: LogEntry
    what: str
    title: str
    url: str = ""
    place: str = ""
    doi: str = ""
    link: str = ""  # to the work itself


@dataclass(frozen=True)
class Total:
    """Some entries together; `first` is the first day of their month or year."""

    first: date
    entries: int
    minutes: int

    @property
    def time(self) -> str:
        return in_words(self.minutes)


def in_words(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{rest} min"] if rest or not hours else parts)


def of_year(entries: QuerySet[LogEntry], year: int | None) -> QuerySet[LogEntry]:
    return entries.filter(done_on__year=year) if year else entries


def monthly(member: Member) -> list[Total]:
    """The newest month first."""
    months = member.learning_log.annotate(first=TruncMonth("done_on")).values("first").order_by("-first")
    found = months.annotate(entries=Count("pk"), spent=Sum("minutes"))
    return [Total(row["first"], row["entries"], row["spent"]) for row in found]


def yearly(months: Iterable[Total]) -> list[Total]:
    """Out of months, the newest first."""
    found = []
    for year, some in groupby(months, key=lambda total: total.first.year):
        some = list(some)
        numbers = sum(total.entries for total in some), sum(total.minutes for total in some)
        found.append(Total(date(year, 1, 1), *numbers))
    return found


def by_month(lines: Iterable[Line], months: Iterable[Total]) -> list[tuple[Total, list[Line]]]:
    """A page's lines under their months, each with the total of the whole month."""
    totals = {total.first: total for total in months}
    grouped = groupby(lines, key=lambda line: line.entry.done_on.replace(day=1))
    return [(totals[first], list(some)) for first, some in grouped]


def lines_of(user: User, entries: Iterable[LogEntry]) -> list[Line]:
    """Entries as their owner may read them now: two queries, however many."""
    entries = list(entries)
    articles = Article.objects.visible_to(user).select_related("source")
    articles = articles.defer("abstract", "body", "body_html", "search_text", "search_vector", "terms")
    articles = articles.in_bulk([entry.article_id for entry in entries if entry.article_id])
    questions = Question.objects.visible_to(user).only("title", "kind")
    questions = questions.in_bulk([entry.question_id for entry in entries if entry.question_id])
    return [
        of_article(entry, articles.get(entry.article_id))
        if entry.article_id
        else of_question(entry, questions.get(entry.question_id))
        for entry in entries
    ]


def of_article(entry: LogEntry, article: Article | None) -> Line:
    if article is None:
        return Line(entry, "Read", HIDDEN_ARTICLE)
    place = article.journal or (article.source.name if article.source else "Sermo")
    url, doi = article.get_absolute_url(), article.doi or ""
    return Line(entry, "Read", article.title, url, place, doi, article.link)


def of_question(entry: LogEntry, question: Question | None) -> Line:
    if question is None:
        return Line(entry, "Answered", HIDDEN_QUESTION)
    return Line(entry, "Answered", question.title, question.get_absolute_url(), "Sermo")


# The file


def as_csv(lines: Iterable[Line]) -> Iterator[str]:
    """A table that spreadsheets open with its letters right, and in which no cell is a formula."""
    yield BYTE_ORDER_MARK + line_of(COLUMNS)
    for line in lines:
        entry = line.entry
        cells = (line.what, line.title, line.place, line.doi, line.link, entry.reflection)
        yield line_of((entry.done_on.isoformat(), entry.minutes, *(harmless(cell) for cell in cells)))
