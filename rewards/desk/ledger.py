"""The ledger, to be read. The one thing to be done to it is to write the opposite of a transaction.

A member stands here as the random subject of an account. What was earned by a post or a vote is shown without its key,
which names the earmark or the poll: with it, this desk would lead from a handle to an account and to a payout.
"""

import re
from uuid import UUID

from django.contrib import admin
from django.db.models import Q

from rewards.desk.base import Act, DeskAdmin, Table, link, moment, number_of, signed
from rewards.desk.forms import ReasonForm
from rewards.models import Account, Entry, Transaction
from rewards.services import correcting
from rewards.words import dollars
from sermo import paging

WITHOUT_KEY = (Transaction.Kind.SETTLE, Transaction.Kind.HONORARIUM)
ENTRIES = 50
OF_SUBJECT = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def uuid_of(term: str) -> UUID | None:
    return UUID(term) if OF_SUBJECT.fullmatch(term) else None


def owner_of(account: Account) -> str:
    return str(account.firm or account.charity or account.subject or "the house")


class OwedFilter(admin.SimpleListFilter):
    title = "balance"
    parameter_name = "owed"

    def lookups(self, request, model_admin):
        return [("yes", "Not zero")]

    def queryset(self, request, queryset):
        return queryset.exclude(balance=0) if self.value() else queryset


@admin.register(Account)
class AccountAdmin(DeskAdmin):
    list_display = ["pk", "kind", "owner", "holds"]
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
        """Its entries by key, the newest first; an account of the house has as many as the ledger."""
        entries = Entry.objects.filter(account=row).select_related("transaction")
        page = paging.page(entries, order=("-pk",), after=request.GET.get("after"), size=ENTRIES)
        lines = [
            (
                link(entry.transaction),
                moment(entry.transaction.at),
                signed(entry.amount),
                signed(entry.balance_after),
                entry.transaction.note,
            )
            for entry in page
        ]
        head = ("Transaction", "At", "Amount", "Balance after", "Note")
        more = f"?after={page.next}" if page.next else ""
        return [Table("Entries", head, lines, numbers=(3, 4), more=more)]


def _undo(earlier, user, data) -> str:
    undone = correcting.undo(earlier=earlier, reason=data["note"], by=user)
    return f"Reversed by transaction {undone.pk}."


@admin.register(Transaction)
class TransactionAdmin(DeskAdmin):
    list_display = ["pk", "at", "kind", "moved", "note"]
    list_filter = ["kind", "at"]
    search_fields = ["pk"]
    search_help_text = "The number of a transaction, or its whole key"
    fields = ["kind", "at", "shown_key", "note", "by", "reversal"]
    acts = (
        Act(
            *("reverse", "Reverse", ReasonForm, _undo, "approve_payout"),
            is_open=correcting.may_be_undone,
            words="Writes the opposite. What members earned by it goes back to the firm's balance, where they still "
            "have it, and is left out of reports.",
        ),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("entries").select_related("reverses")

    def found(self, queryset, term):
        if number := number_of(term):
            return queryset.filter(pk=number)
        return queryset.filter(key=term).exclude(kind__in=WITHOUT_KEY)

    @admin.display(description="moved")
    def moved(self, transaction):
        return dollars(sum(entry.amount for entry in transaction.entries.all() if entry.amount > 0))

    @admin.display(description="key")
    def shown_key(self, transaction):
        return "not shown" if transaction.kind in WITHOUT_KEY else transaction.key

    @admin.display(description="reversal")
    def reversal(self, transaction):
        if transaction.reverses:
            return link(transaction.reverses, f"reverses {transaction.reverses_id}")
        undone = getattr(transaction, "reversed_by", None)
        return link(undone, f"reversed by {undone.pk}") if undone else "none"

    def tables(self, request, row):
        entries = row.entries.select_related("account__firm", "account__charity").order_by("pk")
        lines = [
            (
                entry.pk,
                link(entry.account, entry.account.get_kind_display()),
                owner_of(entry.account),
                signed(entry.amount),
                signed(entry.balance_after),
            )
            for entry in entries
        ]
        return [
            Table("Entries", ("Entry", "Account", "Of", "Amount", "Balance after"), lines, numbers=(4, 5))
        ]


@admin.register(Entry)
class EntryAdmin(DeskAdmin):
    list_display = ["pk", "of_transaction", "at", "of_account", "owner", "moved", "left"]
    list_display_links = None
    list_select_related = ["transaction", "account__firm", "account__charity"]
    list_filter = ["account__kind"]
    search_fields = ["pk"]
    search_help_text = "The number of an entry, or a whole subject"

    def has_view_permission(self, request, obj=None):
        return obj is None and super().has_view_permission(request)

    def found(self, queryset, term):
        if subject := uuid_of(term):
            accounts = Account.objects.filter(subject=subject).values_list("pk", flat=True)
            return queryset.filter(account__in=list(accounts))
        return super().found(queryset, term)

    @admin.display(description="transaction")
    def of_transaction(self, entry):
        return link(entry.transaction)

    @admin.display(description="at")
    def at(self, entry):
        return moment(entry.transaction.at)

    @admin.display(description="account")
    def of_account(self, entry):
        return link(entry.account, entry.account.get_kind_display())

    @admin.display(description="of")
    def owner(self, entry):
        return owner_of(entry.account)

    @admin.display(description="amount")
    def moved(self, entry):
        return signed(entry.amount)

    @admin.display(description="balance after")
    def left(self, entry):
        return signed(entry.balance_after)
