"""The last look before a case goes out: boxes, descriptions, ticks and the consent, checked."""

from django import forms
from django.core.exceptions import ValidationError
from django.forms import formset_factory
from django.utils import timezone

from accounts.identifier_forms import IdentifierMixin
from accounts.models import Member
from consults.models import Consent, Image
from consults.models.images import Shows
from consults.services import consents, drafts, masking
from consults.words import CHECKLIST
from questions.forms import WORDS
from sermo.errors import RuleBroken
from sermo.redaction import Box
from sermo.templatetags.paper import faults

DRAWN = "own"  # what the author drew; the others are named by what the search took them for
SORTS = {"face": "Face", "text": "Writing", DRAWN: "Box"}
EMPTY_ROWS = 2  # to fill in without a script
OTHER = "other"
WHY_OPEN = {
    "": "Nothing is left open",
    "not_a_face": "Not a face",
    "not_a_patient": "It is no person: a drawing, a model, a statue",
    "needed": "The finding is there, and nobody could be known by what shows",
    OTHER: "Another reason, in words",
}
WHY_NO_CONSENT = {
    "": "Choose why",
    "close": "The pictures show no face, no mark and no writing",
    "scan": "Scans, tracings or slides; all writing is out",
    "changed": "Nothing identifies, and details that do not matter are changed",
    OTHER: "In my own words",
}
NEW = "new"
WRITING_OPEN = "Writing that was found is not under a box whole. Cover it, or tick that it identifies nobody."


class Percent(forms.DecimalField):
    """A side or a distance of a box, in percent of the picture's side."""

    def __init__(self, label):
        box = forms.NumberInput(attrs={"step": "0.1", "min": "0", "max": "100", "inputmode": "decimal"})
        super().__init__(
            label=label, required=False, min_value=0, max_value=100, decimal_places=1, widget=box
        )


class BoxForm(forms.Form):
    """A row of numbers; one that is empty, or ticked to go, is no box."""

    SIDES = ("left", "top", "width", "height")

    left = Percent("Left")
    top = Percent("Top")
    width = Percent("Width")
    height = Percent("Height")
    sort = forms.CharField(required=False, widget=forms.HiddenInput)
    gone = forms.BooleanField(required=False, label="Remove")

    def clean(self):
        cleaned = super().clean()
        typed = [name for name in self.SIDES if cleaned.get(name) is not None]
        if typed and not cleaned.get("gone"):
            for name in self.SIDES:
                if name not in typed and name not in self.errors:
                    self.add_error(name, "Needed.")
            for name in ("width", "height"):
                if cleaned.get(name) == 0:
                    self.add_error(name, "More than 0.")
        return cleaned

    @property
    def sort_label(self) -> str:
        return SORTS.get(self["sort"].value(), SORTS[DRAWN])

    def box(self) -> Box | None:
        """None where the row is none, or makes none."""
        cleaned = getattr(self, "cleaned_data", {})
        if self.errors or cleaned.get("gone") or any(cleaned.get(name) is None for name in self.SIDES):
            return None
        left, top, width, height = (round(cleaned[name] * 10) for name in self.SIDES)
        left, top = min(left, 999), min(top, 999)
        sort = cleaned["sort"] if cleaned["sort"] in SORTS else DRAWN
        return Box(left, top, min(width, 1000 - left), min(height, 1000 - top), sort)


