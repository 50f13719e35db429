"""The form of an earmark."""

from django import forms
from django.core.exceptions import ValidationError

from questions.forms import SubmissionForm
from rewards.models.earmarks import LEAST, MOST, MOST_SLOTS
from rewards.wallet_forms import DollarField
from rewards.words import dollars

BOUNDS = f"{dollars(LEAST)} to {dollars(MOST)}"


class MarkField(DollarField):
    """What an earmark gives one person; cents, or None where it need not be said."""

    def validate(self, value):
        if value is None and not self.required:
            return
        super().validate(value)
        if value > MOST:
            raise ValidationError(f"At most {dollars(MOST)}.")


class MarkForm(SubmissionForm):
    author_cents = MarkField(
        label="For the author, in dollars", help_text=f"{BOUNDS}.", least=LEAST, initial="10.00"
    )
    voter_slots = forms.IntegerField(
        label="Voters paid beside the author",
        help_text=f"Up to {MOST_SLOTS}, drawn by lot, blind to how they judged; 0 for none.",
        min_value=0,
        max_value=MOST_SLOTS,
        initial=0,
        error_messages={
            "required": "Write a number, or 0 for none.",
            "invalid": "Write a whole number.",
            "max_value": "At most %(limit_value)d.",
            "min_value": "Write a number, or 0 for none.",
        },
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    voter_cents = MarkField(
        label="For each voter, in dollars",
        help_text=f"{BOUNDS}; empty without voters.",
        least=LEAST,
        required=False,
    )

    note = forms.CharField(
        label="A note of your own",
        help_text="By which your firm knows it again; the list shows no words of the discussion.",
        max_length=80,
        required=False,
        error_messages={"max_length": "At most %(limit_value)d characters; this has %(show_value)d."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean(self):
        said = super().clean()
        slots, cents = said.get("voter_slots"), said.get("voter_cents")
        if slots and cents is None and "voter_cents" not in self.errors:
            self.add_error("voter_cents", "Write what each voter gets, or 0 voters.")
        if cents and slots == 0:
            self.add_error("voter_slots", "Write how many voters, or leave their amount empty.")
        return said
