"""Ages of 90 and more: so few reach them that the age alone may point to one person."""

import datetime
import re
from collections.abc import Iterator

from sermo.identifiers.age_forms import BORN, CANDIDATE, MEASURED, RULES, SEX, WARM, WEAK
from sermo.identifiers.findings import STOP, Finding, neighborhoods

BEFORE, AFTER = 100, 60  # how far from an age its rules look
REASON = "Age above 89. Such ages point to one person."


def find(text: str) -> Iterator[Finding]:
    for rule, match in _matches(text):
        parts = match.groupdict()
        named = next((name for name in ("n", "his", "ago", "one") if parts.get(name)), 0)
        start, end = match.span(named)
        if _is_temperature(text, start, end) or (rule in WEAK and _is_measured(text, match.start())):
            continue
        yield Finding(start, end, "age", STOP, REASON, _instead(text[start:end], parts))
    for match in BORN.finditer(text):
        if _is_long_ago(match):
            yield Finding(*match.span(), "age", STOP, REASON, "born more than 89 years ago")


def _matches(text: str) -> Iterator[tuple[re.Pattern, re.Match]]:
    """Where a rule holds. Only around what could be such an age: to read it all by every rule would take long."""
    for start, end in neighborhoods(text, CANDIDATE, BEFORE, AFTER):
        for rule in RULES + WEAK:
            for match in rule.finditer(text, start, end):
                yield rule, match


def _is_long_ago(born: re.Match) -> bool:
    """A year so far back, or two digits of one that can be no other: '29 is still to come in this century."""
    today = datetime.date.today().year
    if born["short"]:
        return today % 100 < int(born["short"]) <= (today - 90) % 100
    return int(born["year"] or born["before"]) <= today - 90


def _is_measured(text: str, start: int) -> bool:
    sentence = re.split(r"[.;!?\n](?=\s)", text[max(0, start - 45) : start])[-1]
    return bool(MEASURED.search(sentence))


def _is_temperature(text: str, start: int, end: int) -> bool:
    return bool(re.fullmatch(r"\d+\s?F", text[start:end]) and WARM.search(text[max(0, start - 16) : start]))


def _instead(words: str, parts: dict) -> str:
    if parts.get("who"):
        return f"{(parts.get('article') and 'a ') or ''}{parts['who']} over 89"
    if match := re.search(r"(?:fe)?male|(?:wo)?man|lady|gentleman", words, re.IGNORECASE):
        return f"{match[0]} over 89"
    if match := re.search(rf"{SEX}$", words):
        return f"over 89 {match[0]}"
    return "someone over 89" if parts.get("article") else "over 89"
