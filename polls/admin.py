"""What staff do in the administration: name the sponsor of a poll. No ballot, receipt or ticket is shown there."""

from django import forms
from django.contrib import admin

from polls.models import Poll, Receipt, Sponsor, Tally


class SponsorForm(forms.ModelForm):
    class Meta:
        model = Sponsor
        fields = ["poll", "name", "kind", "honorarium", "quota"]
        labels = {"honorarium": "Honorarium in cents", "quota": "Votes that are paid"}
        help_texts = {"poll": "The number in the address of the poll. It must have no vote yet."}

    def clean_poll(self):
        """A sponsor is said before the first question is; the tally is locked, as each vote locks it."""
        poll = self.cleaned_data["poll"]
        Tally.objects.select_for_update().filter(poll=poll).first()
        if is_begun(poll):
            raise forms.ValidationError(
                "This poll has votes or is over. Its sponsor cannot be named any more."
            )
        return poll


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

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and is_begun(obj.poll))

    def has_delete_permission(self, request, obj=None):
        return False
