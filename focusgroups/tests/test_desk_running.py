"""The desk of a room while it runs: the board, seats given on, the stream and all that is done in it, live hours."""

import re
import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Notice
from accounts.tests.factories import make_member
from conftest import client_of
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import Candidate, CodeMark, Message, Participant, Quote, Room
from focusgroups.services import answering, coding, messaging, publishing, quoting, seating
from focusgroups.tests.factories import (
    make_answer,
    make_candidate,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_running_room,
    make_section,
)
from focusgroups.tests.test_desk_setup import at, confirmed, post, said, text_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
PAGES = ("board", "fairness", "stream", "ask", "live", "quotes")


@pytest.fixture(autouse=True)
def permissions(db):
    allow_moderators(apps.get_app_config("focusgroups"), using="default")


@pytest.fixture
def moderator(permissions):
    return make_moderator()


@pytest.fixture
def desk(moderator):
    return confirmed(moderator)


@pytest.fixture
def room(moderator):
    return make_running_room(by=moderator, sections=2)


@pytest.fixture
def prompt(room):
    return room.sections.first().prompts.first()


@pytest.fixture
def me(room):
    return make_participant(room)


@pytest.fixture
def answer(me, prompt):
    return make_answer(me, prompt, "Low dose first, then a scan.", posted_at=timezone.now() - HOUR)


def of(row):
    """The page of an answer or message."""
    return at(
        row.room if isinstance(row, Message) else row.participant.room, "said", coding.kind_of(row), row.pk
    )


def do(desk, row, deed, **data):
    return post(desk, of(row), {"deed": deed, "submission": uuid.uuid4(), **data})


def by_htmx(desk, row, deed, **data):
    data = {"deed": deed, "submission": uuid.uuid4(), **data}
    return desk.post(of(row), data, headers={"HX-Request": "true"})


# Who comes in


def addresses(room):
    one = room.participants.first() or make_participant(room)
    hour = room.live_hours.first() or make_live_hour(room)
    note = make_message(room, participant=one, kind="note")
    return [
        *(at(room, name) for name in (*PAGES, "hints")),
        *(at(room, f"participant{deed}", one.pk) for deed in ("", "_remind", "_drop", "_remove")),
        at(room, "live_hour", hour.pk),
        at(room, "live_lines", hour.pk),
        of(note),
    ]


def test_only_who_runs_the_room_finds_any_of_it(room, me):
    strangers = [confirmed(make_moderator()), confirmed(make_moderator())]
    outside = [client_of(me.member.user), client_of(make_member().user)]
    for address in addresses(room):
        for client in strangers:
            assert client.get(address).status_code == 404, address
            assert client.post(address).status_code == 404, address
        for client in outside:
            assert client.get(address).status_code == 302, address
            assert client.post(address, {"reason": "No."}).status_code == 302, address
    assert Participant.objects.seated().filter(pk=me.pk).exists()


def test_another_rooms_people_and_words_are_not_found_through_ones_own(room, moderator, desk):
    own = make_running_room(by=moderator)
    other = make_running_room()
    for address in addresses(other):
        if re.search(r"/\d+/.*\d", address.removeprefix("/admin/focusgroups")):
            address = address.replace(f"/room/{other.pk}/", f"/room/{own.pk}/")
            assert desk.get(address, follow=True).status_code == 404, address
            assert desk.post(address, {"deed": "hide", "reason": "No."}).status_code == 404, address


def test_a_draft_has_none_of_it(moderator, desk):
    draft = make_room(moderator)

    assert [desk.get(at(draft, name)).status_code for name in PAGES] == [404] * len(PAGES)


def test_after_the_end_it_is_read_and_nobody_is_asked(room, moderator, desk, me, answer):
    publishing.close(room=room, by=moderator)
    read = ("board", "fairness", "stream", "live", "quotes")

    assert [desk.get(at(room, name)).status_code for name in read] == [200] * len(read)
    assert desk.get(at(room, "ask")).status_code == 404
    assert desk.get(at(room, "participant_drop", me.pk)).status_code == 404
    page = text_of(desk.get(of(answer)))
    assert "Reply" not in re.sub(r"<nav.*?</nav>", "", page).split("<h2>")[1]
    assert "Propose as a quote" in page


