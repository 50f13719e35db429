"""Mail domains: which of them prove something, as reviewers find out. Those asked for come first."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, Value, When
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse

from accounts.admin import ReadOnlyAdmin
from sermo.errors import RuleBroken
from verification.forms import DomainForm
from verification.models import Event, MailDomain
from verification.services import domains

State = MailDomain.State
_ASKED_FIRST = Case(When(state=State.ASKED, then=0), default=Value(1), output_field=IntegerField())


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return State.choices

    def queryset(self, request, queryset):
        return queryset.filter(state=self.value()) if self.value() in State.values else queryset


@admin.register(MailDomain)
class MailDomainAdmin(ReadOnlyAdmin):
    list_display = ["name", "state", "institution", "sort", "asked_on", "reviewed_at"]
    list_filter = [StateFilter]
    search_fields = ["name", "institution"]
    search_help_text = "A part of a domain or of an institution's name"
    sortable_by = ()
    list_per_page = 50
    empty_value_display = ""

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Mail domains", **(extra_context or {})})

    def get_ordering(self, request):
        """Those asked for first, the oldest of them first."""
        return [_ASKED_FIRST, "asked_on", "name"]

    def history_view(self, request, object_id, extra_context=None):
        raise Http404  # its events are on its page

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """One domain, its neighbors, and a reviewer's word on it."""
        domain = get_object_or_404(
            MailDomain, pk=object_id if object_id.isascii() and object_id.isdecimal() else 0
        )
        if not self.has_view_permission(request, domain):
            raise PermissionDenied
        form = DomainForm(initial=_initial(domain))
        if request.method == "POST":
            if not request.user.has_perm(domains.MAY_REVIEW):
                raise PermissionDenied
            form = DomainForm(request.POST)
            if form.is_valid() and self._review(request, domain, form):
                return redirect("admin:verification_maildomain_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Mail domain {domain}",
            "opts": self.opts,
            "domain": domain,
            "neighbors": domains.neighbors_of(domain),
            "form": form,
            "may_review": request.user.has_perm(domains.MAY_REVIEW),
            "events": Event.objects.filter(object=f"domain:{domain.pk}").order_by("pk"),
        }
        return TemplateResponse(request, "verification/desk/domain.html", context)

    def _review(self, request, domain, form) -> bool:
        data = dict(form.cleaned_data)
        accept = data.pop("accept") == "yes"
        try:
            domains.review(domain=domain, by=request.user, accept=accept, **data)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
            return False
        messages.success(request, f"{domain}: {'accepted' if accept else 'refused'}.")
        return True


def _initial(domain: MailDomain) -> dict:
    said = {State.ACCEPTED: "yes", State.REFUSED: "no"}.get(domain.state)
    return {"accept": said, "institution": domain.institution, "sort": domain.sort, "note": domain.note}
