"""What members flag and what moderators decide about cases, checked."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.identifier_forms import IdentifierMixin
from consults.check_forms import BoxForm
from consults.models import CaseDraft, ImageFlag
from consults.services import drafts
from questions.forms_moderation import CHOOSE
from questions.models import ModerationAction
from sermo.redaction import Box

PUBLISH, RETURN, REFUSE = "publish", "return", "refuse"
DECISIONS = [
    (PUBLISH, "Publish\nIts readers see it at once, as it is here."),
    (RETURN, "Send back\nIts author reads your words, mends it and sends it again."),
    (REFUSE, "Refuse\nThe pictures are destroyed. The text goes back to its author with your words."),
]
SHOWS = [
    ("yes", "It shows the patient\nThe picture is destroyed in all sizes, and an incident begins."),
    (
        "no",
        "It shows nobody\nThe picture is shown again. Who flags wrongly twice in 30 days can hide nothing for a time.",
    ),
]
ACTS = [
    ("none", "Nothing more"),
    ("warn", "A warning"),
    ("hold", "A hold\nReads and does not write, 1 to 30 days."),
]


class FlagForm(IdentifierMixin, forms.Form):
    checked_fields = ("words",)

    words = forms.CharField(
        label="Where is it?",
        required=False,
        max_length=ImageFlag._meta.get_field("words").max_length,
        help_text="A few words for the moderator. Do not copy a name or a number.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ReviewForm(IdentifierMixin, forms.Form):
    """`seen` is when what the page shows had been sent."""

    checked_fields = ("words",)

    decision = forms.ChoiceField(
        label="Decision", choices=DECISIONS, widget=forms.RadioSelect, error_messages=CHOOSE
    )
    words = forms.CharField(
        label="What its author is told",
        required=False,
        max_length=CaseDraft._meta.get_field("answer").max_length,
        help_text="Needed to send it back or to refuse it.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, draft: CaseDraft, may_publish: bool, **kwargs):
        super().__init__(*args, initial={"seen": draft.submitted_at.isoformat()}, **kwargs)
        if not may_publish:
            self.fields["decision"].choices = DECISIONS[1:]

    def clean_seen(self):
        try:
            return parse_datetime(self.cleaned_data["seen"])
        except ValueError:
            return None

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("decision") in (RETURN, REFUSE) and not (cleaned.get("words") or "").strip():
            self.add_error("words", "Say why, in a sentence. The author reads it.")
        if cleaned.get("decision") and cleaned.get("seen") is None and "seen" not in self.errors:
            cleaned["seen"] = timezone.now()  # no moment a case was sent at: it has to be looked at again
        return cleaned


class CoverForm(BoxForm):
    """One more box on a picture that is masked. It is burned in as it was typed, or not at all."""

    ENDS = (("left", "width", "right"), ("top", "height", "lower"))

    def clean(self):
        cleaned = super().clean()
        for start, length, edge in self.ENDS:
            begins, reaches = cleaned.get(start), cleaned.get(length)
            if None not in (begins, reaches) and begins + reaches > 100 and not cleaned.get("gone"):
                self.add_error(length, f"Beyond the {edge} edge: at most {float(100 - begins):g}.")
        return cleaned


class BaseCovers(forms.BaseFormSet):
    """The boxes drawn over a picture that is masked: at least one."""

    def clean(self):
        if not any(self.errors) and not self.boxes():
            raise ValidationError("Draw a box over the picture, or type its numbers.")

    def boxes(self) -> list[Box]:
        return list(dict.fromkeys(filter(None, (row.box() for row in self))))

    def faults(self) -> list[str]:
        """What is wrong, each in a sentence that names its row."""
        said = [str(words) for words in self.non_form_errors()]
        for place, row in enumerate(self, start=1):
            for name, found in row.errors.items():
                said += [f"Box {place}, {row[name].label.lower()}: {words}" for words in found]
        return said


Covers = forms.formset_factory(CoverForm, BaseCovers, extra=1, max_num=drafts.MOST_BOXES + 1)


class DecideFlagForm(IdentifierMixin, forms.Form):
    checked_fields = ("words",)

    shows = forms.ChoiceField(
        label="Does it show who the patient is?",
        choices=SHOWS,
        widget=forms.RadioSelect,
        error_messages=CHOOSE,
    )
    whole_case = forms.BooleanField(
        label="Withdraw the whole case\nAll its pictures are destroyed and its text is emptied.",
        required=False,
    )
    act = forms.ChoiceField(
        label="And its author, if so",
        choices=ACTS,
        initial="none",
        widget=forms.RadioSelect,
        error_messages=CHOOSE,
    )
    days = forms.IntegerField(
        label="Days of a hold",
        required=False,
        min_value=1,
        max_value=30,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    words = forms.CharField(
        label="What its author is told",
        required=False,
        max_length=ModerationAction._meta.get_field("statement").max_length,
        help_text="With a warning or a hold. Left empty, the standard words are sent.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class IncidentForm(IdentifierMixin, forms.Form):
    checked_fields = ("assessment",)

    assessment = forms.CharField(
        label="Assessment",
        max_length=5_000,
        help_text=(
            "What was shown, to whom and for how long, how likely somebody was recognized, what was done. "
            "No name and no number."
        ),
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": "Write the assessment first."},
    )
    notified = forms.BooleanField(label="Those concerned have been told", required=False)
    close = forms.BooleanField(label="Close the incident\nNothing can be added after that.", required=False)