@pytest.mark.parametrize("name", ["board", "fairness", "stream", "quotes", "participant", "said"])
def test_nothing_says_who_a_participant_is(name, room, desk, me, answer):
    quoting.propose(said=answer, by=room.moderators.get().user, text="Low dose", paraphrase="Small amounts.")
    args = {"participant": [me.pk], "said": ["answer", answer.pk]}.get(name, [])
    page = text_of(desk.get(at(room, name, *args)))

    assert me.alias in page
    for told in (me.member.handle, me.member.user.email):
        assert told not in page


# The board


def test_the_board_shows_progress_and_section_by_section(room, desk, me, prompt, answer):
    Participant.objects.filter(pk=me.pk).update(seen_at=room.in_its_zone(timezone.now()).replace(minute=31))
    room.sections.update(due_at=timezone.now() - HOUR / 2)
    page = text_of(desk.get(at(room, "board")))
    assert "1/2" in page
    assert "2 overdue" in page
    assert ":31" not in page
    assert re.search(r"\w{3} \d+, \d+ [ap]m", page)

    section = text_of(desk.get(f"{at(room, 'board')}?section={prompt.section.place}"))
    assert prompt.text in section
    assert "answered</span>" in section
    assert desk.get(f"{at(room, 'board')}?section=99999999").status_code == 200


@pytest.mark.parametrize("section", ["", "?section=0"])
def test_the_board_costs_at_most_twelve_queries(section, room, desk, prompt):
    part = prompt.section
    prompts = [*part.prompts.all(), *(make_prompt(part) for _ in range(36))]
    for _ in range(30):
        one = make_participant(room)
        for each in prompts[::4]:
            make_answer(one, each)
        make_message(room, participant=one, kind="note")
    desk.get(at(room, "board"))
    with CaptureQueriesContext(connection) as queries:
        response = desk.get(at(room, "board") + section)
    assert response.status_code == 200
    assert len(queries) <= 12, [each["sql"][:80] for each in queries]


def test_a_reminder_goes_out_once_a_day_and_says_nothing_of_the_group(room, desk, me, mailoutbox):
    page = text_of(desk.get(at(room, "board")))
    assert "Remind<span" in page
    answered = post(desk, at(room, "participant_remind", me.pk), {"section": "1"})
    assert said(answered) == [f"{me.alias} is reminded. The mail says nothing of what this group is about."]
    assert answered.redirect_chain[-1][0].endswith("?section=1")
    assert "reminded today" in text_of(answered)
    notice = Notice.objects.get(member=me.member)
    assert "remind" in notice.key

    again = post(desk, at(room, "participant_remind", me.pk))
    assert "The next reminder can go out tomorrow" in said(again)[0]
    assert Notice.objects.filter(member=me.member).count() == 1
    assert desk.get(at(room, "participant_remind", me.pk)).status_code == 302


def test_who_has_left_meanwhile_is_not_reminded(room, desk, me):
    seating.leave(participant=me)

    answered = post(desk, at(room, "participant_remind", me.pk))

    assert said(answered) == ["This participant has no seat any more."]
    assert not Notice.objects.filter(member=me.member).exists()


def test_a_seat_is_given_on_to_whoever_waits(room, desk, me):
    Room.objects.filter(pk=room.pk).update(seats=4)
    room.cells.update(seats=1)
    waiting = make_candidate(room, state=Candidate.State.WAITING)
    assert "is given on" not in text_of(desk.get(at(room, "participant_drop", me.pk)))

    answered = post(desk, at(room, "participant_drop", me.pk))

    assert said(answered) == [f"The seat of {me.alias} is given on."]
    me.refresh_from_db()
    assert me.left_as == "dropped"
    assert Participant.objects.get(candidate=waiting).replaces == me
    assert "Dropped out" in text_of(answered)


