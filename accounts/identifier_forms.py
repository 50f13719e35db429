"""Forms whose texts are looked at for what could identify a patient, before they are sent on."""

import hashlib
import json
from dataclasses import dataclass, field

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy

from accounts.models import IdentifierDecision
from accounts.services.identifiers import Kept
from sermo.identifiers import DOUBT, STOP, Finding, check, replace

LONGEST = 20_000  # characters of a text that are checked; a longer one is refused
AROUND = 32  # characters shown before and after what was found
TICKED, SHOWN, WHY, REPLACE = "not_patient", "identifier_shown", "identifier_why", "replace"
TOO_LONG = f"At most {LONGEST:,} characters; the rest was not checked for identifiers."
REPLACED = "Replaced as you asked. Read it once more, then send it."


@dataclass(frozen=True)
class Row:
    """One finding as a page shows it; words found twice are shown once."""

    key: str
    finding: Finding
    before: str
    after: str
    is_decided: bool

    @property
    def is_stop(self) -> bool:
        return self.finding.level == STOP


@dataclass
class Checked:
    """What was found in one field, and what its author said to it."""

    name: str
    auto_id: str = ""
    rows: list[Row] = field(default_factory=list)
    why: str = ""  # the reason chosen, while it covers all that must go
    is_too_long: bool = False
    may_keep: bool = True  # what must go, for a reason

    whys = IdentifierDecision.Why.choices

    @property
    def why_name(self) -> str:
        """Each field asks for a reason of its own."""
        return f"{WHY}_{self.name}"

    @property
    def stops(self) -> list[Row]:
        return [row for row in self.rows if row.is_stop]

    @property
    def doubts(self) -> list[Row]:
        return [row for row in self.rows if not row.is_stop]

    @property
    def has_replacements(self) -> bool:
        return sum(row.finding.replacement is not None for row in self.rows) > 1


def key_of(name: str, finding: Finding) -> str:
    """Stands for these words in this field, so that a tick does not cover what is typed later."""
    said = "\n".join((name, finding.kind, finding.level, " ".join(finding.words.lower().split())))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def look_at(
    text: str, *, name: str, data, auto_id: str = "", stops_only: bool = False, may_keep: bool = True
) -> Checked:
    """Check one text. `data` are the submitted values, which carry the author's decisions."""
    text, checked = text.strip(), Checked(name, auto_id, may_keep=may_keep)
    text, checked.is_too_long = text[:LONGEST], len(text) > LONGEST
    whys = _all(data, checked.why_name) if may_keep else []
    why = next((one for one in whys if one in IdentifierDecision.Why.values), "")
    ticked, shown = set(_all(data, TICKED)), set(_all(data, SHOWN)) if why else set()
    rows: dict[str, Row] = {}
    for finding in check(text):
        if stops_only and finding.level == DOUBT:
            continue
        key = key_of(name, finding)
        decided = key in (shown if finding.level == STOP else ticked)
        rows.setdefault(key, Row(key, finding, *_around(text, finding), decided))
    checked.rows = list(rows.values())
    checked.why = why if all(row.is_decided for row in checked.stops) else ""
    return checked


def _all(data, name: str) -> list[str]:
    return data.getlist(name) if hasattr(data, "getlist") else []


def _around(text: str, finding: Finding) -> tuple[str, str]:
    before, after = text[: finding.start][-AROUND:], text[finding.end :][:AROUND]
    before = ("…" if finding.start > AROUND else "") + before.replace("\n", " ")
    return before, after.replace("\n", " ") + ("…" if finding.end + AROUND < len(text) else "")


