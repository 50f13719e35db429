"""What a member reads of their own money: where it stands, and every line of it with its cause.

Nothing here knows of an earmark before it is settled: lines are entries of the ledger on the member's own account, and
only what was paid has an award to explain it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.conf import settings
from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member, Notice, User
from focusgroups.models import Completion, Room
from questions.models import Question
from rewards import business_days
from rewards.models import (
    Account,
    Affiliation,
    Award,
    Entry,
    Payee,
    Payout,
    Slot,
    TaxForm,
    Transaction,
    YearRule,
)
from rewards.services import taxes
from rewards.services.telling import ABOUT as TOLD_ABOUT
from rewards.words import dollars, signed
from sermo import crypto
from sermo.paging import Page, page

NEWEST_FIRST = ("-pk",)
Cause, Kind, State = Award.Cause, Transaction.Kind, Payout.State

ICONS = {
    Cause.AUTHOR: "hand-coins",
    Cause.VOTER: "scale",
    Cause.POLL: "vote",
    Cause.GROUP: "users",
    Cause.SCREENER: "users",
}
SHORT = {
    Cause.AUTHOR: "author’s share",
    Cause.VOTER: "voter draw, blind to your vote",
    Cause.POLL: "sponsored poll",
    Cause.GROUP: "focus group",
    Cause.SCREENER: "screener",
}
EARNED, SENT, GIVEN = "earned", "sent", "given"
PARTS = {Kind.PAYOUT: SENT, Kind.RETURNED: SENT, Kind.DONATION: GIVEN, Kind.LEFT: GIVEN}
STEPS = {  # of a payout, as its payee reads them
    State.REQUESTED: "Waiting for approval",
    State.APPROVED: "Approved, goes out next",
    State.SUBMITTED: "Sent",
    State.IN_DOUBT: "Sent; we are asking the provider whether it arrived",
    State.FAILED: "Failed, on its way back to your balance",
}


@dataclass(frozen=True)
class Standing:
    """Where a member's money is, apart from its lines. Cents."""

    payee: Payee | None
    account: Account | None
    available: int
    promised: (
        int  # for paid votes in polls and sections of focus groups, final or not, that are not credited yet
    )
    year: int
    received: int  # in the year: what the tax office counts
    threshold: int  # of the year, from which it is told
    has_tax_form: bool
    has_news: bool = False  # something in the inbox that this page is about, also what was held back there

    @property
    def method(self):
        return getattr(self.payee, "payout_method", None)

    @property
    def lacks(self) -> int:
        """Cents until a payout may be asked for."""
        return max(0, settings.PAYOUT_LEAST_CENTS - self.available)

    @property
    def may_ask(self) -> bool:
        return bool(self.method and self.has_tax_form and not self.lacks)

    @property
    def is_reportable(self) -> bool:
        return self.received >= self.threshold


@dataclass(frozen=True)
class Line:
    """One entry in words."""

    at: datetime
    title: str
    detail: str
    cents: int
    balance: int
    part: str  # of a statement: EARNED, SENT or GIVEN
    icon: str = "info"
    url: str = ""
    draw_url: str = ""

    @property
    def amount(self) -> str:
        return signed(self.cents)

    @property
    def left(self) -> str:
        return dollars(self.balance)


@dataclass(frozen=True)
class Sending:
    """A payout that is not over, in words."""

    payout: Payout
    step: str
    days_late: int
    may_cancel: bool


