"""The pages of polls: who gets in, what stands on them, what they cost."""

from datetime import datetime, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from polls.models import Correction, Poll, Receipt, Sight, Sponsor, Tally, Trend
from polls.tests.factories import make_poll, make_trend, vote
from questions.models import Question, TopicMute
from questions.tests.factories import make_question

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kinds_of_rows():
    """What Django asks once in the life of a process."""
    ContentType.objects.get_for_model(Poll)


def counted(poll, *counts, voters=None, **fields):
    """Put numbers into a tally, as so many votes would."""
    rows = Tally.objects.filter(poll=poll)
    rows.update(counts=list(counts), voters=sum(counts) if voters is None else voters, **fields)


def took(poll, member, kind="voted"):
    Receipt.objects.create(poll=poll, member=member, kind=kind)


def text_of(response) -> str:
    return response.content.decode()


def queries(client, address) -> int:
    client.get(address)  # what happens once, such as noting that it was seen
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


# Doors


@pytest.mark.parametrize("name", ["poll", "results", "vote", "look"])
def test_visitors_log_in_first(client, name):
    poll = make_poll()

    response = client.get(reverse(f"polls:{name}", args=[poll.pk]))

    assert response.status_code == 302
    assert "/accounts/login/" in response["Location"]


def test_applicants_go_on_with_their_verification(applicant_client):
    assert applicant_client.get(reverse("polls:list"))["Location"] == reverse("verification:start")


@pytest.mark.parametrize("name", ["poll", "results"])
def test_a_discussion_without_a_poll_has_no_such_page(physician, physician_client, name):
    question = make_question(physician)

    assert physician_client.get(reverse(f"polls:{name}", args=[question.pk])).status_code == 404


@pytest.mark.parametrize(
    ("method", "name"), [("get", "poll"), ("get", "results"), ("post", "vote"), ("post", "look")]
)
def test_a_poll_among_others_connections_does_not_exist(physician, colleague_client, method, name):
    poll = make_poll(asker=physician)
    Question.objects.filter(pk=poll.pk).update(audience="connections")

    response = getattr(colleague_client, method)(reverse(f"polls:{name}", args=[poll.pk]))

    assert response.status_code == 404


@pytest.mark.parametrize("name", ["vote", "look"])
def test_what_only_a_post_may_do_leads_back_to_the_poll(physician_client, name):
    poll = make_poll()

    response = physician_client.get(reverse(f"polls:{name}", args=[poll.pk]))

    assert response["Location"] == poll.get_absolute_url()
    assert not Receipt.objects.exists()


def test_staff_without_a_membership_see_a_result_and_cast_no_vote(moderator):
    poll = make_poll()
    counted(poll, 3, 2, 1)
    member, user = moderator, moderator.user
    member.user = None
    member.save(update_fields=["user"])
    client = client_of(type(user).objects.get(pk=user.pk))

    assert "n = 6" in text_of(client.get(poll.get_absolute_url()))
    assert client.post(reverse("polls:vote", args=[poll.pk]), {"choice": "0"}).status_code == 403
    assert not Receipt.objects.exists()


def test_a_poll_of_its_own_lives_at_one_address_and_an_attached_one_has_two(physician, physician_client):
    alone = make_poll(asker=physician)
    attached = make_poll(question=make_question(physician))

    short = physician_client.get(reverse("questions:question_short", args=[alone.pk]))
    assert short["Location"] == f"/polls/{alone.pk}/"
    page = text_of(physician_client.get(attached.get_absolute_url()))
    assert attached.question.get_absolute_url() in page
    assert f'id="poll-{attached.pk}"' in text_of(physician_client.get(attached.question.get_absolute_url()))


def test_nobody_keeps_these_pages(physician_client):
    poll = make_poll()
    addresses = [poll.get_absolute_url(), reverse("polls:list"), reverse("polls:results", args=[poll.pk])]

    kept = {physician_client.get(address)["Cache-Control"] for address in addresses}
    kept.add(physician_client.post(reverse("polls:vote", args=[poll.pk]), {"choice": "0"})["Cache-Control"])

    assert kept == {"private, no-store"}


# Before and after


def test_before_voting_no_number_of_the_result_is_in_the_page(physician_client):
    poll = make_poll(options=("Alpha", "Beta"))
    counted(poll, 7331, 1789, voters=9120, seen=6007)

    for address in (poll.get_absolute_url(), reverse("polls:list")):
        page = text_of(physician_client.get(address))
        assert "Alpha" in page
        for number in ("7331", "1789", "9120", "9,120", "6007", "6,007", "80%", "20%"):
            assert number not in page


