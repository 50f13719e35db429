"""How fairly a room is led (idea 32): who speaks how much, who is silent, and whether moderators lead their answers.

Words are those of answers, replies and live hours that stand; private notes to the moderators are not part of it.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from focusgroups.models import Answer, Message, Participant, Room
from sermo.text import plain

LEADING = Path(__file__).with_name("data") / "leading.toml"
SILENT = timedelta(hours=48)  # without a word
PROBES = 300  # the newest, looked at for leading questions
LOUD = 2  # times an even share
Kind = Message.Kind


# Leading questions


class Hint(NamedTuple):
    """Words of a question that may lead its answer, as they were typed, and why."""

    words: str
    why: str


@cache
def leading() -> list[tuple[re.Pattern, str]]:
    """A pattern of each kind, and why what it finds leads."""
    kinds = tomllib.loads(LEADING.read_text("utf-8"))["kind"]
    return [(_pattern(kind["phrases"]), kind["why"]) for kind in kinds]


def _pattern(phrases: Iterable[str]) -> re.Pattern:
    """Finds any of them as whole words, the longest first."""
    known = sorted((_even(phrase) for phrase in phrases), key=len, reverse=True)
    return re.compile(
        "|".join(rf"\b{re.escape(each)}(?!\w)" if each[0].isalnum() else re.escape(each) for each in known),
        re.IGNORECASE,
    )


def _even(text: str) -> str:
    return " ".join(text.replace("’", "'").replace("ʼ", "'").split())


def hints(text: str) -> list[Hint]:
    """What of a question may lead its answer, in its order and each once. It is a hint: a person judges."""
    text = _even(text)
    found = {}
    for pattern, why in leading():
        for match in pattern.finditer(text):
            found.setdefault(match.group().casefold(), (match.start(), Hint(match.group().strip(", "), why)))
    return [hint for _, hint in sorted(found.values())]


# Airtime


@dataclass
class Airtime:
    """How much a participant says. `share` is of all words of participants, in percent."""

    participant: Participant
    words: int
    pieces: int  # answers and messages
    last_said_at: datetime | None
    share: int = 0
    is_silent: bool = False
    is_loud: bool = False


def airtime(room: Room, **more) -> list[Airtime]:
    """Of all who have or had a seat, those with the most words first. One query, which annotates what `more` names."""
    rows = _with_words(room.participants.select_related("cell")).annotate(**more)
    now = min(timezone.now(), room.closed_at or room.ends_at or timezone.now())
    found = [
        Airtime(row, row.answer_words + row.message_words, row.answers_said + row.messages_said, row.said_at)
        for row in rows
    ]
    total, seated = sum(one.words for one in found), sum(one.participant.stayed for one in found)
    for one in found:
        begun = max(one.participant.joined_at, room.starts_at)
        one.share = percent(one.words, total)
        one.is_silent = one.participant.stayed and max(begun, one.last_said_at or begun) <= now - SILENT
        one.is_loud = seated > 2 and one.words * seated > LOUD * total
    return sorted(found, key=lambda one: (-one.words, one.participant.alias))


def percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def _with_words(participants):
    answers = Answer.objects.standing().filter(participant=OuterRef("pk"))
    messages = Message.objects.standing().filter(participant=OuterRef("pk")).exclude(kind=Kind.NOTE)
    return participants.annotate(
        answer_words=_of(answers, Sum("words")),
        message_words=_of(messages, Sum("words")),
        answers_said=_of(answers, Count("pk")),
        messages_said=_of(messages, Count("pk")),
        said_at=Greatest(_last(answers), _last(messages)),
    )


def _of(rows, figure) -> Coalesce:
    counted = rows.order_by().values("participant").annotate(figure=figure).values("figure")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _last(rows) -> Subquery:
    counted = rows.order_by().values("participant").annotate(figure=Max("posted_at")).values("figure")
    return Subquery(counted, output_field=DateTimeField())


# The meter


@dataclass
class Asked:
    """A question of a moderator, and what in it may lead."""

    message: Message
    words: str
    hints: list[Hint]


@dataclass
class Meter:
    """How a room is led, so far."""

    rows: list[Airtime]
    moderator_words: int
    probes: int
    leading: list[Asked] = field(default_factory=list)  # of the newest probes, those with a hint

    @cached_property
    def participant_words(self) -> int:
        return sum(one.words for one in self.rows)

    @property
    def moderator_share(self) -> int:
        return percent(self.moderator_words, self.moderator_words + self.participant_words)

    @property
    def silent(self) -> list[Airtime]:
        return [one for one in self.rows if one.is_silent]

    @property
    def loud(self) -> list[Airtime]:
        return [one for one in self.rows if one.is_loud]

    @property
    def even_share(self) -> int:
        """What each of those who have a seat would say, in percent, if all said as much."""
        return percent(1, sum(one.participant.stayed for one in self.rows))


def meter(room: Room) -> Meter:
    """Three queries."""
    own = Message.objects.standing().filter(room=room, participant=None)
    figures = own.aggregate(
        words=Coalesce(Sum("words"), 0), probes=Count(Case(When(kind=Kind.PROBE, then=F("pk"))))
    )
    asked = own.filter(Q(kind=Kind.PROBE) | Q(kind=Kind.REPLY)).select_related("to").order_by("-pk")[:PROBES]
    looked_at = [Asked(row, plain(row.html), hints(plain(row.html))) for row in asked]
    return Meter(
        airtime(room), figures["words"], figures["probes"], [each for each in looked_at if each.hints]
    )
