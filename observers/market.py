"""A firm's earmarks and money as its seats read them: never who was paid, how many, or why something came back."""

from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from observers import keys, texts
from questions.models import Post, Question
from rewards.models import Account, Award, Earmark, Entry, Firm, Sponsorship, Transaction
from rewards.services import earmarking, ledger
from rewards.words import dollars, signed
from sermo.paging import Page, page

State = Earmark.State
SIZE = 30
WORDS = {
    State.OPEN: "Open",
    State.HELD: "Being settled",  # whose author is suspended is nobody's business
    State.CANCELLED: "Canceled",
    State.REFUNDED: "Returned",  # and so is why
    State.SETTLED: "Settled",
}
GONE = "A discussion that is no longer open to you"


@dataclass(frozen=True)
class Marked:
    """An earmark in a list. Cents; days are UTC. `paid` is the sum that went out, None before the end."""

    earmark: Earmark
    title: str
    url: str
    what: str
    paid: int | None
    may_cancel: bool
    seat: str

    @property
    def state(self) -> str:
        return WORDS[self.earmark.state]

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
    rows = Earmark.objects.filter(firm=firm).select_related("post__question", "firm", "placed_from__seat")
    rows = rows.defer("post__source", "post__html", "post__search_text")
    found = page(rows, order=("-pk",), after=after, size=SIZE)
    titles = _titles(firm, {row.question_id for row in found})
    paid = _paid([row.pk for row in found if row.state == State.SETTLED])
    return Page([_marked(row, firm, titles, paid) for row in found], found.next)


def _marked(row: Earmark, firm: Firm, titles: dict, paid: dict) -> Marked:
    title = titles.get(row.question_id)
    placed = getattr(row, "placed_from", None)
    return Marked(
        earmark=row,
        title=title or GONE,
        url=reverse("observers:question", args=[keys.question_key(firm, row.question_id)]) if title else "",
        what=Post.Kind(row.post.kind).label,
        paid=paid.get(row.pk, 0) if row.state == State.SETTLED else None,
        may_cancel=row.state == State.OPEN and timezone.now() <= earmarking.cancelled_until(row),
        seat=f"Seat {placed.seat.number}" if placed else "",
    )


def _titles(firm: Firm, questions: set[int]) -> dict[int, str]:
    found = dict(Question.objects.open_to(firm).filter(pk__in=questions).values_list("pk", "title"))
    masks = texts.masks_of(firm, found, found.values())
    return {pk: texts.plain(title, masks[pk]) for pk, title in found.items()}


def _paid(earmarks: list[int]) -> dict[int, int]:
    """Of each earmark the sum that went out for it."""
    sums = Award.objects.filter(earmark__in=earmarks).values_list("earmark").annotate(cents=Sum("cents"))
    return dict(sums)


def marks_on(firm: Firm, posts: list[int]) -> dict[int, Earmark]:
    """The standing earmarks of a firm on these posts, in one query."""
    rows = Earmark.objects.filter(firm=firm, post__in=posts).exclude(state=State.CANCELLED)
    return {row.post_id: row for row in rows}


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
    earmarks = Earmark.objects.filter(firm=firm, state__in=[State.OPEN, State.HELD])
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
    found = page(rows, order=("-pk",), after=after, size=SIZE)
    return Page([_movement(entry) for entry in found], found.next)


def _movement(entry: Entry) -> Movement:
    moved = entry.transaction
    return Movement(
        day=moved.at.date(),
        words=MOVED.get(moved.kind, moved.get_kind_display()),
        note=moved.note if moved.kind in (Transaction.Kind.TOP_UP, Transaction.Kind.WITHDRAWAL) else "",
        cents=entry.amount,
        left=entry.balance_after,
    )
