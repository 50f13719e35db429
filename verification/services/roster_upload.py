"""A board's roster that staff bring as a file: checked, or loaded, and whoever loaded it is on record."""

import io
import re
import tempfile
from pathlib import Path

from django.core.management.base import OutputWrapper
from django.db import transaction

from accounts.models import User
from sermo.errors import RuleBroken
from verification import rules
from verification.imports.boards import BoardImporter
from verification.imports.frame import Options, hold_until_commit
from verification.imports.refusals import ImportRefused
from verification.models import ImportRun
from verification.services import events

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_ZIP = b"PK"
MOST_IN_NAME = 80
AGAIN = "Load it even if it was loaded before"  # a box of the desk's form
FEWER = "Fewer by at most, %"  # and a field of it
ON_THE_DESK = {"again_words": f'to load it once more, tick "{AGAIN}"', "max_drop_words": f'"{FEWER}"'}


class Refused(RuleBroken):
    message = "This file cannot be loaded. Nothing was changed."


class TooLarge(Refused):
    message = "The file is larger than this page takes. Load it with manage.py import_board."


def load(
    *,
    by: User,
    state: str,
    name: str,
    data: bytes,
    dry_run: bool = False,
    max_drop: float = 5.0,
    again: bool = False,
) -> str:
    """Load a roster as `manage.py import_board` does; what was read and found, in lines.

    `max_drop`: percent fewer licenses than are live at which it stops. `again`: also a file that was loaded before.
    Raises Refused with the importer's own sentence (a file loaded before, missing columns, far fewer licenses, another
    import under way) and TooLarge; a refused run is listed among the imports, and the live rows are as they were.
    """
    if len(data) > rules.ROSTER_BYTES:
        raise TooLarge
    if data.startswith(_ZIP):  # of which nobody knows how large it becomes
        raise Refused("This is a ZIP or a workbook. Save the table as CSV. Nothing was changed.")
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _file_name(name)
        path.write_bytes(data)
        options = Options(dry_run=dry_run, max_drop=max_drop, again=again, **ON_THE_DESK)
        refusal = _run(by, state, path, options, said)
    if refusal:
        raise Refused(refusal)
    return said.getvalue().strip()


@transaction.atomic
def _run(by: User, state: str, path: Path, options: Options, said: io.StringIO) -> str:
    """The importer's refusal, or nothing. One transaction, so that it works through a pooler of connections too; what
    is refused is returned rather than raised, since the record of that run is to stay.
    """
    if not hold_until_commit(ImportRun.Source.BOARD):
        return "Another import of a state's roster is running. Nothing was changed."
    try:
        importer = BoardImporter(state, str(path), options, OutputWrapper(said))
        importer.run()
    except ImportRefused as refused:
        return str(refused)
    if not options.dry_run:
        events.record(
            kind="roster_loaded", by=by, object=f"roster:{state}", key=f"roster_loaded:{importer.run_id}"
        )
    return ""


def _file_name(name: str) -> str:
    """The name it came under as far as it is a plain one: it stands on the list of imports, and may hold a date."""
    plain = _NOT_IN_NAMES.sub("_", name).lstrip("._-")[-MOST_IN_NAME:]
    return plain or "roster.csv"
