"""Who may watch: plans, contracts, and the seats and invitations of firms."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.admin import ReadOnlyAdmin
from accounts.doors import recently_authenticated
from observers.desk import ending
from observers.desk.forms import ContractForm, OfferForm, PlanForm
from observers.models import Contract, Plan, Purpose, Seat, SeatInvitation
from observers.services import seating
from rewards.desk.base import badge
from sermo.errors import RuleBroken
from verification.services import events


class ContractsAdmin(ReadOnlyAdmin):
    """Rows of firms. Who may change contracts may do to them what the actions say."""

    list_per_page = 50
    list_max_show_all = 50
    sortable_by = ()

    def has_end_permission(self, request):
        return request.user.has_perm(seating.MAY_GIVE)

    def changelist_view(self, request, extra_context=None):
        """Whoever ends something from the list first confirms that it is still them."""
        context = {"title": self.opts.verbose_name_plural.capitalize(), **(extra_context or {})}
        view = super().changelist_view
        if request.method == "POST":
            view = recently_authenticated(view)
        return view(request, context)

    def each(self, request, rows, act, done: str) -> None:
        """Do something to each of the rows that were ticked, and say what came of it."""
        number = 0
        for row in rows:
            try:
                act(row)
                number += 1
            except RuleBroken as refusal:
                self.message_user(request, f"{row}: {refusal}", messages.ERROR)
        if number:
            self.message_user(request, f"{number} {done}.", messages.SUCCESS)


class RecordedMixin:
    """Rows that say who may watch, and how much. What changed of one stands in the trail."""

    def save_model(self, request, obj, form, change):
        events.lock_chain()
        super().save_model(request, obj, form, change)
        said = [
            f"{name}: {form.initial.get(name)} -> {form.cleaned_data[name]}" for name in form.changed_data
        ]
        kind = self.opts.model_name
        events.record(kind=kind, by=request.user, object=f"{kind}:{obj.pk}", evidence=said)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Whoever says who may watch first confirms that it is still them."""
        view = super().changeform_view
        if request.method == "POST":
            view = recently_authenticated(view)
        return view(request, object_id, form_url, extra_context)


@admin.register(Plan)
class PlanAdmin(RecordedMixin, admin.ModelAdmin):
    form = PlanForm
    list_display = ["name", "seats", "searches", "exports_a_day", "earmarks_a_day", "firms"]
    ordering = ["cents_a_month", "name"]
    sortable_by = ()

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Plans", **(extra_context or {})})

    def get_queryset(self, request):
        current = Q(contracts__in=Contract.objects.current())
        return super().get_queryset(request).annotate(firm_count=Count("contracts", filter=current))

    @admin.display(description="firms")
    def firms(self, plan):
        return plan.firm_count

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Contract)
class ContractAdmin(RecordedMixin, ContractsAdmin):
    """Agreed here; a firm stays the one it was agreed with. Ending one early is an action."""

    form = ContractForm
    list_display = ["firm", "state", "plan", "starts_on", "ends_on"]
    list_select_related = ["firm", "plan"]
    list_filter = ["plan"]
    search_fields = ["firm__name"]
    search_help_text = "A part of a firm's name"
    ordering = ["-starts_on", "-pk"]
    actions = ["end"]

    def has_add_permission(self, request):
        return request.user.has_perm("observers.add_contract")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("observers.change_contract") and not (obj and obj.ended_at)

    def get_readonly_fields(self, request, obj=None):
        """The firm stays."""
        return ["firm", "in_words", "agreed_at", "ended_at"] if obj else []

    def get_fields(self, request, obj=None):
        """One that can be changed has its purposes as boxes, any other in words."""
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        named = ContractForm.Meta.fields if may else ["firm", "plan", "in_words", "starts_on", "ends_on"]
        return [*named, *(["agreed_at", "ended_at"] if obj else [])]

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            context |= {"title": f"Contract with {obj.firm}", "subtitle": ""}
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.display(description="purposes")
    def in_words(self, contract):
        return ", ".join(label for value, label in Purpose.choices if value in contract.purposes)

    @admin.display(description="state")
    def state(self, contract):
        today = timezone.now().date()
        if contract.ended_at or (contract.ends_on and contract.ends_on < today):
            return badge("ended")
        return badge("to come") if contract.starts_on > today else badge("in force", "solved")

    @admin.action(description="End at once", permissions=["end"])
    def end(self, request, queryset):
        """Asks first, with what ends: a contract that ended is not taken up again."""
        rows = queryset.filter(Q(ends_on=None) | Q(ends_on__gte=timezone.now().date()), ended_at=None)
        rows = list(rows.select_related("firm", "plan"))
        if not rows:
            messages.warning(request, "Nothing was changed: all of it has ended.")
            return None
        if "confirmed" not in request.POST:
            return self._ask(request, rows)
        self.each(request, rows, lambda row: seating.end_contract(contract=row, by=request.user), "ended")
        return None

    def _ask(self, request, rows):
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "End at once?",
            "rows": [(contract, ending.what_ends(contract)) for contract in rows],
            "list_address": reverse("admin:observers_contract_changelist"),
        }
        return TemplateResponse(request, "admin/observers/end.html", context)


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request, model_admin):
        return [("taken", "Taken"), ("ended", "Ended")]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        taken = Q(ended_at=None, user__isnull=False)
        return queryset.filter(taken if self.value() == "taken" else ~taken)


