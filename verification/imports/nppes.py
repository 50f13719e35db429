"""NPPES, the registry of all providers: physicians and residents are kept, with their licenses.

The monthly file (V2; 330 columns, 329 in older ones, every value quoted) holds every kind of provider and
has some 8 million rows, so raw lines are sorted out before they are parsed: a row is looked at if its
entity type is blank (a deactivated NPI) or if it is a person's and holds a physician's or resident's
taxonomy code. Columns are found by name. The one name that differs between versions, Provider Sex Code
(formerly Gender Code), is not read.
"""

import hashlib
import time

from django.db import transaction

from verification import licenses, names, npi
from verification.imports.cleaning import NULL, iso_date
from verification.imports.frame import Importer, counts, execute, raw_npi
from verification.imports.nppes_layout import Layout, Row, Slot, starts_record
from verification.imports.refusals import ImportRefused
from verification.imports.staging import StagedTable
from verification.models import Provider, ProviderLicense
from verification.taxonomy import RESIDENT, is_physician_code

PERSON, ORGANIZATION = "1", "2"
STUB = "NOT (is_physician OR is_resident)"  # a deactivated NPI of which nothing else is known


class NppesImporter(Importer):
    """Provider and ProviderLicense from the monthly file, or brought up to date from a weekly one."""

    source = "nppes"
    tables = [StagedTable(Provider), StagedTable(ProviderLicense)]
    columns = [
        [
            *("npi", "last_name", "first_name", "middle_name", "suffix", "credential"),
            *("other_last_name", "other_first_name", "name_key", "other_name_key"),
            *("practice_city", "practice_state", "practice_zip", "practice_phone", "practice_fax"),
            *("enumerated_on", "updated_on", "deactivated_on", "reactivated_on"),
            *("is_physician", "is_resident", "conflict", "row_hash", "run_id"),
        ],
        ["npi", "slot", "taxonomy", "number", "number_key", "state", "is_primary"],
    ]

    def prepare(self, header: list[str]) -> None:
        self.layout = Layout(header, self.file.name, self.split)
        if self.options.weekly and not self.guarded_count(self.tables[0].live):
            raise ImportRefused("A weekly file brings a registry up to date: load a full file first.")

    def starts_record(self, line: bytes) -> object:
        return starts_record(line)

    def rows(self, number: int, record: bytes, quotes: int) -> list[str] | None:
        if not self.layout.is_wanted(record):
            self.tally.skipped += 1
            return None
        row = self.layout.read(record, quotes)
        if row is None:
            self.tally.reject(number, raw_npi(record), "wrong number of columns")
            return None
        return self.provider_rows(number, row)

    def provider_rows(self, number: int, row: Row) -> list[str] | None:
        """The COPY rows of one person: the provider, and one line for each taxonomy slot in use."""
        (npi_text, entity, last, first, middle, suffix, credential, other_last, other_first) = row.facts[:9]
        (city, state, postal, phone, fax) = row.facts[9:14]
        if not npi.is_valid(npi_text):
            self.tally.reject(number, npi_text, "NPI is not valid")
            return None
        codes = [slot.code for slot in row.slots]
        is_physician = any(map(is_physician_code, codes))
        is_resident = RESIDENT in codes and (not is_physician or in_training(row.slots))
        if entity == ORGANIZATION or (entity == PERSON and not (is_physician or is_resident)):
            self.tally.skipped += 1
            return None
        enumerated, updated, deactivated, reactivated = [
            self.day(day) if day else NULL for day in row.facts[14:]
        ]
        if entity != PERSON and deactivated == NULL:
            self.tally.reject(number, npi_text, "neither entity type nor deactivation date")
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
        license_rows = [license_row(npi_text, slot) for slot in row.slots]
        row_hash = hashlib.blake2b("\n".join([facts, *license_rows]).encode(), digest_size=16).hexdigest()
        return [
            f"{facts}\t{row_hash}\t{self.run_id}\t{number}",
            "\n".join([f"{row}\t{number}" for row in license_rows]),
        ]

    def day(self, text: str) -> str:
        if (day := iso_date(text)) is None:
            self.tally.warnings["dates unreadable, left blank"] += 1
            return NULL
        return day

    def merge(self) -> None:
        """One row for each NPI: with a name before without, then the latest update, then the later line.

        Two different names on the day of the latest update are flagged, and a deactivation is never lost.
        """
        providers, provider_licenses = (f'"{table.new}"' for table in self.tables)
        execute("DROP TABLE IF EXISTS merging")
        execute(
            f"""
            CREATE TEMPORARY TABLE merging AS
            SELECT line_no, npi, place, deactivated_on,
                   name_key NOT IN ('', best_key) AND updated_on IS NOT DISTINCT FROM best_update AS differs
            FROM (
                SELECT line_no, npi, name_key, updated_on,
                       row_number() OVER best AS place,
                       first_value(name_key) OVER best AS best_key,
                       first_value(updated_on) OVER best AS best_update,
                       max(deactivated_on) OVER (PARTITION BY npi) AS deactivated_on
                FROM {providers}
                WHERE npi IN (SELECT npi FROM {providers} GROUP BY npi HAVING count(*) > 1)
                WINDOW best AS (
                    PARTITION BY npi ORDER BY name_key = '', updated_on DESC NULLS LAST, line_no DESC
                )
            ) AS ranked
            """  # noqa: S608
        )
        execute(
            f"""
            UPDATE {providers} AS kept SET deactivated_on = best.deactivated_on, conflict = best.conflict
            FROM (
                SELECT min(line_no) FILTER (WHERE place = 1) AS line_no, max(deactivated_on) AS deactivated_on,
                       bool_or(differs) AS conflict
                FROM merging GROUP BY npi
            ) AS best
            WHERE kept.line_no = best.line_no
            """  # noqa: S608
        )
        self.tally.merged = self.drop_merged(providers)
        self.drop_merged(provider_licenses)
        execute("DROP TABLE merging")

    def drop_merged(self, table: str) -> int:
        return execute(
            f"DELETE FROM {table} USING merging WHERE place > 1 AND {table}.line_no = merging.line_no"  # noqa: S608
        )

    def guarded_count(self, table: str) -> int:
        return counts(table, "is_physician")[0]

    def summary(self) -> str:
        people, provider_licenses = (table.new for table in self.tables)
        counted = ("is_physician", "is_resident AND NOT is_physician", STUB, "conflict")
        physicians, residents, stubs, conflicts = counts(people, *counted)
        (licensed,) = counts(provider_licenses, "number_key <> ''")
        return (
            f"{physicians:,} physicians, {residents:,} residents, {stubs:,} deactivated NPIs without a name;"
            f" {licensed:,} license numbers; {conflicts:,} with two names on one day"
        )

    def put_live(self) -> float:
        return self.upsert() if self.options.weekly else super().put_live()

    def upsert(self) -> float:
        """Bring the live tables up to date with a weekly file: new and changed people, and deactivations.

        A row older than the live one changes nothing. A deactivated NPI keeps the name it had.
        """
        started = time.monotonic()
        with transaction.atomic():
            changed = self.upsert_people()
            self.replace_licenses()
            self.upsert_stubs()
            self.mark_loaded()
        self.drop_staging()
        self.tally.notes.append(f"{changed:,} people new or changed, the others as they were")
        return time.monotonic() - started

    def upsert_people(self) -> int:
        live, new = self.tables[0].live, self.tables[0].new
        names_of = self.columns[0]
        execute("DROP TABLE IF EXISTS changing")
        execute(
            f"""
            CREATE TEMPORARY TABLE changing AS SELECT new.npi FROM "{new}" AS new LEFT JOIN "{live}" AS live
            USING (npi) WHERE (new.is_physician OR new.is_resident) AND (live.npi IS NULL OR live.row_hash
            <> new.row_hash) AND (live.updated_on IS NULL OR new.updated_on IS NULL OR new.updated_on >=
            live.updated_on) """  # noqa: S608
        )
        return execute(
            f"""
            INSERT INTO "{live}" ({", ".join(names_of)})
            SELECT {", ".join(names_of)} FROM "{new}" WHERE npi IN (SELECT npi FROM changing)
            ON CONFLICT (npi) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in names_of[1:])}
            """  # noqa: S608
        )

    def replace_licenses(self) -> None:
        live, new, names_of = self.tables[1].live, self.tables[1].new, ", ".join(self.columns[1])
        execute(f'DELETE FROM "{live}" WHERE npi IN (SELECT npi FROM changing)')  # noqa: S608
        execute(
            f'INSERT INTO "{live}" ({names_of}) SELECT {names_of} FROM "{new}"'  # noqa: S608
            " WHERE npi IN (SELECT npi FROM changing)"
        )
        execute("DROP TABLE changing")

    def upsert_stubs(self) -> None:
        live, new, names_of = self.tables[0].live, self.tables[0].new, ", ".join(self.columns[0])
        execute(
            f"""
            INSERT INTO "{live}" ({names_of}) SELECT {names_of} FROM "{new}" WHERE {STUB}
            ON CONFLICT (npi) DO UPDATE
            SET deactivated_on = excluded.deactivated_on,
                row_hash = excluded.row_hash, run_id = excluded.run_id
            """  # noqa: S608
        )


def license_row(npi_text: str, slot: Slot) -> str:
    """A slot as COPY text. Masked numbers and words in the place of numbers are dropped."""
    place, code, number, state, switch = slot
    state = state.upper() if len(state) == 2 else ""
    key = licenses.normal_number(state, number)[:40] if number else ""
    number, primary = number[:40] if key else "", "t" if switch == "Y" else "f"
    return f"{npi_text}\t{place}\t{code[:10].upper()}\t{number}\t{key}\t{state}\t{primary}"


def in_training(slots: list[Slot]) -> bool:
    """Whether the code of residents and students is the primary one."""
    return any(slot.switch == "Y" and slot.code == RESIDENT for slot in slots)
