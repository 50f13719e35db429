"""How many posts a firm may earmark today: "about 1 %", fixed at 00:00 UTC, so that no firm reads what others do."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.conf import settings
from django.db import connection, transaction

from questions.models import Post
from rewards.models import Allowance, Earmark, Firm
from rewards.services import draws
from sermo.crypto import keyed_hash

FIXING = 7_300_021  # number of the advisory lock under which a day's allowances are fixed


def of(firm: Firm, day: date) -> int:
    """What a firm may earmark on a day, today or earlier; fixed now if nobody did. A firm that came later has none."""
    fix(day)
    return Allowance.objects.filter(firm=firm, day=day).values_list("slots", flat=True).first() or 0


def left(firm: Firm) -> int:
    """How many posts a firm may still earmark today."""
    day = draws.today()
    return max(0, of(firm, day) - placed_on(day, firm))


def placed_on(day: date, firm: Firm) -> int:
    """How many earmarks a firm placed on a day. One that it canceled keeps its slot: were canceling free, a firm could
    try, post by post, whether anybody judges it."""
    begin = draws.begins_at(day)
    placed = Earmark.objects.filter(firm=firm, placed_at__gte=begin, placed_at__lt=begin + timedelta(days=1))
    return placed.count()


def fix(day: date) -> None:
    """Fix a day's allowances of all active firms together, once. Twice is as good as once."""
    if not Allowance.objects.filter(day=day).exists():
        _fix(day)


@transaction.atomic
def _fix(day: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIXING])
    if Allowance.objects.filter(day=day).exists():
        return
    firms = list(Firm.objects.active().values_list("pk", flat=True))
    slots = shared_out(free_on(day), firms, day)
    Allowance.objects.bulk_create(Allowance(firm_id=pk, day=day, slots=slots[pk]) for pk in firms)


def free_on(day: date) -> int:
    """How many posts all firms may earmark on a day: 1 % of the posts of the days before, less what was earmarked."""
    until = draws.begins_at(day)
    since = until - timedelta(days=settings.EARMARK_DAYS)
    posts = Post.objects.standing().filter(posted_at__gte=since, posted_at__lt=until).count()
    placed = Earmark.objects.filter(placed_at__gte=since, placed_at__lt=until)
    standing = placed.exclude(state=Earmark.State.CANCELLED).count()
    return max(0, max(1, posts * settings.EARMARK_PERCENT // 100) - standing)


def shared_out(slots: int, firms: Iterable[int], day: date) -> dict[int, int]:
    """Equal shares for all; the remainder one each, by an order that nobody outside can know before."""
    drawn = sorted(firms, key=lambda firm: keyed_hash(f"{day}:{firm}", "rewards.allowance"))
    if not drawn:
        return {}
    share, rest = divmod(slots, len(drawn))
    return {firm: share + (place < rest) for place, firm in enumerate(drawn)}
