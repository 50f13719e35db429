"""What becomes of the rows of an NPPES file."""

import zipfile

import pytest
from django.core.management import CommandError

from verification.imports import frame
from verification.models import ImportRun, Provider, ProviderLicense, Reject
from verification.tests.big_nppes import header, write
from verification.tests.registry_files import SAMPLES, load, nppes_file, number, person, slot, stub

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path):
    return tmp_path / "npidata_pfile_20050523-20260308.csv"


def test_the_sample_loads_as_its_description_says():
    out = load("import_nppes", SAMPLES / "nppes_sample.csv")

    assert "230 physicians, 18 residents, 8 deactivated NPIs" in out
    assert Provider.objects.count() == 256
    assert Provider.objects.physicians().active().count() == 230
    assert sum(provider.degree == "DO" for provider in Provider.objects.physicians()) == 42
    run = ImportRun.objects.get()
    assert (run.state, run.rows_read, run.rows_kept, run.rows_skipped, run.rows_rejected) == (
        "loaded",
        300,
        256,
        44,
        0,
    )


def test_a_physician_arrives_with_every_fact(path):
    row = person(
        7,
        middle="J",
        other_last="OLDNAME",
        reactivated="",
        **slot(3, "207RC0000X", "35.045682", "OH"),
    )
    load("import_nppes", nppes_file(path, [row]))

    provider = Provider.objects.get(pk=number(7))

    assert (provider.last_name, provider.first_name, provider.middle_name) == ("FERNWICK", "MAGNUS", "J")
    assert (provider.name_key, provider.other_name_key) == ("fernwick magnus", "oldname magnus")
    assert (provider.practice_city, provider.practice_state, provider.practice_zip) == (
        "TAMPA",
        "FL",
        "336015479",
    )
    assert (str(provider.enumerated_on), str(provider.updated_on)) == ("2012-06-15", "2025-04-16")
    assert (provider.is_physician, provider.is_resident, provider.is_active) == (True, False, True)
    assert list(
        provider.licenses().values_list("slot", "taxonomy", "number", "number_key", "state", "is_primary")
    ) == [
        (1, "207R00000X", "ME780618", "780618", "FL", True),
        (3, "207RC0000X", "35.045682", "35045682", "OH", False),
    ]
    run = ImportRun.objects.get()
    assert (str(run.file_date), provider.run) == ("2026-03-08", run)


def test_the_header_is_mapped_by_name_in_older_files_too(path):
    older = [{"Provider Sex Code": "Provider Gender Code"}.get(name, name) for name in header()[:-1]]

    load("import_nppes", nppes_file(path, [person()], older))

    assert len(older) == 329
    assert Provider.objects.get().last_name == "FERNWICK"


def test_columns_may_stand_in_another_order(path):
    load("import_nppes", nppes_file(path, [person(), person(2, entity="2")], list(reversed(header()))))

    assert ProviderLicense.objects.get().number == "ME780618"


def test_missing_columns_are_listed(path):
    columns = [name for name in header() if name not in ("Entity Type Code", "Last Update Date")]

    with pytest.raises(CommandError, match="lacks the columns: Entity Type Code, Last Update Date"):
        load("import_nppes", nppes_file(path, [], columns))


def test_values_without_quotes_are_read_too(path):
    nppes_file(path, [person(), person(2, code="363L00000X"), stub(3, "01/06/2019")])
    path.write_text(path.read_text().replace('"', ""))

    load("import_nppes", path)

    assert set(Provider.objects.values_list("pk", flat=True)) == {number(1), number(3)}


def test_organizations_and_other_professions_are_skipped(path):
    rows = [
        person(1, entity="2"),
        person(2, code="363L00000X"),
        person(3, code="204E00000X"),
        person(4, code="207SG0205X"),
        person(5, code="2085R0205X"),
    ]

    out = load("import_nppes", nppes_file(path, rows))

    assert not Provider.objects.exists()
    assert "skipped   5" in out


def test_an_unknown_code_of_the_grouping_is_a_physicians(path):
    load("import_nppes", nppes_file(path, [person(code="20ZZ99999X")]))

    assert Provider.objects.get().is_physician


