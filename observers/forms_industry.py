"""What firms type to ask in the open."""

from django import forms
from django.core.exceptions import ValidationError

from accounts.identifier_forms import IdentifierMixin
from polls.forms import OPTION_FIELDS, SCALE_LABELS, PlanForm
from questions.forms import TEXT, TITLE, AskForm, SubmissionForm
from rewards.services.sponsoring import MOST
from rewards.wallet_forms import DollarField
from rewards.words import dollars

CHOOSE = dict.fromkeys(["required", "invalid_choice"], "Choose one of those shown.")


class NamesNobodyMixin(IdentifierMixin):
    """Firms have no patient to speak of: what identifies one is left out, whatever the reason."""

    stops_only = True
    keeps_stops = False


class IndustryFields(SubmissionForm):
    specialties = AskForm.base_fields["specialties"]

    clean_title = AskForm.clean_title
    clean_specialties = AskForm.clean_specialties


class IndustryQuestionForm(NamesNobodyMixin, IndustryFields):
    checked_fields = ("title", "source")
    field_order = ("title", "source", "specialties")

    title = forms.CharField(
        label="Your question",
        widget=forms.Textarea(attrs={"class": "title", "rows": 2}),
        help_text="It stands in the lists under your firm's name, marked as industry.",
        **TITLE,
    )
    source = forms.CharField(
        label="Details",
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="What you want to know and what you will do with it, in Markdown. No promotion: votes can fold it.",
        **TEXT,
    )


class FirmPollForm(NamesNobodyMixin, IndustryFields, PlanForm):
    """A poll, and what is paid for it."""

    checked_fields = ("title", "source", *OPTION_FIELDS, *SCALE_LABELS)

    title = forms.CharField(
        label="What do you ask?",
        widget=forms.Textarea(attrs={"class": "title", "rows": 2}),
        help_text="The question alone; the options come below.",
        **TITLE,
    )
    source = forms.CharField(
        label="Background", required=False, widget=forms.Textarea(attrs={"rows": 5}), **TEXT
    )
    honorarium = DollarField(
        label="For each vote, in dollars", help_text="It stands above the poll.", initial="5.00"
    )
    quota = forms.IntegerField(
        label="Paid votes",
        help_text="Who comes later may vote as well, unpaid.",
        min_value=1,
        max_value=MOST,
        initial=100,
        error_messages={
            "required": "Write a number.",
            "invalid": "Write a whole number.",
            "min_value": "Pay for one vote or more.",
            "max_value": "At most %(limit_value)d.",
        },
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, member=None, **kwargs)
        for name in ("kind", "open_for", "shown"):
            self.fields[name].error_messages |= CHOOSE
        self.fields["until"].error_messages["invalid"] = "Write a day, such as 2026-11-18."

    def clean_honorarium(self):
        cents = self.cleaned_data["honorarium"]
        if cents > MOST:
            raise ValidationError(f"At most {dollars(MOST)}.")
        return cents
