"""Disputes on the desk: the nearest day first, and both sides of one on one page."""

from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil

from accounts.admin import ReadOnlyAdmin
from sermo.errors import RuleBroken
from verification import comparison
from verification.desk import casefile
from verification.desk.confirming import Step, step_of
from verification.desk.onward import onward
from verification.forms import OpinionForm
from verification.models import Dispute, DisputeOpinion
from verification.services import decisions, disputes, outcome, queue


class DueFilter(admin.SimpleListFilter):
    title = "dispute"
    parameter_name = "due"

    def lookups(self, request, model_admin):
        return [("now", "Due now"), ("settled", "Settled"), ("all", "All")]

    def choices(self, changelist):
        unsettled, *others = super().choices(changelist)
        yield {**unsettled, "display": "Open"}
        yield from others

    def queryset(self, request, queryset):
        if self.value() == "all":
            return queryset
        if self.value() == "settled":
            return queryset.exclude(outcome="")
        still = queryset.filter(outcome="")
        return still.filter(due_at__lte=timezone.now()) if self.value() == "now" else still


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ["number", "due", "holder_claim", "rival_claim", "opened_at", "said", "settled"]
    list_filter = [DueFilter]
    list_select_related = ["holder_claim", "rival_claim"]
    ordering = ["due_at", "pk"]
    sortable_by = ()
    empty_value_display = ""
    list_per_page = 50
    change_list_template = "verification/desk/disputes.html"

    def get_queryset(self, request):
        rows = super().get_queryset(request).annotate(opinions_count=Count("opinions"))
        secret = ("identity", "asked_for", "appeal")
        return rows.defer(*(f"{side}__{name}" for side in ("holder_claim", "rival_claim") for name in secret))

    @admin.display(description="dispute")
    def number(self, dispute):
        return f"Dispute {dispute.pk}"

    @admin.display(description="due", ordering="due_at")
    def due(self, dispute):
        return _due(dispute)

    @admin.display(description="opinions")
    def said(self, dispute):
        return f"{dispute.opinions_count} opinion{'' if dispute.opinions_count == 1 else 's'}"

    @admin.display(description="outcome")
    def settled(self, dispute):
        return dispute.get_outcome_display()

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Disputes", **(extra_context or {})})

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # the events of both claims are its history

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Both sides beside each other, the opinions so far, and one's own."""
        dispute = self._dispute(request, object_id)
        reader = request.user
        may_judge = reader.has_perm("verification.decide_claim") and not dispute.outcome
        if request.method == "POST" and not may_judge:
            raise PermissionDenied
        has_said = any(each.reviewer_id == reader.pk for each in dispute.opinions.all())
        refusal = _refusal(dispute, reader) if may_judge and not has_said else ""
        if may_judge:
            queue.hold(claim=dispute.rival_claim, by=reader)
        step = Step()
        if may_judge and not has_said and not refusal:
            has_namesakes = outcome.exclusions_of(dispute.rival_claim).verdict == "possible"
            step = step_of(request, dispute.rival_claim, partial(OpinionForm, has_namesakes=has_namesakes))
        if step.is_confirmed:
            if _judge(request, dispute, step.form):
                return onward(request, to="admin:verification_dispute_changelist")
            step = step.refused()
        elif step.is_complete and not _refused(dispute, step.form):
            return self._confirmation(request, dispute, step)
        for claim in (dispute.holder_claim, dispute.rival_claim):
            decisions.note_opened(claim=claim, by=reader)
        context = self._context(request, dispute, step, shows_opinions=has_said or bool(dispute.outcome))
        context |= {"refusal": refusal, "may_judge": may_judge, "has_said": has_said}
        return TemplateResponse(request, "verification/desk/dispute.html", context, status=step.status)

    def _dispute(self, request, object_id) -> Dispute:
        dispute = get_object_or_404(
            Dispute.objects.select_related(
                "holder_claim__user__member", "rival_claim__user__member"
            ).prefetch_related("opinions"),
            pk=object_id if object_id.isascii() and object_id.isdecimal() else 0,
        )
        if not self.has_view_permission(request, dispute):
            raise PermissionDenied
        return dispute

    def _context(self, request, dispute, step: Step, *, shows_opinions: bool) -> dict:
        holder, rival = dispute.holder_claim, dispute.rival_claim
        return {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # two columns need the room
            "title": f"Dispute {dispute.pk}",
            "opts": self.opts,
            "dispute": dispute,
            "due": _due(dispute),
            "rows": comparison.rows_of_two(holder, rival),
            "sides": [
                {"label": "Verified claim", "case": casefile.case_beside_record(holder)},
                {"label": "New claim", "case": casefile.case_beside_record(rival)},
            ],
            "others": [] if dispute.outcome else disputes.others_of(dispute),
            "shows_opinions": shows_opinions,
            "form": step.form,
            "seen": casefile.fingerprint(rival),
        }

    def _confirmation(self, request, dispute, step: Step):
        data = step.form.cleaned_data
        context = {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # two columns need the room
            "title": f"Your opinion on dispute {dispute.pk}",
            "opts": self.opts,
            "back_to": reverse("admin:verification_dispute_change", args=[dispute.pk]),
            "act_words": f"Say: {DisputeOpinion.Side(data['side']).label.lower()}",
            "follows": disputes.what_follows(dispute, data["side"]),
            "note": data["note"],
            "sent": step.sent,
            "goes_on": True,
        }
        return TemplateResponse(request, "verification/desk/confirm.html", context)


def _due(dispute: Dispute):
    if dispute.outcome:
        return dispute.due_at.date()
    if dispute.due_at <= timezone.now():
        since = timesince(dispute.due_at, depth=1)
        return format_html('<span class="badge urgent">due</span> for {}', since)
    return f"in {timeuntil(dispute.due_at, depth=1)}"


def _refusal(dispute: Dispute, reader) -> str:
    """Why this reviewer cannot judge now, in words."""
    try:
        disputes.check_judge(dispute, reader)
        queue.check_not_held(dispute.rival_claim, reader)
    except RuleBroken as refusal:
        return str(refusal)
    return ""


def _refused(dispute: Dispute, form) -> bool:
    """Whether that side cannot be taken yet; then the form says why, before anything is confirmed."""
    try:
        disputes.check_side(
            dispute,
            form.cleaned_data["side"],
            exclusion_checked=form.cleaned_data.get("exclusion_checked", False),
        )
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return True
    return False


def _judge(request, dispute: Dispute, form) -> bool:
    try:
        disputes.give_opinion(dispute=dispute, by=request.user, **form.cleaned_data)
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, f"Dispute {dispute.pk}: your opinion is written down.")
    return True
