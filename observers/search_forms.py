"""What is typed of saved searches, and of exports."""

import re
from datetime import date

from django import forms
from django.core.exceptions import ValidationError

from observers import listing
from observers.models import Export, FirmSearch
from questions.filters import KINDS
from questions.forms import SubmissionForm

NAME = FirmSearch._meta.get_field("name").max_length
FIRST_MONTH = date(2000, 1, 1)


class MonthField(forms.DateField):
    """A month such as 2026-11; the first day of it."""

    widget = forms.TextInput(attrs={"type": "month", "autocomplete": "off"})

    def to_python(self, value):
        if value in self.empty_values:
            return None
        if isinstance(value, date):
            return value.replace(day=1)
        if not re.fullmatch(r"\d{4}-\d{2}", value.strip()):
            raise ValidationError("Write a month like 2026-11.")
        try:
            return date.fromisoformat(f"{value.strip()}-01")
        except ValueError as wrong:
            raise ValidationError("Write a month like 2026-11.") from wrong

    def validate(self, value):
        super().validate(value)
        if value and value < FIRST_MONTH:
            raise ValidationError("Nothing is that old here.")


class ChangeSearchForm(forms.Form):
    name = forms.CharField(
        max_length=NAME,
        help_text="Your firm alone reads it.",
        error_messages={"required": "Give it a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    alert = forms.ChoiceField(
        label="Alerts",
        choices=FirmSearch.Alert,
        initial=FirmSearch.Alert.NEVER,
        widget=forms.RadioSelect,
        help_text="A mail that something new matches, without what it is. It goes to your seat.",
    )


class SearchForm(ChangeSearchForm):
    field_order = ("terms", "group", "kind", "solved", "since", "name", "alert")

    terms = forms.CharField(
        label="Words",
        max_length=listing.LONGEST,
        help_text="All must stand in one post. “or” between them for any, quotes for a phrase.",
        error_messages={"required": "Write the words to look for."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    group = forms.ChoiceField(label="Put to", required=False)
    kind = forms.ChoiceField(choices=KINDS, required=False)
    solved = forms.ChoiceField(choices=listing.SOLVED, required=False)
    since = MonthField(label="From the month of", required=False, help_text="Empty for all that is there.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False
        self.fields["name"].help_text = "Your firm alone reads it. Empty: the words."
        self.fields["group"].choices = [("", "Every specialty group"), *listing.groups().items()]


class ExportForm(SubmissionForm):
    reason = forms.CharField(
        label="Why do you take it away?",
        min_length=10,
        max_length=Export._meta.get_field("reason").max_length,
        help_text="It stands in the file and in our log.",
        error_messages={
            "required": "Write why, in a sentence.",
            "min_length": "Write at least %(limit_value)d characters; this has %(show_value)d.",
        },
        widget=forms.Textarea(attrs={"rows": 3}),
    )
