"""What an asker types to ask colleagues into a private consult, checked."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower

from accounts.models import Member
from questions.models.invitations import MOST_INVITED
from questions.services import inviting
from sermo.errors import RuleBroken

LONGEST = 400  # characters: ten handles with what is between them


def handles_field(**more) -> forms.CharField:
    box = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})
    return forms.CharField(label="Colleagues, by handle", max_length=LONGEST, widget=box, **more)


def clean_handles(typed: str, *, by: Member) -> list[Member]:
    """The colleagues named. Raises ValidationError, with the words of the service where they are not plainer here."""
    handles = inviting.handles_in(typed)
    if by.handle.lower() in (handle.lower() for handle in handles):
        raise ValidationError("You cannot invite yourself.")
    try:
        return inviting.members_named(handles, by=by)
    except inviting.CannotBeInvited as refusal:
        raise ValidationError(_all_missing(handles, by) or str(refusal)) from refusal
    except RuleBroken as refusal:
        raise ValidationError(str(refusal)) from refusal


def _all_missing(handles: list[str], by: Member) -> str:
    """The words where several of them cannot be invited, again the same for every reason."""
    rows = inviting.invitable(by).annotate(lowered=Lower("handle"))
    known = set(
        rows.filter(lowered__in=[handle.lower() for handle in handles]).values_list("lowered", flat=True)
    )
    missing = [handle for handle in handles if handle.lower() not in known]
    return f"No colleague with these handles can be invited: {', '.join(missing)}." if missing[1:] else ""


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