class IdentifierMixin:
    """Sends a form back until each identifier in it is gone, or its author has said why it may stay.

    What must go stays only for a reason of the list, given while it was on the screen, and with `keeps_stops` off for
    none; a doubt takes a tick. Nothing of it is a field of the form, so `cleaned_data` holds what it held. Stands first
    among the bases.
    """

    checked_fields: tuple[str, ...] = ("source",)
    stops_only = False
    keeps_stops = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.checked_identifiers = {}
        self._was_replaced = False
        if self.is_bound and self.data.get(REPLACE):
            self._replace(self.data[REPLACE])
        for name in self._checked_names():
            self._check_on_leaving(name)
            self.checked_identifiers[name] = Checked(name, may_keep=self.keeps_stops)

    def clean(self):
        cleaned = super().clean()
        for name in self._checked_names():
            self.checked_identifiers[name] = look_at(
                self._typed(name),
                name=name,
                data=self.data,
                auto_id=self[name].auto_id,
                stops_only=self.stops_only,
                may_keep=self.keeps_stops,
            )
            if self.checked_identifiers[name].is_too_long and name not in self.errors:
                self.add_error(name, ValidationError(TOO_LONG, code="max_length"))
        if words := self._what_is_left():
            self.add_error(None, ValidationError(words, code="identifiers"))
        return cleaned

    def kept_identifiers(self) -> Kept:
        """What a form that may be saved keeps all the same, counted by kind."""
        kept = Kept(why=next((one.why for one in self.checked_identifiers.values() if one.stops), ""))
        for checked in self.checked_identifiers.values():
            for row in checked.rows:
                counts = kept.stops if row.is_stop else kept.doubts
                counts[row.finding.kind] = counts.get(row.finding.kind, 0) + 1
        return kept

    def named_identifiers(self) -> str:
        """What must go, in a sentence, where a page has no room to show it."""
        stops = [
            row
            for checked in self.checked_identifiers.values()
            for row in checked.stops
            if not row.is_decided
        ]
        said = ", ".join(f"“{row.finding.words}”" for row in stops)
        return f"Leave out {said}: it may identify somebody." if stops else ""

    def _checked_names(self) -> list[str]:
        return [name for name in self.checked_fields if name in self.fields]

    def _typed(self, name: str) -> str:
        return self.data.get(self.add_prefix(name)) or ""

    def _what_is_left(self) -> str:
        rows = [row for checked in self.checked_identifiers.values() for row in checked.rows]
        stops = sum(row.is_stop and not row.is_decided for row in rows)
        doubts = sum(not row.is_stop and not row.is_decided for row in rows)
        said = [REPLACED] if self._was_replaced else []
        parts = [f"{stops} identifier{'s' * (stops != 1)} must go"] if stops else []
        parts += [f"{doubts} need{'s' * (doubts == 1)} your decision"] if doubts else []
        if parts:
            said.append(f"{', '.join(parts)}; each is shown below its text.")
        return " ".join(said)

    def _replace(self, chosen: str) -> None:
        """Put replacements into the text as it comes back; the form is then shown again, never saved."""
        self.data = self.data.copy()
        for name in self._checked_names():
            text = self._typed(name).strip()
            findings = [one for one in check(text[:LONGEST]) if not (self.stops_only and one.level == DOUBT)]
            wanted = [one for one in findings if chosen in ("all", key_of(name, one))]
            if chosen == "all":
                ticked = set(_all(self.data, TICKED))
                wanted = [one for one in wanted if key_of(name, one) not in ticked]
            self.data[self.add_prefix(name)] = replace(text, wanted)
        self._was_replaced = True

    def _check_on_leaving(self, name: str) -> None:
        """With a script the check runs when the field is left, and shows the same."""
        widget = self.fields[name].widget
        if not isinstance(widget, forms.Textarea | forms.TextInput):
            return
        sent = json.dumps(
            {
                "checked": self.add_prefix(name),
                "stops_only": str(int(self.stops_only)),
                "may_keep": str(int(self.keeps_stops)),
            }
        )
        widget.attrs.update(
            {
                "hx-post": reverse_lazy("accounts:check_identifiers"),
                "hx-trigger": "change",
                "hx-target": "next [data-findings]",
                "hx-swap": "innerHTML",
                "hx-vals": sent,
                "data-quiet": True,  # when it fails, sending the form checks all the same
            }
        )
