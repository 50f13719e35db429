"""The discussion guide as it is typed: sections, prompts with the fields of their kind, stimuli, live hours."""

from django import forms
from django.core.exceptions import ValidationError

from focusgroups.desk.forms import AddingForm, LocalMoment, MomentsMixin, MoneyField, number_field, text_field
from focusgroups.models import LiveHour, Prompt, Room, Section
from focusgroups.models.guides import FEWEST_OPTIONS, FEWEST_POINTS, MOST_OPTIONS, MOST_POINTS
from focusgroups.models.rooms import MOST_CENTS

Kind = Prompt.Kind
LONGEST_OPTION = 200
FIELDS = {  # of each kind, beside those that all have
    Kind.OPEN: (),
    Kind.SINGLE: ("options", "asks_why"),
    Kind.MULTIPLE: ("options", "most", "asks_why"),
    Kind.RANKED: ("options", "asks_why"),
    Kind.SCALE: ("points", "low_label", "high_label", "asks_why"),
}


class SectionForm(MomentsMixin, AddingForm):
    moments = ("opens_at", "due_at")

    title = text_field("Title", 120, required="Write a title, such as “Day 1: first choices”.")
    intro = text_field(
        "Introduction", 2_000, rows=4, help_text="Participants read it above the first prompt."
    )
    opens_at = LocalMoment(label="It opens", help_text="In the room's time zone.")
    due_at = LocalMoment(
        label="Answers are due",
        required=False,
        help_text="Empty: when the room ends. Later answers are taken as long as the room is open.",
    )
    honorarium = MoneyField(
        label="Honorarium in dollars",
        most=MOST_CENTS,
        help_text="For each participant who answers all that is required. 0: none.",
    )

    names = ("title", "intro", "opens_at", "due_at", "honorarium")

    def __init__(self, data=None, *, room: Room, section: Section | None = None):
        known = {name: getattr(section, name) for name in self.names} if section else {}
        super().__init__(data, initial=known, adds=section is None)
        self.room = room
        self.show_in(room.zone)

    def clean_title(self):
        return " ".join(self.cleaned_data["title"].split())

    def clean(self):
        cleaned = super().clean()
        self.read_in(self.room.zone, cleaned)
        return cleaned


class PromptForm(AddingForm):
    """A prompt of one kind, with the fields of that kind alone."""

    text = text_field("What you ask", 500, required="Write what you ask.", rows=3)
    help = text_field("Help", 300, help_text="A line below the prompt.")
    options = text_field(
        "Options",
        (LONGEST_OPTION + 1) * MOST_OPTIONS * 2,
        required="Write the options, one to a line.",
        rows=6,
        help_text=f"One to a line, {FEWEST_OPTIONS} to {MOST_OPTIONS}.",
    )
    most = number_field(
        "At most how many",
        1,
        MOST_OPTIONS,
        required=False,
        help_text="Empty: as many as they like.",
    )
    points = number_field(
        "Points of the scale",
        FEWEST_POINTS,
        MOST_POINTS,
        initial=5,
        help_text=f"From 1 to this number, which is {FEWEST_POINTS} to {MOST_POINTS}.",
    )
    low_label = text_field("What 1 means", 40)
    high_label = text_field("What the highest means", 40)
    asks_why = forms.BooleanField(label="Ask for the reason, too", required=False)
    is_private = forms.BooleanField(
        label="Answers go to moderators only\nOther participants never read them.", required=False
    )
    is_required = forms.BooleanField(
        label="Needed to complete the section\nThe honorarium waits for all of these.",
        required=False,
        initial=True,
    )

    def __init__(self, data=None, *, kind: str, prompt: Prompt | None = None, **more):
        initial = more.pop("initial", {})
        if prompt:
            names = ("text", "help", "most", "low_label", "high_label")
            known = {name: getattr(prompt, name) for name in names}
            known |= {name: getattr(prompt, name) for name in ("asks_why", "is_private", "is_required")}
            known["options"] = "\n".join(option.text for option in prompt.options.all())
            known["points"] = prompt.points or 5
            initial = {**known, **initial}
        super().__init__(data, initial=initial, adds=prompt is None, **more)
        self.kind = kind
        for name in {"options", "most", "points", "low_label", "high_label", "asks_why"} - set(FIELDS[kind]):
            del self.fields[name]

    def clean_text(self):
        return " ".join(self.cleaned_data["text"].split())

    def clean_options(self):
        lines = [" ".join(line.split()) for line in self.cleaned_data["options"].splitlines()]
        lines = [line for line in lines if line]
        if not FEWEST_OPTIONS <= len(lines) <= MOST_OPTIONS:
            raise ValidationError(
                f"Give {FEWEST_OPTIONS} to {MOST_OPTIONS} options, one to a line; these are {len(lines)}."
            )
        if long := next((line for line in lines if len(line) > LONGEST_OPTION), None):
            raise ValidationError(
                f"At most {LONGEST_OPTION} characters to an option; “{long[:30]}…” has {len(long)}."
            )
        lowered = [line.lower() for line in lines]
        if twice := next((line for line in lines if lowered.count(line.lower()) > 1), None):
            raise ValidationError(f"“{twice}” stands there twice.")
        return lines

    def clean(self):
        cleaned = super().clean()
        if (cleaned.get("most") or 0) > len(cleaned.get("options") or range(MOST_OPTIONS)):
            self.add_error("most", "There are fewer options than that.")
        return cleaned

    def typed(self) -> dict:
        """The keyword arguments of the service; what the kind does not have is nothing."""
        said = self.cleaned_data
        nothing = {"options": [], "most": None, "points": None, "low_label": "", "high_label": ""}
        nothing |= {"asks_why": False}
        return {**nothing, **said, "kind": self.kind}


class StimulusForm(AddingForm):
    file = forms.FileField(
        label="Picture or PDF",
        help_text=(
            "JPEG, PNG or WebP, or a PDF of at most 10 pages; at most 15 MB. Each participant sees a watermark of "
            "their own."
        ),
        error_messages={
            "required": "Choose a picture or a PDF.",
            "invalid": "Choose a picture or a PDF.",
            "missing": "Choose a picture or a PDF.",
            "empty": "This file is empty. Choose another.",
        },
    )
    description = text_field(
        "Description",
        300,
        required="Describe it, for who cannot see it.",
        rows=2,
        help_text="What it shows, for who cannot see it.",
    )


class LiveHourForm(MomentsMixin, forms.Form):
    """A time at which all write to one another at once."""

    moments = ("starts_at", "ends_at")

    title = text_field("Title", 120, required="Write a title, such as “Open hour”.")
    starts_at = LocalMoment(label="It begins", help_text="In the room's time zone.")
    ends_at = LocalMoment(label="It ends")

    def __init__(self, data=None, *, room: Room, hour: LiveHour | None = None):
        names = ("title", "starts_at", "ends_at")
        super().__init__(data, initial={name: getattr(hour, name) for name in names} if hour else {})
        self.room = room
        self.show_in(room.zone)

    def clean(self):
        cleaned = super().clean()
        self.read_in(self.room.zone, cleaned)
        for name in self.moments:
            if name not in self.errors and cleaned.get(name) is None:
                self.add_error(name, "Write a day and a time, such as 2026-11-18 19:00.")
        return cleaned
