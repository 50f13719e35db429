"""The figures of moderation: the load of the desk for moderators, and the public log, which names nobody."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import median

from django.db import connection
from django.db.models import F
from django.utils import timezone

from questions.cells import LEAST
from questions.models import Appeal, ModerationAction, Reason, Report
from verification.models import Event

DAYS = 30
WEEKS = 12
MOST_COUNTED = 1000
MOST_EVENTS = 20_000  # looked through for the last of each day
LOG_KINDS = [kind for kind in ModerationAction.Kind if kind != ModerationAction.Kind.DISMISS]

BACKLOG = """
SELECT day::date,
       count(*) FILTER (WHERE opened_at < day + interval '1 day'
                          AND (closed_at IS NULL OR closed_at >= day + interval '1 day')) AS open,
       count(*) FILTER (WHERE opened_at >= day AND opened_at < day + interval '1 day') AS opened,
       count(*) FILTER (WHERE closed_at >= day AND closed_at < day + interval '1 day') AS closed
  FROM generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 day') AS day
  LEFT JOIN (SELECT opened_at, closed_at FROM questions_report
              WHERE closed_at IS NULL OR closed_at >= %(first)s) report ON true
 GROUP BY day ORDER BY day
"""


# For the desk


def load() -> dict:
    """What waits and for how long, and how fast it was decided of late; counted up to a thousand."""
    opened = list(
        Report.objects.heard().order_by("opened_at").values_list("opened_at", flat=True)[:MOST_COUNTED]
    )
    return {
        "open": len(opened),
        "is_capped": len(opened) == MOST_COUNTED,
        "oldest": opened[0] if opened else None,
        "hours": _median_hours(timezone.now() - timedelta(days=DAYS)),
    }


def _median_hours(since) -> float | None:
    """Of the newest thousand decided since; None while there are fewer than five."""
    rows = Report.objects.filter(closed_at__gte=since).order_by("-closed_at")
    waited = list(rows.values_list(F("closed_at") - F("opened_at"), flat=True)[:MOST_COUNTED])
    return median(waited).total_seconds() / 3600 if len(waited) >= LEAST else None


def backlog() -> list[dict]:
    """Of each of the last thirty days (UTC): reports open at its end, opened and closed on it."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(BACKLOG, {"first": today - timedelta(days=DAYS - 1), "last": today})
        rows = cursor.fetchall()
    return [dict(zip(("day", "open", "opened", "closed"), row, strict=True)) for row in rows]


WIDTH, HEIGHT, LEFT, TOP = 360, 120, 28, 8


def chart(days: list[dict]) -> dict:
    """The backlog as a line in whole units of a drawing 360 wide: points, area, and the labels of its axis."""
    most = max([row["open"] for row in days] + [1])
    step = (WIDTH - LEFT - 4) / max(len(days) - 1, 1)
    bottom = HEIGHT - 20
    points = [
        (round(LEFT + place * step), round(bottom - (bottom - TOP) * row["open"] / most))
        for place, row in enumerate(days)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    return {
        "line": line,
        "area": f"{points[0][0]},{bottom} {line} {points[-1][0]},{bottom}",
        "most": most,
        "top": TOP,
        "bottom": bottom,
        "left": LEFT,
        "right": points[-1][0],
        "first": days[0]["day"],
        "last": days[-1]["day"],
        "now": days[-1]["open"],
    }


# For everybody


def log() -> list[dict]:
    """Acts of the last twelve whole weeks: of each week what was done, by which rule, what became of it, how often.

    A line of fewer than five would let somebody concerned be guessed. Such lines of a week become one, and that one is
    left out, too, unless it holds at least five acts and more than one line. No sum is given that they could be
    computed from.
    """
    monday = _monday(datetime.now(UTC).date())
    acts = ModerationAction.objects.carried_out().filter(
        kind__in=LOG_KINDS,
        taken_at__gte=_midnight(monday - timedelta(weeks=WEEKS)),
        taken_at__lt=_midnight(monday),
    )
    weeks: dict[date, Counter] = {}
    for kind, reason, state, taken_at in acts.values_list("kind", "reason", "state", "taken_at"):
        week = weeks.setdefault(_monday(taken_at.astimezone(UTC).date()), Counter())
        week[kind, reason, state] += 1
    return [line for week in sorted(weeks, reverse=True) for line in _lines_of(week, weeks[week])]


def _lines_of(week: date, counts: Counter) -> list[dict]:
    small = [count for count in counts.values() if count < LEAST]
    lines = [
        {
            "week": week,
            "act": ModerationAction.Kind(kind).label,
            "rule": Reason(reason).label,
            "outcome": "Stands" if state == ModerationAction.State.DONE else "Taken back",
            "count": count,
        }
        for (kind, reason, state), count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        if count >= LEAST
    ]
    if small and sum(small) >= LEAST and len(small) > 1:
        lines.append(
            {"week": week, "act": "Other acts together", "rule": "", "outcome": "", "count": sum(small)}
        )
    elif small:
        lines.append({"week": week, "act": "Other acts", "rule": "", "outcome": "", "count": None})
    return lines


def appeals() -> dict:
    """Of a year: how many appeals were decided and which share was taken back. A part under five hides the share."""
    since = timezone.now() - timedelta(days=365)
    outcomes = Counter(Appeal.objects.filter(decided_at__gte=since).values_list("outcome", flat=True))
    decided, overturned = sum(outcomes.values()), outcomes[Appeal.Outcome.OVERTURNED]
    is_telling = all(part == 0 or part >= LEAST for part in (overturned, decided - overturned))
    return {
        "decided": decided if decided >= LEAST else None,
        "overturned_percent": round(100 * overturned / decided) if decided >= LEAST and is_telling else None,
        "hours": _median_hours(since),
    }


def heads() -> list[tuple[date, str]]:
    """The hash of the last event of each of the last thirty days that are over (UTC).

    Who writes these down can show later that nothing before was changed, since each hash holds the one before.
    """
    today = datetime.now(UTC).date()
    newest = Event.objects.order_by("-pk").values_list("at", "hash")[:MOST_EVENTS]
    found: dict[date, str] = {}
    for at, digest in newest.iterator(chunk_size=2000):
        day = at.astimezone(UTC).date()
        if day < today:
            found.setdefault(day, digest)
        if len(found) > DAYS:
            break
    return list(found.items())[:DAYS]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
