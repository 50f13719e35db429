"""Doctors and Clinicians (CMS): medical school and graduation year, by NPI, of clinicians in Medicare."""

from verification import npi, reference
from verification.imports.cleaning import NULL, clean
from verification.imports.frame import Importer, counts, execute
from verification.imports.parsing import Parser, find_columns, raw_npi
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

    def parser(self, header: list[str]) -> "CliniciansParser":
        if not MedicalSchool.objects.exists():
            reference.load_schools()
        return CliniciansParser(header, self.file.name, SchoolIndex(MedicalSchool.objects.all()), self.run_id)

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


class CliniciansParser(Parser):
    """Makes rows of Education."""

    def __init__(self, header: list[str], file_name: str, schools: SchoolIndex, run_id: int):
        self.places = list(find_columns(header, COLUMNS, file_name).values())
        self.width = len(header)
        self.schools = schools
        self.run_id = run_id
        self.previous: tuple[str, str, str] | None = None

    def starts_record(self, line: bytes) -> object:
        return line[:12].strip(b'"')[:10].isdigit()

    def row(self, number: int, record: bytes, quotes: int) -> tuple[str] | None:
        values = self.split(record)
        if len(values) != self.width:
            self.reject(number, raw_npi(record), "wrong number of columns")
            return None
        npi_text, school, year, credential = (clean(values[place]) for place in self.places)
        if not npi.is_valid(npi_text):
            self.reject(number, npi_text, "NPI is not valid")
            return None
        year = self.year(year)
        is_school = school.upper() not in NO_SCHOOL
        if not is_school and year == NULL:
            self.skip()
            return None
        if self.previous == (npi_text, school, year):
            self.parsed.merged += 1
            return None
        self.previous = npi_text, school, year
        matched = self.schools.find(school, credential) if is_school else None
        if is_school and matched is None:
            self.warn("schools not on our list")
        return (f"{npi_text}\t{school[:200]}\t{matched or NULL}\t{year}\t{self.run_id}\t{number}",)

    def year(self, text: str) -> str:
        if not text:
            return NULL
        if not text.isascii() or not text.isdigit() or int(text) not in YEARS:
            self.warn("graduation years unreadable, left blank")
            return NULL
        return str(int(text))
