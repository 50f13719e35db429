"""Payouts: approved or refused, taken away in files, confirmed, and compared with what providers say.

Where one goes (a name, an address, an account) is in the file of its batch alone, never on a page.
"""

from datetime import UTC, datetime, time

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.views.decorators.debug import sensitive_variables

from rewards import tasks
from rewards.desk import figures
from rewards.desk.base import Act, DeskAdmin, Table, badge, file_of, link, moment, number_of
from rewards.desk.forms import (
    BatchForm,
    FoundPaidForm,
    ReasonForm,
    ReconcileForm,
    ReferenceForm,
    SureForm,
)
from rewards.desk.ledger import uuid_of
from rewards.models import Approval, Payout, PayoutBatch, ProviderEvent, Reconciliation
from rewards.providers import manual
from rewards.services import approving, clearing
from rewards.words import dollars
from verification.services import events

State = Payout.State
TONES = {
    State.PAID: "solved",
    State.IN_DOUBT: "urgent",
    State.FAILED: "urgent",
    State.RETURNED: "urgent",
}
OF_TRANSFER = {clearing.ReferenceUsed: "reference", manual.NotThatDay: "paid_on"}


class QueueFilter(admin.SimpleListFilter):
    title = "queue"
    parameter_name = "queue"

    def lookups(self, request, model_admin):
        return [
            ("file", "To be downloaded as a file"),
            ("sent", "Downloaded, to be confirmed"),
            ("doubt", "In doubt"),
            ("late", "Late"),
            ("all", "All payouts"),
        ]

    def choices(self, changelist):
        waiting, *others = super().choices(changelist)
        yield {**waiting, "display": "Waiting for approval"}
        yield from others

    def queryset(self, request, queryset):
        return figures.queue(queryset, self.value())


def _approve(payout, user, data) -> str:
    decided = approving.approve(payout=payout, by=user)
    if decided.state == State.REQUESTED:
        return "Approved by you. A sum like this takes a second person."
    return "Approved. It is on its way with the next round."


def _refuse(payout, user, data) -> str:
    approving.refuse(payout=payout, by=user, note=data["note"])
    return "Refused. The sum is back on the balance."


def _confirm(payout, user, data) -> str:
    clearing.confirm(payout=payout, by=user, **data)
    return "Marked as paid."


def _found_paid(payout, user, data) -> str:
    return _cleared(clearing.found_paid(payout=payout, by=user, **data))


def _never_sent(payout, user, data) -> str:
    return _cleared(clearing.never_sent(payout=payout, by=user))


def _cleared(payout) -> str:
    if payout.state == State.IN_DOUBT:
        return "Noted. It counts once somebody else notes the same."
    return "Two people found the same. " + (
        "It is marked as paid." if payout.state == State.PAID else "The sum is back on the balance."
    )


def _is_in_doubt(payout) -> bool:
    return payout.state == State.IN_DOUBT


def _came_back(payout, user, data) -> str:
    manual.came_back(payout=payout, note=data["note"], by=user)
    return "Noted. The sum is back on the balance."


def _is_by_hand(payout) -> bool:
    return payout.provider == figures.BY_HAND


