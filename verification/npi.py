"""The National Provider Identifier: ten digits whose last one checks the other nine.

The check digit is Luhn's, computed as if the card issuer prefix 80840 stood in front; without writing the
prefix down, that is a constant 24 added to the sum (CMS, "Requirements for NPI and NPI Check Digit").
Test values: 1234567893 is well formed, 1234567898 is not. Every wrong digit and every swap of neighbors is
caught, save 0 with 9. A right check digit says that a number is well formed, not that it was ever issued.
"""

import re

from django.core.exceptions import ValidationError

_SHAPE = re.compile(r"[12][0-9]{9}")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")  # a digit to the digit sum of its double
_ZEROS = 9 * ord("0")


def check_digit(first_nine: str) -> str:
    """The tenth digit that belongs to nine digits."""
    signs = first_nine.encode()
    total = 24 + sum(signs[::2].translate(_DOUBLED)) + sum(signs[1::2]) - _ZEROS
    return str(-total % 10)


def is_valid(npi: str) -> bool:
    """Whether a text is a well-formed NPI: ten ASCII digits, the first 1 or 2, the last the check digit."""
    return _SHAPE.fullmatch(npi) is not None and check_digit(npi[:9]) == npi[9]


def validate(value: str) -> None:
    """The same as a validator for form and model fields. Raises ValidationError."""
    if not is_valid(value):
        raise ValidationError("This is not a valid NPI. Check the ten digits.", code="npi")
