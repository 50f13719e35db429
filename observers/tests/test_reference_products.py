"""The drugs and devices that come with the site."""

import csv
import io

import pytest

from observers import products, reference
from observers.models import Product
from sermo.text import searchable

with reference.FILE.open(encoding="utf-8", newline="") as lines:
    ROWS = list(csv.DictReader(lines))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["slug"])
def test_each_word_is_one_that_can_be_found(row):
    for word in row["words"].split("|"):
        products.is_word(word)
        assert word == searchable(word)


def test_no_slug_twice():
    assert len({row["slug"] for row in ROWS}) == len(ROWS)


@pytest.mark.django_db
def test_loading_twice_adds_nothing_and_keeps_what_staff_changed():
    reference.load(io.StringIO())
    Product.objects.filter(slug="warfarin").update(words=["warfarin"])
    again = io.StringIO()

    reference.load(again)

    assert "(0 new)" in again.getvalue()
    assert Product.objects.get(slug="warfarin").words == ["warfarin"]
