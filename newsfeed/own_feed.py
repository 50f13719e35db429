"""One's own feed: what a member wants of the news, newest first, each with its reason.

Everything in it stands at its moment (`shown_at`), so it pages by key. The database takes a bounded number of the
newest from each index the member's wishes lead to; what the member wants less of, and what is too much of one source,
is left out of those. A few articles a day from outside one's fields stand among them, the same ones on every page.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import Member, Specialty, User
from newsfeed.models import LessOf, Region, SourceFollow
from newsfeed.rows import Shown, Topic, load
from questions.models import TopicFollow, TopicMute
from sermo.paging import Page, cursor_after, key_of

ORDER = ("-shown_at", "-pk")
TAKEN = 80  # candidates at once, of each wish and of all together, for every so many rows of a page:
FOR_ROWS = 20
MOST_ROUNDS = 2  # of candidates for a page of which little is wanted
MOST_DAYS = 7  # of a page that get articles from outside
LOOKED_AT = 300  # articles of a day, the newest, among which those from outside are sought
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


class Place(NamedTuple):
    """Where an article stands in every list; lists begin with the largest."""

    shown_at: datetime
    pk: int


TOP = Place(LATEST, 0)


class Candidate(NamedTuple):
    pk: int
    shown_at: datetime
    reason: str
    source: int | None
    specialties: list[str]
    tags: list[int]

    @property
    def place(self) -> Place:
        return Place(self.shown_at, self.pk)


@dataclass
class Wishes:
    """What a member wants of the news, and what not."""

    own: dict[str, Topic] = field(default_factory=dict)  # their specialty
    specialties: dict[str, Topic] = field(default_factory=dict)
    tags: dict[int, Topic] = field(default_factory=dict)
    sources: dict[int, Topic] = field(default_factory=dict)
    muted_specialties: set[str] = field(default_factory=set)
    muted_tags: set[int] = field(default_factory=set)
    less_specialties: set[str] = field(default_factory=set)
    less_sources: set[int] = field(default_factory=set)

    @property
    def are_none(self) -> bool:
        return not (self.own or self.specialties or self.tags or self.sources)

    def refuse(self, candidate: Candidate) -> bool:
        """Whether something speaks against it. Who follows a source gets it whatever its specialty."""
        if candidate.source in self.less_sources:
            return True
        if self.muted_specialties.intersection(candidate.specialties) or self.muted_tags.intersection(
            candidate.tags
        ):
            return True
        return candidate.source not in self.sources and bool(
            self.less_specialties.intersection(candidate.specialties)
        )

    def say(self, reason: str) -> str:
        """A reason of the database in words."""
        number, _, key = reason.partition(" ")
        if number == FOLLOWED_SOURCE:
            return f"because you follow {self.sources[int(key)].name}"
        if number == FOLLOWED_SPECIALTY:
            return f"because you follow {in_a_sentence(self.specialties[key].name)}"
        if number == FOLLOWED_TAG:
            return f"because you follow {self.tags[int(key)].name}"
        return WORDS[number]


# The first that fits is said: the database takes the smallest.
OURS, ALERT, OWN, FOLLOWED_SOURCE, FOLLOWED_SPECIALTY, FOLLOWED_TAG, GENERAL, OUTSIDE = "12345678"
WORDS = {
    OURS: "from the editors of Sermo",
    ALERT: f"safety alert for the {Region.US.label}",
    OWN: "in your specialty",
    GENERAL: "general medicine",
    OUTSIDE: "outside your fields",
}


def newest_for(
    user: User,
    *,
    after: str | None = None,
    size: int | None = None,
    since: datetime | None = None,
    wishes: Wishes | None = None,
) -> Page:
    """A page of one's own feed (of `Shown`), after a cursor; `since` leaves out what is not newer.

    What a page passes over, because a source had its share or the member wants less of it, comes on no later page.
    """
    size = size or settings.NEWS_PER_PAGE
    since = since or EARLIEST
    wishes = wishes if wishes is not None else wishes_of(user.as_member)
    start = _place(after)
    stream = _stream(wishes, start, since, size)
    days = _days(start, _choose(stream.candidates, wishes, size).picks)
    stream = stream.with_others(_outside(wishes, days, since), start)
    chosen = _choose(stream.candidates, wishes, size)
    return Page(_dressed(user, chosen, wishes), _next(stream, chosen, wishes, size))


def _place(cursor: str | None) -> Place:
    """The place a cursor names; one that nobody could have got from here is the top."""
    moment, pk = key_of(cursor, ORDER) or TOP
    if not isinstance(moment, datetime) or not isinstance(pk, int) or timezone.is_naive(moment):
        return TOP
    return Place(moment, pk) if EARLIEST < moment < LATEST else TOP


def wishes_of(member: Member | None) -> Wishes:
    """All that a member said of what they want to read, in one query."""
    wishes = Wishes()
    if member is None:
        return wishes
    follows = TopicFollow.objects.filter(member=member)
    mutes = TopicMute.objects.filter(member=member)
    less = LessOf.objects.filter(member=member)
    arms = [
        _arm(Specialty.objects.filter(pk=member.specialty_id), "own", "code", "slug", "name"),
        _arm(follows.exclude(specialty=None), "specialty", "specialty_id"),
        _arm(follows.exclude(tag=None), "tag", "tag_id"),
        _arm(SourceFollow.objects.filter(member=member), "source", "source_id", name="source__short_name"),
        _arm(mutes.exclude(specialty=None), "no specialty", "specialty_id"),
        _arm(mutes.exclude(tag=None), "no tag", "tag_id"),
        _arm(less.exclude(specialty=None), "less specialty", "specialty_id"),
        _arm(less.exclude(source=None), "less source", "source_id", name="source__short_name"),
    ]
    for what, key, slug, name in arms[0].union(*arms[1:], all=True):
        match what:
            case "own":
                wishes.own[key] = Topic(slug, name)
            case "specialty":
                wishes.specialties[key] = Topic(slug, name)
            case "tag":
                wishes.tags[int(key)] = Topic(slug, name)
            case "source":
                wishes.sources[int(key)] = Topic(slug, name)
            case "no specialty":
                wishes.muted_specialties.add(key)
            case "no tag":
                wishes.muted_tags.add(int(key))
            case "less specialty":
                wishes.less_specialties.add(key)
            case "less source":
                wishes.less_sources.add(int(key))
    return wishes


def _arm(rows, what, key, slug="", name=""):
    of = key.removesuffix("_id")
    text = TextField()
    return rows.order_by().values_list(
        Value(what, output_field=text),
        Cast(key, text),
        Cast(slug or f"{of}__slug", text),
        Cast(name or f"{of}__name", text),
    )


def in_a_sentence(name: str) -> str:
    """A specialty's name within a sentence: small letters, but for what is spelled in capitals."""
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in name.split())


