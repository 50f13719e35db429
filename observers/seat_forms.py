"""What is typed of seats: whom one is offered to, with which password it is taken, and why it reads."""

from django import forms
from django.contrib.auth.password_validation import validate_password

from accounts.models import User
from observers.models import Purpose, SeatInvitation

ADDRESS = {
    "required": "Write the address the link goes to.",
    "invalid": "Write an address, such as name@firm.com.",
}
CHOOSE = "Choose one of the purposes."
TOO_LONG = "At most %(limit_value)d characters; this has %(show_value)d."


def purposes_of(contract) -> list[tuple[str, str]]:
    """The purposes a contract names, in the order of all."""
    return [(value, label) for value, label in Purpose.choices if value in contract.purposes]


class InviteForm(forms.Form):
    name = forms.CharField(
        max_length=SeatInvitation._meta.get_field("name").max_length,
        help_text="As it stands in your firm's lists. Physicians read the firm, never who sat there.",
        error_messages={"required": "Write who takes the seat.", "max_length": TOO_LONG},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label="E-mail",
        help_text="The link goes there, and with it the log-in.",
        error_messages=ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    purpose = forms.ChoiceField(
        widget=forms.RadioSelect,
        help_text="What reads from this seat are logged with, until its person chooses another.",
        error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE),
    )
    is_admin = forms.BooleanField(label="May give and end seats", required=False)

    def __init__(self, *args, contract, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = purposes_of(contract)
        self.initial.setdefault("purpose", self.fields["purpose"].choices[0][0])


class JoinForm(forms.Form):
    password = forms.CharField(
        strip=False,
        max_length=128,
        help_text="12 characters or more, and none of the common ones.",
        error_messages={"required": "Choose a password.", "max_length": TOO_LONG},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args, email, **kwargs):
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self):
        password = self.cleaned_data["password"]
        validate_password(password, User(email=self.email))
        return password


class PurposeForm(forms.Form):
    purpose = forms.ChoiceField(
        widget=forms.RadioSelect, error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE)
    )

    def __init__(self, *args, contract, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = purposes_of(contract)