class KeptBoxForm(BoxForm):
    """A row that stays the box it was while its numbers make none: a slip of the keyboard uncovers nothing."""

    was = forms.CharField(required=False, widget=forms.HiddenInput)  # the four sides, in thousandths
    not_face = forms.BooleanField(required=False, label="Not a face")

    def clean(self):
        cleaned = super().clean()
        if self.is_gone:
            for name in self.SIDES:
                self.errors.pop(name, None)
        for name in ("left", "top"):
            if cleaned.get(name) == 100 and not self.is_gone:
                self.add_error(name, "Less than 100.")
        return cleaned

    @property
    def is_face(self) -> bool:
        return self["sort"].value() == "face"

    @property
    def is_not_face(self) -> bool:
        """Whether its author says that what was found here is no face."""
        return self.is_face and bool(self["not_face"].value())

    @property
    def is_gone(self) -> bool:
        return bool(self["gone"].value()) or self.is_not_face

    def box(self) -> Box | None:
        if self.is_gone:
            return None
        return self.last() if self.errors else super().box()

    def last(self) -> Box | None:
        """The box it was when its numbers last made one."""
        sort = self["sort"].value()
        try:
            return Box.make(*(self["was"].value() or "").split(), sort if sort in SORTS else DRAWN)
        except (TypeError, ValueError):
            return None


Boxes = formset_factory(KeptBoxForm, extra=EMPTY_ROWS, max_num=drafts.MOST_BOXES + EMPTY_ROWS)


