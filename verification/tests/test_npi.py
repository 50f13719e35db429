import pytest
from django.core.exceptions import ValidationError

from verification import npi


def test_the_published_test_values_are_told_apart():
    assert npi.is_valid("1234567893")
    assert not npi.is_valid("1234567898")


@pytest.mark.parametrize(
    "text", ["", "123456789", "12345678933", "3234567893", " 1234567893", "12345678٣3", "123456789X"]
)
def test_what_is_not_ten_ascii_digits_beginning_with_1_or_2_is_no_npi(text):
    assert not npi.is_valid(text)


def test_every_wrong_digit_is_caught():
    right = "1234567893"
    wrong = [
        right[:at] + digit + right[at + 1 :]
        for at in range(10)
        for digit in "0123456789"
        if digit != right[at]
    ]

    assert not any(npi.is_valid(text) for text in wrong)


def test_the_validator_says_what_to_do():
    npi.validate("1234567893")

    with pytest.raises(ValidationError, match="Check the ten digits"):
        npi.validate("1234567898")
