"""What people typed about themselves, checked."""

import secrets
from typing import ClassVar

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template.response import TemplateResponse

from accounts import handles
from accounts.models import Member, Specialty
from accounts.services import members


def clean_free_handle(handle: str, member: Member | None = None) -> str:
    handle = handles.check(handle)
    if not members.is_free(handle, member=member):
        raise ValidationError(members.HandleTaken.message)
    return handle


class PlainLabels:
    """Our words as labels, and no placeholders in their stead."""

    words: ClassVar[dict[str, str]] = {
        "email": "E-mail",
        "login": "E-mail",
        "remember": "Stay logged in on this device",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.words.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)


class LoginForm(PlainLabels, AllauthLoginForm):
    pass


class ResetPasswordForm(PlainLabels, AllauthResetPasswordForm):
    pass


class SignupForm(PlainLabels, AllauthSignupForm):
    """E-mail, password and a handle; what is proved of a physician comes after."""

    field_order = ["email", "handle", "password1"]

    handle = forms.CharField(
        max_length=handles.LONGEST,
        help_text=handles.HELP,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "nickname",
                "autocapitalize": "none",
                "spellcheck": "false",
                "data-preview": "handle",
            }
        ),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = "Only for logging in and for notices. Colleagues never see it."

    def clean_handle(self):
        return clean_free_handle(self.cleaned_data["handle"])

    def try_save(self, request):
        """A handle lost to somebody quicker comes back as a message beside its field, and no user is made."""
        try:
            if self.account_already_exists:
                make_password(secrets.token_urlsafe())  # the time it takes to make an account
                members.hold_handle(handle=self.cleaned_data["handle"])
            return super().try_save(request)
        except members.HandleTaken as refusal:
            self.add_error("handle", str(refusal))
            return None, TemplateResponse(request, "account/signup.html", {"form": self})

    @transaction.atomic
    def save(self, request):
        user = super().save(request)
        if user is not None:
            members.create_member(user=user, handle=self.cleaned_data["handle"])
        return user


class HandleForm(forms.Form):
    handle = forms.CharField(max_length=handles.LONGEST, help_text=handles.HELP)

    def __init__(self, *args, member: Member, **kwargs):
        super().__init__(*args, initial={"handle": member.handle}, **kwargs)
        self.member = member

    def clean_handle(self):
        return clean_free_handle(self.cleaned_data["handle"], self.member)


class ProfileForm(forms.ModelForm):
    """The facts a member chooses to give; which of them a post shows is the byline's matter."""

    specialty = forms.ModelChoiceField(Specialty.objects.filter(is_choice=True), required=False)

    class Meta:
        model = Member
        fields = ["specialty", "state", "years_band", "bio"]
        widgets = {"bio": forms.Textarea(attrs={"rows": 3})}
        labels = {"state": "State or territory", "bio": "About you"}
        help_texts = {
            "specialty": "Stands beside your handle; the reviewer compares it with the registry.",
            "state": "A partial byline shows the region, never the state.",
            "years_band": "A partial byline shows it.",
            "bio": "On your handle's page, for physicians. Nothing that names you.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance.is_applicant:
            del self.fields["specialty"]  # it opens discussions and stands beside the mark, so it is verified

    def facts(self) -> dict:
        """The keyword arguments of the service."""
        return {"specialty": None, **self.cleaned_data}
