"""Files leave a room once it is over, with a reason, logged, and each is known wherever it turns up."""

import csv
import io
from datetime import UTC

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import masking
from accounts.models import Member
from accounts.tests.factories import make_member
from focusgroups import tables
from focusgroups.models import CodeMark, Message, Prompt, Quote, Room, RoomExport
from focusgroups.services import exporting, holding
from focusgroups.services.exporting import CalledOff, ForModerators, NothingSaid, NotPromised, StillOpen
from focusgroups.tests.factories import (
    make_answer,
    make_completion,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_running_room,
)
from sermo import marks
from verification.models import Event

pytestmark = pytest.mark.django_db
Kind = RoomExport.Kind


@pytest.fixture
def moderator():
    return make_moderator()


@pytest.fixture
def room(moderator):
    """One that has closed, of six participants who answered a prompt."""
    room = make_running_room(
        by=moderator, sections=1, prompts=1, watching=Room.Watching.WORDS, closed_at=timezone.now()
    )
    for number in range(6):
        make_answer(make_participant(room), prompt_of(room), f"Answer number {number}.")
    return room


def prompt_of(room):
    return room.sections.first().prompts.first()


def export(room, by, kind=Kind.ANSWERS, reason="For the analysis.", **more):
    return exporting.export(room=room, by=by, kind=kind, reason=reason, **more)


def rows_of(file):
    """The head, and the rows below it as dicts; the watermark, and the last line."""
    assert file.text.startswith("\ufeff")
    lines = list(csv.reader(io.StringIO(file.text[1:])))
    watermark, head, *rows, ended = lines
    return watermark, [dict(zip(head, row, strict=True)) for row in rows], ended


# Who, when, why


def test_only_its_moderators_make_files_of_a_room(room):
    with pytest.raises(holding.NotYours):
        export(room, make_moderator())
    assert not RoomExport.objects.exists()


@pytest.mark.parametrize("kind", Kind)
def test_nothing_leaves_a_room_that_is_open(kind, moderator):
    room = make_running_room(by=moderator, sections=1, prompts=1)
    make_answer(make_participant(room), prompt_of(room))

    with pytest.raises(StillOpen):
        export(room, moderator, kind)


def test_nothing_leaves_a_room_that_was_called_off(room, moderator):
    room.canceled_at, room.canceled_why = timezone.now(), "No time"
    room.save()

    with pytest.raises(CalledOff):
        export(room, moderator)


@pytest.mark.parametrize("kind", [Kind.TRANSCRIPT, Kind.ANSWERS, Kind.QUOTES])
def test_nothing_is_made_of_nothing(kind, moderator):
    room = make_running_room(by=moderator, sections=1, prompts=1, closed_at=timezone.now())

    with pytest.raises(NothingSaid):
        export(room, moderator, kind)
    assert not RoomExport.objects.exists()
    assert not Event.objects.filter(kind="room_export").exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_a_reason_is_needed(room, moderator, reason):
    with pytest.raises(holding.Unfit) as refusal:
        export(room, moderator, reason=reason)
    assert refusal.value.field == "reason"


def test_an_export_is_noted_with_its_reason_its_rows_and_its_words(room, moderator):
    file = export(room, moderator, reason="  For the\n analysis. ")

    made = RoomExport.objects.get()
    event = Event.objects.get(kind="room_export")
    assert (made.room, made.by, made.kind, made.reason) == (
        room,
        moderator,
        Kind.ANSWERS,
        "For the analysis.",
    )
    assert made.rows == len(rows_of(file)[1]) == 6
    assert event.object == f"room:{room.pk}"
    assert event.evidence == ["Answers, as CSV", "moderators", made.mark]
    assert str(event.actor) == str(moderator.subject.pk)


