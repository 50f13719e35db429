"""A firm's earmarks and money as its seats read them: never who was paid, or why something came back.

What was paid is exact, as money must be; where voters got the same each, it tells by division how many. No word of a
discussion stands here, so that nothing is read, and no read tells its author of an earmark.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, JSONObject
from django.urls import reverse
from django.utils import timezone

from observers import aliases, crowds, keys
from observers.models import Plan
from questions.models import Post, Question
from rewards.models import (
    Account,
    Allowance,
    Award,
    Earmark,
    Entry,
    Firm,
    RoomSponsorship,
    Sponsorship,
    Transaction,
)
from rewards.models.earmarks import LEAST
from rewards.services import draws, earmarking, ledger
from rewards.words import dollars, signed
from sermo import crypto
from sermo.paging import Page, page

State = Earmark.State
SIZE = 30
STANDING = (State.OPEN, State.HELD)
WORDS = {
    State.CANCELLED: "Canceled",
    State.REFUNDED: "Returned",  # why is nobody's business
    State.SETTLED: "Settled",
}
GONE = "A post that is no longer open to you"
NO_SLOT, NO_MONEY = "No slot until 00:00 UTC", "Balance too low"


def word_of(earmark: Earmark) -> str:
    """How an earmark stands. What is held for its author, who is suspended, reads like any that has not ended."""
    if earmark.state in STANDING:
        return "Open" if earmark.question.is_open else "Being settled"
    return WORDS[earmark.state]


@dataclass(frozen=True)
class About:
    """Which post an earmark is about, in no word of its discussion. The day is UTC."""

    what: str
    alias: str
    facts: str
    day: date
    url: str

    def __str__(self):
        return f"{self.what} by {self.alias}"


def abouts(firm: Firm, posts: list[int]) -> dict[int, About]:
    """Of these posts those that are open to the firm, in three queries."""
    rows = Post.objects.open_to(firm).filter(pk__in=posts).select_related("author__specialty")
    rows = list(rows.defer("source", "html", "search_text", "search_vector"))
    names = aliases.aliases_of(firm, {post.question_id for post in rows})
    places = {post.pk: crowds.place_of(post.author) for post in rows}
    facts = crowds.facts_of(places.values())
    return {
        post.pk: About(
            what=post.get_kind_display(),
            alias=names[post.question_id, post.author_id],
            facts=facts[places[post.pk]],
            day=post.posted_at.astimezone(UTC).date(),
            url=reverse("observers:question", args=[keys.question_key(firm, post.question_id)]),
        )
        for post in rows
    }


@dataclass(frozen=True)
class Marked:
    """An earmark in a list. Cents; days are UTC. `paid` is the sum that went out for it, None where it is not settled.

    It may be offered to cancel what somebody has judged since: not to offer it would tell of the judgment.
    """

    earmark: Earmark
    about: About | None  # none where the post is no longer open to the firm
    note: str
    paid: int | None
    may_cancel: bool
    seat: str

    @property
    def title(self) -> str:
        return str(self.about or GONE)

    @property
    def state(self) -> str:
        return word_of(self.earmark)

    @property
    def is_standing(self) -> bool:
        return self.earmark.state in STANDING

    @property
    def placed_on(self) -> date:
        return self.earmark.placed_at.date()

    @property
    def pool(self) -> str:
        if not self.earmark.voter_slots:
            return "none"
        return f"up to {self.earmark.voter_slots} voters, {dollars(self.earmark.voter_cents)} each"


def earmarks_of(firm: Firm, *, after: str | None = None) -> Page:
    """The earmarks of a firm, the newest first, in a fixed number of queries."""
    rows = Earmark.objects.filter(firm=firm).select_related("question", "placed_from__seat")
    found = sealed_page(rows, order=("-pk",), after=after, size=SIZE)
    about = abouts(firm, [row.post_id for row in found])
    paid = _paid([row.pk for row in found if row.state == State.SETTLED])
    return Page([_marked(row, about.get(row.post_id), paid) for row in found], found.next)


def _marked(row: Earmark, about: About | None, paid: dict) -> Marked:
    placed = getattr(row, "placed_from", None)
    is_young = timezone.now() <= earmarking.cancelled_until(row)
    return Marked(
        earmark=row,
        about=about,
        note=placed.note if placed else "",
        paid=paid.get(row.pk, 0) if row.state == State.SETTLED else None,
        may_cancel=row.state in STANDING and row.question.is_open and is_young,
        seat=f"Seat {placed.seat.number}" if placed else "",
    )


def _paid(earmarks: list[int]) -> dict[int, int]:
    """Of each earmark the sum that went out for it, less what was undone since."""
    awards = standing_awards().filter(earmark__in=earmarks).order_by()
    return dict(awards.values_list("earmark").annotate(cents=Sum("cents")))


def standing_awards() -> QuerySet[Award]:
    """Those that were not undone."""
    return Award.objects.filter(entry__transaction__reversed_by=None)


@dataclass(frozen=True)
class Lack:
    """Why a firm places no earmark now: where its button would stand, and in full."""

    brief: str
    lead: str
    text: str


@dataclass(frozen=True)
class Means:
    """What a firm has for earmarks today (UTC): slots by the day's allowance and by its plan, and cents that are free.

    `allowed` is None before anybody fixed the day's allowances.
    """

    allowed: int | None
    planned: int
    placed: int
    balance: int

    @property
    def lack(self) -> Lack | None:
        anew = "Slots are given anew at 00:00 UTC."
        if self.placed >= self.planned:
            return Lack(NO_SLOT, "No slot today.", f"Your plan's earmarks of today are placed. {anew}")
        if self.allowed is not None and self.placed >= self.allowed:
            return Lack(NO_SLOT, "No slot today.", f"About one post in a hundred can be earmarked. {anew}")
        if self.balance < LEAST:
            words = f"An earmark takes {dollars(LEAST)} or more, and {dollars(self.balance)} are free."
            return Lack(
                NO_MONEY, "Not enough is free.", f"{words} It takes a transfer, or money that comes back."
            )
        return None


class Marks(dict[int, Earmark]):
    """The earmarks of a firm by post, and its means for another one."""

    means: Means


def marks_on(firm: Firm, posts: list[int], plan: Plan) -> Marks:
    """The earmarks of a firm on these posts, one of each whatever became of it, with its means by its plan. One query.

    They are as far loaded as pages show them.
    """
    facts = ("author_cents", "voter_cents", "voter_slots", "state")
    day = draws.today()
    own = Earmark.objects.filter(firm=OuterRef("pk")).order_by()
    fixed = Allowance.objects.filter(day=day)
    rows = Firm.objects.filter(pk=firm.pk).values_list(
        ArraySubquery(
            own.filter(post__in=posts).values(
                row=JSONObject(post_id="post_id", status="question__status", **{name: name for name in facts})
            )
        ),
        Exists(fixed),
        _first(fixed.filter(firm=OuterRef("pk")), "slots"),
        _first(
            own.filter(placed_at__gte=draws.begins_at(day)).values("firm").annotate(number=Count("pk")),
            "number",
        ),
        _first(Account.objects.filter(kind=Account.Kind.FIRM, firm=OuterRef("pk")), "balance"),
    )
    placed, is_fixed, allowed, number, balance = rows.get()
    placed = placed or ()  # it is None where no posts are asked about
    marks = Marks((row["post_id"], _earmark(**row)) for row in placed)
    marks.means = Means(allowed if is_fixed else None, plan.earmarks_a_day, number, balance)
    return marks


def _earmark(*, status: str, **facts) -> Earmark:
    return Earmark(question=Question(status=status), **facts)


def _first(rows: QuerySet, name: str) -> Coalesce:
    return Coalesce(Subquery(rows.values(name)[:1]), 0)


def sealed_page(rows: QuerySet, *, order: tuple[str, ...], after: str | None, size: int) -> Page:
    """A page by a cursor that cannot be read: numbers in it would tell how many rows all other firms have."""
    found = page(rows, order=order, after=_opened(after), size=size)
    return replace(found, next=found.next and crypto.encrypt(found.next.encode()).decode())


def _opened(after: str | None) -> str | None:
    try:
        return after and crypto.decrypt(after.encode()).decode()
    except crypto.InvalidToken:
        return None


# Money


@dataclass(frozen=True)
class Standing:
    """What a firm has, in cents: free to use, and reserved for earmarks, polls and focus groups."""

    balance: int
    for_earmarks: int
    for_polls: int
    for_groups: int

    @property
    def reserved(self) -> int:
        return self.for_earmarks + self.for_polls + self.for_groups


def standing_of(firm: Firm) -> Standing:
    """What is reserved is what was promised and has not ended, so that it never tells how many took a poll, or part in
    a focus group, so far."""
    earmarks = Earmark.objects.filter(firm=firm, state__in=STANDING)
    polls = Sponsorship.objects.filter(firm=firm, ended_at=None)
    groups = RoomSponsorship.objects.filter(firm=firm, ended_at=None)
    found = Account.objects.filter(kind=Account.Kind.FIRM, firm=firm).values_list(
        "balance",
        _sum(earmarks, F("author_cents") + F("voter_cents") * F("voter_slots")),
        _sum(polls, F("label__honorarium") * F("label__quota")),
        _sum(groups, F("label__budget")),
    )
    return Standing(*(found.first() or (0, 0, 0, 0)))


def _sum(rows: QuerySet, cents) -> Coalesce:
    summed = rows.order_by().values("firm").annotate(cents=Sum(cents)).values("cents")
    return Coalesce(Subquery(summed), 0)


@dataclass(frozen=True)
class Movement:
    """One line of a firm's balance. Cents; the day is UTC."""

    day: date
    words: str
    note: str
    cents: int
    left: int

    @property
    def amount(self) -> str:
        return signed(self.cents)


