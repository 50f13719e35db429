"""What left: exports, the log of reads, and where a copy that turned up was made."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import path, reverse

from accounts.admin import ReadOnlyAdmin
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
        """Where a page or a file that turned up was copied from."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TraceForm(request.POST or None)
        found = marks.trace(form.cleaned_data["text"]) if form.is_bound and form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Trace a copy",
            "button": "Look it up",
            "form": form,
            "found": found,
            "list_address": reverse("admin:observers_export_changelist"),
        }
        return TemplateResponse(request, "admin/observers/trace.html", context)


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