def standing_of(member: Member) -> Standing:
    """One query for who ever had to do with money, however much of it."""
    year = taxes.year_of(timezone.now())
    account = Account.objects.filter(subject=OuterRef("pk"))
    rules = YearRule.objects.filter(year__lte=year).order_by("-year")
    told = Notice.objects.filter(thread__member=OuterRef("member"), thread__about=TOLD_ABOUT)
    payee = (
        Payee.objects.filter(member=member)
        .select_related("payout_method", "charity")
        .annotate(
            account_id=Subquery(account.values("pk")[:1]),
            balance=Subquery(account.values("balance")[:1]),
            promised=_sum(_slots(OuterRef("member")), "sponsorship__label__honorarium"),
            completed=_sum(_completions(OuterRef("member")), "cents"),
            credited=_sum(_credited(OuterRef("member")), "cents"),
            paid=_sum(taxes.paid_in(year).filter(subject=OuterRef("pk")), "cents"),
            given=_sum(taxes.given_in(year).filter(account__subject=OuterRef("pk")), "amount"),
            threshold=Subquery(rules.values("tax_cents")[:1]),
            has_tax_form=Exists(TaxForm.objects.filter(subject=OuterRef("pk"))),
            has_news=Exists(told.filter(read_at=None)),
        )
        .first()
    )
    if payee is None:
        promised = _slots(member).aggregate(cents=Sum("sponsorship__label__honorarium", default=0))["cents"]
        promised += _completions(member).aggregate(cents=Sum("cents", default=0))[
            "cents"
        ]  # nothing is credited
        return Standing(None, None, 0, promised, year, 0, taxes.rule_of(year).tax_cents, has_tax_form=False)
    return Standing(
        payee=payee,
        account=Account(pk=payee.account_id) if payee.account_id else None,
        available=payee.balance or 0,
        promised=payee.promised + _in_groups(payee),
        year=year,
        received=payee.paid - payee.given,
        threshold=payee.threshold if payee.threshold is not None else taxes.rule_of(year).tax_cents,
        has_tax_form=payee.has_tax_form,
        has_news=payee.has_news,
    )


def _slots(member) -> QuerySet[Slot]:
    return Slot.objects.filter(member=member)


def _in_groups(payee: Payee) -> int:
    """Cents for sections of focus groups that are not credited yet."""
    return 0 if payee.takes == Payee.Takes.NOTHING else payee.completed - payee.credited


def _completions(member) -> QuerySet[Completion]:
    """Sections that are done in focus groups whose money is still there, credited or not; without those of a firm that
    pays the member elsewhere and heeds it, which it would not pay as things are now."""
    rows = Completion.objects.filter(
        participant__member=member,
        section__room__sponsor__sponsorship__isnull=False,
        section__room__sponsor__sponsorship__ended_at=None,
    )
    return rows.exclude(_is_unpaid("section__room__sponsor__sponsorship__", "participant__member"))


def _credited(member) -> QuerySet[Award]:
    """What was credited for those: no credit says for which of them."""
    rows = Award.objects.filter(payee__member=member, cause=Cause.GROUP, room__ended_at=None)
    return rows.exclude(_is_unpaid("room__", "payee__member"))


def _is_unpaid(sponsorship: str, member: str) -> Q:
    affiliated = Affiliation.objects.filter(
        firm=OuterRef(f"{sponsorship}firm"), member=OuterRef(member), ended_at=None
    )
    return Q(Exists(affiliated), **{f"{sponsorship}label__is_blinded": False})


def _sum(rows: QuerySet, name: str) -> Coalesce:
    """The sum of a column in a subquery, 0 of no rows."""
    one = rows.order_by().annotate(whole=Value(1)).values("whole").annotate(cents=Sum(name)).values("cents")
    return Coalesce(Subquery(one, output_field=IntegerField()), 0)


# Lines


def lines_of(standing: Standing, user: User, after: str | None = None) -> tuple[Page, list[Sending]]:
    """A page of lines, the newest first, and on the first page all payouts that are not over.

    The cursor is sealed: it holds the number of an entry, and the gaps between those of one's own would tell how many
    others were written, such as those of earmarks.
    """
    entries, after = _entries(standing.account), _opened(after)
    found = page(entries, order=NEWEST_FIRST, after=after, size=settings.REWARD_LINES_PER_PAGE)
    found = replace(found, next=found.next and crypto.encrypt(found.next.encode()).decode())
    payouts = _payouts(standing.payee, found.rows)
    sending = [_sending(payout) for payout in payouts if _is_open(payout)]
    return replace(found, rows=_in_words(found.rows, payouts, standing.account, user)), sending


def _opened(after: str | None) -> str | None:
    try:
        return after and crypto.decrypt(after.encode()).decode()
    except crypto.InvalidToken:
        return None


def by_month(lines: Iterable[Line], after: str = "") -> list[tuple[date | None, list[Line]]]:
    """Lines under the first of their month at the payer's; None for one ("2026-11") that stands above already."""
    months: dict[date, list[Line]] = {}
    for line in lines:
        months.setdefault(month_of(line), []).append(line)
    return [(None if f"{month:%Y-%m}" == after else month, some) for month, some in months.items()]


def month_of(line: Line) -> date:
    return taxes.day_of(line.at).replace(day=1)


