"""Who pays and who is paid for others: firms with their balances, charities with theirs, and who is whose."""

from django.contrib import admin
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin import ReadOnlyAdmin
from rewards.desk.base import Act, EditedAdmin, Table, badge, link, signed
from rewards.desk.forms import DepositForm, FirmForm, OnceSureForm
from rewards.desk.ledger import when
from rewards.models import Account, Affiliation, Charity, Entry, Firm
from rewards.services import allowances, deposits, ledger, payouts
from rewards.words import dollars
from sermo.estimates import EstimatedPaginator

NEWEST = 30  # movements below a firm
ACCOUNTS = {Account.Kind.FIRM: "Balance", Account.Kind.RESERVED: "Reserved"}  # of a firm, on its own page


def _balance(owner: str, kind: Account.Kind) -> Subquery:
    return Subquery(Account.objects.filter(**{owner: OuterRef("pk")}, kind=kind).values("balance"))


def _top_up(firm, user, data) -> str:
    deposits.top_up(firm=firm, by=user, **data)
    return f"{dollars(data['cents'])} are on the balance."


def _pay_back(firm, user, data) -> str:
    deposits.pay_back(firm=firm, by=user, **data)
    return f"{dollars(data['cents'])} are noted as paid back."


@admin.register(Firm)
class FirmAdmin(EditedAdmin):
    form = FirmForm
    list_display = ["name", "kind", "on_balance", "in_reserve", "is_covered", "is_active"]
    list_filter = ["kind", "is_covered", "is_active"]
    search_fields = ["name"]
    search_help_text = "A part of a name"
    ordering = ["name"]
    acts = (
        Act(
            *("top-up", "Top up", DepositForm, _top_up, "change_firm"),
            is_open=lambda firm: firm.is_active,
            words="Money that has come from the firm and stands on the bank's statement.",
        ),
        Act(
            *("pay-back", "Pay back", DepositForm, _pay_back, "change_firm"),
            words="Note it once the bank has sent it. What is reserved is not on the balance.",
            beside={ledger.NotEnough: "cents"},
        ),
    )

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .annotate(
                balance=_balance("firm", Account.Kind.FIRM), reserved=_balance("firm", Account.Kind.RESERVED)
            )
        )

    def found(self, queryset, term):
        return queryset.filter(name__icontains=term)

    def get_readonly_fields(self, request, obj=None):
        return ["on_balance", "in_reserve", "earmarks_left", "lists", "joined_at"] if obj else []

    def get_fields(self, request, obj=None):
        return [*FirmForm.Meta.fields, *self.get_readonly_fields(request, obj)]

    @admin.display(description="balance")
    def on_balance(self, firm):
        return dollars(firm.balance or 0)

    @admin.display(description="reserved")
    def in_reserve(self, firm):
        return dollars(firm.reserved or 0)

    @admin.display(description="earmarks left today")
    def earmarks_left(self, firm):
        return allowances.left(firm)

    @admin.display(description="lists")
    def lists(self, firm):
        names = {
            "earmark": "earmarks",
            "sponsorship": "sponsorships",
            "roomsponsorship": "focus groups",
            "report": "reports",
        }
        return format_html(
            "{}, {}, {}, {}",
            *(
                format_html(
                    '<a href="{}?firm__id__exact={}">{}</a>',
                    *(reverse(f"admin:rewards_{model}_changelist"), firm.pk, words),
                )
                for model, words in names.items()
            ),
        )

    def tables(self, request, row):
        accounts = Account.objects.filter(firm=row)
        newest = (
            Entry.objects.filter(account__in=list(accounts))
            .select_related("account", "transaction__reverses")
            .order_by("-pk")[:NEWEST]
        )
        return [
            Table(
                "Newest movements",
                ("Transaction", "At", "Account", "Amount", "Balance after", "Reference"),
                [
                    (
                        link(entry.transaction),
                        when(entry.transaction),
                        ACCOUNTS[entry.account.kind],
                        signed(entry.amount),
                        dollars(entry.balance_after),
                        entry.transaction.note,
                    )
                    for entry in newest
                ],
                numbers=(4, 5),
            )
        ]


def _pay_out(charity, user, data) -> str:
    payout = payouts.to_charity(charity=charity, submission=data["submission"], by=user)
    return f"Payout {payout.pk} of {dollars(payout.cents)} waits for somebody else to approve it."


@admin.register(Charity)
class CharityAdmin(EditedAdmin):
    list_display = ["name", "ein", "owed", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name"]
    search_help_text = "A part of a name, or an EIN"
    ordering = ["name"]
    fields = ["name", "ein", "is_active"]
    recorded = ("name", "ein")
    acts = (
        Act(
            *("pay-out", "Pay out its balance", OnceSureForm, _pay_out, "approve_payout"),
            is_open=lambda charity: (charity.balance or 0) > 0,
            words="All that is owed to the charity becomes one payout. Somebody else approves it.",
        ),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(balance=_balance("charity", Account.Kind.CHARITY))

    def found(self, queryset, term):
        return queryset.filter(name__icontains=term) | queryset.filter(ein=term)

    def get_readonly_fields(self, request, obj=None):
        return ["owed"] if obj else []

    def get_fields(self, request, obj=None):
        return [*self.fields, *self.get_readonly_fields(request, obj)]

    @admin.display(description="owed to it")
    def owed(self, charity):
        return dollars(charity.balance or 0)


@admin.register(Affiliation)
class AffiliationAdmin(ReadOnlyAdmin):
    """Which member a firm pays elsewhere, by handle; declared by the member and ended by the member."""

    list_display = ["member", "firm", "declared_at", "state"]
    list_display_links = None
    list_filter = ["firm"]
    list_select_related = ["member", "firm"]
    search_fields = ["=member__handle"]
    search_help_text = "A whole handle"
    ordering = ["-pk"]
    paginator = EstimatedPaginator
    list_per_page = 50
    sortable_by = []

    def has_view_permission(self, request, obj=None):
        return obj is None and super().has_view_permission(request)

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Affiliations", **(extra_context or {})})

    @admin.display(description="state")
    def state(self, affiliation):
        return badge("ended" if affiliation.ended_at else "stands")
