"""Licenses that are held: those to look up at their board, and what to do about one that is doubted.

Lists name a case and a state, never a person or a number; those stand on the page of one license alone.
"""

from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.admin import ReadOnlyAdmin
from sermo.errors import RuleBroken
from verification import comparison, reason_templates
from verification.desk import casefile
from verification.desk.confirming import Step, step_of
from verification.desk.onward import onward
from verification.forms_license import ACT_LABELS, HeldForm, LookUpForm
from verification.models import Claim, Decision, LicenseCheck, LicenseStatus, StateBoard
from verification.models.claims import HOLDING, State
from verification.services import decisions, held, license_clock, outcome, queue


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
    list_display = ["case", "state", "source", "finding", "expires_on", "said_on", "looked_on"]
    list_filter = [ToLookUpFilter]
    search_fields = ["=claim__case_number"]
    search_help_text = "The whole case number, such as V-7K3M-9QXC"
    ordering = ["at", "pk"]
    sortable_by = ()
    empty_value_display = ""
    list_per_page = 50
    change_list_template = "verification/desk/checks.html"

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related("claim").filter(claim__user__isnull=False)
        return rows.defer("note", "claim__identity", "claim__asked_for", "claim__appeal")

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Licenses to look up", **(extra_context or {})})

    @admin.display(description="case")
    def case(self, check):
        return check.claim.case_number

    @admin.display(description="license state")
    def state(self, check):
        return check.claim.license_state

    @admin.display(description="said on")
    def said_on(self, check):
        return timezone.localdate(check.at)

    @admin.display(description="looked up on")
    def looked_on(self, check):
        return timezone.localdate(check.looked_at) if check.looked_at else None

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
        claim, reader = check.claim, request.user
        may_decide = reader.has_perm("verification.decide_claim")
        if request.method == "POST" and not may_decide:
            raise PermissionDenied
        if may_decide:
            claim = queue.hold(claim=claim, by=reader)
        waits = check.wants_look and check.looked_at is None and claim.is_holding
        held_by_another = casefile.held_by_another(claim, reader)
        step = step_of(request, claim, LookUpForm) if waits and may_decide and not held_by_another else Step()
        if step.is_confirmed:
            if _look_up(request, check, step.form):
                return onward(request, to="admin:verification_licensecheck_changelist")
            step = step.refused()
        elif step.is_complete and not _look_refused(check, reader, step.form):
            return self._confirm_look(request, check, step)
        decisions.note_opened(claim=claim, by=reader)
        context = {
            **self._frame(request, claim),
            **_license(claim, roster=outcome.license_status(claim)),
            "title": f"License of {claim.case_number}",
            "check": check,
            "form": step.form,
            "held_by_another": held_by_another,
        }
        return TemplateResponse(request, "verification/desk/check.html", context, status=step.status)

    def held_view(self, request, claim_id):
        """What is known of a license that is held, now and when it was verified, and the decision to take."""
        claim, reader = self._held(request, claim_id), request.user
        may_decide = reader.has_perm("verification.decide_claim")
        if request.method == "POST" and not may_decide:
            raise PermissionDenied
        if may_decide:
            claim = queue.hold(claim=claim, by=reader)
        casefile.read(claim)
        refusal = _refusal(claim, reader) if may_decide and claim.state in held.ACTS else ""
        exclusions = outcome.exclusions_of(claim)
        step = Step()
        if may_decide and claim.state in held.ACTS and not refusal:
            form = partial(HeldForm, state=claim.state, has_namesakes=exclusions.verdict == "possible")
            step = step_of(request, claim, form)
        if step.is_confirmed:
            if _answer(request, claim, step.form):
                return onward(request, to="admin:verification_claim_changelist")
            step = step.refused()
        elif step.is_complete and not _refused(claim, reader, step.form):
            return self._confirm_answer(request, claim, step)
        decisions.note_opened(claim=claim, by=reader)
        case = casefile.case_of(claim, exclusions)
        license = _license(claim, roster=case["license_status"])
        context = {
            **self._frame(request, claim),
            **license,
            **casefile.history_of(claim, reader),
            "title": f"License held by {claim.case_number}",
            "case": case,
            "form": step.form,
            "templates": reason_templates.templates_by_act(reason_templates.LICENSE),
            "rows": comparison.rows_then_and_now(claim),
            "suspension": held.suspension_of(claim) if claim.state == State.SUSPENDED else None,
            "opinions": len(held.opinions_on(claim)),
            "refusal": refusal,
            "dispute": casefile.dispute_of(claim),
            "may_ask_for_look": may_decide and bool(license["checks"]),
        }
        return TemplateResponse(request, "verification/desk/held.html", context, status=step.status)

    def _confirm_look(self, request, check, step: Step):
        finding = LicenseCheck.Finding(step.form.cleaned_data["finding"])
        context = {
            **self._frame(request, check.claim),
            "title": f"{finding.label}: {check.claim.case_number}?",
            "back_to": reverse("admin:verification_licensecheck_change", args=[check.pk]),
            "act_words": "Write it down",
            "is_danger": finding == LicenseCheck.Finding.ENDED,
            "follows": [WHAT_A_LOOK_DOES[finding]],
            "note": step.form.cleaned_data["note"],
            "sent": step.sent,
        }
        return TemplateResponse(request, "verification/desk/confirm.html", context)

    def _confirm_answer(self, request, claim, step: Step):
        """What will happen, before it does."""
        data = step.form.cleaned_data
        act = Decision.Outcome(data["outcome"])
        follows = held.what_follows(claim, by=request.user, act=act, reason=data["reason"])
        context = {
            **self._frame(request, claim),
            "title": f"{ACT_LABELS[act]}: {claim.case_number}?",
            "back_to": reverse("admin:verification_licensecheck_held", args=[claim.pk]),
            "act_words": ACT_LABELS[act],
            "is_danger": act in (Decision.Outcome.SUSPEND, Decision.Outcome.REVOKE),
            "follows": follows,
            "reason": Decision.Reason(data["reason"]).label,
            "message": data.get("message", "") if act == Decision.Outcome.ASK else "",
            "whom": "member",
            "note": data["note"],
            "sent": step.sent,
            "goes_on": True,
        }
        return TemplateResponse(request, "verification/desk/confirm.html", context)

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
        claims = Claim.objects.holding().filter(user__isnull=False).select_related("user__member")
        return get_object_or_404(claims, pk=claim_id)

    def _check_may_look(self, request) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _check_may_decide(self, request) -> None:
        if not request.user.has_perm("verification.decide_claim"):
            raise PermissionDenied

    def _frame(self, request, claim) -> dict:
        return {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # two columns need the room
            "opts": self.opts,
            "claim": claim,
            "seen": casefile.fingerprint(claim),
            "claim_address": reverse("admin:verification_claim_change", args=[claim.pk]),
            "may_decide": request.user.has_perm("verification.decide_claim"),
            "holds": claim.held_by_id == request.user.pk and queue.holder_of(claim) is not None,
        }


