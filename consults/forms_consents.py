"""What physicians and patients type about consents, checked."""

from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.identifier_forms import IdentifierMixin
from consults.models import Consent
from consults.services import consents
from sermo.errors import RuleBroken

CHOOSE = {"required": "Choose one.", "invalid_choice": "Choose one of those shown."}
YEAR = 365
LASTS = {
    "en": [("0", "Until I take it back"), ("1", "One year"), ("5", "Five years")],
    "es": [("0", "Hasta que yo lo retire"), ("1", "Un año"), ("5", "Cinco años")],
}
SIGNERS = {
    "en": [("patient", "I am the patient"), ("guardian", "I am the patient's parent or guardian")],
    "es": [("patient", "Soy el paciente"), ("guardian", "Soy el padre, la madre o el tutor del paciente")],
}
SCREEN = {
    "en": {
        "signer": "Who are you?",
        "for_teaching": "The pictures may also be used to teach other doctors on Sermo.",
        "for_observers": "Health companies that read on Sermo may also see my case.",
        "for_stories": "My case may be told to everyone on the internet, with no pictures and no name.",
        "lasts": "For how long?",
        "required": "Choose one.",
    },
    "es": {
        "signer": "¿Quién es usted?",
        "for_teaching": "Las fotos también se pueden usar para enseñar a otros médicos en Sermo.",
        "for_observers": "Las empresas de salud que leen en Sermo también pueden ver mi caso.",
        "for_stories": "Mi caso se puede contar a todo el mundo en internet, sin fotos y sin mi nombre.",
        "lasts": "¿Por cuánto tiempo?",
        "required": "Elija una opción.",
    },
}
NOT_SENT = {"en": "Not sent. Look below.", "es": "No se envió. Mire abajo."}
CODE = {
    "en": {
        "label": "Code",
        "help": "20 letters and numbers, as on your page. Dashes and spaces do not matter.",
        "required": "Type the code from your page.",
        "wrong": "This is not a whole code. It has 20 letters and numbers, and never 0, 1, I, L, O or U. "
        "Look at your page once more.",
    },
    "es": {
        "label": "Código",
        "help": "20 letras y números, como en su hoja. Los guiones y los espacios no importan.",
        "required": "Escriba el código de su hoja.",
        "wrong": "Este código no está completo. Tiene 20 letras y números, y nunca 0, 1, I, L, O ni U. "
        "Mire su hoja otra vez.",
    },
}


class PrepareForm(IdentifierMixin, forms.Form):
    checked_fields = ("note",)

    note = forms.CharField(
        label="Note to yourself",
        required=False,
        max_length=Consent._meta.get_field("note").max_length,
        help_text="To tell it from others, such as “rash, Tuesday”. Never a name, initials or a number of a record.",
        widget=forms.TextInput,
    )


class PaperForm(forms.Form):
    """What the form on paper says."""

    signer = forms.ChoiceField(
        label="Who signed?", choices=Consent.Signer.choices, widget=forms.RadioSelect, error_messages=CHOOSE
    )
    signed_on = forms.DateField(
        label="Day of the signature",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Type the day.", "invalid": "Type a day, such as 2026-11-22."},
    )
    form_version = forms.ChoiceField(
        label="Version of the form",
        help_text="It stands in the last line of the sheet.",
        widget=forms.RadioSelect,
        error_messages={**CHOOSE, "required": consents.UnknownVersion.message},
    )
    for_teaching = forms.BooleanField(label="The box for teaching is ticked", required=False)
    for_observers = forms.BooleanField(label="The box for health companies is ticked", required=False)
    for_stories = forms.BooleanField(label="The box for telling everyone is ticked", required=False)
    expires_on = forms.DateField(
        label="Last day",
        required=False,
        help_text="If the form names one.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Type a day, such as 2027-11-22."},
    )
    attested = forms.BooleanField(
        label="The form is signed, and I keep it with the records of the patient.",
        error_messages={"required": "Tick this once the signed form is in your hands."},
    )

    def __init__(self, *args, versions: list[str], is_renewal: bool = False, **kwargs):
        """`versions` are those the sheet can be of, that which is printed now first."""
        super().__init__(*args, initial={"form_version": versions[0]}, **kwargs)
        self.versions = versions
        if len(versions) > 1:
            first, *others = versions
            self.fields["form_version"].choices = [
                (first, f"{first}, as it is printed now"),
                *((version, f"{version}, printed earlier") for version in others),
            ]
        else:
            del self.fields["form_version"]
        if is_renewal:  # what it allows stays as it was
            del self.fields["for_teaching"], self.fields["for_observers"]
        if is_renewal or not any(consents.has_stories(version) for version in versions):
            del self.fields["for_stories"]

    def clean(self):
        """No more than the words of the service beside the field they are about."""
        cleaned = super().clean()
        for name, check in (("signed_on", consents.check_signed), ("expires_on", consents.check_end)):
            if name in cleaned:
                try:
                    check(cleaned[name])
                except RuleBroken as refusal:
                    self.add_error(name, ValidationError(str(refusal)))
        version = cleaned.get("form_version", self.versions[0])
        if cleaned.get("for_stories") and not consents.has_stories(version):
            self.add_error("for_stories", ValidationError(consents.NotOnForm.message))
        cleaned.pop("attested", None)
        return cleaned


class ScreenForm(forms.Form):
    """What a patient or guardian taps, in their language."""

    signer = forms.ChoiceField(widget=forms.RadioSelect(attrs={"class": "choice-card"}))
    for_teaching = forms.BooleanField(required=False)
    for_observers = forms.BooleanField(required=False)
    for_stories = forms.BooleanField(required=False)
    lasts = forms.ChoiceField(initial="0", widget=forms.RadioSelect(attrs={"class": "choice-card"}))

    def __init__(self, *args, language: str, is_renewal: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        words = SCREEN[language]
        self.fields["signer"].choices, self.fields["lasts"].choices = SIGNERS[language], LASTS[language]
        for name, field in self.fields.items():
            field.label = words[name]
            field.error_messages |= {"required": words["required"], "invalid_choice": words["required"]}
        if is_renewal:
            del self.fields["for_teaching"], self.fields["for_observers"], self.fields["for_stories"]

    def clean(self):
        cleaned = super().clean()
        years = int(cleaned.pop("lasts", 0))
        cleaned["expires_on"] = _in_years(years) if years else None
        return cleaned


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args, language: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.words = CODE[language]
        field = self.fields["code"]
        field.label, field.help_text = self.words["label"], self.words["help"]
        field.error_messages |= {"required": self.words["required"], "max_length": self.words["wrong"]}

    def clean_code(self) -> str:
        code = consents.typed_code(self.cleaned_data["code"])
        if not consents.is_code(code):
            raise ValidationError(self.words["wrong"])
        return code


def _in_years(years: int) -> date:
    return timezone.now().date() + timedelta(days=YEAR * years)
