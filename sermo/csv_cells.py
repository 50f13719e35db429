"""Tables for spreadsheets: every cell quoted, letters right, and no cell a formula."""

import csv
import io
from collections.abc import Iterable

BYTE_ORDER_MARK = "\ufeff"  # by which Excel knows UTF-8
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # how a cell begins that a spreadsheet would run
CONTROL = ("\t", "\r", "\n")


def harmless(cell: str) -> str:
    """Text stays text: an apostrophe before what would begin a formula, also after spaces and in wide letters."""
    return f"'{cell}" if cell.lstrip().startswith(FORMULA) or cell.startswith(CONTROL) else cell


def line_of(cells: Iterable) -> str:
    """One line of a table, each cell in quotes. Text that people typed goes through `harmless` first."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(cells)
    return written.getvalue()
