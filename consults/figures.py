"""How fast cases are answered and solved, computed from the rows as the definitions have it.

**Published asks** are cases put up for help that still stand: neither removed nor withdrawn, and never a private
consult among colleagues named, also where it was opened to all later: its clock began while few could read it.
**First reply** is the first answer that still stands, by another member who is a verified physician now, minus the
moment of publishing; the asker, staff and moderators do not count, removed answers neither, while folded and edited
ones do. Who has left counts as when they answered, which only verified physicians can: a figure does not change
because somebody leaves. **Solve rate** is solved ones among all asks older than seven days, those without any
reply included: solved here where the asker credited a reply of a colleague, else elsewhere. **Solve time** is solved
minus published. What was reopened, or is no longer solved, counts as it stands now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from django.core.cache import cache
from django.db import connection
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from accounts.models import User
from accounts.roles import MODERATORS
from consults.models import Case
from questions.models import Post, Question
from questions.rows import BETWEEN, specialty_names

MONTH = timedelta(days=30)
OLD_ENOUGH = timedelta(days=7)  # for an ask to count as solved or not
LEAST_FOR_RATE = 30
LEAST_FOR_TIME = 5
KEPT_SECONDS = 600
MOST_WAITING = 20
WITHIN = {"10 min": 600, "1 h": 3_600, "24 h": 86_400}
STEPS = {  # of the drawing: up to so many seconds
    "10 min": 600,
    "30 min": 1_800,
    "1 h": 3_600,
    "4 h": 14_400,
    "12 h": 43_200,
    "24 h": 86_400,
    "3 days": 259_200,
    "later": None,
}


class Share(NamedTuple):
    """How many, of how many of whom it can be known."""

    count: int
    of: int

    @property
    def percent(self) -> int | None:
        """None while there are too few for a rate."""
        return round(100 * self.count / self.of) if self.of >= LEAST_FOR_RATE else None


@dataclass(frozen=True)
class Times:
    """How long something took, in seconds, for those `n` of `of` to whom it has happened.

    A share within a time is of all for whom that time is over, whether it happened to them or not.
    """

    n: int
    of: int
    median: float | None
    mean: float | None
    p90: float | None
    within: tuple[Share, ...]  # as in WITHIN

    @property
    def is_shown(self) -> bool:
        return self.n >= LEAST_FOR_TIME


@dataclass(frozen=True)
class Tally:
    """The figures of some published asks."""

    asked: int
    old_enough: int
    solved_here: int
    solved_elsewhere: int
    reply: Times
    solve: Times
    steps: tuple[int, ...]  # first replies by time, as in STEPS, each but those of the step before

    @property
    def solved(self) -> Share:
        return Share(self.solved_here + self.solved_elsewhere, self.old_enough)

    @property
    def here(self) -> Share:
        return Share(self.solved_here, self.old_enough)

    @property
    def elsewhere(self) -> Share:
        return Share(self.solved_elsewhere, self.old_enough)

    @property
    def unanswered(self) -> int:
        return self.reply.of - self.reply.n


@dataclass(frozen=True)
class Period:
    """The figures of cases published since a moment, or ever."""

    whole: Tally
    by_specialty: dict[str, Tally]  # by name, the most asks first; a case counts in each of its specialties
    by_hour: dict[int, Tally]  # of publishing, in the current time zone
    pages: Times  # from a page's start to the first word of somebody on call


def _within(value: str, since: str) -> str:
    """Columns: how many took so long at most, of those for whom so long is over."""
    windows = list(WITHIN.values())
    over = [f"%(now)s - {since} >= interval '{seconds} seconds'" for seconds in windows]
    return ", ".join(
        f"count(*) FILTER (WHERE {value} <= {seconds} AND {is_over}), count(*) FILTER (WHERE {is_over})"
        for seconds, is_over in zip(windows, over, strict=True)
    )


def _times(value: str, since: str) -> str:
    return f"""
    count({value}), count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY {value}), avg({value}),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY {value}),
    {_within(value, since)}"""


TIMES = 5 + 2 * len(WITHIN)  # columns
BOUNDS = [0, *(bound for bound in STEPS.values() if bound)]
IN_STEPS = ", ".join(
    f"count(*) FILTER (WHERE replied_after {'>' if low else '>='} {low} AND replied_after <= {high})"
    for low, high in pairwise(BOUNDS)
)
TALLY = f"""
    count(*),
    count(*) FILTER (WHERE is_old), count(*) FILTER (WHERE is_old AND is_solved AND is_here),
    count(*) FILTER (WHERE is_old AND is_solved AND NOT is_here),
    {_times("replied_after", "opened_at")},
    {_times("solved_after", "opened_at")},
    {IN_STEPS}, count(*) FILTER (WHERE replied_after > {BOUNDS[-1]})"""

ASKS = """
asks AS (
    SELECT question.id, question.asker_id, question.opened_at, question.solved_at
      FROM questions_question question JOIN consults_case on_it ON on_it.question_id = question.id
     WHERE question.kind = 'case' AND on_it.intent = 'help' AND on_it.withdrawn_at IS NULL
       AND question.status <> 'removed' AND question.audience <> 'invited' AND question.opened_at <= %(now)s
       AND NOT EXISTS (SELECT FROM questions_invitation asked_in WHERE asked_in.question_id = question.id)
),
spans (span, since) AS (VALUES ('month', %(since)s::timestamptz), ('all', '-infinity'::timestamptz))"""

SQL = f"""
WITH {ASKS},
staff AS (
    SELECT id AS user_id FROM accounts_user WHERE is_staff
     UNION SELECT belongs.user_id FROM accounts_user_groups belongs
             JOIN auth_group ON auth_group.id = belongs.group_id AND auth_group.name = %(moderators)s
),
replies AS (
    SELECT post.question_id, min(post.posted_at) AS first_at
      FROM asks JOIN questions_post post ON post.question_id = asks.id
      JOIN accounts_member author ON author.id = post.author_id
     WHERE post.kind = 'answer' AND post.removed_at IS NULL AND post.author_id <> asks.asker_id
       AND (author.standing IN ('physician', 'read_only')
            OR (author.user_id IS NULL AND author.standing <> 'suspended'))
       AND NOT EXISTS (SELECT FROM staff WHERE staff.user_id = author.user_id)
     GROUP BY post.question_id
),
credited AS (
    SELECT DISTINCT credit.question_id
      FROM asks JOIN questions_credit credit ON credit.question_id = asks.id
      JOIN questions_post post ON post.id = credit.post_id
     WHERE post.removed_at IS NULL AND post.author_id <> asks.asker_id
),
cases AS MATERIALIZED (
    SELECT asks.id, asks.opened_at, asks.opened_at < %(week_ago)s AS is_old,
           extract(hour FROM asks.opened_at AT TIME ZONE %(zone)s)::int AS hour,
           asks.solved_at IS NOT NULL AS is_solved, credited.question_id IS NOT NULL AS is_here,
           extract(epoch FROM asks.solved_at - asks.opened_at)::float8 AS solved_after,
           extract(epoch FROM replies.first_at - asks.opened_at)::float8 AS replied_after
      FROM asks LEFT JOIN replies ON replies.question_id = asks.id
      LEFT JOIN credited ON credited.question_id = asks.id
)
SELECT span, 'whole', '', {TALLY} FROM cases JOIN spans ON opened_at >= since GROUP BY span
 UNION ALL
