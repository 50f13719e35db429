"""The ledger, to be read. The one thing to be done to it is to write the opposite of a transaction.

A member stands here as the random subject of an account. What was earned by a post or a vote is shown from two sides
that this desk does not join: the transaction without its key, which names the earmark or the poll, without its moment
and without the accounts of members; the account without the transaction. Else it would lead from a post to a payout.
"""

import re
from uuid import UUID

from django.contrib import admin
from django.db.models import BigIntegerField, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from rewards.desk.base import Act, DeskAdmin, Table, day, link, moment, number_of, signed
from rewards.desk.forms import ReasonForm
from rewards.models import Account, Entry, Transaction
from rewards.services import correcting
from rewards.words import dollars
from sermo import paging

EARNED = (Transaction.Kind.SETTLE, Transaction.Kind.HONORARIUM)
ENTRIES = 50  # of an account on one page
MOST_SKIPPED = 100_000  # of a member
LINES = 200  # of a transaction on one page
A_MEMBER = "a member"
OF_SUBJECT = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def uuid_of(term: str) -> UUID | None:
    return UUID(term) if OF_SUBJECT.fullmatch(term) else None


def owner_of(account: Account) -> str:
    return str(account.firm or account.charity or account.subject or "the house")


def is_earned(transaction: Transaction) -> bool:
    """Whether it pays members for what they wrote or voted, or takes that back."""
    source = transaction.reverses or transaction
    return source.kind in EARNED


def is_veiled(entry: Entry) -> bool:
    return entry.account.kind == Account.Kind.PAYABLE and is_earned(entry.transaction)


def when(transaction: Transaction) -> str:
    return day(transaction.at) if is_earned(transaction) else moment(transaction.at)


class OwedFilter(admin.SimpleListFilter):
    title = "balance"
    parameter_name = "owed"

    def lookups(self, request, model_admin):
        return [("yes", "Not zero")]

    def queryset(self, request, queryset):
        return queryset.exclude(balance=0) if self.value() else queryset


@admin.register(Account)
class AccountAdmin(DeskAdmin):
    list_display = ["number", "kind", "owner", "holds"]
    list_filter = ["kind", OwedFilter]
    list_select_related = ["firm", "charity"]
    search_fields = ["pk"]
    search_help_text = "A whole subject, a part of the name of a firm or charity, or a number"
    fields = ["kind", "owner", "holds"]

    def found(self, queryset, term):
        if subject := uuid_of(term):
            return queryset.filter(subject=subject)
        if number := number_of(term):
            return queryset.filter(pk=number)
        return queryset.filter(Q(firm__name__icontains=term) | Q(charity__name__icontains=term))

    @admin.display(description="of")
    def owner(self, account):
        return owner_of(account)

    @admin.display(description="balance")
    def holds(self, account):
        return signed(account.balance)

    def tables(self, request, row):
        """Its entries, the newest first; an account of the house has as many as the ledger.

        Those of a member are few and paged by their count: a cursor tells the key of an entry, which leads to its
        transaction.
        """
        entries = Entry.objects.filter(account=row).select_related("transaction__reverses", "account")
        is_of_member = row.kind == Account.Kind.PAYABLE
        if is_of_member:
            skip = min(number_of(request.GET.get("skip", "")), MOST_SKIPPED)
            page = list(entries.order_by("-pk")[skip : skip + ENTRIES + 1])
            more = f"?skip={skip + ENTRIES}" if len(page) > ENTRIES else ""
            page = page[:ENTRIES]
        else:
            page = paging.page(entries, order=("-pk",), after=request.GET.get("after"), size=ENTRIES)
            more = f"?after={page.next}" if page.next else ""
        lines = [
            (
                entry.transaction.get_kind_display() if is_veiled(entry) else link(entry.transaction),
                day(entry.transaction.at) if is_of_member else when(entry.transaction),
                signed(entry.amount),
                signed(entry.balance_after),
                "" if is_veiled(entry) else entry.transaction.note,
            )
            for entry in page
        ]
        head = ("Transaction", "At", "Amount", "Balance after", "Note")
        return [Table("Entries", head, lines, numbers=(3, 4), more=more)]


