"""What moderators type about a room, checked: kinds of fields, and the forms of the room as a whole."""

import re
import uuid
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.notice_forms import time_zones
from accounts.roles import MODERATORS
from focusgroups.models import Room
from focusgroups.models.rooms import FEWEST_SEATS, MOST_SEATS

TYPED = re.compile(r"\$?\s*(\d{1,3}(?:,\d{3})+|\d{1,7})(?:\.(\d{1,2}))?", re.ASCII)
LOCAL = "%Y-%m-%dT%H:%M"
TOO_LONG = "At most %(limit_value)d characters; this has %(show_value)d."
WATCHING = {  # what watchers read, in words
    Room.Watching.NOBODY: "Nobody\nThe sponsor's people see nothing of the room.",
    Room.Watching.FIGURES: "Figures only\nHow many answered what, in groups of five and more. No words.",
    Room.Watching.WORDS: "Answers and replies\nBy alias and quota cell. Never what was said to moderators alone.",
}


def dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02}"


def text_field(label: str, most: int, *, required: str = "", rows: int = 0, **more) -> forms.CharField:
    """A line, or so many rows; `required` is what is said where nothing was typed."""
    words = {"required": required, "max_length": TOO_LONG}
    if rows:
        more["widget"] = forms.Textarea(attrs={"rows": rows, "class": "rows"})
    return forms.CharField(
        label=label, max_length=most, required=bool(required), error_messages=words, **more
    )


def number_field(
    label: str, least: int, most: int, *, required: bool = True, words: str = "", **more
) -> forms.IntegerField:
    said = words or f"Write a number from {least:,} to {most:,}."
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        required=required,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": "short"}),
        error_messages=dict.fromkeys(["required", "invalid", "min_value", "max_value"], said),
        **more,
    )