SELECT span, 'specialty', specialty.name, {TALLY} FROM cases JOIN spans ON opened_at >= since
  JOIN questions_questionspecialty among ON among.question_id = cases.id
  JOIN accounts_specialty specialty ON specialty.code = among.specialty_id GROUP BY span, specialty.name
 UNION ALL
SELECT span, 'hour', hour::text, {TALLY} FROM cases JOIN spans ON opened_at >= since GROUP BY span, hour
"""  # noqa: S608 - our own words, see above

PAGES = f"""
WITH {ASKS},
pages AS (
    SELECT started_at, extract(epoch FROM first_heard_at - started_at)::float8 AS heard_after
      FROM asks JOIN consults_paging paging ON paging.case_id = asks.id WHERE started_at <= %(now)s
)
SELECT span, {_times("heard_after", "started_at")} FROM pages JOIN spans ON started_at >= since GROUP BY span
"""  # noqa: S608 - ditto


def compute(now: datetime | None = None) -> dict[str, Period]:
    """The figures of the last 30 days ("month") and of all time ("all"). Two queries."""
    now = now or timezone.now()
    values = {
        "now": now,
        "since": now - MONTH,
        "week_ago": now - OLD_ENOUGH,
        "zone": timezone.get_current_timezone_name(),
        "moderators": MODERATORS,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, values)
        rows = cursor.fetchall()
        cursor.execute(PAGES, values)
        pages = {span: _times_of(row) for span, *row in cursor.fetchall()}
    return {span: _period(span, rows, pages) for span in ("month", "all")}


def _period(span: str, rows: list[tuple], pages: dict[str, Times]) -> Period:
    found: dict[str, dict[str, Tally]] = {"whole": {}, "specialty": {}, "hour": {}}
    for row in rows:
        if row[0] == span:
            found[row[1]][row[2]] = _tally(row[3:])
    ordered = sorted(found["specialty"].items(), key=lambda pair: (-pair[1].asked, pair[0]))
    hours = sorted((int(hour), tally) for hour, tally in found["hour"].items())
    return Period(found["whole"].get("", NOTHING), dict(ordered), dict(hours), pages.get(span, NEVER))


def _tally(row: tuple) -> Tally:
    counts, row = row[:4], row[4:]
    return Tally(*counts, _times_of(row[:TIMES]), _times_of(row[TIMES : 2 * TIMES]), tuple(row[2 * TIMES :]))


def _times_of(row) -> Times:
    within = tuple(Share(*row[at : at + 2]) for at in range(5, TIMES, 2))
    return Times(*row[:5], within)


NEVER = Times(0, 0, None, None, None, (Share(0, 0),) * len(WITHIN))
NOTHING = Tally(0, 0, 0, 0, NEVER, NEVER, (0,) * len(STEPS))


def as_of_late() -> tuple[dict[str, Period], datetime]:
    """The figures, at most ten minutes old, and their moment: no page counts the tables each time."""
    key = f"case-figures:{timezone.get_current_timezone_name()}"
    known = cache.get(key)
    if known is None:
        now = timezone.now()
        known = compute(now), now
        cache.set(key, known, KEPT_SECONDS)
    return known


# In one reader's eyes


class Waiting(NamedTuple):
    """A case that nobody has answered."""

    pk: int
    title: str
    opened_at: datetime
    ask: str
    topic_names: str

    @property
    def url(self) -> str:
        return Question.url_of(self.pk, self.title, Question.Kind.CASE)

    @property
    def ask_label(self) -> str:
        return Case.Ask(self.ask).label

    @property
    def topics(self) -> list[str]:
        return self.topic_names.split(BETWEEN)


def waiting(user: User) -> list[Waiting]:
    """Open asks without any answer of another that stands, the longest first, as far as one reader sees them.

    Whose answers the figures leave out is no matter here: the list would tell of an author that they are staff.
    """
    member = user.as_member
    answers = (
        Post.objects.answers().standing().filter(question=OuterRef("pk")).exclude(author=OuterRef("asker"))
    )
    rows = Question.objects.visible_to(user).open().besides_blocked(member).besides_muted(member)
    rows = rows.filter(~Exists(answers), kind=Question.Kind.CASE, solved_at=None)
    rows = rows.filter(case__intent=Case.Intent.HELP, case__withdrawn_at=None).order_by("opened_at", "pk")
    columns = ("pk", "title", "opened_at", F("case__ask"), specialty_names())
    return [Waiting(*row) for row in rows.values_list(*columns)[:MOST_WAITING]]
