"""What a physician says of a payment that a firm is going to report, checked."""

from django import forms

from accounts.identifier_forms import IdentifierMixin

LONGEST = 2000


class DisputeForm(IdentifierMixin, forms.Form):
    checked_fields = ("words",)

    words = forms.CharField(
        label="What is wrong?",
        max_length=LONGEST,
        help_text="The finance desk reads it and answers here. The firm reads nothing of it. No patient identifiers.",
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": "Say what is wrong, in a sentence.",
            "max_length": "At most %(limit_value)d characters; this has %(show_value)d.",
        },
    )
