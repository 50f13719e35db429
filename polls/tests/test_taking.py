"""Votes as they come in over HTTP: what a browser keeps, what a refusal looks like, what is looked at."""

import re
from datetime import timedelta

import pytest
from django.conf import settings as site_settings
from django.urls import reverse
from django.utils import timezone

from conftest import client_of
from polls import cookies
from polls.models import Ballot, Concern, Poll, Receipt, Sight, Tally, Ticket
from polls.services import voting
from polls.tests.factories import make_poll, vote
from polls.views import cards
from questions.tests.factories import make_question

pytestmark = pytest.mark.django_db


def hidden(client, poll) -> dict:
    """What the form on the poll's page sends along."""
    page = client.get(poll.get_absolute_url()).content.decode()
    return {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("token", "started")}


def send(client, poll, *choices, htmx=False, **fields):
    fields = fields or hidden(client, poll)
    headers = {"HX-Request": "true"} if htmx else {}
    sent = {"choice": [str(choice) for choice in choices], **fields}
    return client.post(reverse("polls:vote", args=[poll.pk]), sent, headers=headers)


def look(client, poll, **kwargs):
    return client.post(reverse("polls:look", args=[poll.pk]), **kwargs)


def counts(poll) -> list[int]:
    return Tally.objects.get(poll=poll).counts


def page_of(client, poll) -> str:
    return client.get(poll.get_absolute_url()).content.decode()


def test_no_request_is_one_transaction():
    """A vote is two, so that nothing in the database connects them."""
    assert not site_settings.DATABASES["default"].get("ATOMIC_REQUESTS")


# Voting


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("single", {"choice": "1"}, [0, 1, 0]),
        ("multiple", {"choice": ["0", "2"]}, [1, 0, 1]),
        ("ranked", {"rank-2": "1", "rank-0": "3"}, [0, 0, 1]),
        ("scale", {"choice": "3"}, [0, 0, 0, 1, 0]),
    ],
)
def test_a_vote_without_scripts_leads_to_the_result(physician_client, kind, sent, expected):
    poll = make_poll(kind)

    response = send(physician_client, poll, **hidden(physician_client, poll), **sent)

    assert response["Location"] == poll.get_absolute_url()
    assert counts(poll) == expected
    page = page_of(physician_client, poll)
    assert "You voted." in page
    assert "n = 1," in page
    assert "your 1st" in page if kind == "ranked" else "your vote" in page


def test_a_ranking_keeps_its_order_whatever_places_are_left_free(physician_client):
    poll = make_poll("ranked", ("A", "B", "C", "D"))

    send(physician_client, poll, **{"rank-3": "1", "rank-1": "4", "rank-0": "2"})

    assert Ballot.objects.get().choices == [3, 0, 1]


def test_htmx_swaps_the_card_for_its_result(physician_client):
    poll = make_poll()

    response = send(physician_client, poll, 2, htmx=True)

    page = response.content.decode()
    assert response.status_code == 200
    assert page.lstrip().startswith(f'<section class="poll panel stack" id="poll-{poll.pk}"')
    assert "Your vote is counted." in page
    assert "your vote" in page


def test_the_browser_keeps_the_vote_and_sends_it_to_this_poll_alone(physician, physician_client):
    poll = make_poll()

    cookie = send(physician_client, poll, 1).cookies[cookies.name_of(poll.pk, physician)]

    assert cookie.value.split(".")[1] == "1"
    assert cookie["path"] == f"/polls/{poll.pk}/"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert bool(cookie["secure"]) == site_settings.SESSION_COOKIE_SECURE


def test_another_member_at_the_same_computer_is_not_shown_the_vote_as_theirs(physician_client, colleague):
    poll = make_poll()
    send(physician_client, poll, 1)
    vote(poll, colleague, 0)

    physician_client.force_login(colleague.user)

    page = page_of(physician_client, poll)
    assert "You voted." in page
    assert "your vote" not in page


def test_two_members_at_one_computer_keep_a_vote_each(physician, physician_client, colleague):
    poll = make_poll()
    send(physician_client, poll, 1)
    physician_client.force_login(colleague.user)
    send(physician_client, poll, 0)

    physician_client.force_login(physician.user)

    assert physician_client.cookies[cookies.name_of(poll.pk, physician)].value.split(".")[1] == "1"
    assert "your vote" in page_of(physician_client, poll)


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "a.1.", "a.1.ffff", "....", "a.1.é"])
def test_a_cookie_that_is_not_ours_marks_nothing(physician, physician_client, cookie):
    poll = make_poll()
    vote(poll, physician, 0)
    physician_client.cookies[cookies.name_of(poll.pk, physician)] = cookie

    assert "your vote" not in page_of(physician_client, poll)


