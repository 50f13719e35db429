"""Files that a firm takes away: with a reason, within its plan, logged for each author, and known by their words."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from observers import crowds, figures, marks, matching
from observers.aliases import DATA
from observers.models import Export, FirmSearch, Purpose, Seat, Way
from observers.reading import SIGNED_BY_MEMBERS
from observers.services import adverse_events, reading
from observers.services.contracting import hold_contract
from questions.models import Post, Question
from questions.ranking.lines import midnight
from rewards.models import Firm
from sermo.csv_cells import BYTE_ORDER_MARK, harmless, line_of
from sermo.errors import RuleBroken
from sermo.text import clip

HEAD = (
    "Discussion",
    "Kind",
    "Alias",
    "Group and region",
    "Day",
    "Text",
    "Corroborated",
    "Disputed",
    "Importance",
)
SPARE = 200  # matches read beyond the rows of the plan, for those that are none once names are masked


class NoExportLeft(RuleBroken):
    message = "No export is left today. There are new ones at 00:00 UTC."


class ExportedAlready(RuleBroken):
    message = "This file was made already. Ask for it anew if it did not arrive."


class NothingToExport(RuleBroken):
    message = "Nothing of it is open to your firm."


class SafetyFirst(RuleBroken):
    message = (
        "A post in it speaks of your product. Say first, under Safety, whether it tells of an adverse event."
    )


@dataclass(frozen=True)
class File:
    """An export, and its text."""

    export: Export
    text: str


def export_search(*, seat: Seat, saved: FirmSearch, purpose: Purpose | str, reason: str, key: UUID) -> File:
    """The newest posts of a saved search. Raises NotContracted, NoExportLeft, ExportedAlready, NothingToExport,
    SafetyFirst."""
    most = _most_rows(seat, key)
    pks = matching.newest_of(matching.posts_of(saved), most + SPARE)
    found = _cut(matching.checked(seat.firm, pks, saved.terms), most)
    asked = {"search": saved, "what": clip(f"Search: {saved.name}", 140)}
    return _made(seat, found, purpose=purpose, reason=reason, key=key, **asked)


def export_discussion(
    *, seat: Seat, question: Question, purpose: Purpose | str, reason: str, key: UUID
) -> File:
    """A discussion with its first posts. Raises the same."""
    most = _most_rows(seat, key)
    rows = Post.objects.open_to(seat.firm).filter(question=question.pk).order_by("pk")
    found = list(matching.checked(seat.firm, list(rows.values_list("pk", flat=True)[:most])))
    if not found:
        raise NothingToExport
    asked = {"search": None, "what": clip(f"Discussion: {found[0][0].shown_title}", 140)}
    return _made(seat, found, purpose=purpose, reason=reason, key=key, **asked)


def _cut(found: Iterable, most: int) -> list:
    rows = []
    for row in found:
        if len(rows) == most:
            break
        rows.append(row)
    return rows


@transaction.atomic
def _most_rows(seat: Seat, key: UUID) -> int:
    """How many rows an export may have, if there may be one. Asked before it is read, and again before it is made."""
    contract = hold_contract(seat.firm)
    if Export.objects.filter(key=key).exists():
        raise ExportedAlready
    if made_today(seat.firm) >= contract.plan.exports_a_day:
        raise NoExportLeft
    return contract.plan.export_rows


def made_today(firm: Firm) -> int:
    today = midnight(timezone.now().astimezone(UTC).date())
    return Export.objects.filter(firm=firm, made_at__gte=today).count()


@transaction.atomic
def _made(seat: Seat, found: list, **asked) -> File:
    """Log what the file puts before the seat, and write it; nothing is sent before all of that stands."""
    if not found:
        raise NothingToExport
    _most_rows(seat, asked["key"])
    posts = [post for post, _ in found]
    titled = Post.objects.filter(question__in={post.question_id for post in posts}, kind=Post.Kind.OPENING)
    pks = {post.pk for post in posts} | set(titled.values_list("pk", flat=True))
    if adverse_events.waiting(seat.firm, pks):
        raise SafetyFirst
    kept = {"rows": len(posts), "phrase": _new_phrase(), "made_at": timezone.now()}
    export = Export.objects.create(firm=seat.firm, seat=seat, **kept, **asked)
    reading.note(seat=seat, purpose=export.purpose, way=Way.EXPORTED, post_pks=pks)
    adverse_events.met(seat, pks)
    return File(export, _text(export, found))


# The file


def _text(export: Export, found: list) -> str:
    facts = _facts_of(post for post, _ in found)
    rows = [_line(post, masks, facts) for post, masks in found]
    lines = [(_watermark(export),), HEAD, *rows, ("End of the export", "", export.phrase)]
    return BYTE_ORDER_MARK + "".join(line_of(harmless(str(cell)) for cell in line) for line in lines)


def _watermark(export: Export) -> str:
    day = export.made_at.astimezone(UTC).date()
    mark = marks.copy_mark(export.seat, day)
    return (
        f"Made for {export.firm.name} on {day}, copy {mark}, known by the words “{export.phrase}”."
        f" {Purpose(export.purpose).label}: {export.reason}"
        " Every author is shown that this was exported. Under 11 physicians: not shown; else rounded down to five."
    )


def _line(post: Post, masks, facts: dict) -> tuple:
    votes, rated = getattr(post, "vote_figure", None), getattr(post.question, "importance_figure", None)
    return (
        post.shown_title,
        post.get_kind_display(),
        masks.aliases.get(post.author_id, ""),
        facts.get(post.author_id, ""),
        post.posted_at.astimezone(UTC).date(),
        post.shown_words,
        figures.shown_number(votes.corroborations if votes else 0),
        figures.shown_number(votes.disputes if votes else 0),
        (figures.shown_mean(rated.total, rated.raters) if rated else "") or "under 11",
    )


def _facts_of(posts: Iterable[Post]) -> dict[int, str]:
    places = {
        post.author_id: crowds.place_of(post.author)
        for post in posts
        if post.byline.mode in SIGNED_BY_MEMBERS
    }
    words = crowds.facts_of(places.values())
    return {member: words[place] for member, place in places.items()}


def _new_phrase() -> str:
    """Four words that no other export has."""
    first, second = _words("first"), _words("second")
    while True:
        phrase = " ".join(secrets.choice(words) for words in (first, second, first, second))
        if not Export.objects.filter(phrase=phrase).exists():
            return phrase


@cache
def _words(which: str) -> list[str]:
    lines = (DATA / f"alias_{which}.txt").read_text("utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]
