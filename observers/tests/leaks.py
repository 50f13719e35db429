"""What a page, a fragment, a file or a chart of the console must not have in it, found wherever it stands.

Numbers are taken for numbers of physicians unless what they stand beside is known to be something else: a new column
of figures is checked without being named here.
"""

import base64
import binascii
import csv
import io
import re
from collections.abc import Iterable, Iterator
from functools import cache
from html import unescape
from urllib.parse import unquote

MEMBER_SIDE = re.compile(
    r"""["'(\s>](?:https?://[^/\s"']+)?/(members/|physicians/|questions/\d|posts/\d|polls/\d|consults/|news/|pictures/
    |products/|watchers/posts|drafts/|round/|on-call/|rewards/|verify/)""",
    re.VERBOSE,
)
OF_A_POST = re.compile(r"\b(?:post|question|member|answer|comment)[-_]?\d+\b", re.IGNORECASE)
AVATAR = re.compile(r"\b(?:avatar|tile|face)\b[^<>]*", re.IGNORECASE)
CLOCK = re.compile(r"(?<![\w:.-])(?:[01]?\d|2[0-3]):[0-5]\d(?![\w-])")
ISO_MOMENT = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d")
EPOCH = re.compile(r"(?<![\w.-])1[6-9]\d{8}(?:\d{3})?(?![\w.-])")
MIDNIGHT = re.compile(r"00:00 UTC")  # when days begin
NUMBERS = r"73[1-9]\d{4}"  # at which the tests let members' rows begin, see `console_world`
MEMBERS_NUMBER = re.compile(rf"(?<![\w-]){NUMBERS}(?![\w-])")
CURSOR = re.compile(r"[?&]after=([\w%=-]+)")
CONTENT = re.compile(r"<(?:script|style|svg)\b.*?</(?:script|style|svg)>", re.DOTALL)

# What waits for the firm itself.
WAITING = re.compile(r'<span class="count">[^<]*</span><span class="sr"> waiting</span>')
CELL = re.compile(r"<(td|th|dd|b|strong|span|em|small)\b([^>]*)>\s*([\d,]+)\s*(?=<)")
LABEL = re.compile(r'data-label="([^"]*)"')
FACT = re.compile(r"<dt>([^<]*)</dt>\s*<dd[^>]*>\s*([\d,]+)\s*<")
FEW = re.compile(
    r"\b(?:[0-9]|10) (?:physicians?|colleagues?|members?|voters?|votes?|voted|raters?|ratings?|people|authors?)\b"
)
RULES = re.compile(
    r"up to \d+ voters|Fewer than \d+ members could vote"
)  # what a firm agreed to, or must keep to
JOINTS = re.compile(r"[_.-]")
HEADERS = {"set-cookie", "expires", "date"}  # with moments of the answer itself
OF_GROUP = "Of the group"  # whom the firm pays to be asked: five and more, exactly
NOT_PEOPLE = {
    *("Answers", "Seat", "Rows"),  # posts that the firm reads, and its own matters
    *("Late", "Slots left today", "Hours until said"),
}


def found_in(
    body: bytes, kind: str, *, names: Iterable[str] = (), marks: Iterable[str] = (), asked: str = ""
) -> list[str]:
    """What leaks in a body of a content type. `names` lead to a member, `marks` are words of posts that are not open;
    `asked` is what was typed, which a page may say again."""
    text = body.decode(errors="replace")
    if kind.startswith("image/"):
        return [f"name in a picture: {name}" for name in names if name.lower().encode() in body.lower()]
    found = [*_names(text, names), *_marks(text, marks, asked), *_moments(text), *_rows_of_members(text)]
    if kind.startswith("text/csv"):
        return [*found, *_small_cells_of_file(text)]
    return [*found, *_addresses(text), *_small_cells(text)]


def found_in_headers(headers: Iterable[tuple[str, str]], names: Iterable[str]) -> list[str]:
    said = "\n".join(f"{name}: {value}" for name, value in headers if name.lower() not in HEADERS)
    return [*_names(said, names), *_moments(said), *_rows_of_members(said)]


def _names(text: str, names: Iterable[str]) -> Iterator[str]:
    """Names however they are written: in another case, in an address, with letters of HTML, without their joints."""
    small = unquote(unescape(text)).lower()
    found = {match[0] for match in _pattern(tuple(names)).finditer(small)}
    yield from (f"name: {name}" for name in found)
    bare = JOINTS.sub("", small)
    for name in names:
        if "_" in name and name.lower() not in found and JOINTS.sub("", name.lower()) in bare:
            yield f"name without its joints: {name}"


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern:
    """Any of these words."""
    either = "|".join(re.escape(name.lower()) for name in names) or "(?!)"
    return re.compile(rf"(?<![a-z0-9])(?:{either})(?![a-z0-9])")


def _marks(text: str, marks: Iterable[str], asked: str) -> Iterator[str]:
    return (
        f"words of a post that is not open: {mark}" for mark in marks if mark in text and mark not in asked
    )


def _moments(text: str) -> Iterator[str]:
    said = MIDNIGHT.sub("", CONTENT.sub("", text))
    for pattern in (CLOCK, ISO_MOMENT, EPOCH):
        yield from (f"moment: {match}" for match in pattern.findall(said))


def _rows_of_members(text: str) -> Iterator[str]:
    yield from (f"number of a row: {match}" for match in MEMBERS_NUMBER.findall(text))
    for cursor in CURSOR.findall(unescape(text)):
        try:
            opened = base64.urlsafe_b64decode(unquote(cursor) + "==").decode()
        except (binascii.Error, ValueError):
            continue
        yield from (f"number of a row in a cursor: {match}" for match in re.findall(NUMBERS, opened))


def _addresses(text: str) -> Iterator[str]:
    for pattern in (MEMBER_SIDE, OF_A_POST):
        yield from (f"address or id: {match}" for match in pattern.findall(text))
    for tag in re.findall(r"<(?:img|span|div|a)\b[^>]*class=\"[^\"]*\"", text):
        yield from (f"picture of a member: {match}" for match in AVATAR.findall(tag))


def _small_cells(text: str) -> Iterator[str]:
    said = WAITING.sub("", CONTENT.sub("", text))
    facts = set()
    for match in FACT.finditer(said):
        facts.add(match.start(2))
        yield from _number(match[1].strip(), match[2])
    for match in CELL.finditer(said):
        if match.start(3) not in facts:
            label = LABEL.search(match[2])
            yield from _number(unescape(label[1]) if label else "", match[3])
    plain = RULES.sub("", re.sub(r"<[^>]*>", " ", said))
    yield from (f"few: {match}" for match in FEW.findall(re.sub(r"\s+", " ", plain)))


def _small_cells_of_file(text: str) -> Iterator[str]:
    head: list[str] = []
    for line in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
        if len(line) > len(head):
            head = line
            continue
        for label, cell in zip(head, line, strict=False):
            if re.fullmatch(r"[\d,]+", cell):
                yield from _number(label, cell)


def _number(label: str, written: str) -> Iterator[str]:
    number = int(written.replace(",", "") or 0)
    if label == OF_GROUP:
        if 0 < number < 5:
            yield f"small number of a focus group: {written}"
    elif label not in NOT_PEOPLE and (number < 11 or number % 5):
        yield f"small or exact number: {label or 'no label'} {written}"