class PictureForm(IdentifierMixin, forms.Form):
    """One picture: what it shows in words, the boxes over it, and why one leaves a face or writing open.

    `drawn` are boxes kept beside the picture: they leave a face open without a reason, or go over a masked one.
    """

    checked_fields = ("description",)

    description = forms.CharField(
        label="What it shows",
        max_length=500,
        error_messages={**WORDS, "required": "Say what it shows, for colleagues who cannot see it."},
        help_text="What a colleague who cannot see it should know.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "short"}),
    )
    shows = forms.ChoiceField(
        label="Kind of picture",
        required=False,
        choices=[("", "Not said"), *Shows.choices],
        help_text="By which the archive finds it.",
    )
    why = forms.ChoiceField(label="Why a part of a face stays open", required=False, choices=WHY_OPEN.items())
    why_words = forms.CharField(label="The reason in words", required=False, max_length=120)
    writing = forms.MultipleChoiceField(
        label="Found writing",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": WRITING_OPEN},
    )

    def __init__(self, data=None, *, image: Image, number: int = 1, drawn: list[dict] | None = None):
        self.image, self.number = image, number
        self.was_sent = data is not None and all(
            data.get(f"boxes-{image.pk}-{count}_FORMS", "").isdecimal() for count in ("TOTAL", "INITIAL")
        )
        self.is_new = data is not None and not self.was_sent  # it came in another tab
        data = data if self.was_sent else None
        initial = {
            "description": image.description,
            "shows": image.shows or _kind_of(image),
            **_reason_of(image.why_uncovered),
        }
        super().__init__(data, prefix=f"picture-{image.pk}", initial=initial)
        self.fields["description"].label = f"What picture {number} shows"
        self.fields["shows"].label = f"Kind of picture {number}"
        self.fields["why"].label = f"Why a part of a face on picture {number} stays open"
        self.has_faces = any(one["sort"] == "face" for one in image.proposals)
        self.burned = masking.boxes_of(image.boxes) if image.is_masked else []
        self.beside = [one for one in drawn or [] if not (image.is_masked and one in image.boxes)]
        rows = self.beside or ([] if image.is_masked else image.boxes)
        self.boxes = Boxes(data, prefix=f"boxes-{image.pk}", initial=[_as_row(one) for one in rows])
        if image.is_masked or not self.has_faces:
            del self.fields["why"], self.fields["why_words"]
        shown = self.drawn() if self.was_sent else masking.boxes_of(rows)
        self._ask_of_writing(drafts.left_open(image, "text", [*self.burned, *shown]))

    def _ask_of_writing(self, places: list[int]):
        """Ask about just what is open now: a tick for less does not hold for more."""
        if not places:
            del self.fields["writing"]
            return
        words = f"Found writing is left open on picture {self.number}: I looked, it identifies nobody."
        self.fields["writing"].choices = [("-".join(map(str, places)), words)]
        self.fields["writing"].error_messages["required"] = WRITING_OPEN

    def is_valid(self):
        return super().is_valid() & self.boxes.is_valid()  # both, so that both show their faults

    def clean(self):
        cleaned = super().clean()
        boxes = self.drawn()
        if len(boxes) > drafts.MOST_BOXES:
            self.add_error(None, drafts.TooManyBoxes.message)
        if "why" in self.fields and not self.reason() and drafts.left_open(self.image, "face", boxes):
            self.add_error("why", drafts.FaceUncovered.message)
        return cleaned

    def drawn(self) -> list[Box]:
        """The boxes of all rows that make one, each once."""
        self.boxes.is_valid()
        return list(dict.fromkeys(filter(None, (row.box() for row in self.boxes))))

    def faults(self) -> list[dict]:
        """What is wrong with it, for the summary, each naming the picture."""
        name = f"Picture {self.number}"
        if self.is_new:
            words = "It was added while this page was open. Look at it now."
            return [{"text": words, "label": name, "target": f"picture-{self.image.pk}"}]
        found = faults(self)
        for fault in found:
            if not fault["label"]:
                fault |= {"label": name, "target": f"picture-{self.image.pk}"}
        return found + self.faults_of_boxes()

    def faults_of_boxes(self) -> list[dict]:
        found = []
        for place, row in enumerate(self.boxes if self.was_sent else [], start=1):
            for fault in faults(row):
                label = f"Picture {self.number}, box {place}, {fault['label'].lower()}"
                found.append({**fault, "label": label})
        return found

    def reason(self) -> str:
        """Why a face stays open, as it is kept."""
        chosen, words = self._sent("why"), self._sent("why_words")
        if not chosen and any(row.is_not_face for row in self.boxes):
            chosen = "not_a_face"
        if chosen == OTHER:
            return " ".join(words.split())[:120]
        return WHY_OPEN.get(chosen, "") if chosen else ""

    def keep(self, member: Member) -> Image:
        """Keep all as it was sent. Raises what `drafts.describe` raises."""
        boxes = masking.boxes_of(self.image.boxes) if self.image.is_masked else self.drawn()
        return drafts.describe(
            image=self.image,
            member=member,
            boxes=boxes,
            description=self._sent("description")[:500],
            why_uncovered=self.reason(),
            shows=self._shows(),
        )

    def keep_what_may_be(self, member: Member) -> list[dict]:
        """Keep as much of what was sent as the rules allow, while the author goes on. Raises NotInWriting.

        Returns what was drawn and is to be kept beside the picture.
        """
        if not self.was_sent:
            return self.beside
        beside = masking.as_dicts(self.drawn()[: 2 * drafts.MOST_BOXES])
        try:
            self.keep(member)
        except (drafts.FaceUncovered, drafts.TooManyBoxes):
            self.image.refresh_from_db()
            drafts.describe(
                image=self.image,
                member=member,
                boxes=masking.boxes_of(self.image.boxes),
                description=self._sent("description")[:500],
                why_uncovered=self.image.why_uncovered,
                shows=self._shows(),
            )
            return beside
        return beside if self.image.is_masked else []

    def burn_more(self) -> Image:
        """Burn what was drawn over a masked picture into it too. Raises what `masking.mask_more` raises."""
        return masking.mask_more(self.image, self.drawn())

    def refuse(self, refusal: RuleBroken):
        is_beside = isinstance(refusal, drafts.FaceUncovered) and "why" in self.fields
        self.add_error("why" if is_beside else None, str(refusal))

    def _shows(self) -> str:
        sent = self._sent("shows")
        return sent if sent in Shows.values else ""

    def _sent(self, name: str) -> str:
        return (self.data.get(self.add_prefix(name)) or "").replace("\x00", "").strip()


def _as_row(box: dict) -> dict:
    sides = [box[side] for side in BoxForm.SIDES]
    row = {side: f"{length / 10:.1f}" for side, length in zip(BoxForm.SIDES, sides, strict=True)}
    return {**row, "sort": box["sort"], "was": " ".join(map(str, sides))}


