"""LEIE (OIG): people excluded from federal health programs, by NPI where known, else by name."""

from datetime import UTC, datetime

from verification import names, npi
from verification.imports.cleaning import NULL, clean, iso_date
from verification.imports.frame import Importer, counts, execute
from verification.imports.parsing import Parser, find_columns
from verification.imports.staging import StagedTable
from verification.models import Exclusion, ImportRun
from verification.signals import registry_loaded

LAYOUT = [
    *("LASTNAME", "FIRSTNAME", "MIDNAME", "BUSNAME", "GENERAL", "SPECIALTY", "UPIN", "NPI", "DOB", "ADDRESS"),
    *("CITY", "STATE", "ZIP", "EXCLTYPE", "EXCLDATE", "REINDATE", "WAIVERDATE", "WVRSTATE"),
]
USED = (
    *("LASTNAME", "FIRSTNAME", "MIDNAME", "BUSNAME", "GENERAL", "NPI", "CITY", "STATE", "EXCLTYPE"),
    *("EXCLDATE", "REINDATE"),
)
UNKNOWN_NPI = frozenset({"", "0000000000"})
NO_DATE = frozenset({"", "00000000"})


class LeieImporter(Importer):
    """Exclusion. Organizations and people reinstated by now are left out; dates of birth are never stored."""

    source = "leie"
    tables = [StagedTable(Exclusion)]
    columns = [
        [
            *("npi", "last_name", "first_name", "middle_name", "city", "general", "last_key", "first_key"),
            *("state", "excltype", "excluded_on", "run_id"),
        ]
    ]

    def parser(self, header: list[str]) -> "LeieParser":
        return LeieParser(header, self.file.name, self.run_id)

    def merge(self) -> None:
        """Rows that say the same twice become one; two exclusions of one person stay two."""
        table = f'"{self.tables[0].new}"'
        same = ", ".join(name for name in self.columns[0] if name != "run_id")
        self.tally.merged += execute(
            f"""
            DELETE FROM {table} USING (
                SELECT line_no, row_number() OVER (PARTITION BY {same} ORDER BY line_no) AS place FROM {table}
            ) AS numbered WHERE place > 1 AND {table}.line_no = numbered.line_no
            """  # noqa: S608
        )

    def note_live(self) -> None:
        super().note_live()
        registry_loaded.send(sender=ImportRun, run=ImportRun.objects.get(pk=self.run_id))

    def summary(self) -> str:
        people, numbered = counts(self.tables[0].new, "true", "npi IS NOT NULL")
        return f"{people:,} people excluded, {numbered:,} of them with an NPI"


class LeieParser(Parser):
    """Makes rows of Exclusion."""

    def __init__(self, header: list[str], file_name: str, run_id: int):
        places = find_columns(header, {name: (name,) for name in LAYOUT}, file_name)
        self.places = [places[name] for name in USED]
        self.width = len(header)
        self.run_id = run_id
        self.today = datetime.now(UTC).date().isoformat()

    def starts_record(self, line: bytes) -> object:
        return False  # a line begins with a name, which may stand anywhere

    def row(self, number: int, record: bytes, quotes: int) -> tuple[str] | None:
        values = self.split(record)
        if len(values) != self.width:
            self.reject(number, "", "wrong number of columns")
            return None
        found = [clean(values[place]) for place in self.places]
        last, first, middle, business, general, number_text, city, state, kind, excluded, reinstated = found
        if not last:
            if business:
                self.skip()
            else:
                self.reject(number, number_text, "neither a person nor an organization")
            return None
        back = self.day(reinstated)
        if back != NULL and back <= self.today:
            self.skip()
            return None
        return (
            "\t".join(
                (
                    *(
                        self.npi_or_null(number_text),
                        last[:60],
                        first[:60],
                        middle[:60],
                        city[:60],
                        general[:60],
                    ),
                    *(names.last_key(last)[:120], names.first_key(first)[:60]),
                    *(state[:2].upper(), kind[:20], self.day(excluded), f"{self.run_id}\t{number}"),
                )
            ),
        )

    def npi_or_null(self, text: str) -> str:
        """An NPI that is not valid is as good as unknown: the name still counts."""
        if text in UNKNOWN_NPI:
            return NULL
        if not npi.is_valid(text):
            self.warn("NPIs not valid, taken as unknown")
            return NULL
        return text

    def day(self, text: str) -> str:
        if text in NO_DATE:
            return NULL
        if (day := iso_date(text)) is None:
            self.warn("dates unreadable, left blank")
            return NULL
        return day