# Choosing


class Stream(NamedTuple):
    """Candidates, the newest first, and where the database stopped looking; None: there are no more."""

    candidates: list[Candidate]
    end: Place | None

    def with_others(self, others: list[Candidate], start: Place) -> "Stream":
        """These and some others that stand between the start and the end."""
        known = {each.pk for each in self.candidates}
        between = [
            each
            for each in others
            if each.pk not in known and each.place < start and (self.end is None or each.place > self.end)
        ]
        merged = sorted([*self.candidates, *between], key=lambda each: each.place, reverse=True)
        return Stream(merged, self.end)


def _stream(wishes: Wishes, start: Place, since: datetime, size: int) -> Stream:
    """Enough candidates for a page, in few rounds: one that finds little of use is a short page."""
    most = TAKEN * -(-size // FOR_ROWS)
    stream = _candidates(wishes, start, since, most)
    for _ in range(MOST_ROUNDS - 1):
        if stream.end is None or len(_choose(stream.candidates, wishes, size).picks) > size // 2:
            break
        more = _candidates(wishes, stream.end, since, most)
        stream = Stream(stream.candidates + more.candidates, more.end)
    return stream


class Chosen(NamedTuple):
    picks: list[Candidate]
    held_back: Counter  # by source, what found no room


def _choose(stream: Iterable[Candidate], wishes: Wishes, size: int) -> Chosen:
    """The first so many that the member wants, at most a few of each source."""
    picks, taken, held_back = [], Counter(), Counter()
    for each in stream:
        if len(picks) == size:
            break
        if wishes.refuse(each):
            continue
        if each.source and taken[each.source] >= settings.NEWS_PER_SOURCE:
            held_back[each.source] += 1
            continue
        taken[each.source] += 1
        picks.append(each)
    return Chosen(picks, held_back)


def _next(stream: Stream, chosen: Chosen, wishes: Wishes, size: int) -> str | None:
    """The cursor behind what was looked at, where something may follow."""
    if len(chosen.picks) == size:
        end = chosen.picks[-1].place
        if any(each.place < end and not wishes.refuse(each) for each in stream.candidates):
            return cursor_after(end)
    return cursor_after(stream.end) if stream.end else None


def _dressed(user: User, chosen: Chosen, wishes: Wishes) -> list[Shown]:
    """The rows of what was chosen; the last of a source says how much of it found no room."""
    rows = load(user, [each.pk for each in chosen.picks])
    last = {each.source: each.pk for each in chosen.picks if each.pk in rows}
    for each in chosen.picks:
        if row := rows.get(each.pk):
            row.why = wishes.say(each.reason)
            row.held_back = chosen.held_back[each.source] if last[each.source] == each.pk else 0
    return [rows[each.pk] for each in chosen.picks if each.pk in rows]


def _days(start: Place, picks: list[Candidate]) -> list[datetime]:
    """The midnights that begin the days of a page, the newest first."""
    moments = [start.shown_at] if start != TOP else []
    moments += [each.shown_at for each in picks]
    return list(dict.fromkeys(_midnight(moment) for moment in moments))[:MOST_DAYS]


def _midnight(moment: datetime) -> datetime:
    return timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0)


