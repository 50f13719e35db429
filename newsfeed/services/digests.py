"""Sending digests: each member's at their own hour of their own day, once, however often and by however many."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Kind, Mail, Member, NoticeSettings, User
from accounts.services import mail
from newsfeed.digests.contents import Contents
from newsfeed.digests.gathering import Shared, gather
from newsfeed.digests.writing import write
from newsfeed.models import Digest

log = structlog.get_logger("sermo.digests")

BATCH = 250  # members told in one transaction
PERIODS = {NoticeSettings.Digest.DAILY: timedelta(days=1), NoticeSettings.Digest.WEEKLY: timedelta(days=7)}
OLDEST_NEWS = timedelta(days=14)  # of who had no digest for long
KEPT = timedelta(days=60)

# A second sender of the same batch waits here until the first one's stands, and then claims nothing.
CLAIM = """
INSERT INTO newsfeed_digest (member_id, day, made_at, since, number)
SELECT member, day, %(now)s, since, 0
  FROM unnest(%(members)s::bigint[], %(days)s::date[], %(sinces)s::timestamptz[]) AS due (member, day, since)
 ORDER BY member
ON CONFLICT (member_id, day) DO NOTHING
RETURNING id, member_id
"""
NOTE = """
UPDATE newsfeed_digest AS made SET mail_id = told.mail, number = told.number
  FROM unnest(%(digests)s::bigint[], %(mails)s::bigint[], %(numbers)s::int[]) AS told (digest, mail, number)
 WHERE made.id = told.digest
