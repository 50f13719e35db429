"""Files into records into values: no database."""

import re
import zipfile
from datetime import date
from io import StringIO

import pytest

from verification.imports import source
from verification.imports.cleaning import clean, iso_date
from verification.imports.helper import parse_in_helper
from verification.imports.progress import Progress
from verification.imports.refusals import ImportRefused
from verification.imports.source import UNBALANCED, RegistryFile, records
from verification.tests.failing_parser import FailingParser

BEGINS = re.compile(rb'"[0-9]+",').match


def read(text: bytes) -> list[tuple[int, bytes, int]]:
    return list(records(text.split(b"\n"), starts_record=BEGINS))


def test_a_line_break_in_a_value_stays_in_its_record():
    assert read(b'"1","a\nb"\n"2","c"') == [(2, b'"1","a\nb"', 4), (4, b'"2","c"', 4)]


def test_a_quotation_never_closed_costs_one_row():
    found = read(b'"1","a\n"2","b"\n"3","c"')

    assert found == [(2, b'"1","a', UNBALANCED), (3, b'"2","b"', 4), (4, b'"3","c"', 4)]


def test_a_quotation_open_at_the_end_costs_one_row():
    assert [row[2] for row in read(b'"1","a\nrest of it\nand more')] == [UNBALANCED, 0, 0]


def test_a_stray_mark_where_rows_cannot_be_recognized_costs_one_row():
    lines = [b'5" PIPE,x'] + [b"name,y"] * 50

    found = list(records(lines, starts_record=lambda line: False))

    assert found[0] == (2, b'5" PIPE,x', UNBALANCED)
    assert [row[0] for row in found[1:]] == list(range(3, 53))


def test_blocks_may_end_anywhere(tmp_path, monkeypatch):
    path = tmp_path / "file.csv"
    path.write_bytes(b"\xef\xbb\xbfhead\r\none\r\ntwo\nthree")
    monkeypatch.setattr(source, "BLOCK", 7)

    lines = list(RegistryFile(str(path)).lines())

    assert [line.rstrip(b"\r") for line in lines] == [b"head", b"one", b"two", b"three"]


def test_the_hash_along_the_way_is_that_of_the_file(tmp_path, monkeypatch):
    path = tmp_path / "file.csv"
    path.write_bytes(b"0123456789\n" * 100)
    monkeypatch.setattr(source, "BLOCK", 64)
    along, first = RegistryFile(str(path)), RegistryFile(str(path))

    assert len(list(along.lines())) == 100
    assert along.sha256 == first.hash_now()
    assert list(first.lines())
    assert first.sha256 == along.sha256


def test_the_main_table_of_a_zip_is_streamed(tmp_path):
    path = tmp_path / "NPPES_Data_Dissemination.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("npidata_pfile_20050523-20260308_FileHeader.csv", "header")
        archive.writestr("npidata_pfile_20050523-20260308.csv", "a\nb\n")
        archive.writestr("othername_pfile_20050523-20260308.csv", "other")
        archive.writestr("readme.pdf", "pdf")

    file = RegistryFile(str(path))

    assert list(file.lines()) == [b"a", b"b"]
    assert (file.name, file.file_date) == ("npidata_pfile_20050523-20260308.csv", date(2026, 3, 8))


def test_a_zip_without_one_table_is_refused(tmp_path):
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")

    with pytest.raises(ImportRefused, match=r"one CSV table; found: a\.csv, b\.csv"):
        RegistryFile(str(path))


def test_a_damaged_zip_is_refused(tmp_path):
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "line of text\n" * 1000)
    stored = bytearray(path.read_bytes())
    stored[60] ^= 0xFF
    path.write_bytes(stored)

    with pytest.raises(ImportRefused, match="damaged or unreadable ZIP"):
        list(RegistryFile(str(path)).lines())


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfea\0", "UTF-16"), (b"x" * 300, "it is no CSV")],
    ids=["utf-16", "no line breaks"],
)
def test_what_is_no_csv_text_is_refused(tmp_path, monkeypatch, content, reason):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    monkeypatch.setattr(source, "LONGEST_LINE", 200)

    with pytest.raises(ImportRefused, match=reason):
        list(RegistryFile(str(path)).lines())


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_path_without_a_file_is_refused(tmp_path, name):
    with pytest.raises(ImportRefused):
        RegistryFile(str(tmp_path / name))


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("  JOSÉ\u00a0 LUIS ", "JOSÉ LUIS"),
        ("AN\0NA", "ANNA"),
        ("AN\u200bNA\ufeff", "ANNA"),
        ("Ｓｍｉｔｈ", "Smith"),
        ("JOSE\u0301", "JOSÉ"),
        ("LINE\nBREAK\tTAB", "LINE BREAK TAB"),
        ("C\\O", "C/O"),
    ],
)
def test_values_are_cleaned(dirty, expected):
    assert clean(dirty) == expected


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("04/16/2025", "2025-04-16"),
        ("4/6/2025", "2025-04-06"),
        ("20250416", "2025-04-16"),
        ("2025-04-16", "2025-04-16"),
        ("02/30/2025", None),
        ("13/45/2010", None),
        ("04/16/1025", None),
        ("soon", None),
    ],
)
def test_days_are_read(text, day):
    assert iso_date(text) == day


@pytest.mark.parametrize(("how", "said"), [("error", "no such row"), ("exit", "process died")])
def test_a_parsing_process_that_fails_ends_the_import(how, said):
    with pytest.raises(RuntimeError, match=said):
        list(parse_in_helper(FailingParser(how), [[(2, b"a", 0)]] * 10))


class Terminal(StringIO):
    def isatty(self):
        return True

    def write(self, text, ending="\n"):
        return super().write(text + ending)


def test_a_terminal_shows_one_line_that_is_rewritten():
    out = Terminal()
    with Progress(out, "NPPES", total=1_000_000) as progress:
        progress.started -= 2
        progress.show(1000, 500_000)
        progress.step("merging")

    assert "\n" not in out.getvalue()
    assert "50%" in out.getvalue()
    assert "rows/s" in out.getvalue()
    assert "MB/s" in out.getvalue()


def test_elsewhere_lines_are_few():
    out = StringIO()
    progress = Progress(out, "NPPES", total=None)

    for rows in range(100):
        progress.show(rows, rows)

    assert out.getvalue() == ""
