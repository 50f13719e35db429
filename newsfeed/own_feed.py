"""One's own feed: what a member wants of the news, newest first, each with its reason.

Everything in it stands at its moment (`shown_at`), so it pages by key. The database takes a bounded number of the
newest from each index the member's wishes lead to; what the member wants less of, and what is too much of one source,
is left out of those. A source that is followed has more room, and without pages all it needs. A few articles a day
from outside one's fields stand among them, the same ones on every page.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import Member, Specialty, User
from newsfeed.models import LessOf, Region, SourceFollow
from newsfeed.rows import Shown, Topic, load
from questions.models import TopicFollow, TopicMute
from sermo.paging import Page, cursor_after, key_of
from sermo.prepared import prepared

ORDER = ("-shown_at", "-pk")
TAKEN = 80  # candidates at once, of each wish and of all together, for every so many rows of a page:
FOR_ROWS = 20
MOST_ROUNDS = 2  # of candidates for a page of which little is wanted
LATE = timedelta(
    days=7
)  # that an article may be first seen after the moment it bears, to be new since another moment
MOST_DAYS = 14  # in a row that get articles from outside; further back, only days with others
LOOKED_AT = 300  # articles of a day among which those from outside are sought
OUTSIDERS = 20  # of them, to find some of different sources
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
        """Whether something speaks against it.

        Less of a specialty keeps what a followed source brings, and safety alerts; a muted topic keeps nothing.
        """
        if candidate.source in self.less_sources:
            return True
        if self.muted_specialties.intersection(candidate.specialties) or self.muted_tags.intersection(
            candidate.tags
        ):
            return True
        if candidate.source in self.sources or candidate.reason == ALERT:
            return False
        return bool(self.less_specialties.intersection(candidate.specialties))

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
    in_full: bool = False,
    wishes: Wishes | None = None,
) -> Page:
    """A page of one's own feed (of `Shown`), after a cursor; `since` leaves out what the site had seen by then.

    What a page passes over, because a source had its share or the member wants less of it, comes on no later page; its
    row says how much of its source that is. `in_full` gives the sources one follows all the room they need, as for
    readers who do not turn pages; `since` does too.
    """
    room = Room(size or settings.NEWS_PER_PAGE, in_full or since is not None)
    wishes = wishes if wishes is not None else wishes_of(user.as_member)
    start, seen = _place(after), since or EARLIEST
    stream = _stream(wishes, start, seen, room)
    days = _days(start, stream, _choose(stream.candidates, wishes, room).picks, room)
    stream = stream.with_others(_outside(wishes, days, seen), start)
    chosen = _choose(stream.candidates, wishes, room)
    return Page(_dressed(user, chosen, wishes), _next(stream, chosen, wishes, room))


def candidate_of(wishes: Wishes, row: Shown) -> "Candidate | None":
    """An article as one's own feed would bring it, whether it is wanted or not; None: no wish leads to it."""
    just_before = row.shown_at - timedelta(microseconds=1)
    all_of_it = replace(wishes, muted_specialties=set(), muted_tags=set(), less_specialties=set())
    found = _candidates(all_of_it, Place(row.shown_at, row.pk + 1), just_before, EARLIEST, 1).candidates
    return found[0] if found and found[0].pk == row.pk else None


def _place(cursor: str | None) -> Place:
    """The place a cursor names; one that nobody could have got from here is the top."""
    moment, pk = key_of(cursor, ORDER) or TOP
    if not isinstance(moment, datetime) or not isinstance(pk, int) or timezone.is_naive(moment):
        return TOP
    return Place(moment, pk) if EARLIEST < moment < LATEST else TOP


def less_of(member: Member | int) -> QuerySet[LessOf]:
    """What a member wants less of now: following a specialty later takes less of it back."""
    later = {"member": OuterRef("member"), "specialty": OuterRef("specialty"), "since__gt": OuterRef("since")}
    return LessOf.objects.filter(~Exists(TopicFollow.objects.filter(**later)), member=member)


