"""The rows of NPPES people, for COPY."""

import hashlib

from verification import licenses, names, npi
from verification.imports.cleaning import NULL, iso_date
from verification.imports.nppes_layout import Layout, Row, Slot, starts_record
from verification.imports.parsing import Parser, raw_npi
from verification.taxonomy import RESIDENT, is_physician_code

PERSON, ORGANIZATION = "1", "2"
PROVIDER_COLUMNS = [
    *("npi", "last_name", "first_name", "middle_name", "suffix", "credential"),
    *("other_last_name", "other_first_name", "name_key", "other_name_key"),
    *("practice_city", "practice_state", "practice_zip", "practice_phone", "practice_fax"),
    *("enumerated_on", "updated_on", "deactivated_on", "reactivated_on"),
    *("is_physician", "is_resident", "conflict", "row_hash", "run_id"),
]
LICENSE_COLUMNS = ["npi", "slot", "taxonomy", "number", "number_key", "state", "is_primary"]


class NppesParser(Parser):
    """Makes rows of PROVIDER_COLUMNS and LICENSE_COLUMNS."""

    tables = 2

    def __init__(self, header: list[str], file_name: str, run_id: int):
        self.layout = Layout(header, file_name)
        self.is_wanted = self.layout.is_wanted
        self.run_id = run_id

    def starts_record(self, line: bytes) -> object:
        return starts_record(line)

    def row(self, number: int, record: bytes, quotes: int) -> tuple[str, str] | None:
        row = self.layout.cut(record, quotes)
        if row is None:
            values = self.split(record)
            if len(values) != self.layout.width:
                self.reject(number, raw_npi(record), "wrong number of columns")
                return None
            row = self.layout.pick(values)
        return self.provider_rows(number, row)

    def provider_rows(self, number: int, row: Row) -> tuple[str, str] | None:
        """The COPY rows of one person: the provider, and one line for each taxonomy slot in use."""
        (npi_text, entity, last, first, middle, suffix, credential, other_last, other_first) = row.facts[:9]
        (city, state, postal, phone, fax) = row.facts[9:14]
        if not npi.is_valid(npi_text):
            self.reject(number, npi_text, "NPI is not valid")
            return None
        codes = [code for _, code, _, _, _ in row.slots]
        is_physician = any(map(is_physician_code, codes))
        is_resident = RESIDENT in codes and (not is_physician or in_training(row.slots))
        if entity == ORGANIZATION or (entity == PERSON and not (is_physician or is_resident)):
            self.skip()
            return None
        enumerated, updated, deactivated, reactivated = [
            self.day(day) if day else NULL for day in row.facts[14:]
        ]
        if entity != PERSON and deactivated == NULL:
            self.reject(number, npi_text, "neither entity type nor deactivation date")
            return None
        name_key = names.name_key(last, first)[:200]
        other_key = names.name_key(other_last, other_first or first)[:200] if other_last else ""
        facts = (
            f"{npi_text}\t{last[:60]}\t{first[:60]}\t{middle[:60]}\t{suffix[:20]}\t{credential[:40]}"
            f"\t{other_last[:60]}\t{other_first[:60]}\t{name_key}\t{other_key}"
            f"\t{city[:60]}\t{state[:40].upper()}\t{postal.replace('-', '')[:20]}\t{phone[:20]}\t{fax[:20]}"
            f"\t{enumerated}\t{updated}\t{deactivated}\t{reactivated}"
            f"\t{'t' if is_physician else 'f'}\t{'t' if is_resident else 'f'}\tf"
        )
        row_hash = hashlib.blake2b(row.all_used.encode(), digest_size=16).hexdigest()
        return (
            f"{facts}\t{row_hash}\t{self.run_id}\t{number}",
            "\n".join([license_row(number, npi_text, slot) for slot in row.slots]),
        )

    def day(self, text: str) -> str:
        if (day := iso_date(text)) is None:
            self.warn("dates unreadable, left blank")
            return NULL
        return day


def license_row(number: int, npi_text: str, slot: Slot) -> str:
    """A slot as COPY text. Masked numbers and words in the place of numbers are dropped."""
    place, code, text, state, switch = slot
    state = state.upper() if len(state) == 2 else ""
    key = licenses.normal_number(state, text)[:40] if text else ""
    text, primary = text[:40] if key else "", "t" if switch == "Y" else "f"
    return f"{npi_text}\t{place}\t{code[:10].upper()}\t{text}\t{key}\t{state}\t{primary}\t{number}"


def in_training(slots: list[Slot]) -> bool:
    """Whether the code of residents and students is the primary one."""
    return any(switch == "Y" and code == RESIDENT for _, code, _, _, switch in slots)
