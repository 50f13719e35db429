"""What people typed about themselves, checked."""

import re
import secrets
from typing import ClassVar

from allauth.account.forms import AddEmailForm
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.core import ratelimit
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template.response import TemplateResponse

from accounts import faces, handles
from accounts.identifier_forms import IdentifierMixin
from accounts.languages import LANGUAGES, MOST_LANGUAGES
from accounts.models import Face, Member, Specialty
from accounts.pictures import STOCK, STOCK_PICTURES, field_of, stock_url
from accounts.places import STATES
from accounts.services import members, profiles, sessions
from sermo.errors import RuleBroken

TOO_MANY_ACCOUNTS = "Too many accounts were made from your network today. Try again tomorrow."


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
    shared = forms.BooleanField(label="Others use this device", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        minutes = settings.SHARED_DEVICE_MINUTES
        ends = f"You are logged out after {minutes} minutes in which you do nothing, and when the browser closes."
        self.fields["shared"].help_text = ends

    def clean(self):
        data = super().clean()
        if self.cleaned_data.get("shared"):
            self.cleaned_data["remember"] = False
        return data

    def login(self, request, redirect_url=None):
        """With a second factor still to come, the session is the same one afterwards, and as short."""
        response = super().login(request, redirect_url)
        if self.cleaned_data["shared"]:
            sessions.begin_shared(request.session)
        return response


class ResetPasswordForm(PlainLabels, AllauthResetPasswordForm):
    pass


class ChangeEmailForm(PlainLabels, AddEmailForm):
    words: ClassVar[dict[str, str]] = {"email": "New address"}


class ChangePasswordForm(PlainLabels, AllauthChangePasswordForm):
    words: ClassVar[dict[str, str]] = {
        "oldpassword": "Current password",
        "password1": "New password",
        "password2": "New password, again",
    }


class AddKeyForm(PlainLabels, AddWebAuthnForm):
    words: ClassVar[dict[str, str]] = {"passwordless": "It logs me in alone"}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = "Which phone, computer or key it is, to tell it from others."
        self.fields["passwordless"].help_text = (
            "A passkey: it asks for your finger, face or PIN in place of the password."
            " Without this it is asked for after the password."
        )
        self.fields["passwordless"].initial = True


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
        """A handle lost to somebody quicker comes back as a message beside its field, and no user is made.

        From one network address ten accounts a day are made; what a form got wrong is not counted, and an address
        that has an account is.
        """
        if not ratelimit.consume(request, action="new_account"):
            self.add_error(None, TOO_MANY_ACCOUNTS)
            return None, TemplateResponse(request, "account/signup.html", {"form": self}, status=429)
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


NOT_SAID = ("", "Not said")
LEVELS_HELP_ID = "levels_help"  # on the page, one sentence for all of them


class SeenByForm(forms.Form):
    """Through whose eyes a profile is previewed."""

    seen_by = forms.ChoiceField(
        label="Seen by",
        choices=[
            ("physicians", "Colleague"),
            ("connections", "Connection"),
            ("observer", "Observer"),
            ("visitor", "Visitor"),
        ],
        initial="physicians",
        help_text="Also before you save. A preview changes nothing.",
        widget=forms.RadioSelect(attrs={"class": "segmented"}),
    )

    def eyes(self) -> str:
        return self.cleaned_data["seen_by"] if self.is_bound and self.is_valid() else "physicians"


class ProfileForm(IdentifierMixin, forms.Form):
    """The facts a member chooses to give, and beside each who sees it. A town or a name may be one's own."""

    checked_fields = ("bio", "training")
    stops_only = True

    specialty = forms.ModelChoiceField(
        Specialty.objects.filter(is_choice=True),
        required=False,
        help_text="Stands beside your handle; the reviewer compares it with the registry.",
    )
    subspecialty = forms.ModelChoiceField(Specialty.objects.none(), required=False, empty_label="Not said")
    state = forms.ChoiceField(
        label="State or territory",
        choices=[NOT_SAID, *STATES],
        required=False,
        help_text="For your profile; a partial byline says the region, never the state.",
    )
    years_band = forms.ChoiceField(
        label="Years since graduation",
        choices=[NOT_SAID, *Member.YearsBand.choices],
        required=False,
        help_text="For your profile and a partial byline.",
    )
    languages = forms.MultipleChoiceField(
        label="Languages besides English",
        choices=sorted(LANGUAGES.items(), key=lambda pair: pair[1]),
        required=False,
        help_text=f"In which you can talk with patients or colleagues; up to {MOST_LANGUAGES}.",
        widget=forms.SelectMultiple(attrs={"size": 6, "data-picker": str(MOST_LANGUAGES)}),
    )
    bio = forms.CharField(
        label="About you",
        max_length=500,
        required=False,
        help_text="Up to 500 characters. Nothing that names you or where you work.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    contact_for = forms.MultipleChoiceField(
        label="Contact me for",
        choices=Member.ContactFor.choices,
        required=False,
        help_text="What you are glad to be asked about.",
        widget=forms.CheckboxSelectMultiple,
    )
    school = forms.CharField(
        label="Medical school", max_length=120, required=False, help_text="The one that gave you your degree."
    )
    training = forms.CharField(
        label="Training",
        max_length=200,
        required=False,
        help_text="Residency and fellowship, with the years.",
    )
    publications = forms.CharField(
        required=False,
        max_length=400,
        help_text="PMIDs, one per line or with commas between; up to 20. They become links to PubMed.",
        widget=forms.Textarea(attrs={"rows": 3, "inputmode": "numeric"}),
    )

    def __init__(self, *args, member: Member, **kwargs):
        kwargs["initial"] = _as_typed(member)
        super().__init__(*args, **kwargs)
        self.member = member
        if not member.is_applicant:
            del self.fields["specialty"]  # it opens discussions and stands beside the mark, so it is verified
        self._offer_subspecialties()
        for name in profiles.LEVELED:
            label = self.fields[name].label if name in self.fields else ""
            self.fields[f"see_{name}"] = forms.ChoiceField(
                label=f"Who sees “{label or name.capitalize()}”",
                choices=Member.Audience.choices,
                widget=forms.Select(attrs={"aria-describedby": LEVELS_HELP_ID}),
            )

    def _offer_subspecialties(self):
        specialty, field = self._specialty(), self.fields["subspecialty"]
        field.queryset = profiles.subspecialties_of(specialty)
        field.help_text = (
            f"Of {specialty.group}." if specialty else "Offered here once your specialty is saved."
        )
        field.error_messages["invalid_choice"] = profiles.OtherSpecialty.message

    def _specialty(self):
        """The specialty typed, where it can be, else the stored one. A NUL no column could hold."""
        typed = self.data.get("specialty") if "specialty" in self.fields else None
        if typed and "\0" in typed:
            typed = None
        return Specialty.objects.filter(pk=typed, is_choice=True).first() if typed else self.member.specialty

    def clean_languages(self):
        return _checked(profiles.check_languages, self.cleaned_data["languages"])

    def clean_publications(self):
        typed = re.sub(r"(?i)pmid:?", " ", self.cleaned_data["publications"])
        return _checked(
            profiles.check_publications, [number for number in re.split(r"[\s,;]+", typed) if number]
        )

    def clean_bio(self):
        return self.cleaned_data["bio"].strip()

    def handle_rows(self):
        return self._rows(faces.HANDLE_FIELDS)

    def name_rows(self):
        return self._rows(faces.NAME_FIELDS)

    def _rows(self, names):
        return [(self[name], self[f"see_{name}"]) for name in names]

    def facts(self) -> dict:
        """The keyword arguments of the service."""
        data = self.cleaned_data
        chosen = {name: data[name] for name in ("specialty", *profiles.FIELDS) if name in data}
        return {"visibility": {name: data[f"see_{name}"] for name in profiles.LEVELED}, **chosen}


def _as_typed(member: Member) -> dict:
    """A member's profile as the form shows it at first."""
    typed = {name: getattr(member, name) for name in profiles.FIELDS}
    typed |= {"specialty": member.specialty_id, "subspecialty": member.subspecialty_id}
    typed["publications"] = "\n".join(member.publications)
    return typed | {f"see_{name}": faces.visibility_of(member, name) for name in profiles.LEVELED}


def _checked(check, value):
    try:
        return check(value)
    except RuleBroken as refusal:
        raise ValidationError(str(refusal)) from refusal


class StockPictureForm(forms.Form):
    """One of the drawings. Its fields carry the face in their ids, since two such forms stand on a page."""

    picture = forms.ChoiceField(
        label="Drawn pictures",
        choices=list(STOCK_PICTURES.items()),
        help_text="Many colleagues have the same ones, so none says who you are.",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one of the pictures."},
    )

    def __init__(self, *args, face: str, member: Member, **kwargs):
        chosen = getattr(member, field_of(face))
        initial = {"picture": chosen.removeprefix(STOCK)} if chosen.startswith(STOCK) else {}
        super().__init__(*args, initial=initial, auto_id=f"id_{face}_%s", **kwargs)

    def drawings(self) -> list[dict]:
        """The choices with what is drawn of each: its control, the control's id, its name and where it lies."""
        return [
            {
                "tag": choice.tag(),
                "id": choice.id_for_label,
                "label": choice.choice_label,
                "url": stock_url(choice.data["value"]),
            }
            for choice in self["picture"].subwidgets
        ]


class PictureForm(forms.Form):
    file = forms.FileField(
        label="Your own picture",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        error_messages={"required": "Choose a file.", "empty": "This file is empty."},
    )
    help_texts: ClassVar[dict[str, str]] = {
        Face.HANDLE: "No picture of yourself, of your place or your work: whoever knows you could tell who writes.",
        Face.NAME: "None that ever stood beside your handle: whoever saw it there could tell who writes.",
    }

    def __init__(self, *args, face: str, **kwargs):
        super().__init__(*args, auto_id=f"id_{face}_%s", **kwargs)
        limits = "JPEG, PNG or WebP, at most 15 MB. The middle is cut out as a square."
        self.fields["file"].help_text = f"{self.help_texts[face]} {limits}"
