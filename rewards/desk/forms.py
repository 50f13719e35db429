"""The forms of the finance desk."""

import re
import uuid
from datetime import timedelta

from django import forms
from django.utils import timezone

from rewards.desk import figures
from rewards.models import Firm
from rewards.models.earmarks import LEAST, MOST, MOST_SLOTS
from rewards.words import cents_of, dollars

LONGEST_NOTE = 200
LONGEST_BACK = 90  # days that providers are asked about at once
REGISTRATION = re.compile(r"[0-9A-Za-z-]*")  # it becomes a part of the name of a file
LARGEST = 100_000_000_00  # cents that one form moves


class MoneyField(forms.Field):
    """An amount in dollars as it is typed, kept as whole cents; nothing typed is none."""

    widget = forms.TextInput

    def __init__(self, *, least=1, most=LARGEST, **more):
        super().__init__(**more)
        self.least, self.most = least, most
        self.widget.attrs.update({"inputmode": "decimal", "size": 12, "autocomplete": "off"})

    def to_python(self, value):
        text = (value or "").strip()
        if not text:
            return None
        try:
            return cents_of(text)
        except ValueError:
            raise forms.ValidationError("Write an amount such as 25 or 25.50.") from None

    def validate(self, value):
        super().validate(value)
        if value is not None and not self.least <= value <= self.most:
            raise forms.ValidationError(f"From {dollars(self.least)} to {dollars(self.most)}.")


class ActForm(forms.Form):
    """A form of an act, about a row that is there or about none. What cannot be read is left to be sent again."""

    def __init__(self, data=None, *, row=None, **more):
        super().__init__(data, **more)
        self.row = row

    def focus_on_refused(self) -> None:
        """Let the page open at the first field that was refused."""
        refused = next((each for each in self.visible_fields() if each.errors), None)
        if refused:
            refused.field.widget.attrs["autofocus"] = True


class OnceForm(ActForm):
    """Sent twice, it is done once."""

    submission = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput)


def note_field(label: str, **more) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=LONGEST_NOTE, widget=forms.TextInput(attrs={"size": 60}), **more
    )


class DepositForm(OnceForm):
    cents = MoneyField(label="Amount in dollars")
    note = note_field("Reference", help_text="As the bank statement names it. No names of physicians.")


class EarmarkForm(OnceForm):
    firm = forms.ModelChoiceField(Firm.objects.none())
    post = forms.IntegerField(
        min_value=1, label="Number of the post", help_text="As in its link: post-12 is 12."
    )
    author_cents = MoneyField(label="For the author, in dollars", least=LEAST, most=MOST)
    voter_cents = MoneyField(
        label="For each voter, in dollars",
        least=LEAST,
        most=MOST,
        required=False,
        help_text="None: no voters.",
    )
    voter_slots = forms.IntegerField(
        label="Voters paid", min_value=0, max_value=MOST_SLOTS, required=False, initial=0
    )

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["firm"].queryset = Firm.objects.active()

    def clean(self):
        cleaned = super().clean()
        cents, slots = cleaned.get("voter_cents") or 0, cleaned.get("voter_slots") or 0
        if bool(cents) != bool(slots) and not self.errors:
            self.add_error("voter_slots", "Give both an amount and a number of voters, or neither.")
        return {**cleaned, "voter_cents": cents, "voter_slots": slots}


class SponsorshipForm(OnceForm):
    firm = forms.ModelChoiceField(Firm.objects.none())
    poll = forms.IntegerField(
        min_value=1, label="Number of the poll", help_text="In its address. It must have no vote yet."
    )
    honorarium = MoneyField(label="For each vote, in dollars", most=1_000_000)
    quota = forms.IntegerField(label="Votes that are paid", min_value=1, max_value=100_000)
    is_blinded = forms.BooleanField(
        label="The firm never learns who took part",
        required=False,
        initial=True,
        help_text="Without it every payment is reported from its first day.",
    )

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["firm"].queryset = Firm.objects.active()


