"""What members typed, checked."""

import uuid

from django import forms
from django.core.exceptions import ValidationError

from accounts.identifier_forms import IdentifierMixin
from accounts.models import Member, Specialty
from questions.models import Question, Vote
from questions.services import bylines
from questions.services.writing import MOST_TAGS

TOO_SHORT = "Write at least %(limit_value)d characters; this has %(show_value)d."
TOO_LONG = "At most %(limit_value)d characters; this has %(show_value)d."
WORDS = {"required": "Write something here.", "min_length": TOO_SHORT, "max_length": TOO_LONG}
TITLE = {"min_length": 12, "max_length": 140, "error_messages": WORDS}
TEXT = {"min_length": 10, "max_length": 20_000, "strip": True, "error_messages": WORDS}
COMMENT = {"min_length": 2, "max_length": 3_000, "strip": True, "error_messages": WORDS}
MOST_SPECIALTIES = 3
LASTING = "This cannot be undone once colleagues write below."  # of peers only


class Composer(forms.Textarea):
    """A text in Markdown; drawn with tools, preview and draft."""


class SubmissionForm(forms.Form):
    """A form that may be sent twice and counts once: it carries an id of its own."""

    submission = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["submission"].initial = uuid.uuid4


class BylineMixin:
    """Adds the choice of byline, where it is not fixed by an earlier post in the same discussion."""

    def add_byline(self, member: Member, fixed: bool, among_few: bool = False):
        if fixed:
            return
        choices = bylines.choices_for(member, among_few=among_few)
        self.fields["byline"] = forms.ChoiceField(
            label="Shown as", choices=choices, initial=member.byline_mode
        )
        self.fields["byline_confirmed"] = forms.BooleanField(
            label="Yes, show more of me here than my profile does", required=False
        )

    def byline_chosen(self) -> dict:
        """The keyword arguments of a service."""
        return {
            "byline": self.cleaned_data.get("byline"),
            "byline_confirmed": self.cleaned_data.get("byline_confirmed", False),
        }


class DiscussionMixin(BylineMixin):
    """What every form says that opens a discussion."""

    def discussion_chosen(self) -> dict:
        """The keyword arguments of a service that are the same for all kinds of discussions."""
        names = ("title", "source", "specialties", "tags", "audience", "peers_only", "submission")
        return {**{name: self.cleaned_data[name] for name in names}, **self.byline_chosen()}


class AskForm(IdentifierMixin, DiscussionMixin, SubmissionForm):
    checked_fields = ("title", "source", "tags")

    kind = forms.ChoiceField(
        label="What is it?",
        choices=[(kind.value, kind.label) for kind in Question.ASKED_KINDS],
        initial=Question.Kind.QUESTION,
        widget=forms.RadioSelect(attrs={"class": "segmented"}),
    )
    title = forms.CharField(
        **TITLE,
        help_text="The question itself, as you would ask it in the corridor.",
        widget=forms.Textarea(attrs={"class": "title", "rows": 2}),
    )
    source = forms.CharField(
        label="Details",
        widget=Composer(attrs={"rows": 10}),
        help_text="Age by decade, time by season, place by kind of hospital. Write what changes the decision.",
        **TEXT,
    )
    specialties = forms.ModelMultipleChoiceField(
        Specialty.objects.filter(is_choice=True),
        help_text="One to three, the closest first.",
        error_messages={"required": "Choose one to three specialties."},
        widget=forms.SelectMultiple(attrs={"size": 6, "data-picker": "3"}),
    )
    tags = forms.CharField(
        required=False,
        max_length=200,
        help_text=f"Up to {MOST_TAGS}, with commas between: anticoagulation, dialysis",
    )
    urgency = forms.ChoiceField(
        label="How soon do you need it?",
        choices=[("days", "In days"), ("today", "Today\nMarks it for two days and lifts it in the list.")],
        initial="days",
        widget=forms.RadioSelect,
    )
    audience = forms.ChoiceField(label="Who may read and answer", choices=Question.ASKED_AUDIENCES)
    peers_only = forms.BooleanField(
        required=False, label=f"Peers only\nObserver firms never see it, not even in search. {LASTING}"
    )

    def __init__(self, *args, member: Member, **kwargs):
        super().__init__(*args, **kwargs)
        self.add_byline(member, fixed=False)
        self.fields["peers_only"].initial = member.peers_only

    def clean_title(self):
        return " ".join(self.cleaned_data["title"].split())

    def clean_specialties(self):
        chosen = list(self.cleaned_data["specialties"])
        if len(chosen) > MOST_SPECIALTIES:
            raise ValidationError(f"Choose at most three; {len(chosen)} are chosen.")
        typed = self.data.getlist("specialties") if hasattr(self.data, "getlist") else []
        return sorted(chosen, key=lambda one: typed.index(one.pk) if one.pk in typed else 0)

    def clean_tags(self):
        names = [
            name.strip() for name in self.cleaned_data["tags"].replace(";", ",").split(",") if name.strip()
        ]
        if len(names) > MOST_TAGS:
            raise ValidationError(f"At most {MOST_TAGS} tags; there are {len(names)}.")
        for name in names:
            if len(name) > 40:
                raise ValidationError(
                    f"“{name[:20]}…” is longer than 40 characters. Tags have commas between them."
                )
        return names


