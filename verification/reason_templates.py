"""Ready sentences for decisions. Choosing one fills in the reason and the words, which a reviewer then edits.

They stand in data/reason_templates.csv: the page (of a claim, or of a license that is held), the act, a reason of
`Decision.Reason`, a short name for the button, the words to the applicant or member (none where the act says it all),
and the note for reviewers. None of them names anybody.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "reason_templates.csv"
CLAIM, LICENSE = "claim", "license"
ACTS = {CLAIM: ("approve", "ask", "reject"), LICENSE: ("keep", "ask", "suspend", "revoke", "retire")}


@dataclass(frozen=True)
class Template:
    """`key` names it in a form; `number`, from 1, is its place among those of its act and the key that chooses it."""

    key: str
    number: int
    page: str
    act: str
    reason: str
    name: str
    words: str
    note: str


@cache
def templates() -> tuple[Template, ...]:
    """All of them, in the order of the file."""
    found: list[Template] = []
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number = 1 + sum((each.page, each.act) == (row["page"], row["act"]) for each in found)
            found.append(Template(key=f"{row['page']}-{row['act']}-{number}", number=number, **row))
    return tuple(found)


def templates_by_act(page: str) -> list[tuple[str, list[Template]]]:
    own = [each for each in templates() if each.page == page]
    return [(act, [each for each in own if each.act == act]) for act in ACTS[page]]


def template(key: str) -> Template | None:
    return next((each for each in templates() if each.key == key), None)
