"""What a search shows: the newest matches up to a bound, the closest first, the hits of a discussion together.

Only so many matches are ranked, since ranking every match of a common word would take most of a second. The bound is
part of the promise, so it is told, with the way to what is older.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from django.conf import settings
from django.contrib.postgres.search import SearchHeadline, SearchRank
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Left
from django.utils import timezone

from questions import doubt
from questions.labels import label_of
from questions.models import Post, Question
from questions.readers import ReaderShape, shape_of, stand_in, values_of
from questions.rows import BETWEEN, asker_mode, specialty_names
from questions.search.gate import readable
from questions.search.language import day_after
from questions.search.matching import Once, Plan, Search
from questions.signature import Signature, Signer, signed, signer_columns
from questions.words import Words, words_of
from sermo.fragments import age_of, draw
from sermo.prepared import AnyOf, Constant, Slot, Written, prepared
from sermo.text import searchable

ORDERS = {"relevance": "Relevance", "newest": "Newest"}
SNIPPET_WORDS = 32
SNIPPET_FROM = 4_000  # characters of a post in which the words are looked for to be shown
WITHOUT_WORDS = 180  # characters shown of a post where no words are looked for
START, STOP = "\x02", "\x03"
MARKDOWN = re.compile(r"\\([!-/:-@\[-`{-~])|\\$|[*_#>|`~-]{2,}|[*#>|`]")
CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})-(\d{1,18})-([0-9.e+-]{1,30})")
SPARE = 1.15  # how much further back to look than the word's share alone would have it
WORTH_A_GUESS = 0.7  # share of all posts from which on one may as well look through all of them
GUESSES = 4

SHARES = """
SELECT typed.lexeme, coalesce(known.documents, 0), (SELECT max(id) FROM questions_post)
  FROM unnest(to_tsvector('english', %s)) AS typed LEFT JOIN questions_lexeme known ON known.word = typed.lexeme
"""

FACETS_SHOWN = 8
FACETS = Written(
    """
SELECT 'kind', kind, CASE WHEN solved_at IS NULL THEN 'no' ELSE 'yes' END, count(*)
  FROM questions_question WHERE id = ANY(%s) GROUP BY 2, 3
UNION ALL
(SELECT 'specialty', s.slug, s.name, q.number
   FROM (SELECT specialty_id, count(*) AS number
           FROM questions_questionspecialty WHERE question_id = ANY(%s) GROUP BY 1) q
   JOIN accounts_specialty s ON s.code = q.specialty_id ORDER BY 4 DESC, 3 LIMIT %s)
UNION ALL
(SELECT 'tag', t.slug, t.name, q.number
   FROM (SELECT tag_id, count(*) AS number
           FROM questions_question_tags WHERE question_id = ANY(%s) GROUP BY 1) q
   JOIN questions_tag t ON t.id = q.tag_id ORDER BY 4 DESC, 3 LIMIT %s)
