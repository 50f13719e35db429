"""Turns the written focus groups into rows, deed by deed and each at its own moment.

Who pays for them is written here as a label alone; the books of rewards follow it. See `rewards.demo_rooms`.
"""

import random
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

from django.db import transaction
from django.utils import timezone

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Member, Specialty, User
from accounts.services import mail
from focusgroups import readiness
from focusgroups.demo.clock import at, morning, stamp
from focusgroups.demo.talk import Talk
from focusgroups.models import Candidate, Participant, Room, Section, Sponsor
from focusgroups.services import (
    guiding,
    live_hours,
    planning,
    publishing,
    recruiting,
    screening,
    seating,
    telling,
)

WRITTEN = Path(__file__).parent / "rooms.toml"
SEED = 20261123
MODERATOR = "moderator@demo.sermo.test"
CARDIOLOGIST = "cardio@demo.sermo.test"
SET_UP, PUBLISHED = timedelta(days=9), timedelta(days=6)  # before a room begins
YES = timedelta(hours=20)  # after it was published, for the first; each other comes two hours later


def seed(stdout) -> None:
    """Write all of it once; a second run changes nothing."""
    written = tomllib.loads(WRITTEN.read_text(encoding="utf-8"))
    if Room.objects.filter(title__in=[entry["title"] for entry in written["room"]]).exists():
        stdout.write("focusgroups: here already")
        return
    now = timezone.now()
    User.objects.filter(email=MODERATOR).update(is_staff=True)  # groups are run from the administration
    with transaction.atomic(), mock.patch.object(mail, "queue_notices"):  # nobody gets mail of the past
        for entry in written["room"]:
            Staging(entry, written, now).write()
    stdout.write(f"focusgroups: {Room.objects.count()} rooms, {Participant.objects.count()} seats")


