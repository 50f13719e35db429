"""What the author of a case typed, checked."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from accounts.identifier_forms import SHOWN, TICKED, WHY, IdentifierMixin
from accounts.models import Member
from consults import written
from consults.models import Case, Solution
from consults.models.images import MOST_IMAGES
from questions.forms import MOST_SPECIALTIES, TOO_LONG, TOO_SHORT, AskForm, BylineMixin
from questions.inviting_forms import clean_handles, handles_field
from questions.models import Question
from questions.models.invitations import MOST_INVITED
from questions.services import bylines, tags, writing
from sermo.errors import RuleBroken

LONGEST = 5_000  # characters of each text
DRAFT_LIMIT = 20_000  # characters that a draft keeps of a field
MOST_DECISIONS = 200
LISTS = {"specialties": MOST_SPECIALTIES, TICKED: MOST_DECISIONS, SHOWN: MOST_DECISIONS}
ACCEPTED = "image/jpeg,image/png,image/webp,image/heic,image/heif,.heic,.heif,application/dicom,.dcm"
WORDS = {"required": "Write something here.", "min_length": TOO_SHORT, "max_length": TOO_LONG}


class PicturesInput(forms.FileInput):
    allow_multiple_selected = True


def _text(label, rows, **more):
    box = forms.Textarea(attrs={"rows": rows, "class": "short"})
    return forms.CharField(label=label, max_length=LONGEST, widget=box, error_messages=WORDS, **more)


def _radios(label, choices, shape, **more):
    return forms.ChoiceField(
        label=label, choices=choices, widget=forms.RadioSelect(attrs={"class": shape}), **more
    )


class CaseForm(IdentifierMixin, BylineMixin, forms.Form):
    """A case, but for its pictures, which are sent by themselves; `pictures` only says what is wrong with them."""

    checked_fields = ("title", "history", "findings", "tried", "final_diagnosis", "solution", "tags")
    of_teaching = {
        "final_diagnosis": "Name the diagnosis it turned out to be.",
        "confirmed": "Say how it was confirmed.",
        "solution": "Write what it was; a solved case is about that.",
    }
    folded = ("tags", "audience", "invited", "byline", "byline_confirmed")

    pictures = forms.Field(required=False, widget=PicturesInput(attrs={"multiple": True, "accept": ACCEPTED}))
    intent = _radios("What is it?", Case.Intent.choices, "segmented", initial=Case.Intent.HELP)
    ask = _radios(
        "Your question",
        Case.Ask.choices,
        "choice-card",
        error_messages={"required": "Choose what you ask."},
    )
    title = forms.CharField(
        label="In one line",
        min_length=8,
        max_length=140,
        error_messages=WORDS,
        help_text="The leading sign, as you would say it in the corridor.",
        widget=forms.TextInput(attrs={"class": "title", "autocomplete": "off"}),
    )
    age_band = forms.ChoiceField(
        label="Age",
        choices=[("", "Choose"), *Case.AgeBand.choices],
        error_messages={"required": "Choose the age band."},
    )
    sex = _radios(
        "Sex", Case.Sex.choices, "segmented", error_messages={"required": "Choose one, or “Not stated”."}
    )
    history = _text("History", 4, help_text="Time by season, place by kind of hospital.", min_length=10)
    findings = _text("Findings", 3, required=False)
    tried = _text("Tried so far", 2, required=False)
    final_diagnosis = forms.CharField(
        label="Final diagnosis",
        required=False,
        max_length=written.LONGEST_DIAGNOSIS,
        error_messages=WORDS,
        help_text="In a few words, as colleagues would name it. Theirs is compared with it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    confirmed = forms.ChoiceField(
        label="How it was confirmed",
        required=False,
        choices=[("", "Choose"), *Solution.Confirmed.choices],
    )
    solution = _text(
        "The solution",
        3,
        required=False,
        help_text="What it was and how you knew. Readers unfold it after they have committed to an answer.",
    )
    urgency = _radios(
        "How soon do you need it?",
        Question.Urgency.choices,
        "segmented",
        initial=Question.Urgency.DAYS,
    )
    care_under_way = forms.BooleanField(
        required=False,
        label="Emergency care is under way\nThis site is no emergency service, and no answer is promised.",
    )
    specialties = AskForm.base_fields["specialties"]
    tags = AskForm.base_fields["tags"]
    audience = forms.ChoiceField(
        label="Who may read and answer",
        choices=Question.Audience.choices,
        initial=Question.Audience.PHYSICIANS,
    )
    invited = handles_field(
        required=False,
        help_text=f"1 to {MOST_INVITED}, with spaces or commas between them. "
        "Each has 4 hours to accept. Nobody else reads it, unless you open it later.",
    )

    clean_title = AskForm.clean_title
    clean_specialties = AskForm.clean_specialties

    def __init__(self, *args, member: Member, **kwargs):
        super().__init__(*args, **kwargs)
        self.member = member
        self.add_byline(member, fixed=False)
        self._mark_teaching(not self.is_bound)
        self.fields["tags"].widget.attrs["list"] = f"{self['tags'].id_for_label}-options"

    @property
    def is_unfolded(self) -> bool:
        """Whether what is folded away holds a fault or something typed."""
        is_private = self["audience"].value() == Question.Audience.INVITED
        return bool(self.errors.keys() & set(self.folded)) or bool(self["tags"].value()) or is_private

    def full_clean(self):
        super().full_clean()
        self._mark_teaching(True)

    def _mark_teaching(self, is_required):
        """Where they are shown they are no options; see clean."""
        for name in self.of_teaching:
            self.fields[name].required = is_required

    def clean_tags(self):
        names = AskForm.clean_tags(self)
        try:
            tags.new_names(names, member=self.member)
        except tags.NewTagNeedsRank as refusal:
            raise ValidationError(str(refusal)) from refusal
        return names

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("intent") == Case.Intent.TEACHING:
            for name, words in self.of_teaching.items():
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, words)
        if cleaned.get("urgency") == Question.Urgency.NOW and not cleaned.get("care_under_way"):
            self.add_error("care_under_way", "“Now” needs this tick.")
        if cleaned.get("audience") == Question.Audience.INVITED and "invited" not in self.errors:
            self._check_invited(cleaned)
        if not self.errors:
            self._check_readers(cleaned)
        return cleaned

    def _check_invited(self, cleaned):
        try:
            clean_handles(cleaned["invited"], by=self.member)
        except ValidationError as refusal:
            self.add_error("invited", refusal)

    def _check_readers(self, cleaned):
        """What would be refused when the case is posted is said now, beside its field."""
        audience, byline = cleaned["audience"], cleaned["byline"]
        try:
            writing.check_audience(
                self.member, audience, cleaned["specialties"], byline, kind=Question.Kind.CASE
            )
        except writing.NotInAudience as refusal:
            self.add_error("audience", str(refusal))
        try:
            bylines.check(
                member=self.member, mode=byline, audience=audience, confirmed=cleaned["byline_confirmed"]
            )
        except RuleBroken as refusal:
            self.add_error("byline", str(refusal))

    def refuse_pictures(self, count: int, refusals: list[str]):
        """Say what is wrong with the pictures: how many there are, and what became of those just sent."""
        for words in refusals:
            self.add_error("pictures", words)
        if not count and not refusals:
            self.add_error("pictures", f"Add at least one picture; up to {MOST_IMAGES} fit.")

    def forget_errors(self):
        """Show what was found in the texts and decided about it, and nothing that is merely not there yet."""
        self.errors.clear()


def as_typed(data) -> dict[str, Any]:
    """What a form of a case was sent with, as a draft keeps it: also its author's word on identifiers in it."""
    names = [name for name in written.NAMES if name in data and name not in LISTS]
    names += [name for name in data if name.startswith(f"{WHY}_")][:20]
    fields = {name: _storable(data[name])[:DRAFT_LIMIT] for name in names}
    lists = {name: [_storable(one)[:40] for one in data.getlist(name)[:most]] for name, most in LISTS.items()}
    return {**fields, **{name: values for name, values in lists.items() if values or name == "specialties"}}


def _storable(text: str) -> str:
    """Without the one character that the database cannot hold."""
    return text.replace("\x00", "")


def as_sent(fields: Mapping[str, Any]) -> QueryDict:
    """What a draft keeps, as if its form had just been sent."""
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        if isinstance(value, list):
            data.setlist(name, value)
        elif isinstance(value, str):
            data[name] = value
    return data


def has_decisions(fields: Mapping[str, Any]) -> bool:
    return bool(fields.get(TICKED) or fields.get(SHOWN))