# What the database finds

WANTED = """
WITH found AS (
  {arms}
), newest AS (
  SELECT article_id, shown_at, min(reason) AS reason FROM found
   GROUP BY article_id, shown_at ORDER BY shown_at DESC, article_id DESC LIMIT %(most)s
)
SELECT article.state = 'listed', newest.article_id, newest.shown_at, reason, article.source_id,
       ARRAY(SELECT specialty_id FROM newsfeed_articlespecialty
              WHERE article_id = newest.article_id AND NOT is_off),
       ARRAY(SELECT tag_id FROM newsfeed_articletopic WHERE article_id = newest.article_id)
  FROM newest JOIN newsfeed_article article ON article.id = newest.article_id
 ORDER BY newest.shown_at DESC, newest.article_id DESC
"""
OF_EACH = """
  SELECT one.article_id, one.shown_at, '{reason} ' || wish.key AS reason
    FROM unnest(%({wishes})s::{type}[]) AS wish(key) CROSS JOIN LATERAL (
      SELECT {pk} AS article_id, shown_at FROM {table}
       WHERE {column} = wish.key AND {condition}
         AND (shown_at, {pk}) < (%(at)s, %(pk)s) AND shown_at > %(since)s
       ORDER BY shown_at DESC, {pk} DESC LIMIT %(most)s) one"""
OF_ALL = """
  (SELECT id AS article_id, shown_at, '{reason}' AS reason FROM newsfeed_article
    WHERE state = 'listed' AND {condition} AND (shown_at, id) < (%(at)s, %(pk)s) AND shown_at > %(since)s
    ORDER BY shown_at DESC, id DESC LIMIT %(most)s)"""
