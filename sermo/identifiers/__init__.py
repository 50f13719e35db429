"""Finds in a text what could tell who a patient is: the eighteen identifiers of the Safe Harbor rule.

`check(text)` reads a text once and returns what it found, in order and without overlaps. It is plain Python over
word lists that come with the code: nothing is fetched, nothing is learned from what members write, and nothing is kept.

Two levels. A `STOP` is an identifier by its form (a phone number, a full date, a name after a title) and must go. A
`DOUBT` is what a name, a place or a record number often looks like; only its author can tell.

    exempt.py   what is never looked at: references, guideline dates, addresses of public sources, mentions
    numbers.py  addresses on the net, telephones, numbers of persons, vehicles, and numbers alone
    labels.py   numbers of records, accounts, devices and licenses, by the label beside them
    dates.py    days, months with a year, holidays
    ages.py     ages of 90 and more; how they are written is in age_forms.py
    places.py   streets, postal codes, facilities, towns
    people.py   names by their capitals and their company; titles.py those after a title or a label; words.py reads the
                words, and people_forms.py has the patterns of all three
    lexicon.py  the word lists in data/, read when first needed; data/SOURCES.md says where they come from

It is an aid and misses things. sermo/tests/test_identifiers.py measures it on texts its rules were not written from.
"""

from sermo.identifiers import ages, dates, exempt, numbers, people, places
from sermo.identifiers.findings import DOUBT, STOP, Finding, replace, without_overlaps

__all__ = ["DOUBT", "STOP", "Finding", "check", "replace"]

DETECTORS = (numbers.find, dates.find, ages.find, places.find, people.find)


def check(text: str) -> list[Finding]:
    """What could identify somebody, by place in the text. Offsets are of the text as it was given."""
    if not text:
        return []
    readable = exempt.blank(text)
    found = [finding for find in DETECTORS for finding in find(readable)]
    return without_overlaps(found, text)