def test_only_a_disclosure_shows_the_result_without_a_vote_and_says_what_it_costs(physician_client):
    poll = make_poll()
    assert "Show me without voting" not in text_of(physician_client.get(poll.get_absolute_url()))

    counted(poll, 1, 0, 0)
    page = text_of(physician_client.get(poll.get_absolute_url()))

    assert "Show me without voting" in page
    assert "give up your vote" in page


def test_a_member_is_counted_once_as_having_seen_it(physician, physician_client, colleague_client):
    poll = make_poll(question=make_question(physician))

    for _ in range(2):
        physician_client.get(poll.question.get_absolute_url())
        physician_client.get(poll.get_absolute_url())
    colleague_client.get(poll.get_absolute_url())

    assert Tally.objects.get(poll=poll).seen == 2
    assert Sight.objects.filter(member=physician).count() == 1


def test_who_gets_neither_form_nor_result_has_not_seen_it(colleague, colleague_client):
    poll = make_poll(shown="closed")
    took(poll, colleague)

    page = text_of(colleague_client.get(poll.get_absolute_url()))

    assert "The result opens to everybody when the poll closes" in page
    assert not Sight.objects.exists()


def test_only_whom_it_is_open_to_has_seen_it(physician_client, colleague, colleague_client):
    over, for_others = make_poll(is_over=True), make_poll(states=["WY"])
    looked = make_poll(states=["WY"])
    counted(looked, 5, 1, 0)
    took(looked, colleague, "forfeited")

    for poll in (over, for_others, looked):
        assert colleague_client.get(poll.get_absolute_url()).status_code == 200
    assert "n = 6" in text_of(colleague_client.get(looked.get_absolute_url()))
    assert not Sight.objects.exists()

    physician_client.get(make_poll().get_absolute_url())
    assert Sight.objects.count() == 1


def test_the_poll_on_the_home_page_is_seen_and_rows_of_the_list_are_not(physician, physician_client):
    poll = make_poll()

    physician_client.get(reverse("polls:list"))
    assert not Sight.objects.exists()
    for _ in range(2):
        assert "A poll for you" in text_of(physician_client.get("/"))

    assert Sight.objects.get().member == physician
    assert Tally.objects.get(poll=poll).seen == 1


def test_whom_it_is_not_open_to_reads_that_and_what_a_look_costs(colleague_client):
    poll = make_poll(states=["WY"])
    counted(poll, 5, 1, 0)

    page = text_of(colleague_client.get(poll.get_absolute_url()))

    assert "who practice in Wyoming. It is not open to you." in page
    assert '<button class="button">Show the result</button>' in page
    assert "not vote." not in page


@pytest.mark.parametrize("kind", ["single", "ranked"])
@pytest.mark.parametrize("fields", [{"shown": "closed"}, {"specialties": True}])
def test_who_voted_reads_their_choice_where_no_result_is_shown_yet(physician, physician_client, kind, fields):
    fields = {"specialties": [physician.specialty_id]} if "specialties" in fields else fields
    poll = make_poll(kind, ("Alpha", "Beta", "Gamma"), **fields)
    chosen = {"choice": "1"} if kind == "single" else {"rank-1": "1", "rank-0": "2"}
    address = reverse("polls:vote", args=[poll.pk])

    physician_client.post(address, chosen)
    page = text_of(physician_client.get(poll.get_absolute_url()))
    elsewhere = text_of(client_of(physician.user).get(poll.get_absolute_url()))

    words = "Your vote: <b>Beta</b>." if kind == "single" else "Your vote, in your order: <b>Beta, Alpha</b>."
    assert words in page
    assert "You voted." in elsewhere
    assert "Your vote" not in elsewhere


def test_shares_of_several_choices_can_add_up_to_more_than_all(physician, physician_client):
    poll = make_poll("multiple")
    counted(poll, 4, 3, 1, voters=8)
    took(poll, physician)

    assert "so they can add up to more than 100%" in text_of(physician_client.get(poll.get_absolute_url()))


def test_how_rankings_are_counted_is_said_with_their_rounds(physician, physician_client):
    poll = make_poll("ranked")
    for place in (0, 0, 0, 1, 1, 2):
        vote(poll, make_member(), place)
    took(poll, physician)

    page = text_of(physician_client.get(poll.get_absolute_url()))

    assert "Options level at the bottom leave together." in page
    assert 'class="table rounds"' in page  # whose first column stays wide on a phone


def test_beside_a_poll_stands_what_its_discussion_is(physician, physician_client):
    poll = make_poll(asker=physician)

    page = text_of(physician_client.get(poll.get_absolute_url()))

    assert "<h2>Discussion</h2>" in page
    assert "This poll</h2>" not in page


