"""Members as the administration sees them: the handle, never an address or a name."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied

from accounts import handles
from accounts.models import Member


class ReadOnlyAdmin(admin.ModelAdmin):
    """Found and read here; changed only through services, deleted never."""

    show_full_result_count = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def history_view(self, request, object_id, extra_context=None):
        """Django looks for the row first, and so would tell whoever may not look whether there is one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ["handle", "standing", "specialty", "joined_at"]
    list_filter = ["standing"]
    list_select_related = ["specialty"]
    search_fields = ["handle"]
    fields = ["handle", "standing", "specialty", "byline_mode", "joined_at"]

    def get_queryset(self, request):
        """Without the rows of the site itself and of firms, which are nobody's."""
        return super().get_queryset(request).exclude(physician_key__startswith=handles.HOUSE_KEY)
