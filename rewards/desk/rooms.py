"""Sponsored focus groups as the finance desk sees them: sums alone, and neither a title nor who took part."""

from django.contrib import admin
from django.db.models import Sum

from rewards.desk.base import DeskAdmin, day
from rewards.models import RoomSponsorship
from rewards.words import dollars


@admin.register(RoomSponsorship)
class RoomSponsorshipAdmin(DeskAdmin):
    """Whoever runs a group agrees with its firm, on the group's own pages."""

    list_display = ["number", "firm", "budget", "credited", "left", "agreed", "ended_day"]
    list_filter = ["firm"]
    list_select_related = ["firm", "label"]
    search_fields = ["pk"]
    search_help_text = "The number of a focus group"
    fields = ["number", "firm", "label_read", "budget", "credited", "left", "agreed", "ended_day"]

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .select_related("label")
            .annotate(paid=Sum("awards__cents", default=0))
        )

    @admin.display(description="label")
    def label_read(self, row):
        blinded = ", blinded until the end" if row.label.is_blinded else ""
        return f"{row.label.name} ({row.label.get_kind_display().lower()}{blinded})"

    @admin.display(description="reserved")
    def budget(self, row):
        return dollars(row.label.budget)

    @admin.display(description="credited")
    def credited(self, row):
        return dollars(row.paid)

    @admin.display(description="left or returned")
    def left(self, row):
        return dollars(row.label.budget - row.paid)

    @admin.display(description="agreed on")
    def agreed(self, row):
        return day(row.agreed_at)

    @admin.display(description="ended on")
    def ended_day(self, row):
        return day(row.ended_at) or None