@pytest.mark.parametrize(
    ("slots", "is_physician", "is_resident"),
    [
        (slot(1, "390200000X", switch="Y"), False, True),
        (slot(1, "207R00000X", "ME1", "FL", "Y") | slot(2, "390200000X"), True, False),
        (slot(1, "207R00000X", "ME1", "FL") | slot(2, "390200000X", switch="Y"), True, True),
    ],
    ids=["resident", "was a resident", "in a fellowship"],
)
def test_residents_are_flagged(path, slots, is_physician, is_resident):
    load("import_nppes", nppes_file(path, [person(**slots)]))

    provider = Provider.objects.get()
    assert (provider.is_physician, provider.is_resident) == (is_physician, is_resident)


def test_both_forms_of_a_deactivated_npi_are_inactive(path):
    rows = [
        stub(1, "01/06/2019"),
        person(2, deactivated="01/06/2019"),
        person(3, entity="", deactivated="01/06/2019"),
    ]

    load("import_nppes", nppes_file(path, rows))

    assert not Provider.objects.active().exists()
    assert not Provider.objects.get(pk=number(1)).is_physician
    assert Provider.objects.get(pk=number(3)).last_name == "FERNWICK"


def test_a_reactivated_npi_is_active(path):
    rows = [
        person(1, deactivated="01/06/2019", reactivated="01/06/2019"),
        person(2, deactivated="01/06/2019", reactivated="01/05/2019"),
    ]

    load("import_nppes", nppes_file(path, rows))

    assert [provider.pk for provider in Provider.objects.active()] == [number(1)]
    assert Provider.objects.get(pk=number(1)).is_active
    assert not Provider.objects.get(pk=number(2)).is_active


def test_a_row_that_says_nothing_at_all_is_rejected(path):
    load("import_nppes", nppes_file(path, [{"NPI": number(1)}]))

    assert Reject.objects.get().reason == "neither entity type nor deactivation date"


def test_bad_numbers_and_widths_are_rejected_and_the_rest_is_loaded(path):
    nppes_file(path, [person(1, npi="1234567898"), person(2, npi="12345"), person(3)])
    with path.open("a") as out:
        out.write('"2900000049","1","SHORT","207R00000X"\n')
        out.write('"2900000056","1","NEVER CLOSED,"207R00000X"\n')
        out.write("\n")

    text = load("import_nppes", path)

    assert Provider.objects.get().pk == number(3)
    assert list(Reject.objects.order_by("line_no").values_list("line_no", "npi_raw", "reason")) == [
        (2, "1234567898", "NPI is not valid"),
        (3, "12345", "NPI is not valid"),
        (5, "2900000049", "wrong number of columns"),
        (6, "2900000056", "a quotation is never closed"),
    ]
    assert "rejected  4: 2 NPI is not valid, 1 a quotation is never closed, 1 wrong number of columns" in text
    assert ImportRun.objects.get().reject_counts["NPI is not valid"] == 2


def test_quotes_line_breaks_tabs_and_backslashes_inside_values_do_no_harm(path):
    rows = [
        person(1, middle='J "JACK" \\N'),
        person(2, street="BUILDING A\nSTE 100", city="SAINT\n PAUL"),
        person(3, middle="A\tB\\", street='say ""hi""'),
        person(4, middle='","'),
    ]

    load("import_nppes", nppes_file(path, rows))

    assert [provider.middle_name for provider in Provider.objects.order_by("pk")] == [
        'J "JACK" /N',
        "",
        "A B/",
        '","',
    ]
    assert Provider.objects.get(pk=number(2)).practice_city == "SAINT PAUL"


def test_letters_outside_ascii_are_kept_and_found(path):
    load(
        "import_nppes",
        nppes_file(path, [person(1, last="MÜLLER"), person(2, last="NU\u200bN\u0303EZ\u00a0 CO")]),
    )

    assert list(Provider.objects.order_by("pk").values_list("last_name", "name_key")) == [
        ("MÜLLER", "muller magnus"),
        ("NUÑEZ CO", "nunezco magnus"),
    ]


def test_text_that_is_not_utf_8_is_read_as_windows_1252_with_a_warning(path):
    nppes_file(path, [person(last="MÜLLER")])
    path.write_bytes(path.read_bytes().replace("Ü".encode(), b"\xdc"))

    out = load("import_nppes", path)

    assert Provider.objects.get().last_name == "MÜLLER"
    assert "1 not UTF-8" in out


def test_a_value_longer_than_the_layout_allows_is_cut(path):
    load("import_nppes", nppes_file(path, [person(last="X" * 500, license="9" * 500)]))

    assert Provider.objects.get().last_name == "X" * 60


