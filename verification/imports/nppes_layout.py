"""Taking NPPES records apart, quickly.

Eight million rows of 330 quoted values, most of them empty: raw lines are sorted out before they are
parsed, and a row in the layout CMS publishes is cut only as far as its values are needed. Anything unusual
(other column order, no quotes, quotes or line breaks inside values, letters outside ASCII) goes through the
csv module.
"""

import re
from typing import NamedTuple

from verification.imports.cleaning import clean, is_clean
from verification.imports.parsing import find_columns
from verification.taxonomy import RESIDENT

SLOTS = 15
_LOCATION = "Provider Business Practice Location Address"
FACTS = {
    "npi": "NPI",
    "entity": "Entity Type Code",
    "last": "Provider Last Name (Legal Name)",
    "first": "Provider First Name",
    "middle": "Provider Middle Name",
    "suffix": "Provider Name Suffix Text",
    "credential": "Provider Credential Text",
    "other_last": "Provider Other Last Name",
    "other_first": "Provider Other First Name",
    "city": f"{_LOCATION} City Name",
    "state": f"{_LOCATION} State Name",
    "postal": f"{_LOCATION} Postal Code",
    "phone": f"{_LOCATION} Telephone Number",
    "fax": f"{_LOCATION} Fax Number",
    "enumerated": "Provider Enumeration Date",
    "updated": "Last Update Date",
    "deactivated": "NPI Deactivation Date",
    "reactivated": "NPI Reactivation Date",
}
SLOT_PARTS = (
    "Healthcare Provider Taxonomy Code_{}",
    "Provider License Number_{}",
    "Provider License Number State Code_{}",
    "Healthcare Provider Primary Taxonomy Switch_{}",
)

_BETWEEN = '","'
_PHYSICIAN = re.compile(rb'"20[0-9A-Z]{7}X"').search  # a literal beginning, so that searching skips quickly
_RESIDENT = RESIDENT.encode()
_PERSON, _ORGANIZATION = b'","1"', b'","2"'
_UNQUOTED = re.compile(rb"\b(?:20[0-9A-Z]{7}X|390200000X)\b").search
_BEGINNING = re.compile(rb'"?[0-9]{10}"?,"?[12]?"?,').match


# A taxonomy slot in use, as filed: its place (1 to 15), taxonomy code, license number, state, primary switch. A bare
# tuple, since there are millions.
Slot = tuple[int, str, str, str, str]


class Row(NamedTuple):
    """The values of one record that are used: those of FACTS in that order, and the slots in use."""

    facts: list[str]
    slots: list[Slot]
    all_used: str  # the same in one text, to tell whether anything changed


def starts_record(line: bytes) -> object:
    """Whether a line can only be the beginning of a row: a number and an entity type."""
    return _BEGINNING(line)


class Layout:
    """Where the columns of one file are. Raises ImportRefused listing the columns its header lacks."""

    def __init__(self, header: list[str], file_name: str):
        slots = {
            (slot, part): (name.format(slot),)
            for slot in range(1, SLOTS + 1)
            for part, name in enumerate(SLOT_PARTS)
        }
        places = find_columns(header, {name: (name,) for name in FACTS.values()} | slots, file_name)
        self.width = len(header)
        self.facts_at = [places[name] for name in FACTS.values()]
        self.slots_at = [
            (slot, *(places[slot, part] for part in range(len(SLOT_PARTS)))) for slot in range(1, SLOTS + 1)
        ]
        self.first_slot = self.slots_at[0][1]
        self.is_published_layout = self._is_published_layout()
        captured = {*self.facts_at, *self.slots_at[0][1:]}
        values = ('([^"]*)' if at in captured else '[^"]*' for at in range(self.first_slot + len(SLOT_PARTS)))
        self.beginning = re.compile(f'"{_BETWEEN.join(values)}{_BETWEEN}')

    def _is_published_layout(self) -> bool:
        """Number and entity type first, the facts in our order, then the slots in one block, and more behind."""
        parts = [place for slot in self.slots_at for place in slot[1:]]
        block = list(range(self.first_slot, self.first_slot + len(parts)))
        return (
            self.facts_at[:2] == [0, 1]
            and self.facts_at == sorted(self.facts_at)
            and self.facts_at[-1] < self.first_slot
            and parts == block
            and self.width > block[-1] + 1
        )

    def is_wanted(self, record: bytes) -> object:
        """Whether a raw record may be a physician's, a resident's or a deactivated NPI's."""
        if not self.is_published_layout:
            return True
        mark = record[11:16]  # behind the ten digits of a quoted NPI
        if mark == _PERSON:
            return _PHYSICIAN(record) or _RESIDENT in record
        return mark != _ORGANIZATION and self._may_be_wanted(record)

    def _may_be_wanted(self, record: bytes) -> object:
        """The same for stubs, for rows without quotes, and for what is hardly a row."""
        start = record.split(b",", 2)
        if len(start) < 3:
            return record.strip()
        entity = start[1].strip(b'" ')
        return not entity or (entity != b"2" and _UNQUOTED(record))

    def cut(self, record: bytes, quotes: int) -> Row | None:
        """The values used of an ordinary record: all quoted, nothing to clean. None for any other."""
        if quotes == 2 * self.width and self.is_published_layout and record[:1] == record[-1:] == b'"':
            return self._cut(record.decode("utf-8", "replace"))
        return None

    def pick(self, values: list[str]) -> Row:
        """The values used of a parsed record, cleaned."""
        used = [
            (number, *(clean(values[place]) for place in places))
            for number, *places in self.slots_at
            if values[places[0]].strip()
        ]
        facts = [clean(values[place]) for place in self.facts_at]
        return Row(facts, used, _BETWEEN.join([*facts, *(text for slot in used for text in slot[1:])]))

    def _cut(self, text: str) -> Row | None:
        """The facts and the first slot by one expression, then further slots while there are any.

        None where a value needs cleaning, or the quotation marks turn out to stand elsewhere.
        """
        found = self.beginning.match(text)
        if found is None:
            return None
        used = list(map(str.strip, found.groups()))
        facts, first = used[: len(FACTS)], used[len(FACTS) :]
        slots, rest = [(1, *first)] if first[0] else [], text[found.end() :]
        for number in range(2, SLOTS + 1):
            if rest.startswith(_EMPTY_FROM[number]):
                break
            code, license_number, state, switch, rest = rest.split(_BETWEEN, len(SLOT_PARTS))
            if code:
                slot = (number, code.strip(), license_number.strip(), state.strip(), switch)
                slots.append(slot)
                used += slot[1:]
        all_used = _BETWEEN.join(used)
        return Row(facts, slots, all_used) if is_clean(all_used) else None


# What follows where all slots from a number on are empty.
_EMPTY_FROM = [_BETWEEN * len(SLOT_PARTS) * (SLOTS + 1 - number) for number in range(SLOTS + 1)]