def test_a_participant_is_removed_for_a_reason(room, desk, me):
    address = at(room, "participant_remove", me.pk)
    without = desk.post(address, {"reason": " "})
    assert without.status_code == 422
    assert "Say why, in words for the participant." in text_of(without)

    post(desk, address, {"reason": "Named a colleague."})

    me.refresh_from_db()
    assert (me.left_as, me.left_why) == ("removed", "Named a colleague.")
    page = text_of(desk.get(at(room, "participant", me.pk)))
    assert "Named a colleague." in page
    left = room.in_its_zone(me.left_at)
    assert f"<dt>Until</dt><dd>{left:%b %-d, %Y}</dd>" in page
    assert desk.get(address).status_code == 404
    assert desk.post(address, {"reason": "Again."}).status_code == 302
    me.refresh_from_db()
    assert me.left_why == "Named a colleague."


def test_the_day_of_leaving_is_shown_and_no_moment(room, desk, me):
    """Who leaves the site is credited in that moment, and the finance desk reads the day of a credit."""
    left_at = timezone.now() - timedelta(hours=3)
    Participant.objects.filter(pk=me.pk).update(left_at=left_at, left_as="left")
    local = room.in_its_zone(left_at)

    page = text_of(desk.get(at(room, "participant", me.pk)))

    assert f"{local:%b} {local.day}, {local.year}</dd>" in page
    assert f"{local.hour % 12 or 12}:{local:%M}" not in page


def test_who_leaves_the_site_after_the_end_is_no_different_to_moderators(room, desk, me):
    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())
    pages = [at(room, name) for name in ("overview", "board", "fairness", "invitations", "outcome")]
    pages.append(at(room, "participant", me.pk))
    before = [shown(desk, page) for page in pages]

    Participant.objects.filter(pk=me.pk).update(member=None)

    assert [shown(desk, page) for page in pages] == before


def shown(desk, page):
    """Without what is drawn anew for each request."""
    main = re.search(r"<main.*</main>", text_of(desk.get(page)), re.DOTALL).group()
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", main)


def test_the_page_of_a_participant_leads_to_their_words_and_to_a_question(room, desk, me):
    page = text_of(desk.get(at(room, "participant", me.pk)))

    assert f"{at(room, 'stream')}?participant={me.pk}" in page
    asking = text_of(desk.get(f"{at(room, 'ask')}?to={me.pk}"))
    assert f'value="{me.pk}" selected' in asking


# The stream


def test_the_stream_shows_what_is_private_and_hidden_and_filters(room, desk, me, prompt, answer, moderator):
    other = make_participant(room)
    make_message(room, participant=other, kind="note", source="Is this paid?")
    hidden = make_answer(other, prompt, "Mrs. Miller.")
    messaging.hide(said=hidden, by=moderator, reason="A name.")
    page = text_of(desk.get(at(room, "stream")))
    for words in ("Low dose first", "Is this paid?", "private", "Mrs. Miller.", "Hidden: A name."):
        assert words in page

    mine = text_of(desk.get(f"{at(room, 'stream')}?participant={me.pk}&state="))
    assert "Low dose first" in mine
    assert "Is this paid?" not in mine
    none = text_of(desk.get(f"{at(room, 'stream')}?participant={me.pk}&state=hidden"))
    assert "Nothing like that" in none
    assert f'{at(room, "stream")}?participant={me.pk}"' in none
    assert "Is this paid?" in text_of(desk.get(f"{at(room, 'stream')}?participant=999999&cell=x"))


