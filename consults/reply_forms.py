"""What colleagues say to a case, and who orders its diagnoses, checked."""

from typing import NamedTuple

from django import forms

from accounts.identifier_forms import IdentifierMixin
from accounts.models import Member
from consults.models import Case, Diagnosis
from consults.models.replies import CONFIDENCES
from consults.services import diagnoses
from consults.services.replies import NEEDS_DIAGNOSIS, ConfidenceMissing, DiagnosisMissing, NothingSaid
from questions.forms import TOO_LONG, Composer, SubmissionForm, WithinMixin
from sermo.errors import RuleBroken

NAME = {"max_length": diagnoses.LONGEST_NAME, "error_messages": {"max_length": TOO_LONG}}
SURE = [(str(number), f"{number}%") for number in CONFIDENCES]


class Before(NamedTuple):
    """What the author of an answer did in the case before it."""

    has_read: bool = False  # what others answered
    has_answered: bool = False
    is_scored: bool = False  # by an earlier answer


NOTHING_YET = Before()


class ReplyForm(IdentifierMixin, WithinMixin, SubmissionForm):
    """An answer to a case; its author, who asks, only comments. The comment is called as the text of any answer is."""

    checked_fields = ("diagnosis", "next_step", "source")

    diagnosis = forms.CharField(
        help_text="One name, as you would write it in the chart. The board counts equal names together.",
        **NAME,
    )
    code = forms.CharField(label="ICD-10-CM code", max_length=9, required=False, help_text="Such as A69.20.")
    confidence = forms.TypedChoiceField(
        label="How sure are you?",
        choices=SURE,
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect(attrs={"class": "sure"}),
        help_text="50% is a coin toss.",
    )
    next_step = forms.CharField(
        label="Next step",
        max_length=500,
        required=False,
        error_messages={"max_length": TOO_LONG},
        help_text="The test or the act that you would do now.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "short"}),
    )
    source = forms.CharField(
        label="Comment",
        max_length=19_000,
        required=False,
        error_messages={"max_length": TOO_LONG},
        widget=Composer(attrs={"rows": 5}),
    )

    def __init__(
        self,
        *args,
        member: Member,
        case: Case,
        fixed_byline: bool,
        among_few=False,
        among_peers=False,
        before=NOTHING_YET,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.before = before
        self.is_own = case.question.asker_id == member.pk
        self.fields["diagnosis"].required = case.ask in NEEDS_DIAGNOSIS
        self.fields["diagnosis"].error_messages["required"] = DiagnosisMissing.message
        if self.is_own:
            for name in ("diagnosis", "code", "confidence", "next_step"):
                del self.fields[name]
            self.fields["source"].label, self.fields["source"].required = "Your answer", True
        elif not before.has_answered:
            self.fields["confidence"].help_text += f" {self.what_becomes_of_it}"
        self.shape = (self.is_own, case.ask in NEEDS_DIAGNOSIS, before)
        self.add_byline(member, fixed_byline, among_few)
        self.add_peers_only(member, among_peers)

    @property
    def what_becomes_of_it(self) -> str:
        if self.before.is_scored:
            return "Your newest diagnosis counts on the board; only your first is scored."
        if self.before.has_answered:
            return "Your newest diagnosis counts on the board. Written after reading, it is not scored."
        if self.before.has_read:
            return "You have read the others: this will be marked as written after reading, and not scored."
        return "Once the outcome is confirmed, you alone see how your first answer fared."

    def clean_diagnosis(self):
        return _clean(diagnoses.as_name, self.cleaned_data["diagnosis"])

    def clean_code(self):
        return _clean(diagnoses.as_code, self.cleaned_data["code"])

    def clean(self):
        cleaned = super().clean()
        if not self.is_own:
            self._clean_diagnosis_in_whole(cleaned)
            if not (self.errors or any(cleaned[name] for name in ("diagnosis", "next_step", "source"))):
                self.add_error("source", NothingSaid.message)
        return cleaned

    def _clean_diagnosis_in_whole(self, cleaned):
        names_one = cleaned.get("diagnosis") or "diagnosis" in self.errors
        if names_one and not cleaned.get("confidence") and "confidence" not in self.errors:
            self.add_error("confidence", ConfidenceMissing.message)
        if cleaned.get("code") and not cleaned.get("diagnosis") and "diagnosis" not in self.errors:
            self.add_error("diagnosis", DiagnosisMissing.message)

    def said(self) -> dict:
        """The keyword arguments of the service."""
        typed = self.cleaned_data
        names = ("diagnosis", "code", "confidence", "next_step", "submission")
        return {
            **{name: typed[name] for name in names if name in typed},
            "comment": typed["source"],
            **self.way_chosen(),
        }


class RenameForm(IdentifierMixin, forms.Form):
    checked_fields = ("name",)
    stops_only = True

    name = forms.CharField(
        label="Name",
        error_messages={"required": diagnoses.NoName.message, **NAME["error_messages"]},
        max_length=NAME["max_length"],
    )
    code = forms.CharField(label="ICD-10-CM code", max_length=9, required=False)

    def clean_name(self):
        return _clean(diagnoses.as_name, self.cleaned_data["name"])

    def clean_code(self):
        return _clean(diagnoses.as_code, self.cleaned_data["code"])


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        queryset=None, error_messages={"required": "Choose the diagnosis it counts under."}
    )

    def __init__(self, *args, diagnosis: Diagnosis, **kwargs):
        super().__init__(*args, **kwargs)
        rows = Diagnosis.objects.filter(case=diagnosis.case_id, merged_into=None)
        self.fields["into"].queryset = rows.exclude(pk=diagnosis.pk)


def _clean(check, typed: str) -> str:
    try:
        return check(typed)
    except RuleBroken as refusal:
        raise forms.ValidationError(str(refusal)) from refusal