class MoneyField(forms.Field):
    """Dollars as they are typed, kept as cents; nothing typed is none at all."""

    def __init__(self, *, most: int, **more):
        super().__init__(required=False, **more)
        self.most = most
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off", "class": "short"})

    def prepare_value(self, value):
        if not isinstance(value, int):
            return value
        return f"{value // 100}.{value % 100:02}" if value % 100 else str(value // 100)

    def to_python(self, value):
        if isinstance(value, int):  # of a field that is disabled
            return value
        text = (value or "").strip()
        if not text:
            return 0
        found = TYPED.fullmatch(text)
        if not found:
            raise ValidationError("Write an amount such as 25 or 25.50.")
        whole, part = found.groups()
        return int(whole.replace(",", "")) * 100 + int((part or "").ljust(2, "0"))

    def validate(self, value):
        if value > self.most:
            raise ValidationError(f"At most {dollars(self.most)}.")

    def has_changed(self, initial, data):
        if self.disabled:
            return False
        try:
            return self.to_python(data) != (initial or 0)
        except ValidationError:
            return True


class LocalMoment(forms.Field):
    """A date and time of day as clocks in a room's zone show it. It is cleaned to that; `at` makes a moment of it.

    Left empty it is none, also where it is needed in the end: a draft need not be complete.
    """

    def __init__(self, **more):
        super().__init__(**more)
        self.widget = forms.DateTimeInput(attrs={"type": "datetime-local", "class": "date"}, format=LOCAL)
        self.widget.is_required = False
        self.zone: ZoneInfo | None = None  # in which a moment that is known is shown

    def prepare_value(self, value):
        if isinstance(value, datetime) and value.tzinfo:
            return value.astimezone(self.zone).strftime(LOCAL)
        return value

    def to_python(self, value):
        if isinstance(value, datetime):  # of a field that is disabled
            return value
        text = (value or "").strip().replace(" ", "T", 1)
        if not text:
            return None
        try:
            typed = datetime.fromisoformat(text)
        except ValueError:
            typed = None
        if typed is None or typed.tzinfo or len(text) < len("2026-01-01T00:00"):
            raise ValidationError("Write a day and a time, such as 2026-11-18 09:00.")
        return typed.replace(second=0, microsecond=0)

    def validate(self, value):
        """Nothing is needed yet."""

    def has_changed(self, initial, data):
        if self.disabled:
            return False
        known = self.prepare_value(initial) or ""
        return known != (data or "").strip().replace(" ", "T", 1)[: len("2026-01-01T00:00")]


def at(typed: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The moment at which clocks of a zone show what was typed. Raises ValidationError where they never do."""
    if typed is None:
        return None
    moment = typed.replace(tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != typed:
        raise ValidationError("Clocks are put forward then, and skip this time. Choose another.")
    return moment


class MomentsMixin:
    """Puts what was typed into the zone of a room, field by field."""

    moments: tuple[str, ...] = ()

    def show_in(self, zone: ZoneInfo) -> None:
        for name in self.moments:
            self.fields[name].zone = zone

    def read_in(self, zone: ZoneInfo, cleaned: dict) -> None:
        for name in self.moments:
            try:
                cleaned[name] = at(cleaned.get(name), zone)
            except ValidationError as refusal:
                self.add_error(name, refusal)


# Forms


class AddingForm(forms.Form):
    """One that adds something: sent twice, it adds one. A form of what is there already carries no id."""

    submission = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, adds: bool = True, **more):
        super().__init__(*args, **more)
        if adds:
            self.fields["submission"].initial = uuid.uuid4
        else:
            del self.fields["submission"]


class RoomForm(forms.Form):
    title = text_field(
        "Title",
        120,
        required="Write a title. Members read it when they are invited.",
        help_text="Members read it when they are invited. Name no product and no sponsor in it.",
    )

    def clean_title(self):
        return " ".join(self.cleaned_data["title"].split())


class BasicsForm(MomentsMixin, RoomForm):
    """What a room is. Its dates are local ones of the zone that is chosen beside them."""

    moments = ("starts_at", "ends_at")

    about = text_field(
        "What it is about",
        2_000,
        rows=5,
        help_text="Members read it before they say yes: the topic, and what they will be asked to do.",
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=time_zones,
        help_text="All days and hours of this room are meant in it.",
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose one of the zones shown."),
    )
    starts_at = LocalMoment(label="It begins")
    ends_at = LocalMoment(label="It ends", help_text="2 to 60 days later. It can be extended.")
    seats = number_field("Seats", FEWEST_SEATS, MOST_SEATS)
    minutes_a_day = number_field(
        "Minutes a day", 1, 240, help_text="How long a participant needs on a day, about."
    )
    pay_on = forms.DateField(
        label="Honoraria are paid by",
        required=False,
        help_text="Members read this day before they say yes.",
        widget=forms.DateInput(attrs={"type": "date", "class": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write a day, such as 2026-12-18."},
    )
    thanks = MoneyField(
        label="Thanks for who is screened out, in dollars",
        most=20_000,
        help_text="For those who answered more than three questions of the screener. 0: none.",
    )
    watching = forms.ChoiceField(
        label="What the sponsor's people may read while it runs",
        choices=list(WATCHING.items()),
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
        help_text="Participants are told so before they say yes.",
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose what watchers may read."),
    )

    names = (
        *("title", "about", "time_zone", "starts_at", "ends_at", "seats", "minutes_a_day", "pay_on"),
        *("thanks", "watching"),
    )

    def __init__(self, data=None, *, room: Room, fixed=()):
        super().__init__(data, initial={name: getattr(room, name) for name in self.names})
        self.order_fields(self.names)
        self.show_in(room.zone)
        for name in fixed:
            self.fields[name].disabled = True

    def clean(self):
        cleaned = super().clean()
        typed = [name for name in self.moments if not self.fields[name].disabled]
        if cleaned.get("time_zone"):
            zone = ZoneInfo(cleaned["time_zone"])
            for name in typed:
                try:
                    cleaned[name] = at(cleaned.get(name), zone)
                except ValidationError as refusal:
                    self.add_error(name, refusal)
        return cleaned

    def changes(self) -> dict:
        """What differs from what the room says now. In another zone the same clock is another moment."""
        names = set(self.changed_data)
        if "time_zone" in names:
            names |= {name for name in self.moments if not self.fields[name].disabled}
        return {name: self.cleaned_data[name] for name in self.names if name in names}


class ExtendForm(MomentsMixin, forms.Form):
    moments = ("ends_at",)

    ends_at = LocalMoment(label="It ends")

    def __init__(self, data=None, *, room: Room):
        super().__init__(data, initial={"ends_at": room.ends_at})
        self.room = room
        self.show_in(room.zone)

    def clean(self):
        cleaned = super().clean()
        self.read_in(self.room.zone, cleaned)
        if not self.errors and cleaned["ends_at"] is None:
            self.add_error("ends_at", "Say when it ends.")
        return cleaned


class SureForm(forms.Form):
    """Nothing to type: the button is the deed."""


class CancelForm(forms.Form):
    reason = text_field(
        "Reason",
        300,
        required="Write why, in a sentence.",
        rows=3,
        help_text="Whoever was invited or has a seat reads it.",
    )


class AgreementForm(forms.Form):
    text = text_field(
        "What participants agree to",
        20_000,
        required="Write what participants agree to.",
        rows=16,
        help_text="In plain words. Each participant reads and accepts it before a seat is theirs.",
    )

    def clean_text(self):
        return self.cleaned_data["text"].replace("\r\n", "\n").strip()


class ModeratorForm(forms.Form):
    """Another moderator, by the address they log in with. An address of anybody else is told apart from none."""

    email = forms.EmailField(
        label="E-mail",
        help_text="Staff of the moderators' group, by the address they log in with.",
        error_messages={
            "required": "Write the e-mail address of a moderator.",
            "invalid": "Write an e-mail address, such as ada@example.org.",
        },
    )

    def clean_email(self):
        typed = self.cleaned_data["email"].lower()
        self.user = moderators().filter(email=typed).first()
        if self.user is None:
            raise ValidationError("No moderator of the staff has this address.")
        return typed


def moderators():
    """Whom a room may be given to."""
    return User.objects.filter(is_staff=True, is_active=True, groups__name=MODERATORS)