def test_the_same_form_sent_twice_ends_on_the_same_page_without_a_word(physician_client):
    poll = make_poll()
    fields = hidden(physician_client, poll)

    responses = [send(physician_client, poll, 1, **fields) for _ in range(2)]

    assert [response["Location"] for response in responses] == [poll.get_absolute_url()] * 2
    assert counts(poll) == [0, 1, 0]
    assert "cannot be changed" not in page_of(physician_client, poll)


def test_another_choice_in_an_old_form_is_said_to_come_too_late(physician_client):
    poll = make_poll()
    fields = hidden(physician_client, poll)
    send(physician_client, poll, 1, **fields)

    send(physician_client, poll, 2, **fields)

    assert counts(poll) == [0, 1, 0]
    assert "It cannot be changed." in page_of(physician_client, poll)


def test_a_vote_that_was_cut_off_is_counted_when_its_form_is_sent_again(
    physician, physician_client, monkeypatch
):
    poll = make_poll()
    fields = hidden(physician_client, poll)
    with monkeypatch.context() as patched:
        patched.setattr("polls.services.voting._count", cut_off)
        with pytest.raises(OSError, match="power"):
            send(physician_client, poll, 1, **fields)
    assert Ticket.objects.count() == 1

    send(physician_client, poll, 1, **fields)

    assert counts(poll) == [0, 1, 0]
    assert not Ticket.objects.exists()


def cut_off(*args):
    raise OSError("power")


def test_whoever_votes_has_seen_the_poll_also_from_the_list(physician_client):
    poll = make_poll()

    send(physician_client, poll, 1, token="", started="")

    assert Tally.objects.get(poll=poll).seen == 1
    assert Sight.objects.count() == 1


# Changing


def test_the_browser_one_voted_with_changes_the_vote(physician_client):
    poll = make_poll(may_change=True)
    send(physician_client, poll, 1)
    page = page_of(physician_client, poll)
    assert "Change my vote" in page
    assert re.search(r'value="1"[^>]* checked', page)

    send(physician_client, poll, 2)

    assert counts(poll) == [0, 0, 1]
    assert "cannot be changed" not in page_of(physician_client, poll)


def test_another_browser_cannot_change_it_and_is_told_why(physician, physician_client):
    poll = make_poll(may_change=True)
    send(physician_client, poll, 1)
    elsewhere = client_of(physician)
    assert "Change my vote" not in page_of(elsewhere, poll)

    response = send(elsewhere, poll, 2, token="t" * 43, started="x")

    assert response.status_code == 422
    assert "Only the browser you voted with can change it" in response.content.decode()
    assert counts(poll) == [0, 1, 0]


# Refusals


@pytest.mark.parametrize(
    ("kind", "sent", "words"),
    [
        ("single", {}, "Choose one of the options."),
        ("single", {"choice": "7"}, "Choose one of the options."),
        ("single", {"choice": ["0", "1"]}, "Choose one of the options."),
        ("multiple", {}, "Choose at least one of the options."),
        ("ranked", {}, "Rank at least one of the options."),
        ("ranked", {"rank-0": "1", "rank-1": "1"}, "Give each place, such as 1st, to one option only."),
        ("scale", {"choice": "-1"}, "Choose one of the options."),
    ],
)
@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
def test_what_is_no_vote_comes_back_and_leaves_nothing(physician_client, kind, sent, words, htmx):
    poll = make_poll(kind)

    response = send(physician_client, poll, htmx=htmx, **hidden(physician_client, poll), **sent)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Receipt.objects.exists()


def test_what_was_chosen_is_still_chosen(physician_client):
    several, ranked = make_poll("single"), make_poll("ranked")

    both = send(physician_client, several, 0, 2).content.decode()
    same = send(physician_client, ranked, **{"rank-0": "1", "rank-1": "1", "rank-2": "2"}).content.decode()

    assert len(re.findall(r'name="choice" value="[02]"[^>]* checked', both)) == 2
    assert same.count('<option value="1" selected>') == 2
    assert same.count('<option value="2" selected>') == 1


