"""The sheet of an adverse event, prefilled from a post: without what could identify the patient, and never stored.

Its parts follow Form FDA 3500 (MedWatch, voluntary reporting) in their order. The author reads it, completes it and
sends it by hand; nothing here sends anything to anybody.
"""

import re

from observers.models import Product
from sermo.identifiers import STOP, Finding, check
from sermo.text import searchable

GAP = "[left out]"
DECADE = re.compile(r"\b(?:in (?:the|his|her|their) )?(?:early |mid|late )?-?([1-8]0)s\b", re.IGNORECASE)
YEARS = re.compile(r"\b([1-8]?[0-9])[ -]?(?:years?[ -]old|y/?o|yo)\b", re.IGNORECASE)
SEXES = (
    ("Female", re.compile(r"\b(woman|women|female|girl|she|her|mother|pregnant)\b", re.IGNORECASE)),
    ("Male", re.compile(r"\b(man|men|male|boy|he|him|his|father)\b", re.IGNORECASE)),
)


def deidentified(text: str, *, known: tuple[str, ...] = ()) -> str:
    """A text without anything the identifier check finds, sure or doubtful, but for the words known to be a product's.

    What it is replaced by is coarser, or a gap.
    """
    names = {name.lower() for name in known}
    found = [one for one in check(text) if one.level == STOP or one.words.lower() not in names]
    return _without(text, found)


def without_stops(text: str) -> str:
    """A text that its author has read, without what is an identifier by its form."""
    return _without(text, [one for one in check(text) if one.level == STOP])


def _without(text: str, found: list[Finding]) -> str:
    for finding in sorted(found, key=lambda one: one.start, reverse=True):
        text = text[: finding.start] + (finding.replacement or GAP) + text[finding.end :]
    return text


def age_in(text: str) -> str:
    """The decade of the first age a text names: "70s"; empty without one."""
    decade, years = DECADE.search(text), YEARS.search(text)
    if decade and (not years or decade.start() < years.start()):
        return f"{decade[1]}s"
    if years:
        return f"{int(years[1]) // 10 * 10}s" if int(years[1]) >= 10 else "under 10"
    return ""


def sex_in(text: str) -> str:
    """The sex a text speaks of, where it speaks of one alone."""
    named = [sex for sex, words in SEXES if words.search(text)]
    return named[0] if len(named) == 1 else ""


def prefilled(title: str, source: str, products: list[Product]) -> dict[str, str]:
    """What of the sheet a post can fill. The title is that of an opening, else empty."""
    known = tuple(word for product in products for word in (product.name, *product.words))
    text = deidentified(f"{title}\n\n{source}".strip(), known=known)
    return {
        "age": age_in(text),
        "sex": sex_in(text),
        "description": text,
        "product": ", ".join(dict.fromkeys(_as_written(product, text) for product in products)),
    }


def _as_written(product: Product, text: str) -> str:
    """The name a text gives a product: who wrote of the substance named no brand."""
    said = searchable(text)
    written = [word for word in product.words if word in said]
    return product.name if not written or product.name.lower() in written else written[0]
