"""NPPES, the registry of all providers: physicians and residents are kept, with their licenses.

A row is kept if it is a person's and holds a physician's or resident's taxonomy code, or if its entity type is
blank: that is what remains of a deactivated NPI. Columns are found by name, in files of 330 and 329 columns; the one
name that differs between versions, Provider Sex Code (formerly Gender Code), is not read.
"""

import time

from django.db import transaction

from verification.imports.frame import Importer, counts, execute
from verification.imports.nppes_rows import LICENSE_COLUMNS, PROVIDER_COLUMNS, NppesParser
from verification.imports.refusals import ImportRefused
from verification.imports.staging import StagedTable
from verification.models import ImportRun, Provider, ProviderLicense
from verification.signals import registry_loaded

STUB = "NOT (is_physician OR is_resident)"  # a deactivated NPI of which nothing else is known


class NppesImporter(Importer):
    """Provider and ProviderLicense from the monthly file, or brought up to date from a weekly one."""

    source = "nppes"
    tables = [StagedTable(Provider), StagedTable(ProviderLicense)]
    columns = [PROVIDER_COLUMNS, LICENSE_COLUMNS]
    may_use_helper = True

    def parser(self, header: list[str]) -> NppesParser:
        if self.options.weekly and not self.guarded_count(self.tables[0].live):
            raise ImportRefused("A weekly file brings a registry up to date: load a full file first.")
        return NppesParser(header, self.file.name, self.run_id)

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

    def note_live(self) -> None:
        super().note_live()
        registry_loaded.send(sender=ImportRun, run=ImportRun.objects.get(pk=self.run_id))

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
