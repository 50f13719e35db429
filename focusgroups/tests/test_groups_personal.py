"""What a member's export says of focus groups, and what leaving the site does with it."""

import pytest
from django.utils import timezone

from accounts.leaving.ledger import Person
from accounts.services import leaving
from accounts.tests.factories import make_member, make_user
from focusgroups import personal
from focusgroups.models import Answer, Candidate, Completion, Message, Participant, Quote, Reminder
from focusgroups.services import screening, seating
from focusgroups.signals import section_completed
from focusgroups.tests.factories import (
    make_answer,
    make_candidate,
    make_cell,
    make_completion,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_recruiting_room,
    make_running_room,
    make_screener,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaver(db):
    return make_member("quiet_harbor", user=make_user("torre@example.org"))


@pytest.fixture
def room():
    room = make_running_room(title="Heparin in clinics", cells=False)
    make_cell(room, "Cardiologists", seats=1)
    return room


@pytest.fixture
def seat(room, leaver):
    return make_participant(room, member=leaver)


def export(member) -> dict[str, list[dict]]:
    person = Person.of(member.user)
    entries = [entry for entry in personal.ENTRIES if entry.shown]
    return {entry.model.split(".")[1]: [entry.row(row) for row in entry.rows(person)] for entry in entries}


class TestExport:
    def test_it_has_what_one_said_and_chose_and_earned(self, room, seat, leaver):
        section = room.sections.first()
        choice = make_prompt(section, "ranked", options=("Now", "Later"))
        first, second = choice.options.all()
        make_answer(seat, choice, "Because.", chosen=[second.pk, first.pk])
        answer = make_answer(seat, section.prompts.first(), "Low dose first.")
        answer.revisions.create(source="High dose first.", written_at=timezone.now())
        make_message(room, participant=seat, kind="note", source="For moderators alone.")
        make_completion(seat, section)
        Quote.objects.create(room=room, answer=answer, text="Low dose", paraphrase="Start low.")

        said = export(leaver)

        assert {row["markdown"] for row in said["Answer"]} == {"Because.", "Low dose first."}
        assert next(row for row in said["Answer"] if row["chosen"])["chosen"] == ["Later", "Now"]
        assert said["Message"][0]["markdown"] == "For moderators alone."
        assert said["Revision"][0]["markdown"] == "High dose first."
        assert said["Completion"][0] == {
            "group": "Heparin in clinics",
            "section": section.title,
            "cents": 5_000,
            "completed_at": said["Completion"][0]["completed_at"],
            "final_at": None,
        }
        assert said["Quote"][0]["text"] == "Low dose"
        assert said["Participant"][0]["alias"] == seat.alias
        assert said["Acceptance"][0]["text"] == room.agreements.get().text

    def test_it_has_the_answers_before_a_seat_in_words(self, leaver):
        room = make_recruiting_room()
        (question,) = make_screener(room, ["-No"])
        candidate = make_candidate(room, leaver)
        screening.answer(candidate=candidate, question=question, option=question.options.get())

        said = export(leaver)

        assert said["ScreenerAnswer"][0]["question"] == question.text
        assert said["ScreenerAnswer"][0]["answer"] == "No"
        assert said["Candidate"][0]["state"] == "Screened out"

    def test_it_has_nothing_of_others(self, room, seat):
        other = make_member()
        make_answer(seat, room.sections.first().prompts.first())
        make_message(room, moderator=make_moderator(), kind="probe", to=seat)
        make_completion(seat, room.sections.first())

        assert not any(export(other).values())
        assert export(seat.member)["Message"] == []


class TestLeavingTheSite:
    def test_the_seat_is_given_on_and_the_link_is_cut(self, room, seat, leaver):
        waits = make_candidate(room, state="waiting")
        asked = make_candidate(make_recruiting_room(), leaver)
        Reminder.objects.create(participant=seat, day=timezone.now().date())

        leaving.leave(leaver.user)

        for row in (seat, waits, asked):
            row.refresh_from_db()
        assert (seat.member, seat.left_as) == (None, "left")
        assert (waits.state, waits.seat.replaces) == (Candidate.State.SEATED, seat)
        assert (asked.member, asked.state) == (None, Candidate.State.LAPSED)
        assert not Candidate.objects.filter(member=leaver).exists()
        assert not Participant.objects.filter(member=leaver).exists()
        assert not Reminder.objects.exists()

    def test_what_was_said_stays_under_its_alias(self, room, seat, leaver):
        make_answer(seat, room.sections.first().prompts.first())
        make_message(room, participant=seat)

        leaving.leave(leaver.user)

        assert Answer.objects.get().source
        assert Message.objects.get().participant.alias == seat.alias

    def test_what_was_taken_back_before_is_gone(self, room, seat, leaver):
        make_answer(seat, room.sections.first().prompts.first())
        seating.withdraw(participant=seat)

        leaving.leave(leaver.user)

        assert Answer.objects.get().source == ""

    def test_what_was_earned_is_final_before_nobody_is_left_to_be_paid(self, room, seat, leaver):
        make_completion(seat, room.sections.first())
        heard = []

        def hear(completion, **kwargs):
            heard.append((completion.pk, Participant.objects.get(pk=completion.participant_id).member_id))

        section_completed.connect(hear)
        try:
            leaving.leave(leaver.user)
        finally:
            section_completed.disconnect(hear)

        completion = Completion.objects.get()
        assert completion.final_at
        assert heard == [(completion.pk, leaver.pk)]

    def test_others_stay_as_they_are(self, seat, leaver):
        other = make_participant(make_running_room())

        leaving.leave(leaver.user)

        other.refresh_from_db()
        assert other.is_seated
