"""What moderators decide about votes, checked."""

from django import forms

from accounts.identifier_forms import IdentifierMixin
from polls.models import Concern

DECISIONS = [
    (Concern.State.DISMISSED, "Nothing wrong\nColleagues read fast, and share browsers and addresses."),
    (Concern.State.UPHELD, "Against the rules\nThe member reads your reason. The vote counts all the same."),
]


class ObjectionForm(IdentifierMixin, forms.Form):
    checked_fields = ("text",)

    text = forms.CharField(
        label="What happened?",
        max_length=Concern._meta.get_field("objection").max_length,
        help_text="A moderator who had no part in the decision reads it and decides once more.",
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say what happened, in a sentence."},
    )


class ConcernForm(IdentifierMixin, forms.Form):
    checked_fields = ("reason",)

    state = forms.ChoiceField(
        label="Decision",
        choices=DECISIONS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one.", "invalid_choice": "Choose one of those shown."},
    )
    reason = forms.CharField(
        label="Why",
        max_length=Concern._meta.get_field("reason").max_length,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say why, in a sentence."},
    )

    def __init__(self, *args, is_upheld: bool = False, **kwargs):
        """What was upheld can only be taken back."""
        super().__init__(*args, **kwargs)
        if is_upheld:
            self.fields["state"].choices = [
                (Concern.State.DISMISSED, "Nothing wrong\nThe decision is taken back.")
            ]