def _undo(earlier, user, data) -> str:
    undone = correcting.undo(earlier=earlier, reason=data["note"], by=user)
    return f"Reversed by transaction {undone.pk}."


@admin.register(Transaction)
class TransactionAdmin(DeskAdmin):
    list_display = ["number", "shown_at", "kind", "moved", "note"]
    list_filter = ["kind", "at"]
    search_fields = ["pk"]
    search_help_text = "The number of a transaction, or its whole key"
    fields = ["kind", "shown_at", "shown_key", "note", "by", "reversal"]
    acts = (
        Act(
            *("reverse", "Reverse", ReasonForm, _undo, "approve_payout"),
            is_open=correcting.may_be_undone,
            words="Writes the opposite. What members earned by it goes back to the firm's balance, where they still "
            "have it, and is left out of reports.",
        ),
    )

    def get_queryset(self, request):
        """With what moved, summed up where it stands: one may have as many entries as a poll had votes."""
        came = Entry.objects.filter(transaction=OuterRef("pk"), amount__gt=0).order_by().values("transaction")
        cents = Subquery(came.annotate(cents=Sum("amount")).values("cents"), output_field=BigIntegerField())
        rows = super().get_queryset(request).select_related("reverses")
        return rows.annotate(cents=Coalesce(cents, 0))

    def found(self, queryset, term):
        if number := number_of(term):
            return queryset.filter(pk=number)
        return queryset.filter(key=term).exclude(kind__in=EARNED)

    @admin.display(description="at")
    def shown_at(self, transaction):
        return when(transaction)

    @admin.display(description="moved")
    def moved(self, transaction):
        return dollars(transaction.cents)

    @admin.display(description="key")
    def shown_key(self, transaction):
        return "not shown" if transaction.kind in EARNED else transaction.key

    @admin.display(description="reversal")
    def reversal(self, transaction):
        if transaction.reverses:
            return link(transaction.reverses, f"reverses {transaction.reverses_id}")
        undone = getattr(transaction, "reversed_by", None)
        return link(undone, f"reversed by {undone.pk}") if undone else "none"

    def tables(self, request, row):
        entries = row.entries.select_related("account__firm", "account__charity", "transaction__reverses")
        page = paging.page(entries, order=("pk",), after=request.GET.get("after"), size=LINES)
        lines = [(entry.pk, *_seen(entry)) for entry in page]
        head = ("Entry", "Account", "Of", "Amount", "Balance after")
        more = f"?after={page.next}" if page.next else ""
        return [Table("Entries", head, lines, numbers=(4, 5), more=more, more_words="Further ones")]


def _seen(entry: Entry) -> tuple[str, str, str, str]:
    """Its account, whose that is, the amount and what it left there; without its member where it tells what for."""
    if is_veiled(entry):
        return entry.account.get_kind_display(), A_MEMBER, signed(entry.amount), ""
    return (
        link(entry.account, entry.account.get_kind_display()),
        owner_of(entry.account),
        signed(entry.amount),
        signed(entry.balance_after),
    )


@admin.register(Entry)
class EntryAdmin(DeskAdmin):
    list_display = ["number", "of_transaction", "at", "of_account", "owner", "moved", "left"]
    list_display_links = None
    list_select_related = ["transaction__reverses", "account__firm", "account__charity"]
    list_filter = ["account__kind"]
    search_fields = ["pk"]
    search_help_text = "The number of an entry"

    def has_view_permission(self, request, obj=None):
        return obj is None and super().has_view_permission(request)

    @admin.display(description="transaction")
    def of_transaction(self, entry):
        return link(entry.transaction)

    @admin.display(description="at")
    def at(self, entry):
        return when(entry.transaction)

    @admin.display(description="account")
    def of_account(self, entry):
        return _seen(entry)[0]

    @admin.display(description="of")
    def owner(self, entry):
        return _seen(entry)[1]

    @admin.display(description="amount")
    def moved(self, entry):
        return _seen(entry)[2]

    @admin.display(description="balance after")
    def left(self, entry):
        return _seen(entry)[3]