def _license(claim: Claim, roster: LicenseStatus | None) -> dict:
    """What is known of a license, where to look it up, and the looks so far; `roster` is its board's row."""
    return {
        "numbers": _numbers(claim),
        "boards": StateBoard.objects.filter(
            state=claim.license_state, licenses__in=[claim.degree, StateBoard.Licenses.BOTH]
        ),
        "roster": roster,
        "checks": list(claim.license_checks.order_by("-at", "-pk")[:20]),
    }


WHAT_A_LOOK_DOES = {
    LicenseCheck.Finding.IN_FORCE: "The date is kept, and a lapsed license is verified again where it is not over.",
    LicenseCheck.Finding.EXPIRED: "The date is kept, and the member is reminded until the license lapses.",
    LicenseCheck.Finding.ENDED: (
        "The member is suspended and logged out everywhere at once. They get a mail, and can appeal."
    ),
    LicenseCheck.Finding.NOT_FOUND: "The claim goes into the queue, for a reviewer to decide.",
}


def _refusal(claim: Claim, reader) -> str:
    """Why this reviewer cannot answer now, in words."""
    try:
        held.check_reader(claim, reader)
    except RuleBroken as refusal:
        return str(refusal)
    return ""


def _given(form) -> dict:
    """What was typed, as the service wants it; a date or a message that does not go with the act is left out."""
    data = dict(form.cleaned_data)
    data["act"] = data.pop("outcome")
    if data["act"] != Decision.Outcome.KEEP:
        data.pop("expires_on", None)
        data.pop("exclusion_checked", None)
    return data


def _refused(claim: Claim, reader, form) -> bool:
    """Whether the rules would refuse an answer; then the form says why, before anything is confirmed."""
    try:
        held.check(claim=claim, by=reader, **_given(form))
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return True
    return False


def _answer(request, claim: Claim, form) -> bool:
    try:
        held.answer(claim=claim, by=request.user, **_given(form))
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, f"{claim.case_number}: written down.")
    return True


def _look_refused(check: LicenseCheck, reader, form) -> bool:
    try:
        license_clock.check_look(check=check, claim=check.claim, by=reader, **_seen(form))
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return True
    return False


def _seen(form) -> dict:
    return {name: form.cleaned_data[name] for name in ("finding", "expires_on")}


def _look_up(request, check: LicenseCheck, form) -> bool:
    try:
        license_clock.look_up(check=check, by=request.user, **form.cleaned_data)
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, f"{check.claim.case_number}: written down.")
    return True


def _numbers(claim) -> list[str]:
    """The license numbers under which the board may know this person in the state of the claim."""
    known = [claim.typed["license_number"]]
    slots = (claim.registry or {}).get("licenses", [])
    known += [slot["number"] for slot in slots if slot["state"] == claim.license_state]
    return list(dict.fromkeys(number for number in known if number))
