"""What members choose about notices, checked."""

from calendar import day_name
from functools import cache
from zoneinfo import available_timezones

from django import forms

from accounts.models import Kind, NoticeSettings, Way
from accounts.notice_kinds import GROUPS, RULES

MOST_ALERTS = 100
COLUMNS = (Way.APP, Way.DIGEST, Way.EMAIL, Way.OFF)  # of the matrix
HOURS = [(hour, f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}") for hour in range(24)]
WEEKDAYS = list(enumerate(day_name))

US_ZONES = {
    "America/New_York": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "Pacific",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Puerto_Rico": "Puerto Rico",
    "Pacific/Guam": "Guam",
    "Pacific/Pago_Pago": "American Samoa",
}
NOT_PLACES = ("Etc/", "SystemV/", "US/", "posix/", "right/")


@cache
def clock_of(zone: str) -> str:
    """What a clock is called before the word "time": "Eastern", or a place."""
    return US_ZONES.get(zone) or zone.rpartition("/")[2].replace("_", " ")


def time_zones() -> list:
    """Choices of a time zone: those of the United States first, then the rest of the world by name."""
    others = sorted(
        zone
        for zone in available_timezones() - US_ZONES.keys()
        if "/" in zone and not zone.startswith(NOT_PLACES)
    )
    return [
        ("United States", list(US_ZONES.items())),
        ("Elsewhere", [(zone, zone.replace("_", " ")) for zone in others]),
    ]


class WaysForm(forms.Form):
    """The matrix: a way for each kind, named `way_<kind>`."""

    def __init__(self, *args, ways: dict[Kind, Way], **kwargs):
        super().__init__(*args, **kwargs)
        for kind, rule in RULES.items():
            choices = [way for way in Way if way != Way.OFF or rule.may_be_off]
            self.fields[f"way_{kind}"] = forms.ChoiceField(
                label=kind.label,
                choices=[(way.value, way.label) for way in choices],
                initial=ways[kind],
                error_messages={
                    "required": "Choose one of the ways.",
                    "invalid_choice": "Choose one of the ways shown.",
                },
            )

    def groups(self) -> list[tuple[str, list[dict]]]:
        """The rows as the page shows them, under their headings."""
        return [(heading, [self._row(kind) for kind in kinds]) for heading, kinds in GROUPS.items()]

    def _row(self, kind):
        field = self[f"way_{kind}"]
        return {
            "kind": kind,
            "label": kind.label,
            "help": RULES[kind].help,
            "name": field.html_name,
            "error": field.errors[0] if field.errors else "",
            "cells": [
                {
                    "way": way,
                    "is_offered": way != Way.OFF or RULES[kind].may_be_off,
                    "is_chosen": field.value() == way,
                }
                for way in COLUMNS
            ],
        }

    def ways(self) -> dict[Kind, Way]:
        return {kind: Way(self.cleaned_data[f"way_{kind}"]) for kind in RULES}


class WishesForm(forms.ModelForm):
    """How much a day, when not, and the digest."""

    time_zone = forms.ChoiceField(
        choices=time_zones,
        help_text="The clock by which the day begins, and the quiet hours and the digest are meant.",
    )
    digest_hour = forms.TypedChoiceField(
        label="At", coerce=int, choices=HOURS, help_text="It comes within a quarter of an hour, quiet or not."
    )
    digest_weekday = forms.TypedChoiceField(
        label="On", coerce=int, choices=WEEKDAYS, help_text="For a digest once a week."
    )

    class Meta:
        model = NoticeSettings
        fields = [
            *("digest", "digest_weekday", "digest_hour", "time_zone"),
            *("budget", "quiet_from", "quiet_to"),
        ]
        labels = {
            "budget": "Alerts a day",
            "quiet_from": "Quiet from",
            "quiet_to": "Quiet until",
            "digest": "Digest by e-mail",
        }
        help_texts = {
            "budget": "0 to 100. What comes beyond it waits in the inbox under Held, without an e-mail.",
            "quiet_from": "No e-mail from this time on, such as 22:00.",
            "quiet_to": "What was kept back is sent at this time; it may be on the next day.",
            "digest": "Questions of your specialty that wait for an answer, what is new in what you follow, and the "
            "news. Nothing that members wrote stands in it. None is sent when there is nothing to tell.",
        }
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_to": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["budget"].max_value = MOST_ALERTS
        self.fields["budget"].widget.attrs |= {"min": 0, "max": MOST_ALERTS, "inputmode": "numeric"}

    def clean_budget(self):
        budget = self.cleaned_data["budget"]
        if budget > MOST_ALERTS:
            raise forms.ValidationError(f"Choose a number from 0 to {MOST_ALERTS}.")
        return budget

    def clean(self):
        typed = super().clean()
        if "quiet_from" in self.errors or "quiet_to" in self.errors:
            return typed
        begin, end = typed.get("quiet_from"), typed.get("quiet_to")
        if (begin is None) != (end is None):
            missing = "quiet_from" if begin is None else "quiet_to"
            self.add_error(missing, "Quiet hours have two ends. Fill in both, or neither.")
        elif begin is not None and begin == end:
            self.add_error("quiet_to", "Choose another time than the one they begin at.")
        return typed
