"""Addresses by which firms find discussions and posts."""

import re
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from observers import keys

NUMBERS = st.integers(min_value=1, max_value=2**63 - 1)
FIRM, OTHER = SimpleNamespace(pk=1), SimpleNamespace(pk=2)


@given(NUMBERS)
def test_a_key_leads_back_to_its_number(pk):
    assert keys.question_pk(FIRM, keys.question_key(FIRM, pk)) == pk
    assert keys.post_pk(FIRM, keys.post_key(FIRM, pk)) == pk
    assert keys.search_pk(FIRM, keys.search_key(FIRM, pk)) == pk
    assert keys.invitation_pk(keys.invitation_key(pk)) == pk


@given(NUMBERS)
def test_a_key_of_another_firm_or_kind_leads_nowhere(pk):
    assert keys.question_pk(OTHER, keys.question_key(FIRM, pk)) is None
    assert keys.question_pk(FIRM, keys.post_key(FIRM, pk)) is None
    assert keys.post_pk(FIRM, keys.question_key(FIRM, pk)) is None
    assert keys.search_pk(OTHER, keys.search_key(FIRM, pk)) is None
    assert keys.search_pk(FIRM, keys.post_key(FIRM, pk)) is None
    assert keys.invitation_pk(keys.search_key(FIRM, pk)) is None


@given(NUMBERS)
def test_a_key_fits_into_an_address_and_is_as_long_as_any(pk):
    assert re.fullmatch(r"[\w-]{22}", keys.question_key(FIRM, pk), re.ASCII)


@given(st.text(max_size=30))
def test_other_text_leads_nowhere(text):
    assert keys.question_pk(FIRM, text) is None


@given(NUMBERS, st.integers(0, 21), st.sampled_from("ABab09-_. é"))
def test_a_changed_key_leads_nowhere(pk, place, sign):
    key = keys.post_key(FIRM, pk)
    changed = key[:place] + sign + key[place + 1 :]

    assert changed == key or keys.post_pk(FIRM, changed) is None


def test_keys_of_neighbors_have_nothing_in_common():
    first, second = keys.post_key(FIRM, 1), keys.post_key(FIRM, 2)

    assert sum(one == other for one, other in zip(first, second, strict=True)) < 8
