"""Telling members what happened: what they chose to hear of, at most so much a day, and each thing once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from accounts import notice_kinds, tasks
from accounts.models import (
    FanOut,
    Kind,
    Member,
    Notice,
    NoticeChoice,
    NoticeDay,
    NoticeSettings,
    NoticeThread,
    Way,
)
from accounts.models.notices import DEFAULT_BUDGET
from accounts.services import mail
from sermo.background import nudge
from sermo.errors import RuleBroken

BATCH = 500  # members of a fan-out told in one transaction

NEW_NOTICES = """
INSERT INTO accounts_notice (thread_id, member_id, kind, target, number, key, held, told_at)
SELECT thread, member, kind, %(target)s, %(number)s, %(key)s, false, %(now)s
  FROM unnest(%(threads)s::bigint[], %(members)s::bigint[], %(kinds)s::text[]) AS told (thread, member, kind)
 ORDER BY member
ON CONFLICT (member_id, key) DO NOTHING
RETURNING member_id, id
"""

STAY = """
SELECT id FROM accounts_member WHERE id = ANY(%s) AND user_id IS NOT NULL ORDER BY id FOR KEY SHARE
"""

COUNT_ALERTS = """
INSERT INTO accounts_noticeday AS spent (member_id, day, alerts)
SELECT told.member, told.day, 1
  FROM unnest(%(members)s::bigint[], %(days)s::date[]) AS told (member, day)
  LEFT JOIN accounts_noticesettings wish ON wish.member_id = told.member
 WHERE coalesce(wish.budget, %(default)s) * %(share)s / 100 > 0
 ORDER BY told.member
ON CONFLICT (member_id, day) DO UPDATE SET alerts = spent.alerts + 1
 WHERE spent.alerts < coalesce(
           (SELECT wish.budget FROM accounts_noticesettings wish WHERE wish.member_id = excluded.member_id),
           %(default)s
       ) * %(share)s / 100
RETURNING member_id
"""


class StaysOn(RuleBroken):
    message = "What moderators do to your posts is always told."


@dataclass(frozen=True)
class Deed:
    """What is told of: the row a reader finds, the thread it stands in, and the key under which it is told once."""

    target: int
    about: str
    key: str
    number: int = 0


@dataclass
class Hearer:
    """A member who is told, and how."""

    member: Member
    kind: str
    way: str
    wishes: NoticeSettings


# Telling


def tell(*, members: Iterable[int], kind: Kind, target: int, about: str, key: str, number: int = 0) -> None:
    """Tell members of a deed, in the caller's transaction; whom the same key told before hears nothing again.

    Call it last: the days of members stay locked until the transaction ends.
    """
    tell_first(kinds={kind: members}, deed=Deed(target, about, key, number))


@transaction.atomic
def tell_first(*, kinds: dict[Kind, Iterable[int]], deed: Deed) -> tuple[int, int]:
    """Tell each member once, under the first of the kinds which names them and is not switched off.

    Returns how many were alerted and for how many it was held back. Takes the same few statements for one and for
    thousands, and locks in the order of members' ids.
    """
    hearers = _hearers(kinds)
    if not hearers:
        return 0, 0
    now = timezone.now()
    told = _write(hearers, deed, now)
    if not told:
        return 0, 0
    alerted = _within_budget([hearers[member] for member in told], now)
    held = told.keys() - alerted
    Notice.objects.filter(pk__in=[told[member] for member in held]).update(held=True)
    NoticeThread.objects.filter(about=deed.about, member__in=told).update(
        latest_at=now,
        unread=F("unread") + Case(When(member__in=alerted, then=Value(1)), default=Value(0)),
    )
    mail.queue_notices(
        [(told[member], hearers[member]) for member in alerted if hearers[member].way == Way.EMAIL], now
    )
    return len(alerted), len(held)


def _hearers(kinds: dict[Kind, Iterable[int]]) -> dict[int, Hearer]:
    """By id and in its order, who is there to be told and wants it."""
    wanted: dict[int, list[str]] = {}
    for kind, members in kinds.items():
        for member in members:
            wanted.setdefault(member, []).append(kind)
    if not wanted:
        return {}
    members = (
        Member.objects.filter(pk__in=_staying(wanted), user__is_active=True)
        .select_related("notice_settings")
        .order_by("pk")
    )
    chosen = {
        (member, kind): way
        for member, kind, way in NoticeChoice.objects.filter(
            member__in=wanted, kind__in=list(kinds)
        ).values_list("member", "kind", "way")
    }
    hearers = {}
    for member in members:
        for kind in wanted[member.pk]:
            rule = notice_kinds.RULES[kind]
            way = chosen.get((member.pk, kind), rule.usual)
            if way != Way.OFF and (member.may_read or not rule.readers_only):
                wishes = getattr(member, "notice_settings", None) or NoticeSettings(member=member)
                hearers[member.pk] = Hearer(member, kind, way, wishes)
                break
    return hearers


def _staying(members: Iterable[int]) -> list[int]:
    """Those who have not left, kept from leaving until the transaction ends. Others may tell them meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(STAY, [list(members)])
        return [member for (member,) in cursor.fetchall()]


def _write(hearers: dict[int, Hearer], deed: Deed, now: datetime) -> dict[int, int]:
    """Write the notices that are new, and return their ids by member."""
    NoticeThread.objects.bulk_create(
        [NoticeThread(member_id=member, about=deed.about, latest_at=now) for member in hearers],
        ignore_conflicts=True,
    )
    threads = (
        NoticeThread.objects.select_for_update(no_key=True)
        .filter(about=deed.about, member__in=hearers)
        .order_by("member")
        .values_list("member", "pk")
    )
    threads = dict(threads)
    values = {
        "target": deed.target,
        "number": deed.number,
        "key": deed.key,
        "now": now,
        "members": list(threads),
        "threads": list(threads.values()),
        "kinds": [str(hearers[member].kind) for member in threads],
    }
    with connection.cursor() as cursor:
        cursor.execute(NEW_NOTICES, values)
        return dict(cursor.fetchall())


