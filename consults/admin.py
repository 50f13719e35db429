"""Lists of cases for who has to answer for them. No picture, no code, no text, and nobody's name."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from consults.models import Case, Consent, Image, ImageFlag, Incident, Story
from questions.admin import ModeratedAdmin


@admin.register(Case)
class CaseAdmin(ModeratedAdmin):
    """Without its consent: two cases under one would be known for one author's, whatever names they are signed with."""

    to_question = "pk"
    list_display = ["pk", "intent", "ask", "withdrawn", "withdrawn_at"]
    list_filter = ["intent", "ask", "withdrawn"]
    ordering = ["-pk"]


@admin.register(Image)
class ImageAdmin(ModeratedAdmin):
    """What became of each picture: when its original was seen to be gone, when it was hidden or destroyed, and why."""

    to_question = "case"
    list_display = [
        *("pk", "case", "sort", "state", "was_looked_at", "left_over"),
        *("masked_at", "destroyed_at", "hidden_at", "shredded_at", "shredded"),
    ]
    list_filter = ["state", "sort", "shredded", "was_looked_at"]
    list_select_related = ["case"]
    ordering = ["-pk"]

    def get_queryset(self, request):
        """Those of drafts are their authors' and the desk's."""
        return super().get_queryset(request).filter(case__isnull=False).defer("seal")


@admin.register(ImageFlag)
class ImageFlagAdmin(ModeratedAdmin):
    """What was flagged, never by whom."""

    to_question = "image__case"
    list_display = ["image", "state", "flagged_at", "decided_at"]
    list_filter = ["state"]
    list_select_related = ["image"]
    ordering = ["-pk"]


@admin.register(Incident)
class IncidentAdmin(ModeratedAdmin):
    to_question = "image__case"
    list_display = [
        *("pk", "image", "found_at", "contained_at", "due_at"),
        *("assessed_at", "notified_at", "closed_at"),
    ]
    list_select_related = ["image"]
    ordering = ["due_at"]


@admin.register(Story)
class StoryAdmin(ModeratedAdmin):
    """Where each stands. What it says is on its page."""

    to_question = "case"
    list_display = ["pk", "case", "state", "written_at", "checked_at"]
    list_filter = ["state"]
    list_select_related = ["case"]
    ordering = ["-pk"]


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """What was attested, never by whom: whose consent covers which case would say whose case it is."""

    list_display = [
        *("pk", "kind", "signer", "medium", "form_version", "for_teaching", "for_observers"),
        *("for_stories", "expires_on", "attested_at", "revoked_at", "revoked_by"),
    ]
    list_display_links = None
    list_filter = ["kind", "signer", "for_teaching", "for_observers", "for_stories", "revoked_by"]
    ordering = ["-pk"]

    def has_view_permission(self, request, obj=None):
        return obj is None and super().has_view_permission(request)

    def get_queryset(self, request):
        return super().get_queryset(request).defer("code", "code_hash", "statement", "note")