class WithinMixin(BylineMixin):
    """What every form says by which something is written within a discussion: under which name, and whether firms may
    read it.

    Where they read none of it anyway, that is not asked, and the form carries that it was not: the discussion may be
    given to firms while somebody writes in it.
    """

    peers_only_help = f"Observer firms do not read it. {LASTING}"

    def add_peers_only(self, member: Member, among_peers: bool):
        name = "among_peers" if among_peers else "peers_only"
        if among_peers:
            field = forms.BooleanField(required=False, initial=True, widget=forms.HiddenInput)
        else:
            label = f"Peers only\n{self.peers_only_help}"
            field = forms.BooleanField(required=False, initial=member.peers_only, label=label)
        self.fields[name] = field
        if self.is_bound and (among_peers or self.data.get("among_peers")):
            self.data = self.data.copy()
            self.data[name] = "on"
        elif self.initial.get("among_peers"):  # a draft that was typed there
            self.initial = {**self.initial, name: True}

    def way_chosen(self) -> dict:
        """The keyword arguments of a service that say who sees what of it."""
        return {
            **self.byline_chosen(),
            "peers_only": self.cleaned_data.get("peers_only"),
            "among_peers": self.cleaned_data.get("among_peers", False),
        }


class WithinForm(IdentifierMixin, WithinMixin, SubmissionForm):
    def __init__(
        self, *args, member: Member, fixed_byline: bool, among_few=False, among_peers=False, **kwargs
    ):
        super().__init__(*args, **kwargs)
        self.add_byline(member, fixed_byline, among_few)
        self.add_peers_only(member, among_peers)


class AnswerForm(WithinForm):
    source = forms.CharField(label="Your answer", widget=Composer(attrs={"rows": 6}), **TEXT)


class CommentForm(WithinForm):
    peers_only_help = "Observer firms do not read it."

    source = forms.CharField(label="Your comment", widget=forms.Textarea(attrs={"rows": 3}), **COMMENT)


class EditForm(IdentifierMixin, forms.Form):
    checked_fields = ("title", "source")

    title = forms.CharField(widget=forms.Textarea(attrs={"class": "title", "rows": 2}), **TITLE)
    source = forms.CharField(label="Text", widget=Composer(attrs={"rows": 12}), **TEXT)
    was = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    was_title = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, post, **kwargs):
        initial = {"title": post.question.title, "source": post.source, "was": post.source}
        initial["was_title"] = post.question.title
        super().__init__(*args, initial=initial, **kwargs)
        is_poll = post.question.kind == Question.Kind.POLL and post.kind == post.Kind.OPENING
        if post.kind != post.Kind.OPENING or is_poll:
            del self.fields["title"], self.fields["was_title"]
        if is_poll:  # its title is what people vote on, see polls.services.options; the rest is background
            self.fields["source"].required = False
        if post.kind == post.Kind.COMMENT:
            self.fields["source"] = forms.CharField(
                label="Text", widget=forms.Textarea(attrs={"rows": 4}), **COMMENT
            )
            self._check_on_leaving("source")


class VoteForm(IdentifierMixin, forms.Form):
    """Zero withdraws. A sentence to a verdict is short: what must go is named in the refusal, and goes."""

    checked_fields = ("explanation",)
    stops_only = True

    value = forms.TypedChoiceField(coerce=int, choices=[(1, "Corroborate"), (-1, "Dispute"), (0, "Withdraw")])
    reason = forms.ChoiceField(choices=Vote.Reason.choices, required=False)
    explanation = forms.CharField(max_length=500, required=False, strip=True)


class ImportanceForm(forms.Form):
    value = forms.TypedChoiceField(coerce=int, choices=[(number, number) for number in range(1, 6)])


class SolveForm(IdentifierMixin, forms.Form):
    checked_fields = ("outcome",)

    answers = forms.ModelMultipleChoiceField(
        queryset=None, required=False, label="Answers that solved it", widget=forms.CheckboxSelectMultiple
    )
    outcome = forms.CharField(
        max_length=500,
        required=False,
        label="What happened",
        help_text="A sentence for those who come later. Needed if it was solved elsewhere.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, answers, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["answers"].queryset = answers


class BoardForm(forms.Form):
    """Which leaderboard to show. It is sent by GET; what is not offered has no board."""

    specialty = forms.ChoiceField(
        required=False, help_text="As handles show it. A specialty with few active members has no board."
    )
    month = forms.ChoiceField(
        label="Period", required=False, help_text="All time counts faded points; a month, those of its deeds."
    )

    def __init__(self, *args, specialties, chosen, months, **kwargs):
        super().__init__(*args, **kwargs)
        offered = {specialty.slug: specialty.name for specialty in specialties}
        if chosen:
            offered.setdefault(chosen.slug, chosen.name)
        self.fields["specialty"].choices = [("", "Every specialty"), *offered.items()]
        self.fields["month"].choices = [
            ("", "All time"),
            *((f"{month:%Y-%m}", f"{month:%B %Y}") for month in months),
        ]