def test_the_database_refuses_an_export_without_a_reason_or_of_an_unknown_kind(room):
    for wrong in ({"reason": ""}, {"kind": "all"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            RoomExport.objects.create(
                **{"room": room, "kind": "answers", "mark": "a b c d", "reason": "r", "rows": 1, **wrong}
            )


# Names


KINDS_WITH_WORDS = [Kind.TRANSCRIPT, Kind.ANSWERS, Kind.QUOTES]


@pytest.mark.parametrize("kind", KINDS_WITH_WORDS)
@pytest.mark.parametrize("for_sponsor", [False, True])
def test_no_file_has_the_names_that_were_typed_into_a_room(kind, for_sponsor, room, moderator):
    seat, other = room.participants.all()[:2]
    make_member(handle="night_heron7")
    Member.objects.filter(pk=other.member_id).update(
        handle="iv_line_42", display_name="Zbigniew Okonkwo", byline_mode="public"
    )
    said = (
        "I agree with @iv_line_42, that is Dr Okonkwo, and with night_heron7. See /members/iv_line_42/. "
        "Call 212-555-0147."
    )
    named = make_answer(seat, make_prompt(room.sections.first()), said)
    Quote.objects.create(
        room=room, answer=named, text=said, paraphrase="p", state="approved", decided_at=timezone.now()
    )

    text = export(room, moderator, kind, for_sponsor=for_sponsor).text

    assert "I agree with a colleague, that is" in text
    for name in ("iv_line_42", "Okonkwo", "night_heron7", "212-555-0147"):
        assert name not in text, name


def test_a_paraphrase_with_a_name_loses_it(room, moderator):
    seat = room.participants.first()
    Member.objects.filter(pk=seat.member_id).update(handle="iv_line_42")
    Quote.objects.create(
        room=room,
        answer=answers_of(room)[0],
        paraphrase="Starts low, as iv_line_42 does.",
        state="refused",
        decided_at=timezone.now(),
    )

    assert "Starts low, as a colleague does." in export(room, moderator, Kind.QUOTES).text


def test_names_of_those_who_left_the_site_are_no_longer_known_and_their_answers_still_leave(room, moderator):
    room.participants.update(member=None)

    assert "Answer number 1." in export(room, moderator).text


def test_names_are_looked_for_before_anything_is_locked(room, moderator, monkeypatch):
    """Reading texts for identifiers is slow, and the audit trail is one for the whole site."""
    held = []
    hold = holding.hold
    monkeypatch.setattr(holding, "hold", lambda *args, **more: held.append(1) or hold(*args, **more))
    find = masking.spans
    looked = []
    monkeypatch.setattr(masking, "spans", lambda *args: looked.append(bool(held)) or find(*args))

    export(room, moderator)

    assert held
    assert looked
    assert not any(looked)


# Versions


def test_the_sponsors_version_has_nothing_that_went_to_moderators_alone(room, moderator):
    seat = room.participants.first()
    seat.answers.update(is_private=True)
    asked = make_prompt(room.sections.first(), is_private=True)
    make_answer(seat, asked, "Private by its prompt.", is_private=False)
    make_message(room, participant=seat, kind=Message.Kind.NOTE, source="A note.")

    for kind in (Kind.ANSWERS, Kind.TRANSCRIPT):
        whole, public = export(room, moderator, kind), export(room, moderator, kind, for_sponsor=True)

        for words in ("Answer number 0.", "Private by its prompt."):
            assert words in whole.text
            assert words not in public.text
        assert seat.alias in whole.text
        assert seat.alias not in public.text
        assert "Answer number 1." in public.text
        assert "A note." not in public.text
        assert "For moderators alone" in whole.text
        assert "For moderators alone" not in public.text
        assert "For the sponsor" in public.text
        assert public.export.rows < whole.export.rows
        assert exporting.for_sponsors([room.pk]) >= {public.export.mark}
        assert whole.export.mark not in exporting.for_sponsors([room.pk])
    assert "sponsor" in Event.objects.filter(kind="room_export").last().evidence


@pytest.mark.parametrize("watching", ["nobody", "figures"])
def test_where_participants_were_told_so_the_sponsor_gets_no_words_but_quotes(room, moderator, watching):
    room.watching = watching
    room.save()
    quote(room, "approved")

    for kind in (Kind.ANSWERS, Kind.TRANSCRIPT):
        with pytest.raises(NotPromised):
            export(room, moderator, kind, for_sponsor=True)
        assert export(room, moderator, kind).export.rows
    assert export(room, moderator, Kind.QUOTES, for_sponsor=True).export.rows == 1


def test_figures_of_participants_are_a_file_for_moderators_alone(room, moderator):
    with pytest.raises(ForModerators):
        export(room, moderator, Kind.FIGURES, for_sponsor=True)

    _, rows, _ = rows_of(export(room, moderator, Kind.FIGURES))

    assert [row["Alias"] for row in rows] == sorted(room.participants.values_list("alias", flat=True))


# What is in a file


def test_no_file_says_who_somebody_is_on_the_site(room, moderator):
    quote(room, "approved")
    secrets = {str(each.member.handle) for each in room.participants.select_related("member")}
    secrets |= {each.member.user.email for each in room.participants.select_related("member__user")}
    for kind in Kind:
        text = export(room, moderator, kind).text
        assert not [secret for secret in secrets if secret in text], kind
        assert room.participants.first().alias in text


def test_the_table_of_answers_has_a_row_for_each(room, moderator):
    section, seat = room.sections.first(), room.participants.first()
    single, scale = (
        make_prompt(section, Prompt.Kind.SINGLE, text="Which?"),
        make_prompt(section, Prompt.Kind.SCALE),
    )
    answer = make_answer(seat, single, "Because.", is_private=True)
    make_answer(seat, scale, "", points=4)
    CodeMark.objects.create(code=room.codes.create(name="dose"), answer=answer)

    _, rows, _ = rows_of(export(room, moderator))

    assert [row["Question"] for row in rows] == ["1.1"] * 6 + ["1.2", "1.3"]
    chosen, pointed = rows[6:]
    copy = exporting.copy_mark(RoomExport.objects.get())
    assert chosen == {
        "Section": f"1. {section.title}",
        "Question": "1.2",
        "Asked": "Which?",
        "Alias": seat.alias,
        "Cell": "All",
        "Day": str(room.in_its_zone(answer.posted_at).date()),
        "Chosen": "A",
        "Points": "",
        "Text": "Because.",
        "Codes": "dose",
        "To moderators alone": "yes",
        "Copy": copy,
    }
    assert (pointed["Chosen"], pointed["Points"]) == ("", "4")


def test_what_is_hidden_or_taken_back_is_in_no_file(room, moderator):
    hidden, gone, *_ = answers_of(room)
    hidden.hidden_at, hidden.hidden_why = timezone.now(), "Names a patient"
    hidden.save()
    gone.source, gone.html, gone.withdrawn_at = "", "", timezone.now()
    gone.save()

    _, rows, _ = rows_of(export(room, moderator))
    transcript = export(room, moderator, Kind.TRANSCRIPT)

    assert len(rows) == transcript.export.rows == 4
    assert "Answer number 0." not in transcript.text
    assert "Left out: 1 that participants took back, 1 that moderators hid." in transcript.text


def answers_of(room):
    return list(prompt_of(room).answers.order_by("pk"))


def quote(room, state, number=0):
    answer = answers_of(room)[number]
    return Quote.objects.create(
        room=room,
        answer=answer,
        state=state,
        text="number 0" if state in ("proposed", "approved") else "",
        paraphrase="They gave a number.",
        decided_at=None if state == "proposed" else timezone.now(),
    )


def test_quotes_are_word_for_word_with_a_yes_and_else_a_paraphrase_that_says_so(room, moderator):
    for number, state in enumerate(["approved", "refused", "paraphrased", "proposed"]):
        quote(room, state, number)

    _, rows, _ = rows_of(export(room, moderator, Kind.QUOTES))

    assert [(row["Quote"], row["How"]) for row in rows] == [
        ("number 0", "word for word"),
        *[("They gave a number.", "paraphrase")] * 3,
    ]
    assert rows[1]["Because"] == "the speaker said no to their own words"
    assert rows[0]["Alias"] == answers_of(room)[0].participant.alias


def test_the_table_of_participants_says_how_much_each_took_part(room):
    seat = room.participants.first()
    make_message(
        room, participant=seat, answer=answers_of(room)[1], prompt=prompt_of(room), source="Two words."
    )
    make_completion(seat, room.sections.first(), is_final=True)
    seat.left_at, seat.left_as = timezone.now(), "dropped"
    seat.save()

    table = tables.participants(room)

    rows = [dict(zip(table.head, row, strict=True)) for row in table.rows]
    own = next(row for row in rows if row["Alias"] == seat.alias)
    assert len(rows) == 6
    assert (own["How"], own["Sections"], own["Answers"]) == ("Dropped out", 1, 1)
    assert (own["Replies, notes"], own["Words"], own["Dollars"]) == (1, 5, "50.00")
    assert [row["Alias"] for row in rows] == sorted(row["Alias"] for row in rows)


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@ now", "\uff1d1+1"])
def test_no_cell_of_a_table_is_a_formula(room, moderator, formula):
    answer = answers_of(room)[0]
    answer.html = f"<p>{formula}</p>"
    answer.save()
    code = room.codes.create(name=formula)
    CodeMark.objects.create(code=code, answer=answer)

    _, rows, _ = rows_of(export(room, moderator))

    assert (rows[0]["Text"], rows[0]["Codes"]) == (f"'{formula}", f"'{formula}")


def test_a_transcript_reads_like_one(room, moderator):
    answer, prompt = answers_of(room)[0], prompt_of(room)
    make_message(room, participant=room.participants.last(), answer=answer, prompt=prompt, source="I agree.")
    unanswered = make_prompt(room.sections.first(), text="And what else?")

    file = export(room, moderator, Kind.TRANSCRIPT)

    mark = exporting.copy_mark(file.export)
    lines = file.text.splitlines()
    assert lines[0] == f"\ufeff{room.title}"
    assert f"1.1  {prompt.text}  [{mark}]" in lines
    first = next(place for place, line in enumerate(lines) if answer.participant.alias in line)
    assert lines[first].startswith(f"    {answer.participant.alias} · All · ")
    assert lines[first].endswith(" · Answer")
    assert lines[first + 1] == "        Answer number 0."
    assert lines[first + 3].startswith(f"        {room.participants.last().alias} · All · ")
    assert lines[first + 4] == "            I agree."
    assert lines[lines.index(f"1.2  {unanswered.text}  [{mark}]") + 2] == "    Nobody answered."
    assert lines[-1] == f"End of the export: {file.export.mark}"
    assert file.export.rows == 7


# By what a copy is known


def test_a_file_says_for_whom_and_why_it_was_made_and_its_words(room, moderator):
    file = export(room, moderator, reason="For the analysis")

    [watermark], _, ended = rows_of(file)

    made = file.export
    assert len(made.mark.split()) == 4
    for said in (
        room.title,
        made.mark,
        exporting.copy_mark(made),
        "For moderators alone",
        "For the analysis.",
    ):
        assert said in watermark
    assert str(made.at.astimezone(UTC).date()) in watermark
    assert made.mark in ended


def test_two_files_of_the_same_are_told_apart(room, moderator):
    first, second = export(room, moderator), export(room, moderator)

    assert first.export.mark != second.export.mark
    assert exporting.copy_mark(first.export) != exporting.copy_mark(second.export)


def test_words_and_marks_lead_to_the_file(room, moderator):
    first, second = (export(room, moderator).export for _ in range(2))
    for text, found in [
        (f"I was sent this: {first.mark.upper().replace(' ', '-')}!", [first]),
        (f"see {exporting.copy_mark(second)}", [second]),
        (f"{first.mark}, {exporting.copy_mark(second)}", [second, first]),
        (f"HOW-{first.pk}-0000\x00", []),
        ("HOW-99999-AB12", []),
        ("nothing of ours", []),
    ]:
        assert list(exporting.trace(text)) == found, text


def test_one_row_of_a_file_leads_to_it(room, moderator):
    file = export(room, moderator)
    row = file.text.splitlines()[3]

    assert exporting.trace(row).get() == file.export


def test_phrases_are_four_words_that_nothing_else_has():
    taken = [marks.new_phrase(lambda phrase: False) for _ in range(3)]
    asked = []

    def is_taken(phrase):
        asked.append(phrase)
        return len(asked) < 4

    assert marks.new_phrase(is_taken) == asked[3]
    assert all(len(phrase.split()) == 4 for phrase in [*taken, *asked])


def test_an_unknown_kind_is_no_file(room, moderator):
    with pytest.raises((ValueError, ValidationError)):
        export(room, moderator, "everything")
