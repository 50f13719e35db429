"""What a check returns, and what can be done with it."""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import replace as copy

STOP = "stop"
DOUBT = "doubt"


@dataclass(frozen=True)
class Finding:
    """A piece of a text that may identify somebody."""

    start: int
    end: int
    kind: str  # "phone", "date", "name", ...: what is counted when the author keeps it
    level: str  # STOP or DOUBT
    reason: str  # a short sentence to show
    replacement: str | None = (
        None  # what could stand there instead; "" is to leave it out, None no suggestion
    )
    words: str = ""  # the piece itself


def neighborhoods(text: str, candidate: re.Pattern, before: int, after: int) -> Iterator[tuple[int, int]]:
    """The pieces of the text around its candidates: to read all of it by every rule would take long."""
    start, end = 0, 0
    for match in candidate.finditer(text):
        if match.start() - before > end:
            if end:
                yield start, end
            start = match.start() - before
        end = min(match.end() + after, len(text))
    if end:
        yield start, end


def without_overlaps(found: Iterable[Finding], text: str) -> list[Finding]:
    """Of those that overlap the one that must go stays, then the longest; each gets its words."""
    kept: list[Finding] = []  # by start, so that only the neighbors can overlap
    for finding in sorted(found, key=lambda one: (one.level != STOP, one.start - one.end, one.start)):
        place = bisect(kept, finding.start, key=lambda one: one.start)
        after_one = not place or kept[place - 1].end <= finding.start
        before_one = place == len(kept) or finding.end <= kept[place].start
        if after_one and before_one:
            kept.insert(place, copy(finding, words=text[finding.start : finding.end]))
    return kept


def replace(text: str, findings: Iterable[Finding]) -> str:
    """The text with each finding's replacement in its place, and no gap where something was left out."""
    for finding in sorted(findings, key=lambda one: one.start, reverse=True):
        if finding.replacement is None:
            continue
        before, after = text[: finding.start], text[finding.end :]
        if not finding.replacement and before.endswith(("(", "[")) and after.startswith((")", "]")):
            before, after = before[:-1], after[1:]
        if not finding.replacement and before.endswith(" ") and (not after or after[0] in " ,.;:!?)\n"):
            before = before[:-1]
        text = before + finding.replacement + after
    return text