""",
    (Slot("ids", None), Slot("ids", None), Constant(FACETS_SHOWN), Slot("ids", None), Constant(FACETS_SHOWN)),
    converters=[],
    database=DEFAULT_DB_ALIAS,
)
TELLING = {
    "kind": 2,
    "solved": 2,
    "specialty": 2,
    "tag": 1,
}  # from so many values on, a facet tells them apart


@dataclass(frozen=True)
class Cursor:
    """Where a list of results goes on, and the posts it is made of: those from `low` to `high`, whatever came since."""

    low: int
    high: int
    post: int
    rank: float

    @classmethod
    def read(cls, text: str | None) -> "Cursor | None":
        """The cursor of an address; None for what is none."""
        found = CURSOR.fullmatch(text or "")
        try:
            return cls(*map(int, found.groups()[:3]), float(found[4])) if found else None
        except ValueError:
            return None

    def __str__(self):
        return f"{self.low}-{self.high}-{self.post}-{self.rank!r}"


@dataclass
class Hit:
    """A discussion that was found, with its best post and how many more there are."""

    question_id: int
    post_id: int
    rank: float  # 0 where the newest come first
    others: int = 0


class Result(NamedTuple):
    """One row of the page: the best post of a discussion. Equal ones are drawn alike, see `sermo.fragments`."""

    pk: int
    kind: str
    snippet: str
    marked_title: str
    question_id: int
    question_kind: str
    title: str
    status: str
    solved_at: datetime | None
    opened_at: datetime
    answer_count: int
    importance_sum: int
    importance_count: int
    topic_names: str
    label: str  # see questions.labels
    signer: Signer
    others: int = 0
    opened_age: int = 0  # so that a row drawn a while ago is not taken for one of now

    @property
    def drawn(self) -> str:
        return draw("questions/search/_result.html", result=self)

    @property
    def foot(self) -> str:
        """What does not depend on the words searched for."""
        shown = ("signer", "opened_at", "opened_age", "answer_count", "importance_sum", "importance_count")
        shown += ("question_kind",)
        bare = self._replace(**{name: None for name in self._fields if name not in shown})
        return draw("questions/search/_result_foot.html", result=bare)

    @property
    def url(self) -> str:
        page = Question.url_of(self.question_id, self.title, self.question_kind)
        return page if self.kind == Post.Kind.OPENING else f"{page}?post={self.pk}#post-{self.pk}"

    @property
    def byline(self) -> Signature:
        return signed(self.signer)

    @property
    def said_in(self) -> str:
        """What kind of post the words stand in, where it is not the opening."""
        return "" if self.kind == Post.Kind.OPENING else self.words.post(self.kind).capitalize()

    @property
    def lead(self) -> str:
        return "opened" if self.question_kind == Question.Kind.ARTICLE else "asked"

    @property
    def words(self) -> Words:
        return words_of(self.question_kind)

    @property
    def kind_label(self) -> str:
        return Question.Kind(self.question_kind).label

    @property
    def is_solved(self) -> bool:
        return self.solved_at is not None

    @property
    def topics(self) -> list[str]:
        return self.topic_names.split(BETWEEN) if self.topic_names else []

    @property
    def importance_mean(self) -> float | None:
        return self.importance_sum / self.importance_count if self.importance_count else None

    @property
    def title_parts(self) -> list[tuple[bool, str]]:
        return marked(self.marked_title)

    @property
    def snippet_parts(self) -> list[tuple[bool, str]]:
        return marked(MARKDOWN.sub(lambda sign: sign[1] or " ", self.snippet))


COLUMNS = Result._fields.index("signer")


@dataclass
class Results:
    """A page of results. `is_full`: there are more matches than were looked at; `older` searches on from there."""

    rows: list[Result] = field(default_factory=list)
    found: int = 0
    is_full: bool = False
    next: Cursor | None = None
    older: str = ""
    facets: dict[str, list[tuple[str, str, int]]] = field(default_factory=dict)


class Finder:
    """Finds what one search shows in one order."""

    def __init__(self, search: Search, order: str = "relevance"):
        self.search = search
        self.order = order if search.typed.has_words else "newest"

    def page(self, after: Cursor | None = None) -> Results:
        """The first results, with facets, or those after a cursor."""
        matches = self._matches(after)
        hits = self._hits(matches)
        rest = [hit for hit in hits if _beyond(hit, after)] if after else hits
        shown = rest[: settings.RESULTS_PER_PAGE]
        results = Results(found=len(hits), is_full=len(matches) >= settings.MATCHES_RANKED)
        results.rows = self._rows(shown)
        if len(rest) > len(shown):
            low, high = (after.low, after.high) if after else (matches[-1][0], matches[0][0])
            results.next = Cursor(low, high, shown[-1].post_id, shown[-1].rank)
        elif results.is_full:
            results.older = self._older(matches[-1][0])
        if not after and hits:
            results.facets = facets([hit.question_id for hit in hits])
        return results

    # The bounded set

    def _matches(self, after: Cursor | None) -> list[tuple[int, int, float]]:
        """The newest matches as (post, question, rank), newest first.

        How far back they reach is guessed from how common the words are, since reading all matches of a common word
        would be slow: at first as if the words always stood together, then by what was found so far. After the
        guesses comes all that is left: none is missed, and no post is asked for twice. A list that goes on is made of
        the same stretch of posts as its first page.
        """
        most = settings.MATCHES_RANKED
        if after:
            return self._newest(after.low - 1, after.high)
        share, newest = self._share()
        length = SPARE * most / share if share else newest
        found, high = [], newest or None
        for _ in range(GUESSES):
            if length >= WORTH_A_GUESS * newest:
                break
            low = newest - int(length)
            found += self._newest(low, high)
            if len(found) >= most:
                return found[:most]
            reached = newest - low
            high, length = low, SPARE * most * reached / max(len(found), 1)
        return [*found, *self._newest(None, high)][:most]

    def _share(self) -> tuple[float, int]:
        """In which share of all posts, as of last night, the words occur if the rarer never stand without the
        commoner; and the newest post.
        """
        newest = self.shares[0][2] if self.shares else None
        if not newest:
            return 0.0, 0
        shares = [min(documents / newest, 1.0) for _, documents, _ in self.shares]
        return (max if self.search.typed.has_alternatives else min)(shares), newest

    @cached_property
    def shares(self) -> list[tuple[str, int, int]]:
        """Of each word stem looked for, in how many posts it occurs, and the newest post."""
        if not self.search.is_for_posts or not self.search.typed.has_words:
            return []
        with connection.cursor() as cursor:
            cursor.execute(SHARES, [searchable(self.search.typed.looked_for)])
            return cursor.fetchall()

    def _newest(self, low: int | None, high: int | None) -> list[tuple[int, int, float]]:
        """The newest matches of a stretch, without its lowest number, through the gate."""
        search = self.search
        if not search.is_for_posts:
            return []
        shape = (shape_of(search.user), search.plan, self.order, settings.MATCHES_RANKED)
        eras = None if low is None else search.eras_between(low, high)
        return _matching(shape, **values_of(search.user), words=search.words, low=low, high=high, eras=eras)

    def _hits(self, matches) -> list[Hit]:
        """The discussions, each by its best post, in the order wanted."""
        best: dict[int, Hit] = {}
        for post_id, question_id, rank in sorted(matches, key=lambda match: (-match[2], -match[0])):
            if question_id in best:
                best[question_id].others += 1
            else:
                best[question_id] = Hit(question_id, post_id, rank)
        return list(best.values())

    def _older(self, post_id: int) -> str:
        """The same search over what was written before the last match that was looked at."""
        typed = self.search.typed
        before = day_after(Post.objects.values_list("posted_at", flat=True).get(pk=post_id))
        return "" if typed.value("before") == before else str(typed.plus("before", before))

    # What is shown

    def _rows(self, hits: list[Hit]) -> list[Result]:
        """The rows of a page, by one query, through the gate once more."""
        if not hits:
            return []
        search, now = self.search, timezone.now()
        shape = (shape_of(search.user), search.plan)
        posts = [hit.post_id for hit in hits]
        words = search.words if search.typed.has_words else None
        found = {row[0]: row for row in _shown(shape, **values_of(search.user), words=words, posts=posts)}
        return [_result(found[hit.post_id], hit, now) for hit in hits if hit.post_id in found]


# Queries


@prepared
def _matching(
    shape: tuple[ReaderShape, Plan, str, int], *, reader, reader_specialty, words, low, high, eras
) -> QuerySet:
    """Posts, their questions and, where they are to be ordered by it, ranks.

    For words the order and the stretch are by a sum that no index has: the index of words and eras is to lead, where
    the planner would read all numbers of the stretch beside it, or walk back through all posts to find a few.
    """
    reader_shape, plan, order, most = shape
    number = F("pk") + 0 if plan.by_words else F("pk")
    rows = plan.posts(stand_in(reader_shape, reader, reader_specialty), words, eras)
    rows = rows.alias(number=number)
    rows = rows if low is None else rows.filter(number__gt=low)
    rows = rows if high is None else rows.filter(number__lte=high)
    rank = Value(0.0) if order == "newest" else SearchRank(F("search_vector"), Once(words), normalization=1)
    return rows.order_by(number.desc()).values_list("pk", "question", rank)[:most]


@prepared
def _shown(shape: tuple[ReaderShape, Plan], *, reader, reader_specialty, words, posts) -> QuerySet:
    reader_shape, plan = shape
    user = stand_in(reader_shape, reader, reader_specialty)
    return (
        readable(user, plan.questions(user))
        .filter(AnyOf("pk", posts))
        .values_list(
            "pk",
            "kind",
            _headline(
                "source", words, max_words=SNIPPET_WORDS, min_words=SNIPPET_WORDS // 2, max_fragments=1
            ),
            _headline("question__title", words, highlight_all=True),
            *(f"question__{name}" for name in ("pk", "kind", "title", "status", "solved_at", "opened_at")),
            *(f"question__{name}" for name in ("answer_count", "importance_sum", "importance_count")),
            specialty_names("question"),
            label_of("question"),
            *signer_columns(asker_mode("question", "question__asker"), "question__asker"),
            doubt.is_doubted(),
        )
    )


def _headline(name: str, words: str | None, **options):
    """The part of a text where the words stand, marked; without words its beginning."""
    if words is None:
        return Left(name, Value(WITHOUT_WORDS), output_field=TextField())
    text = Left(name, Value(SNIPPET_FROM), output_field=TextField())
    return SearchHeadline(text, Once(words), config="english", start_sel=START, stop_sel=STOP, **options)


def _result(row: tuple, hit: Hit, now: datetime) -> Result:
    *shown, is_doubted = row
    made = Result(*shown[:COLUMNS], Signer(*shown[COLUMNS:]), others=hit.others)
    if is_doubted:
        made = made._replace(snippet=doubt.SAID)
    return made._replace(opened_age=age_of(made.opened_at, now))


def _beyond(hit: Hit, after: Cursor) -> bool:
    """Whether a result comes after a cursor, in the order the cursor was given out in."""
    return (-hit.rank, -hit.post_id) > (-after.rank, -after.post)


def marked(text: str) -> list[tuple[bool, str]]:
    """A headline cut into (is match, words), so that the template marks it without trusting any markup."""
    parts, is_match = [], False
    for is_sign, signs in groupby(text, key=lambda sign: sign in START + STOP):
        words = "".join(signs)
        if is_sign:
            is_match = words.endswith(START)
        else:
            parts.append((is_match, words))
    return parts


def facets(question_ids: list[int]) -> dict[str, list[tuple[str, str, int]]]:
    """How many of these discussions there are of each kind, state, specialty and tag, by one query.

    They came through the reader's gate, so the counts know nothing of others.
    """
    kinds, solved, topics = Counter(), Counter(), defaultdict(list)
    for name, value, label, number in FACETS.run({"ids": question_ids}):
        if name == "kind":
            kinds[value] += number
            solved[label] += number if value == Question.Kind.QUESTION else 0
        else:
            topics[name].append((value, label, number))
    found = {"kind": _unnamed(kinds), "solved": _unnamed(solved), **topics}
    return {name: rows for name, rows in found.items() if len(rows) >= TELLING[name]}


def _unnamed(counts: Counter) -> list[tuple[str, str, int]]:
    return [(value, "", number) for value, number in sorted(counts.items()) if number]
