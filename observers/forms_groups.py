"""What watchers of a focus group write to its moderators, checked."""

from django import forms

from observers.forms_industry import NamesNobodyMixin
from observers.models.rooms import LONGEST_NOTE
from questions.forms import TOO_LONG, SubmissionForm


class NoteForm(NamesNobodyMixin, SubmissionForm):
    """A note about one of the prompts that are open, or about anything. Prompts go by their places."""

    checked_fields = ("text",)

    about = forms.ChoiceField(
        label="About",
        required=False,
        error_messages={"invalid_choice": "Choose one of the questions that are open."},
    )
    text = forms.CharField(
        label="Your note",
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Moderators alone read it, with the number of your seat. Whether they take it up is theirs to say.",
        error_messages={"required": "Write what the moderators should know.", "max_length": TOO_LONG},
    )

    def __init__(self, *args, parts, **more):
        super().__init__(*args, **more)
        self.prompts = {
            f"{part.section.place + 1}.{asked.prompt.place + 1}": asked.prompt
            for part in parts
            for asked in part.asked
        }
        named = [(place, f"{place} {_short(prompt.text)}") for place, prompt in self.prompts.items()]
        self.fields["about"].choices = [("", "The group as a whole"), *named]

    @property
    def prompt(self):
        return self.prompts.get(self.cleaned_data["about"])


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
