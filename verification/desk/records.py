"""What was done: the audit trail."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from verification.models import Event


class AboutFilter(admin.SimpleListFilter):
    """Claims or all else, never in one list: side by side, an ended membership would lead from a post to a claim."""

    title = "about"
    parameter_name = "about"

    def lookups(self, request, model_admin):
        return [("posts", "All else: posts, rooms, incidents, names asked for")]

    def choices(self, changelist):
        claims, *others = super().choices(changelist)
        yield {**claims, "display": "Claims"}
        yield from others

    def queryset(self, request, queryset):
        return queryset.exclude(object="") if self.value() else queryset.filter(object="")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The audit trail. Who acted on a post stands with the act, by handle; a claim's events have a random id."""

    list_display = ["moment", "kind", "about", "from_state", "to_state", "reason", "evidence", "who"]
    list_display_links = None
    empty_value_display = ""
    list_filter = [AboutFilter]
    search_fields = ["=case_number", "=object"]
    search_help_text = "A whole case number, or post:12 under All else"
    ordering = ["-pk"]

    def get_queryset(self, request):
        """What the finance desk did is for that desk alone: to others it would tell of earmarks."""
        rows = super().get_queryset(request)
        if request.user.has_perm("rewards.view_earmark"):
            return rows
        return rows.exclude(kind__startswith="finance_")

    def has_view_permission(self, request, obj=None):
        return super().has_view_permission(request, obj) and not (obj and obj.object)

    @admin.display(description="at")
    def moment(self, event):
        return event.at.date() if event.object else event.at

    @admin.display(description="about")
    def about(self, event):
        return event.object or event.case_number

    @admin.display(description="by")
    def who(self, event):
        return "" if event.object else event.actor