def _within_budget(hearers: list[Hearer], now: datetime) -> set[int]:
    """Count an alert for each whose day still has room for it, and return who they are."""
    of_share: dict[int | None, list[Hearer]] = {}
    for hearer in sorted(hearers, key=lambda hearer: hearer.member.pk):
        of_share.setdefault(notice_kinds.RULES[hearer.kind].share, []).append(hearer)
    alerted = {hearer.member.pk for hearer in of_share.pop(None, [])}
    for share, some in of_share.items():
        values = {
            "members": [hearer.member.pk for hearer in some],
            "days": [hearer.wishes.local_day(now) for hearer in some],
            "default": DEFAULT_BUDGET,
            "share": share,
        }
        with connection.cursor() as cursor:
            cursor.execute(COUNT_ALERTS, values)
            alerted |= {member for (member,) in cursor.fetchall()}
    return alerted


# Telling many


def fan_out(*, kind: Kind, target: int, about: str, key: str = "") -> None:
    """Have the members whom the kind's registered recipients name told soon, in batches; here it is one row."""
    row, is_new = FanOut.objects.get_or_create(
        kind=kind, target=target, defaults={"about": about, "key": key or f"{kind}:{target}"}
    )
    if is_new:
        nudge(tasks.work_off_fan_out, row.pk)


@transaction.atomic
def tell_next_batch(*, fan_out_id: int) -> bool:
    """Tell the next members of a fan-out, and return whether there may be more to do.

    What was told and how far it reached are one transaction: whoever dies in between has told nobody. Another worker
    at the same row is left alone.
    """
    row = FanOut.objects.select_for_update(skip_locked=True).filter(pk=fan_out_id, done_at=None).first()
    if row is None:
        return False
    members = notice_kinds.recipients_of(row, BATCH)
    if not members:
        row.done_at = timezone.now()
        row.save(update_fields=["done_at"])
        return False
    alerted, held = tell_first(kinds={Kind(row.kind): members}, deed=Deed(row.target, row.about, row.key))
    row.reached, row.alerted, row.held = members[-1], row.alerted + alerted, row.held + held
    row.save(update_fields=["reached", "alerted", "held"])
    return True


def unfinished_fan_outs() -> list[int]:
    return list(FanOut.objects.filter(done_at=None).order_by("started_at", "pk").values_list("pk", flat=True))


def forget_days() -> int:
    """Delete the counts of days that are over in every time zone. Returns how many."""
    return days_over(timezone.now()).delete()[0]


def days_over(at: datetime) -> QuerySet[NoticeDay]:
    return NoticeDay.objects.filter(day__lt=at.astimezone(UTC).date() - timedelta(days=2))


# Reading


@transaction.atomic
def seen(member: Member, about: str) -> bool:
    """Note that a member has seen a thread, with what was held back in it; return whether it was unread."""
    thread = NoticeThread.objects.select_for_update(no_key=True).filter(member=member, about=about).first()
    if thread is None:
        return False
    thread.notices.filter(read_at=None).update(read_at=timezone.now())
    return bool(NoticeThread.objects.filter(pk=thread.pk, unread__gt=0).update(unread=0))


@transaction.atomic
def mark_all_read(*, member: Member) -> None:
    threads = NoticeThread.objects.select_for_update(no_key=True).filter(member=member, unread__gt=0)
    locked = list(threads.order_by("pk").values_list("pk", flat=True))
    Notice.objects.filter(thread__in=locked, read_at=None).update(read_at=timezone.now())
    Notice.objects.filter(member=member, held=True, read_at=None).update(read_at=timezone.now())
    NoticeThread.objects.filter(pk__in=locked).update(unread=0)


# Choosing


def ways_of(member: Member) -> dict[Kind, Way]:
    """The way of every kind for a member, chosen or usual."""
    chosen = dict(member.notice_choices.values_list("kind", "way"))
    return {kind: Way(chosen.get(kind, rule.usual)) for kind, rule in notice_kinds.RULES.items()}


@transaction.atomic
def change_settings(*, member: Member, ways: dict[Kind, Way], **wishes) -> None:
    """Save the way of kinds, and of the budget, the quiet hours and the time zone what is given. Raises StaysOn."""
    for kind, way in ways.items():
        if way == Way.OFF and not notice_kinds.RULES[kind].may_be_off:
            raise StaysOn
    NoticeChoice.objects.bulk_create(
        [NoticeChoice(member=member, kind=kind, way=way) for kind, way in ways.items()],
        update_conflicts=True,
        unique_fields=["member", "kind"],
        update_fields=["way"],
    )
    NoticeSettings.objects.update_or_create(member=member, defaults=wishes)


@transaction.atomic
def stop_mail(*, settings: NoticeSettings, kind: Kind) -> None:
    """Tell a kind in the app only from now on; who switched it off altogether keeps it off. A digest just ends."""
    if kind == Kind.DIGEST:
        NoticeSettings.objects.filter(pk=settings.pk).update(digest=NoticeSettings.Digest.OFF)
        return
    choice, is_new = NoticeChoice.objects.get_or_create(
        member_id=settings.member_id, kind=kind, defaults={"way": Way.APP}
    )
    if not is_new and choice.way == Way.EMAIL:
        choice.way = Way.APP
        choice.save(update_fields=["way"])
