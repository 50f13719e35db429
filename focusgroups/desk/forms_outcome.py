"""What is asked before a file leaves a room, and when a copy turned up."""

from django import forms

from focusgroups.desk.forms import text_field
from focusgroups.models import RoomExport

KINDS = {
    "transcript": "Transcript\nAll that was said, in the order of the guide. A text file.",
    "answers": "Answers\nA row for each answer: question, alias, cell, choice, points, text, codes. CSV.",
    "quotes": "Quotes\nWord for word with the speaker's yes, else your paraphrase, marked. CSV.",
    "figures": "Participants\nHow much each took part, by alias. For moderators alone. CSV.",
}
VERSIONS = {
    "moderators": "For moderators\nWith private answers and notes. It stays with those who run the room.",
    "sponsor": "For the sponsor\nWithout anything that went to moderators alone.",
}
CHOOSE = "Choose one of them."


class ExportForm(forms.Form):
    kind = forms.ChoiceField(
        label="What is in it",
        choices=list(KINDS.items()),
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
        error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE),
    )
    version = forms.ChoiceField(
        label="For whom",
        choices=list(VERSIONS.items()),
        initial="moderators",
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
        error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE),
    )
    reason = text_field(
        "What it is for",
        300,
        required="Say what the file is for.",
        rows=2,
        help_text="It stands in the file, beside the list of files, and in the audit trail.",
    )

    def clean_reason(self):
        return " ".join(self.cleaned_data["reason"].split())

    def asked(self) -> dict:
        said = self.cleaned_data
        return {
            "kind": RoomExport.Kind(said["kind"]),
            "for_sponsor": said["version"] == "sponsor",
            "reason": said["reason"],
        }


class TraceForm(forms.Form):
    text = text_field(
        "What was found",
        20_000,
        required="Write what was found, or paste it.",
        rows=4,
        help_text="A mark such as HOW-12-7F21, the four words of a file, or a text that holds them.",
    )
