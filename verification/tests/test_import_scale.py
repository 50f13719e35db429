"""How fast the big imports are and what they take: `pytest -m scale -s verification/tests/test_import_scale.py`."""

import re

import pytest

from verification.models import ImportRun, LicenseStatus, Provider
from verification.tests.big_nppes import write
from verification.tests.registry_files import start
from verification.tests.roster_files import big_texas

ROWS = 400_000
ROWS_PER_SECOND = 30_000
CLIENT_MEGABYTES = 150
ROSTER_ROWS = 500_000
ROSTER_ROWS_PER_SECOND = 5_000
TRIES = 3  # what else the machine does counts against the import, so the best of three is its speed


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
def test_the_registry_imports_at_thirty_thousand_rows_a_second_in_little_memory(tmp_path):
    expected = write(tmp_path / "big.csv", ROWS)

    measured = [run_and_measure(tmp_path / "big.csv", "import_nppes") for _ in range(TRIES)]

    for speed, megabytes in measured:
        print(f"{speed:,} rows/s, {megabytes:.0f} MB")
    assert max(speed for speed, _ in measured) >= ROWS_PER_SECOND
    assert max(megabytes for _, megabytes in measured) < CLIENT_MEGABYTES
    run = ImportRun.objects.latest("pk")
    assert (run.state, run.rows_read, run.rows_merged) == ("loaded", ROWS, expected.merged)
    assert Provider.objects.physicians().count() == expected.physicians


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
def test_a_roster_of_half_a_million_takes_a_second_or_two_for_ten_thousand(tmp_path):
    """Loaded into an empty table, then again with a tenth of it changed, which is an upsert of all."""
    first = big_texas(tmp_path / "first.csv", ROSTER_ROWS)
    second = big_texas(tmp_path / "second.csv", ROSTER_ROWS, changed=ROSTER_ROWS // 10)

    measured = [run_and_measure(path, "import_board", "tx") for path in (first, second)]

    for speed, megabytes in measured:
        print(f"{speed:,} rows/s, {megabytes:.0f} MB")
    assert min(speed for speed, _ in measured) >= ROSTER_ROWS_PER_SECOND
    assert max(megabytes for _, megabytes in measured) < 2 * CLIENT_MEGABYTES
    assert LicenseStatus.objects.count() == ROSTER_ROWS
    assert LicenseStatus.objects.filter(status__startswith="Suspended").count() == ROSTER_ROWS // 10


def run_and_measure(path, *command) -> tuple[int, float]:
    """(rows per second from the first byte to the end of the swap, peak resident megabytes of the import).

    The memory is that of the import's larger process; the parsing process takes some 30 MB more.
    """
    process = start("-c", MEASURED, "manage.py", *command, path, "--again", program=[])
    said = process.communicate()[0]
    assert process.returncode == 0, said
    speed, kilobytes = re.search(r"\(([0-9,]+) rows/s.*peak ([0-9]+)", said, re.DOTALL).groups()
    return int(speed.replace(",", "")), int(kilobytes) / 1024


# Started from a small process, since Linux counts a parent's memory at the fork as its child's.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call([sys.executable, *sys.argv[1:]])
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