def _entries(account: Account | None) -> QuerySet[Entry]:
    charity = Entry.objects.filter(transaction=OuterRef("transaction"), account__kind=Account.Kind.CHARITY)
    return (
        Entry.objects.filter(account=account.pk if account else None)
        .select_related("transaction__reverses")
        .annotate(charity=Subquery(charity.values("account__charity__name")[:1]))
    )


def _payouts(payee: Payee | None, entries: list[Entry]) -> list[Payout]:
    """Those of these entries, and all that are not over; without where they went."""
    if payee is None:
        return []
    moved = [entry.transaction_id for entry in entries]
    under_way = Q(state__in=[*Payout.UNDER_WAY, State.FAILED])
    rows = Payout.objects.filter(under_way | Q(held__in=moved) | Q(put_back__in=moved), subject=payee.subject)
    return list(rows.defer("details").order_by("-pk"))


def _in_words(entries: list[Entry], payouts: list[Payout], account: Account | None, user: User) -> list[Line]:
    awards = _awards(entries, account)
    rooms = _rooms(awards.values(), user)
    places = {place for award in awards.values() if (place := _place_of(award))}
    readable = Question.objects.visible_to(user).only("pk", "title", "kind", "closed_at").in_bulk(places)
    of_transaction = {payout.held_id: payout for payout in payouts} | {
        payout.put_back_id: payout for payout in payouts if payout.put_back_id
    }
    return [
        _line(
            entry,
            award=awards.get(entry.transaction.reverses_id or entry.transaction_id),
            payout=of_transaction.get(entry.transaction_id),
            readable=readable,
            rooms=rooms,
        )
        for entry in entries
    ]


def _rooms(awards: Iterable[Award], user: User) -> dict[int, Room]:
    """Those focus groups whose title somebody may read; of one they left, or got no seat in, not any more."""
    places = {award.room_id for award in awards if award.room_id}
    return Room.objects.visible_to(user).only("pk", "title").in_bulk(places) if places else {}


def _awards(entries: list[Entry], account: Account | None) -> dict[int, Award]:
    """By transaction: what these entries were for, and what those were for that they undo."""
    moved = {entry.transaction.reverses_id or entry.transaction_id for entry in entries}
    rows = Award.objects.filter(entry__transaction__in=moved, entry__account=account.pk if account else None)
    rows = rows.select_related("firm", "entry", "earmark", "room__label__room")
    return {award.entry.transaction_id: award for award in rows}


def _place_of(award: Award) -> int | None:
    return award.question_id or award.sponsorship_id


def _line(
    entry: Entry,
    *,
    award: Award | None,
    payout: Payout | None,
    readable: dict[int, Question],
    rooms: dict[int, Room],
) -> Line:
    told = (
        _of_award(award, readable, rooms)
        if award
        else _of_payout(entry, payout)
        if payout
        else _of_kind(entry)
    )
    if award and entry.transaction.reverses_id:
        told |= {"icon": "undo-2", "detail": f"Taken back. {told['detail']}"}
    moved = entry.transaction
    part = PARTS.get(moved.reverses.kind if moved.reverses else moved.kind, EARNED)
    return Line(at=moved.at, cents=entry.amount, balance=entry.balance_after, part=part, **told)


def _of_award(award: Award, readable: dict[int, Question], rooms: dict[int, Room]) -> dict:
    place = _place_of(award)
    question = readable.get(place)
    room = rooms.get(award.room_id)
    detail = f"{award.payer}: {SHORT[award.cause]}"
    if award.earmark:
        detail += f", earmarked {_day(award.earmark.placed_at)}"
    if award.earmark and question and question.closed_at:
        detail += f", closed {_day(question.closed_at)}"
    told = {"icon": ICONS[award.cause], "detail": detail}
    if question:
        told |= {"title": question.title, "url": question.get_absolute_url()}
    elif room:
        told |= {"title": room.title, "url": room.get_absolute_url()}
    else:
        told |= {"title": "A discussion you can no longer open" if place else award.get_cause_display()}
    if award.cause == Cause.VOTER and question:
        told["draw_url"] = reverse("rewards:draw", args=[place])
    return told


