"""Search of the console: words, and the newest posts open to a firm that have them.

What a firm is not shown finds nothing either: a name, a handle or an identifier in a post is masked for it, so a match
counts only where the masked text has the words as well. `have` is asked before anything is shown or counted.
Words cannot be left out: what is absent then would tell what stands there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from django.contrib.postgres.search import SearchQuery
from django.core.cache import cache
from django.db import connection
from django.db.models import Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.lookups import GreaterThan, LessThanOrEqual

from observers.listing import LONGEST, Among, Filters, are_few, left_by, narrowed, of_kind, place_of, put_to
from questions.models import Post, Question
from questions.models.posts import eras_of
from questions.ranking.lines import midnight
from questions.search.language import TOKEN, parse
from questions.search.matching import NEVER, full_text
from rewards.models import Firm
from sermo.text import searchable

LOOKED_AT = 100  # matches of a search, the newest of each alternative, which have equal shares
MOST_ALTERNATIVES = 5
GAP = " of" * LONGEST  # in place of a name: words that no index has, more than a phrase can reach over
FEW = 2_000  # discussions that a search begins with, where filters leave no more
FIRST_STRETCH = 2_048  # posts looked through, the newest; then twice as many, and so on
LONGEST_STRETCH = 8_388_608
SPARE = 1_024  # posts that may have come since the newest was looked up
NEWEST_KEPT = 300  # seconds

OR = re.compile(r"(?<![\w-])or(?![\w-])", re.IGNORECASE)  # whatever signs stand beside it
LEFT_OUT = re.compile(r"(?<![a-z0-9])-+")  # a minus that the database would take for one

MATCHES = """
SELECT texts.number FROM unnest(%s::int[], %s::text[], %s::text[]) AS texts (number, words, wanted)
 WHERE to_tsvector('english', texts.words) @@ websearch_to_tsquery('english', texts.wanted)
"""

# What matches is put in order before the gate is asked, so that it is asked no longer than until there are enough.
FOUND = """
(SELECT %s AS number, shown.* FROM {stretches} LATERAL ({matches}) AS found, LATERAL ({shown}) AS shown LIMIT %s)
"""
STRETCHES = "(VALUES {}) AS stretch (low, high, eras),"


@dataclass(frozen=True)
class Typed:
    """What a firm looks for, as far as it is understood."""

    words: str
    hints: tuple[str, ...] = ()

    @property
    def alternatives(self) -> list[str]:
        """What stands between its ORs. Each is looked for by itself, so that none takes the places of another."""
        return _alternatives(self.words)[:MOST_ALTERNATIVES]


class Hit(NamedTuple):
    """A post that has the words of an alternative, names included: to be shown only where it has them without."""

    words: str
    post: int
    question: int
    place: int | None  # in an order by figures, where the discussion has one that may be shown
    kind: str
    author: int
    title: str
    html: str


def read(text: str) -> Typed:
    """The words of what was typed. Operators and words to be left out are no part of a firm's search."""
    typed = parse(searchable(text))
    tokens = [match[0] for match in TOKEN.finditer(typed.words)]
    kept = [token for token in tokens if not token.startswith("-")]
    words = LEFT_OUT.sub(" ", " ".join(kept))
    hints = []
    if typed.filters or typed.hints:
        hints.append("Operators such as tag: are not understood here.")
    if len(kept) < len(tokens) or words != " ".join(kept):
        hints.append("Words cannot be left out here.")
    if len(_alternatives(words)) > MOST_ALTERNATIVES:
        hints.append(f"Only the first {MOST_ALTERNATIVES} alternatives are looked for.")
    return Typed(" ".join(words.split()), tuple(hints))


def _alternatives(words: str) -> list[str]:
    parts: list[list[str]] = [[]]
    for match in TOKEN.finditer(OR.sub(" or ", words)):
        if match[0].lower() == "or":
            parts.append([])
        else:
            parts[-1].append(match[0])
    return [*dict.fromkeys(" ".join(part) for part in parts if part)]


def posts(firm: Firm, words: str, filters: Filters | None = None) -> QuerySet[Post]:
    """Posts open to a firm that have the words, in discussions that the filters leave.

    The gate is asked for each match, by looks into indexes, which the planner would else join.
    """
    opened = _opened(firm, filters).filter(pk=OuterRef("pk")).values("pk")[:1]
    return _matching(words, filters).alias(opened=Subquery(opened)).filter(opened__isnull=False)


def _matching(words: str, filters: Filters | None) -> QuerySet[Post]:
    """Posts that have the words, whoever reads; of the filters those that rule out most for the least."""
    rows = Post.objects.matching(full_text(words))
    if filters and filters.group:
        rows = rows.filter(Q(question__in=put_to(filters.group).values("question")) | NEVER)
    if filters and (filters.kind or filters.solved):
        left = of_kind(Question.objects.filter(pk=OuterRef("question")), filters).values("pk")[:1]
        rows = rows.alias(left=Subquery(left)).filter(left__isnull=False)
    return rows


