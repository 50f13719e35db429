"""Search of the console: words, and the newest posts open to a firm that have them.

What a firm is not shown finds nothing either: a name, a handle or an identifier in a post is masked for it, so a match
counts only where the masked text has the words as well. `still_found` is asked before anything is shown or counted.
Words cannot be left out: what is absent then would tell what stands there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import itemgetter

from django.core.cache import cache
from django.db import connection
from django.db.models import F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value

from observers.listing import Filters, narrowed, place_of, put_to
from questions.models import Post, Question
from questions.models.posts import eras_of
from questions.search.language import TOKEN, parse
from questions.search.matching import full_text
from rewards.models import Firm
from sermo.text import searchable

LOOKED_AT = 100  # matches of a search, the newest
STRETCHES = (
    1_024,
    8_192,
    65_536,
    524_288,
)  # posts looked through, the newest first; after them all that is left
SPARE = 1_024  # posts that may have come since the newest was looked up
NEWEST_KEPT = 300  # seconds

LEFT_OUT = re.compile(r"(?<![a-z0-9])-+")  # a minus that the database would take for one

MATCHES = """
SELECT texts.number FROM unnest(%s::int[], %s::text[]) AS texts (number, words)
 WHERE to_tsvector('english', texts.words) @@ websearch_to_tsquery('english', %s)
"""


@dataclass(frozen=True)
class Typed:
    """What a firm looks for, as far as it is understood."""

    words: str
    hints: tuple[str, ...] = ()


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
    return Typed(" ".join(words.split()), tuple(hints))


def posts(firm: Firm, words: str, filters: Filters | None = None) -> QuerySet[Post]:
    """Posts open to a firm that have the words, in discussions that the filters leave.

    What the filters say and the gate are asked for each match, by looks into indexes, which the planner would else
    join; the filters first, since they cost less.
    """
    rows = Post.objects.matching(full_text(words))
    if filters and filters.group:
        within = put_to(filters.group, OuterRef("question"))
        rows = rows.alias(within=Subquery(within)).filter(within__isnull=False)
    if filters and (filters.kind or filters.solved):
        left = narrowed(Question.objects.filter(pk=OuterRef("question")), firm, replace(filters, group=""))
        rows = rows.alias(left=Subquery(left.values("pk")[:1])).filter(left__isnull=False)
    opened = Post.objects.open_to(firm).filter(pk=OuterRef("pk")).values("pk")[:1]
    return rows.alias(opened=Subquery(opened)).filter(opened__isnull=False)


def newest(firm: Firm, words: str, filters: Filters | None = None) -> list[tuple[int, int, int | None]]:
    """The newest matches as (post, question, place in the order), in one query that looks no further back than it has
    to. The place is null in the order of time, and where a discussion has no figure to be ordered by."""
    order = filters.order if filters else "new"
    place = Value(None, IntegerField()) if order == "new" else place_of(firm, order)
    rows = posts(firm, words, filters).annotate(place=place)
    parts = [_part(rows.filter(within), eras) for within, eras in _stretches()]
    found = (
        reduce(lambda all_, part: all_.union(part, all=True), parts)[:LOOKED_AT] if parts[1:] else parts[0]
    )
    return sorted(found, key=itemgetter(0), reverse=True)


def _part(rows: QuerySet, eras: str | None) -> QuerySet:
    """In an order that no index has, so that the index of words leads."""
    rows = rows.in_eras(eras) if eras else rows
    return rows.order_by((F("pk") + 0).desc()).values_list("pk", "question", "place")[:LOOKED_AT]


def _stretches() -> list[tuple[Q, str | None]]:
    newest = cache.get_or_set("observers:newest_post", _newest_post, NEWEST_KEPT)
    high, parts = newest + SPARE, []
    for length in STRETCHES:
        low = newest - length
        if low <= 0:
            break
        within = Q(pk__gt=low) if not parts else Q(pk__gt=low, pk__lte=high)
        parts.append((within, eras_of(low, high)))
        high = low
    return [*parts, (Q(pk__lte=high) if parts else Q(), None)]


def _newest_post() -> int:
    return Post.objects.aggregate(pk=Max("pk"))["pk"] or 0


def still_found(words: str, texts: Iterable[str]) -> list[bool]:
    """Of each masked text, whether it has the words. One query."""
    texts = [searchable(text) for text in texts]
    if not texts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(MATCHES, [list(range(len(texts))), texts, words])
        found = {number for (number,) in cursor.fetchall()}
    return [number in found for number in range(len(texts))]
