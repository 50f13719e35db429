"""Files that a firm takes away: with a reason, within its plan, logged for each author, and known by their words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from observers import crowds, figures, marks, matching, safety_log
from observers.models import Export, ExportedCase, FirmSearch, Purpose, Seat, Way
from observers.reading import SIGNED_BY_MEMBERS
from observers.services import adverse_events, reading
from observers.services.contracting import hold_contract
from questions.models import Post, Question
from questions.ranking.lines import midnight
from rewards.models import Firm
from sermo.csv_cells import BYTE_ORDER_MARK, harmless, line_of
from sermo.errors import RuleBroken
from sermo.marks import new_phrase

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
TOLD = (
    "Every author is shown that this was exported. Under 11 physicians: not shown; else rounded down to five."
)
ENDED = (".", "!", "?", "…")  # sentences
SPARE = 200  # matches read beyond the rows of the plan, for those that are none once names are masked


class NoExportLeft(RuleBroken):
    message = "No export is left today. There are new ones at 00:00 UTC."


class ExportedAlready(RuleBroken):
    message = "This file was made already. Ask for it anew if it did not arrive."


class NothingToExport(RuleBroken):
    message = "Nothing of it is open to your firm."


class NothingLogged(RuleBroken):
    message = "The log is empty: nobody of your firm has opened a post on its products yet."


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
    found = list(islice(matching.checked(seat.firm, pks, saved.terms), most))
    asked = {"search": saved, "what": f"Search: {saved.name}"}
    return _of_posts(seat, found, purpose=purpose, reason=reason, key=key, **asked)


def export_discussion(
    *, seat: Seat, question: Question, purpose: Purpose | str, reason: str, key: UUID
) -> File:
    """A discussion with its first posts. Raises the same.

    Its title is not kept: the discussion may be closed to the firm tomorrow.
    """
    most = _most_rows(seat, key)
    rows = Post.objects.open_to(seat.firm).filter(question=question.pk).order_by("pk")
    found = list(matching.checked(seat.firm, list(rows.values_list("pk", flat=True)[:most])))
    return _of_posts(seat, found, purpose=purpose, reason=reason, key=key, what="A discussion")


def export_safety_log(*, seat: Seat, purpose: Purpose | str, reason: str, key: UUID) -> File:
    """What the firm met and said of it, the newest first; no words of a post, so nothing is logged for authors.

    Raises NotContracted, NoExportLeft, ExportedAlready, NothingLogged.
    """
    lines = safety_log.lines_of(seat.firm, _most_rows(seat, key))
    if not lines:
        raise NothingLogged
    asked = {"purpose": purpose, "reason": reason, "key": key, "what": "Safety log"}
    return _made(seat, safety_log.HEAD, lines, **asked)


@transaction.atomic
def _most_rows(seat: Seat, key: UUID) -> int:
    """How many rows an export may have, if there may be one. Asked before it is read."""
    return _allowed(seat, key)


def _allowed(seat: Seat, key: UUID) -> int:
    """The same, within a transaction: asked again before it is made."""
    contract = hold_contract(seat.firm)
    if Export.objects.filter(key=key).exists():
        raise ExportedAlready
    if made_today(seat.firm) >= contract.plan.exports_a_day:
        raise NoExportLeft
    return contract.plan.export_rows


def made_today(firm: Firm) -> int:
    today = midnight(timezone.now().astimezone(UTC).date())
    return Export.objects.filter(firm=firm, made_at__gte=today).count()


def _of_posts(seat: Seat, found: list, **asked) -> File:
    """Posts as a file, unless the safety desk has yet to say something of one; its clocks start in any case."""
    if not found:
        raise NothingToExport
    posts = [post for post, _ in found]
    titled = Post.objects.filter(question__in={post.question_id for post in posts}, kind=Post.Kind.OPENING)
    openings = dict(titled.values_list("question", "pk"))
    pks = {post.pk for post in posts} | set(openings.values())
    adverse_events.met(seat, pks)
    if adverse_events.waiting(seat.firm, pks):
        raise SafetyFirst
    facts = _facts_of(posts)
    lines = [_line(post, masks, facts) for post, masks in found]
    told = [{post.pk, openings.get(post.question_id, post.pk)} for post in posts]
    return _made(seat, HEAD, lines, told, **asked)


@transaction.atomic
def _made(seat: Seat, head: tuple, lines: list[tuple], told: list[set[int]] | None = None, **asked) -> File:
    """Log the file and the posts it puts before the seat; nothing is sent before all of that stands.

    `told` are the posts that each line has words of: lines of what was closed while all was read are left out.
    """
    _allowed(seat, asked["key"])
    pks: set[int] = set()
    cases: dict[int, int] = {}
    if told:
        cases = _hold_cases(set().union(*told))
        still = Post.objects.open_to(seat.firm).filter(pk__in=set().union(*told))
        pks = set(still.values_list("pk", flat=True))
        kept = [(line, own) for line, own in zip(lines, told, strict=True) if own <= pks]
        if not kept:
            raise NothingToExport
        lines = [line for line, _ in kept]
        pks = set().union(*(own for _, own in kept))
    export = Export.objects.create(
        firm=seat.firm,
        seat=seat,
        rows=len(lines),
        phrase=new_phrase(lambda phrase: Export.objects.filter(phrase=phrase).exists()),
        made_at=timezone.now(),
        **asked,
    )
    exported = {cases[pk] for pk in pks if pk in cases}
    ExportedCase.objects.bulk_create(ExportedCase(export=export, case_id=case) for case in sorted(exported))
    reading.note(seat=seat, purpose=export.purpose, way=Way.EXPORTED, post_pks=pks)
    watermark = f"{_watermark(export)} {TOLD}" if pks else _watermark(export)
    return File(export, _text(export, [(watermark,), head, *lines]))


def _hold_cases(post_pks: Iterable[int]) -> dict[int, int]:
    """The cases of posts, by post. None of them is withdrawn until it is known that a file has it."""
    posts = Post.objects.filter(pk__in=post_pks, question__kind=Question.Kind.CASE)
    cases = dict(posts.values_list("pk", "question"))
    if cases:
        held = Question.objects.filter(pk__in=cases.values()).order_by("pk").select_for_update(no_key=True)
        list(held.values_list("pk"))
    return cases


# The file


def _text(export: Export, lines: list[tuple]) -> str:
    ended = ("End of the export", "", export.phrase)
    return BYTE_ORDER_MARK + "".join(
        line_of(harmless(str(cell)) for cell in line) for line in [*lines, ended]
    )


def _watermark(export: Export) -> str:
    day = export.made_at.astimezone(UTC).date()
    mark, reason = marks.copy_mark(export.seat, day), export.reason.rstrip()
    return (
        f"Made for {export.firm.name} on {day}, copy {mark}, known by the words “{export.phrase}”."
        f" {Purpose(export.purpose).label}: {reason}{'' if reason.endswith(ENDED) else '.'}"
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
