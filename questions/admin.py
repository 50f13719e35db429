"""What moderators decide in the administration. They meet members by handle."""

from django.contrib import admin, messages
from django.db.models import Q

from accounts.admin import ReadOnlyAdmin
from questions import pairs
from questions.models import PairFlag
from sermo.errors import RuleBroken

Verdict = PairFlag.Verdict


@admin.register(PairFlag)
class PairFlagAdmin(ReadOnlyAdmin):
    """Pairs that vote for each other. Who is part of a pair does not see it."""

    list_display = [
        "low",
        "high",
        "votes_up",
        "votes_down",
        "flagged_at",
        "verdict",
        "decided_at",
        "decided_by",
    ]
    list_display_links = None
    list_filter = ["verdict"]
    list_select_related = ["low", "high", "decided_by"]
    search_fields = ["low__handle", "high__handle"]
    search_help_text = "A handle, or a part of one"
    ordering = ["-flagged_at", "-pk"]
    actions = ["nothing_to_it", "discount"]

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        member = request.user.as_member
        return rows.exclude(Q(low=member) | Q(high=member)) if member else rows

    def has_decide_permission(self, request):
        return request.user.has_perm("questions.change_pairflag")

    @admin.action(description="Nothing to it: their votes count", permissions=["decide"])
    def nothing_to_it(self, request, queryset):
        self._decide(request, queryset, Verdict.INNOCENT)

    @admin.action(description="Discount: their votes for each other count nothing", permissions=["decide"])
    def discount(self, request, queryset):
        self._decide(request, queryset, Verdict.DISCOUNTED)

    def _decide(self, request, queryset, verdict) -> None:
        done = 0
        for flag in queryset.order_by("pk"):
            try:
                self.log_change(
                    request, pairs.decide(flag=flag, by=request.user, verdict=verdict), verdict.label
                )
                done += 1
            except RuleBroken as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
        if done:
            self.message_user(request, f"{done} decided: {verdict.label}.", messages.SUCCESS)
