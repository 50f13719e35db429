"""The ways money can be sent: what each asks for, what of it is kept (`PayoutMethod.details`), and how it is said.

bank    name, routing (nine digits), account, account_kind ("checking" or "savings"); by way of Stripe
        stripe_account alone
check   name, street, city, state, zip
paypal  email
gift    email
"""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.places import STATES
from questions.forms import TOO_LONG
from rewards import providers
from rewards.models import Method, PayoutMethod
from sermo.errors import RuleBroken

EMAIL_LOOKS_LIKE = "An e-mail address looks like name@example.org."
ZIP_LOOKS_LIKE = "A ZIP code looks like 60601 or 60601-1234."
ROUTING_WEIGHTS = (3, 7, 1) * 3
ROUTING_STARTS = (range(1, 13), range(21, 33), range(61, 73))  # of banks in the US, by their first two digits


class NotOffered(RuleBroken):
    message = "This way of paying is not offered here."


def offered() -> list[str]:
    """The methods this site can pay by, in the order they are shown."""
    ready = providers.offered()
    return [method for method in FORMS if method in ready]


def goes_by_stripe() -> bool:
    """Whether bank accounts are told to Stripe, and not to us."""
    return settings.PAYOUT_PROVIDERS.get(Method.BANK) == "stripe"


def in_words(chosen: PayoutMethod) -> str:
    """Where the money goes, for its owner: nobody else reads it, and no account number is said in full."""
    return said(chosen.method, chosen.details)


def said(method: str, details: Mapping[str, Any]) -> str:
    if method == Method.BANK and "account" in details:
        return f"{details['account_kind'].capitalize()} account ending in {details['account'][-4:]}"
    if method == Method.BANK:
        return "The bank account that Stripe knows"
    if method == Method.CHECK:
        return (
            f"{details['name']}, {details['street']}, {details['city']}, {details['state']} {details['zip']}"
        )
    return details["email"]


# What is typed


def asking(words: str, **more: str) -> dict[str, str]:
    """The messages of a field: what it wants where it was left empty, and how long it may be."""
    return {"required": words, "max_length": TOO_LONG, **more}


def clean_digits(text: str) -> str:
    """A number without the spaces and hyphens people put into it. Raises ValidationError where more is in it."""
    digits = re.sub(r"[\s-]", "", text)
    if not (digits.isascii() and digits.isdigit()):
        raise ValidationError("Digits only.")
    return digits


def is_routing_number(digits: str) -> bool:
    """Whether nine digits can be the ABA number of a bank: its district, and the sum that guards against slips."""
    if len(digits) != 9 or not any(int(digits[:2]) in starts for starts in ROUTING_STARTS):
        return False
    return sum(weight * int(digit) for weight, digit in zip(ROUTING_WEIGHTS, digits, strict=True)) % 10 == 0


def is_zip(text: str) -> bool:
    return re.fullmatch(r"[0-9]{5}(-[0-9]{4})?", text) is not None


class AddressMixin(forms.Form):
    """A postal address in the United States."""

    street = forms.CharField(
        label="Street address",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
        error_messages=asking("Write the number and the street, or a P.O. box."),
    )
    city = forms.CharField(
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
        error_messages=asking("Write the city."),
    )
    state = forms.ChoiceField(
        label="State or territory",
        choices=[("", "Choose a state"), *STATES],
        widget=forms.Select(attrs={"autocomplete": "address-level1"}),
        error_messages={
            "required": "Choose the state or territory of this address.",
            "invalid_choice": "Choose a state or territory of the list.",
        },
    )
    zip = forms.CharField(
        label="ZIP code",
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "inputmode": "numeric"}),
        error_messages={"required": ZIP_LOOKS_LIKE, "max_length": ZIP_LOOKS_LIKE},
    )

    def clean_zip(self):
        typed = self.cleaned_data["zip"]
        if not is_zip(typed):
            raise ValidationError(ZIP_LOOKS_LIKE)
        return typed


class BankForm(forms.Form):
    name = forms.CharField(
        label="Name on the account",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages=asking("Write the name the account is held under."),
    )
    routing = forms.CharField(
        label="Routing number",
        max_length=20,
        help_text="Nine digits. On a check it stands at the lower left.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "spellcheck": "false"}),
        error_messages=asking("Write the nine digits of the routing number."),
    )
    account = forms.CharField(
        label="Account number",
        max_length=30,
        help_text="4 to 17 digits. Kept encrypted; later only its last four are shown.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "spellcheck": "false"}),
        error_messages=asking("Write the account number, 4 to 17 digits."),
    )
    account_again = forms.CharField(
        label="Account number, again",
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "spellcheck": "false"}),
        error_messages=asking("Write the account number a second time."),
    )
    account_kind = forms.ChoiceField(
        label="Kind of account",
        choices=[("checking", "Checking"), ("savings", "Savings")],
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose checking or savings."),
    )

    def clean_routing(self):
        digits = clean_digits(self.cleaned_data["routing"])
        if len(digits) != 9:
            raise ValidationError(f"A routing number has nine digits; this has {len(digits)}.")
        if not is_routing_number(digits):
            raise ValidationError("No bank has this number, so one of the nine digits is mistyped.")
        return digits

    def clean_account(self):
        digits = clean_digits(self.cleaned_data["account"])
        if not 4 <= len(digits) <= 17:
            raise ValidationError("An account number has 4 to 17 digits.")
        return digits

    def clean_account_again(self):
        return clean_digits(self.cleaned_data["account_again"])

    def clean(self):
        cleaned = super().clean()
        first, again = cleaned.get("account"), cleaned.pop("account_again", None)
        if first and again and first != again:
            self.add_error("account_again", "The two account numbers differ.")
        return cleaned


class CheckForm(AddressMixin):
    name = forms.CharField(
        label="Payable to",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages=asking("Write the name that should stand on the check."),
    )
    field_order = ("name", "street", "city", "state", "zip")


class PayPalForm(forms.Form):
    email = forms.EmailField(
        label="E-mail of the PayPal account",
        max_length=127,
        help_text="PayPal tells you at this address.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages=asking("Write the address you log in to PayPal with.", invalid=EMAIL_LOOKS_LIKE),
    )


class GiftForm(forms.Form):
    email = forms.EmailField(
        label="E-mail",
        max_length=127,
        help_text="The card comes to this address as a code.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages=asking("Write the address the card should come to.", invalid=EMAIL_LOOKS_LIKE),
    )


FORMS = {
    Method.BANK: BankForm,
    Method.CHECK: CheckForm,
    Method.PAYPAL: PayPalForm,
    Method.GIFT: GiftForm,
}
HELP = {
    Method.BANK: "To a checking or savings account in the United States.",
    Method.CHECK: "On paper, to an address in the United States.",
    Method.PAYPAL: "To a PayPal account.",
    Method.GIFT: "A card as a code by e-mail.",
}