def test_the_method_is_said_under_the_result(physician, physician_client):
    opened = timezone.make_aware(datetime(2026, 11, 1, 12))
    ended = opened + timedelta(days=7)
    poll = make_poll(opened_at=opened, closes_at=ended, closed_at=ended, close_reason="time", invited=410)
    counted(poll, 12, 11, 0, seen=95)
    took(poll, physician)

    page = text_of(physician_client.get(poll.get_absolute_url()))

    assert (
        "Self-selected, n = 23, invited 410, seen by 95, open Nov 1 to Nov 8, 2026. "
        "No margin of error, because nobody was drawn at random."
    ) in page
    assert "Open to all physicians." in page


def test_corrections_and_added_options_stand_under_the_result(physician, physician_client):
    poll = make_poll()
    poll.options.filter(place=2).update(is_added=True, after_votes=12)
    Correction.objects.create(poll=poll, was="Amiodaron", became="Amiodarone")
    before = text_of(physician_client.get(poll.get_absolute_url()))
    counted(poll, 9, 5, 1)
    took(poll, physician)

    page = text_of(physician_client.get(poll.get_absolute_url()))

    assert "added by a reader" in before
    assert "after 12 votes" not in before
    assert "added by a reader after 12 votes" in page
    assert "“Amiodaron” became “Amiodarone”" in page


def test_upheld_concerns_are_told_as_a_number(physician, physician_client):
    poll = make_poll()
    counted(poll, 9, 5, 1)
    took(poll, physician)
    for _ in range(2):
        poll.concerns.create(
            member=make_member(),
            kind="speed",
            raised_on="2026-11-20",
            state="upheld",
            reason="Four in a second.",
            decided_at=timezone.now(),
        )

    page = text_of(physician_client.get(poll.get_absolute_url()))

    assert "2 of these votes broke the rules; which ones nobody can tell." in page


def test_who_pays_is_said_before_the_question(physician_client):
    poll = make_poll()
    Sponsor.objects.create(poll=poll, name="Halden", kind="pharma", honorarium=2505, quota=50, taken=13)
    counted(poll, 8, 5, 0, seconds=[0, 0, 5, 8, *[0] * 57])

    page = text_of(physician_client.get(poll.get_absolute_url()))

    assert page.index("Halden") < page.index('name="choice"')
    assert "pharmaceutical company" in page
    assert "Honorarium $25.05 for a vote." in page
    assert "less than a minute (15 to 20 seconds)" in page
    assert "37 paid votes left" in page

    Tally.objects.filter(poll=poll).update(seconds=[0, 0, 2, 2, *[0] * 57])
    few = text_of(physician_client.get(poll.get_absolute_url()))
    assert "The median time is shown from the fifth vote on." in few
    assert "seconds)" not in few


# The breakdown


@pytest.fixture
def large(physician):
    poll = make_poll(options=("Yes", "No"))
    cells = {
        "specialty": {"Internal Medicine": [9, 0], "Surgery": [5, 6]},
        "years": {"31+": [5, 0], "0-5": [6, 5]},
    }
    counted(poll, 30, 15, cells=cells, cells_voters=40)
    took(poll, physician)
    return poll


def test_the_breakdown_shows_the_cells_and_what_is_in_none(large, physician_client):
    response = physician_client.get(reverse("polls:results", args=[large.pk]))
    specialty, region, years = response.context["dimensions"]

    assert [(group.label, group.numbers) for group in specialty.groups] == [
        ("Internal Medicine", [9, None]),
        ("Surgery", [5, 6]),
    ]
    assert specialty.rest == [16, 9]
    assert region.groups == []
    assert [group.label for group in years.groups] == ["0 to 5 years", "31 years and more"]
    assert '<th scope="row">All</th><td class="n">30</td><td class="n">15</td>' in text_of(response)
    assert "Groups are as of vote 40" in text_of(response)
    assert "Not shown by group" in text_of(response)


def test_a_poll_whose_votes_change_is_split_at_its_end_only(large, physician_client):
    Poll.objects.filter(pk=large.pk).update(may_change=True)
    address = reverse("polls:results", args=[large.pk])

    assert "split by group only after the poll has closed" in text_of(physician_client.get(address))

    Poll.objects.filter(pk=large.pk).update(closed_at=timezone.now(), close_reason="creator")
    assert "Surgery" in text_of(physician_client.get(address))


def test_results_are_for_whom_the_card_would_show_them(large, colleague_client):
    response = colleague_client.get(reverse("polls:results", args=[large.pk]))

    assert response["Location"] == large.get_absolute_url()


