"""What members type about their money, checked."""

from django import forms
from django.core.exceptions import ValidationError

from questions.forms import TOO_LONG
from rewards import methods
from rewards.models import Charity, Firm, Payee

Takes = Payee.Takes


class ChoiceForm(forms.Form):
    """What becomes of money from firms, and whether they may mark one's posts."""

    takes = forms.ChoiceField(
        label="What becomes of it",
        choices=[
            (Takes.SELF, "Pay me\nIt comes to your balance, and from there to you when you ask."),
            (Takes.CHARITY, "Give it to a charity\nIt goes there at once and never to your balance."),
            (
                Takes.NOTHING,
                "I take no money from firms\nWhat was meant for you goes back to the firm; you hear nothing of it.",
            ),
        ],
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose one of the three."),
    )
    charity = forms.ModelChoiceField(
        Charity.objects.none(),
        required=False,
        empty_label="None chosen",
        help_text="Needed only if a charity gets it.",
        error_messages={"invalid_choice": "Choose a charity that is offered."},
    )
    may_be_earmarked = forms.BooleanField(
        label="Firms may earmark my posts\n"
        "A firm can mark a post before its discussion closes; you learn of it then. It never learns your name by it.",
        required=False,
    )

    def __init__(self, *args, payee: Payee | None, **kwargs):
        payee = payee or Payee()
        initial = {
            "takes": payee.takes,
            "charity": payee.charity_id,
            "may_be_earmarked": payee.may_be_earmarked,
        }
        super().__init__(*args, initial=initial, **kwargs)
        offered = Charity.objects.filter(is_active=True)
        if payee.charity_id:
            offered |= Charity.objects.filter(pk=payee.charity_id)
        self.fields["charity"].queryset = offered


class AffiliationForm(forms.Form):
    firm = forms.ModelChoiceField(
        Firm.objects.none(),
        label="Firm",
        empty_label="Choose a firm",
        help_text="All firms that pay here. What others pay you does not matter.",
        error_messages={"required": "Choose the firm.", "invalid_choice": "Choose one of the firms."},
    )

    def __init__(self, *args, declared, **kwargs):
        """`declared` are the ids of firms that stand on the list already."""
        super().__init__(*args, **kwargs)
        self.fields["firm"].queryset = Firm.objects.active().exclude(pk__in=declared)


# Form W-9

CLASSES = [
    ("individual", "Individual, sole proprietor or single-member LLC"),
    ("c_corporation", "C corporation"),
    ("s_corporation", "S corporation"),
    ("partnership", "Partnership"),
    ("trust", "Trust or estate"),
    ("llc_c", "LLC taxed as a C corporation"),
    ("llc_s", "LLC taxed as an S corporation"),
    ("llc_p", "LLC taxed as a partnership"),
]
TIN_KINDS = [("ssn", "Social Security number"), ("ein", "Employer identification number")]
NOT_ISSUED = ("078051120", "219099999")  # printed in advertisements
ITIN_GROUPS = (range(50, 66), range(70, 89), range(90, 93), range(94, 100))
NO_EIN_STARTS = {0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97}


def is_ssn(digits: str) -> bool:
    """Whether nine digits can be a Social Security number, or an ITIN, which stands in its place."""
    area, group, serial = int(digits[:3]), int(digits[3:5]), int(digits[5:])
    if digits in NOT_ISSUED or len(set(digits)) == 1:
        return False
    if area >= 900:
        return any(group in groups for groups in ITIN_GROUPS)
    return area not in (0, 666) and group != 0 and serial != 0


def is_ein(digits: str) -> bool:
    """Whether nine digits can be an EIN: its first two are of an office that gives them out."""
    return int(digits[:2]) not in NO_EIN_STARTS and len(set(digits)) > 1


class W9Form(methods.AddressMixin):
    """Form W-9 in its own order and nearly its own words."""

    name = forms.CharField(
        label="Name on your tax return",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages=methods.asking("Write your name as it stands on your tax return."),
    )
    business_name = forms.CharField(
        label="Business name",
        max_length=80,
        required=False,
        help_text="Only if it differs from the name above.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"max_length": TOO_LONG},
    )
    classification = forms.ChoiceField(
        label="Federal tax classification",
        choices=CLASSES,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose a classification of the list."),
    )
    tin_kind = forms.ChoiceField(
        label="Your taxpayer number is a",
        choices=[
            (TIN_KINDS[0][0], f"{TIN_KINDS[0][1]}\nAn ITIN counts as one."),
            TIN_KINDS[1],
        ],
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose which number you give below."),
    )
    tin = forms.CharField(
        label="The number",
        max_length=20,
        help_text="Nine digits. Kept encrypted; later only its last four are shown.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "spellcheck": "false"}),
        error_messages=methods.asking("Write the nine digits of the number."),
    )
    right_number = forms.BooleanField(
        label="The number is my correct taxpayer identification number",
        error_messages={"required": "Tick this to certify it."},
    )
    no_withholding = forms.BooleanField(
        label="I am not subject to backup withholding\n"
        "I am exempt, or the IRS has not told me that I am, or has told me that I am no longer.",
        error_messages={"required": "Without this the form cannot be certified here. Write to us instead."},
    )
    us_person = forms.BooleanField(
        label="I am a U.S. citizen or other U.S. person",
        error_messages={"required": "Others need another form. Write to us instead."},
    )
    perjury = forms.BooleanField(
        label="Under penalties of perjury, I certify all of the above\nThis tick is my signature.",
        error_messages={"required": "Tick this to sign."},
    )
    field_order = ("name", "business_name", "classification", "street", "city", "state", "zip")
    TICKS = ("right_number", "no_withholding", "us_person", "perjury")

    def clean_tin(self):
        digits = methods.clean_digits(self.cleaned_data["tin"])
        if len(digits) != 9:
            raise ValidationError(f"It has nine digits; this has {len(digits)}.")
        return digits

    def clean(self):
        cleaned = super().clean()
        kind, digits = cleaned.get("tin_kind"), cleaned.get("tin")
        if kind == "ssn" and digits and not is_ssn(digits):
            self.add_error("tin", "No Social Security number or ITIN looks like this. A digit is mistyped.")
        if kind == "ein" and digits and not is_ein(digits):
            self.add_error("tin", "No EIN looks like this. A digit is mistyped.")
        return cleaned

    def as_certified(self) -> dict:
        """What is kept; the ticks are what keeping it means."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.TICKS}
