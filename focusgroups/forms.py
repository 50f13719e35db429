"""What participants say in a room, checked."""

from django import forms

from accounts.identifier_forms import IdentifierMixin
from focusgroups.models import Prompt
from focusgroups.models.words import LONGEST
from focusgroups.services import answering
from questions.forms import TOO_LONG, SubmissionForm
from sermo.errors import RuleBroken

LONGEST_LINE = 1_000  # of a live hour
WORDS = {"required": answering.NothingSaid.message, "max_length": TOO_LONG}
PRIVATE = "For the moderators alone"


def _words(label: str, rows: int = 4, **more) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=more.pop("max_length", LONGEST),
        error_messages={**WORDS, **more.pop("error_messages", {})},
        widget=forms.Textarea(attrs={"rows": rows, "class": "short"}),
        **more,
    )


class AnswerFields(forms.Form):
    """What a prompt asks for; of a ranking each option asks for its place."""

    is_private = forms.BooleanField(required=False, label=PRIVATE)

    def __init__(self, *args, prompt: Prompt, **kwargs):
        super().__init__(*args, auto_id=f"id_{prompt.pk}_%s", **kwargs)
        self.prompt = prompt
        if prompt.is_private:
            del self.fields["is_private"]
        if prompt.kind == Prompt.Kind.OPEN:
            self.fields["source"] = _words("Your answer")
        elif prompt.asks_why:
            required = {"required": answering.ReasonMissing.message}
            self.fields["source"] = _words("Why?", rows=2, error_messages=required)
        self._add_choice(prompt)

    def _add_choice(self, prompt: Prompt):
        options = [(str(option.pk), option.text) for option in prompt.shown_options]
        if prompt.kind == Prompt.Kind.SINGLE:
            self.fields["chosen"] = forms.ChoiceField(
                label="Your choice", required=False, choices=options, widget=forms.RadioSelect
            )
        elif prompt.kind == Prompt.Kind.MULTIPLE:
            self.fields["chosen"] = forms.MultipleChoiceField(
                label="Your choices", required=False, choices=options, widget=forms.CheckboxSelectMultiple
            )
        elif prompt.kind == Prompt.Kind.SCALE:
            points = [(str(point), str(point)) for point in range(1, prompt.points + 1)]
            self.fields["points"] = forms.TypedChoiceField(
                label="Your rating",
                required=False,
                choices=points,
                coerce=int,
                empty_value=None,
                widget=forms.RadioSelect,
            )
        elif prompt.kind == Prompt.Kind.RANKED:
            places = [("", "–"), *((str(place), str(place)) for place in range(1, len(options) + 1))]
            for key, text in options:
                self.fields[f"rank-{key}"] = forms.ChoiceField(label=text, required=False, choices=places)


class AnswerForm(IdentifierMixin, AnswerFields):
    """An answer to a prompt of any kind, which knows its `shown_options`."""

    @property
    def ranks(self):
        return [self[name] for name in self.fields if name.startswith("rank-")]

    @property
    def choice(self):
        """The field that is chosen in; of a ranking there are several."""
        name = "points" if self.prompt.kind == Prompt.Kind.SCALE else "chosen"
        return self[name] if name in self.fields else None

    def clean(self):
        cleaned = super().clean()
        try:
            answering.check_choice(self.prompt, self._chosen(), cleaned.get("points"))
        except RuleBroken as refusal:
            self.add_error(self.choice.name if self.choice else None, str(refusal))
        return cleaned

    def said(self) -> dict:
        """The keyword arguments of the service."""
        typed = self.cleaned_data
        return {
            "source": typed.get("source", ""),
            "chosen": self._chosen(),
            "points": typed.get("points"),
            "is_private": typed.get("is_private", False),
        }

    def _chosen(self) -> list[int]:
        typed = self.cleaned_data
        if self.prompt.kind == Prompt.Kind.RANKED:
            places = {
                int(name[5:]): typed[name] for name in typed if name.startswith("rank-") and typed[name]
            }
            return sorted(places, key=lambda key: int(places[key])) if _are_different(places) else []
        chosen = typed.get("chosen") or []
        return [int(one) for one in ([chosen] if isinstance(chosen, str) else chosen)]


def _are_different(places: dict[int, str]) -> bool:
    return len(set(places.values())) == len(places)


class EditForm(IdentifierMixin, forms.Form):
    """The words of one's own answer."""

    source = _words("Your answer", rows=6)


class ReplyForm(IdentifierMixin, SubmissionForm):
    source = _words("Your reply", rows=5)


class NoteForm(IdentifierMixin, SubmissionForm):
    source = _words("Your note", rows=5)


class LineForm(IdentifierMixin, SubmissionForm):
    """A line of a live hour."""

    source = _words("Say something", rows=2, max_length=LONGEST_LINE)
