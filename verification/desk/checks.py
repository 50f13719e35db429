"""Licenses that are held: those to look up at their board, and what to do about one that is doubted.

Lists name a case and a state, never a person or a number; those stand on the page of one license alone.
"""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from accounts.admin import ReadOnlyAdmin
from sermo.errors import RuleBroken
from verification import registry
from verification.forms_license import HeldForm, LookUpForm
from verification.models import Claim, Decision, Event, LicenseCheck, Provider, StateBoard
from verification.models.claims import HOLDING, State
from verification.services import decisions, held, license_clock, outcome
from verification.services.claims import DOUBTS


class ToLookUpFilter(admin.SimpleListFilter):
    title = "looks"
    parameter_name = "looks"

    def lookups(self, request, model_admin):
        return [("all", "All looks"), ("done", "Looked up by staff")]

    def choices(self, changelist):
        waiting, *others = super().choices(changelist)
        yield {**waiting, "display": "To look up"}
        yield from others

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset.filter(wants_look=True, looked_at=None, claim__state__in=HOLDING)
        return queryset if self.value() == "all" else queryset.exclude(looked_at=None)


@admin.register(LicenseCheck)
class LicenseCheckAdmin(ReadOnlyAdmin):
    list_display = ["case", "state", "source", "finding", "expires_on", "at", "looked_at"]
    list_filter = [ToLookUpFilter]
    search_fields = ["=claim__case_number"]
    search_help_text = "The whole case number, such as V-7K3M-9QXC"
    ordering = ["at", "pk"]
    list_per_page = 50

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related("claim").filter(claim__user__isnull=False)
        return rows.defer("note", "claim__identity", "claim__asked_for", "claim__appeal")

    @admin.display(description="case", ordering="claim__case_number")
    def case(self, check):
        return check.claim.case_number

    @admin.display(description="license state", ordering="claim__license_state")
    def state(self, check):
        return check.claim.license_state

    def get_urls(self):
        page = self.admin_site.admin_view(self.held_view)
        look = self.admin_site.admin_view(self.look_view)
        return [
            path("held/<int:claim_id>/", page, name="verification_licensecheck_held"),
            path("held/<int:claim_id>/look/", look, name="verification_licensecheck_look"),
            *super().get_urls(),
        ]

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # the events of the claim are its history

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """One license to look up: the number, the board's page, and what was found there."""
        check = get_object_or_404(
            LicenseCheck.objects.filter(claim__user__isnull=False).select_related("claim"),
            pk=object_id if object_id.isascii() and object_id.isdecimal() else 0,
        )
        self._check_may_look(request)
        waits = check.wants_look and check.looked_at is None and check.claim.is_holding
        form = LookUpForm(request.POST or None) if waits else None
        if request.method == "POST":
            self._check_may_decide(request)
            if form and form.is_valid():
                try:
                    license_clock.look_up(check=check, by=request.user, **form.cleaned_data)
                except RuleBroken as refusal:
                    form.add_error(None, str(refusal))
                else:
                    messages.success(request, f"{check.claim.case_number}: written down.")
                    return redirect("admin:verification_licensecheck_changelist")
        decisions.note_opened(claim=check.claim, by=request.user)
        context = {
            **self._context(request, check.claim),
            "title": f"License of {check.claim.case_number}",
            "check": check,
            "form": form,
        }
        return TemplateResponse(request, "verification/desk/check.html", context)

    def held_view(self, request, claim_id):
        """What is known of a license that is held, now and when it was verified, and the decision to take."""
        claim = self._held(request, claim_id)
        excluded = [*outcome.exclusions_of(claim).rows, *outcome.namesakes_of(claim)]
        form = None
        if claim.state in held.ACTS and not _is_for_moderators(claim):
            form = HeldForm(request.POST or None, state=claim.state, is_excluded=bool(excluded))
        if request.method == "POST":
            self._check_may_decide(request)
            if form and form.is_valid():
                try:
                    held.answer(claim=claim, by=request.user, **form.cleaned_data)
                except RuleBroken as refusal:
                    form.add_error(None, str(refusal))
                else:
                    messages.success(request, f"{claim.case_number}: written down.")
                    return redirect("admin:verification_claim_changelist")
        decisions.note_opened(claim=claim, by=request.user)
        context = {
            **self._context(request, claim),
            "title": f"License held by {claim.case_number}",
            "form": form,
            "rows": _then_and_now(claim),
            "exclusions": list({row.pk: row for row in excluded}.values()),
            "suspension": held.suspension_of(claim) if claim.state == State.SUSPENDED else None,
            "opinions": claim.decisions.filter(outcome=Decision.Outcome.REVOKE, at__gte=claim.state_at),
            "may_ask_for_look": claim.license_checks.exists(),
        }
        return TemplateResponse(request, "verification/desk/held.html", context)

    def look_view(self, request, claim_id):
        """A button: somebody is to look this license up."""
        claim = self._held(request, claim_id)
        self._check_may_decide(request)
        if request.method == "POST":
            try:
                check = license_clock.ask_for_look(claim=claim, by=request.user)
            except RuleBroken as refusal:
                messages.error(request, str(refusal))
            else:
                return redirect("admin:verification_licensecheck_change", check.pk)
        return redirect("admin:verification_licensecheck_held", claim.pk)

    def _held(self, request, claim_id) -> Claim:
        self._check_may_look(request)
        return get_object_or_404(Claim.objects.holding().filter(user__isnull=False), pk=claim_id)

    def _check_may_look(self, request) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _check_may_decide(self, request) -> None:
        if not request.user.has_perm("verification.decide_claim"):
            raise PermissionDenied

    def _context(self, request, claim) -> dict:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "claim": claim,
            "claim_address": reverse("admin:verification_claim_change", args=[claim.pk]),
            "numbers": _numbers(claim),
            "boards": StateBoard.objects.filter(
                state=claim.license_state, licenses__in=[claim.degree, StateBoard.Licenses.BOTH]
            ),
            "roster": outcome.license_status(claim),
            "checks": claim.license_checks.order_by("-at", "-pk")[:20],
            "doubts": [DOUBTS.get(doubt, doubt) for doubt in claim.doubts],
            "events": Event.objects.filter(case_number=claim.case_number).order_by("-pk")[:20],
        }


