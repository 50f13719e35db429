"""How much, and to whom."""

from django import forms
from django.core.exceptions import ValidationError

from questions.forms import SubmissionForm
from rewards.models import Charity
from rewards.words import cents_of, dollars


class DollarField(forms.CharField):
    """An amount as somebody types it; clean, it is cents."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {
        "required": "Write an amount, such as 25.00.",
        "invalid": "Write dollars and cents, such as 25.00.",
        "least": "At least %(least)s.",
    }

    def __init__(self, *, least: int = 1, **kwargs):
        self.least = least
        super().__init__(max_length=20, **kwargs)

    def to_python(self, value):
        typed = super().to_python(value)
        if not typed:
            return None
        try:
            return cents_of(typed)
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def validate(self, value):
        if value is None:
            raise ValidationError(self.error_messages["required"], code="required")
        if value < self.least:
            words = {"least": dollars(self.least)}
            raise ValidationError(self.error_messages["least"], code="least", params=words)

    def run_validators(self, value):
        """Those of a CharField are about the text, which is an amount by now."""


class AmountForm(SubmissionForm):
    """Some of a balance; before anything is typed, all of it.

    Whether the balance has so much is for the service to say: of a form sent twice the second finds less there.
    """

    amount = DollarField(label="Amount in dollars")

    def __init__(self, *args, balance: int, least: int = 1, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["amount"].least = least
        self.fields["amount"].initial = f"{balance // 100}.{balance % 100:02}"


class DonateForm(AmountForm):
    """No amount stands there before one is typed: a gift cannot be taken back."""

    charity = forms.ModelChoiceField(
        Charity.objects.filter(is_active=True),
        empty_label="Choose one",
        error_messages={
            "required": "Choose a charity.",
            "invalid_choice": "Choose a charity that is offered.",
        },
    )
    field_order = ["charity", "amount"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["amount"].initial = None