def _opened(firm: Firm, filters: Filters | None) -> QuerySet[Post]:
    """Posts open to a firm, in discussions of a kind that the filters leave."""
    rows = Post.objects.open_to(firm)
    if filters and (filters.kind or filters.solved):
        question = Question.objects.filter(pk=OuterRef("question"))
        rows = rows.filter(Exists(narrowed(question, firm, replace(filters, group=""))))
    return rows


def newest(firm: Firm, alternatives: list[str], filters: Filters | None = None) -> list[Hit]:
    """The newest posts that have the words of each alternative, in one query that looks no further back than it has
    to. The place is null in the order of time, and where a discussion has no figure to be ordered by."""
    if not alternatives:
        return []
    order = filters.order if filters else "new"
    place = Value(None, IntegerField()) if order == "new" else place_of(firm, order)
    shown = _opened(firm, filters).annotate(place=place)
    shown = shown.values_list("pk", "question", "place", "kind", "author", "question__title", "html")
    high = cache.get_or_set("observers:newest_post", _newest_post, NEWEST_KEPT) + SPARE
    rows = _newest(alternatives, filters, shown, LOOKED_AT // len(alternatives), _stretches(high))
    found = [Hit(alternatives[number], *hit) for number, *hit in rows]
    return sorted(found, key=attrgetter("post"), reverse=True)


def newest_numbers(
    firm: Firm, words: str, filters: Filters, most: int, *, after: int = 0, since: date | None = None
) -> list[int]:
    """The numbers of so many posts that have the words, the newest first: after a number, and from a day on. Looked
    for in the same way."""
    shown = _opened(firm, filters).filter(pk__gt=after)
    if since:
        shown = shown.filter(posted_at__gte=midnight(since))
    found = _newest([words], filters, shown.values_list("pk"), most, _stretches(_newest_post(), after))
    return sorted((pk for _, pk in found), reverse=True)


def _newest(
    alternatives: list[str], filters: Filters | None, shown: QuerySet, most: int, stretches: list[tuple]
) -> list[tuple]:
    """What is shown of the newest matches of each alternative, behind its place. One query."""
    if not stretches:
        return []
    shown = shown.filter(pk=RawSQL("found.pk", []))[:1]
    few = left_by(filters) if filters and are_few(filters, FEW) else None
    stretches = stretches if few is None else []
    selects, values = [], []
    for number, words in enumerate(alternatives):
        rows = _matching(words, filters)
        rows = _of_stretch(rows) if few is None else rows.filter(Among("question", few))
        select, its_values = _select(rows, stretches, shown)
        selects.append(select)
        values += [number, *its_values, most]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects), values)
        return cursor.fetchall()


def _select(matches: QuerySet, stretches: list[tuple], shown: QuerySet) -> tuple[str, list]:
    """Matches in an order that no index has, so that the index of words leads, as far as they are shown."""
    matches = matches.order_by((F("pk") + 0).desc()).values_list("pk")
    inner, its_values = matches.query.sql_with_params()
    outer, other_values = shown.query.sql_with_params()
    rows = ", ".join(["(%s::bigint, %s::bigint, %s::tsquery)"] * len(stretches))
    select = FOUND.format(stretches=STRETCHES.format(rows) if stretches else "", matches=inner, shown=outer)
    return select, [*chain.from_iterable(stretches), *its_values, *other_values]


class Eras(SearchQuery):
    """The eras of the stretch that is looked through."""

    def __init__(self):
        super().__init__("", search_type="raw")

    def as_sql(self, compiler, connection, **extra):
        return "stretch.eras", []


def _of_stretch(rows: QuerySet) -> QuerySet:
    """Led by the eras alone, which may begin before a stretch and end after it."""
    number = F("pk") + 0
    begun = GreaterThan(number, RawSQL("stretch.low", []))
    ended = LessThanOrEqual(number, RawSQL("stretch.high", []))
    return rows.matching(Eras()).filter(begun, ended)


def _stretches(high: int, end: int = 0) -> list[tuple[int, int, str]]:
    """The first number, exclusive, the last one and the eras of each, from the newest on down to the end."""
    length, stretches = FIRST_STRETCH, []
    while high > end:
        low = max(end, high - length)
        stretches.append((low, high, eras_of(low + 1, high)))
        high, length = low, min(2 * length, LONGEST_STRETCH)
    return stretches


def _newest_post() -> int:
    return Post.objects.aggregate(pk=Max("pk"))["pk"] or 0


def still_found(words: str, texts: Iterable[str]) -> list[bool]:
    """Of each masked text, whether it has the words. One query."""
    texts = list(texts)
    has = have([words] * len(texts), texts)
    return [has[words, text] for text in texts]


def have(wanted: Iterable[str], texts: Iterable[str]) -> dict[tuple[str, str], bool]:
    """Of each pair of words and a text, whether the text has them. One query."""
    pairs = [*dict.fromkeys(zip(wanted, texts, strict=True))]
    if not pairs:
        return {}
    numbers = list(range(len(pairs)))
    with connection.cursor() as cursor:
        cursor.execute(
            MATCHES, [numbers, [searchable(text) for _, text in pairs], [words for words, _ in pairs]]
        )
        found = {number for (number,) in cursor.fetchall()}
    return {pair: number in found for number, pair in enumerate(pairs)}
