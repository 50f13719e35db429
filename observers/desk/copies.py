"""What left: exports, the log of reads, and where a copy that turned up was made."""

from datetime import UTC

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import path, reverse

from accounts.admin import ReadOnlyAdmin
from focusgroups.services import exporting
from observers import marks
from observers.desk.forms import TraceForm
from observers.models import Export, Read
from rewards.desk.base import number_of
from sermo.estimates import EstimatedPaginator


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    change_list_template = "admin/observers/exports.html"
    list_display = ["made_at", "firm", "seat_number", "what", "rows", "purpose", "phrase"]
    list_select_related = ["firm", "seat"]
    list_filter = ["purpose", "firm__kind"]
    search_fields = ["firm__name", "what", "reason", "phrase"]
    search_help_text = "A part of a firm's name, of what was exported, of the reason or the phrase"
    ordering = ["-made_at", "-pk"]
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 50
    fields = ["made_at", "firm", "seat_number", "what", "reason", "purpose", "rows", "phrase"]
    readonly_fields = ["seat_number"]

    @admin.display(description="seat")
    def seat_number(self, export):
        return f"{export.seat.number}: {export.seat.name}"

    def get_urls(self):
        trace = self.admin_site.admin_view(self.trace)
        return [path("trace/", trace, name="observers_export_trace"), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Exports", **(extra_context or {})})

    def trace(self, request):
        """Where a page or a file that turned up was copied from: of the console, or of a focus group."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TraceForm(request.POST or None)
        found = files = None
        if form.is_bound and form.is_valid():
            found = marks.trace(form.cleaned_data["text"])
            files = _files_of_groups(form.cleaned_data["text"])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Trace a copy",
            "button": "Look it up",
            "form": form,
            "found": found,
            "files": files,
            "list_address": reverse("admin:observers_export_changelist"),
        }
        return TemplateResponse(request, "admin/observers/trace.html", context)


def _files_of_groups(text: str) -> list[dict]:
    """Files of focus groups that a text leads to. A group is a number here: what it is about, its moderators know."""
    made = list(exporting.trace(text))
    for_sponsors = exporting.for_sponsors(each.room_id for each in made)
    return [
        {
            "file": each,
            "mark": exporting.copy_mark(each),
            "whose": "for the sponsor" if each.mark in for_sponsors else "for moderators",
            "day": each.at.astimezone(UTC).date(),
            "by": each.by.email if each.by else "somebody who has left",
        }
        for each in made
    ]


@admin.register(Read)
class ReadAdmin(ReadOnlyAdmin):
    """The log as it is. It says posts by number alone, and nothing of who wrote them."""

    list_display = ["at", "firm", "seat_number", "post_id", "way", "purpose"]
    list_display_links = None
    list_select_related = ["firm", "seat"]
    search_fields = ["post_id"]
    search_help_text = "The number of a post"
    ordering = ["-id"]
    sortable_by = ()
    paginator = EstimatedPaginator
    list_per_page = 50
    list_max_show_all = 50
    actions = None

    def has_view_permission(self, request, obj=None):
        return obj is None and super().has_view_permission(request)

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        return (queryset.filter(post=number_of(term)) if term else queryset), False

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Reads", **(extra_context or {})})

    @admin.display(description="seat")
    def seat_number(self, read):
        return read.seat.number