# The list


def listed(client, after="") -> list[int]:
    response = client.get(reverse("polls:list"), {"after": after} if after else {})
    return [row.pk for row, _ in response.context["page"]]


def test_open_polls_come_first_then_those_that_are_over_each_the_newest_first(physician, physician_client):
    over = make_poll(is_over=True)
    taken = make_poll()
    took(taken, physician)
    old = make_poll(opened_at=timezone.now() - timedelta(days=3))
    fresh = make_poll()

    assert listed(physician_client) == [fresh.pk, taken.pk, old.pk, over.pk]


def test_a_vote_moves_no_poll_to_a_later_page(physician, physician_client, settings):
    settings.POLLS_PER_PAGE = 2
    polls = [make_poll() for _ in range(4)]
    first = physician_client.get(reverse("polls:list"))
    took(polls[-1], physician)

    second = physician_client.get(first.context["more_url"])

    assert [row.pk for row, _ in second.context["page"]] == [polls[1].pk, polls[0].pk]


def test_every_poll_comes_once_on_the_pages_of_the_list(physician, physician_client, settings):
    settings.POLLS_PER_PAGE = 2
    polls = [make_poll(is_over=number % 2 == 0) for number in range(7)]
    found, address = [], reverse("polls:list")
    while address:
        response = physician_client.get(address)
        found += [row.pk for row, _ in response.context["page"]]
        address = response.context["more_url"]

    assert sorted(found) == sorted(poll.pk for poll in polls)


def test_the_list_leaves_out_what_other_lists_do(physician, physician_client, colleague, third):
    make_poll(asker=colleague)
    make_poll(asker=third)
    among = make_poll()
    Question.objects.filter(pk=among.pk).update(audience="connections")
    Block.objects.create(blocker=physician, blocked=colleague, blocker_face="handle", blocked_face="handle")
    TopicMute.objects.create(member=physician, specialty=third.specialty)

    assert listed(physician_client) == []
    assert "No poll yet" in text_of(physician_client.get(reverse("polls:list")))


def test_a_cursor_nobody_got_is_the_first_page(physician_client):
    poll = make_poll()

    assert listed(physician_client, after="WzEsICJ4IiwgMl0") == [poll.pk]
    assert listed(physician_client, after="nonsense") == [poll.pk]


def test_the_list_has_the_form_where_one_tap_chooses(physician_client):
    make_poll("single")
    make_poll("scale")
    make_poll("ranked")
    make_poll("multiple")

    page = text_of(physician_client.get(reverse("polls:list")))

    assert page.count('name="started"') == 2
    assert page.count("Take this poll") == 2
    assert page.count('role="group" aria-label="Poll: ') == 4
    assert page.count("Secret ballot. <a") == 2


# What pages cost


@pytest.mark.parametrize("kind", ["single", "ranked", "scale"])
def test_a_poll_s_pages_cost_at_most_eight_queries(physician, physician_client, kind):
    poll = make_poll(kind)
    attached = make_poll(kind, question=make_question(physician))
    assert queries(physician_client, poll.get_absolute_url()) <= 8
    for one in (poll, attached):
        took(one, physician)
        counted(one, *([4] * len(one.tally.counts)))

    assert queries(physician_client, poll.get_absolute_url()) <= 8
    assert queries(physician_client, attached.get_absolute_url()) <= 8
    assert queries(physician_client, reverse("polls:results", args=[poll.pk])) <= 8


def test_the_list_costs_the_same_at_any_length(physician, physician_client):
    for number in range(6):
        took(make_poll("ranked" if number % 2 else "single", is_over=number > 3), physician)
    make_poll()

    assert queries(physician_client, reverse("polls:list")) <= 8


# Over time


def wave(trend, number, counts, **fields):
    poll = make_poll(trend=trend, wave=number, asker=trend.creator, **fields)
    counted(poll, *counts)
    return poll


def test_a_trend_shows_the_waves_whose_result_one_may_see(physician_client):
    trend = make_trend()
    wave(trend, 1, [7, 2, 1], is_over=True)
    wave(trend, 2, [31, 9, 0], is_over=True)
    wave(trend, 3, [9, 777, 0])

    page = text_of(physician_client.get(reverse("polls:trend", args=[trend.pk])))

    assert "70%" in page
    assert "78%" in page
    assert "777" not in page
    assert "whose result you may not see yet" in page