def test_moderators_are_told_of_a_hidden_answer_that_was_given_anew(
    room, desk, me, prompt, answer, moderator
):
    """Until one of them shows it again, or hides it for what it says now."""
    waiting = "1 hidden answer given anew: show it again, or not"
    given_anew = "Given anew since it was hidden."
    messaging.hide(said=answer, by=moderator, reason="A name.")
    other = messaging.hide(
        said=make_answer(make_participant(room), prompt, "Mr. X."), by=moderator, reason="Name."
    )
    assert waiting not in text_of(desk.get(at(room, "overview")))
    answering.withdraw(answer=answer, by=me)
    answering.answer(participant=me, prompt=prompt, source="Half the dose.")

    assert waiting in text_of(desk.get(at(room, "overview")))
    only = text_of(desk.get(f"{at(room, 'stream')}?state=anew"))
    assert "Half the dose." in only
    assert only.count(given_anew) == 1
    assert "Mr. X." not in only
    assert given_anew not in text_of(desk.get(of(other)))
    assert "Keep it hidden" in text_of(desk.get(of(answer)))

    do(desk, answer, "hide", reason="Off topic.")
    assert waiting not in text_of(desk.get(at(room, "overview")))
    answer.refresh_from_db()
    assert answer.hidden_why == "Off topic."
    assert given_anew not in text_of(desk.get(of(answer)))


def test_the_stream_goes_on_page_by_page_with_its_filter(room, desk, me):
    for number in range(30):
        make_message(room, participant=me, kind="note", source=f"Note {number}.")
    address = f"{at(room, 'stream')}?participant={me.pk}"
    first = text_of(desk.get(address))
    assert "Note 29." in first
    assert "Note 4." not in first
    more = re.search(r'class="more"><a class="button" href="([^"]+)"', first).group(1)

    assert "Note 4." in text_of(desk.get(more))
    part = text_of(desk.get(more, headers={"HX-Request": "true"}))
    assert "Note 4." in part
    assert "<html" not in part


