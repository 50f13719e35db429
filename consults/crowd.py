"""Was the crowd right? By specialty, what most colleagues took a case for before it was solved, beside what it was.

Counted are cases put up for help, solved with an outcome that was confirmed, for which somebody named a diagnosis on
their own: not having read the others, before it was solved. Each colleague has one say there, and what they take away
afterwards still counts. The crowd was right where its one most named diagnosis was the final one; a tie is not right.
Withdrawn and removed cases are left out, and private ones, also once all may read them: their colleagues were chosen. A
case counts in the first of its specialties alone, so that the rows add up to the whole and what must be hidden can be
hidden.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from consults.models import Solution

LEAST = 11  # cases, and colleagues who said something, that a row is made of
DAY = timedelta(days=1)
OTHERS = "Other specialties together"

SQL = """
WITH solved AS (
    SELECT question.id, question.asker_id, question.solved_at, specialty.name AS specialty,
           coalesce(diagnosis.merged_into_id, diagnosis.id) AS final
      FROM questions_question question
      JOIN consults_case on_it ON on_it.question_id = question.id
      JOIN consults_solution solution ON solution.case_id = question.id
      JOIN consults_diagnosis diagnosis ON diagnosis.id = solution.diagnosis_id
      JOIN questions_questionspecialty among ON among.question_id = question.id AND among.place = 1
      JOIN accounts_specialty specialty ON specialty.code = among.specialty_id
     WHERE question.kind = 'case' AND on_it.intent = 'help' AND on_it.withdrawn_at IS NULL
       AND question.status <> 'removed' AND question.audience <> 'invited'
       AND NOT EXISTS (SELECT FROM questions_invitation asked_in WHERE asked_in.question_id = question.id)
       AND question.solved_at < %(before)s AND solution.confirmed = ANY(%(scores)s)
),
said AS (
    SELECT DISTINCT ON (solved.id, reply.member_id) solved.id, reply.member_id,
           coalesce(diagnosis.merged_into_id, diagnosis.id) AS root
      FROM solved JOIN consults_reply reply ON reply.case_id = solved.id
      JOIN questions_post post ON post.id = reply.post_id
      JOIN consults_diagnosis diagnosis ON diagnosis.id = reply.diagnosis_id
     WHERE NOT post.saw_others AND post.posted_at < solved.solved_at AND reply.member_id <> solved.asker_id
       AND (post.removed_at IS NULL OR (post.removed_by = 'author' AND post.removed_at >= solved.solved_at))
     ORDER BY solved.id, reply.member_id, post.posted_at DESC, post.id DESC
),
supported AS (
    SELECT id, root, count(*) AS supporters, max(count(*)) OVER (PARTITION BY id) AS most
      FROM said GROUP BY id, root
),
judged AS (
    SELECT id, sum(supporters) AS repliers,
           CASE WHEN count(*) FILTER (WHERE supporters = most) = 1
                THEN min(root) FILTER (WHERE supporters = most) END AS favored
      FROM supported GROUP BY id
)
SELECT specialty, count(*), count(*) FILTER (WHERE favored = final), sum(repliers)::int,
       (SELECT array_agg(DISTINCT member_id) FROM said JOIN solved within ON within.id = said.id
         WHERE within.specialty = solved.specialty)
  FROM judged JOIN solved ON solved.id = judged.id GROUP BY specialty ORDER BY specialty
"""


@dataclass(frozen=True)
class Counted:
    """The cases of a specialty, or of several; who said something stays in here."""

    name: str
    cases: int
    right: int
    replies: int
    members: frozenset[int]

    @property
    def is_enough(self) -> bool:
        return self.cases >= LEAST and len(self.members) >= LEAST


@dataclass(frozen=True)
class Row:
    """What may be shown."""

    name: str
    cases: int
    percent: int  # of the cases, in which the crowd was right
    repliers: float  # to a case, in the mean


@dataclass(frozen=True)
class Table:
    """Rows, the most cases first, and the whole; without any while there are too few."""

    rows: tuple[Row, ...] = ()
    whole: Row | None = None


def table(now: datetime | None = None) -> Table:
    """The table of what was solved before today (UTC), counted once and kept until the next midnight (UTC).

    So that no single case can be read from how it moves within a day: what is withdrawn, merged or removed today moves
    it tomorrow, together with all else that happened today.
    """
    now = (now or timezone.now()).astimezone(UTC)
    before = now.replace(hour=0, minute=0, second=0, microsecond=0)
    key = f"case-crowd:{before:%Y-%m-%d}"
    known = cache.get(key)
    if known is None:
        known = shown(count(before))
        if not cache.add(key, known, int((before + DAY - now).total_seconds()) + 1):
            known = cache.get(key, known)  # counted by another process at the same moment
    return known


def count(before: datetime) -> list[Counted]:
    """By specialty, all of them. One query."""
    with connection.cursor() as cursor:
        cursor.execute(SQL, {"before": before, "scores": list(Solution.SCORES)})
        return [Counted(*row[:4], frozenset(row[4])) for row in cursor.fetchall()]


def shown(counted: list[Counted]) -> Table:
    """What of it hides who said what: each row, and what is left when they are taken from the whole, has enough."""
    whole = _together("All specialties", counted)
    if not whole.is_enough:
        return Table()
    rows = sorted((one for one in counted if one.is_enough), key=lambda one: (-one.cases, one.name))
    rest = [one for one in counted if not one.is_enough]
    while rest and rows and not _together(OTHERS, rest).is_enough:
        rest.append(rows.pop())
    if rest and rows:
        rows.append(_together(OTHERS, rest))
    return Table(tuple(_row(one) for one in rows), _row(whole))


def _together(name: str, counted: list[Counted]) -> Counted:
    return Counted(
        name,
        sum(one.cases for one in counted),
        sum(one.right for one in counted),
        sum(one.replies for one in counted),
        frozenset().union(*(one.members for one in counted)),
    )


def _row(one: Counted) -> Row:
    return Row(one.name, one.cases, round(100 * one.right / one.cases), round(one.replies / one.cases, 1))