def _of_payout(entry: Entry, payout: Payout) -> dict:
    method = payout.get_method_display()
    if entry.transaction_id == payout.held_id:
        return {"icon": "banknote", "title": f"Payout: {method}", "detail": _became(payout)}
    if payout.settled_id:
        detail = "It was paid and came back"
    else:
        detail = "It did not arrive" if payout.tries or payout.batch_id else "Canceled before it was sent"
    if payout.problem:
        detail += f": {payout.problem}"
    detail += f". Asked for {_day(payout.requested_at)}"
    return {"icon": "undo-2", "title": f"Payout back on your balance: {method}", "detail": detail}


def _became(payout: Payout) -> str:
    if payout.state == State.PAID:
        days = business_days.between(business_days.day_of(payout.requested_at), payout.paid_on)
        took = _days(days) if days else "less than a business day"
        words, late = f"Paid {_day(payout.paid_on)}, {took} after you asked", days_late(payout)
        return f"{words}, {_days(late)} late" if late else words
    if payout.state in (State.RETURNED, State.REVERSED):
        return f"Asked for {_day(payout.requested_at)}; the money came back"
    return f"{STEPS[payout.state]}, promised by {_day(payout.promised_on)}"


def _of_kind(entry: Entry) -> dict:
    kind = entry.transaction.kind
    if kind == Kind.DONATION and entry.charity:
        return {
            "icon": "heart-handshake",
            "title": f"Given to {entry.charity}",
            "detail": "Out of your balance",
        }
    if kind == Kind.LATE:
        return {"icon": "timer", "title": "For a late payout", "detail": "We broke a promised date"}
    if kind == Kind.REVERSAL:
        return {
            "icon": "undo-2",
            "title": "A correction",
            "detail": "Undoes an earlier line",
        }
    return {"title": entry.transaction.get_kind_display(), "detail": "By the finance desk"}


# Payouts


def days_late(payout: Payout) -> int:
    """Business days past the promised one: until it was paid or put back, else so far."""
    over = payout.paid_on or (payout.ended_at and business_days.day_of(payout.ended_at))
    return business_days.between(payout.promised_on, over or business_days.today())


def _is_open(payout: Payout) -> bool:
    return payout.state in STEPS


def _sending(payout: Payout) -> Sending:
    is_here = payout.state in (State.REQUESTED, State.APPROVED) and not (payout.tries or payout.batch_id)
    return Sending(payout, STEPS[payout.state], days_late(payout), may_cancel=is_here)


# Years


@dataclass(frozen=True)
class Sums:
    """A year of a member's money. `before` and what was earned are what was sent, given and left."""

    lines: list[Line]  # the oldest first
    before: int
    earned: int
    sent: int
    given: int
    left: int
    straight: int  # from firms to the charity the member chose; it never stood on the balance
    received: int  # as the tax office counts


def sums_of_year(standing: Standing, user: User, year: int) -> Sums:
    lines = _lines_of_year(standing, user, year)
    parts = {part: sum(line.cents for line in lines if line.part == part) for part in (EARNED, SENT, GIVEN)}
    before = lines[0].balance - lines[0].cents if lines else _balance_before(standing.account, year)
    return Sums(
        lines=lines,
        before=before,
        earned=parts[EARNED],
        sent=-parts[SENT],
        given=-parts[GIVEN],
        left=lines[-1].balance if lines else before,
        straight=_given_straight(standing.payee, year),
        received=taxes.total(standing.payee.subject, year) if standing.payee else 0,
    )


def _lines_of_year(standing: Standing, user: User, year: int) -> list[Line]:
    start, end = taxes.span(year)
    entries = _entries(standing.account).filter(transaction__at__gte=start, transaction__at__lt=end)
    found = list(entries.order_by("pk"))
    return _in_words(found, _payouts(standing.payee, found), standing.account, user)


def _balance_before(account: Account | None, year: int) -> int:
    earlier = _entries(account).filter(transaction__at__lt=taxes.span(year)[0]).order_by("-pk").first()
    return earlier.balance_after if earlier else 0


def _given_straight(payee: Payee | None, year: int) -> int:
    start, end = taxes.span(year)
    rows = Award.objects.filter(
        payee=payee, payee__isnull=False, charity__isnull=False, awarded_at__gte=start, awarded_at__lt=end
    )
    return rows.aggregate(cents=Sum("cents", default=0))["cents"]


def _day(when: date) -> str:
    day = business_days.day_of(when) if isinstance(when, datetime) else when
    year = f", {day.year}" if day.year != business_days.today().year else ""
    return f"{day:%b} {day.day}{year}"


def _days(days: int) -> str:
    return f"{days} business day" + ("" if days == 1 else "s")
