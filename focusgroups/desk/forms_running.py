"""What moderators type while a room runs: questions, replies, reasons, codes and quotes."""

from django import forms
from django.core.exceptions import ValidationError

from focusgroups.desk.forms import text_field
from focusgroups.models import Participant, Prompt, Room
from focusgroups.models.words import LONGEST
from focusgroups.services import coding, quoting
from focusgroups.stream import STATES, Filter
from questions.forms import SubmissionForm
from sermo.identifiers import STOP, check

LONGEST_LINE = 1_000  # of a live hour
UNKNOWN = {"invalid_choice": "Choose one of those shown."}


class NamesNobodyMixin:
    """What the room reads names no patient: it is sent back until that is left out."""

    checked_fields: tuple[str, ...] = ("source",)

    def clean(self):
        cleaned = super().clean()
        for name in self.checked_fields:
            found = {one.words for one in check(cleaned.get(name) or "") if one.level == STOP}
            if found:
                words = ", ".join(f"“{each}”" for each in sorted(found))
                self.add_error(name, ValidationError(f"Leave out {words}: it may identify a patient."))
        return cleaned


# Filters


class FilterForm(forms.Form):
    """What of the stream is shown; an address with what is not of the room shows all."""

    names = ("section", "prompt", "participant", "cell", "code", "state")

    def __init__(self, data, *, room: Room):
        super().__init__(data, auto_id="filter_%s")
        sections = list(room.sections.order_by("place"))
        prompts = Prompt.objects.filter(section__room=room).select_related("section")
        self._add("section", "Section", [(one.pk, one.title) for one in sections])
        self._add("prompt", "Prompt", prompt_choices(prompts))
        people = list(room.participants.select_related("cell").order_by("alias"))
        self._add("participant", "Participant", [(one.pk, one.alias) for one in people])
        self._add("cell", "Quota cell", [(cell.pk, cell.name) for cell in room.cells.all()])
        self._add("code", "Code", [(code.pk, code.name) for code in room.codes.all()])
        self._add("state", "Only", list(STATES.items()), coerce=str)

    def _add(self, name: str, label: str, choices: list, coerce=int) -> None:
        self.fields[name] = forms.TypedChoiceField(
            label=label,
            required=False,
            choices=[("", "All"), *choices],
            coerce=coerce,
            empty_value="",
            error_messages=UNKNOWN,
        )

    def wanted(self) -> Filter:
        self.is_valid()
        return Filter(**{name: value for name, value in self.cleaned_data.items() if value})

    def chosen(self) -> list[tuple[str, str, str]]:
        """What narrows the stream: the name of a field, its label and the words chosen."""
        self.is_valid()
        chosen = []
        for name in self.names:
            if value := self.cleaned_data.get(name):
                words = next(words for each, words in _flat(self.fields[name].choices) if each == value)
                chosen.append((name, self.fields[name].label, words))
        return chosen


def prompt_choices(prompts) -> list:
    """Prompts under the titles of their sections."""
    grouped: dict[str, list] = {}
    for prompt in prompts.order_by("section__place", "place"):
        grouped.setdefault(prompt.section.title, []).append((prompt.pk, short(prompt.text)))
    return list(grouped.items())


def short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79].rsplit(' ', 1)[0]}…"


def _flat(choices):
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield value, label


# Saying something


class AskForm(NamesNobodyMixin, SubmissionForm):
    """A question of one's own, about a prompt or anything, to one participant or all."""

    about = forms.ChoiceField(label="About", required=False, error_messages=UNKNOWN)
    to = forms.ChoiceField(label="To", required=False, error_messages=UNKNOWN)
    source = text_field("Your question", LONGEST, required="Write the question.", rows=4)

    def __init__(self, data=None, *, room: Room, **more):
        super().__init__(data, **more)
        released = Prompt.objects.filter(section__in=room.sections.released()).select_related("section")
        self.fields["about"].choices = [("", "The group as a whole"), *prompt_choices(released)]
        people = Participant.objects.seated().filter(room=room).order_by("alias")
        self.fields["to"].choices = [
            ("", "Everyone"),
            *((str(one.pk), f"{one.alias} alone") for one in people),
        ]


class AskAboutForm(NamesNobodyMixin, SubmissionForm):
    """A question about what somebody said: to them alone, or to all."""

    source = text_field("Your question", LONGEST, required="Write the question.", rows=3)
    to_all = forms.BooleanField(label="Ask everyone, not this participant alone", required=False)

    def __init__(self, data=None, *, only_alone=False, **more):
        super().__init__(data, **more)
        if only_alone:
            del self.fields["to_all"]


class ReplyForm(NamesNobodyMixin, SubmissionForm):
    source = text_field("Your reply", LONGEST, required="Write a reply.", rows=3)


class LineForm(NamesNobodyMixin, SubmissionForm):
    source = text_field("Say something", LONGEST_LINE, required="Write something here.", rows=2)


# What becomes of what was said


class HideForm(forms.Form):
    reason = text_field(
        "Why it is hidden",
        300,
        required="Say why. Whoever wrote it reads the reason.",
        help_text="Whoever wrote it reads this; the others read that it was hidden.",
    )


class CodeForm(forms.Form):
    code = text_field("Code", coding.LONGEST, required="Write a code, such as “safety”.")

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["code"].widget.attrs.update({"list": "codes", "autocomplete": "off", "class": "date"})


class QuoteForm(NamesNobodyMixin, forms.Form):
    """Words to be quoted, and what stands for them without a yes."""

    checked_fields = ("text", "paraphrase")

    text = text_field(
        "Their words",
        quoting.LONGEST_TEXT,
        required="Write the words to be quoted.",
        rows=3,
        help_text="Exactly as they stand; leave off what is not needed.",
    )
    paraphrase = text_field(
        "In your words",
        quoting.LONGEST_PARAPHRASE,
        required="Write the same in words of your own.",
        rows=2,
        help_text="It stands for the quote without their yes in seven days.",
    )


class RemoveForm(forms.Form):
    reason = text_field(
        "Reason",
        300,
        required="Say why, in words for the participant.",
        rows=3,
        help_text="The participant reads it.",
    )