def test_a_page_of_the_stream_costs_the_same_at_any_length(room, desk, me, prompt):
    counts = []
    for _ in range(2):
        for _ in range(8):
            make_message(room, participant=me, kind="note")
            make_answer(make_participant(room), prompt)
        with CaptureQueriesContext(connection) as queries:
            desk.get(at(room, "stream"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 20


def test_a_moderator_replies_and_asks_about_an_answer(room, desk, me, answer, moderator):
    answered = do(desk, answer, "reply", source="Thank you.")
    assert said(answered) == ["Sent."]
    do(desk, answer, "ask", source="Which dose?")
    do(desk, answer, "ask", source="And the others?", to_all="on")

    reply, alone, to_all = answer.messages.order_by("pk")
    assert (reply.kind, reply.moderator, reply.is_private) == ("reply", moderator, False)
    assert (alone.kind, alone.to, alone.is_private) == ("probe", me, True)
    assert (to_all.to, to_all.is_private) == (None, False)
    assert "Thank you." in text_of(answered)


def test_a_note_is_replied_to_its_author_alone(room, desk, me):
    note = make_message(room, participant=me, kind="note", source="Is this paid?")
    do(desk, note, "reply", source="It is.")

    assert note.replies.get().to == me


def test_nothing_typed_is_lost_when_it_cannot_be_sent(room, desk, answer):
    refused = desk.post(
        of(answer), {"deed": "reply", "source": "Call me at jane@example.org.", "submission": ""}
    )
    assert refused.status_code == 422
    assert "Call me at jane@example.org.</textarea>" in text_of(refused)

    nothing = do(desk, answer, "reply", source=" ")
    assert nothing.status_code == 422
    assert "Write a reply." in text_of(nothing)
    assert not answer.messages.exists()


def test_a_question_that_names_a_patient_is_sent_back(room, desk, answer):
    refused = do(desk, answer, "ask", source="Was it MRN 12345678?")

    assert refused.status_code == 422
    assert "it may identify a patient" in text_of(refused)
    assert not answer.messages.exists()


def test_hiding_takes_a_reason_that_its_author_reads(room, desk, me, answer):
    other = make_participant(room)
    make_answer(other, answer.prompt)
    assert "Say why. Whoever wrote it reads the reason." in text_of(do(desk, answer, "hide", reason=""))

    do(desk, answer, "hide", reason="It names a clinic.")

    address = room.get_absolute_url()
    assert "A moderator hid this: It names a clinic." in text_of(client_of(me.member.user).get(address))
    theirs = text_of(client_of(other.member.user).get(address))
    assert "Hidden by a moderator." in theirs
    assert "names a clinic" not in theirs
    assert said(do(desk, answer, "unhide")) == ["It is shown again."]
    answer.refresh_from_db()
    assert answer.hidden_at is None


def test_why_a_reply_and_a_live_line_were_hidden_is_read_by_their_author(room, me, moderator, answer):
    hour = make_live_hour(room)
    said_under = make_message(room, participant=me, answer=answer, prompt=answer.prompt)
    line = make_message(room, participant=me, kind="live", live_hour=hour)
    for row in (said_under, line):
        messaging.hide(said=row, by=moderator, reason="It names a clinic.")
    client = client_of(me.member.user)

    for address in (room.get_absolute_url(), f"{room.get_absolute_url()}live/{hour.pk}/"):
        assert "A moderator hid this: It names a clinic." in text_of(client.get(address)), address


def test_codes_are_given_and_taken_off(room, desk, answer):
    page = do(desk, answer, "tag", code="Safety")
    assert "Safety" in text_of(page)
    mark = CodeMark.objects.get()
    assert "Write a code" in text_of(do(desk, answer, "tag", code=""))

    other = make_running_room()
    stranger = make_answer(make_participant(other), other.sections.first().prompts.first())
    foreign = coding.tag(said=stranger, by=other.moderators.get().user, code="safety")
    assert do(desk, answer, "untag", mark=foreign.pk).status_code == 404
    do(desk, answer, "untag", mark="x")
    assert CodeMark.objects.count() == 2
    for _ in range(2):
        assert do(desk, answer, "untag", mark=mark.pk).status_code == 200
    assert CodeMark.objects.get() == foreign


def test_a_quote_is_proposed_in_the_stream(room, desk, answer):
    refused = do(desk, answer, "quote", text="Low doses", paraphrase="Small amounts.")
    assert refused.status_code == 422
    assert "Use their words exactly" in text_of(refused)
    assert "Low doses</textarea>" in text_of(refused)

    do(desk, answer, "quote", text="Low dose first", paraphrase="Small amounts.")

    assert Quote.objects.get().text == "Low dose first"
    page = text_of(desk.get(at(room, "quotes")))
    assert "Low dose first" in page
    assert "Waiting for the speaker" in page
    assert "quote: waiting for the speaker" in text_of(desk.get(at(room, "stream")))


def test_with_a_script_all_of_it_happens_in_place(room, desk, answer):
    opened = text_of(desk.get(of(answer), headers={"HX-Request": "true"}))
    assert "<html" not in opened
    assert f'id="answer-{answer.pk}"' in opened
    assert "Propose as a quote" in opened

    tagged = by_htmx(desk, answer, "tag", code="safety")
    assert (tagged.status_code, "Tagged." in text_of(tagged)) == (200, True)
    assert by_htmx(desk, answer, "hide", reason="").status_code == 422
    hidden = text_of(by_htmx(desk, answer, "hide", reason="A name."))
    assert "Show again" in hidden
    assert "Propose as a quote" not in hidden
    assert "It is shown again." in text_of(by_htmx(desk, answer, "unhide"))
    mark = CodeMark.objects.get()
    assert "The code is taken off." in text_of(by_htmx(desk, answer, "untag", mark=mark.pk))


def test_what_cannot_be_done_with_something_is_not_offered(room, desk, me, moderator, prompt):
    own = text_of(desk.get(of(make_message(room, moderator=moderator, kind="probe"))))
    assert "Propose as a quote" not in own
    assert 'name="code"' not in own
    gone = make_answer(me, prompt, "", withdrawn_at=timezone.now())
    page = text_of(desk.get(of(gone)))
    assert "Taken back. Its words are erased." in page
    assert 'name="deed"' not in page
    assert do(desk, gone, "tag", code="safety").status_code == 422
    assert not CodeMark.objects.exists()
    assert desk.get(at(room, "said", "answer", 999999)).status_code == 404
    assert desk.get(at(room, "said", "quote", 1)).status_code == 404


# Asking


def test_one_or_all_are_asked_about_a_prompt_or_anything(room, desk, me, prompt):
    for about, to in ((prompt.pk, ""), ("", me.pk), ("", "")):
        sent = {"about": about, "to": to, "source": "How so?", "submission": uuid.uuid4()}
        assert said(post(desk, at(room, "ask"), sent)) == ["Asked."]

    probes = Message.objects.order_by("pk").values_list("prompt", "to", "is_private")
    assert list(probes) == [(prompt.pk, None, False), (None, me.pk, True), (None, None, False)]


def test_only_who_has_a_seat_and_what_is_open_can_be_asked(room, desk, prompt):
    gone = make_participant(room, left_at=timezone.now(), left_as="left")
    coming = make_prompt(make_section(room, opens_at=timezone.now() + HOUR), text="What comes next?")
    for sent in ({"to": gone.pk}, {"about": coming.pk}):
        refused = desk.post(at(room, "ask"), {"source": "How so?", "submission": uuid.uuid4(), **sent})
        assert refused.status_code == 422
        assert "How so?</textarea>" in text_of(refused)
    assert not Message.objects.exists()


def test_a_question_that_may_lead_is_told_while_it_is_typed_and_once_it_is_sent(room, desk, me):
    hint = text_of(desk.post(at(room, "hints"), {"source": "Don’t you think so?"}))
    assert "Don't you think" in hint
    assert "It expects a yes." in hint
    assert "May lead" not in text_of(desk.post(at(room, "hints"), {"source": "How so?"}))
    assert f'hx-post="{at(room, "hints")}"' in text_of(desk.get(at(room, "ask")))

    post(desk, at(room, "ask"), {"source": "Surely you wait?", "submission": uuid.uuid4()})

    assert "May lead the answer." in text_of(desk.get(at(room, "stream")))
    assert "Surely you wait?" in text_of(desk.get(at(room, "fairness")))


# Too late


def close(room):
    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())


@pytest.mark.parametrize(
    ("deed", "typed", "refusal"),
    [
        ("reply", {"source": "And in the elderly?"}, "This focus group is over."),
        ("ask", {"source": "And in the elderly?"}, "This focus group is over."),
    ],
)
def test_what_was_typed_when_the_room_ends_stands_there_with_the_reason(
    deed, typed, refusal, room, desk, answer
):
    close(room)

    refused = desk.post(of(answer), {"deed": deed, "submission": uuid.uuid4(), **typed})

    assert refused.status_code == 422
    assert refusal in text_of(refused)
    assert typed["source"] in text_of(refused)
    assert not Message.objects.exists()


def test_a_question_to_all_typed_when_the_room_ends_stands_there_too(room, desk):
    close(room)

    refused = desk.post(at(room, "ask"), {"source": "And in the elderly?", "submission": uuid.uuid4()})

    assert refused.status_code == 422
    assert "This focus group is over." in text_of(refused)
    assert "And in the elderly?" in text_of(refused)


@pytest.mark.parametrize(("deed", "typed"), [("quote", "Small amounts."), ("reply", "Why is that?")])
def test_what_was_typed_about_what_is_taken_back_meanwhile_stands_there_too(deed, typed, desk, me, answer):
    answering.withdraw(answer=answer, by=me)
    sent = {"quote": {"text": "Low dose", "paraphrase": typed}, "reply": {"source": typed}}[deed]

    refused = desk.post(of(answer), {"deed": deed, "submission": uuid.uuid4(), **sent})

    assert refused.status_code == 422
    assert "taken back or hidden" in text_of(refused)
    assert typed in text_of(refused)


def test_a_code_that_another_moderator_took_off_is_off(answer, moderator):
    mark = coding.tag(said=answer, by=moderator, code="Safety")
    coding.untag(mark=CodeMark.objects.get(), by=moderator)

    coding.untag(mark=mark, by=moderator)

    assert not CodeMark.objects.exists()


def test_what_is_hidden_keeps_its_first_reason(answer, moderator):
    messaging.hide(said=answer, by=moderator, reason="Names a clinic.")
    messaging.hide(said=answer, by=moderator, reason="Another.")

    answer.refresh_from_db()
    assert answer.hidden_why == "Names a clinic."


# Live hours


def test_a_moderator_speaks_in_a_live_hour_while_it_is_on(room, desk, me, moderator):
    hour = make_live_hour(room)
    first = make_message(room, participant=me, kind="live", live_hour=hour, source="Good evening.")
    page = text_of(desk.get(at(room, "live_hour", hour.pk)))
    assert "Good evening." in page
    assert f"lines/?after={first.pk}" in page
    key = uuid.uuid4()
    for _ in range(2):
        desk.post(at(room, "live_hour", hour.pk), {"source": "Shall we begin?", "submission": key})

    line = Message.objects.get(moderator=moderator)
    assert (line.kind, line.live_hour) == ("live", hour)
    new = text_of(look(desk, hour, after=first.pk))
    assert "Shall we begin?" in new
    assert "Good evening." not in new
    assert "every 5s" in new


def look(desk, hour, **query):
    """What a script asks for every few seconds."""
    return desk.get(at(hour.room, "live_lines", hour.pk), query, headers={"HX-Request": "true"})


def test_a_line_that_is_hidden_or_taken_back_is_drawn_anew_on_open_pages(room, desk, me, moderator):
    hour = make_live_hour(room)
    hidden, gone, kept = (
        make_message(room, participant=me, kind="live", live_hour=hour, source=f"Line {number}.")
        for number in range(3)
    )
    since = int(timezone.now().timestamp())
    assert "swap-oob" not in text_of(look(desk, hour, after=kept.pk, since=since))
    messaging.hide(said=hidden, by=moderator, reason="Names a clinic.")
    messaging.withdraw(message=gone, by=me)

    new = text_of(look(desk, hour, after=kept.pk, since=since))

    assert f'hx-swap-oob="innerHTML:#message-{hidden.pk}-words"' in new
    assert "Hidden: Names a clinic." in new
    assert f'hx-swap-oob="innerHTML:#message-{gone.pk}-words"' in new
    assert "Taken back." in new
    assert "Line 2." not in new
    assert 'class="said' not in new
    page = text_of(desk.get(at(room, "live_hour", hour.pk)))
    assert all(f'id="message-{line.pk}-words"' in page for line in (hidden, gone, kept))
    later = int(timezone.now().timestamp()) + 60
    assert "swap-oob" not in text_of(look(desk, hour, after=kept.pk, since=later))


def test_an_hour_to_come_says_so(room, desk):
    hour = make_live_hour(room, starts_at=timezone.now() + HOUR)

    assert "It has not begun." in text_of(desk.get(at(room, "live_hour", hour.pk)))


def test_an_hour_that_is_over_is_read_alone(room, desk):
    hour = make_live_hour(room, starts_at=timezone.now() - 3 * HOUR)
    refused = desk.post(at(room, "live_hour", hour.pk), {"source": "Anybody?", "submission": uuid.uuid4()})

    assert refused.status_code == 422
    assert "This live hour is not on now." in text_of(refused)
    assert "every 5s" not in text_of(desk.get(at(room, "live_hour", hour.pk)))
    assert hour.title in text_of(desk.get(at(room, "live")))


# What the overview says


def test_the_overview_leads_to_what_waits(room, desk, me, answer, moderator):
    make_message(room, participant=me, kind="note")
    quoting.propose(said=answer, by=moderator, text="Low dose", paraphrase="Small amounts.")
    page = text_of(desk.get(at(room, "overview")))

    assert "1 note to the moderators without a reply" in page
    assert "1 quote without a yes or no" in page


def test_deeds_are_in_the_log_in_words(room, desk, me, answer):
    do(desk, answer, "quote", text="Low dose", paraphrase="Small amounts.")
    do(desk, answer, "hide", reason="A name.")
    seating.remind(participant=me, by=room.moderators.get().user)
    page = text_of(desk.get(at(room, "log")))

    for words in ("Proposed a quote", "Hid something that was said", "Reminded a participant"):
        assert words in page
    assert me.member.handle not in page
