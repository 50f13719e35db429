"""Claims and disputes: an identity and a case number, never a handle or an e-mail address."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.timesince import timesince

from accounts.admin import ReadOnlyAdmin
from sermo.errors import RuleBroken
from verification import comparison
from verification.forms import DecisionForm, OpinionForm, UnlockForm
from verification.models import Claim, Dispute, Document, Event
from verification.models.claims import State
from verification.services import decisions, disputes, outcome, proofs, vouching
from verification.services.claims import DOUBTS


class QueueFilter(admin.SimpleListFilter):
    title = "queue"
    parameter_name = "queue"

    def lookups(self, request, model_admin):
        return [("all", "All claims"), *State.choices]

    def choices(self, changelist):
        waiting, *others = super().choices(changelist)
        yield {**waiting, "display": "Waiting for a decision"}
        yield from others

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset.exclude(queued_at=None)
        return queryset if self.value() == "all" else queryset.filter(state=self.value())


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    list_display = ["case_number", "state", "waiting", "why", "started_at"]
    list_filter = [QueueFilter]
    search_fields = ["=case_number"]
    search_help_text = "The whole case number, such as V-7K3M-9QXC"
    ordering = ["queued_at", "pk"]
    list_per_page = 50

    def get_queryset(self, request):
        """Claims of people; what is left of those who closed their account tells a reviewer nothing."""
        rows = super().get_queryset(request).filter(user__isnull=False)
        return rows.defer("identity", "asked_for", "appeal")

    @admin.display(description="waiting", ordering="queued_at")
    def waiting(self, claim):
        return timesince(claim.queued_at) if claim.queued_at else ""

    @admin.display(description="why people decide")
    def why(self, claim):
        return ", ".join(DOUBTS.get(doubt, doubt) for doubt in claim.doubts)

    def get_urls(self):
        page = "<int:claim_id>/documents/<str:key>/<int:page>/"
        view = self.admin_site.admin_view(self.document_view)
        return [path(page, view, name="verification_claim_document"), *super().get_urls()]

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # the events of the claim are its history

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """A claim beside the registry's record, with what proves it and the decision to take."""
        claim = self._claim(request, object_id)
        forms = self._forms(request, claim)
        if request.method == "POST":
            if not request.user.has_perm("verification.decide_claim"):
                raise PermissionDenied
            bound = next((form for form in forms.values() if form and form.is_bound), None)
            if bound is not None and bound.is_valid() and self._act(request, claim, bound):
                return redirect("admin:verification_claim_changelist")
        decisions.note_opened(claim=claim, by=request.user)
        return TemplateResponse(request, "verification/desk/claim.html", self._context(request, claim, forms))

    def _claim(self, request, object_id) -> Claim:
        claim = get_object_or_404(
            Claim.objects.filter(user__isnull=False).select_related("specialty"),
            pk=object_id if object_id.isascii() and object_id.isdecimal() else 0,
        )
        if not self.has_view_permission(request, claim):
            raise PermissionDenied
        return claim

    def _forms(self, request, claim) -> dict:
        """The one form that fits the state of a claim, bound when it was sent."""
        sent = request.POST if request.method == "POST" else None
        if claim.state in decisions.OPEN_TO_DECISION:
            has_namesakes = outcome.exclusions_of(claim).verdict == "possible"
            return {"decision_form": DecisionForm(sent, has_namesakes=has_namesakes)}
        if claim.state == State.LOCKED:
            return {"unlock_form": UnlockForm(sent)}
        if _dispute_of(claim):
            return {"opinion_form": OpinionForm(sent)}
        return {}

    def _act(self, request, claim, form) -> bool:
        data = dict(form.cleaned_data)
        try:
            if isinstance(form, UnlockForm):
                decisions.unlock(claim=claim, by=request.user, **data)
            elif isinstance(form, OpinionForm):
                disputes.give_opinion(dispute=_dispute_of(claim), by=request.user, **data)
            else:
                _decide(claim, request.user, data)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
            return False
        messages.success(request, f"{claim.case_number}: written down.")
        return True

    def _context(self, request, claim, forms) -> dict:
        found = outcome.exclusions_of(claim)
        return {
            **self.admin_site.each_context(request),
            **forms,
            "title": f"Claim {claim.case_number}",
            "opts": self.opts,
            "claim": claim,
            "rows": comparison.rows_of(claim),
            "doubts": [DOUBTS.get(doubt, doubt) for doubt in claim.doubts],
            "exclusions": found,
            "license_status": outcome.license_status(claim),
            "challenges": claim.challenges.defer("sheet").order_by("number"),
            "documents": _pages(claim),
            "vouches": _vouches(claim),
            "vouching_complete": vouching.is_complete(claim),
            "decisions": claim.decisions.select_related("reviewer"),
            "dispute": _dispute_of(claim),
            "events": Event.objects.filter(case_number=claim.case_number).order_by("pk"),
        }

    def document_view(self, request, claim_id, key, page):
        """One page of a document, watermarked and kept by nobody."""
        document = get_object_or_404(
            Document.objects.select_related("proof__claim__user"),
            proof__claim=claim_id,
            key=key,
            deleted_at=None,
        )
        if not self.has_view_permission(request, document.proof.claim):
            raise PermissionDenied
        if not 1 <= page <= document.pages:
            raise Http404
        image = proofs.read_page(document=document, page=page, by=request.user)
        headers = {
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline",
        }
        return HttpResponse(image, content_type="image/jpeg", headers=headers)


def _decide(claim, reviewer, data) -> None:
    act, message, checked = data.pop("outcome"), data.pop("message"), data.pop("exclusion_checked", False)
    if act == "approve":
        decisions.approve(claim=claim, by=reviewer, exclusion_checked=checked, **data)
    elif act == "reject":
        decisions.reject(claim=claim, by=reviewer, **data)
    else:
        decisions.ask_for_more(claim=claim, by=reviewer, message=message, **data)


def _pages(claim) -> list[dict]:
    """Each document with the addresses of its pages; none once its files are gone."""
    return [
        {
            "document": document,
            "pages": []
            if document.deleted_at
            else [
                reverse("admin:verification_claim_document", args=[claim.pk, document.key, page])
                for page in range(1, document.pages + 1)
            ],
        }
        for document in proofs.documents_of(claim)
    ]


def _vouches(claim) -> list[dict]:
    """Each vouch with the voucher's own case: reviewers meet vouchers, too, by case number."""
    standing = {vouch.pk for vouch in vouching.standing_vouches(claim)}
    given = list(claim.vouches.order_by("pk"))
    own = Claim.objects.holding().filter(user__in=[vouch.voucher_id for vouch in given]).defer("identity")
    cases = {claim.user_id: claim for claim in own}
    return [
        {"vouch": vouch, "stands": vouch.pk in standing, "case": cases.get(vouch.voucher_id)}
        for vouch in given
    ]


def _dispute_of(claim) -> Dispute | None:
    related = ("holder_claim", "rival_claim")
    disputes_open = Dispute.objects.filter(outcome="").select_related(*related).prefetch_related("opinions")
    return (
        (disputes_open.filter(rival_claim=claim) | disputes_open.filter(holder_claim=claim))
        .order_by("pk")
        .first()
    )


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ["holder_claim", "rival_claim", "opened_at", "due_at", "outcome"]
    list_select_related = ["holder_claim", "rival_claim"]
    ordering = ["due_at"]
    fields = list_display