def _is_for_moderators(claim) -> bool:
    return claim.state == State.SUSPENDED and held.suspension_of(claim).by_moderators


def _numbers(claim) -> list[str]:
    """The license numbers under which the board may know this person in the state of the claim."""
    known = [claim.typed["license_number"]]
    slots = (claim.registry or {}).get("licenses", [])
    known += [slot["number"] for slot in slots if slot["state"] == claim.license_state]
    return list(dict.fromkeys(number for number in known if number))


_FACTS = [
    ("Last name", "last_name"),
    ("First name", "first_name"),
    ("Middle name", "middle_name"),
    ("Other last name", "other_last_name"),
    ("Other first name", "other_first_name"),
    ("Credential", "credential"),
    ("Practice state", "practice_state"),
    ("Deactivated", "deactivated_on"),
    ("Reactivated", "reactivated_on"),
    ("Updated", "updated_on"),
]


def _then_and_now(claim) -> list[dict]:
    """The registry's record as it was for the last decision beside that of today."""
    then = claim.registry or {}
    provider = Provider.objects.filter(pk=then.get("npi") or claim.typed["npi"] or "").first()
    now = registry.snapshot(provider) if provider else {}
    rows = [{"label": "NPI", "then": then.get("npi") or claim.typed["npi"], "now": now.get("npi") or "gone"}]
    rows += [
        {"label": label, "then": then.get(key) or "", "now": now.get(key) or ""} for label, key in _FACTS
    ]
    rows.append({"label": "Licenses", "then": _licenses(then), "now": _licenses(now)})
    rows = [row for row in rows if row["then"] or row["now"]]
    return [{**row, "differs": bool(then) and row["then"] != row["now"]} for row in rows]


def _licenses(record: dict) -> str:
    slots = [f"{slot['state']} {slot['number']}".strip() for slot in record.get("licenses", [])]
    return ", ".join(dict.fromkeys(slot for slot in slots if slot))