def test_bad_dates_are_left_blank_with_a_warning(path):
    out = load("import_nppes", nppes_file(path, [person(enumerated="02/30/2012", updated="yesterday")]))

    provider = Provider.objects.get()
    assert (provider.enumerated_on, provider.updated_on) == (None, None)
    assert "2 dates unreadable" in out


@pytest.mark.parametrize("mask", ["$$$$$$$$$", "*********", "_________", "N/A"])
def test_masked_license_numbers_are_dropped(path, mask):
    load("import_nppes", nppes_file(path, [person(license=mask)]))

    found = ProviderLicense.objects.get()
    assert (found.number, found.number_key, found.state) == ("", "", "FL")


def test_of_duplicates_the_latest_update_stays_with_its_licenses(path):
    rows = [
        person(1, last="FIRST", updated="01/01/2024", license="ME1"),
        person(1, last="LATEST", updated="12/30/2025", license="ME2"),
        person(1, last="BETWEEN", updated="06/01/2025", license="ME3"),
        person(2),
    ]

    out = load("import_nppes", nppes_file(path, rows))

    provider = Provider.objects.get(pk=number(1))
    assert (provider.last_name, provider.conflict) == ("LATEST", False)
    assert provider.licenses().get().number == "ME2"
    assert "merged    2 duplicates" in out
    assert ImportRun.objects.get().rows_kept == 2


def test_two_names_on_one_day_are_flagged_as_a_conflict(path):
    load("import_nppes", nppes_file(path, [person(1, last="ONE"), person(1, last="OTHER")]))

    assert Provider.objects.get().conflict
    assert ProviderLicense.objects.count() == 1


def test_one_name_written_twice_is_no_conflict(path):
    load("import_nppes", nppes_file(path, [person(1, last="O'BRIEN"), person(1, last="OBRIEN")]))

    assert not Provider.objects.get().conflict


def test_a_stub_beside_a_full_row_deactivates_it(path):
    load("import_nppes", nppes_file(path, [person(1), stub(1, "08/05/2025")]))

    provider = Provider.objects.get()
    assert (provider.last_name, provider.is_active, provider.conflict) == ("FERNWICK", False, False)


def test_a_zip_loads_like_its_table(path, tmp_path):
    nppes_file(path, [person()])
    archive = tmp_path / "NPPES.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.write(path, path.name)

    load("import_nppes", archive)

    assert Provider.objects.count() == 1
    assert ImportRun.objects.get().file_name == path.name


def test_a_generated_file_with_all_kinds_of_dirt_loads_as_counted(path):
    expected = write(path, 4_000, seed=5)

    load("import_nppes", path)

    run = ImportRun.objects.get()
    found = (run.rows_read, run.rows_skipped, run.rows_rejected, run.rows_merged)
    assert found == (expected.rows, expected.skipped, expected.rejected, expected.merged)
    assert Provider.objects.physicians().count() == expected.physicians
    assert Provider.objects.filter(is_resident=True).count() == expected.residents
    assert Provider.objects.filter(name_key="").count() == expected.stubs
    assert Provider.objects.filter(conflict=True).count() == expected.conflicts
    assert min(expected.rejected, expected.merged, expected.conflicts, expected.stubs) > 0


def test_a_big_file_parsed_in_a_second_process_loads_the_same(path, monkeypatch):
    write(path, 2_000, seed=7)
    load("import_nppes", path)
    alone, run_alone = table_rows(), ImportRun.objects.latest("pk")
    monkeypatch.setattr(frame, "BIG", 0)
    monkeypatch.setattr(frame, "parse_here", None)
    monkeypatch.setattr(frame.os, "cpu_count", lambda: 2)

    load("import_nppes", path, again=True)

    run = ImportRun.objects.latest("pk")
    assert table_rows() == alone
    assert (run.rows_skipped, run.reject_counts, run.warning_counts) == (
        run_alone.rows_skipped,
        run_alone.reject_counts,
        run_alone.warning_counts,
    )


def table_rows() -> tuple[list, list]:
    names = [field.attname for field in Provider._meta.concrete_fields if field.name != "run"]
    slots = [field.attname for field in ProviderLicense._meta.concrete_fields]
    return list(Provider.objects.order_by("pk").values_list(*names)), list(
        ProviderLicense.objects.order_by("npi", "slot").values_list(*slots)
    )