MOVED = {
    Transaction.Kind.TOP_UP: "Paid in",
    Transaction.Kind.WITHDRAWAL: "Paid back to you",
    Transaction.Kind.RESERVE: "Reserved",
    Transaction.Kind.RELEASE: "Returned",
    Transaction.Kind.SETTLE: "Returned",
    Transaction.Kind.REVERSAL: "Corrected",
}


RESERVED_FOR = {"earmark": "an earmark", "group": "a focus group"}  # by how a key begins


def movements_of(firm: Firm, *, after: str | None = None) -> Page:
    """What changed the balance of a firm, the newest first. What is paid out of reserves is no part of it."""
    account = ledger.firm_balance(firm)
    rows = Entry.objects.filter(~Q(amount=0), account=account).select_related("transaction")
    found = sealed_page(rows, order=("-pk",), after=after, size=SIZE)
    return Page([_movement(entry) for entry in found], found.next)


def _movement(entry: Entry) -> Movement:
    moved = entry.transaction
    words = MOVED.get(moved.kind, moved.get_kind_display())
    if moved.kind == Transaction.Kind.RESERVE:
        of_key = moved.key.partition(":")[0]
        words = f"{words} for {RESERVED_FOR.get(of_key, 'a poll')}"
    return Movement(
        day=moved.at.date(),
        words=words,
        note=moved.note if moved.kind in (Transaction.Kind.TOP_UP, Transaction.Kind.WITHDRAWAL) else "",
        cents=entry.amount,
        left=entry.balance_after,
    )
