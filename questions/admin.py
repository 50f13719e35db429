"""What moderators decide in the administration. They meet members by handle."""

from django.contrib import admin, messages
from django.db.models import OuterRef, Q

from accounts.admin import ReadOnlyAdmin
from questions import pairs
from questions.models import Appeal, Flag, ModerationAction, PairFlag, Report
from questions.services.moderation.rights import part_taken
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


class ModeratedAdmin(ReadOnlyAdmin):
    """Lists of what the desk decides, for who has to answer for it; without pages of single rows, which would show all.

    What one takes part in is left out, and acts have a day and no hour: to the second, an ended membership here and a
    claim's event there would be known for one person.
    """

    list_display_links = None
    to_question = "post__question"

    def has_view_permission(self, request, obj=None):
        return obj is None and super().has_view_permission(request)

    def get_queryset(self, request):
        taken = part_taken(request.user.as_member, OuterRef(self.to_question))
        return super().get_queryset(request).filter(~taken)

    @admin.display(description="day")
    def day(self, row):
        return row.taken_at.date()

    @admin.display(description="second on")
    def second_on(self, row):
        return row.second_at.date() if row.second_at else None


@admin.register(Report)
class ReportAdmin(ModeratedAdmin):
    list_display = ["post", "severity", "opened_at", "outcome", "closed_at"]
    list_filter = ["severity", "outcome"]
    ordering = ["-pk"]
    list_select_related = ["post"]


@admin.register(Flag)
class FlagAdmin(ModeratedAdmin):
    """What was reported, never by whom."""

    list_display = ["post", "reason", "state", "raised_at"]
    list_filter = ["reason", "state"]
    ordering = ["-pk"]
    list_select_related = ["post"]


@admin.register(ModerationAction)
class ModerationActionAdmin(ModeratedAdmin):
    list_display = ["day", "kind", "post", "reason", "days", "state", "acted", "seconded", "second_on"]
    list_filter = ["kind", "reason", "state"]
    ordering = ["-pk"]
    list_select_related = ["post", "moderator__member", "second__member"]

    @admin.display(description="moderator")
    def acted(self, action):
        return handle_of(action.moderator)

    @admin.display(description="second moderator")
    def seconded(self, action):
        return handle_of(action.second)


@admin.register(Appeal)
class AppealAdmin(ModeratedAdmin):
    to_question = "action__post__question"
    list_display = ["action", "made_at", "due_at", "outcome", "decided_at", "decider"]
    list_filter = ["outcome"]
    ordering = ["due_at"]
    list_select_related = ["action", "decided_by__member"]

    @admin.display(description="decided by")
    def decider(self, appeal):
        return handle_of(appeal.decided_by)


def handle_of(user) -> str:
    """Moderators by handle; one without a membership by number."""
    if user is None:
        return ""
    return user.as_member.handle if user.as_member else f"staff {user.pk}"