def test_an_option_put_into_other_words_keeps_its_line_in_a_trend(physician_client):
    trend = make_trend()
    wave(trend, 1, [7, 2, 1], options=("Apixabna", "Warfarin", "None"), is_over=True)
    wave(trend, 2, [6, 3, 1], options=("Apixaban", "Warfarin", "None"), is_over=True)

    courses = physician_client.get(reverse("polls:trend", args=[trend.pk])).context["courses"]

    assert [(course.text, course.shares) for course, _ in courses][:2] == [
        ("Apixaban", [(70, 7), (60, 6)]),
        ("Warfarin", [(20, 2), (30, 3)]),
    ]


def test_a_trend_of_which_one_may_see_no_poll_does_not_exist(physician_client):
    trend = make_trend()
    poll = wave(trend, 1, [1, 1, 1])
    Question.objects.filter(pk=poll.pk).update(audience="connections")

    assert physician_client.get(reverse("polls:trend", args=[trend.pk])).status_code == 404
    assert physician_client.get(reverse("polls:trend", args=[Trend.objects.count() + 99])).status_code == 404


# Elsewhere on the site


def test_a_discussion_with_a_poll_has_its_badge_and_can_be_filtered(physician, physician_client):
    attached = make_poll(question=make_question(physician))
    make_question(physician, "Which dose would you use?")

    rows = physician_client.get(reverse("questions:list") + "?poll=1").context["page"].rows

    assert [row.pk for row in rows] == [attached.pk]
    assert "#i-vote" in rows[0].drawn


def test_polls_are_a_kind_in_the_list_and_in_the_search(physician, physician_client):
    poll = make_poll(asker=physician, title="Which anticoagulant on dialysis?")
    make_question(physician, "Anticoagulant on dialysis, which one?")

    rows = physician_client.get(reverse("questions:list") + "?kind=poll").context["page"].rows
    page = text_of(physician_client.get("/search/?q=anticoagulant+kind:poll"))

    assert [row.pk for row in rows] == [poll.pk]
    assert f"/polls/{poll.pk}/" in page
    assert "which one?" not in page


def test_how_the_ballot_is_kept_secret_is_explained_to_everybody(client):
    response = client.get(reverse("about", args=["secret-ballot"]))

    assert response.status_code == 200
    assert "Nobody learns what you chose" in text_of(response)


def test_the_way_to_the_polls_stands_on_every_page(physician_client):
    make_specialty()
    page = text_of(physician_client.get(reverse("polls:list")))

    assert page.count('href="/polls/" aria-current="page"') == 2


# Home


def test_home_shows_the_newest_poll_that_waits_for_one(physician, physician_client):
    make_poll(options=("Older", "Than that"))
    newest = make_poll(options=("Taper first", "Stop at once"))

    assert "Taper first" in text_of(physician_client.get("/"))

    took(newest, physician)
    home = text_of(physician_client.get("/"))
    assert "Older" in home
    assert "Taper first" not in home


def test_home_shows_no_poll_that_is_for_others(physician_client):
    make_poll(states=["TX"], options=("Taper first", "Stop at once"))

    assert "Taper first" not in text_of(physician_client.get("/"))


def test_home_with_a_poll_costs_little_more(physician_client):
    make_poll()

    physician_client.get("/")

    assert queries(physician_client, "/") <= 9


def test_a_moderator_votes_only_where_a_discussion_is_addressed_to_them(moderator):
    poll, moderator_client = make_poll(), client_of(moderator)
    Question.objects.filter(pk=poll.pk).update(audience="connections")

    page = text_of(moderator_client.get(poll.get_absolute_url()))

    assert "Vote</button>" not in page
    assert "A poll for you" not in text_of(moderator_client.get("/"))
    moderator_client.post(reverse("polls:vote", args=[poll.pk]), {"choice": "0"})
    assert not Receipt.objects.filter(member=moderator).exists()


def test_among_connections_five_votes_come_before_any_result(physician, physician_client):
    poll = make_poll(asker=physician)
    Question.objects.filter(pk=poll.pk).update(audience="connections")
    took(poll, physician)
    counted(poll, 1, 1, 0)
    assert "your vote" not in text_of(physician_client.get(poll.get_absolute_url()))
    assert 'class="bars"' not in text_of(physician_client.get(poll.get_absolute_url()))

    counted(poll, 3, 2, 0)

    assert 'class="bars"' in text_of(physician_client.get(poll.get_absolute_url()))


def test_a_removed_poll_shows_a_moderator_no_result_that_was_to_wait(moderator):
    poll, moderator_client = make_poll(shown="closed"), client_of(moderator)
    counted(poll, 3, 2, 0)
    Question.objects.filter(pk=poll.pk).update(status="removed")

    page = text_of(moderator_client.get(poll.get_absolute_url()))

    assert 'class="bars"' not in page
    assert "Vote</button>" not in page