TAGGED = {
    "table": "newsfeed_articlespecialty",
    "pk": "article_id",
    "column": "specialty_id",
    "type": "text",
    "condition": "NOT is_off",
}
ARMS = [
    OF_ALL.format(reason=OURS, condition="kind = 'sermo'"),
    OF_ALL.format(reason=ALERT, condition="kind = 'alert' AND region = 'us'"),
    OF_ALL.format(reason=GENERAL, condition="is_general"),
    OF_EACH.format(reason=OWN, wishes="own", **TAGGED),
    OF_EACH.format(reason=FOLLOWED_SPECIALTY, wishes="specialties", **TAGGED),
    OF_EACH.format(
        reason=FOLLOWED_TAG,
        wishes="tags",
        table="newsfeed_articletopic",
        pk="article_id",
        column="tag_id",
        type="bigint",
        condition="true",
    ),
    OF_EACH.format(
        reason=FOLLOWED_SOURCE,
        wishes="sources",
        table="newsfeed_article",
        pk="id",
        column="source_id",
        type="bigint",
        condition="state = 'listed'",
    ),
]
WANTED = WANTED.format(arms="\n  UNION ALL".join(ARMS))

# Of each day the most discussed first, then guidelines, then what came first: new articles move none of those away.
FROM_OUTSIDE = """
SELECT one.id, one.shown_at, one.source_id
  FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS day(start, finish) CROSS JOIN LATERAL (
    SELECT late.id, late.shown_at, late.source_id
      FROM (SELECT id, shown_at, source_id, kind, region, is_general FROM newsfeed_article
             WHERE state = 'listed' AND shown_at >= day.start AND shown_at < day.finish
             ORDER BY shown_at DESC, id DESC LIMIT %(looked_at)s) late
     CROSS JOIN LATERAL (SELECT array_agg(specialty_id::text) AS codes FROM newsfeed_articlespecialty
                          WHERE article_id = late.id AND NOT is_off) tagged
      LEFT JOIN newsfeed_discussion discussion ON discussion.article_id = late.id
      LEFT JOIN questions_question question ON question.id = discussion.question_id
     WHERE NOT late.is_general AND late.kind IN ('article', 'guideline', 'retraction', 'news')
       AND late.region IN ('', 'us') AND late.source_id <> ALL(%(sources)s::bigint[])
       AND NOT tagged.codes && %(specialties)s::text[]
       AND NOT ARRAY(SELECT tag_id FROM newsfeed_articletopic WHERE article_id = late.id) && %(tags)s::bigint[]
     ORDER BY question.answer_count DESC NULLS LAST, late.kind = 'guideline' DESC, late.shown_at, late.id
     LIMIT %(most)s) one
 WHERE one.shown_at > %(since)s
"""


def _candidates(wishes: Wishes, start: Place, since: datetime, most: int) -> Stream:
    """The newest that the member's wishes lead to, before a place."""
    against = wishes.muted_specialties | wishes.less_specialties
    values = {
        "own": [*wishes.own.keys() - against],
        "specialties": [*wishes.specialties.keys() - against],
        "tags": [*wishes.tags.keys() - wishes.muted_tags],
        "sources": [*wishes.sources],
        "at": start.shown_at,
        "pk": start.pk,
        "since": since,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(WANTED, values)
        rows = cursor.fetchall()
    found = [Candidate(*row) for is_listed, *row in rows if is_listed]
    return Stream(found, Place(rows[-1][2], rows[-1][1]) if len(rows) == most else None)


def _outside(wishes: Wishes, days: list[datetime], since: datetime) -> list[Candidate]:
    """The few of each of these days from outside the member's fields."""
    if not days:
        return []
    specialties = {*wishes.own, *wishes.specialties} | wishes.muted_specialties | wishes.less_specialties
    values = {
        "starts": days,
        "ends": [_midnight(day + timedelta(hours=26)) for day in days],  # also where a day has 25 hours
        "looked_at": LOOKED_AT,
        "sources": [*{*wishes.sources} | wishes.less_sources],
        "specialties": [*specialties],
        "tags": [*{*wishes.tags} | wishes.muted_tags],
        "most": settings.NEWS_OUTSIDE,
        "since": since,
    }
    with connection.cursor() as cursor:
        cursor.execute(FROM_OUTSIDE, values)
        return [Candidate(pk, at, OUTSIDE, source, [], []) for pk, at, source in cursor.fetchall()]
