"""Which firms may watch, what they read of whom, and how many shut a firm out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject

from accounts.models import Member
from observers import figures, market
from observers.models import Contract, FirmBlock, Purpose, ReadDay
from questions.models import Post, Question
from questions.seen import OWN_READS
from questions.views import thread
from rewards.models import Award, Earmark, Firm

NOT_YET = "not counted yet"


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

    blocked: str  # "under 11", "35", "not counted yet"
    percent: int | None


# Who may watch


def directory() -> list[Watcher]:
    """All firms that may watch today, by name, in one query."""
    return [
        Watcher(contract.firm, contract.starts_on, [Purpose(purpose).label for purpose in contract.purposes])
        for contract in Contract.objects.current().select_related("firm").order_by("firm__name", "firm")
    ]


def directory_for(member: Member, totals: "Totals") -> list[Watcher]:
    """The same, with what each read of this member, and whether it is shut out."""
    watchers = directory()
    blocks = list(FirmBlock.objects.filter(member=member).values_list("firm", "sector"))
    firms, sectors = {firm for firm, _ in blocks}, {sector for _, sector in blocks}
    for watcher in watchers:
        if watcher.firm.pk in totals:
            watcher.posts, watcher.last = totals[watcher.firm.pk]
        watcher.is_blocked = watcher.firm.pk in firms
        watcher.is_sector_blocked = watcher.firm.kind in sectors
    return watchers


# What they read


Totals = dict[int, tuple[int, date]]


def totals_of(member: Member) -> Totals:
    """By firm, how many of a member's posts it read, and the last day it did: read off an index, in its order."""
    rows = ReadDay.objects.filter(author=member).values("firm").order_by("firm")
    rows = rows.annotate(posts=Count("post", distinct=True), last=Max("day"))
    return {firm: (posts, last) for firm, posts, last in rows.values_list("firm", "posts", "last")}


def reads_of(member: Member) -> QuerySet[ReadDay]:
    """What firms read of a member's posts, by post, firm, day, way and purpose."""
    return ReadDay.objects.filter(author=member).select_related("firm")


def share_of(member: Member, totals: Totals) -> Share:
    """Of a member's posts that stand, and of all firms that read any."""
    read = Exists(ReadDay.objects.filter(post=OuterRef("pk")))
    posts = Post.objects.standing().filter(author=member)
    counts = posts.aggregate(posts=Count("pk"), read=Count("pk", filter=Q(read)))
    return Share(counts["read"], counts["posts"], len(totals))


def firms_that_read(post: Post) -> int:
    return ReadDay.objects.filter(post=post).aggregate(firms=Count("firm", distinct=True))["firms"]


def titled(rows: Iterable[ReadDay | Earmark], user) -> list[ReadDay | Earmark]:
    """Rows with `shown_post`, their post with its discussion, or None where it is no longer open to its author."""
    rows = list(rows)
    posts = Post.objects.visible_to(user).filter(pk__in={row.post_id for row in rows})
    posts = posts.select_related("question").defer("source", "html", "search_text", "search_vector")
    known = {post.pk: post for post in posts}
    for row in rows:
        row.shown_post = known.get(row.post_id)
    return rows


def paid_earmarks(member: Member) -> QuerySet[Earmark]:
    """Earmarks of a member's posts that were paid, with `to_author`, what the member got, and `voters`, how many.

    None before its discussion is closed, and none that was undone since.
    """
    stand = market.standing_awards().filter(earmark=OuterRef("pk")).order_by()
    to_voters = stand.filter(cause=Award.Cause.VOTER).values("earmark").annotate(number=Count("pk"))
    return (
        Earmark.objects.filter(
            Exists(stand),
            post__author=member,
            question__status=Question.Status.CLOSED,
            state=Earmark.State.SETTLED,
        )
        .annotate(
            to_author=Coalesce(Subquery(stand.filter(cause=Award.Cause.AUTHOR).values("cents")[:1]), 0),
            voters=Coalesce(Subquery(to_voters.values("number")), 0),
        )
        .select_related("firm")
    )


def own_reads(member: Member | None) -> ArraySubquery:
    """How many firms read each post of a reader in a discussion, for the query of the discussion."""
    days = ReadDay.objects.filter(post=OuterRef("pk"))
    firms = days.order_by().values("post").annotate(number=Count("firm", distinct=True)).values("number")
    own = Post.objects.filter(Exists(days), question=OuterRef("pk"), author=member).order_by()
    return ArraySubquery(own.values_list(JSONObject(post="pk", firms=Subquery(firms))))


thread.BROUGHT[OWN_READS] = own_reads


# Who shuts a firm out


def block_rate(firm: Firm) -> BlockRate:
    """How many physicians shut a firm or its sector out, as it was counted when it was shown: it stands until eleven
    more or fewer do (`observers.figures`).

    Numbers under OBSERVER_LEAST and a few are not told, neither of those who did nor of those who did not.
    """
    figure = getattr(firm, "block_figure", None)
    if figure is None or figure.blocked is None:
        return BlockRate(NOT_YET, None)
    if not figures.are_blocks_told(figure):
        return BlockRate(figures.shown_number(0), None)
    step = settings.OBSERVER_ROUND
    shown, of = (number - number % step for number in (figure.blocked, figure.physicians))
    return BlockRate(figures.shown_number(figure.blocked), round(100 * shown / of))