def _kind_of(image: Image) -> str:
    """What a file says of itself: only CT slices come in several windows."""
    return Shows.CT if image.sort == "dicom" and len(image.windows) > 1 else ""


def _reason_of(kept: str) -> dict[str, str]:
    """The choice and the words that make a kept reason."""
    known = {words: key for key, words in WHY_OPEN.items() if key}
    return {"why": known[kept]} if kept in known else {"why": OTHER if kept else "", "why_words": kept}


class ChecklistForm(forms.Form):
    """The ticks; each is asked for anew whenever the page is opened, for it attests what was looked at."""

    ticks = forms.MultipleChoiceField(
        label="Looked at each picture myself",
        choices=CHECKLIST,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Look at each picture and tick every line."},
    )

    def clean_ticks(self):
        ticks = self.cleaned_data["ticks"]
        if missing := len(CHECKLIST) - len(ticks):
            raise ValidationError(f"{missing} of {len(CHECKLIST)} not ticked yet.")
        return ticks


class ConsentForm(IdentifierMixin, forms.Form):
    """Under which consent the pictures go out: one there is, or one attested now."""

    checked_fields = ("why_words", "approval")
    typed_fields = ("kind", "why", "why_words", "signed", "signer", "signed_on", "approval", "expires_on")
    ticked_fields = ("for_teaching", "for_observers", "for_stories")
    of_a_kind = (
        "why",
        "why_words",
        "signed",
        "signer",
        "signed_on",
        "approval",
    )  # needed with one of the kinds

    kind = forms.ChoiceField(
        label="Kind of consent",
        choices=[
            ("deidentified", "Not required: nothing identifies the patient"),
            ("signed", "The patient signed\nOr a parent or guardian. No name is stored."),
            ("institution", "Approved by the institution"),
        ],
        initial="deidentified",
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
    )
    why = forms.ChoiceField(label="Why not", required=False, choices=WHY_NO_CONSENT.items())
    why_words = forms.CharField(label="Why not, in your words", required=False, max_length=200)
    signed = forms.ChoiceField(
        label="Which one",
        required=False,
        widget=forms.RadioSelect,
        initial=NEW,
        error_messages={"invalid_choice": "This one has ended or was taken back. Choose another."},
    )
    signer = forms.ChoiceField(
        label="Who signed",
        required=False,
        choices=Consent.Signer.choices,
        initial=Consent.Signer.PATIENT,
        widget=forms.RadioSelect(attrs={"class": "segmented"}),
    )
    signed_on = forms.DateField(
        label="On", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    approval = forms.CharField(
        label="The approval",
        required=False,
        max_length=200,
        help_text="What it is and what it covers, without numbers that lead to the patient.",
    )
    for_teaching = forms.BooleanField(
        required=False, label="Teaching\nShared as a solved case, and in the library."
    )
    for_observers = forms.BooleanField(
        required=False, label="Observer firms\nWithout it no firm sees the case, not even in counts."
    )
    for_stories = forms.BooleanField(
        required=False,
        label="A story for everybody\nOnce it is solved you may tell it to the public, without pictures. The patient "
        "signed for it.",
    )
    expires_on = forms.DateField(
        label="Holds until",
        required=False,
        help_text="Empty: until it is taken back.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, data=None, *, member: Member, is_teaching: bool, kept: dict | None = None):
        today = timezone.localdate()
        initial = {"signed_on": today, "for_teaching": is_teaching, **(kept or {})}
        super().__init__(data, prefix="consent", initial=initial)
        self.today, self.is_teaching = today, is_teaching
        own = Consent.objects.own(member).filter(kind=Consent.Kind.SIGNED)
        prepared = own.filter(attested_at=None, revoked_at=None)
        self.known = {str(one.pk): one for one in (own.standing() | prepared).order_by("-made_at")}
        choices = [(key, _words_of(one)) for key, one in self.known.items()]
        now = "One signed now, on paper\nOnce the case is sent, you get a code for the patient."
        self.fields["signed"].choices = [*choices, (NEW, now)]

        self._call_needed(True)

    def _call_needed(self, is_needed: bool):
        for name in self.of_a_kind:
            self.fields[name].required = is_needed

    def full_clean(self):
        """What goes with one of the kinds is no option where it is shown, and not asked for where it is not."""
        self._call_needed(False)
        super().full_clean()
        self._call_needed(True)

    def chosen(self) -> Consent | None:
        """The one of before that was chosen; None where one is attested now."""
        return self.known.get(self.cleaned_data.get("signed"))

    def statement(self) -> str:
        """Why none is needed, or the approval."""
        typed = self.cleaned_data
        if typed["kind"] == Consent.Kind.INSTITUTION:
            return typed["approval"]
        return typed["why_words"] if typed["why"] == OTHER else WHY_NO_CONSENT[typed["why"]]

    def scope(self) -> dict:
        return {name: self.cleaned_data[name] for name in (*self.ticked_fields, "expires_on")}

    def as_typed(self) -> dict:
        """What was sent, as the draft keeps it."""
        typed = {name: self.data.get(self.add_prefix(name), "")[:200] for name in self.typed_fields}
        return typed | {name: bool(self.data.get(self.add_prefix(name))) for name in self.ticked_fields}

    def clean(self):
        cleaned = super().clean()
        check = {"deidentified": self._check_why, "signed": self._check_signed}.get(cleaned.get("kind"))
        if check:
            check(cleaned)
        elif cleaned.get("kind") and not cleaned.get("approval"):
            self.add_error("approval", "Say which approval.")
        if cleaned.get("kind") and cleaned["kind"] != Consent.Kind.SIGNED and cleaned.get("for_stories"):
            self.add_error("for_stories", consents.StoryUnsigned.message)
        is_new = not (cleaned.get("kind") == "signed" and cleaned.get("signed") in self.known)
        if is_new and self.is_teaching and not cleaned.get("for_teaching"):
            self.add_error(
                "for_teaching", "A solved case is shared for teaching; the consent has to cover it."
            )
        if is_new and cleaned.get("expires_on") and cleaned["expires_on"] <= self.today:
            self.add_error("expires_on", "Choose a day after today, or none.")
        return cleaned

    def _check_why(self, cleaned):
        if not cleaned.get("why"):
            self.add_error("why", "Say why no consent is required.")
        elif cleaned["why"] == OTHER and not cleaned.get("why_words"):
            self.add_error("why_words", "Write it in a sentence.")

    def _check_signed(self, cleaned):
        one = self.known.get(cleaned.get("signed"))
        if one and self.is_teaching and one.attested_at and not one.for_teaching:
            self.add_error("signed", "This one does not cover teaching.")
        if one and one.attested_at:
            return
        if one and cleaned.get("for_stories") and not consents.has_stories(one.form_version):
            self.add_error("for_stories", consents.NotOnForm.message)
        if not cleaned.get("signer"):
            self.add_error("signer", "Say who signed.")
        if not cleaned.get("signed_on") and "signed_on" not in self.errors:
            self.add_error("signed_on", "Give the day of the signature.")
        elif cleaned.get("signed_on") and cleaned["signed_on"] > self.today:
            self.add_error("signed_on", "This day is still to come.")


def _words_of(consent: Consent) -> str:
    note = f", {consent.note}" if consent.note else ""
    if consent.attested_at is None:
        return f"Prepared {consent.made_at:%b} {consent.made_at.day}{note}\nRecord its signature now."
    covers = [
        words
        for words, on in (
            ("teaching", consent.for_teaching),
            ("firms", consent.for_observers),
            ("a story", consent.for_stories),
        )
        if on
    ]
    until = f" Until {consent.expires_on:%b} {consent.expires_on.day}." if consent.expires_on else ""
    signed = f"Signed {consent.signed_on:%b} {consent.signed_on.day}{note}"
    return f"{signed}\nFor {', '.join(['consults', *covers])}.{until}"