def test_after_the_end_the_card_says_so_and_shows_the_result(physician_client):
    poll = make_poll()
    fields = hidden(physician_client, poll)
    Poll.objects.filter(pk=poll.pk).update(closed_at=timezone.now(), close_reason="creator")

    response = send(physician_client, poll, 1, **fields)

    page = response.content.decode()
    assert response.status_code == 422
    assert "This poll has closed. It takes no more votes." in page
    assert "early, by its author" in page
    assert "n = 0," in page


def test_a_poll_for_others_takes_no_vote(physician_client):
    poll = make_poll(specialties=["207N00000X"])

    response = send(physician_client, poll, 1, token="", started="")

    assert "This poll is open to other members." in response.content.decode()
    assert counts(poll) == [0, 0, 0]


def test_an_attached_poll_comes_back_on_its_own_page(physician, physician_client):
    poll = make_poll(question=make_question(physician))

    response = send(physician_client, poll)

    assert response.status_code == 422
    assert "polls/poll.html" in [template.name for template in response.templates]


# Looking instead


def test_looking_shows_the_result_and_takes_the_vote_away(physician, physician_client):
    poll = make_poll()

    assert look(physician_client, poll)["Location"] == poll.get_absolute_url()

    assert Receipt.objects.get().kind == Receipt.Kind.FORFEITED
    page = page_of(physician_client, poll)
    assert "You chose to look without voting" in page
    assert "n = 0," in page
    refused = send(physician_client, poll, 1, token="", started="")
    assert "this poll takes no vote of yours" in refused.content.decode()


@pytest.mark.parametrize(
    "fields", [{"shown": "closed"}, {"tiers": ["new"]}], ids=["at its end", "too few votes"]
)
def test_nobody_gives_up_a_vote_for_nothing_to_see(physician_client, fields):
    poll = make_poll(**fields)
    assert "Show me without voting" not in page_of(physician_client, poll)

    look(physician_client, poll)

    assert not Receipt.objects.exists()
    assert "There is no result to see yet" in page_of(physician_client, poll)


@pytest.mark.parametrize(
    "fields", [{"is_over": True}, {"specialties": ["207N00000X"]}], ids=["over", "for others"]
)
def test_who_has_nothing_to_give_up_forfeits_nothing(physician_client, fields):
    look(physician_client, make_poll(**fields))

    assert not Receipt.objects.exists()


def test_htmx_shows_the_result_in_place(physician_client):
    response = look(physician_client, make_poll(), headers={"HX-Request": "true"})

    assert response.status_code == 200
    assert 'class="bars"' in response.content.decode()


# What is looked at


def test_the_time_a_vote_took_is_counted_in_steps(physician_client, monkeypatch):
    poll = make_poll()
    fields = hidden(physician_client, poll)
    later = timezone.now() + timedelta(seconds=12)
    monkeypatch.setattr(cards.timezone, "now", lambda: later)

    send(physician_client, poll, 1, **fields)

    assert Tally.objects.get(poll=poll).seconds[2] == 1


@pytest.mark.parametrize("started", ["", "nonsense", "of another poll"])
def test_a_moment_that_is_not_ours_counts_no_time(physician_client, started):
    poll = make_poll()
    if started == "of another poll":
        started = hidden(physician_client, make_poll())["started"]

    send(physician_client, poll, 1, token="", started=started)

    assert counts(poll) == [0, 1, 0]
    assert sum(Tally.objects.get(poll=poll).seconds) == 0


def test_a_vote_in_no_time_is_shown_to_a_person(physician, physician_client):
    send(physician_client, make_poll(), 1)

    assert Concern.objects.get(member=physician).kind == Concern.Kind.SPEED


def test_a_vote_from_a_browser_that_holds_anothers_is_shown_to_a_person(physician_client, colleague):
    poll = make_poll()
    send(physician_client, poll, 1, token="", started="")
    physician_client.force_login(colleague.user)

    send(physician_client, poll, 1, token="", started="")

    assert [concern.kind for concern in Concern.objects.filter(member=colleague)] == [Concern.Kind.BROWSER]
    assert counts(poll) == [0, 2, 0]


def test_a_second_tap_is_answered_as_the_first_whose_answer_got_lost(
    physician, physician_client, monkeypatch
):
    poll, cast = make_poll(), voting.cast

    def counted_meanwhile(**ballot):
        cast(**ballot)
        raise voting.SentTwice

    monkeypatch.setattr(voting, "cast", counted_meanwhile)
    response = send(physician_client, poll, 1)

    assert response.status_code == 302
    assert response.cookies[cookies.name_of(poll.pk, physician)].value.split(".")[1] == "1"
    monkeypatch.undo()
    assert "your vote" in page_of(physician_client, poll)
