"""The course of imports: refusals, stopping, killing, two at once, swapping, weekly files."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import DatabaseError, IntegrityError, connection, transaction

from verification.imports import staging
from verification.imports.nppes import NppesImporter
from verification.models import Exclusion, ImportRun, Provider, ProviderLicense, Reject
from verification.tests.big_nppes import write
from verification.tests.registry_files import (
    SAMPLES,
    load,
    nppes_file,
    number,
    person,
    start,
    stub,
)

SAMPLE = SAMPLES / "nppes_sample.csv"


def tables(pattern: str = "%") -> set[str]:
    """Registry tables, indexes and sequences of these names as the database has them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relname ~ '^(verification_|provider_|exclusion_|education_)' AND relname LIKE %s",
            [pattern],
        )
        return {name for (name,) in cursor.fetchall()}


def definition(table: str) -> list[tuple]:
    """Columns, indexes and constraints of a table, with the names the migrations know."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1, attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " UNION ALL SELECT 2, indexname::text, indexdef FROM pg_indexes WHERE tablename = %s"
            " UNION ALL SELECT 3, conname::text, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass"
            " UNION ALL SELECT 4, pg_get_serial_sequence(%s, 'id'), '' WHERE %s = 'verification_exclusion'"
            " UNION ALL SELECT 5, relpersistence::text, '' FROM pg_class WHERE oid = %s::regclass ORDER BY 1, 2, 3",
            [table] * 6,
        )
        return cursor.fetchall()


# Refusals


@pytest.mark.django_db
def test_the_same_file_is_refused_in_one_line_and_changes_nothing():
    load("import_nppes", SAMPLE)
    before = set(Provider.objects.values_list("pk", "run_id"))

    with pytest.raises(
        CommandError, match=r"^nppes_sample.csv was already loaded on .* \(run \d+\)\. Nothing was"
    ) as refusal:
        load("import_nppes", SAMPLE)

    assert "\n" not in str(refusal.value)
    assert refusal.value.returncode == 1
    assert set(Provider.objects.values_list("pk", "run_id")) == before
    assert ImportRun.objects.count() == 1


@pytest.mark.django_db
def test_the_same_content_under_another_name_or_in_a_pipe_is_refused_too(tmp_path, monkeypatch):
    load("import_nppes", SAMPLE)
    copy = tmp_path / "renamed.csv"
    copy.write_bytes(SAMPLE.read_bytes())

    with pytest.raises(CommandError, match="already loaded"):
        load("import_nppes", copy)
    with SAMPLE.open() as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        with pytest.raises(CommandError, match="standard input was already loaded"):
            load("import_nppes", "-")

    assert not tables("%_new%")


@pytest.mark.django_db
def test_asked_to_a_file_is_loaded_again():
    load("import_nppes", SAMPLE)

    load("import_nppes", SAMPLE, again=True)

    assert list(ImportRun.objects.order_by("pk").values_list("state", flat=True)) == ["replaced", "loaded"]
    assert Provider.objects.count() == 256


@pytest.mark.django_db
def test_no_two_runs_of_one_file_count_as_loaded():
    run = {"source": "nppes", "sha256": "a" * 64, "state": "loaded", "finished_at": "2026-01-01T00:00Z"}
    ImportRun.objects.create(**run)

    with pytest.raises(IntegrityError, match="import_loaded_once"), transaction.atomic():
        ImportRun.objects.create(**run)


@pytest.mark.django_db
def test_the_database_refuses_an_npi_with_a_wrong_check_digit():
    fields = {"is_physician": True, "is_resident": False, "run_id": 1}
    Provider.objects.create(npi="1234567893", **fields)

    with pytest.raises(IntegrityError, match="provider_npi_is_valid"), transaction.atomic():
        Provider.objects.create(npi="1234567898", **fields)


@pytest.mark.django_db
def test_a_file_with_far_fewer_physicians_is_refused(tmp_path):
    load("import_nppes", nppes_file(tmp_path / "whole.csv", [person(serial) for serial in range(100)]))
    fewer = nppes_file(tmp_path / "part.csv", [person(serial) for serial in range(94)])

    with pytest.raises(
        CommandError, match=r"94 where the live registry has 100: 6\.0 % fewer, more than --max-drop 5"
    ):
        load("import_nppes", fewer)

    assert Provider.objects.count() == 100
    assert ImportRun.objects.get(state="failed").note.startswith("The file has 94")
    load("import_nppes", fewer, max_drop=10)
    assert Provider.objects.count() == 94


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "reason"), [("", "is empty"), ("a,b\n1,2\n", "lacks the columns: NPI, Entity Type")]
)
def test_a_file_that_is_something_else_is_refused(tmp_path, content, reason):
    path = tmp_path / "file.csv"
    path.write_text(content)

    with pytest.raises(CommandError, match=reason):
        load("import_nppes", path)

    assert not tables("%_new%")


@pytest.mark.django_db
def test_a_dry_run_counts_everything_and_changes_nothing():
    out = load("import_nppes", SAMPLE, dry_run=True)

    assert "230 physicians" in out
    assert "DRY RUN" in out
    assert not Provider.objects.exists()
    assert not ImportRun.objects.exists()
    assert not tables("%_new%")


@pytest.mark.django_db
def test_a_dry_run_says_that_a_real_one_would_be_refused():
    load("import_nppes", SAMPLE)

    assert "A real run would refuse it" in load("import_nppes", SAMPLE, dry_run=True)


@pytest.mark.django_db
def test_rejects_are_kept_for_the_latest_run_only(tmp_path):
    load("import_nppes", nppes_file(tmp_path / "one.csv", [person(1, npi="1"), person(2)]))
    load("import_nppes", nppes_file(tmp_path / "two.csv", [person(1, npi="2"), person(2)]))

    assert [reject.npi_raw for reject in Reject.objects.all()] == ["2"]


# The swap


@pytest.mark.django_db
def test_after_three_imports_tables_are_defined_as_migrated(tmp_path):
    names = (
        "verification_provider",
        "verification_providerlicense",
        "verification_exclusion",
        "verification_education",
    )
    before = [definition(name) for name in names]

    for _ in range(3):
        load("import_nppes", SAMPLE, again=True)
        load("import_clinicians", SAMPLES / "clinicians_sample.csv", again=True)
        load("import_leie", SAMPLES / "leie_sample.csv", again=True)

    assert [definition(name) for name in names] == before
    assert not tables("%_new%")
    Exclusion.objects.create(last_name="X", last_key="x", excltype="1128a1", run_id=1)


@pytest.mark.django_db
def test_the_table_before_the_last_import_is_kept_until_the_next(tmp_path):
    load("import_nppes", nppes_file(tmp_path / "one.csv", [person(1)]))
    load("import_nppes", nppes_file(tmp_path / "two.csv", [person(2)]))

    with connection.cursor() as cursor:
        cursor.execute("SELECT npi FROM verification_provider_old")
        assert cursor.fetchall() == [(number(1),)]


@pytest.mark.django_db
def test_grants_go_with_the_name_of_the_table():
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE sermo_reader_of_tests")
        cursor.execute("GRANT SELECT ON verification_provider TO sermo_reader_of_tests")

        load("import_nppes", SAMPLE)

        cursor.execute(
            "SELECT has_table_privilege('sermo_reader_of_tests', 'verification_provider', 'SELECT')"
        )
        assert cursor.fetchone() == (True,)
        cursor.execute(
            "SELECT has_table_privilege('sermo_reader_of_tests', 'verification_provider', 'INSERT')"
        )
        assert cursor.fetchone() == (False,)


@pytest.mark.django_db
def test_a_role_that_does_not_own_the_tables_is_told_so():
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE sermo_server_of_tests")
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO sermo_server_of_tests")
        cursor.execute("SET ROLE sermo_server_of_tests")

        with pytest.raises(
            CommandError, match=r"does not own the table verification_provider.*MIGRATE_DATABASE_URL"
        ):
            load("import_nppes", SAMPLE)

        cursor.execute("RESET ROLE")


@pytest.mark.django_db(transaction=True)
def test_a_reader_in_the_way_delays_the_swap_and_then_stops_the_import(monkeypatch, tmp_path):
    monkeypatch.setattr(staging, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(staging, "SWAP_TRIES", 2)
    load("import_nppes", nppes_file(tmp_path / "one.csv", [person(1)]))
    two = nppes_file(tmp_path / "two.csv", [person(1), person(2)])
    reader = connection.copy()
    reader.set_autocommit(False)
    reader.cursor().execute("SELECT count(*) FROM verification_provider")

    with pytest.raises(CommandError, match="in use for too long"):
        load("import_nppes", two)
    reader.close()

    assert Provider.objects.count() == 1
    assert not tables("%_new%")
    load("import_nppes", two)
    assert Provider.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_error_of_the_database_is_recorded_and_changes_nothing(monkeypatch):
    load("import_nppes", SAMPLE)
    monkeypatch.setattr(staging.StagedTable, "finish", lambda self: staging._execute("SELECT 1 / 0"))

    with pytest.raises(DatabaseError):
        load("import_nppes", SAMPLE, again=True)

    assert ImportRun.objects.latest("pk").state == "failed"
    assert Provider.objects.count() == 256
    assert not tables("%_new%")


@pytest.mark.django_db(transaction=True)
def test_stopped_just_after_the_swap_the_run_counts_as_loaded(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(NppesImporter, "report", interrupt)

    with pytest.raises(CommandError, match="the new registry is live"):
        load("import_nppes", SAMPLE)

    assert ImportRun.objects.get().state == "loaded"
    assert Provider.objects.count() == 256


# Other processes


class HalfFed:
    """An import in a process of its own that has read half of a file and waits for the rest."""

    def __init__(self, path):
        self.text = path.read_bytes()
        self.process = start("import_nppes", "-", stdin=subprocess.PIPE, text=False)
        self.process.stdin.write(self.text[: len(self.text) // 2])
        self.process.stdin.flush()
        self.wait_until_reading()

    def wait_until_reading(self):
        deadline = time.monotonic() + 60
        while not self.is_copying():
            assert time.monotonic() < deadline, "the import did not begin"
            assert self.process.poll() is None, self.process.stdout.read()
            time.sleep(0.05)

    def is_copying(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_progress_copy"
                " WHERE relid = to_regclass('verification_provider_new'))"
            )
            return cursor.fetchone()[0]

    def finish(self) -> str:
        return self.process.communicate(self.text[len(self.text) // 2 :], timeout=60)[0].decode()

    def stop(self, how: signal.Signals) -> str:
        self.process.send_signal(how)
        return self.process.communicate(timeout=60)[0].decode()


@pytest.fixture
def half_fed(tmp_path, transactional_db):
    """The sample is live; a larger file is half read."""
    load("import_nppes", SAMPLE)
    write(tmp_path / "big.csv", 4_000)
    running = HalfFed(tmp_path / "big.csv")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate()


def children_of(pid: int) -> list[int]:
    """Processes started by a process, as Linux tells them; none elsewhere."""
    stats = (path.read_text().rsplit(") ", 1) for path in Path("/proc").glob("[0-9]*/stat"))
    return [int(head.split()[0]) for head, tail in stats if int(tail.split()[1]) == pid]


def assert_gone(helpers):
    """Each import has a helper of its own to parse with, where there is a processor for it and /proc to find it in."""
    if Path("/proc/self/stat").exists():
        assert len(helpers) == (os.cpu_count() > 1)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in helpers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in helpers)


def test_a_killed_import_leaves_the_live_table_and_the_next_run_clears_up(half_fed, tmp_path):
    helpers = children_of(half_fed.process.pid)

    half_fed.stop(signal.SIGKILL)

    assert half_fed.process.returncode == -signal.SIGKILL
    assert_gone(helpers)
    assert Provider.objects.count() == 256
    assert ProviderLicense.objects.exclude(number="").count() == 298
    assert tables("%_new%")
    load("import_nppes", tmp_path / "big.csv")
    assert list(ImportRun.objects.order_by("pk").values_list("state", flat=True)) == [
        "loaded",
        "killed",
        "loaded",
    ]
    assert Provider.objects.physicians().count() > 1_500
    assert not tables("%_new%")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_import_says_so_and_leaves_nothing_behind(half_fed, how):
    helpers = children_of(half_fed.process.pid)

    said = half_fed.stop(how)

    assert half_fed.process.returncode == 130
    assert "Stopped. The live registry is unchanged." in said
    assert "Traceback" not in said
    assert_gone(helpers)
    assert ImportRun.objects.latest("pk").state == "stopped"
    assert Provider.objects.count() == 256
    assert not tables("%_new%")


def test_beside_a_running_import_another_is_refused_and_other_sources_go_on(half_fed, tmp_path):
    with pytest.raises(CommandError, match="Another import of NPPES is running"):
        load("import_nppes", SAMPLE, again=True)
    load("import_leie", SAMPLES / "leie_sample.csv")

    assert Exclusion.objects.count() == 10
    half_fed.finish()
    assert half_fed.process.returncode == 0
    assert ImportRun.objects.filter(source="nppes").latest("pk").state == "loaded"
    assert Provider.objects.physicians().count() > 1_500


# Weekly files


@pytest.fixture
def monthly(tmp_path, db):
    rows = [person(1), person(2), person(3), person(4), person(5, updated="12/01/2025")]
    load("import_nppes", nppes_file(tmp_path / "month.csv", rows))


@pytest.mark.usefixtures("monthly")
def test_a_weekly_file_brings_people_up_to_date(tmp_path):
    rows = [
        person(1, last="NEWNAME", updated="05/01/2025", license="ME999"),
        person(2),
        stub(3, "05/02/2025"),
        person(5, last="STALE", updated="11/01/2025"),
        person(6),
        stub(7, "05/02/2025"),
    ]

    out = load("import_nppes", nppes_file(tmp_path / "week.csv", rows), weekly=True)

    people = {provider.pk: provider for provider in Provider.objects.all()}
    assert len(people) == 7
    assert people[number(1)].last_name == "NEWNAME"
    assert people[number(1)].licenses().get().number == "ME999"
    assert people[number(2)].run_id != people[number(1)].run_id
    assert (people[number(3)].last_name, people[number(3)].is_active) == ("FERNWICK", False)
    assert people[number(5)].last_name == "FERNWICK"
    assert "2 people new or changed" in out
    assert ImportRun.objects.latest("pk").weekly
    assert not tables("%_new%")


@pytest.mark.usefixtures("monthly")
def test_a_weekly_file_is_refused_the_second_time_and_harmless_when_forced(tmp_path):
    week = nppes_file(tmp_path / "week.csv", [person(1, last="NEWNAME", updated="05/01/2025")])
    load("import_nppes", week, weekly=True)

    with pytest.raises(CommandError, match="already loaded"):
        load("import_nppes", week, weekly=True)
    assert "0 people new or changed" in load("import_nppes", week, weekly=True, again=True)

    assert Provider.objects.count() == 5


@pytest.mark.django_db
def test_a_weekly_file_needs_a_registry_to_bring_up_to_date(tmp_path):
    with pytest.raises(CommandError, match="load a full file first"):
        load("import_nppes", nppes_file(tmp_path / "week.csv", [person(1)]), weekly=True)
