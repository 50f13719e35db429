import pytest

from verification.licenses import candidate_keys, normal_number

SAME = {
    "IL": ["036047447", "36047447", "036-047447", "047447", "47447"],
    "NY": ["317495", "317495-1", "0317495", "317495 - 2"],
    "CO": ["DR.0059538", "DR0059538", "59538", "0059538"],
    "WA": ["MD00012345", "MD12345", "md 12345", "OP00012345"],
    "FL": ["ME780618", "ME 0780618", "780618", "OS780618"],
    "CA": ["A0894305", "A894305", "a-894305"],
    "OH": ["35.045682", "35045682", "35-045682"],
    "NM": ["MD1996-9618", "19969618"],
    "MD": ["D0012345", "D12345", "12345"],
    "VA": ["0101196913", "101196913"],
    "TX": ["P6085", "p-6085"],
}


@pytest.mark.parametrize(("state", "numbers"), SAME.items())
def test_spellings_of_one_number_have_one_normal_form(state, numbers):
    assert len({normal_number(state, number) for number in numbers}) == 1


@pytest.mark.parametrize(
    "number", ["$$$$$$$$$", "*********", "_________", "N/A", "none", "PENDING", "000000", "", " "]
)
def test_masks_words_and_zeros_are_no_number(number):
    assert normal_number("TX", number) == ""


@pytest.mark.parametrize(
    ("state", "one", "other"),
    [
        ("CA", "A12345", "G12345"),
        ("CA", "A12345", "20A12345"),
        ("TX", "P6085", "Q6085"),
        ("IN", "01416429A", "01416429B"),
        ("IL", "036047447", "036147447"),
    ],
)
def test_numbers_of_different_people_stay_apart(state, one, other):
    assert normal_number(state, one) != normal_number(state, other)


@pytest.mark.parametrize(
    ("state", "typed", "meant"),
    [
        ("CA", "894305", "A894305"),
        ("CA", "6881", "20A06881"),
        ("MI", "16984", "4301016984"),
        ("OH", "045682", "35.045682"),
        ("VA", "196913", "0101196913"),
    ],
)
def test_what_people_leave_out_is_tried_too(state, typed, meant):
    keys = candidate_keys(state, typed)

    assert keys[0] == normal_number(state, typed)
    assert normal_number(state, meant) in keys


def test_a_text_without_a_number_has_no_candidates():
    assert candidate_keys("CA", "n/a") == []
