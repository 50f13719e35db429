"""What one says of something learned, checked."""

from django import forms

from accounts.identifier_forms import IdentifierMixin
from newsfeed.services.logging_learning import FEWEST_MINUTES, LONGEST, MOST_MINUTES, NotYet, is_to_come

MINUTES = f"Enter {FEWEST_MINUTES} to {MOST_MINUTES} minutes."


class LogForm(IdentifierMixin, forms.Form):
    checked_fields = ("reflection",)

    minutes = forms.IntegerField(
        min_value=FEWEST_MINUTES,
        max_value=MOST_MINUTES,
        label="Minutes",
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), MINUTES),
    )
    done_on = forms.DateField(
        label="Day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), "Enter a day, such as 2026-11-18."),
    )
    reflection = forms.CharField(
        max_length=LONGEST,
        required=False,
        label="What you take from it",
        help_text="What was new, and what you will do differently. No patient identifiers.",
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": "At most %(limit_value)d characters; this has %(show_value)d."},
    )

    def clean_done_on(self):
        day = self.cleaned_data["done_on"]
        if is_to_come(day):
            raise forms.ValidationError(NotYet.message)
        return day
