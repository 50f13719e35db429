"""What is typed about products: questions to makers and their answers, ties, sheets, and what a safety desk says."""

from django import forms

from accounts.identifier_forms import IdentifierMixin
from observers import sheets
from observers.models import AdverseEvent, CompanyQuestion
from questions.forms import TEXT, WORDS, SubmissionForm

ANSWER = {**TEXT, "max_length": 8_000}
CRITERIA = [
    ("has_reporter", "An identifiable reporter\nThe physician who wrote it counts."),
    ("has_patient", "An identifiable patient\nOne person, by age, sex or course; no name is needed."),
    ("has_event", "An adverse event"),
    ("has_product", "A suspect product\nNamed, and yours."),
]
SERIOUS = [
    "Death",
    "Life-threatening",
    "Hospitalization",
    "Disability",
    "Birth defect",
    "Other serious",
]


class CompanyQuestionForm(IdentifierMixin, SubmissionForm):
    checked_fields = ("text",)

    text = forms.CharField(
        label="Your question",
        min_length=10,
        max_length=1_000,
        error_messages=WORDS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="All physicians read it, and the answer. The firm does not learn who asks.",
    )


class CompanyAnswerForm(IdentifierMixin, forms.Form):
    """What a firm says in public. Nothing in it may be an identifier, whatever the reason."""

    checked_fields = ("text",)
    stops_only = True
    keeps_stops = False

    text = forms.CharField(
        label="Your answer",
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Markdown. Name the sources by PMID, DOI or address; they become links.",
        **ANSWER,
    )


class CompanyCorrectionForm(CompanyAnswerForm):
    """The same answer, changed; `was` is what it said when the form was opened."""

    was = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)

    def __init__(self, *args, row: CompanyQuestion, **kwargs):
        super().__init__(*args, initial={"text": row.answer, "was": row.answer}, **kwargs)

    def start_from(self, row: CompanyQuestion):
        """Let the next sending win over what stands there now, which its page shows beside it."""
        self.data = self.data.copy()
        self.data["was"] = row.answer


class DeclarationForm(forms.Form):
    is_paid = forms.TypedChoiceField(
        choices=[("yes", "It pays me"), ("no", "It does not")], coerce=lambda said: said == "yes"
    )


class SafetyForm(forms.Form):
    """What a post is to the safety desk."""

    outcome = forms.ChoiceField(
        label="What does the post tell of?",
        choices=[
            (AdverseEvent.Outcome.EVENT, "An adverse event with the product"),
            (AdverseEvent.Outcome.NONE, "None"),
        ],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Say what it tells of."),
        widget=forms.RadioSelect,
    )
    criteria = forms.MultipleChoiceField(
        label="What of the four it has",
        choices=CRITERIA,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class SheetForm(forms.Form):
    """The sheet as its author completes it. What is typed is checked once more, and kept nowhere."""

    PARTS = {
        "A. Patient": ("age", "sex"),
        "B. Adverse event": ("serious", "when", "description", "tests", "history"),
        "C. Suspect product": ("product", "dose", "therapy", "indication", "stopped", "again"),
        "D. Other products": ("others",),
    }
    UNSURE = [("", "Not known"), ("yes", "Yes"), ("no", "No"), ("n/a", "Does not apply")]

    age = forms.CharField(label="Age, by decade", max_length=20, required=False)
    sex = forms.ChoiceField(
        choices=[("", "Not known"), ("Female", "Female"), ("Male", "Male")], required=False
    )
    serious = forms.MultipleChoiceField(
        label="Outcome, where it was serious",
        choices=[(one, one) for one in SERIOUS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    when = forms.CharField(label="When, by year", max_length=40, required=False)
    description = forms.CharField(
        label="What happened",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 10}),
        error_messages={"required": "Write what happened, without what identifies the patient."},
    )
    tests = forms.CharField(
        label="Relevant tests", max_length=2_000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    history = forms.CharField(
        label="Other relevant history",
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    product = forms.CharField(
        label="Name", max_length=200, error_messages={"required": "Write the name of the product."}
    )
    dose = forms.CharField(label="Dose, frequency, route", max_length=200, required=False)
    therapy = forms.CharField(label="Taken for how long", max_length=200, required=False)
    indication = forms.CharField(label="Given for", max_length=200, required=False)
    stopped = forms.ChoiceField(
        label="Better after it was stopped or the dose was lowered", choices=UNSURE, required=False
    )
    again = forms.ChoiceField(label="Came back when it was given again", choices=UNSURE, required=False)
    others = forms.CharField(
        label="Taken at the same time",
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self):
        cleaned = super().clean()
        return {
            name: sheets.without_stops(said) if isinstance(said, str) else said
            for name, said in cleaned.items()
        }

    def parts(self):
        """The fields by part, for the page."""
        return [(title, [self[name] for name in names]) for title, names in self.PARTS.items()]

    def filled(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What is on the sheet by part, as (label, words), for print and for a table."""
        return [
            (title, [(self.fields[name].label or name.capitalize(), self._words(name)) for name in names])
            for title, names in self.PARTS.items()
        ]

    def _words(self, name: str) -> str:
        said = self.cleaned_data.get(name) or ""
        if isinstance(said, list):
            return ", ".join(said)
        return dict(getattr(self.fields[name], "choices", [])).get(said, said)
