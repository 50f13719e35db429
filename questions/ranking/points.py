"""The points of members, written from the lines."""

from datetime import date

from django.db import connection, transaction

from accounts.models import Member
from questions.models import MemberRank
from questions.ranking.lines import EVENTS, LINES, midnight

POINTS = f"""{LINES}
UPDATE questions_memberrank r
   SET points = coalesce(s.points, 0), events = coalesce(s.events, 0), as_of = %(day)s
  FROM questions_memberrank base
  LEFT JOIN (SELECT member_id, sum(points) AS points, {EVENTS} AS events FROM scored GROUP BY member_id) s
         ON s.member_id = base.member_id
 WHERE r.member_id = base.member_id
   AND (%(members)s::bigint[] IS NULL OR r.member_id = ANY(%(members)s))
   AND (r.points, r.events, r.as_of) IS DISTINCT FROM
       (coalesce(s.points, 0), coalesce(s.events, 0), %(day)s::date)
"""  # noqa: S608 - as in lines.py


@transaction.atomic
def recompute_points(*member_ids: int) -> None:
    """Bring these members' points up to date, one after another, after a deed that changed them.

    Each member's row is locked before the deeds are read, so two deeds at once are both counted. Who has left has no
    rank and gets none.
    """
    present = Member.objects.filter(pk__in=member_ids, user__isnull=False).order_by("pk")
    for member_id in list(present.values_list("pk", flat=True)):
        MemberRank.objects.get_or_create(member_id=member_id)
        MemberRank.objects.select_for_update().get(member_id=member_id)
        write_points([member_id], midnight().date())


def write_points(member_ids: list[int] | None, day: date) -> int:
    """Write points and events of these members (None: of all who have a rank row); return the rows that changed."""
    with connection.cursor() as cursor:
        cursor.execute(POINTS, {"members": member_ids, "day": day})
        return cursor.rowcount
