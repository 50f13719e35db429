"""A room from its first draft to its transcript, over ten days: who is paid what, and what is left of what was said.

Thirty take part under the services and tasks as they run. Two drop out and are replaced, one comes late, one takes back
all they said. What each earns is worked out by hand here.
"""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
import time_machine
from django.db import connection

from accounts.tests.factories import make_member, make_user
from focusgroups import tasks
from focusgroups.models import Answer, Candidate, Message, Participant, Room
from focusgroups.services import (
    answering,
    exporting,
    guiding,
    messaging,
    planning,
    publishing,
    recruiting,
    seating,
)
from focusgroups.tests.factories import make_moderator
from focusgroups.transcripts import transcript_of
from rewards import tasks as money
from rewards.models import Award
from rewards.services import checking, ledger, rooms
from rewards.tests.factories import balance, make_firm, make_payee, owed
from verification.tests.factories import make_claim, make_provider

pytestmark = pytest.mark.django_db

FUNDS = 1_000_000
START = datetime(2026, 12, 1, 14, tzinfo=UTC)  # nine in the morning where the room is
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HONORARIA = [2_000, 3_000, 2_500, 4_000, 1_500, 5_000]
ALL = sum(HONORARIA)
OPENS = [0, 1, 3, 5, 7, 8]  # days after the start; each is due two days later
KINDS = [["open"], ["open", "scale"], ["single"], ["open"], ["scale"], ["open"]]
MANY = 7_310_000  # from which numbers of members and users are told apart from any other number
CARDIOLOGISTS, NEPHROLOGISTS = 18, 12
PUT_OFF, HALF, QUIET = 4, 5, 6  # who skips a section, answers half of one, and says a thing that is hidden


class Script:
    """Everybody by a name of this story alone, and what they said."""

    def __init__(self):
        self.numbers = count(1)
        self.said: dict[int, str] = {}
        self.by = make_moderator()
        self.firm = make_firm("Halden Therapeutics", balance=FUNDS)
        self.members = {}

    def member(self, name, specialty="Cardiovascular Disease"):
        number = len(self.members)
        user = make_user(email=f"{name}-at-home@example.org")
        self.members[name] = make_member(f"{name}_handle_{number}", specialty=specialty, user=user)
        return self.members[name]

    # Set-up

    def plan(self):
        with time_machine.travel(START - 6 * DAY, tick=False):
            room = planning.create(by=self.by, title="Dosing at the margin")
            planning.change_basics(
                room=room,
                by=self.by,
                starts_at=START,
                ends_at=START + 10 * DAY,
                pay_on=(START + 30 * DAY).date(),
                watching="words",
                seats=CARDIOLOGISTS + NEPHROLOGISTS,
            )
            planning.delete_cell(cell=room.cells.get(), by=self.by)
            for name, seats in (("Cardiovascular Disease", CARDIOLOGISTS), ("Nephrology", NEPHROLOGISTS)):
                code = next(m.specialty_id for m in self.members.values() if m.specialty.name == name)
                planning.save_cell(room=room, by=self.by, name=name, seats=seats, specialties=[code])
            for number, (day, cents, kinds) in enumerate(zip(OPENS, HONORARIA, KINDS, strict=True), 1):
                opens_at = START + day * DAY
                section = guiding.save_section(
                    room=room,
                    by=self.by,
                    title=f"Part {number}",
                    opens_at=opens_at,
                    due_at=opens_at + 2 * DAY,
                    honorarium=cents,
                )
                for kind in kinds:
                    guiding.save_prompt(
                        section=section,
                        by=self.by,
                        kind=kind,
                        text="What do you do?",
                        points=5 if kind == "scale" else None,
                        options=("Wait", "Act") if kind == "single" else (),
                    )
            rooms.agree(room=room, firm=self.firm, key=uuid4(), by=self.by)
            self.room = publishing.publish(room=room, by=self.by)

    def take_seats(self, *names):
        """Asked by handle, they accept in their order. Returns the seats they got."""
        handles = [self.members[name].handle for name in names]
        handles += [make_member().handle for _ in range(5 - len(names))]  # who never answer
        recruiting.invite_by_handle(room=self.room, by=self.by, handles=handles)
        for name in names:
            candidate = self.room.candidates.get(member=self.members[name])
            seating.accept(candidate=candidate, agreement=self.room.agreements.last())
        return [self.seat(name) for name in names if self.state(name) == Candidate.State.SEATED]

    def state(self, name):
        return self.room.candidates.get(member=self.members[name]).state

    def seat(self, name):
        return Participant.objects.get(room=self.room, member=self.members[name])

    # What happens

    def answer(self, name, place, *, prompts=None):
        """Somebody answers a section, or the first prompts of it."""
        seat = self.seat(name)
        for prompt in self.room.sections.get(place=place).prompts.order_by("place")[:prompts]:
            given = {}
            if prompt.kind == "open":
                given["source"] = f"It depends, reason {next(self.numbers):04}."
            elif prompt.kind == "single":
                given["chosen"] = [prompt.options.order_by("place").first().pk]
            else:
                given["points"] = 4
            made = answering.answer(participant=seat, prompt=prompt, **given)
            self.said[made.pk] = given.get("source", "")

    def answer_of(self, name, place):
        return Answer.objects.get(
            prompt__section__room=self.room,
            prompt__section__place=place,
            prompt__place=0,
            participant=self.seat(name),
        )


