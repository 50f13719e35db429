"""What applicants, vouchers and reviewers type, checked."""

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy

from accounts.models import Member, Specialty
from accounts.places import STATES
from verification import licenses, rules
from verification import npi as npis
from verification.models import Decision, Document, MailDomain, Proof, StateBoard, Vouch
from verification.models.claims import Degree
from verification.models.decisions import DisputeOpinion
from verification.names import PersonName
from verification.services import vouching

LENGTHS = {
    "min_length": "At least %(limit_value)d characters; this has %(show_value)d.",
    "max_length": "At most %(limit_value)d characters; this has %(show_value)d.",
}
WHY = {"required": "Write why, in a sentence.", **LENGTHS}
HINTS = {"hx-post": reverse_lazy("verification:hints"), "hx-trigger": "change", "hx-swap": "outerHTML"}


class IdentityForm(forms.Form):
    """Who the applicant is. Asks for nothing that could be one of the questions."""

    first = forms.CharField(
        label="First name",
        max_length=60,
        error_messages={"required": "Type your first name.", **LENGTHS},
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    middle = forms.CharField(
        label="Middle name",
        max_length=60,
        required=False,
        error_messages=LENGTHS,
        widget=forms.TextInput(attrs={"autocomplete": "additional-name"}),
    )
    last = forms.CharField(
        label="Last name",
        max_length=60,
        error_messages={"required": "Type your last name.", **LENGTHS},
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    degree = forms.ChoiceField(
        label="Degree on the license",
        choices=[(Degree.MD, "MD\nAlso MBBS and other degrees licensed as MD."), (Degree.DO, "DO")],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose MD or DO."),
        widget=forms.RadioSelect,
    )
    state = forms.ChoiceField(
        label="License state",
        choices=[("", "Choose a state"), *STATES],
        error_messages=dict.fromkeys(
            ["required", "invalid_choice"], "Choose the state or territory that gave the license."
        ),
        widget=forms.Select(attrs={**HINTS, "hx-target": "#license-hint"}),
    )
    npi = forms.CharField(
        label="NPI",
        required=False,
        max_length=20,
        help_text="Ten digits. With it, one record is sure to be yours.",
        error_messages={"max_length": "An NPI has ten digits."},
        widget=forms.TextInput(
            attrs={
                **HINTS,
                "hx-target": "#npi-hint",
                "inputmode": "numeric",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )
    license_number = forms.CharField(
        label="License number",
        required=False,
        max_length=40,
        help_text="Needed only without an NPI. Type it as it stands on the license.",
        error_messages=LENGTHS,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    specialty = forms.ModelChoiceField(
        Specialty.objects.filter(is_choice=True),
        required=False,
        empty_label="As in the registry",
        error_messages={"invalid_choice": "Choose one of the list, or leave it as in the registry."},
        help_text="Stands beside your handle. Left open, it comes from the registry.",
    )

    def __init__(self, *args, member: Member | None, **kwargs):
        super().__init__(*args, **kwargs)
        if member and member.specialty_id:
            del self.fields["specialty"]

    def clean_npi(self):
        digits = "".join(self.cleaned_data["npi"].split()).replace("-", "")
        if digits and not npis.is_valid(digits):
            raise ValidationError(npi_fault(digits))
        return digits

    def clean(self):
        cleaned = super().clean()
        number, state = cleaned.get("license_number"), cleaned.get("state")
        if number and state and not licenses.normal_number(state, number):
            self.add_error(
                "license_number", "A license number has digits in it. Type it as it stands on the license."
            )
        elif not number and "npi" in cleaned and not cleaned["npi"]:
            self.add_error("npi", "Type your NPI, or your license number below.")
        return cleaned

    def service_arguments(self):
        """The checked data as `services.claims.start_claim` takes them."""
        data = self.cleaned_data
        return {
            "name": PersonName(data["last"], data["first"], data["middle"]),
            "degree": data["degree"],
            "state": data["state"],
            "npi": data["npi"],
            "license_number": data["license_number"],
            "specialty": data.get("specialty"),
        }


def npi_fault(digits: str) -> str:
    """What is wrong with a number that is no NPI."""
    if not digits.isascii() or not digits.isdigit():
        return "An NPI is ten digits and nothing else."
    if len(digits) != 10:
        return f"An NPI has ten digits; this has {len(digits)}."
    if digits[0] not in "12":
        return "An NPI begins with 1 or 2."
    return "The last digit does not fit the other nine, so one of the ten is mistyped."


def license_hint(state: str) -> str:
    """How license numbers of a state look, as far as known."""
    name = dict(STATES).get(state)
    if name is None:
        return ""
    boards = StateBoard.objects.filter(state=state).exclude(license_number_pattern="").order_by("board")
    shapes = [f"{board.license_number_pattern} ({board.get_licenses_display()})" for board in boards]
    if not shapes:
        return ""
    looks = " or ".join(shapes)
    return (
        f"{name} numbers often look like {looks}, where 9 is any digit and A any letter. Others are fine too."
    )


class DocumentForm(forms.Form):
    sort = forms.ChoiceField(
        label="What it is",
        choices=Document.Sort.choices,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose what the file shows."),
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label="File",
        help_text="JPEG, PNG, WebP or PDF, at most 10 MB and 10 pages. Issued in the last four years, name readable.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
        error_messages={"required": "Choose a file.", "empty": "This file is empty."},
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > rules.DOCUMENT_BYTES:
            raise ValidationError("This file is larger than 10 MB. Send it smaller.")
        return file


class MailForm(forms.Form):
    """An institution's mail address. `may_ask` once its domain turned out to be unknown."""

    kind = Proof.Kind.EMAIL
    may_ask = False
    address = forms.CharField(
        label="Your address there",
        max_length=254,
        help_text="One that your hospital, group or agency gave you.",
        error_messages={"required": "Type the address that your institution gave you.", **LENGTHS},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label="The code",
        max_length=20,
        error_messages={"required": "Type the six digits.", "max_length": "A code has six digits."},
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args, kind: str, **kwargs):
        super().__init__(*args, auto_id=f"id_{kind}_%s", **kwargs)
        self.kind = kind


class ObjectionNumberForm(forms.Form):
    number = forms.CharField(
        label="The number",
        max_length=40,
        help_text="Twelve digits, as the call or the fax told them.",
        error_messages={"required": "Type the twelve digits.", "max_length": "The number has twelve digits."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}),
    )


class ObjectionForm(forms.Form):
    words = forms.CharField(
        label="Who you are and how reviewers can reach you",
        required=False,
        max_length=1000,
        help_text="Only reviewers read it; it is stored encrypted. You can leave it empty.",
        error_messages=LENGTHS,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class DomainForm(forms.Form):
    """A reviewer's word on a mail domain."""

    accept = forms.ChoiceField(
        label="Does an address there prove something?",
        choices=[("yes", "Yes: only staff of one institution have addresses there"), ("no", "No")],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose yes or no."),
        widget=forms.RadioSelect,
    )
    institution = forms.CharField(required=False, max_length=120, help_text="Needed to accept.")
    sort = forms.ChoiceField(
        required=False,
        choices=[("", "Choose what it is"), *MailDomain.Sort.choices],
        help_text="Needed to accept. A university gives addresses to students, so it is none of these.",
    )
    note = forms.CharField(
        label="Why",
        max_length=400,
        help_text="What you looked at, such as the institution's own page on its mail. No names of people.",
        error_messages=WHY,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("accept") == "yes":
            for name in ("institution", "sort"):
                if not (cleaned.get(name) or "").strip():
                    self.add_error(name, "Needed to accept a domain.")
        return cleaned


class VouchForm(forms.Form):
    relation = forms.ChoiceField(
        label="How you know them",
        choices=Vouch.Relation.choices,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose how you know them."),
        widget=forms.RadioSelect,
    )
    statement = forms.CharField(
        label="Where and when",
        min_length=vouching.SHORTEST_STATEMENT,
        max_length=1000,
        help_text="A sentence or two in your own words. Only reviewers read it. No patient identifiers.",
        error_messages={"required": "Write where and when you came to know them.", **LENGTHS},
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    signed = forms.BooleanField(
        label="I know this person and that they are a licensed physician. I sign with my own standing here.",
        error_messages={"required": "Tick this to sign."},
    )


class AppealForm(forms.Form):
    text = forms.CharField(
        label="What should the second reviewer know?",
        min_length=20,
        max_length=2000,
        error_messages={"required": "Write what the second reviewer should know.", **LENGTHS},
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class BylineForm(forms.Form):
    """How posts are signed; each mode with one line on what it shows."""

    mode = forms.ChoiceField(
        label="How your posts are signed",
        choices=[
            (
                "anonymous",
                "Handle and specialty\nAnonymous: colleagues know the handle, nobody knows the person.",
            ),
            (
                "partial",
                "Handle, specialty, region and years in practice\n"
                "Partial: adds what your profile shows physicians of the two; never the state.",
            ),
            (
                "public",
                "Real name and specialty\nPublic: the name on your license, without handle, tier and points.",
            ),
        ],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose one of the three."),
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
    )
    confirmed = forms.BooleanField(
        label="Yes, show more of me than now\n"
        "Needed only on the way from a more private choice. It holds for posts from now on.",
        required=False,
    )


REASONS = {
    "approve": [Decision.Reason.DOCUMENT_FITS, Decision.Reason.COLLEAGUES_FIT, Decision.Reason.NAME_CHANGED],
    "reject": [
        Decision.Reason.NO_LICENSE,
        Decision.Reason.NOT_PHYSICIAN,
        Decision.Reason.MISMATCH,
        Decision.Reason.NOT_OWN,
        Decision.Reason.EXCLUDED,
        Decision.Reason.UNREADABLE,
        Decision.Reason.OUTDATED,
    ],
    "ask": [Decision.Reason.UNREADABLE, Decision.Reason.OUTDATED, Decision.Reason.MISMATCH],
}
OTHER = Decision.Reason.OTHER


class DecisionForm(forms.Form):
    """A reviewer's decision. The message goes to the applicant and is needed when more is asked for."""

    outcome = forms.ChoiceField(
        choices=[("approve", "Approve"), ("ask", "Ask for more"), ("reject", "Reject")],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose what to do."),
        widget=forms.RadioSelect,
    )
    reason = forms.ChoiceField(
        choices=[("", "Choose a reason")]
        + [
            (label, [(reason.value, reason.label) for reason in REASONS[key]])
            for key, label in (("approve", "To approve"), ("ask", "To ask for more"), ("reject", "To reject"))
        ]
        + [(OTHER.value, OTHER.label)],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose a reason."),
    )
    note = forms.CharField(
        label="Why",
        max_length=2000,
        help_text="For reviewers only, kept encrypted.",
        error_messages=WHY,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    message = forms.CharField(
        label="Message to the applicant",
        required=False,
        max_length=1000,
        help_text="Needed to ask for more, and shown with a rejection: on the applicant's page, never in a mail.",
        error_messages=LENGTHS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    exclusion_checked = forms.BooleanField(
        label="I compared the exclusions above; they are someone else's.", required=False
    )

    acts = (("approve", "Approve", "a"), ("ask", "Ask for more", "m"), ("reject", "Reject", "r"))

    def __init__(self, *args, has_namesakes: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not has_namesakes:
            del self.fields["exclusion_checked"]

    def clean(self):
        cleaned = super().clean()
        outcome, reason = cleaned.get("outcome"), cleaned.get("reason")
        if outcome and reason and reason not in [*REASONS[outcome], OTHER]:
            self.add_error("reason", "This reason does not go with that decision.")
        if outcome == "reject" and reason == OTHER:
            self.add_error("reason", "Choose a reason that the applicant can be told.")
        if outcome == "ask" and "message" in cleaned and not cleaned["message"].strip():
            self.add_error("message", "Write what the applicant should send.")
        return cleaned


class UnlockForm(forms.Form):
    note = forms.CharField(
        label="Why", max_length=2000, error_messages=WHY, widget=forms.Textarea(attrs={"rows": 3})
    )


class OpinionForm(forms.Form):
    side = forms.ChoiceField(
        label="Whose license it is",
        choices=DisputeOpinion.Side.choices,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose one of the two."),
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="Why",
        max_length=2000,
        help_text="For reviewers only, kept encrypted.",
        error_messages=WHY,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    exclusion_checked = forms.BooleanField(
        label="I compared the exclusions of the new claim above; they are someone else's.", required=False
    )

    def __init__(self, *args, has_namesakes: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not has_namesakes:
            del self.fields["exclusion_checked"]
