"""What leaves a room as a table or a text: its lines, before they are marked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, Sum

from focusgroups.models import Completion, Participant, Room
from focusgroups.quoted import quotes_of
from focusgroups.smallness import cell_names
from focusgroups.transcripts import (
    Line,
    Transcript,
    answers_of,
    choices_of,
    codes_of,
    messages_of,
    sections_of,
    transcript_of,
)
from focusgroups.unnamed import Unnamed

YES = "yes"
INDENT = "    "


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: list[tuple]


# Tables


def answers(room: Room, *, for_sponsor: bool, names: Unnamed | None = None) -> Table:
    """A row for each answer, in the order of the guide."""
    cells, (codes, _) = cell_names(room), codes_of(room)
    given: dict[int, list] = {}
    rows = answers_of(room, for_sponsor=for_sponsor).select_related("participant").order_by("posted_at", "pk")
    names = names or Unnamed(room, [answer.html for answer in rows])
    for answer in rows:
        given.setdefault(answer.prompt_id, []).append(answer)
    head = ("Section", "Question", "Asked", "Alias", "Cell", "Day", "Chosen", "Points", "Text", "Codes")
    lines = []
    for number, section in enumerate(sections_of(room), 1):
        for place, prompt in enumerate(section.prompts.all(), 1):
            for answer in given.get(prompt.pk, ()):
                line = (
                    f"{number}. {section.title}",
                    f"{number}.{place}",
                    prompt.text,
                    answer.participant.alias,
                    cells[answer.participant.cell_id],
                    room.in_its_zone(answer.posted_at).date(),
                    "; ".join(choices_of(prompt, answer)) if answer.chosen else "",
                    "" if answer.points is None else answer.points,
                    names.words(answer.html),
                    ", ".join(codes.get(answer.pk, ())),
                )
                is_private = answer.is_private or prompt.is_private
                lines.append(line if for_sponsor else (*line, YES if is_private else ""))
    return Table(head if for_sponsor else (*head, "To moderators alone"), lines)


def quotes(room: Room, *, for_sponsor: bool, names: Unnamed | None = None) -> Table:
    rows = [
        (number, one.text, one.how, one.why, one.who, one.cell, one.prompt)
        for number, one in enumerate(quotes_of(room, for_sponsor=for_sponsor, names=names), 1)
    ]
    return Table(("Number", "Quote", "How", "Because", "Alias", "Cell", "Question"), rows)


def participants(room: Room) -> Table:
    """How much each took part. Nothing of it is for a sponsor."""
    cells = cell_names(room)
    said = {}
    for rows, name in [
        (answers_of(room, for_sponsor=False), "answers"),
        (messages_of(room, for_sponsor=False).filter(participant__isnull=False), "messages"),
    ]:
        sums = rows.order_by().values("participant").annotate(number=Count("pk"), all_words=Sum("words"))
        said[name] = {row["participant"]: (row["number"], row["all_words"]) for row in sums}
    completions = Completion.objects.filter(participant__room=room).order_by().values("participant")
    counted = completions.annotate(number=Count("pk"), cents=Sum("cents", filter=Q(final_at__isnull=False)))
    done = {row["participant"]: (row["number"], row["cents"] or 0) for row in counted}
    head = (
        *("Alias", "Cell", "Left", "How"),
        *("Sections", "Answers", "Replies, notes", "Words", "Dollars"),
    )
    rows = []
    for seat in Participant.objects.filter(room=room).order_by("alias"):
        (answer_count, answer_words), (message_count, message_words) = (
            said[name].get(seat.pk, (0, 0)) for name in ("answers", "messages")
        )
        sections, cents = done.get(seat.pk, (0, 0))
        rows.append(
            (
                seat.alias,
                cells[seat.cell_id],
                _day(room, seat.left_at),
                seat.get_left_as_display() if seat.left_as else "",
                sections,
                answer_count,
                message_count,
                answer_words + message_words,
                f"{cents // 100}.{cents % 100:02}",
            )
        )
    return Table(head, rows)


def _day(room: Room, moment) -> date | str:
    return room.in_its_zone(moment).date() if moment else ""


# The transcript


def transcript(
    room: Room, *, for_sponsor: bool, mark: str, names: Unnamed | None = None
) -> tuple[list[str], int]:
    """The lines of a transcript, a mark beside every question of the guide; and how many things were said in it."""
    made = transcript_of(room, for_sponsor=for_sponsor, names=names)
    return list(_written(made, mark)), sum(1 for _ in made.lines())


def _written(made: Transcript, mark: str) -> Iterator[str]:
    for part in made.parts:
        yield from ("", f"{part.number}. {part.section.title}".upper(), "")
        for asked in part.asked:
            yield from (f"{asked.number}  {asked.prompt.text}  [{mark}]", "")
            for line in asked.lines:
                yield from _said(line)
            if not asked.lines:
                yield from (f"{INDENT}Nobody answered.", "")
    for one in made.beside:
        yield from ("", f"{one.title}  [{mark}]", "")
        for line in one.lines:
            yield from _said(line)
    yield from ("", _left_out(made))


def _said(line: Line) -> Iterator[str]:
    indent = INDENT * (line.depth + 1)
    if line.gone:
        yield f"{indent}({line.gone})"
    else:
        yield f"{indent}{_head(line)}"
        yield from (f"{indent}{INDENT}{choice}" for choice in line.choices)
        if line.text:
            yield f"{indent}{INDENT}{line.text}"
    yield ""


def _head(line: Line) -> str:
    facts = [line.who, line.cell, f"{line.day:%b} {line.day.day}", line.kind]
    facts += [f"to {line.to} alone"] if line.to else (["to moderators alone"] if line.is_private else [])
    facts += ["answered anew"] if line.is_anew else ["edited"] if line.is_edited else []
    facts += [f"codes: {', '.join(line.codes)}"] if line.codes else []
    return " · ".join(fact for fact in facts if fact)


def _left_out(made: Transcript) -> str:
    gone = f"Left out: {made.taken_back} that participants took back, {made.hidden} that moderators hid."
    if made.for_sponsor:
        return f"{gone} What went to moderators alone is not in it either."
    return gone