def let_tasks_run():
    tasks.close_due()
    tasks.remind_due()
    money.credit_honoraria()


@pytest.fixture
def script(db):
    with connection.cursor() as cursor:
        for table in ("accounts_member", "accounts_user"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {MANY})")
    with time_machine.travel(START - 8 * DAY, tick=False):
        made = Script()
        for number in range(CARDIOLOGISTS):
            made.member(f"heart{number}")
        for number in range(NEPHROLOGISTS):
            made.member(f"kidney{number}", "Nephrology")
        for name in ("first_in_line", "second_in_line"):
            made.member(name)
        made.member("late", "Nephrology")
        make_claim(
            made.members["heart0"], make_provider(first_name="THEODORA", last_name="QUILLFEATHER", school="")
        )
    made.plan()
    return made


def hold(script):
    """The ten days. Returns what each earns, in cents, by name."""
    seated = [name for name in script.members if name.startswith(("heart", "kidney"))]
    silent, half_way, leaver = "heart1", "heart2", "kidney3"
    put_off, half, quiet = (f"heart{number}" for number in (PUT_OFF, HALF, QUIET))
    usual = [name for name in seated if name not in (silent, half_way, leaver)]
    earned = dict.fromkeys(usual, ALL)
    earned |= {put_off: ALL - HONORARIA[3], half: ALL - HONORARIA[1]}

    with time_machine.travel(START - 4 * DAY, tick=False):
        assert len(script.take_seats(*seated)) == CARDIOLOGISTS + NEPHROLOGISTS
        assert script.take_seats("first_in_line", "second_in_line") == []

    def day(number, hours=1):
        return time_machine.travel(START + number * DAY + hours * HOUR, tick=False)

    with day(0):
        for name in (*usual, half_way, leaver):
            script.answer(name, 0)
        messaging.note(participant=script.seat(quiet), source="Between us alone.", key=uuid4())
    with day(1):
        for name in (*usual, leaver):
            script.answer(name, 1, prompts=1 if name == half else None)
        messaging.reply(
            participant=script.seat("heart7"),
            answer=script.answer_of("heart8", 0),
            source="With us it is the other way round.",
            key=uuid4(),
        )
    with day(2, hours=2):
        let_tasks_run()  # the first section is closed, and paid
        assert owed(make_payee(script.members["heart0"])) == HONORARIA[0]
        assert script.seat(silent).reminders.exists()
        seating.drop(participant=script.seat(silent), by=script.by)
        seating.drop(participant=script.seat(half_way), by=script.by)
        assert {script.state(name) for name in ("first_in_line", "second_in_line")} == {"seated"}
        assert {script.seat(name).replaces for name in ("first_in_line", "second_in_line")} == {
            script.seat(silent),
            script.seat(half_way),
        }
    earned |= {silent: 0, half_way: HONORARIA[0]}
    given_on = {script.seat(name).replaces: name for name in ("first_in_line", "second_in_line")}
    for_silent, for_half_way = (given_on[script.seat(name)] for name in (silent, half_way))

    with day(3):
        for name in (*usual, leaver, for_silent, for_half_way):
            script.answer(name, 2)
        for place in (0, 1):  # late, the first of them closed
            for name in (for_silent, for_half_way):
                script.answer(name, place)
        probe = messaging.probe(
            by=script.by,
            room=script.room,
            prompt=script.answer_of("heart8", 0).prompt,
            source="Who decides where you work?",
            key=uuid4(),
        )
        messaging.reply(
            participant=script.seat("heart9"), parent=probe, source="The nurse does.", key=uuid4()
        )
        let_tasks_run()
    earned |= {for_silent: ALL, for_half_way: ALL - HONORARIA[0]}

    with day(4):
        cell = script.room.cells.get(name="Nephrology")
        planning.save_cell(
            room=script.room,
            by=script.by,
            cell=cell,
            name=cell.name,
            seats=NEPHROLOGISTS + 1,
            specialties=cell.specialties,
        )
        assert len(script.take_seats("late")) == 1
        script.answer("late", 2)
        script.answer("late", 0)
        assert owed(make_payee(script.members["late"])) == 0  # had closed: credited at night
        let_tasks_run()
        assert owed(make_payee(script.members["late"])) == HONORARIA[0]
    with day(5):
        for name in (*usual, for_silent, for_half_way, "late"):
            if name != put_off:
                script.answer(name, 3)
        seating.leave(participant=script.seat(leaver), takes_back=True)
        let_tasks_run()
    earned |= {leaver: sum(HONORARIA[:3]), "late": ALL - HONORARIA[1]}
    with day(7):
        for name in (*usual, for_silent, for_half_way, "late"):
            script.answer(name, 4)
        let_tasks_run()
    with day(8):
        for name in (*usual, for_silent, for_half_way, "late"):
            script.answer(name, 5)
        messaging.hide(said=script.answer_of(quiet, 5), by=script.by, reason="Names a hospital.")
        let_tasks_run()
    with day(10):
        let_tasks_run()
    return earned