"""


@dataclass
class Tally:
    """How many digests were queued, how many had nothing to tell or failed, and the last member looked at."""

    queued: int = 0
    empty: int = 0
    failed: int = 0
    reached: int = 0


def send_due(now: datetime | None = None) -> int:
    """Queue the digests that are due, and return how many. Can be killed and run again at any moment."""
    return sum(tally.queued for tally in batches(now or timezone.now()))


def batches(now: datetime) -> Iterator[Tally]:
    """Work off those who are due, by member id; each batch stands when it is handed over."""
    reached = 0
    while due := _due(now, after=reached):
        tally = _send(due, now)
        reached = tally.reached
        yield tally


# Who is due


def _due(now: datetime, *, after: int) -> list[tuple[Member, date]]:
    """The next members whose hour has come on their own day, and that day."""
    condition = Q(pk=None)
    for (day, hour), zones in _clocks(now).items():
        made = Digest.objects.filter(member=OuterRef("pk"), day=day)
        condition |= _wanting(zones, day, hour) & ~Exists(made)
    members = Member.objects.physicians().filter(user__is_active=True, pk__gt=after)
    members = members.filter(condition).select_related("user", "specialty", "notice_settings").order_by("pk")
    return [(member, wishes_of(member).local_day(now)) for member in members[:BATCH]]


def _clocks(now: datetime) -> dict[tuple[date, int], list[str]]:
    """The time zones in use, by the day and hour that their clocks show."""
    zones = set(NoticeSettings.objects.order_by().values_list("time_zone", flat=True).distinct())
    shown = defaultdict(list)
    for zone in sorted(zones | {NoticeSettings().time_zone}):
        local = now.astimezone(ZoneInfo(zone))
        shown[local.date(), local.hour].append(zone)
    return shown


def _wanting(zones: list[str], day: date, hour: int) -> Q:
    """Who wants a digest by one of these clocks. An hour left out when clocks change has passed with the next."""
    usual = NoticeSettings()
    daily = Q(notice_settings__digest=NoticeSettings.Digest.DAILY)
    weekly = Q(
        notice_settings__digest=NoticeSettings.Digest.WEEKLY,
        notice_settings__digest_weekday=day.weekday(),
    )
    wanting = (daily | weekly) & Q(
        notice_settings__time_zone__in=zones, notice_settings__digest_hour__lte=hour
    )
    is_usual = usual.digest_weekday == day.weekday() and usual.digest_hour <= hour
    if usual.time_zone in zones and is_usual:
        wanting |= Q(notice_settings=None)
    return wanting


def wishes_of(member: Member) -> NoticeSettings:
    return getattr(member, "notice_settings", None) or NoticeSettings(member=member)


# A batch


@transaction.atomic
def _send(due: list[tuple[Member, date]], now: datetime) -> Tally:
    """Write that the digests were made, and their mails. Whoever dies in between has sent nothing."""
    tally = Tally(reached=due[-1][0].pk)
    members = {member.pk: member for member, _ in due}
    sinces = _sinces(members.values(), now)
    claimed = _claim(due, sinces, now)
    if not claimed:
        return tally
    shared = Shared.among(claimed, since=min(sinces[member] for member in claimed), now=now)
    _load_groups(members.values())
    letters, failed = {}, []
    for member, digest in sorted(claimed.items()):
        try:
            with transaction.atomic():
                contents = gather(member=members[member], since=sinces[member], shared=shared)
        except Exception as error:  # the next round tries it again; the others need not wait for it
            log.error("digest_failed", member=member, error=type(error).__name__)
            failed.append(digest)
            continue
        if contents.number:
            letters[digest] = (_letter(members[member], contents, now), contents.number)
    Digest.objects.filter(pk__in=failed).delete()
    _queue(letters, [members[member] for member in claimed])
    tally.queued, tally.failed = len(letters), len(failed)
    tally.empty = len(claimed) - len(letters) - len(failed)
    return tally


def _sinces(members, now: datetime) -> dict[int, datetime]:
    """From when on things are new to each: since the last digest, else for the usual period."""
    rows = Digest.objects.filter(member__in=members, made_at__lt=now).order_by()
    last = dict(rows.values("member").annotate(last=Max("made_at")).values_list("member", "last"))
    return {member.pk: since(member, now, last.get(member.pk)) for member in members}


def since(member: Member, now: datetime, last: datetime | None) -> datetime:
    usual = now - PERIODS.get(wishes_of(member).digest, timedelta(days=7))
    return max(last or usual, now - OLDEST_NEWS)


def _claim(due: list[tuple[Member, date]], sinces: dict[int, datetime], now: datetime) -> dict[int, int]:
    """Write the rows that are not there yet, and return them by member."""
    values = {
        "now": now,
        "members": [member.pk for member, _ in due],
        "days": [day for _, day in due],
        "sinces": [sinces[member.pk] for member, _ in due],
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        return {member: digest for digest, member in cursor.fetchall()}


def _load_groups(members) -> None:
    """The groups of all at once, which the gates ask each for."""
    users = {member.user_id: member.user for member in members}
    for user in users.values():
        user.group_names = []
    rows = User.groups.through.objects.filter(user__in=users).values_list("user", "group__name")
    for user, name in rows:
        users[user].group_names.append(name)


def _letter(member: Member, contents: Contents, now: datetime) -> Mail:
    written = write(contents, now=now, time_zone=wishes_of(member).time_zone)
    return Mail(
        user=member.user,
        subject=written.subject,
        text=written.text,
        html=written.html,
        unsubscribe=Kind.DIGEST,
        due_at=timezone.now(),
    )


def _queue(letters: dict[int, tuple[Mail, int]], members: list[Member]) -> None:
    """Put the mails into the outbox, with the rows that hold the keys of their unsubscribe links."""
    unset = [NoticeSettings(member=member) for member in members if wishes_of(member)._state.adding]
    NoticeSettings.objects.bulk_create(unset, ignore_conflicts=True)
    mail.queue_all([letter for letter, _ in letters.values()])
    values = {
        "digests": list(letters),
        "mails": [letter.pk for letter, _ in letters.values()],
        "numbers": [number for _, number in letters.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE, values)


def forget_old() -> int:
    """Delete what is known of digests of long ago, also of members who get none any more. Returns how many."""
    return old(timezone.now()).delete()[0]


def old(at: datetime) -> QuerySet[Digest]:
    return Digest.objects.filter(made_at__lt=at - KEPT)