@admin.register(Seat)
class SeatAdmin(ContractsAdmin):
    """Who sits where. The address of a person is not shown; the invitation has it."""

    list_display = ["firm", "number", "name", "state", "is_admin", "taken_on"]
    list_display_links = ["number"]
    list_select_related = ["firm"]
    list_filter = [StateFilter, "is_admin"]
    search_fields = ["firm__name", "name"]
    search_help_text = "A part of a name, of a firm or a person"
    ordering = ["firm__name", "number"]
    fields = ["firm", "number", "name", "is_admin", "purpose", "taken_at", "ended_at"]
    actions = ["end"]

    @admin.display(description="state")
    def state(self, seat):
        return badge("ended") if seat.ended_at or seat.user_id is None else badge("taken", "solved")

    @admin.display(description="since")
    def taken_on(self, seat):
        return timezone.localdate(seat.taken_at)

    @admin.action(description="End at once", permissions=["end"])
    def end(self, request, queryset):
        rows = queryset.filter(ended_at=None)
        self.each(request, rows, lambda seat: seating.end(seat=seat, by=request.user), "ended")


class OfferFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request, model_admin):
        return [("open", "Open"), ("over", "Over")]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        is_open = Q(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
        return queryset.filter(is_open if self.value() == "open" else ~is_open)


@admin.register(SeatInvitation)
class SeatInvitationAdmin(ContractsAdmin):
    """Seats that were offered. The desk offers a firm its first."""

    list_display = ["firm", "name", "state", "email", "is_admin", "invited_on"]
    list_display_links = ["name"]
    list_select_related = ["firm", "seat"]
    list_filter = [OfferFilter]
    search_fields = ["firm__name", "email", "name"]
    search_help_text = "A part of a name, of a firm or a person, or of an address"
    ordering = ["-invited_at", "-pk"]
    fields = [
        "firm",
        "name",
        "email",
        "is_admin",
        "purpose",
        "invited_at",
        "expires_at",
        "accepted_at",
        "withdrawn_at",
    ]
    actions = ["withdraw"]

    def has_add_permission(self, request):
        return self.has_end_permission(request)

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return recently_authenticated(self._offer)(request)

    def _offer(self, request):
        form = OfferForm(request.POST or None)
        if form.is_bound and form.is_valid():
            try:
                seating.invite(by=request.user, **form.cleaned_data)
            except RuleBroken as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Offered. The link leaves by mail.")
                return redirect("admin:observers_seatinvitation_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Offer a seat",
            "button": "Send the invitation",
            "form": form,
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/observers/form.html", context, status=status)

    @admin.display(description="state")
    def state(self, invitation):
        if invitation.accepted_at:
            return badge(f"taken as seat {invitation.seat.number}", "solved")
        if invitation.withdrawn_at:
            return badge("withdrawn")
        return badge("open" if invitation.expires_at > timezone.now() else "ran out")

    @admin.display(description="sent")
    def invited_on(self, invitation):
        return timezone.localdate(invitation.invited_at)

    @admin.action(description="Withdraw", permissions=["end"])
    def withdraw(self, request, queryset):
        self.each(
            request,
            queryset.filter(accepted_at=None, withdrawn_at=None),
            lambda invitation: seating.withdraw(invitation=invitation, by=request.user),
            "withdrawn",
        )
