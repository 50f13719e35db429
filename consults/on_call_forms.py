"""What members typed about being on call and about paging, checked."""

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Member, Specialty
from consults.models import Paging
from consults.models.on_call import MOST_PAGES, USUAL_PAGES
from consults.on_call_board import Crowd
from consults.on_call_own import WEEKDAYS
from consults.services import shifts
from consults.services.shifts import MOST_PAGES_A_WEEK
from questions.forms import SubmissionForm
from questions.models import Question
from sermo.errors import RuleBroken

OVER = "This time is over. Choose a later day."
OVER_TODAY = "This time is over. Choose a later time or another day."
TIME = {"required": "Choose a time.", "invalid": "Write a time as 7:00 or 19:30."}
NEXT_IN_LINE = "next"
URGENCY_OF = {
    Question.Urgency.NOW: Paging.Urgency.NOW,
    Question.Urgency.TODAY: Paging.Urgency.TODAY,
    Question.Urgency.DAYS: Paging.Urgency.WHENEVER,
}


def _time(label, **more):
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, widget=widget, error_messages=TIME, **more)


class ShiftForm(SubmissionForm):
    """From when to when by the clock of a zone; what does not end later ends on the next day."""

    from_time = _time("From")
    to_time = _time("To")

    def __init__(self, *args, zone: ZoneInfo, **kwargs):
        super().__init__(*args, **kwargs)
        self.zone = zone


class OnceForm(ShiftForm):
    field_order = ("day", "from_time", "to_time")

    day = forms.DateField(
        error_messages={"required": "Choose a day.", "invalid": "Write a date as 2026-11-18."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def stretch(self) -> dict[str, datetime]:
        """The keyword arguments of the service."""
        typed = self.cleaned_data
        day, start, end = typed["day"], typed["from_time"], typed["to_time"]
        last = day if end > start else day + timedelta(days=1)
        return {
            "starts_at": datetime.combine(day, start, tzinfo=self.zone),
            "ends_at": datetime.combine(last, end, tzinfo=self.zone),
        }

    def clean_day(self) -> date:
        """Last night's shift may still go on."""
        day, today = self.cleaned_data["day"], timezone.localdate(timezone=self.zone)
        if day < today - timedelta(days=1):
            raise ValidationError(OVER)
        if day > today + shifts.FARTHEST:
            raise ValidationError(shifts.TooFarAhead.message)
        return day

    def clean(self):
        typed = super().clean()
        if not self.errors:
            try:
                shifts.check_once(**self.stretch())
            except shifts.InThePast:
                is_today = typed["day"] == timezone.localdate(timezone=self.zone)
                self.add_error(*("to_time", OVER_TODAY) if is_today else ("day", OVER))
            except shifts.TooFarAhead as refusal:
                self.add_error("day", str(refusal))
            except RuleBroken as refusal:
                self.add_error("to_time", str(refusal))
        return typed


class WeeklyForm(ShiftForm):
    field_order = ("weekday", "from_time", "to_time")

    weekday = forms.TypedChoiceField(
        label="Every",
        coerce=int,
        choices=list(enumerate(WEEKDAYS)),
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose a day of the week."),
    )


def _pages(most: int) -> dict[str, str]:
    """What is said of a number of pages whatever is wrong with it."""
    return dict.fromkeys(["required", "invalid", "min_value", "max_value"], f"1 to {most}.")


class OnCallWishesForm(forms.Form):
    pages_a_shift = forms.IntegerField(
        label="Pages in one shift, at most",
        min_value=1,
        max_value=MOST_PAGES,
        error_messages=_pages(MOST_PAGES),
        help_text=f"1 to {MOST_PAGES}; {USUAL_PAGES} unless you change it.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    pages_a_week = forms.IntegerField(
        label="Pages in a week, at most",
        min_value=1,
        max_value=MOST_PAGES_A_WEEK,
        error_messages=_pages(MOST_PAGES_A_WEEK),
        help_text=f"1 to {MOST_PAGES_A_WEEK}, over all shifts.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    shows_handle = forms.BooleanField(
        required=False,
        label="Show my handle on the board\nAlso to colleagues who hand a page over. Otherwise, and where your handle "
        "does not show your specialty, you are only counted.",
    )
    takes_overflow = forms.BooleanField(
        required=False,
        label="Page me when nobody else accepted\nAfter 30 minutes, also from other specialties in which your answers "
        "were corroborated; while you are on call only.",
    )

    def clean(self):
        typed = super().clean()
        of_shift, of_week = typed.get("pages_a_shift"), typed.get("pages_a_week")
        if of_shift and of_week and of_shift > of_week:
            self.add_error("pages_a_shift", f"No more than in a week: 1 to {min(of_week, MOST_PAGES)}.")
        return typed


class RadiosSomeOff(forms.RadioSelect):
    """Radios of which some cannot be chosen."""

    off: Collection[str] = ()

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        if value in self.off:
            option["attrs"]["disabled"] = True
        return option


class PagingForm(forms.Form):
    """A specialty of a case, with who is on call for it, and how soon.

    One that is being paged stands there with since when, and cannot be chosen.
    """

    specialty = forms.ChoiceField(
        label="Whom to page",
        widget=RadiosSomeOff,
        error_messages={"required": "Choose a specialty.", "invalid_choice": "Choose one of these."},
    )
    urgency = forms.ChoiceField(
        label="How urgent is it?",
        choices=Paging.Urgency.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say how urgent it is.", "invalid_choice": "Choose one of these."},
    )

    def __init__(
        self,
        *args,
        question: Question,
        crowds: dict[Specialty, Crowd],
        running: dict[str, Paging],
        since: Callable[[datetime], str],
        **kwargs,
    ):
        first = next((specialty for specialty in crowds if specialty.pk not in running), None)
        initial = {"specialty": first and first.pk, "urgency": URGENCY_OF[question.urgency]}
        super().__init__(*args, initial=initial, **kwargs)
        self.specialties = {specialty.pk: specialty for specialty in crowds}
        self.running, self.since = running, since
        field = self.fields["specialty"]
        field.widget.off = running
        field.choices = [
            (specialty.pk, f"{specialty.name}\n{self._state(specialty, crowd)}")
            for specialty, crowd in crowds.items()
        ]

    def _state(self, specialty: Specialty, crowd: Crowd) -> str:
        if paging := self.running.get(specialty.pk):
            return f"Being paged since {self.since(paging.started_at)}: {paging.get_urgency_display()}"
        return f"On call now: {crowd.words}"

    def clean_specialty(self) -> Specialty:
        specialty = self.specialties[self.cleaned_data["specialty"]]
        if paging := self.running.get(specialty.pk):
            raise ValidationError(paged_already(specialty, self.since(paging.started_at)))
        return specialty


def paged_already(specialty: Specialty, since: str) -> str:
    return f"{specialty.name} has been paged since {since}. Stop that first to page with another urgency."


class HandOverForm(forms.Form):
    """To the next in line, or to somebody by handle."""

    to = forms.ChoiceField(
        label="To whom?",
        initial=NEXT_IN_LINE,
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
        error_messages={
            "required": "Choose to whom.",
            "invalid_choice": "This colleague cannot be paged any more. Choose another one.",
        },
    )

    def __init__(self, *args, takers: list[Member], others: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.takers = {str(member.pk): member for member in takers}
        first = (NEXT_IN_LINE, f"Whoever is next in line\nWho can take it now: {others}.")
        self.fields["to"].choices = [first, *((pk, member.handle) for pk, member in self.takers.items())]

    def taker(self) -> Member | None:
        return self.takers.get(self.cleaned_data["to"])