class SureForm(ActForm):
    """Nothing to type: the button is the act."""


class OnceSureForm(OnceForm):
    """Nothing to type, and done once."""


class ReasonForm(ActForm):
    note = note_field("Reason", help_text="Without names, addresses and numbers of accounts.")


def day_field(label: str, **more) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}), **more)


class ReferenceForm(ActForm):
    reference = forms.CharField(
        label="Reference", max_length=120, help_text="Number of the check, or of the transfer at the bank."
    )
    paid_on = day_field("Paid on", required=False, help_text="Its tax year goes by this day. Empty: today.")


class FoundPaidForm(ActForm):
    reference = forms.CharField(
        label="Reference", max_length=120, help_text="As the provider names the transfer, letter by letter."
    )
    paid_on = day_field("Paid on", help_text="As the provider says.")


class BatchForm(ActForm):
    method = forms.ChoiceField(label="What to download")

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["method"].choices = figures.methods_by_hand()


class ReconcileForm(ActForm):
    provider = forms.ChoiceField()
    since = day_field("Since", help_text=f"Midnight UTC of that day, at most {LONGEST_BACK} days ago.")

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["provider"].choices = [(name, name.title()) for name in figures.providers_that_list()]

    def clean_since(self):
        day = self.cleaned_data["since"]
        today = timezone.now().date()
        if day > today:
            raise forms.ValidationError("That day is still to come.")
        if day < today - timedelta(days=LONGEST_BACK):
            raise forms.ValidationError(f"Choose a day of the last {LONGEST_BACK} days.")
        return day


class YearForm(ActForm):
    year = forms.IntegerField(min_value=2000, max_value=2200)


class TaxYearForm(YearForm):
    is_preliminary = forms.BooleanField(
        label="Preliminary",
        required=False,
        help_text="For a year that is not over. Such a file does not count as filed.",
    )

    def clean(self):
        cleaned = super().clean()
        if "year" in cleaned:
            is_over = cleaned["year"] < figures.today().year
            if not is_over and not cleaned["is_preliminary"]:
                self.add_error("year", "This year is not over. Tick “Preliminary” for the sums so far.")
            if is_over and cleaned["is_preliminary"]:
                self.add_error("is_preliminary", "This year is over, and its file counts as filed.")
        return cleaned


class ReportForm(ActForm):
    firm = forms.ModelChoiceField(Firm.objects.none(), help_text="Firms that report to Open Payments.")
    year = forms.IntegerField(min_value=2000, max_value=2200)

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["firm"].queryset = Firm.objects.filter(is_covered=True)


class FirmForm(forms.ModelForm):
    """What a firm is. Names of its products are typed one to a line."""

    products = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60}),
        help_text="Its own, that may be reported with a payment; one to a line, at most 100 characters each.",
    )

    class Meta:
        model = Firm
        help_texts = {
            "is_covered": "Payments of before it was ticked are in the reports of their years, too.",
            "registration_id": "Letters, digits and hyphens.",
        }
        fields = [
            *("name", "kind", "shows_name", "is_covered", "registration_id", "products", "is_active"),
        ]

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        if self.instance.pk:
            self.initial["products"] = "\n".join(self.instance.products)

    def clean_name(self):
        return " ".join(self.cleaned_data["name"].split())

    def clean_registration_id(self):
        number = self.cleaned_data["registration_id"].strip()
        if not REGISTRATION.fullmatch(number):
            raise forms.ValidationError("Letters, digits and hyphens only.")
        return number

    def clean_products(self):
        lines = [" ".join(line.split()) for line in self.cleaned_data["products"].splitlines()]
        if any(len(line) > 100 for line in lines):
            raise forms.ValidationError("At most 100 characters to a line.")
        return list(dict.fromkeys(line for line in lines if line))

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("is_covered") and not cleaned.get("registration_id"):
            self.add_error("registration_id", "A firm that reports has an ID of its registration.")
        return cleaned