def wishes_of(member: Member | None) -> Wishes:
    """All that a member said of what they want to read, in one query."""
    wishes = Wishes()
    if member is None:
        return wishes
    for what, key, slug, name in _rows_of_wishes(None, member=member.pk, specialty=member.specialty_id):
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


@prepared
def _rows_of_wishes(shape, *, member, specialty):
    follows = TopicFollow.objects.filter(member=member)
    mutes = TopicMute.objects.filter(member=member)
    less = less_of(member)
    arms = [
        _arm(Specialty.objects.filter(pk=specialty), "own", "code", "slug", "name"),
        _arm(follows.exclude(specialty=None), "specialty", "specialty_id"),
        _arm(follows.exclude(tag=None), "tag", "tag_id"),
        _arm(SourceFollow.objects.filter(member=member), "source", "source_id", name="source__short_name"),
        _arm(mutes.exclude(specialty=None), "no specialty", "specialty_id"),
        _arm(mutes.exclude(tag=None), "no tag", "tag_id"),
        _arm(less.exclude(specialty=None), "less specialty", "specialty_id"),
        _arm(less.exclude(source=None), "less source", "source_id", name="source__short_name"),
    ]
    return arms[0].union(*arms[1:], all=True)


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


def _stream(wishes: Wishes, start: Place, seen: datetime, room: "Room") -> Stream:
    """Enough candidates for a page, in few rounds: one that finds little of use is a short page."""
    most = TAKEN * -(-room.size // FOR_ROWS)
    since = max(seen, EARLIEST + LATE) - LATE
    stream = _candidates(wishes, start, since, seen, most)
    for _ in range(MOST_ROUNDS - 1):
        if stream.end is None or len(_choose(stream.candidates, wishes, room).picks) > room.size // 2:
            break
        more = _candidates(wishes, stream.end, since, seen, most)
        stream = Stream(stream.candidates + more.candidates, more.end)
    return stream


class Room(NamedTuple):
    """How much a page holds, and of one source."""

    size: int
    in_full: bool  # what is followed

    def of(self, source: int | None, wishes: Wishes) -> int:
        if source is None:
            return self.size
        if source not in wishes.sources:
            return settings.NEWS_PER_SOURCE
        return self.size if self.in_full else max(self.size // 2, settings.NEWS_PER_SOURCE)


class Chosen(NamedTuple):
    picks: list[Candidate]
    held_back: Counter  # by source, what found no room


def _choose(stream: Iterable[Candidate], wishes: Wishes, room: Room) -> Chosen:
    """The first so many that the member wants, at most a few of each source."""
    picks, taken, held_back = [], Counter(), Counter()
    for each in stream:
        if len(picks) == room.size:
            break
        if wishes.refuse(each):
            continue
        if taken[each.source] >= room.of(each.source, wishes):
            held_back[each.source] += 1
            continue
        taken[each.source] += 1
        picks.append(each)
    return Chosen(picks, held_back)


def _next(stream: Stream, chosen: Chosen, wishes: Wishes, room: Room) -> str | None:
    """The cursor behind what was looked at, where something may follow."""
    if len(chosen.picks) == room.size:
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


def _days(start: Place, stream: Stream, picks: list[Candidate], room: Room) -> list[date]:
    """The days that a page reaches over, the newest first, and if those are too many, those of its picks."""
    top = timezone.now() if start == TOP else start.shown_at
    ends = [each.shown_at for each in picks[-1:]] or ([] if start == TOP else [top])
    if stream.end and len(picks) < room.size:
        ends = [stream.end.shown_at]
    if not ends:
        return []
    newest, oldest = _day(top), _day(ends[0])
    reached = range(min((newest - oldest).days + 1, MOST_DAYS))
    return list(
        dict.fromkeys(
            [*(newest - timedelta(days=back) for back in reached), *(_day(each.shown_at) for each in picks)]
        )
    )


def _day(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_current_timezone())


# What the database finds

WANTED = """
WITH found AS (
  {arms}
), newest AS (
  SELECT article_id, shown_at, min(reason) AS reason FROM found
   GROUP BY article_id, shown_at ORDER BY shown_at DESC, article_id DESC LIMIT %(most)s
)
SELECT article.state = 'listed' AND article.first_seen_at > %(seen)s,
       newest.article_id, newest.shown_at, reason, article.source_id,
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

# Of each day what came first: neither new articles nor what is said about them moves any of those away.
FROM_OUTSIDE = """
SELECT one.id, one.shown_at, one.source_id, one.first_seen_at > %(seen)s, day.start
  FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS day(start, finish) CROSS JOIN LATERAL (
    SELECT early.id, early.shown_at, early.source_id, early.first_seen_at
      FROM (SELECT * FROM (
              SELECT id, shown_at, first_seen_at, source_id, kind, region, is_general FROM newsfeed_article
               WHERE state = 'listed' AND shown_at >= day.start AND shown_at < day.finish
               ORDER BY shown_at, id LIMIT %(looked_at)s) those ORDER BY id) early
     WHERE NOT early.is_general AND early.kind IN ('article', 'guideline', 'retraction', 'news')
       AND early.region IN ('', 'us') AND early.source_id <> ALL(%(sources)s::bigint[])
       AND NOT (SELECT array_agg(specialty_id::text) FROM newsfeed_articlespecialty
                 WHERE article_id = early.id AND NOT is_off) && %(specialties)s::text[]
       AND NOT ARRAY(SELECT tag_id FROM newsfeed_articletopic WHERE article_id = early.id) && %(tags)s::bigint[]
     ORDER BY early.id
     LIMIT %(most)s) one
 ORDER BY one.id
"""


def _candidates(wishes: Wishes, start: Place, since: datetime, seen: datetime, most: int) -> Stream:
    """The newest that the member's wishes lead to, before a place and not before `since`, first seen after `seen`."""
    against = wishes.muted_specialties | wishes.less_specialties
    values = {
        "own": [*wishes.own.keys() - against],
        "specialties": [*wishes.specialties.keys() - against],
        "tags": [*wishes.tags.keys() - wishes.muted_tags],
        "sources": [*wishes.sources],
        "at": start.shown_at,
        "pk": start.pk,
        "since": since,
        "seen": seen,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(WANTED, values)
        rows = cursor.fetchall()
    found = [Candidate(*row) for is_listed, *row in rows if is_listed]
    return Stream(found, Place(rows[-1][2], rows[-1][1]) if len(rows) == most else None)


def _outside(wishes: Wishes, days: list[date], seen: datetime) -> list[Candidate]:
    """The few of each of these days from outside the member's fields, each of another source."""
    if not days or not settings.NEWS_OUTSIDE:
        return []
    specialties = {*wishes.own, *wishes.specialties} | wishes.muted_specialties | wishes.less_specialties
    values = {
        "starts": [_midnight(day) for day in days],
        "ends": [_midnight(day + timedelta(days=1)) for day in days],
        "looked_at": LOOKED_AT,
        "sources": [*{*wishes.sources} | wishes.less_sources],
        "specialties": [*specialties],
        "tags": [*{*wishes.tags} | wishes.muted_tags],
        "most": OUTSIDERS,
        "seen": seen,
    }
    with connection.cursor() as cursor:
        cursor.execute(FROM_OUTSIDE, values)
        rows = cursor.fetchall()
    found, sources = [], defaultdict(set)
    for pk, at, source, is_new, day in rows:
        if len(sources[day]) < settings.NEWS_OUTSIDE and source not in sources[day]:
            sources[day].add(source)
            found += [Candidate(pk, at, OUTSIDE, source, [], [])] if is_new else []
    return found
