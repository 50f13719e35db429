"""What can be typed into the search box: words, and operators such as `tag:dialysis`. Nothing here asks the database.

    apixaban "end stage" -warfarin dialysis OR hemodialysis tag:dialysis specialty:"Family Medicine" solved:yes

What no operator is stays a word. An operator that cannot be understood is left out and becomes a hint.
"""

import re
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from questions.models import Question

LONGEST = 300  # characters
MOST_FILTERS = 12
TOKEN = re.compile(r'(?P<minus>-?)(?:(?P<name>[A-Za-z]+):(?P<value>"[^"]*"?|[^\s"]*)|"[^"]*"?|[^\s"]+)')
DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
MEMBERS = "member"
KINDS = {**{kind.value: f"{kind.label}s" for kind in Question.Kind}, MEMBERS: "Members"}
STATUSES = {"open": "Open", "closed": "Closed"}
YES_NO = {"yes": "yes", "y": "yes", "true": "yes", "no": "no", "n": "no", "false": "no"}
ONE_ONLY = ("solved", "status", "after", "before", "author")
WITHOUT_MINUS = ("solved", "after", "before", "state", "author")


@dataclass(frozen=True)
class Filter:
    """One operator with its value as it will be compared: `tag:dialysis`, or `-kind:question` to leave some out."""

    name: str
    value: str
    is_left_out: bool = False

    def __str__(self):
        value = f'"{self.value}"' if " " in self.value else self.value
        return f"{'-' if self.is_left_out else ''}{self.name}:{value}"


@dataclass(frozen=True)
class Typed:
    """A search as typed: words for the full text, filters, and hints on what was not understood."""

    words: str = ""
    filters: tuple[Filter, ...] = ()
    hints: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self):
        return " ".join(filter(None, [self.words, *map(str, self.filters)]))

    def __bool__(self):
        return bool(self.words or self.filters)

    @property
    def has_words(self) -> bool:
        """Whether there is a word to look for, not only words to leave out."""
        return any(not token.startswith("-") for token in self.tokens)

    @property
    def tokens(self) -> list[str]:
        """The words and quoted phrases, without the joining OR."""
        return [match[0] for match in TOKEN.finditer(self.words) if match[0].lower() != "or"]

    @property
    def looked_for(self) -> str:
        """The words to be found, without those to be left out and without signs."""
        return " ".join(token.strip('"') for token in self.tokens if not token.startswith("-"))

    @property
    def has_alternatives(self) -> bool:
        return bool(re.search(r"\bor\b", self.words, re.I))

    @property
    def is_for_members(self) -> bool:
        return Filter("kind", MEMBERS) in self.filters

    def values(self, name: str, *, left_out: bool = False) -> list[str]:
        return [one.value for one in self.filters if one.name == name and one.is_left_out == left_out]

    def value(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)

    def plus(self, name: str, value: str) -> "Typed":
        """The same search narrowed further; of what a discussion has only one of, the last holds."""
        kept = [one for one in self.filters if one.name != name or name not in (*ONE_ONLY, "kind")]
        return replace(self, filters=(*dict.fromkeys([*kept, Filter(name, value)]),))

    def minus(self, *unwanted: Filter) -> "Typed":
        return replace(self, filters=tuple(one for one in self.filters if one not in unwanted))

    def of_kind(self, kind: str) -> "Typed":
        """The same search over one kind, or with "" over all."""
        rest = self.minus(*(one for one in self.filters if one.name == "kind"))
        return rest.plus("kind", kind) if kind else rest


def parse(text: str) -> Typed:
    """Take apart what was typed. Any text will do."""
    words: list[str] = []
    filters: dict[Filter, None] = {}
    hints: dict[str, None] = {}
    after_operator = False
    for token in TOKEN.finditer(text[:LONGEST].replace("\x00", " ")):
        name = (token["name"] or "").lower()
        if name not in READERS:
            words.append(token[0])
            continue
        if words and words[-1].lower() == "or":
            words.pop()
            hints["OR joins words. Operators narrow a search together."] = None
        try:
            filters[_filter(name, token["value"].strip('"').strip(), bool(token["minus"]))] = None
        except ValueError as fault:
            hints[str(fault)] = None
        after_operator = True
    kept = _last_of_each([*filters])
    if len(kept) > MOST_FILTERS:
        hints[f"A search takes {MOST_FILTERS} operators; the rest was left out."] = None
    typed = Typed(" ".join(words), tuple(kept[:MOST_FILTERS]))
    if words and not typed.has_words and not typed.filters:
        hints["Beside what to leave out, a search needs a word to look for."] = None
    if not words and after_operator and not kept:
        hints["Add a word to look for."] = None
    return replace(typed, hints=tuple(hints))


def first_moment(value: str) -> datetime:
    """The start, in UTC, of a day, a month or a year such as 2026-01."""
    year, month, day = DAY.fullmatch(value).groups()
    return datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)


def day_after(moment: datetime) -> str:
    """What to put behind `before:` for what was written until a moment, the whole of its day included."""
    return (moment.astimezone(UTC).date() + timedelta(days=1)).isoformat()


def _last_of_each(filters: list[Filter]) -> list[Filter]:
    last = {one.name: one for one in filters if one.name in ONE_ONLY}
    return [one for one in filters if last.get(one.name, one) == one]


def _filter(name: str, value: str, is_left_out: bool) -> Filter:
    if not value:
        raise ValueError(f"{name}: needs something behind the colon, such as {EXAMPLES[name]}.")
    if is_left_out and name in WITHOUT_MINUS:
        raise ValueError(f"A minus does not go with {name}:.")
    return Filter(name, READERS[name](value), is_left_out)


def _kind(value: str) -> str:
    for kind, label in KINDS.items():
        if value.lower() in (kind, label.lower()):
            return kind
    raise ValueError(f"There is no kind {value}. Kinds are {_either(KINDS)}.")


def _status(value: str) -> str:
    if value.lower() not in STATUSES:
        raise ValueError(f"There is no status {value}. A discussion is {_either(STATUSES)}.")
    return value.lower()


def _solved(value: str) -> str:
    if value.lower() not in YES_NO:
        raise ValueError("solved: is yes or no.")
    return YES_NO[value.lower()]


def _has(value: str) -> str:
    if value.lower() not in ("reference", "references"):
        raise ValueError("has: knows references, as in has:reference.")
    return "reference"


def _day(value: str) -> str:
    found = DAY.fullmatch(value)
    year, month, day = (int(part or 1) for part in found.groups()) if found else (0, 1, 1)
    if not (
        date.min.year < year < date.max.year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
    ):
        raise ValueError(
            f"{value} is no date. Write a year, month or day, such as 2026, 2026-01 or 2026-01-31."
        )
    return value


def _either(words) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


READERS = {
    "tag": lambda value: value.lower(),
    "specialty": lambda value: value,
    "state": lambda value: value,
    "solved": _solved,
    "kind": _kind,
    "status": _status,
    "after": _day,
    "before": _day,
    "has": _has,
    "author": lambda value: value.removeprefix("@"),
}
EXAMPLES = {
    "tag": "tag:dialysis",
    "specialty": 'specialty:"Family Medicine"',
    "state": "state:MN",
    "solved": "solved:yes",
    "kind": "kind:observation",
    "status": "status:open",
    "after": "after:2026-01",
    "before": "before:2026-07-04",
    "has": "has:reference",
    "author": "author:left_atrium",
}
