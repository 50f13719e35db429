"""Which firms may watch, what they read of whom, and how many shut a firm out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone

from accounts.models import Member
from observers import figures
from observers.models import Contract, FirmBlock, Purpose, ReadDay
from questions.models import Post, Question
from questions.seen import OWN_READS
from questions.views import thread
from rewards.models import Award, Earmark, Firm

RATE_SECONDS = 2 * 24 * 3600  # for which a day's block rate is kept


@dataclass
class Watcher:
    """A firm under contract, as everybody may know it."""

    firm: Firm
    since: date
    purposes: list[str]
    posts: int = 0  # of the reader, that it read
    last: date | None = None  # read one of them
    is_blocked: bool = False
    is_sector_blocked: bool = False

    @property
    def kind(self) -> str:
        return self.firm.get_kind_display()


class Share(NamedTuple):
    """How many of a member's posts firms read, and how many firms."""

    read: int
    posts: int
    firms: int

    @property
    def percent(self) -> int:
        return round(100 * self.read / self.posts) if self.posts else 0


class BlockRate(NamedTuple):
    """What a firm may know of those who shut it out: words, and percent where enough did."""

    blocked: str  # "under 11", "35"
    percent: int | None


# Who may watch


def directory() -> list[Watcher]:
    """All firms that may watch today, by name, in one query."""
    return [
        Watcher(contract.firm, contract.starts_on, [Purpose(purpose).label for purpose in contract.purposes])
        for contract in Contract.objects.current().select_related("firm").order_by("firm__name", "firm")
    ]


def directory_for(member: Member) -> list[Watcher]:
    """The same, with what each read of this member, and whether it is shut out."""
    watchers = directory()
    totals = {row["firm"]: row for row in _totals(member)}
    blocks = list(FirmBlock.objects.filter(member=member).values_list("firm", "sector"))
    firms, sectors = {firm for firm, _ in blocks}, {sector for _, sector in blocks}
    for watcher in watchers:
        total = totals.get(watcher.firm.pk)
        if total:
            watcher.posts, watcher.last = total["posts"], total["last"]
        watcher.is_blocked = watcher.firm.pk in firms
        watcher.is_sector_blocked = watcher.firm.kind in sectors
    return watchers


def _totals(member: Member):
    rows = ReadDay.objects.filter(author=member).values("firm").order_by()
    return rows.annotate(posts=Count("post", distinct=True), last=Max("day"))


# What they read


def reads_of(member: Member) -> QuerySet[ReadDay]:
    """What firms read of a member's posts, by post, firm, day, way and purpose."""
    return ReadDay.objects.filter(author=member).select_related("firm")


def share_of(member: Member) -> Share:
    """Of a member's posts that stand."""
    read = Exists(ReadDay.objects.filter(post=OuterRef("pk")))
    posts = Post.objects.standing().filter(author=member)
    counts = posts.aggregate(posts=Count("pk"), read=Count("pk", filter=Q(read)))
    firms = ReadDay.objects.filter(author=member).aggregate(firms=Count("firm", distinct=True))
    return Share(counts["read"], counts["posts"], firms["firms"])


def firms_that_read(post: Post) -> int:
    return ReadDay.objects.filter(post=post).aggregate(firms=Count("firm", distinct=True))["firms"]


def titled(rows: Iterable[ReadDay], user) -> list[ReadDay]:
    """Reads with `shown_post`, their post with its discussion, or None where it is no longer open to its author."""
    rows = list(rows)
    posts = Post.objects.visible_to(user).filter(pk__in={row.post_id for row in rows})
    known = {post.pk: post for post in posts.select_related("question")}
    for row in rows:
        row.shown_post = known.get(row.post_id)
    return rows


def paid_earmarks(post: Post) -> list[Earmark]:
    """Earmarks of a post that were paid, with `voters`, how many of them; none before its discussion is closed."""
    if post.question.status != Question.Status.CLOSED:
        return []
    paid = Award.objects.filter(earmark=OuterRef("pk")).order_by().values("earmark")
    to_voters = paid.filter(cause=Award.Cause.VOTER).annotate(number=Count("pk"))
    rows = Earmark.objects.filter(post=post, state=Earmark.State.SETTLED).select_related("firm")
    return list(rows.annotate(voters=Subquery(to_voters.values("number"))).order_by("placed_at", "pk"))


def own_reads(member: Member | None) -> ArraySubquery:
    """How many firms read each post of a reader in a discussion, for the query of the discussion."""
    days = ReadDay.objects.filter(post=OuterRef("pk"))
    firms = days.order_by().values("post").annotate(number=Count("firm", distinct=True)).values("number")
    own = Post.objects.filter(Exists(days), question=OuterRef("pk"), author=member).order_by()
    return ArraySubquery(own.values_list(JSONObject(post="pk", firms=Subquery(firms))))


thread.BROUGHT[OWN_READS] = own_reads


# Who shuts a firm out


def block_rate(firm: Firm) -> BlockRate:
    """How many physicians shut a firm or its sector out, as of a day ago; the same for a whole day (UTC).

    Numbers under OBSERVER_LEAST are not told, neither of those who did nor of those who did not.
    """
    day = timezone.now().astimezone(UTC).date()
    key = f"block-rate:{firm.pk}:{day}"
    rate = cache.get(key)
    if rate is None:
        rate = tuple(_rate(firm, datetime.combine(day - timedelta(days=1), time(), UTC)))
        cache.set(key, rate, RATE_SECONDS)
    return BlockRate(*rate)


def _rate(firm: Firm, until: datetime) -> BlockRate:
    physicians = Member.objects.filter(user__isnull=False, standing=Member.Standing.PHYSICIAN)
    shutting = FirmBlock.objects.filter(
        Q(firm=firm) | Q(sector=firm.kind), since__lt=until, member=OuterRef("pk")
    )
    counts = physicians.filter(joined_at__lt=until).aggregate(
        all=Count("pk"), blocked=Count("pk", filter=Q(Exists(shutting)))
    )
    least, step = settings.OBSERVER_LEAST, settings.OBSERVER_ROUND
    blocked, others = counts["blocked"], counts["all"] - counts["blocked"]
    if blocked < least or others < least:
        return BlockRate(figures.shown_number(min(blocked, least - 1)), None)
    shown, of = (number - number % step for number in (blocked, counts["all"]))
    return BlockRate(figures.shown_number(blocked), round(100 * shown / of))
