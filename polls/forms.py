"""What members typed about polls, checked."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.identifier_forms import IdentifierMixin
from accounts.models import Member, NoticeSettings, Specialty
from accounts.places import REGIONS, STATES
from polls.models import Poll
from polls.models.polls import FEWEST_OPTIONS, MOST_DAYS, MOST_OPTIONS
from polls.services import opening, options, trends
from questions.forms import TEXT, TITLE, WORDS, AskForm, Composer, DiscussionMixin, SubmissionForm
from questions.models import MemberRank, Question

OPTION_FIELDS = tuple(f"option_{number}" for number in range(1, MOST_OPTIONS + 1))
SHOWN_FIELDS = 4  # the other options stand under "More options"
DAYS = {"1": "1", "3": "3", "7": "7", "14": "14", "30": "30", "date": "Until a date"}
KINDS = {"single": "One choice", "multiple": "Several", "ranked": "Ranking", "scale": "Scale 1 to 5"}
REGION = "region:"  # before the name of a region, where states have two letters
PROMPT = {"min_length": 5, "max_length": options.LONGEST_PROMPT, "error_messages": WORDS}
NOT_OF_A_SCALE = "A scale has its points from 1 to 5. Leave the options empty."
ONLY_OF_A_SCALE = "Only a scale has labels. Leave this empty."
SCALE_LABELS = ("low_label", "high_label")


def _line(label, most, **more):
    return forms.CharField(label=label, max_length=most, required=False, error_messages=WORDS, **more)


def _places():
    regions = [
        (f"{REGION}{name}", f"{name} ({states.replace(' ', ', ')})") for name, states in REGIONS.items()
    ]
    return [("Regions", regions), ("States and territories", STATES)]


Lines = type(
    "Lines",
    (forms.Form,),
    {
        name: _line(f"Option {number}", options.LONGEST_OPTION)
        for number, name in enumerate(OPTION_FIELDS, start=1)
    },
)


class OptionsMixin(IdentifierMixin, Lines):
    """Ten lines for options, the labels of a scale, and what must hold for them."""

    low_label = _line("What 1 means", 40)
    high_label = _line("What 5 means", 40)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in OPTION_FIELDS[:FEWEST_OPTIONS]:
            self.fields[name].required = self.kind_typed() != Poll.Kind.SCALE

    def kind_typed(self) -> str:
        return self["kind"].value()

    @property
    def first_options(self):
        return [self[name] for name in OPTION_FIELDS[:SHOWN_FIELDS] if name in self.fields]

    @property
    def more_options(self):
        return [self[name] for name in OPTION_FIELDS[SHOWN_FIELDS:] if name in self.fields]

    @property
    def has_more_options(self) -> bool:
        """Whether the lines that are folded away hold something to see."""
        return any(field.value() or field.errors for field in self.more_options)

    @property
    def has_labels(self) -> bool:
        return any(self[name].value() or self[name].errors for name in SCALE_LABELS if name in self.fields)

    def texts(self) -> tuple[str, ...]:
        return tuple(text for _, text in self._typed_options())

    def _typed_options(self) -> list[tuple[str, str]]:
        typed = [(name, " ".join(self.cleaned_data.get(name, "").split())) for name in OPTION_FIELDS]
        return [(name, text) for name, text in typed if text]

    def clean(self):
        cleaned = super().clean()
        if self.kind_typed() == Poll.Kind.SCALE:
            self._refuse_all([name for name, _ in self._typed_options()], NOT_OF_A_SCALE)
        else:
            self._refuse_all([name for name in SCALE_LABELS if cleaned.get(name)], ONLY_OF_A_SCALE)
            try:
                opening.check_texts(self.texts())
            except opening.SameOption as refusal:
                self.add_option_error(refusal)
            except opening.NumberOfOptions as refusal:
                if not self.errors.keys() & set(OPTION_FIELDS):
                    self.add_option_error(refusal)
        return cleaned

    def _refuse_all(self, names, words):
        for name in names:
            self.add_error(name, ValidationError(words))

    def add_option_error(self, refusal: opening.OptionsRefused):
        """Say it beside the option it is about, or beside the first line that was left empty."""
        names = [name for name, _ in self._typed_options()]
        empty = next((name for name in OPTION_FIELDS if name not in names), OPTION_FIELDS[-1])
        has_place = refusal.place is not None and refusal.place < len(names)
        self.add_error(names[refusal.place] if has_place else empty, str(refusal))


def zone_of(member: Member) -> ZoneInfo:
    """Where a member's day begins and ends: as they said in their notice settings, else as the site's."""
    wishes = NoticeSettings.objects.filter(member=member).first()
    return ZoneInfo(wishes.time_zone) if wishes else timezone.get_default_timezone()


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=zone)


class PlanForm(OptionsMixin):
    """What both kinds of polls are made of: how it is asked, until when, and who may vote."""

    field_order = ("title", "prompt", "source", "kind", *OPTION_FIELDS, *SCALE_LABELS)
    voters_fields = ("voter_specialties", "voter_places", "voter_tiers")

    kind = forms.ChoiceField(
        label="How do they answer?",
        choices=list(KINDS.items()),
        initial=Poll.Kind.SINGLE,
        widget=forms.RadioSelect(attrs={"class": "segmented"}),
    )
    open_for = forms.ChoiceField(
        label="Open for",
        help_text="Days, or until the end of a date.",
        choices=list(DAYS.items()),
        initial="7",
        widget=forms.RadioSelect(attrs={"class": "segmented"}),
    )
    until = forms.DateField(
        label="Date",
        required=False,
        help_text=f"For “Until a date”: it closes when that day ends where you are, {MOST_DAYS} days from now at most.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    shown = forms.ChoiceField(
        label="Who sees the result while it is open",
        choices=Poll.Shown.choices,
        initial=Poll.Shown.VOTED,
        widget=forms.RadioSelect,
    )
    may_change = forms.BooleanField(
        required=False,
        label="Votes may be changed until it closes\nThe breakdown by specialty is then shown at the end only.",
    )
    may_add = forms.BooleanField(
        required=False,
        label="Readers may add options\nOne each, ten in all. Not for a ranking or a scale.",
    )
    voter_specialties = forms.ModelMultipleChoiceField(
        Specialty.objects.filter(is_choice=True),
        required=False,
        label="Only these specialties",
        help_text="Nothing chosen: every specialty.",
        widget=forms.SelectMultiple(attrs={"size": 6, "data-picker": "10"}),
    )
    voter_places = forms.MultipleChoiceField(
        choices=_places,
        required=False,
        label="Only these states or regions",
        help_text="Nothing chosen: everywhere.",
        widget=forms.SelectMultiple(attrs={"size": 6, "data-picker": "12"}),
    )
    voter_tiers = forms.MultipleChoiceField(
        choices=MemberRank.Tier.choices,
        required=False,
        label="Only these tiers",
        help_text="Nothing chosen: all of them.",
        widget=forms.CheckboxSelectMultiple,
    )

    @property
    def has_voters(self) -> bool:
        """Whether something is chosen, or wrong, in the part about who may vote, which is folded away."""
        return any(self[name].value() or self[name].errors for name in self.voters_fields)

    def __init__(self, *args, member: Member, **kwargs):
        super().__init__(*args, **kwargs)
        self.zone = zone_of(member)
        self.today = timezone.localdate(timezone=self.zone)  # once: midnight may come while this is checked

    def clean_until(self):
        until = self.cleaned_data["until"]
        if self.cleaned_data.get("open_for") != "date":
            return until
        today = self.today
        if until is None:
            raise ValidationError("Choose the date on which it closes.")
        if not today + timedelta(days=1) <= until <= today + timedelta(days=MOST_DAYS):
            raise ValidationError(f"Choose a day from tomorrow on, {MOST_DAYS} days from now at most.")
        return until

    def clean_voter_places(self):
        """States alone; a region stands for its states."""
        chosen = self.cleaned_data["voter_places"]
        states = [place for place in chosen if not place.startswith(REGION)]
        for place in chosen:
            states += REGIONS.get(place.removeprefix(REGION), "").split() if place.startswith(REGION) else ()
        return sorted(set(states))

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("may_add") and cleaned.get("kind") not in opening.ADDABLE:
            self.add_error("may_add", opening.CannotBeAddedTo.message)
        return cleaned

    def days(self) -> int:
        typed = self.cleaned_data
        if typed["open_for"] == "date":
            return (typed["until"] - self.today).days
        return int(typed["open_for"])

    def closes_at(self) -> datetime | None:
        """The end of the date chosen."""
        typed = self.cleaned_data
        return end_of_day(typed["until"], self.zone) if typed["open_for"] == "date" else None

    def plan(self) -> opening.Plan:
        typed = self.cleaned_data
        return opening.Plan(
            kind=typed["kind"],
            options=self.texts(),
            days=self.days(),
            closes_at=self.closes_at(),
            prompt=typed.get("prompt", ""),
            shown=typed["shown"],
            may_change=typed["may_change"],
            may_add=typed["may_add"],
            low_label=typed["low_label"],
            high_label=typed["high_label"],
            specialties=tuple(one.pk for one in typed["voter_specialties"]),
            states=tuple(typed["voter_places"]),
            tiers=tuple(typed["voter_tiers"]),
        )

    def field_of_voters(self) -> str | None:
        """Beside which choice it is said that too few may vote."""
        narrowed = [name for name in self.voters_fields if self.cleaned_data.get(name)]
        return narrowed[0] if narrowed else ("audience" if "audience" in self.fields else None)


class OpenPollForm(DiscussionMixin, SubmissionForm, PlanForm):
    """A poll that stands alone, with what the ask form has of a discussion."""

    checked_fields = ("title", "source", "tags", *OPTION_FIELDS, *SCALE_LABELS)

    title = forms.CharField(
        label="What do you ask?",
        help_text="The question alone; the options come below.",
        widget=forms.Textarea(attrs={"class": "title", "rows": 2}),
        **TITLE,
    )
    source = forms.CharField(
        label="Background",
        required=False,
        widget=Composer(attrs={"rows": 5}),
        help_text="What one should know before answering.",
        **TEXT,
    )
    specialties = AskForm.base_fields["specialties"]
    tags = AskForm.base_fields["tags"]
    audience = forms.ChoiceField(
        label="Who may read and discuss",
        choices=Question.ASKED_AUDIENCES,
        help_text="Who of them may vote is chosen below.",
    )
    peers_only = AskForm.base_fields["peers_only"]
    waves = forms.IntegerField(
        required=False,
        min_value=trends.FEWEST_WAVES,
        max_value=trends.MOST_WAVES,
        label="How many months to ask it",
        help_text=f"{trends.FEWEST_WAVES} to {trends.MOST_WAVES}, counting this one. Leave it empty to ask once. "
        "The results are then shown over time.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    clean_title = AskForm.clean_title
    clean_specialties = AskForm.clean_specialties
    clean_tags = AskForm.clean_tags

    def __init__(self, *args, member: Member, **kwargs):
        super().__init__(*args, member=member, **kwargs)
        self.add_byline(member, fixed=False)
        self.fields["peers_only"].initial = member.peers_only
        self.fields["tags"].widget.attrs["list"] = f"{self['tags'].id_for_label}-options"

    def clean(self):
        cleaned = super().clean()
        has_days = not {"open_for", "until"} & self.errors.keys()
        if cleaned.get("waves") and has_days and self.days() > trends.MOST_DAYS:
            self.add_error(
                "until" if cleaned["open_for"] == "date" else "open_for", trends.TooLongForAMonth.message
            )
        return cleaned


class AttachPollForm(PlanForm):
    """A poll inside a discussion, which has its readers, its topics and its byline."""

    checked_fields = ("prompt", *OPTION_FIELDS, *SCALE_LABELS)

    prompt = forms.CharField(
        label="What do you ask?",
        help_text="The question alone; the options come below.",
        widget=forms.Textarea(attrs={"class": "title", "rows": 2}),
        **PROMPT,
    )

    def clean_prompt(self):
        return " ".join(self.cleaned_data["prompt"].split())


class EditPollForm(OptionsMixin):
    """What a poll says, before the first vote."""

    checked_fields = ("prompt", *OPTION_FIELDS, *SCALE_LABELS)

    prompt = forms.CharField(
        label="What it asks", widget=forms.Textarea(attrs={"class": "title", "rows": 2}), **PROMPT
    )
    was = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, poll: Poll, **kwargs):
        self.poll = poll
        own = poll.options.filter(is_added=False).order_by("place").values_list("text", flat=True)
        initial = {
            "prompt": options.asked_by(poll),
            "low_label": poll.low_label,
            "high_label": poll.high_label,
            "was": options.wording_of(poll),
        }
        if poll.kind != Poll.Kind.SCALE:
            initial |= dict(zip(OPTION_FIELDS, own, strict=False))
        super().__init__(*args, initial=initial, **kwargs)
        for name in OPTION_FIELDS if poll.kind == Poll.Kind.SCALE else SCALE_LABELS:
            del self.fields[name]
        if poll.question.kind == Question.Kind.POLL:
            self.fields["prompt"] = forms.CharField(
                label="What it asks", widget=forms.Textarea(attrs={"class": "title", "rows": 2}), **TITLE
            )
            self._check_on_leaving("prompt")

    def kind_typed(self):
        return self.poll.kind

    def clean_prompt(self):
        return " ".join(self.cleaned_data["prompt"].split())

    def start_from(self, poll: Poll):
        """Let the next save win over what stands there now, which the page shows beside the form."""
        self.data = self.data.copy()
        self.data["was"] = options.wording_of(poll)


class AddOptionForm(IdentifierMixin, forms.Form):
    checked_fields = ("text",)

    text = forms.CharField(label="Your own option", max_length=options.LONGEST_OPTION, error_messages=WORDS)


class CorrectForm(IdentifierMixin, forms.Form):
    """Which of the texts of a poll has a typo in it, and how it should read."""

    checked_fields = ("text",)

    what = forms.ChoiceField(label="What has a typo in it?", widget=forms.RadioSelect)
    text = forms.CharField(
        label="How it should read",
        max_length=options.LONGEST_PROMPT,
        help_text=options.ALLOWED,
        error_messages=WORDS,
    )

    def __init__(self, *args, poll: Poll, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = {} if poll.kind == Poll.Kind.SCALE else {str(one.pk): one for one in poll.options.all()}
        choices = [("question", f"What it asks\n{options.asked_by(poll)}")]
        choices += [(key, f"Option {one.place + 1}\n{one.text}") for key, one in self.rows.items()]
        self.fields["what"].choices = choices

    def option(self):
        """The option chosen; none where it is what the poll asks."""
        return self.rows.get(self.cleaned_data["what"])