def test_a_room_of_thirty_is_held_paid_and_written_down(script):
    earned = hold(script)

    room = Room.objects.get(pk=script.room.pk)
    assert room.closed_at == room.ends_at

    # Money
    got = {name: owed(make_payee(member)) for name, member in script.members.items()}
    assert got == earned
    paid = sum(earned.values())
    assert sum(Award.objects.values_list("cents", flat=True)) == paid
    assert balance(ledger.reserved_of(script.firm)) == 0
    assert balance(ledger.firm_balance(script.firm)) == FUNDS - paid
    assert list(checking.faults()) == []

    # Words: those of the rows, and nothing else
    aliases = dict(room.participants.values_list("pk", "alias"))
    standing = Answer.objects.standing().filter(participant__room=room).select_related("participant")
    expected = sorted((aliases[row.participant_id], script.said[row.pk]) for row in standing)
    messages = Message.objects.standing().filter(room=room)
    expected_messages = sorted((aliases.get(row.participant_id, "Moderator"), row.source) for row in messages)
    lines = list(transcript_of(room).lines())
    assert sorted((line.who, line.text) for line in lines if line.kind == "Answer") == expected
    assert sorted((line.who, line.text) for line in lines if line.kind != "Answer") == expected_messages
    assert len(expected) > 190
    assert len(expected_messages) == 4

    # By alias alone
    leaver = aliases[script.seat("kidney3").pk]
    hidden = script.said[script.answer_of(f"heart{QUIET}", 5).pk]
    with time_machine.travel(START + 11 * DAY, tick=False):
        files = {
            (kind, for_sponsor): exporting.export(
                room=room, by=script.by, kind=kind, reason="The report.", for_sponsor=for_sponsor
            ).text
            for kind in ("transcript", "answers")
            for for_sponsor in (False, True)
        }
    for (kind, for_sponsor), text in files.items():
        assert aliases[script.seat("heart0").pk] in text
        assert leaver not in text
        assert hidden not in text
        assert ("Between us alone." in text) == (kind == "transcript" and not for_sponsor)
        assert not [secret for secret in secrets_of(script) if str(secret).lower() in text.lower()]
        assert all(text.count(words) == 1 for _, words in expected if words)


def secrets_of(script):
    """All that would name somebody outside of the room."""
    for member in script.members.values():
        assert min(member.pk, member.user.pk) >= MANY
        yield from (member.handle, member.user.email, member.pk, member.user.pk)
    yield from ("Theodora", "Quillfeather", script.by.email)
