"""What somebody types to leave."""

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import User


class LeaveForm(forms.Form):
    """One's own handle, or the e-mail address of an account that has none: nobody leaves by a slip."""

    handle = forms.CharField(
        label="Your handle",
        max_length=254,
        help_text="Type it as it stands above the posts you wrote.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, **kwargs)
        member = user.as_member
        self.expected = member.handle if member else user.email
        if member is None:
            self.fields["handle"].label = "Your e-mail address"
            self.fields["handle"].help_text = "Type the address you log in with."

    def clean_handle(self):
        if self.cleaned_data["handle"].strip().lower() != self.expected.lower():
            raise ValidationError(f"That is not {self.fields['handle'].label.lower()}.")
        return self.expected
