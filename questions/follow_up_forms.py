"""What became of a solved question, checked."""

from django import forms

from accounts.identifier_forms import IdentifierMixin
from questions.models import FollowUp


class FollowUpForm(IdentifierMixin, forms.Form):
    checked_fields = ("text",)

    finding = forms.ChoiceField(
        label="How did it turn out?",
        choices=FollowUp.Finding.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it turned out."},
    )
    text = forms.CharField(
        max_length=500,
        required=False,
        label="In a sentence or two",
        help_text="What was found, what was done, how the patient is. No patient identifiers.",
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": "At most %(limit_value)d characters; this has %(show_value)d."},
    )
