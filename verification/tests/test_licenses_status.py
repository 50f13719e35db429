from datetime import date

import pytest

from verification.licenses_status import BETWEEN, ENDED, EXPIRED, IN_FORCE, UNKNOWN, standing

WORDS = {
    IN_FORCE: [
        ("WA", "ACTIVE"),
        ("WA", "Active on Probation"),
        ("CO", "Active - With Conditions"),
        ("TX", "AC - Active"),
        ("IL", "PROBATION"),
        ("FL", "Clear/Active"),
        ("CA", "License Renewed & Current"),
        ("NY", "Registered"),
        ("OH", "Suspension Stayed"),
        ("TX", "Suspended, probated"),
    ],
    EXPIRED: [
        ("IL", "NOT RENEWED"),
        ("WA", "EXPIRED"),
        ("CO", "Expired - In Renewal"),
        ("TX", "Cancelled by request"),
        ("FL", "Retired"),
        ("CA", "License Delinquent"),
        ("NY", "Not registered"),
        ("WA", "INACTIVE"),
    ],
    ENDED: [
        ("WA", "REVOKED"),
        ("CO", "Summary Suspension"),
        ("IL", "Indefinite Suspension"),
        ("IL", "REFUSED TO RENEW"),
        ("TX", "DE - Deceased"),
        ("NY", "Surrendered (charges pending)"),
        ("WA", "Inactive - Revoked"),
        ("TX", "Cancelled by Board"),
    ],
    UNKNOWN: [("TX", ""), ("CO", "Transferred"), ("ZZ", "7"), ("CA", "License"), ("WA", "Activehouse")],
}


@pytest.mark.parametrize(
    ("state", "words", "meant"), [(*each, meant) for meant, all_ in WORDS.items() for each in all_]
)
def test_words_of_boards(state, words, meant):
    assert standing(state, words) == meant
    assert standing(state.lower(), words.upper()) == meant


@pytest.mark.parametrize(
    ("parts", "meant"),
    [
        (("Active", "Full"), IN_FORCE),
        (("Active", "Something new"), IN_FORCE),
        (("Active", "not currently licensed"), EXPIRED),
        (("Expired", "Revoked"), ENDED),
        (("Something new", "Something else"), UNKNOWN),
    ],
)
def test_of_words_side_by_side_the_worst_counts(parts, meant):
    assert standing("TX", BETWEEN.join(parts)) == meant


@pytest.mark.parametrize(
    ("words", "expires", "meant"),
    [
        ("Active", date(2026, 3, 1), IN_FORCE),
        ("Active", date(2026, 2, 28), EXPIRED),
        ("Something new", date(2026, 2, 28), EXPIRED),
        ("Revoked", date(2026, 2, 28), ENDED),
        ("Expired", date(2027, 1, 1), EXPIRED),
        ("Active", None, IN_FORCE),
    ],
)
def test_a_date_that_is_over_counts_like_a_word(words, expires, meant):
    assert standing("WA", words, expires, date(2026, 3, 1)) == meant
