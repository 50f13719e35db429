"""A firm's earmarks and money as its seats read them: never who was paid, or why something came back.

What was paid is exact, as money must be; where voters got the same each, it tells by division how many. No word of a
discussion stands here, so that nothing is read, and no read tells its author of an earmark.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date

from django.db.models import F, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from observers import aliases, crowds, keys
from questions.models import Post
from rewards.models import Account, Award, Earmark, Entry, Firm, Sponsorship, Transaction
from rewards.services import earmarking, ledger
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
    """Of each earmark the sum that went out for it."""
    sums = Award.objects.filter(earmark__in=earmarks).values_list("earmark").annotate(cents=Sum("cents"))
    return dict(sums)


def marks_on(firm: Firm, posts: list[int]) -> dict[int, Earmark]:
    """The earmarks of a firm on these posts, in one query: one of each, whatever became of it."""
    rows = Earmark.objects.filter(firm=firm, post__in=posts).select_related("question")
    return {row.post_id: row for row in rows}


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
    """What a firm has, in cents: free to use, and reserved for earmarks and polls."""

    balance: int
    for_earmarks: int
    for_polls: int

    @property
    def reserved(self) -> int:
        return self.for_earmarks + self.for_polls


def standing_of(firm: Firm) -> Standing:
    """What is reserved is what was promised and has not ended, so that it never tells how many took a poll so far."""
    earmarks = Earmark.objects.filter(firm=firm, state__in=STANDING)
    polls = Sponsorship.objects.filter(firm=firm, ended_at=None)
    found = Account.objects.filter(kind=Account.Kind.FIRM, firm=firm).values_list(
        "balance",
        _sum(earmarks, F("author_cents") + F("voter_cents") * F("voter_slots")),
        _sum(polls, F("label__honorarium") * F("label__quota")),
    )
    return Standing(*(found.first() or (0, 0, 0)))


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
        words = f"{words} for {'an earmark' if moved.key.startswith('earmark:') else 'a poll'}"
    return Movement(
        day=moved.at.date(),
        words=words,
        note=moved.note if moved.kind in (Transaction.Kind.TOP_UP, Transaction.Kind.WITHDRAWAL) else "",
        cents=entry.amount,
        left=entry.balance_after,
    )
