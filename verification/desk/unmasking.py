"""Breaking the glass: who asks for the name behind a handle, who grants it, and the one page where it is read."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from accounts.admin import ReadOnlyAdmin
from accounts.doors import confirmed_first, recently_authenticated
from sermo.errors import RuleBroken
from verification import rules
from verification.models import Unmasking
from verification.services import unmasking

WORDS = forms.Textarea(attrs={"rows": 4, "cols": 60})


class AskForm(forms.Form):
    handle = forms.CharField(
        max_length=25,
        help_text="As it stands beside the posts, also one that was changed since.",
        error_messages={"required": "Write the handle."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    basis = forms.ChoiceField(
        label="On what ground",
        choices=[("", "Choose the ground"), *Unmasking.Basis.choices],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose the ground."),
    )
    reason = forms.CharField(
        label="Why",
        max_length=2000,
        widget=WORDS,
        help_text="What it is for, and why nothing less will do. Kept encrypted, for the two of you.",
        error_messages={"required": "Write why."},
    )
    reference = forms.CharField(
        label="File number", max_length=80, required=False, help_text="Of the court; else of your own file."
    )
    barred_until = forms.DateField(
        label="Secret until",
        required=False,
        help_text="Only where a court orders it: the last day on which the member must not be told.",
        error_messages={"invalid": "Write a day, such as 2027-01-31."},
        widget=forms.DateInput(attrs={"type": "date"}),
    )


class DecideForm(forms.Form):
    """Two buttons under one reason."""

    why = forms.CharField(
        label="Why",
        max_length=2000,
        widget=WORDS,
        help_text="What you looked at. Kept encrypted.",
        error_messages={"required": "Write why."},
    )
    decision = forms.ChoiceField(
        choices=[("Grant", "Grant"), ("Refuse", "Refuse")],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose to grant it or to refuse."),
    )


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request, model_admin):
        return [
            ("waiting", "Waiting"),
            ("granted", "Granted"),
            ("refused", "Refused"),
            *Unmasking.End.choices,
        ]

    def queryset(self, request, queryset):
        states = {
            "waiting": {"decided_at": None, "ended_at": None},
            "granted": {"is_granted": True},
            "refused": {"is_granted": False, "decided_at__isnull": False},
            **{end: {"end": end} for end in Unmasking.End.values},
        }
        return queryset.filter(**states.get(self.value(), {}))


@admin.register(Unmasking)
class UnmaskingAdmin(ReadOnlyAdmin):
    """Requests by handle. The name is on one page, for the one who asked, and in none of these lists."""

    list_display = ["number", "member", "basis", "asked_on", "state"]
    list_select_related = ["member"]
    list_filter = [StateFilter, "basis"]
    search_fields = ["=member__handle"]
    search_help_text = "The whole handle"
    ordering = ["-asked_at", "-pk"]
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 50
    actions = None

    def has_view_permission(self, request, obj=None):
        user = request.user
        return user.has_perm(unmasking.MAY_ASK) or user.has_perm(unmasking.MAY_GRANT)

    def has_module_permission(self, request):
        return self.has_view_permission(request) or super().has_module_permission(request)

    def has_add_permission(self, request, obj=None):
        return request.user.has_perm(unmasking.MAY_ASK)

    def get_queryset(self, request):
        """None about oneself; the encrypted words are read on the page of a request alone."""
        rows = unmasking.visible_to(request.user).select_related("member")
        return rows.defer("reason", "why", "reference")

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Unmasking", **(extra_context or {})})

    @admin.display(description="number")
    def number(self, row):
        return row.pk

    @admin.display(description="asked on")
    def asked_on(self, row):
        return row.asked_at.date()

    @admin.display(description="state")
    def state(self, row):
        return _state(row)

    def get_urls(self):
        name = self.admin_site.admin_view(self.name_view)
        withdraw = self.admin_site.admin_view(self.withdraw_view)
        return [
            path("<int:number>/name/", name, name="verification_unmasking_name"),
            path("<int:number>/withdraw/", withdraw, name="verification_unmasking_withdraw"),
            *super().get_urls(),
        ]

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # the audit trail is its history

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return _ask(request, self)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """One request, with what the reader may do about it."""
        row = self._row(request, object_id if object_id.isascii() and object_id.isdecimal() else 0)
        if request.method == "POST":
            return _decide(request, self, row)
        return self._page(request, row, DecideForm())

    def _row(self, request, number) -> Unmasking:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(unmasking.visible_to(request.user).select_related("member"), pk=number)

    def _page(self, request, row, form, status=200):
        may_decide = unmasking.may_decide(row, request.user)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Request {row.pk}",
            "row": row,
            "state": _state(row),
            "form": form if may_decide else None,
            "may_read": unmasking.is_open_to(row, request.user),
            "may_withdraw": unmasking.may_withdraw(row, request.user),
            "runs_out_at": unmasking.runs_out_at(row) if unmasking.is_waiting(row) else None,
            "limits": unmasking.limits_of(request.user),
            "limits_of_asker": unmasking.limits_of(row.asked_by) if may_decide else None,
            "tell_days": rules.UNMASKING_TELL_DAYS,
            "minutes": rules.UNMASKING_MINUTES,
        }
        return TemplateResponse(request, "verification/desk/unmasking.html", context, status=status)

    def name_view(self, request, number):
        """The name, on no page but this one. A GET shows nothing: a link that is followed is no look."""
        row = self._row(request, number)
        if request.method != "POST":
            return redirect("admin:verification_unmasking_change", row.pk)
        return _read(request, self, row)

    def withdraw_view(self, request, number):
        """A button of the one who asked."""
        row = self._row(request, number)
        if request.method == "POST":
            try:
                unmasking.withdraw(request=row, by=request.user)
            except unmasking.NotAllowed:
                raise PermissionDenied from None
            except RuleBroken as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, f"Request {row.pk}: taken back.")
        return redirect("admin:verification_unmasking_change", row.pk)


@sensitive_post_parameters()
@confirmed_first
def _ask(request, desk):
    form = AskForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            row = unmasking.ask(by=request.user, **form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error(FIELD_OF.get(type(refusal)), str(refusal))
        else:
            messages.success(request, "Asked. Somebody else decides.")
            return redirect("admin:verification_unmasking_change", row.pk)
    context = {
        **desk.admin_site.each_context(request),
        "opts": desk.opts,
        "title": "Ask for the name behind a handle",
        "form": form,
        "limits": unmasking.limits_of(request.user),
        "tell_days": rules.UNMASKING_TELL_DAYS,
        "wait_days": rules.UNMASKING_WAIT_DAYS,
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "verification/desk/unmasking_ask.html", context, status=status)


FIELD_OF = {
    unmasking.NobodyThere: "handle",
    unmasking.NotOneself: "handle",
    unmasking.ReasonMissing: "reason",
    unmasking.NumberMissing: "reference",
    unmasking.BarIsForCourts: "barred_until",
    unmasking.BarIsOver: "barred_until",
}


@sensitive_post_parameters()
@confirmed_first
def _decide(request, desk, row):
    if not request.user.has_perm(unmasking.MAY_GRANT):
        raise PermissionDenied
    form = DecideForm(request.POST)
    if form.is_valid():
        act = unmasking.grant if form.cleaned_data["decision"] == "Grant" else unmasking.refuse
        try:
            row = act(request=row, by=request.user, why=form.cleaned_data["why"])
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Request {row.pk}: {_state(row).lower()}.")
            return redirect("admin:verification_unmasking_changelist")
    return desk._page(request, row, form, status=422)


@sensitive_variables("identity")
@recently_authenticated
def _read(request, desk, row):
    try:
        identity = unmasking.read(request=row, by=request.user)
    except unmasking.NotAllowed:
        raise PermissionDenied from None
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("admin:verification_unmasking_change", row.pk)
    row.refresh_from_db(fields=["open_until"])
    context = {
        **desk.admin_site.each_context(request),
        "opts": desk.opts,
        "title": f"Request {row.pk}: the name",
        "row": row,
        "identity": identity,
        "mark": f"request {row.pk}  user {request.user.pk}  {timezone.now():%Y-%m-%d %H:%M} UTC",
        "back": reverse("admin:verification_unmasking_change", args=[row.pk]),
    }
    response = TemplateResponse(request, "verification/desk/unmasking_name.html", context)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _state(row: Unmasking) -> str:
    if row.end:
        return row.get_end_display()
    if row.decided_at is None:
        return "Waiting" if unmasking.is_waiting(row) else Unmasking.End.RUN_OUT.label
    if not row.is_granted:
        return "Refused"
    return "Granted, open" if timezone.now() < row.open_until else "Granted"
