"""Quotes: proposed, approved, refused, run out; and the page on which participants decide."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice
from accounts.tests.factories import make_member
from conftest import client_of
from focusgroups import tasks
from focusgroups.models import Participant, Quote, Room
from focusgroups.services import answering, coding, holding, messaging, publishing, quoting, seating
from focusgroups.tests.factories import (
    make_answer,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_running_room,
)
from verification.models import Event

pytestmark = pytest.mark.django_db
SAID = "Low dose first, then **what** the platelets say.\n\nNever before the scan."
HOUR = timedelta(hours=1)


@pytest.fixture
def boss():
    return make_moderator()


@pytest.fixture
def room(boss):
    return make_running_room(by=boss, sections=1)


@pytest.fixture
def me(room):
    return make_participant(room)


@pytest.fixture
def answer(me, room):
    return make_answer(me, room.sections.get().prompts.first(), SAID, posted_at=timezone.now() - HOUR)


def propose(said, by, text="what the platelets say", paraphrase="Starts low and watches counts."):
    return quoting.propose(said=said, by=by, text=text, paraphrase=paraphrase)


@pytest.fixture
def quote(answer, boss):
    return propose(answer, boss)


# Proposing


def test_an_exact_part_of_the_plain_words_is_proposed_and_its_speaker_told(quote, me, boss, room):
    assert (quote.state, quote.text) == ("proposed", "what the platelets say")
    assert quote.paraphrase == "Starts low and watches counts."
    assert Notice.objects.get(key=f"group:{room.pk}:quote:{quote.pk}").member == me.member
    assert Event.objects.filter(kind="room_quote").count() == 1


def test_line_ends_within_a_quote_do_not_matter(answer, boss):
    assert propose(answer, boss, text="platelets say.\n Never").text == "platelets say. Never"


def test_a_message_is_quoted_too(me, boss, room):
    message = make_message(room, participant=me, source="I would wait a day.")

    assert propose(message, boss, text="wait a day", paraphrase="Prefers patience.").message == message


@pytest.mark.parametrize(
    ("text", "paraphrase", "field"),
    [
        ("what the platelets said", "Counts decide.", "text"),
        ("Low dose … say", "Counts decide.", "text"),
        (" ", "Counts decide.", "text"),
        ("Low dose first", " ", "paraphrase"),
        ("Low dose first", "x" * 501, "paraphrase"),
        ("Low dose first", "low dose first.", "paraphrase"),
        ("Low dose first", "She said low dose first, always.", "paraphrase"),
        ("Low dose first", "never before the scan", "paraphrase"),
    ],
)
def test_words_are_exact_and_a_paraphrase_is_none_of_them(answer, boss, text, paraphrase, field):
    with pytest.raises(holding.Unfit) as refusal:
        propose(answer, boss, text, paraphrase)
    assert refusal.value.field == field
    assert not Quote.objects.exists()


def test_the_same_words_are_proposed_once(quote, answer, boss):
    with pytest.raises(quoting.ProposedBefore):
        propose(answer, boss)


@pytest.mark.parametrize("end", ["a no", "no answer"])
def test_words_that_were_erased_are_not_asked_for_again(end, quote, answer, boss, me):
    words = quote.text
    if end == "a no":
        quoting.refuse(quote=quote, participant=me)
    else:
        Quote.objects.update(proposed_at=timezone.now() - quoting.WAITS)
        quoting.expire()

    with pytest.raises(quoting.ProposedBefore):
        propose(answer, boss, words, "Something else.")

    kept = Quote.objects.get()
    assert kept.text == ""
    assert words not in str(kept.__dict__)


def test_an_answer_that_can_still_be_changed_is_not_quoted_yet(me, boss, room):
    young = make_answer(me, room.sections.get().prompts.first(), SAID)
    with pytest.raises(quoting.StillChanging):
        propose(young, boss)


def test_nothing_hidden_taken_back_or_of_moderators_is_quoted(answer, boss, room):
    with pytest.raises(coding.OfModerator):
        propose(make_message(room, moderator=boss, source=SAID), boss)
    messaging.hide(said=answer, by=boss, reason="A name.")
    with pytest.raises(answering.Gone):
        propose(answer, boss)


def test_who_has_left_is_not_asked(answer, me, boss):
    seating.leave(participant=me)
    with pytest.raises(quoting.NobodyToAsk):
        propose(answer, boss)


def test_only_who_runs_the_room_proposes(answer):
    with pytest.raises(holding.NotYours):
        propose(answer, make_moderator())


def test_quotes_are_proposed_after_the_end_too(answer, boss, room):
    publishing.close(room=room, by=boss)

    assert propose(answer, boss).state == "proposed"


# Deciding


def test_a_yes_keeps_the_words_and_twice_is_once(quote, me):
    quoting.approve(quote=quote, participant=me)
    again = quoting.approve(quote=quote, participant=me)

    assert (again.state, again.text) == ("approved", "what the platelets say")
    assert again.decided_at


def test_a_no_erases_the_words(quote, me):
    quoting.refuse(quote=quote, participant=me)
    again = quoting.refuse(quote=quote, participant=me)

    assert (again.state, again.text) == ("refused", "")
    with pytest.raises(quoting.DecidedBefore):
        quoting.approve(quote=quote, participant=me)


def test_a_yes_is_taken_back_until_the_room_closes(quote, answer, me, boss, room):
    other = propose(answer, boss, text="Low dose first")
    for one in (quote, other):
        quoting.approve(quote=one, participant=me)
    assert quoting.refuse(quote=quote, participant=me).state == "refused"

    publishing.close(room=room, by=boss)
    with pytest.raises(quoting.DecidedBefore):
        quoting.refuse(quote=other, participant=me)


def test_nobody_decides_for_another(quote, me, room):
    for verdict in (quoting.approve, quoting.refuse):
        with pytest.raises(quoting.NotYours):
            verdict(quote=quote, participant=make_participant(room))
    seating.leave(participant=me)
    with pytest.raises(quoting.NoSeat):
        quoting.approve(quote=quote, participant=me)


def test_words_that_were_hidden_since_get_no_yes(quote, answer, me, boss):
    messaging.hide(said=answer, by=boss, reason="A name.")
    with pytest.raises(quoting.Gone):
        quoting.approve(quote=quote, participant=me)
    assert quoting.refuse(quote=quote, participant=me).state == "refused"


def test_an_answer_taken_back_takes_its_quotes_along(quote, answer, me):
    quoting.approve(quote=quote, participant=me)
    answering.withdraw(answer=answer, by=me)

    assert not Quote.objects.exists()
    with pytest.raises(quoting.Gone):
        quoting.approve(quote=quote, participant=me)


# Seven days


def aged(quote, age):
    Quote.objects.filter(pk=quote.pk).update(proposed_at=timezone.now() - age)
    return quote


def test_after_seven_days_the_paraphrase_stands_and_the_words_are_erased(quote, answer, boss):
    young = aged(propose(answer, boss, text="Low dose first"), quoting.WAITS - HOUR)
    aged(quote, quoting.WAITS)

    tasks.close_due()

    quote.refresh_from_db()
    young.refresh_from_db()
    assert (quote.state, quote.text) == ("paraphrased", "")
    assert quote.decided_at
    assert young.state == "proposed"
    assert quoting.expire() == 0


def test_a_yes_that_comes_late_is_none_also_before_the_task_ran(quote, me):
    aged(quote, quoting.WAITS)
    with pytest.raises(quoting.TooLate):
        quoting.approve(quote=quote, participant=me)

    quoting.expire()
    with pytest.raises(quoting.TooLate):
        quoting.refuse(quote=quote, participant=me)


def test_what_is_decided_does_not_run_out(quote, me):
    quoting.approve(quote=quote, participant=me)
    aged(quote, 2 * quoting.WAITS)

    assert quoting.expire() == 0


def test_the_database_refuses_words_without_a_yes(quote):
    with pytest.raises(IntegrityError), transaction.atomic():
        Quote.objects.filter(pk=quote.pk).update(state="refused", decided_at=timezone.now())


# The page


def url(room):
    return reverse("focusgroups:quotes", args=[room.pk])


def page_of(client, room):
    response = client.get(url(room))
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def client(me):
    return client_of(me.member.user)


def test_all_of_them_are_decided_on_one_page(client, quote, answer, boss, room):
    other = propose(answer, boss, text="Low dose first")
    third = propose(answer, boss, text="before the scan")
    page = page_of(client, room)
    assert "what the platelets say" in page
    assert "Starts low and watches counts." in page

    sent = {f"quote-{quote.pk}": "yes", f"quote-{other.pk}": "no", f"quote-{third.pk}": ""}
    page = client.post(url(room), sent, follow=True).content.decode()

    assert [Quote.objects.get(pk=one.pk).state for one in (quote, other, third)] == [
        "approved",
        "refused",
        "proposed",
    ]
    assert "2 saved." in page
    assert "You said yes." in page
    assert "Low dose first" not in page


def test_the_notice_leads_there(client, quote, room):
    notice = Notice.objects.get(key=f"group:{room.pk}:quote:{quote.pk}")

    assert client.get(reverse("accounts:notice", args=[notice.pk]))["Location"] == url(room)


def test_nothing_chosen_and_what_is_too_late_are_said(client, quote, room):
    assert "Choose yes or no" in client.post(url(room), {}, follow=True).content.decode()
    aged(quote, quoting.WAITS)
    late = client.post(url(room), {f"quote-{quote.pk}": "yes"}, follow=True).content.decode()
    assert "Seven days have passed" in late


def test_what_was_said_in_private_says_so(client, me, boss, room):
    section = room.sections.get()
    private = make_answer(me, make_prompt(section, is_private=True), SAID, posted_at=timezone.now() - HOUR)
    propose(private, boss)

    assert "since you said it to moderators alone" in page_of(client, room)


def test_only_ones_own_quotes_are_there_and_only_with_a_seat(quote, me, boss, room):
    other = make_participant(room)
    page = page_of(client_of(other.member.user), room)
    assert "platelets" not in page
    client_of(other.member.user).post(url(room), {f"quote-{quote.pk}": "yes"})
    quote.refresh_from_db()
    assert quote.state == "proposed"
    for stranger in (make_member().user, boss):
        assert client_of(stranger).get(url(room)).status_code in (302, 404)
    Participant.objects.filter(pk=me.pk).update(left_at=timezone.now(), left_as="left")
    assert client_of(me.member.user).get(url(room)).status_code == 404


def test_it_stays_open_after_the_end(client, quote, room):
    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())

    client.post(url(room), {f"quote-{quote.pk}": "yes"})

    quote.refresh_from_db()
    assert quote.state == "approved"


def test_the_page_costs_the_same_with_many_quotes(client, me, boss, room, django_assert_max_num_queries):
    prompts = [make_prompt(room.sections.get()) for _ in range(12)]
    for prompt in prompts:
        answer = make_answer(me, prompt, SAID, posted_at=timezone.now() - HOUR)
        Quote.objects.create(room=room, answer=answer, text="Low dose first", paraphrase="Low.")
    with django_assert_max_num_queries(10):
        client.get(url(room))
