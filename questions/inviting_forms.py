"""What an asker types to ask colleagues into a private consult, checked."""

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Member
from questions.models.invitations import MOST_INVITED
from questions.services import inviting
from sermo.errors import RuleBroken

LONGEST = 400  # characters: ten handles with what is between them


def handles_field(**more) -> forms.CharField:
    box = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})
    return forms.CharField(label="Colleagues, by handle", max_length=LONGEST, widget=box, **more)


def clean_handles(typed: str, *, by: Member) -> list[Member]:
    """The colleagues named. Raises ValidationError with the words of the service."""
    try:
        return inviting.members_named(inviting.handles_in(typed), by=by)
    except RuleBroken as refusal:
        raise ValidationError(str(refusal)) from refusal


class InviteForm(forms.Form):
    handles = handles_field(
        help_text=f"With spaces or commas between them, {MOST_INVITED} in all.",
        error_messages={"required": inviting.NobodyNamed.message},
    )

    def __init__(self, *args, by: Member, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = by

    def clean_handles(self) -> list[Member]:
        return clean_handles(self.cleaned_data["handles"], by=self.by)
