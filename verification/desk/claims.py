"""Claims on the desk: the queue, and a claim beside the registry's record with the decision to take.

An identity and a case number, never a handle or an e-mail address; in the queue not even the identity.
"""

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, Q
from django.http import Http404, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from accounts.admin import ReadOnlyAdmin
from sermo.errors import RuleBroken
from verification import reason_templates
from verification.desk import casefile, documents, filters
from verification.desk.confirming import Step, step_of
from verification.desk.onward import onward, to_next
from verification.forms import DecisionForm, UnlockForm
from verification.models import Claim, Decision
from verification.models.claims import State
from verification.services import decisions, foretold, held, outcome, queue, risk
from verification.services.claims import DOUBTS

TONES = {"low": "", "medium": "preprint", "high": "urgent"}


class Queue(ChangeList):
    def url_for_result(self, result):
        """Where a claim is decided: one that holds a license has a page of its own for that."""
        if result.queued_at and result.state in held.ACTS:
            return reverse("admin:verification_licensecheck_held", args=[result.pk])
        return super().url_for_result(result)


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    list_display = ["case_number", "waiting", "risk_band", "state", "why", "read_by"]
    list_filter = [
        filters.QueueFilter,
        filters.RiskFilter,
        filters.WaitingFilter,
        filters.ReaderFilter,
        filters.SecondFilter,
    ]
    list_select_related = ["first_approval"]
    search_fields = ["=case_number"]
    search_help_text = "The whole case number, such as V-7K3M-9QXC"
    ordering = ["-is_ahead", "queued_at", "pk"]
    sortable_by = ()
    empty_value_display = ""
    list_per_page = 50
    change_list_template = "verification/desk/queue.html"

    def get_changelist(self, request, **kwargs):
        return Queue

    def get_queryset(self, request):
        """Claims of people; what is left of those who closed their account tells a reviewer nothing."""
        rows = super().get_queryset(request).filter(user__isnull=False)
        return rows.defer("identity", "asked_for", "appeal", "first_approval__note")

    @admin.display(description="waiting", ordering="queued_at")
    def waiting(self, claim):
        since = timesince(claim.queued_at, depth=1) if claim.queued_at else ""
        return format_html('{} <span class="badge case">first</span>', since) if claim.is_ahead else since

    @admin.display(description="risk", ordering="risk")
    def risk_band(self, claim):
        band = risk.band_of(claim.risk)
        return format_html(
            '<span class="badge {}">{}</span> {}', TONES[band], risk.BANDS[band].lower(), claim.risk
        )

    @admin.display(description="why people decide")
    def why(self, claim):
        words = "; ".join(DOUBTS.get(doubt, doubt) for doubt in claim.doubts)
        if claim.first_approval_id is None:
            return words
        first = format_html(
            '<span class="badge">approved once</span> by reviewer {}', claim.first_approval.reviewer_id
        )
        return format_html("{}. {}", first, words) if words else first

    @admin.display(description="read by")
    def read_by(self, claim):
        return f"reviewer {claim.held_by_id}" if queue.holder_of(claim) else ""

    def get_urls(self):
        wrap = self.admin_site.admin_view
        page = "<int:claim_id>/documents/<str:key>/<int:page>/"
        return [
            path(page, wrap(self.document_view), name="verification_claim_document"),
            path("next/", wrap(self.next_view), name="verification_claim_next"),
            path("<int:claim_id>/back/", wrap(self.put_back_view), name="verification_claim_back"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        waiting = Claim.objects.in_queue().filter(user__isnull=False).order_by()
        is_held = Q(held_until__gt=timezone.now(), held_by__isnull=False)
        figures = waiting.aggregate(
            waiting=Count("pk"),
            held=Count("pk", filter=is_held),
            high=Count("pk", filter=Q(risk__gte=risk.HIGH)),
            oldest=Min("queued_at"),
        )
        return super().changelist_view(
            request,
            {
                "title": "Claims",
                "figures": figures,
                "expected": foretold.foretell().words,
                "may_decide": request.user.has_perm("verification.decide_claim"),
                **(extra_context or {}),
            },
        )

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # the events of the claim are its history

    def next_view(self, request):
        """Go on to the first claim that nobody reads. A POST, since it holds that claim."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("verification.decide_claim"):
            raise PermissionDenied
        number = request.POST.get("after", "")
        after = Claim.objects.filter(pk=number).first() if number.isascii() and number.isdecimal() else None
        return to_next(request, after)

    def put_back_view(self, request, claim_id):
        """Let go of a claim without deciding it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        claim = self._claim(request, str(claim_id))
        if not request.user.has_perm("verification.decide_claim"):
            raise PermissionDenied
        queue.release(claim=claim, by=request.user)
        messages.success(request, f"{claim.case_number} is back in the queue.")
        return redirect("admin:verification_claim_changelist")

    def document_view(self, request, claim_id, key, page):
        return documents.page(request, claim_id, key, page, may_view=self.has_view_permission)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """A claim beside the registry's record, with what proves it and the decision to take."""
        claim = self._claim(request, object_id)
        may_decide = request.user.has_perm("verification.decide_claim")
        if request.method == "POST" and not may_decide:
            raise PermissionDenied
        if may_decide:
            claim = queue.hold(claim=claim, by=request.user)
        step = _step(request, claim)
        if step.is_confirmed:
            if _act(request, claim, step.form):
                return onward(request, to="admin:verification_claim_changelist")
            step = step.refused()
        elif step.is_complete and not _refused(claim, step.form):
            return self._confirmation(request, claim, step)
        decisions.note_opened(claim=claim, by=request.user)
        context = self._context(request, claim, step)
        return TemplateResponse(request, "verification/desk/claim.html", context, status=step.status)

    def _claim(self, request, object_id) -> Claim:
        claim = get_object_or_404(
            Claim.objects.filter(user__isnull=False).select_related(
                "specialty", "first_approval", "user__member"
            ),
            pk=object_id if object_id.isascii() and object_id.isdecimal() else 0,
        )
        if not self.has_view_permission(request, claim):
            raise PermissionDenied
        return claim

    def _context(self, request, claim, step: Step) -> dict:
        reader = request.user
        first = claim.first_approval
        return {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # two columns need the room
            "title": f"Claim {claim.case_number}",
            "opts": self.opts,
            "case": casefile.case_beside_record(claim),
            **casefile.history_of(claim, reader),
            "claim": claim,
            "form": step.form,
            "is_unlocking": isinstance(step.form, UnlockForm),
            "templates": reason_templates.templates_by_act(reason_templates.CLAIM),
            "seen": casefile.fingerprint(claim),
            "may_decide": reader.has_perm("verification.decide_claim"),
            "held_by_another": casefile.held_by_another(claim, reader),
            "holds": claim.held_by_id == reader.pk and queue.holder_of(claim) is not None,
            "why_two": casefile.reasons_for_two(claim),
            "first": first,
            "is_first": first is not None and first.reviewer_id == reader.pk,
            "dispute": casefile.dispute_of(claim),
            "expected": foretold.foretell().words,
        }

    def _confirmation(self, request, claim, step: Step):
        """What will happen, before it does."""
        data = step.form.cleaned_data
        act = data.get("outcome", "unlock")
        context = {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # two columns need the room
            "title": f"{ACT_WORDS[act]}: {claim.case_number}?",
            "opts": self.opts,
            "claim": claim,
            "back_to": reverse("admin:verification_claim_change", args=[claim.pk]),
            "act_words": ACT_WORDS[act],
            "is_danger": act == "reject",
            "follows": decisions.what_follows(claim, act),
            "reason": Decision.Reason(data["reason"]).label if "reason" in data else "",
            "message": "" if act == "approve" else data.get("message", ""),
            "note": data["note"],
            "sent": step.sent,
            "goes_on": True,
        }
        return TemplateResponse(request, "verification/desk/confirm.html", context)


ACT_WORDS = {
    "approve": "Approve",
    "ask": "Ask for more",
    "reject": "Reject",
    "unlock": "Unlock",
}


def _step(request, claim: Claim) -> Step:
    if claim.state in decisions.OPEN_TO_DECISION:
        has_namesakes = outcome.exclusions_of(claim).verdict == "possible"
        return step_of(
            request, claim, lambda *args, **given: DecisionForm(*args, has_namesakes=has_namesakes, **given)
        )
    if claim.state == State.LOCKED:
        return step_of(request, claim, UnlockForm)
    return Step()


def _refused(claim: Claim, form) -> bool:
    """Whether the rules would refuse an approval; then the form says why, before anything is confirmed."""
    if form.cleaned_data.get("outcome") != "approve":
        return False
    try:
        outcome.check_may_verify(claim, exclusion_checked=form.cleaned_data.get("exclusion_checked", False))
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return True
    return False


def _act(request, claim: Claim, form) -> bool:
    data = dict(form.cleaned_data)
    act, message = data.pop("outcome", "unlock"), data.pop("message", "")
    checked = data.pop("exclusion_checked", False)
    given = {"claim": claim, "by": request.user, **data}
    try:
        if act == "approve":
            decisions.approve(**given, exclusion_checked=checked)
        elif act == "reject":
            decisions.reject(**given, message=message)
        elif act == "ask":
            decisions.ask_for_more(**given, message=message)
        else:
            decisions.unlock(**given)
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, f"{claim.case_number}: {DONE[act]}")
    return True


DONE = {
    "approve": "approved.",
    "ask": "the applicant is asked for more.",
    "reject": "rejected.",
    "unlock": "unlocked.",
}
