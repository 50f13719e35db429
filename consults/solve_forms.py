"""What the author of a case says it turned out to be, checked."""

from django import forms
from django.core.exceptions import ValidationError

from accounts.identifier_forms import IdentifierMixin
from consults.models import Diagnosis, Solution
from consults.services import diagnoses
from consults.words import number_of
from sermo.errors import RuleBroken

OTHER = "other"


class AnotherName(forms.CharField):
    """Shown as needed, since it is only shown where another one is chosen; the form sees to it."""

    def validate(self, value):
        pass


class CaseSolveForm(IdentifierMixin, forms.Form):
    """`board` are the diagnoses to choose from, each with how many stand by it; `answers` those to credit."""

    checked_fields = ("name", "outcome")

    diagnosis = forms.ChoiceField(
        label="What was it?",
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
        error_messages={"required": "Choose a diagnosis, or “Another one” and name it."},
    )
    name = AnotherName(
        label="Name of the diagnosis",
        max_length=diagnoses.LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    code = forms.CharField(
        label="ICD-10-CM code",
        required=False,
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 10}),
    )
    confirmed = forms.ChoiceField(
        label="How was it confirmed?",
        choices=Solution.Confirmed.choices,
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
        help_text="What colleagues answered is scored only where the diagnosis was confirmed.",
        error_messages={"required": "Say how it was confirmed. “Not confirmed” is an answer, too."},
    )
    answers = forms.ModelMultipleChoiceField(queryset=None, required=False, label="Answers that solved it")
    outcome = forms.CharField(
        max_length=500,
        required=False,
        label="What happened",
        help_text="A sentence for those who read this later. Needed if you credit no answer.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "short"}),
    )

    def __init__(self, *args, board: list[tuple[Diagnosis, int]], answers, **kwargs):
        super().__init__(*args, **kwargs)
        self.known = {str(diagnosis.pk): diagnosis for diagnosis, _ in board}
        self.fields["answers"].queryset = answers
        if not board:
            self.fields["diagnosis"].widget = forms.HiddenInput()
            self.fields["name"].label = "What was it?"
        self.fields["diagnosis"].choices = [
            *((str(diagnosis.pk), _as_choice(diagnosis, number)) for diagnosis, number in board),
            (OTHER, "Another one"),
        ]

    def clean_name(self):
        return _checked(diagnoses.as_name, self.cleaned_data["name"])

    def clean_code(self):
        return _checked(diagnoses.as_code, self.cleaned_data["code"])

    def clean(self):
        cleaned = super().clean()
        chosen = self.known.get(cleaned.get("diagnosis"))
        if chosen and (cleaned.get("name") or cleaned.get("code")):
            self.add_error("name", "Choose one from the list, or “Another one” and name it here; not both.")
        elif not chosen and not cleaned.get("name") and not self.errors.keys() & {"diagnosis", "name"}:
            self.add_error("name", "Name the diagnosis.")
        if not cleaned.get("answers") and not cleaned.get("outcome") and "answers" not in self.errors:
            self.add_error("outcome", "Credit an answer, or say in a sentence how it was solved elsewhere.")
        cleaned["diagnosis"] = chosen
        return cleaned


def _as_choice(diagnosis: Diagnosis, number: int) -> str:
    code = f", {diagnosis.code}" if diagnosis.code else ""
    held = f"\n{number_of(number, 'colleague')}" if number else ""
    return f"{diagnosis.name}{code}{held}"


def _checked(check, typed: str) -> str:
    try:
        return check(typed)
    except RuleBroken as refusal:
        raise ValidationError(str(refusal)) from refusal
