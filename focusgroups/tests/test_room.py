"""The pages of a room: what a participant finds there, and what it costs."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import NoticeSettings, NoticeThread
from accounts.tests.factories import make_member
from conftest import client_of
from focusgroups import reading
from focusgroups.models import Answer, Message, Prompt, PromptOption, Room, Section, Sponsor
from focusgroups.services import answering, telling
from focusgroups.tests.factories import (
    make_agreement,
    make_answer,
    make_completion,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_running_room,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def address(name, room, *numbers):
    return reverse(f"focusgroups:{name}", args=[room.pk, *numbers])


@pytest.fixture
def room(db):
    return make_running_room(sections=2, prompts=2, released=1)


@pytest.fixture
def section(room):
    return room.sections.first()


@pytest.fixture
def prompts(section):
    return list(section.prompts.all())


@pytest.fixture
def me(room):
    return make_participant(room)


@pytest.fixture
def other(room):
    return make_participant(room)


@pytest.fixture
def client(me):
    return client_of(me.member)


def page_of(client, url, status=200, **headers):
    response = client.get(url, headers=headers)
    assert response.status_code == status
    return response.content.decode()


def htmx(client, url, data, status=200):
    response = client.post(url, data, headers={"HX-Request": "true"})
    assert response.status_code == status
    return response.content.decode()


def test_the_room_shows_agenda_sponsor_and_the_section_to_go_on_with(client, me, room, section, prompts):
    page = page_of(client, address("room", room))

    assert me.alias in page
    assert "Aldgate Labs" in page
    assert prompts[0].text in page
    assert "Day 2" in page
    assert me.member.handle not in page.split("<main")[1].split("</main>")[0]


def test_prompts_of_a_closed_section_and_others_answers_are_not_on_the_page(client, other, room, prompts):
    make_answer(other, prompts[0], "Ninety units an hour.")
    page = page_of(client, address("room", room))

    assert "Ninety units" not in page
    assert other.alias not in page
    assert "What others say opens once you have answered." in page
    assert page_of(client, address("section", room, 1), status=404)


def test_the_answer_by_a_plain_form_leads_back_to_its_prompt(client, me, room, prompts):
    response = client.post(address("answer", room, prompts[0].pk), {"source": "Low dose."})

    assert response.status_code == 302
    assert response.url == f"{address('section', room, 0)}#prompt-{prompts[0].pk}"
    assert Answer.objects.get(participant=me).source == "Low dose."


def test_by_htmx_it_opens_the_others_and_brings_the_sums(client, me, other, room, section, prompts):
    make_answer(other, prompts[0], "Ninety units an hour.")
    make_answer(me, prompts[1])
    drawn = htmx(client, address("answer", room, prompts[0].pk), {"source": "Low dose."})

    assert "Ninety units" in drawn
    assert other.alias in drawn
    assert f'id="prompt-{prompts[0].pk}"' in drawn
    assert "data-focus-on-load" in drawn
    assert 'id="room-sums" hx-swap-oob="innerHTML"' in drawn
    assert "<b>$50.00</b> of $100.00" in drawn


@pytest.mark.parametrize("is_htmx", [False, True])
def test_a_refused_answer_comes_back_with_what_was_typed(client, room, section, is_htmx):
    prompt = make_prompt(section, Prompt.Kind.SINGLE, asks_why=True)
    option = prompt.options.last()
    sent = {"source": "Call 617-555-0142 about MRN 4471123.", "chosen": option.pk, "is_private": "on"}
    headers = {"HX-Request": "true"} if is_htmx else {}
    response = client.post(address("answer", room, prompt.pk), sent, headers=headers)
    page = response.content.decode()

    assert response.status_code == 422
    assert "Call 617-555-0142 about MRN 4471123.</textarea>" in page
    assert re.search(rf'value="{option.pk}"[^>]*checked', page)
    assert re.search(r'name="is_private"[^>]*checked', page)
    assert "must go" in page
    assert not Answer.objects.exists()


def test_a_replacement_is_put_into_the_text_and_the_form_comes_back(client, room, prompts):
    sent = {"source": "Seen on 11/02/2026, a woman of 93.", "replace": "all"}
    page = htmx(client, address("answer", room, prompts[0].pk), sent, status=422)

    assert "Replaced as you asked." in page
    assert "11/02/2026" not in page.split("<textarea")[1].split("</textarea>")[0]
    assert not Answer.objects.exists()


def test_every_text_has_a_place_for_what_the_check_finds(client, room, prompts):
    for page in (
        page_of(client, address("room", room)),
        page_of(client, address("note", room)),
        page_of(client, address("live", room, make_live_hour(room).pk)),
    ):
        assert page.count("data-findings aria-live") == page.count("next [data-findings]") > 0


def test_a_choice_that_is_missing_is_said_beside_it(client, room, section):
    prompt = make_prompt(section, Prompt.Kind.SCALE, asks_why=True)
    page = htmx(client, address("answer", room, prompt.pk), {"source": "Cost."}, status=422)

    assert "Choose a point from 1 to 5." in page
    assert "Cost.</textarea>" in page


def test_a_ranking_is_given_by_places(client, me, room, section):
    prompt = make_prompt(section, Prompt.Kind.RANKED)
    a, b, c = prompt.options.values_list("pk", flat=True)
    page = htmx(client, address("answer", room, prompt.pk), {f"rank-{a}": 1, f"rank-{b}": 1}, status=422)
    assert "Give each option a place of its own." in page

    htmx(client, address("answer", room, prompt.pk), {f"rank-{a}": 2, f"rank-{b}": 3, f"rank-{c}": 1})
    assert Answer.objects.get(participant=me).chosen == [c, a, b]


def test_what_was_typed_in_a_second_window_is_not_lost(client, me, room, prompts):
    make_answer(me, prompts[0], "What stands.")
    sent = {"source": "What I typed in the other window."}

    for page in (
        htmx(client, address("answer", room, prompts[0].pk), sent, status=422),
        client.post(address("answer", room, prompts[0].pk), sent).content.decode(),
    ):
        assert "You answered this before" in page
        assert "What stands." in page
        assert "What I typed in the other window.</textarea>" in page
    assert Answer.objects.get().source == "What stands."


def test_the_same_answer_sent_twice_is_there_once(client, me, room, prompts):
    for _ in range(2):
        htmx(client, address("answer", room, prompts[0].pk), {"source": "Low dose."})

    assert Answer.objects.filter(participant=me).count() == 1


def test_a_new_agreement_is_named_and_an_answer_waits_for_it(client, room, prompts):
    make_agreement(room, "Another text.")

    assert "The agreement has a new version" in page_of(client, address("room", room))
    page = htmx(client, address("answer", room, prompts[0].pk), {"source": "Low dose."}, status=422)
    assert "Low dose.</textarea>" in page


def test_a_question_of_a_moderator_waits_for_the_answer_and_is_marked(client, me, room, prompts):
    boss = make_moderator()
    make_message(room, kind="probe", prompt=prompts[0], moderator=boss, to=me, source="And in the elderly?")
    make_message(room, kind="probe", prompt=prompts[0], moderator=boss, source="And at night?")
    page = page_of(client, address("room", room))
    assert "A moderator asked you something here." in page
    assert "elderly" not in page
    assert "at night" not in page

    make_answer(me, prompts[0])
    page = page_of(client, address("room", room))
    assert "And in the elderly?" in page
    assert "asks you alone" in page
    assert "asks everyone" in page


def test_a_question_to_the_whole_room_stands_on_top(client, room):
    make_message(room, kind="probe", moderator=make_moderator(), source="How was the weekend?")

    assert "How was the weekend?" in page_of(client, address("room", room))


def test_what_was_hidden_or_taken_back_is_said_and_not_shown(client, me, other, room, prompts):
    third = make_participant(room)
    make_answer(me, prompts[0])
    make_answer(other, prompts[0], "Mrs. Miller, 84.", hidden_at=timezone.now(), hidden_why="A name.")
    make_answer(third, prompts[0], "", withdrawn_at=timezone.now())
    page = page_of(client, address("room", room))

    assert "Hidden by a moderator." in page
    assert "Taken back." in page
    assert "Miller" not in page
    assert "A name." not in page


def test_under_an_answer_the_newest_replies_stand_and_the_way_to_all(client, me, other, room, prompts):
    answer = make_answer(me, prompts[0])
    for number in range(5):
        make_message(room, participant=other, answer=answer, prompt=prompts[0], source=f"Reply {number}.")
    page = page_of(client, address("room", room))

    assert "Reply 4." in page
    assert "Reply 1." not in page
    assert "5 replies" in page
    thread = page_of(client, address("reply_to_answer", room, answer.pk))
    assert all(f"Reply {number}." in thread for number in range(5))


def test_answers_of_others_come_a_page_at_a_time(client, me, room, prompts):
    make_answer(me, prompts[0])
    for number in range(25):
        make_answer(make_participant(room), prompts[0], f"Answer {number}.")
    section = page_of(client, address("room", room))
    assert len(re.findall(r"Answer \d+\.", section)) == 5
    assert "Read all 25" in section

    first = page_of(client, address("prompt", room, prompts[0].pk))
    more = re.search(r'href="([^"]*\?after=[^"]*)"', first).group(1)
    second = page_of(client, more, **{"HX-Request": "true"})
    said = re.findall(r"Answer \d+\.", first) + re.findall(r"Answer \d+\.", second)
    assert len(said) == len(set(said)) == 25
    assert "after=" not in second


def test_the_prompt_opens_in_its_place_by_htmx(client, room, prompts):
    drawn = page_of(client, address("prompt", room, prompts[0].pk), **{"HX-Request": "true"})

    assert drawn.strip().startswith('<section class="post"')
    assert "<textarea" in drawn
    assert "room-sums" not in drawn


# Changing, taking back


def test_an_answer_is_changed_on_a_page_of_its_own(client, me, room, prompts):
    answer = make_answer(me, prompts[0], "Low dose.")
    assert "Low dose.</textarea>" in page_of(client, address("edit_answer", room, answer.pk))

    response = client.post(address("edit_answer", room, answer.pk), {"source": "High dose."})
    assert response.status_code == 302
    assert "changed" in page_of(client, address("room", room))


def test_an_answer_given_anew_says_that_it_came_after_reading(client, me, room, prompts):
    answer = make_answer(me, prompts[0], "Low dose.")
    answering.withdraw(answer=answer, by=me)
    assert "is then marked as answered anew, after reading others" in page_of(client, address("room", room))

    client.post(address("answer", room, prompts[0].pk), {"source": "High dose."})

    assert "<span>answered anew, after reading others</span>" in page_of(client, address("room", room))


def test_a_section_without_a_time_is_not_on_the_agenda(client, me, room):
    Section.objects.filter(room=room, place=1).update(opens_at=None, due_at=None, title="Not yet written")

    assert "Not yet written" not in page_of(client, address("room", room))


@pytest.mark.parametrize(("watching", "sees"), [("nobody", False), ("figures", False), ("words", True)])
def test_who_sees_ones_cell_is_said_as_it_is(client, me, room, watching, sees):
    Room.objects.filter(pk=room.pk).update(watching=watching)

    assert ("moderators and the sponsor also see" in page_of(client, address("room", room))) == sees


def test_a_room_that_was_called_off_never_names_a_blinded_sponsor(client, me, room):
    Sponsor.objects.update(is_blinded=True)
    now = timezone.now()
    Room.objects.filter(pk=room.pk).update(closed_at=now, canceled_at=now, canceled_why="Too few.")

    page = page_of(client, address("room", room))

    assert "Pharmaceutical company" in page
    assert "Aldgate" not in page
    assert "kept back until the end" not in page


def test_too_late_it_says_so_and_keeps_the_text(client, me, room, prompts):
    answer = make_answer(me, prompts[0], posted_at=timezone.now() - timedelta(minutes=16))
    assert client.get(address("edit_answer", room, answer.pk)).status_code == 302

    response = client.post(address("edit_answer", room, answer.pk), {"source": "High dose."})
    assert response.status_code == 422
    assert "High dose.</textarea>" in response.content.decode()


def test_an_answer_is_taken_back_after_one_more_question(client, me, room, prompts):
    answer = make_answer(me, prompts[0], "Low dose.")
    assert "Low dose." in page_of(client, address("withdraw_answer", room, answer.pk))

    client.post(address("withdraw_answer", room, answer.pk))
    page = page_of(client, address("room", room))
    assert "You took your answer back." in page
    assert "Low dose." not in page


def test_only_ones_own_words_are_changed_or_taken_back(client, me, other, room, prompts):
    make_answer(me, prompts[0])
    theirs = make_answer(other, prompts[0])
    reply = make_message(room, participant=other, answer=theirs, prompt=prompts[0])

    for name, pk in (
        ("edit_answer", theirs.pk),
        ("withdraw_answer", theirs.pk),
        ("withdraw_message", reply.pk),
    ):
        assert client.get(address(name, room, pk)).status_code == 404
        assert client.post(address(name, room, pk), {"source": "Mine."}).status_code == 404
    assert Answer.objects.filter(withdrawn_at=None).count() == 2


# Replies, notes


def test_a_reply_is_sent_once_and_shown_in_its_thread(client, me, other, room, prompts):
    make_answer(me, prompts[0])
    theirs = make_answer(other, prompts[0])
    page = page_of(client, address("reply_to_answer", room, theirs.pk))
    key = re.search(r'name="submission" value="([^"]+)"', page).group(1)
    for _ in range(2):
        sent = {"source": "Why ninety?", "submission": key}
        assert client.post(address("reply_to_answer", room, theirs.pk), sent).status_code == 302

    reply = Message.objects.get()
    thread = page_of(client, address("reply_to_message", room, reply.pk))
    assert "Why ninety?" in thread
    assert "Reply to all" in thread


def test_what_is_said_to_a_private_question_under_an_open_answer_is_private(client, me, other, room, prompts):
    answer = make_answer(me, prompts[0])
    make_answer(other, prompts[0])
    under = {"answer": answer, "prompt": prompts[0]}
    asked = make_message(
        room, kind="probe", moderator=make_moderator(), to=me, source="Which hospital?", **under
    )
    page = page_of(client, address("room", room))
    link = address("reply_to_message", room, asked.pk)
    assert f'href="{link}"' in page

    form = page_of(client, link)
    assert "Which hospital?" in form
    assert "Send to the moderators" in form
    key = re.search(r'name="submission" value="([^"]+)"', form).group(1)
    client.post(link, {"source": "The one in the north.", "submission": key})
    assert "The one in the north." in page_of(client, link)
    assert "The one in the north." not in page_of(client_of(other.member), address("room", room))
    assert Message.objects.get(participant=me).is_private


def test_a_refused_reply_keeps_its_words(client, me, room, prompts):
    answer = make_answer(me, prompts[0])
    response = client.post(address("reply_to_answer", room, answer.pk), {"source": "No key."})

    assert response.status_code == 422
    assert "No key.</textarea>" in response.content.decode()


def test_what_one_may_not_see_has_no_address(client, me, other, room, prompts):
    answer = make_answer(other, prompts[0])
    apart = make_answer(other, prompts[1], is_private=True)
    make_answer(me, prompts[1])
    note = make_message(room, participant=other, kind="note")
    reply = make_message(room, participant=other, answer=answer, prompt=prompts[0])

    for name, pk in (
        ("reply_to_answer", answer.pk),
        ("reply_to_answer", apart.pk),
        ("reply_to_message", note.pk),
        ("reply_to_message", reply.pk),
        ("prompt", room.sections.last().prompts.first().pk),
        ("reply_to_answer", 2**63),
    ):
        assert client.get(address(name, room, pk)).status_code == 404
        assert client.post(address(name, room, pk), {"source": "Why?"}).status_code in (404, 405)
    assert not Message.objects.filter(participant=me).exists()


def test_a_note_goes_to_the_moderators_and_stays_readable(client, me, room):
    page = page_of(client, address("note", room))
    key = re.search(r'name="submission" value="([^"]+)"', page).group(1)
    client.post(address("note", room), {"source": "Is this paid?", "submission": key})
    note = Message.objects.get()
    make_message(room, moderator=make_moderator(), parent=note, to=me, source="It is.")
    page = page_of(client, address("note", room))

    assert (note.kind, note.is_private) == ("note", True)
    assert "Is this paid?" in page
    assert "It is." in page
    assert "Is this paid?" not in page_of(client, address("room", room))


# Live hours


def test_a_live_hour_asks_for_more_every_five_seconds_and_draws_only_what_is_new(client, me, other, room):
    hour = make_live_hour(room)
    first = make_message(room, participant=other, kind="live", live_hour=hour, source="Welcome.")
    page = page_of(client, address("live", room, hour.pk))
    assert "Welcome." in page
    assert 'hx-trigger="every 5s, said from:body"' in page
    assert f"lines/?after={first.pk}" in page

    make_message(room, participant=other, kind="live", live_hour=hour, source="Shall we begin?")
    lines = page_of(
        client, f"{address('live_lines', room, hour.pk)}?after={first.pk}", **{"HX-Request": "true"}
    )
    assert "Shall we begin?" in lines
    assert "Welcome." not in lines
    assert 'hx-trigger="every 5s' in lines


def test_before_it_begins_the_page_says_so(client, room):
    hour = make_live_hour(room, starts_at=timezone.now() + timedelta(hours=1))
    page = page_of(client, address("live", room, hour.pk))

    assert "It has not begun" in page
    assert "every 5s" not in page
    assert "<textarea" not in page


def test_a_live_hour_says_who_reads_along(client, room):
    hour = make_live_hour(room, starts_at=timezone.now() + timedelta(hours=1))
    told = "People of the firm that pays read along."
    assert told not in page_of(client, address("live", room, hour.pk))

    Room.objects.filter(pk=room.pk).update(watching=Room.Watching.WORDS)
    assert told in page_of(client, address("live", room, hour.pk))


def test_whom_an_answer_is_for_is_chosen_before_it_is_sent(client, room, prompts):
    page = page_of(client, address("prompt", room, prompts[0].pk))

    assert page.index("For the moderators alone") < page.index(">Answer<")


def test_a_page_that_waits_for_the_hour_is_loaded_anew_when_it_begins(client, room):
    hour = make_live_hour(room, starts_at=timezone.now() + timedelta(hours=1))
    lines = address("live_lines", room, hour.pk)
    assert f'hx-get="{lines}" hx-trigger="every 20s"' in page_of(client, address("live", room, hour.pk))
    waiting = client.get(lines, headers={"HX-Request": "true"})
    assert (waiting.status_code, waiting.content) == (204, b"")
    assert "HX-Refresh" not in waiting.headers

    hour.starts_at = timezone.now()
    hour.save()
    assert client.get(lines, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_line_that_was_hidden_leaves_the_open_pages(client, other, room):
    hour = make_live_hour(room)
    line = make_message(
        room, participant=other, kind="live", live_hour=hour, hidden_at=timezone.now(), hidden_why="A name."
    )
    lines = page_of(
        client, f"{address('live_lines', room, hour.pk)}?after={line.pk}", **{"HX-Request": "true"}
    )

    assert f'hx-swap-oob="innerHTML:#message-{line.pk}"' in lines
    assert "Hidden by a moderator." in lines


def test_a_page_that_slept_draws_anew_what_was_hidden_meanwhile(client, other, room):
    hour, now = make_live_hour(room, starts_at=timezone.now() - timedelta(minutes=50)), timezone.now()
    hidden = {"hidden_at": now - timedelta(minutes=5), "hidden_why": "A name."}
    line = make_message(room, participant=other, kind="live", live_hour=hour, **hidden)
    found = [
        page_of(
            client,
            f"{address('live_lines', room, hour.pk)}?after={line.pk}&since={int(last.timestamp())}",
            **{"HX-Request": "true"},
        )
        for last in (now - timedelta(minutes=2), now - timedelta(minutes=10))
    ]

    assert [f"#message-{line.pk}" in lines for lines in found] == [False, True]
    assert f"?after={line.pk}&amp;since={int(now.timestamp())}"[:-2] in found[0]


def test_when_it_is_over_nothing_asks_any_more_and_the_lines_stay(client, other, room):
    hour = make_live_hour(room, starts_at=timezone.now() - timedelta(hours=2))
    make_message(room, participant=other, kind="live", live_hour=hour, source="Goodbye.")
    page = page_of(client, address("live", room, hour.pk))
    lines = page_of(client, f"{address('live_lines', room, hour.pk)}?after=0", **{"HX-Request": "true"})

    assert "Goodbye." in page
    assert "every 5s" not in page + lines
    assert "<textarea" not in page


def test_a_line_is_said_with_and_without_a_script(client, me, room):
    hour = make_live_hour(room)
    for number, headers in enumerate([{}, {"HX-Request": "true"}]):
        page = page_of(client, address("live", room, hour.pk))
        key = re.search(r'name="submission" value="([^"]+)"', page).group(1)
        sent = {"source": f"Line {number}.", "submission": key}
        for _ in range(2):
            response = client.post(address("live", room, hour.pk), sent, headers=headers)
    drawn = response.content.decode()

    assert Message.objects.filter(participant=me, kind="live").count() == 2
    assert response.headers["HX-Trigger-After-Settle"] == "said"
    assert "Line 1." not in drawn
    assert key not in drawn


def test_a_line_too_late_is_kept_in_its_form(client, room):
    hour = make_live_hour(room, starts_at=timezone.now() - timedelta(hours=2))
    sent = {"source": "One more.", "submission": "0a55a1c2-7c8f-4b0e-9a6f-0d5c9e6f1a11"}
    response = client.post(address("live", room, hour.pk), sent)

    assert response.status_code == 422
    assert "One more.</textarea>" in response.content.decode()


# Money, time, the end


def test_the_aside_says_what_is_earned_and_what_of_it_is_final(client, me, room, section):
    make_completion(me, section, is_final=True)
    page = page_of(client, address("room", room))

    assert "<b>$50.00</b> of $100.00" in page
    assert "<dt>Final by now</dt><dd>$50.00</dd>" in page
    assert "<dt>Sections</dt><dd>1 of 2 complete</dd>" in page


def test_a_replacement_reads_which_sections_pay_nothing(room, section):
    first = make_participant(room, left_at=timezone.now(), left_as="dropped")
    make_completion(first, section)
    second = make_participant(room, replaces=first)
    page = page_of(client_of(second.member), address("room", room))

    assert "<b>$0.00</b> of $50.00" in page
    assert "1 section went to whoever had your seat before" in page


def test_moments_are_on_the_readers_clock_and_on_the_rooms(me, room):
    NoticeSettings.objects.create(member=me.member, time_zone="America/Los_Angeles")
    opens = room.sections.last().opens_at
    page = page_of(client_of(me.member), address("room", room))

    assert f"{opens.astimezone(ZoneInfo('America/Los_Angeles')):%M} " in page
    assert re.search(r"Opens <time[^>]*>[^<]* P[SD]T</time> \(in the group: [^)]* E[SD]T\)", page)


def test_a_room_that_is_over_says_how_it_ended_and_stays_readable(client, me, room, section, prompts):
    make_answer(me, prompts[0], "Low dose.")
    make_completion(me, section, is_final=True)
    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now(), ends_at=timezone.now())
    page = page_of(client, address("room", room))
    assert "This focus group has ended" in page
    assert "earned $50.00" in page
    assert "How it ended" not in page  # it stands here

    page = page_of(client, address("section", room, 0))
    assert "How it ended" in page
    assert "Low dose." in page
    main = page.split("<main")[1].split("</main>")[0]
    assert "<form" not in main
    assert "Reply" not in main
    response = client.post(address("answer", room, prompts[1].pk), {"source": "Too late."})
    assert response.status_code == 422
    assert "Too late.</textarea>" in response.content.decode()


def test_a_blinded_sponsor_is_a_kind_until_the_end(client, room):
    room.sponsor.is_blinded = True
    room.sponsor.save()
    assert "Aldgate Labs" not in page_of(client, address("room", room))

    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())
    assert "Aldgate Labs" in page_of(client, address("room", room))


def test_before_anything_opens_the_page_says_when(me):
    room = make_running_room(sections=1, released=0)
    page = page_of(client_of(make_participant(room).member), address("room", room))

    assert "Nothing is open yet" in page


def test_being_in_the_room_is_noted_and_what_was_told_is_read(client, me, room):
    telling.of_seats(me.room, [me.member_id])
    page_of(client, address("room", room))

    me.refresh_from_db()
    assert me.seen_at
    assert not NoticeThread.objects.filter(member=me.member, unread__gt=0).exists()


def test_the_preview_draws_the_same_page_and_sends_nothing(room, section, prompts):
    make_prompt(section, Prompt.Kind.RANKED)
    page = reading.preview_page(room, section, address=lambda one: f"/elsewhere/{one.place}/")
    drawn = render_to_string("focusgroups/section.html", {"page": page})

    assert "Example alias" in drawn
    assert prompts[0].text in drawn
    assert "/elsewhere/1/" in drawn
    assert "action=" not in drawn
    assert 'hx-target="#prompt' not in drawn


# Doors


def addresses(room, prompt, answer, message, hour):
    numbers = {
        "section": [0],
        "prompt": [prompt.pk],
        "answer": [prompt.pk],
        "edit_answer": [answer.pk],
        "withdraw_answer": [answer.pk],
        "reply_to_answer": [answer.pk],
        "reply_to_message": [message.pk],
        "withdraw_message": [message.pk],
        "live": [hour.pk],
        "live_lines": [hour.pk],
    }
    return [address(name, room, *numbers.get(name, [])) for name in ("room", "note", *numbers)]


def test_without_a_seat_nothing_of_a_room_is_there(room, me, prompts):
    answer = make_answer(me, prompts[0])
    message = make_message(room, participant=me, answer=answer, prompt=prompts[0])
    removed = make_participant(room, left_at=timezone.now(), left_as="removed", left_why="Advertised.")
    elsewhere = make_participant(make_running_room())
    blind = [Client(), client_of(make_moderator()), client_of(make_member()), client_of(removed.member)]
    every = addresses(room, prompts[0], answer, message, make_live_hour(room))
    before = Message.objects.count(), Answer.objects.count()

    for client in [*blind, client_of(elsewhere.member)]:
        for url in every:
            assert client.get(url).status_code == 404, url
            assert client.post(url, {"source": "Let me in."}).status_code == 404, url
    assert before == (Message.objects.count(), Answer.objects.count())
    assert not Answer.objects.filter(withdrawn_at__isnull=False).exists()


def test_an_answer_that_was_lost_in_logging_in_leads_back_to_its_prompt(client, room, prompts):
    response = client.get(address("answer", room, prompts[0].pk))

    assert response.url == address("prompt", room, prompts[0].pk)


def test_a_script_whose_session_ended_is_told_to_log_in_for_any_room(room, prompts):
    for number in (room.pk, room.pk + 999):
        url = reverse("focusgroups:answer", args=[number, prompts[0].pk])
        assert Client().post(url, {"source": "x"}, headers={"HX-Request": "true"}).status_code == 401


def test_removal_holds_from_the_next_request(client, me, room):
    page_of(client, address("room", room))
    me.left_at, me.left_as, me.left_why = timezone.now(), "removed", "Advertised."
    me.save()

    page_of(client, address("room", room), status=404)


def test_the_pages_are_kept_nowhere(client, room):
    assert client.get(address("room", room)).headers["Cache-Control"] == "private, no-store"


def test_the_menu_leads_to_focus_groups_only_who_has_any(client, me, room):
    home = reverse("questions:list")
    link = f'href="{reverse("focusgroups:list")}"'
    assert link in page_of(client, home)
    assert link not in page_of(client_of(make_member()), home)

    me.left_at, me.left_as = timezone.now(), "left"
    me.save()
    assert link in page_of(client, home)  # what was said can be taken back

    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())
    assert link not in page_of(client, home)


# What it costs

WORDS = (
    "I start with a low dose, look at the platelets on day four, and stop at the first fall of a third. " * 3
)


@pytest.fixture
def full_room(db):
    """Thirty participants and forty prompts in a section, all answered by all, and something said under answers."""
    room = make_running_room(sections=6, prompts=0, released=2)
    section = room.sections.first()
    prompts = [make_prompt(section, kind=Prompt.Kind.SINGLE, asks_why=True) for _ in range(20)]
    prompts += [make_prompt(section) for _ in range(20)]
    people = [make_participant(room) for _ in range(30)]
    html, now = f"<p>{WORDS}</p>", timezone.now()
    Answer.objects.bulk_create(
        Answer(
            prompt=prompt,
            participant=one,
            source=WORDS,
            html=html,
            chosen=[prompt.options.first().pk] if prompt.has_options else [],
            posted_at=now - timedelta(minutes=number),
        )
        for prompt in prompts
        for number, one in enumerate(people)
    )
    for answer in Answer.objects.filter(participant__in=people[:4]):
        make_message(room, answer=answer, prompt=answer.prompt, participant=people[5], source=WORDS)
        make_message(room, answer=answer, prompt=answer.prompt, participant=people[6], source=WORDS)
    for prompt in prompts[:10]:
        make_message(room, kind="probe", prompt=prompt, moderator=make_moderator(), source="And at night?")
    return room


def test_a_full_section_takes_ten_queries_and_a_hundred_kilobytes(full_room, django_assert_max_num_queries):
    client = client_of(full_room.participants.first().member)
    page_of(client, address("section", full_room, 0))
    with django_assert_max_num_queries(10):
        page = page_of(client, address("section", full_room, 0))

    assert len(page.encode()) < 100_000
    assert page.count('class="post"') == 40


def test_so_does_one_that_nobody_has_answered(full_room, django_assert_max_num_queries):
    Message.objects.all().delete()
    Answer.objects.all().delete()
    client = client_of(full_room.participants.first().member)
    page_of(client, address("section", full_room, 0))
    with django_assert_max_num_queries(10):
        page = page_of(client, address("section", full_room, 0))

    assert len(page.encode()) < 100_000


def test_prompts_and_answers_as_long_as_can_be_fit_into_it(full_room):
    Answer.objects.update(html=f"<p>{WORDS * 25}</p>")
    Prompt.objects.update(text="What do you do? " * 31, help="Think of the last one. " * 13)
    page = page_of(client_of(full_room.participants.first().member), address("section", full_room, 0))
    assert len(page.encode()) < 100_000

    PromptOption.objects.update(text="The second line of the protocol " * 3)
    Answer.objects.update(withdrawn_at=timezone.now(), source="", html="", chosen=[], words=0)
    page = page_of(client_of(full_room.participants.first().member), address("section", full_room, 0))
    assert len(page.encode()) < 100_000


def test_rankings_open_one_by_one_where_many_would_make_a_page_too_large(db):
    room = make_running_room(sections=1, prompts=0)
    section, options = room.sections.first(), [f"{number} " + "x" * 90 for number in range(12)]
    for _ in range(15):
        make_prompt(section, kind=Prompt.Kind.RANKED, options=options)
    client = client_of(make_participant(room).member)
    page = page_of(client, address("section", room, 0))

    assert len(page.encode()) < 100_000
    assert page.count('class="rank-line"') == 36
    folded = section.prompts.last()
    assert f'hx-get="{address("prompt", room, folded.pk)}"' in page
    assert page_of(client, address("prompt", room, folded.pk)).count('class="rank-line"') == 12


def test_threads_are_only_counted_once_a_page_is_full_of_them(db):
    room = make_running_room(sections=1, prompts=10)
    me, *others = [make_participant(room) for _ in range(4)]
    for prompt in room.sections.first().prompts.all():
        for one in (me, *others):
            answer = make_answer(one, prompt, WORDS)
            for other in others:
                make_message(room, answer=answer, prompt=prompt, participant=other, source=WORDS)
    page = page_of(client_of(me.member), address("section", room, 0))

    shown, counted = page.count('id="message-'), page.count("3 replies")
    assert len(page.encode()) < 100_000
    assert 0 < shown <= 40
    assert shown // 3 + counted == 10 * 3  # answers on the page: one's own and two of the others


def test_the_other_pages_take_ten_queries_too(full_room, django_assert_max_num_queries):
    me = full_room.participants.first()
    client, hour = client_of(me.member), make_live_hour(full_room)
    make_message(full_room, participant=me, kind="note")
    for _ in range(5):
        make_message(full_room, participant=me, kind="live", live_hour=hour)
    answer = Answer.objects.exclude(participant=me).order_by("-posted_at").first()
    prompt = address("prompt", full_room, answer.prompt_id)
    thread = address("reply_to_answer", full_room, answer.pk)
    page_of(client, prompt)

    for url in (
        address("room", full_room),
        prompt,
        thread,
        address("note", full_room),
        address("live", full_room, hour.pk),
    ):
        with django_assert_max_num_queries(10):
            page_of(client, url)
    with django_assert_max_num_queries(5):
        page_of(client, address("live_lines", full_room, hour.pk) + "?after=0", **{"HX-Request": "true"})
