"""How much a member may write a day (UTC), and that who is held may not write at all."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateformat import format as format_date

from accounts.models import Member
from questions.models import Hold, MemberRank, WriteCount
from sermo.errors import RuleBroken

What = WriteCount.What
Tier = MemberRank.Tier
DOUBLINGS = {Tier.NEW: 0, Tier.CONTRIBUTOR: 1, Tier.TRUSTED: 2, Tier.EXPERT: 3, Tier.TOP: 4}
HELD_FROM = (What.POST, What.COMMENT, What.VOTE)  # a report may always be made

COUNT = """
INSERT INTO questions_writecount AS written (member_id, day, what, count) VALUES (%(member)s, %(day)s, %(what)s, 1)
ON CONFLICT (member_id, day, what) DO UPDATE SET count = written.count + 1
RETURNING count,
          (SELECT tier FROM questions_memberrank WHERE member_id = %(member)s),
          EXISTS (SELECT FROM questions_hold
                   WHERE member_id = %(member)s AND lifted_at IS NULL AND until > %(now)s)
"""


class Held(RuleBroken):
    """The message says until when, by which rule, and where to appeal."""


class TooManyToday(RuleBroken):
    """The message says how many a day there can be."""


def count_write(member: Member, what: str) -> int:
    """Count one more of a member's day and return how many there are; who writes at once is counted in turn.

    A refusal must end the transaction, so that it is not counted. Raises Held, TooManyToday.
    """
    now = timezone.now()
    values = {"member": member.pk, "day": now.date(), "what": what, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)
        count, tier, is_held = cursor.fetchone()
    if is_held and what in HELD_FROM:
        check_not_held(member)
    most = most_a_day(what, tier or Tier.NEW)
    if count > most:
        raise TooManyToday(
            f"That was all for today: {Tier(tier or Tier.NEW).label} members have {most} "
            f"{What(what).label.lower()} a day. The next day begins at midnight UTC."
        )
    return count


def check_not_held(member: Member) -> None:
    """For changes of what was written before, which count no further. Raises Held."""
    if hold := hold_on(member):
        raise Held(_words_of(hold))


def most_a_day(what: str, tier: str) -> int:
    return settings.DAILY_WRITES[what] << DOUBLINGS[tier]


def hold_on(member: Member) -> Hold | None:
    """The hold that lasts longest, or None while the member may write."""
    holds = Hold.objects.filter(member=member, lifted_at=None, until__gt=timezone.now())
    return holds.select_related("action").order_by("-until").first()


def _words_of(hold: Hold) -> str:
    until = format_date(timezone.localtime(hold.until), "M j, g:i a")
    return (
        f"You cannot write until {until}. Rule: {hold.action.get_reason_display().lower()}. Reading stays open. "
        f"The reasons, and the way to appeal, are at /appeals/{hold.action_id}/."
    )


def forget_days() -> int:
    """Delete the counts of days gone by; return how many there were."""
    return days_over(timezone.now()).delete()[0]


def days_over(at: datetime) -> QuerySet[WriteCount]:
    return WriteCount.objects.filter(day__lt=at.astimezone(UTC).date() - timedelta(days=1))