class Staging:
    """One room, from its first draft to where it stands now."""

    def __init__(self, entry: dict, written: dict, now: datetime):
        self.entry, self.written, self.now = entry, written, now
        self.moderator = User.objects.get(email=MODERATOR)
        self.rng = random.Random(f"{SEED}: {entry['name']}")  # noqa: S311 - the same every time is the purpose
        self.specialties = dict(Specialty.objects.filter(is_choice=True).values_list("name", "pk"))

    def write(self) -> None:
        begins = self._morning(self.entry["first_day"])
        self.published_at = min(begins - PUBLISHED, self.now - timedelta(hours=26))
        with at(min(begins - SET_UP, self.published_at - timedelta(days=2))) as moment:
            self._set_up(begins)
            stamp(self.room, "created_at", moment)
            self.room.agreements.update(written_at=moment)
        if self.entry["name"] == "draft":
            return
        with at(self.published_at):
            self.room = publishing.publish(room=self.room, by=self.moderator)
        with mock.patch.multiple(telling, _tell=mock.DEFAULT, _fan_out=mock.DEFAULT):  # of the past, nobody
            self._fill()
            if self.entry["first_day"] < 0:
                Talk(self.room, self.entry, self.seats, self.now).write()
        if self.entry.get("is_asked"):
            self._ask_the_cardiologist()
        if self.entry["name"] == "running":
            self._go_on()

    def _morning(self, days: int, hours: float = 0) -> datetime:
        return morning(self.now, days, Room().zone) + timedelta(hours=hours)

    # Setting it up

    def _set_up(self, begins: datetime) -> None:
        entry, by = self.entry, self.moderator
        ends = self._morning(entry["last_day"], hours=11)
        room = planning.create(by=by, title=entry["title"])
        basics = {name: entry[name] for name in ("about", "minutes_a_day", "watching")}
        room = planning.change_basics(
            room=room,
            by=by,
            starts_at=begins,
            ends_at=ends,
            pay_on=ends.date() + timedelta(days=entry["pay_after"]),
            thanks=entry.get("thanks", 0),
            seats=sum(cell["seats"] for cell in entry["cell"]),
            **basics,
        )
        room = planning.set_rule(room=room, by=by, specialties=self._codes(entry["specialties"]))
        planning.delete_cell(cell=room.cells.get(), by=by)
        for cell in entry["cell"]:
            sought = self._codes(cell.get("specialties", []))
            planning.save_cell(room=room, by=by, name=cell["name"], seats=cell["seats"], specialties=sought)
        for question in entry.get("screener", []):
            options = [(text.lstrip("-"), text.startswith("-")) for text in question["options"]]
            planning.save_screener_question(room=room, by=by, text=question["text"], options=options)
        for section in entry["section"]:
            self._write_section(room, section)
        if label := entry.get("sponsor"):
            Sponsor.objects.create(room=room, budget=readiness.promised(room), **label)
        self.room = room

    def _codes(self, names: list[str]) -> list[str]:
        return [self.specialties[name] for name in names]

    def _write_section(self, room: Room, section: dict) -> Section:
        made = guiding.save_section(
            room=room,
            by=self.moderator,
            title=section["title"],
            intro=section.get("intro", ""),
            opens_at=self._morning(section["opens"]),
            due_at=self._morning(section["due"], hours=11),
            honorarium=section["honorarium"],
        )
        answers = {"answers", "chosen", "several", "orders", "scale"}
        for prompt in section.get("prompt", []):
            said = {name: value for name, value in prompt.items() if name not in answers}
            guiding.save_prompt(section=made, by=self.moderator, **{"kind": "open", **said})
        return made

    # Filling it

    def _fill(self) -> None:
        """Invitations, and who took a seat, in the order of the written answers; then who did not."""
        seated, others = self._cast()
        with at(self.published_at + timedelta(hours=1)):
            self._invite([*seated, *others])
        self.seats = [self._seat(member, number) for number, member in enumerate(seated)]
        out, declined = self.entry.get("screened_out", 0), self.entry.get("declined", 0)
        for member in others[:out]:
            self._answer_screener(self._candidate(member), is_out=True)
        for member in others[out : out + declined]:
            with at(self.published_at + YES):
                screening.decline(candidate=self._candidate(member))

    def _cast(self) -> tuple[list[Member], list[Member]]:
        """Who takes part, cell by cell, and who is asked besides."""
        free = list(recruiting.reach(self.room).select_related("user").order_by("pk"))
        asked = [member for member in free if member.user.email not in DEMO_LOGINS]
        self.rng.shuffle(asked)
        if self.entry.get("takes_part"):
            asked[:0] = [member for member in free if member.user.email == CARDIOLOGIST]
        seated = []
        for cell, number in zip(self.room.cells.order_by("place"), self.entry["seated"], strict=True):
            fitting = [member for member in asked if cell.is_for(member) and member not in seated]
            seated += fitting[:number]
        others = [member for member in asked if member not in seated]
        return seated, others[: self.entry.get("asked", 4)]

    def _invite(self, members: list[Member]) -> None:
        recruiting.invite_by_handle(
            room=self.room, by=self.moderator, handles=[member.handle for member in members]
        )
        self.room.candidates.filter(member__in=members).update(is_told=True)

    def _candidate(self, member: Member) -> Candidate:
        return self.room.candidates.get(member=member)

    def _seat(self, member: Member, number: int) -> Participant:
        candidate = self._candidate(member)
        moment = min(self.published_at + YES + number * timedelta(hours=2), self.now - timedelta(minutes=50))
        self._answer_screener(candidate)
        with at(moment):
            candidate = seating.accept(candidate=candidate, agreement=self.room.agreements.last())
        candidate.acceptances.update(accepted_at=moment)
        stamp(candidate.seat, "joined_at", moment)
        candidate.seat.refresh_from_db()
        return candidate.seat

    def _answer_screener(self, candidate: Candidate, *, is_out: bool = False) -> None:
        """As somebody who is sought; and who is not, at the last question that has a way out."""
        moment = self.published_at + YES - timedelta(hours=1)
        with at(moment):
            while question := screening.next_question(candidate):
                options = list(question.options.order_by("place"))
                is_last = question.place == self.room.screener.count() - 1
                fitting = [option for option in options if option.is_out == (is_out and is_last)]
                option = self.rng.choice(fitting)
                candidate = screening.answer(candidate=candidate, question=question, option=option)
        candidate.screener_answers.update(answered_at=moment)

    # What is still to come

    def _ask_the_cardiologist(self) -> None:
        """An hour ago, so that the invitation waits among her notices."""
        with at(self.now - timedelta(hours=1)):
            cardiologist = Member.objects.get(user__email=CARDIOLOGIST)
            others = recruiting.reach(self.room).exclude(user__email__in=DEMO_LOGINS).order_by("pk")
            self._invite([cardiologist, *others[: recruiting.LEAST - 1]])

    def _go_on(self) -> None:
        """Quotes that wait for a yes, and a live hour to come."""
        begins = self._morning(1, hours=9)
        with at(self.now - timedelta(hours=3)):
            live_hours.save(
                room=self.room,
                by=self.moderator,
                title="An hour with the moderators",
                starts_at=begins,
                ends_at=begins + timedelta(hours=1),
            )
        Talk(self.room, self.entry, self.seats, self.now).analyze(self.written)
