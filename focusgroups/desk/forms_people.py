"""Whom a room seeks, how its seats are divided, the screener, and invitations."""

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Member, Specialty
from accounts.places import STATES
from focusgroups.desk.forms import AddingForm, number_field, text_field
from focusgroups.models import Cell, Room, ScreenerQuestion
from focusgroups.models.rooms import MOST_SEATS
from focusgroups.services.recruiting import MOST_AT_ONCE, handles_in
from questions.models import MemberRank

OPTION_LINES = 8
SHOWN_LINES = 4  # the others stand under "More answers"
FEWEST_OPTIONS = 2


def specialties() -> list[tuple[str, str]]:
    return list(Specialty.objects.filter(is_choice=True, is_physician=True).values_list("pk", "name"))


class SeveralField(forms.MultipleChoiceField):
    """Checkboxes. Where there are many, a page puts a box above them that narrows them by name."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **more):
        unknown = {"invalid_choice": "Choose from the list.", "invalid_list": "Choose from the list."}
        super().__init__(required=False, error_messages=unknown, **more)


class RuleForm(forms.Form):
    """Whom a room seeks. Nothing ticked in a list: it narrows nothing."""

    names = ("specialties", "states", "years_bands", "tiers")

    specialties = SeveralField(label="Specialties", choices=specialties)
    states = SeveralField(label="States and territories", choices=STATES)
    years_bands = SeveralField(label="Years since graduation", choices=Member.YearsBand.choices)
    tiers = SeveralField(label="Tiers", choices=MemberRank.Tier.choices)

    def __init__(self, data=None, *, room: Room, is_fixed=False):
        super().__init__(data, initial={name: getattr(room, name) for name in self.names})
        for field in self.fields.values():
            field.disabled = is_fixed

    def lists(self) -> list[dict]:
        """Each list as a page draws it: what is ticked in words, and whether it is long."""
        return [
            {"field": self[name], "chosen": _in_words(self[name]), "is_long": len(self[name].subwidgets) > 12}
            for name in self.names
        ]


class CellForm(forms.Form):
    """A quota: so many seats for some of those whom the room seeks."""

    name = text_field(
        "Name",
        60,
        required="Write a name, such as “Cardiology, early career”.",
        help_text="Moderators and watchers read it beside an alias. It names no person and no place of work.",
    )
    seats = number_field("Seats", 1, MOST_SEATS)
    specialties = SeveralField(label="Only these specialties", choices=specialties)
    years_bands = SeveralField(label="Only these years since graduation", choices=Member.YearsBand.choices)

    def __init__(self, data=None, *, cell: Cell | None = None, fixed=()):
        names = ("name", "seats", "specialties", "years_bands")
        super().__init__(data, initial={name: getattr(cell, name) for name in names} if cell else {})
        for name in fixed:
            self.fields[name].disabled = True

    def clean_name(self):
        return " ".join(self.cleaned_data["name"].split())

    def lists(self) -> list[dict]:
        return [
            {"field": self[name], "chosen": _in_words(self[name]), "is_long": name == "specialties"}
            for name in ("specialties", "years_bands")
        ]


class ScreenerForm(AddingForm):
    """A question of the screener and its answers, a line each; a tick says that whoever answers so is not sought."""

    text = text_field("Question", 200, required="Write the question.", rows=2)

    def __init__(self, data=None, *, question: ScreenerQuestion | None = None):
        known = list(question.options.all()) if question else []
        initial = {"text": question.text} if question else {}
        for place, option in enumerate(known):
            initial |= {f"option_{place}": option.text, f"is_out_{place}": option.is_out}
        super().__init__(data, initial=initial, adds=question is None)
        self.places = range(max(OPTION_LINES, len(known)))
        for place in self.places:
            self.fields[f"option_{place}"] = text_field(f"Answer {place + 1}", 120)
            self.fields[f"is_out_{place}"] = forms.BooleanField(label="not sought", required=False)

    def lines(self) -> list[tuple]:
        return [(self[f"option_{place}"], self[f"is_out_{place}"]) for place in self.places]

    def first_lines(self) -> list[tuple]:
        return self.lines()[:SHOWN_LINES]

    def more_lines(self) -> list[tuple]:
        return self.lines()[SHOWN_LINES:]

    @property
    def has_more_lines(self) -> bool:
        """Whether those that are folded away hold something to see."""
        return any(text.value() or out.value() or text.errors for text, out in self.more_lines())

    def options(self) -> list[tuple[str, bool]]:
        typed = [
            (
                " ".join(self.cleaned_data.get(f"option_{place}", "").split()),
                self.cleaned_data.get(f"is_out_{place}", False),
            )
            for place in self.places
        ]
        return [(text, is_out) for text, is_out in typed if text]

    def clean_text(self):
        return " ".join(self.cleaned_data["text"].split())

    def clean(self):
        cleaned = super().clean()
        seen: set[str] = set()
        for place in self.places:
            text = " ".join(cleaned.get(f"option_{place}", "").split())
            if not text and cleaned.get(f"is_out_{place}"):
                self.add_error(f"option_{place}", "Write the answer that is not sought.")
            if text and text.lower() in seen:
                self.add_error(f"option_{place}", "This answer stands there already.")
            seen.add(text.lower())
        if self.errors.keys() - {"text"}:
            return cleaned
        options = self.options()
        if len(options) < FEWEST_OPTIONS:
            self.add_error(
                f"option_{len(options)}", f"Give at least {FEWEST_OPTIONS} answers to choose from."
            )
        elif all(is_out for _, is_out in options):
            self.add_error("is_out_0", "Nobody could pass: leave one answer that is sought.")
        return cleaned


class InviteForm(forms.Form):
    number = number_field(
        "How many",
        1,
        MOST_AT_ONCE,
        help_text="Drawn by lot from those whom the room seeks and who were not asked yet.",
    )
    seen = forms.IntegerField(
        required=False, widget=forms.HiddenInput
    )  # how many were asked when it was opened

    def start_from(self, asked: int) -> None:
        """Let the next press of the button count from what the page says now."""
        self.data = self.data.copy()
        self.data[self.add_prefix("seen")] = asked


class InviteByHandleForm(forms.Form):
    """Handles as typed; once they are asked, no page shows them again."""

    handles = text_field(
        "Handles",
        2_000,
        required="Write the handles of those you ask.",
        rows=2,
        help_text="At least five, with spaces or commas between them. They are not shown again once asked.",
    )

    def clean_handles(self):
        handles = handles_in(self.cleaned_data["handles"])
        if not handles:
            raise ValidationError("Write the handles of those you ask.")
        return handles


def _in_words(field: forms.BoundField) -> str:
    ticked = {str(value) for value in field.value() or []}
    names = [str(label) for value, label in field.field.choices if str(value) in ticked]
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    return ", ".join(names) or "any"
