"""Doctors and Clinicians (CMS): medical school and graduation year, by NPI, of clinicians in Medicare."""

from verification import npi, reference
from verification.imports.cleaning import NULL, clean
from verification.imports.frame import Importer, counts, execute, find_columns, raw_npi
from verification.imports.staging import StagedTable
from verification.models import Education, MedicalSchool
from verification.schools import SchoolIndex

COLUMNS = {
    "npi": ("npi",),
    "school": ("med_sch", "medical school name"),
    "year": ("grd_yr", "graduation year"),
    "credential": ("cred", "credential"),
}
NO_SCHOOL = frozenset({"", "OTHER"})  # OTHER stands for every school outside CMS's list: no fact
YEARS = range(1920, 2101)


class CliniciansImporter(Importer):
    """Education. The file has a row for each place of practice, so most rows repeat the one before."""

    source = "clinicians"
    tables = [StagedTable(Education)]
    columns = [["npi", "school_text", "school_id", "grad_year", "run_id"]]

    def prepare(self, header: list[str]) -> None:
        self.places = list(find_columns(header, COLUMNS, self.file.name).values())
        self.width = len(header)
        self.previous: tuple[str, str, str] | None = None
        if not MedicalSchool.objects.exists():
            reference.load_schools()
        self.schools = SchoolIndex(MedicalSchool.objects.all())

    def starts_record(self, line: bytes) -> object:
        return line[:12].strip(b'"')[:10].isdigit()

    def rows(self, number: int, record: bytes, quotes: int) -> list[str] | None:
        values = self.split(record)
        if len(values) != self.width:
            self.tally.reject(number, raw_npi(record), "wrong number of columns")
            return None
        number_text, school, year, credential = (clean(values[place]) for place in self.places)
        if not npi.is_valid(number_text):
            self.tally.reject(number, number_text, "NPI is not valid")
            return None
        year = self.year(year)
        if school.upper() in NO_SCHOOL and year == NULL:
            self.tally.skipped += 1
            return None
        if self.previous == (number_text, school, year):
            self.tally.kept += 1
            self.tally.merged += 1
            return None
        self.previous = number_text, school, year
        matched = None if school.upper() in NO_SCHOOL else self.schools.find(school, credential)
        if matched is None and school.upper() not in NO_SCHOOL:
            self.tally.warnings["schools not on our list"] += 1
        return [f"{number_text}\t{school[:200]}\t{matched or NULL}\t{year}\t{self.run_id}\t{number}"]

    def year(self, text: str) -> str:
        if not text:
            return NULL
        if not text.isascii() or not text.isdigit() or int(text) not in YEARS:
            self.tally.warnings["graduation years unreadable, left blank"] += 1
            return NULL
        return str(int(text))

    def merge(self) -> None:
        """One row for each NPI, the one that says most. What its rows disagree about is no fact."""
        table = f'"{self.tables[0].new}"'
        execute("DROP TABLE IF EXISTS merging")
        execute(
            f"""
            CREATE TEMPORARY TABLE merging AS
            SELECT line_no,
                   row_number() OVER (
                       PARTITION BY npi ORDER BY school_id IS NULL, grad_year IS NULL, line_no
                   ) AS place,
                   CASE WHEN min(school_id) OVER person = max(school_id) OVER person
                       THEN min(school_id) OVER person END AS school_id,
                   CASE WHEN min(grad_year) OVER person = max(grad_year) OVER person
                       THEN min(grad_year) OVER person END AS grad_year
            FROM {table}
            WHERE npi IN (SELECT npi FROM {table} GROUP BY npi HAVING count(*) > 1)
            WINDOW person AS (PARTITION BY npi)
            """  # noqa: S608
        )
        execute(
            f"UPDATE {table} AS kept SET school_id = best.school_id, grad_year = best.grad_year"  # noqa: S608
            " FROM merging AS best WHERE best.place = 1 AND kept.line_no = best.line_no"
        )
        self.tally.merged += execute(
            f"DELETE FROM {table} USING merging WHERE place > 1 AND {table}.line_no = merging.line_no"  # noqa: S608
        )
        execute("DROP TABLE merging")

    def summary(self) -> str:
        people, matched, dated = counts(
            self.tables[0].new, "true", "school_id IS NOT NULL", "grad_year IS NOT NULL"
        )
        return f"{people:,} people: {matched:,} with a school on our list, {dated:,} with a graduation year"