@admin.register(Payout)
class PayoutAdmin(DeskAdmin):
    list_display = ["number", "asked", "amount", "status", "promised", "way", "receiver", "yes"]
    list_filter = [QueueFilter, "method", "provider"]
    list_select_related = ["charity"]
    search_fields = ["pk"]
    search_help_text = "A number, a whole key or subject, or a whole reference"
    fields = [
        *("amount", "way", "receiver", "status", "asked", "promised", "sent_at", "tries", "ended_at"),
        *("reference", "problem", "key", "in_batch"),
    ]
    acts = (
        Act(
            *("approve", "Approve", SureForm, _approve, "approve_payout"),
            is_open=lambda payout: payout.state == State.REQUESTED,
            words="Large sums take two people. Nobody approves what they get or asked for.",
        ),
        Act(
            *("refuse", "Refuse", ReasonForm, _refuse, "approve_payout"),
            is_open=lambda payout: payout.state == State.REQUESTED,
            words="The sum returns to the balance. The member reads the reason.",
        ),
        Act(
            *("confirm", "Confirm as paid", ReferenceForm, _confirm, "approve_payout"),
            is_open=lambda payout: _is_by_hand(payout) and payout.state == State.SUBMITTED,
            words="The check was mailed, or the bank has made the transfer.",
            beside=OF_TRANSFER,
        ),
        Act(
            *("came-back", "Came back", ReasonForm, _came_back, "approve_payout"),
            is_open=lambda payout: _is_by_hand(payout) and payout.state in (State.SUBMITTED, State.PAID),
            words="The bank returned it, or the check came back or was voided. The sum returns to the balance.",
        ),
        Act(
            *("found-paid", "Found paid", FoundPaidForm, _found_paid, "approve_payout"),
            is_open=_is_in_doubt,
            words="Only where the provider will say no more, and you see in its own records that it was paid. It "
            "counts once two people have noted the same reference and day.",
            beside=OF_TRANSFER,
        ),
        Act(
            *("never-sent", "Found never sent", SureForm, _never_sent, "approve_payout"),
            is_open=_is_in_doubt,
            words="Only where the provider will say no more, and its own records show nothing of it. Once two people "
            "have noted this, the sum is back on the balance: if it was sent after all, it is lost.",
        ),
    )

    def get_queryset(self, request):
        given = Approval.objects.filter(payout=OuterRef("pk")).order_by().values("payout")
        counted = Subquery(given.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
        rows = super().get_queryset(request).defer("details")
        return rows.annotate(approvals_count=Coalesce(counted, 0))

    def found(self, queryset, term):
        if known := uuid_of(term):
            return queryset.filter(key=known) | queryset.filter(subject=known)
        if number := number_of(term):
            return queryset.filter(pk=number)
        return queryset.filter(reference=term)

    def figures(self):
        return figures.payouts_said()

    @admin.display(description="asked for")
    def asked(self, payout):
        return moment(payout.requested_at)

    @admin.display(description="amount")
    def amount(self, payout):
        return dollars(payout.cents)

    @admin.display(description="by")
    def way(self, payout):
        return f"{payout.get_method_display()}, {payout.provider}"

    @admin.display(description="to")
    def receiver(self, payout):
        return f"{payout.charity}, EIN {payout.charity.ein}" if payout.charity else payout.subject

    @admin.display(description="state")
    def status(self, payout):
        return badge(payout.get_state_display(), TONES.get(payout.state, ""))

    @admin.display(description="promised")
    def promised(self, payout):
        is_late = payout.state in Payout.UNDER_WAY and payout.promised_on < figures.today()
        return badge(f"late: {payout.promised_on}", "urgent") if is_late else str(payout.promised_on)

    @admin.display(description="approvals")
    def yes(self, payout):
        return payout.approvals_count

    @admin.display(description="batch")
    def in_batch(self, payout):
        return link(payout.batch) if payout.batch else "none"

    def tables(self, request, row):
        steps = [
            (moment(step.at), step.get_state_display(), step.by or "the site or the member", step.note)
            for step in row.steps.all()
        ]
        approvals = [(moment(each.at), each.by) for each in row.approvals.order_by("pk")]
        heard = [
            (moment(each.received_at), each.provider, each.kind, each.event)
            for each in row.events.order_by("-pk")[:20]
        ]
        return [
            Table("Steps", ("At", "State", "By", "Note"), steps),
            Table("Approvals", ("At", "By"), approvals),
            Table("Heard from the provider", ("At", "Provider", "Kind", "Event"), heard),
        ]


@sensitive_variables()
def _take_away(row, user, data):
    batch, table = clearing.take_batch(method=data["method"], by=user)
    return file_of(table, _name_of(batch))


@sensitive_variables()
def _file_again(batch, user, data):
    events.record(kind="finance_batch_again", by=user, object=f"payout_batch:{batch.pk}")
    return file_of(manual.file_of(batch), _name_of(batch))


def _name_of(batch) -> str:
    return f"payouts-{batch.method}-{batch.pk}.csv"


@admin.register(PayoutBatch)
class PayoutBatchAdmin(DeskAdmin):
    list_display = ["number", "method", "made_at", "made_by", "payouts_count", "sum"]
    list_filter = ["method"]
    search_fields = ["pk"]
    search_help_text = "The number of a batch"
    fields = ["method", "made_at", "made_by", "payouts_count", "sum"]
    acts = (
        Act(
            *("take", "Download a batch", BatchForm, _take_away, "approve_payout"),
            words="All approved payouts of one kind in one file, with names and addresses. Keep it safe, and delete "
            "it once they are sent. Confirm each in the list of payouts.",
            of_list=True,
            beside={manual.NothingToTake: "method"},
        ),
        Act(
            *("file", "Download the file again", SureForm, _file_again, "approve_payout"),
            words="For a download that broke off: what is still to be sent of the batch. Make sure that nobody else "
            "is sending from the first file.",
        ),
    )

    @admin.display(description="in all")
    def sum(self, batch):
        return dollars(batch.cents)

    def tables(self, request, row):
        lines = [
            (link(each), dollars(each.cents), badge(each.get_state_display(), TONES.get(each.state, "")))
            for each in row.payouts.defer("details").order_by("pk")
        ]
        return [Table("Payouts", ("Payout", "Amount", "State"), lines, numbers=(2,))]


@admin.register(ProviderEvent)
class ProviderEventAdmin(DeskAdmin):
    """What came signed from providers; kept so that a second copy does nothing."""

    list_display = ["received_at", "provider", "kind", "event", "of_payout"]
    list_display_links = None
    list_filter = ["provider"]
    list_select_related = ["payout"]
    search_fields = ["pk"]
    search_help_text = "A whole name of an event"

    def has_view_permission(self, request, obj=None):
        return obj is None and super().has_view_permission(request)

    def get_queryset(self, request):
        return super().get_queryset(request).defer("payout__details")

    def found(self, queryset, term):
        return queryset.filter(event=term)

    @admin.display(description="payout")
    def of_payout(self, event):
        return link(event.payout) if event.payout else "none"


def _reconcile(row, user, data) -> str:
    events.record(kind="finance_reconcile", by=user, object=f"provider:{data['provider']}")
    since = datetime.combine(data["since"], time.min, tzinfo=UTC)
    tasks.reconcile_since.delay_on_commit(data["provider"], since.isoformat())
    return "Started. The result appears in this list within minutes."


@admin.register(Reconciliation)
class ReconciliationAdmin(DeskAdmin):
    list_display = ["at", "provider", "unexplained", "since", "matched", "ours", "theirs", "settled"]
    list_filter = ["provider"]
    fields = list_display
    acts = (
        Act(
            *("now", "Reconcile now", ReconcileForm, _reconcile, "approve_payout"),
            words="Asks the provider for its own list and compares it with ours, line by line.",
            of_list=True,
            is_guarded=False,
        ),
    )

    @admin.display(description="we sent")
    def ours(self, row):
        return dollars(row.ours_cents)

    @admin.display(description="they sent")
    def theirs(self, row):
        return dollars(row.theirs_cents)

    @admin.display(description="differences")
    def unexplained(self, row):
        return badge(f"{len(row.differences)} unexplained", "urgent") if row.differences else "none"

    def tables(self, request, row):
        lines = [
            tuple(_said(each.get(name)) for name in ("what", "key", "reference", "ours", "theirs"))
            for each in row.differences
        ]
        return [Table("Differences", ("What", "Key", "Reference", "Ours", "Theirs"), lines, numbers=(4, 5))]


def _said(value) -> str:
    if value is None:
        return ""
    return dollars(value) if isinstance(value, int) else str(value)
