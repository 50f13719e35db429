"""What is forgotten, and when: one table of rules, to which each app adds its own in its module `retention`.

`verification.services.retention` carries them out each night, or each hour, and writes down what came of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

HEAD = """\
# What is forgotten, and when

Made from the rules themselves by `manage.py enforce_retention --table > docs/retention.md`; a test keeps it true. Each
night, or each hour where its row says so, every rule is carried out by itself, and what it removed, or why it could
not, stands on the desk under Incidents.
Whoever closes their account does not wait for any of this (docs/decisions/0005).

| rule | what | kept | why |
| --- | --- | --- | --- |
"""
FOOT = """
What is in none of these rows is kept: what members wrote until they take it back or leave, the books and the trail of
events for good, and the record of incidents for at least six years (45 CFR 164.316(b)(2) and 164.530(j)).
"""


@dataclass(frozen=True)
class Rule:
    """One row of the table. `kept` and `why` are words for people.

    `enforce` removes what is past its time and returns how many that were; `left` counts what was past its time at a
    moment and still stands. `is_hourly`: a night is too long to wait for it.
    """

    name: str
    what: str
    kept: str
    why: str
    enforce: Callable[[], int]
    left: Callable[[datetime], int]
    is_hourly: bool = False


_rules: dict[str, Rule] = {}


def register(name: str, **said) -> None:
    """Add a rule; its name begins with its app, as in "accounts.mail", and has at most 40 characters."""
    if len(name) > 40 or name.partition(".")[0] not in settings.LOCAL_APPS:
        raise ValueError(f"{name} is no name of a rule.")
    _rules[name] = Rule(name=name, **said)


def rules() -> list[Rule]:
    """All of them, in the order of the apps."""
    places = {app: place for place, app in enumerate(settings.LOCAL_APPS)}
    return sorted(_rules.values(), key=lambda rule: places[rule.name.partition(".")[0]])


def as_markdown() -> str:
    rows = [f"| `{rule.name}` | {rule.what} | {rule.kept} | {rule.why} |\n" for rule in rules()]
    return HEAD + "".join(rows) + FOOT
