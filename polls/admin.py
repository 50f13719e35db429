"""What staff do in the administration: name the sponsor of a poll. No ballot, receipt or ticket is shown there."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied

from polls.models import Poll, Receipt, Sponsor


class SponsorForm(forms.ModelForm):
    class Meta:
        model = Sponsor
        fields = ["poll", "name", "kind", "honorarium", "quota"]
        labels = {"honorarium": "Honorarium in cents", "quota": "Votes that are paid"}
        help_texts = {"poll": "The number in the address of the poll. It must have no vote yet."}

    def clean(self):
        """A sponsor is said before the first question is, and to be changed no later."""
        cleaned = super().clean()
        poll = cleaned.get("poll") or (self.instance.poll if self.instance.pk else None)
        if poll and is_begun_for_sure(poll):
            raise forms.ValidationError(
                "This poll has votes or is over. Its sponsor cannot be named any more."
            )
        return cleaned


def is_begun_for_sure(poll: Poll) -> bool:
    """As `is_begun`, until the transaction ends: a receipt needs the row of its poll, and waits or is seen here."""
    return is_begun(Poll.objects.select_for_update().get(pk=poll.pk))


def is_begun(poll: Poll) -> bool:
    return poll.is_over or Receipt.objects.filter(poll=poll).exists()


@admin.register(Sponsor)
class SponsorAdmin(admin.ModelAdmin):
    """Who pays for a poll; what voters were told does not change under them."""

    form = SponsorForm
    list_display = ["poll", "name", "kind", "honorarium", "quota"]
    list_filter = ["kind"]
    list_select_related = ["poll"]
    search_fields = ["name"]
    ordering = ["-poll"]
    raw_id_fields = ["poll"]
    show_full_result_count = False
    actions = None  # one by one, each looked at

    def get_readonly_fields(self, request, obj=None):
        return ["poll"] if obj else []  # it is the key: another one would be another row

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and is_begun(obj.poll))

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not (obj and is_begun(obj.poll))

    def delete_model(self, request, obj):
        if is_begun_for_sure(obj.poll):
            raise PermissionDenied
        super().delete_model(request, obj)
