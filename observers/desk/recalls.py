"""Files that firms have to destroy, since a case in them was withdrawn."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from observers.models import ExportedCase
from observers.services import recalling


@admin.register(ExportedCase)
class RecallAdmin(ReadOnlyAdmin):
    """The list alone, for whoever may see exports. It says cases by number, and nothing of what they said."""

    list_display = [
        "withdrawn_at",
        "why",
        "case_number",
        "destroy_by",
        "firm",
        "seat_number",
        "what",
        "phrase",
    ]
    list_display_links = None
    list_select_related = ["case", "export__firm", "export__seat"]
    search_fields = ["export__firm__name", "export__phrase"]
    search_help_text = "A part of a firm's name, or of the words of an export"
    ordering = ["-case__withdrawn_at", "-pk"]
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 50
    actions = None

    def has_view_permission(self, request, obj=None):
        return obj is None and request.user.has_perm("observers.view_export")

    def get_queryset(self, request):
        return recalling.to_destroy()

    def changelist_view(self, request, extra_context=None):
        title = {"title": "Exports of withdrawn cases"}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    @admin.display(description="withdrawn")
    def withdrawn_at(self, row):
        return row.case.withdrawn_at

    @admin.display(description="why")
    def why(self, row):
        return row.case.get_withdrawn_display()

    @admin.display(description="case")
    def case_number(self, row):
        return row.case_id

    @admin.display(description="destroy by")
    def destroy_by(self, row):
        return recalling.destroy_by(row.case.withdrawn_at)

    @admin.display(description="firm")
    def firm(self, row):
        return row.export.firm

    @admin.display(description="seat")
    def seat_number(self, row):
        return f"{row.export.seat.number}: {row.export.seat.name}"

    @admin.display(description="what")
    def what(self, row):
        return row.export.what

    @admin.display(description="words in the file")
    def phrase(self, row):
        return row.export.phrase
