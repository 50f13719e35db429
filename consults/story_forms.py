"""What the author of a story types, and what a moderator decides about it, checked."""

from django import forms
from django.utils.dateparse import parse_datetime

from accounts.identifier_forms import IdentifierMixin
from consults.models import Story
from consults.services import stories
from questions.forms import WORDS, Composer
from questions.forms_moderation import CHOOSE
from questions.rarity_forms import RarityMixin

PUBLISH, RETURN = "publish", "return"


class StoryForm(IdentifierMixin, RarityMixin, forms.Form):
    """Looked at twice: for identifiers, and for what is rare together."""

    checked_fields = ("title", "source")

    title = forms.CharField(
        min_length=12,
        max_length=Story._meta.get_field("title").max_length,
        error_messages=WORDS,
        help_text="In words that anybody understands.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    source = forms.CharField(
        label="The story",
        min_length=stories.SHORTEST,
        max_length=stories.LONGEST,
        error_messages=WORDS,
        help_text="What was asked, what colleagues saw in it, how it ended. No names, no places, no dates, no links.",
        widget=Composer(attrs={"rows": 12}),
    )

    def rarity_seen(self) -> str:
        """What was confirmed of rare details."""
        return self.data.get("rarity_seen", "")


class ReviewStoryForm(IdentifierMixin, forms.Form):
    """`seen` is when what the page shows had been written."""

    checked_fields = ("words",)

    decision = forms.ChoiceField(label="Decision", widget=forms.RadioSelect, error_messages=CHOOSE)
    words = forms.CharField(
        label="What its author is told",
        required=False,
        max_length=Story._meta.get_field("answer").max_length,
        help_text="Needed to send it back.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, story: Story, **kwargs):
        super().__init__(*args, initial={"seen": story.written_at.isoformat()}, **kwargs)
        published = (
            [] if story.state == Story.State.TOLD else [(PUBLISH, "Publish\nEverybody reads it at once.")]
        )
        back = (RETURN, "Send back\nNobody reads it until its author has mended it and sent it again.")
        self.fields["decision"].choices = [*published, back]

    def clean_seen(self):
        try:
            return parse_datetime(self.cleaned_data["seen"])
        except ValueError:
            return None

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("decision") == RETURN and not cleaned.get("words"):
            self.add_error("words", stories.WordsMissing.message)
        return cleaned
