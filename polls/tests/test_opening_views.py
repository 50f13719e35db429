"""The pages on which polls are opened, and on which their words change."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.models import IdentifierDecision, Member, NoticeSettings
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from polls.models import Correction, Option, Poll, Tally
from polls.services import options, trends
from polls.tests.factories import make_poll, make_trend, vote
from questions.models import Question
from questions.services import closing
from questions.tests.factories import make_answer, make_question

NEW = "/polls/new/"
TITLE = "Which anticoagulant do you start with on dialysis?"


def typed(member=None, **fields):
    """What the form of a poll of its own sends; without a member that of an attached one."""
    sent = {
        "submission": str(uuid.uuid4()),
        "kind": "single",
        "option_1": "Apixaban",
        "option_2": "Warfarin",
        "open_for": "7",
        "shown": "voted",
    }
    if member:
        sent |= {"title": TITLE, "source": "", "specialties": [member.specialty_id], "tags": ""}
        sent |= {"audience": "physicians", "byline": "anonymous"}
    else:
        sent["prompt"] = "Do you hold it?"
    return {**sent, **fields}


def texts(poll):
    return list(poll.options.order_by("place").values_list("text", flat=True))


def errors(page):
    assert page.status_code == 422
    return page.context["form"].errors


# A poll of its own


def test_the_form_has_ten_options_with_labels_four_of_them_in_sight(physician_client):
    html = physician_client.get(NEW).content.decode()

    before, folded = html.split("More options")
    assert re.findall(r">Option (\d+)[ <]", before) == ["1", "2", "3", "4"]
    assert re.findall(r">Option (\d+)[ <]", folded) == ["5", "6", "7", "8", "9", "10"]
    assert 'style="' not in html.split("<main")[1]
    for control in re.findall(r"<(?:input|select|textarea)[^>]*>", html.split("<main")[1]):
        if 'type="hidden"' not in control:
            number = re.search(r'id="([^"]+)"', control).group(1)
            assert f'for="{number}"' in html, control


def test_a_poll_is_opened_and_leads_to_its_page(physician_client, physician):
    sent = typed(
        physician, option_4="None  of these", shown="closed", may_add="on", source="Some background."
    )

    answer = physician_client.post(NEW, sent)

    poll = Poll.objects.get()
    assert answer.url == f"/polls/{poll.pk}/"
    assert texts(poll) == ["Apixaban", "Warfarin", "None of these"]
    assert (poll.shown, poll.may_add, poll.may_change, poll.trend) == ("closed", True, False, None)
    assert (poll.question.title, poll.question.posts.get().source) == (TITLE, "Some background.")
    assert physician_client.get(answer.url).status_code == 200


def test_the_same_form_twice_makes_one_poll(physician_client, physician):
    sent = typed(physician)

    first, second = (physician_client.post(NEW, sent).url for _ in range(2))

    assert first == second
    assert Poll.objects.count() == 1


def test_a_scale_needs_no_option(physician_client, physician):
    sent = typed(physician, kind="scale", option_1="", option_2="", low_label="Never", high_label="Always")

    physician_client.post(NEW, sent)

    poll = Poll.objects.get()
    assert (texts(poll), poll.low_label) == (["1", "2", "3", "4", "5"], "Never")


def test_until_a_date_on_which_it_closes(physician_client, physician):
    day = timezone.localdate() + timedelta(days=11)

    physician_client.post(NEW, typed(physician, open_for="date", until=day.isoformat()))

    assert timezone.localtime(Poll.objects.get().closes_at).date() == day


@time_machine.travel(datetime(2026, 11, 4, 8, tzinfo=UTC), tick=False)  # in New York it is the 4th already
def test_the_day_of_a_date_is_that_of_the_member(physician_client, physician):
    NoticeSettings.objects.create(member=physician, time_zone="Pacific/Honolulu")
    client = client_of(physician)

    assert "until" in errors(client.post(NEW, typed(physician, open_for="date", until="2026-11-03")))
    client.post(NEW, typed(physician, open_for="date", until="2026-11-04"))

    end = datetime(2026, 11, 4, 23, 59, 59, tzinfo=ZoneInfo("Pacific/Honolulu"))
    assert Poll.objects.get().closes_at == end


def test_a_poll_inside_a_discussion_closes_at_the_end_of_the_day_too(physician_client, physician):
    question = make_question(physician)
    day = timezone.localdate() + timedelta(days=2)

    physician_client.post(f"{NEW}?question={question.pk}", typed(open_for="date", until=day.isoformat()))

    assert timezone.localtime(Poll.objects.get().closes_at).isoformat()[:16] == f"{day.isoformat()}T23:59"


def test_regions_stand_for_their_states(physician_client, physician):
    for _ in range(3):
        make_member(state="OH")
    for _ in range(2):
        make_member(state="HI")

    sent = typed(physician, voter_places=["region:Pacific", "OH"], voter_tiers=["new"])
    physician_client.post(NEW, sent | {"voter_specialties": [physician.specialty_id]})

    poll = Poll.objects.get()
    assert poll.states == ["AK", "CA", "HI", "OH", "OR", "WA"]
    assert (poll.specialties, poll.tiers, poll.invited) == ([physician.specialty_id], ["new"], 5)


def test_a_trend_is_asked_for_on_the_form(physician_client, physician):
    physician_client.post(NEW, typed(physician, waves="6"))

    assert Poll.objects.get().trend.waves == 6


@pytest.mark.parametrize(
    ("changes", "beside"),
    [
        ({"title": "Short"}, "title"),
        ({"source": "Short"}, "source"),
        ({"option_2": ""}, "option_2"),
        ({"option_2": " APIXABAN "}, "option_2"),
        ({"option_7": "warfarin"}, "option_7"),
        ({"option_3": "x" * 121}, "option_3"),
        ({"kind": "scale"}, "option_1"),
        ({"low_label": "Never"}, "low_label"),
        ({"kind": "ranked", "may_add": "on"}, "may_add"),
        ({"open_for": "date"}, "until"),
        ({"open_for": "date", "until": "2020-01-01"}, "until"),
        ({"open_for": "date", "until": "soon"}, "until"),
        ({"open_for": "45"}, "open_for"),
        ({"voter_specialties": ["nonsense"]}, "voter_specialties"),
        ({"voter_places": ["OH"]}, "voter_places"),
        ({"voter_places": ["region:Nowhere"]}, "voter_places"),
        ({"voter_tiers": ["top"]}, "voter_tiers"),
        ({"audience": "connections"}, "audience"),
        ({"tags": "never-seen-before"}, "tags"),
        ({"byline": "partial"}, "byline"),
        ({"specialties": []}, "specialties"),
        ({"waves": "1"}, "waves"),
        ({"waves": "30"}, "waves"),
        ({"waves": "3", "open_for": "30"}, "open_for"),
    ],
)
def test_each_refusal_stands_beside_its_field_and_nothing_is_lost(
    physician_client, physician, changes, beside
):
    sent = typed(physician, option_9="Heparin, rarely", source="Background of some length.") | changes

    page = physician_client.post(NEW, sent)

    assert beside in errors(page)
    html = page.content.decode()
    assert f'id="id_{beside}_error"' in html
    assert "Heparin, rarely" in html
    assert sent["title"] in html
    assert sent["source"] in html
    assert not Question.objects.exists()


def test_a_date_further_than_a_month_trends_refuse_beside_the_date(physician_client, physician):
    day = timezone.localdate() + timedelta(days=29)

    page = physician_client.post(NEW, typed(physician, open_for="date", until=day.isoformat(), waves="2"))

    assert errors(page) == {"until": [trends.TooLongForAMonth.message]}


def test_folded_parts_are_open_where_something_stands_in_them(physician_client, physician):
    empty = physician_client.get(NEW).content.decode()
    page = physician_client.post(
        NEW, typed(physician, title="Short", option_7="Other", low_label="Never", voter_tiers=["top"])
    ).content.decode()

    assert empty.count('<details class="small" open>') == 0
    assert page.count('<details class="small" open>') == 3


@pytest.mark.parametrize("field", ["title", "source", "option_1", "option_10", "low_label", "tags"])
def test_identifiers_are_found_in_every_text(physician_client, physician, field):
    label = {"kind": "scale", "option_1": "", "option_2": ""} if field == "low_label" else {}
    sent = typed(physician, **label) | {field: "Patient with MRN 4471902"}

    page = physician_client.post(NEW, sent)

    assert [row.finding.kind for row in page.context["form"].checked_identifiers[field].stops] == ["record"]
    assert page.status_code == 422
    assert "MRN 4471902" in page.content.decode()


def test_what_stays_for_a_reason_is_counted_once(physician_client, physician):
    sent = typed(physician, option_1="As in MRN 4471902")
    found = physician_client.post(NEW, sent).context["form"].checked_identifiers["option_1"].stops
    sent |= {"identifier_shown": [row.key for row in found], "identifier_why_option_1": "misread"}

    answers = [physician_client.post(NEW, sent).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert IdentifierDecision.objects.get().place == "poll"


def test_a_more_open_byline_asks_to_be_confirmed(physician_client, physician):
    Member.objects.filter(pk=physician.pk).update(
        face={"specialty": "Cardiovascular Disease", "region": "Pacific"}
    )

    page = physician_client.post(NEW, typed(physician, byline="partial"))

    assert "byline" in errors(page)
    assert "byline_confirmed" in page.content.decode()


def test_the_doors(client, applicant_client, physician):
    Member.objects.filter(pk=physician.pk).update(standing="read_only")

    assert client.get(NEW).status_code == 302
    assert applicant_client.get(NEW).status_code == 302
    assert client_of(physician).get(NEW).status_code == 403


# Inside a discussion


def test_post_and_add_a_poll_leads_from_the_ask_form_to_the_poll(physician_client, physician):
    ask = {
        "submission": str(uuid.uuid4()),
        "kind": "question",
        "title": TITLE,
        "source": "In the 70s, on dialysis, new atrial fibrillation. What would you do?",
        "specialties": [physician.specialty_id],
        "urgency": "days",
        "audience": "physicians",
        "byline": "anonymous",
    }
    assert "Post and add a poll" in physician_client.get("/questions/ask/").content.decode()

    asked = physician_client.post("/questions/ask/", {**ask, "poll": "1"})

    question = Question.objects.get()
    assert asked.url == f"{NEW}?question={question.pk}"
    page = physician_client.get(asked.url).content.decode()
    assert TITLE in page
    assert f'action="{NEW}?question={question.pk}"' in page
    added = physician_client.post(asked.url, typed())
    assert added.url == question.get_absolute_url()
    assert (Poll.objects.get().prompt, texts(Poll.objects.get())) == (
        "Do you hold it?",
        ["Apixaban", "Warfarin"],
    )


def test_its_asker_finds_add_a_poll_while_there_is_none(physician_client, physician, colleague_client):
    question = make_question(physician)
    url = question.get_absolute_url()
    assert "Add a poll" in physician_client.get(url).content.decode()
    assert "Add a poll" not in colleague_client.get(url).content.decode()

    physician_client.post(f"{NEW}?question={question.pk}", typed())

    assert "Add a poll" not in physician_client.get(url).content.decode()


def test_an_attached_poll_is_refused_as_others_are(physician_client, physician):
    question = make_question(physician)
    url = f"{NEW}?question={question.pk}"

    page = physician_client.post(url, typed(prompt="", option_2="apixaban", voter_places=["OH"]))
    assert set(errors(page)) == {"prompt", "option_2"}
    page = physician_client.post(url, typed(voter_places=["OH"]))
    assert set(errors(page)) == {"voter_places"}
    found = physician_client.post(url, typed(prompt="Do you know MRN 4471902?"))

    assert found.status_code == 422
    assert not Poll.objects.exists()


def test_there_is_one_poll_to_a_discussion(physician_client, physician):
    question = make_question(physician)
    url, sent = f"{NEW}?question={question.pk}", typed()
    assert [physician_client.post(url, sent).status_code for _ in range(2)] == [302, 302]

    assert physician_client.get(url).url == question.get_absolute_url()
    other = physician_client.post(url, typed(prompt="Something else?"))

    assert "has a poll already" in errors(other)["__all__"][0]
    assert Poll.objects.count() == 1


def test_others_and_closed_discussions_take_no_poll(physician_client, colleague_client, physician):
    question = make_question(physician)
    url = f"{NEW}?question={question.pk}"
    assert colleague_client.get(url).status_code == 404
    assert colleague_client.post(url, typed()).status_code == 404
    for number in ("0", "-1", "x", "9" * 30, "1_0"):
        assert physician_client.get(NEW, {"question": number}).status_code == 404

    closing.close_question(question=question, by=physician)

    assert physician_client.get(url).status_code == 302
    assert physician_client.post(url, typed()).status_code == 422


# A reader's own option


@pytest.fixture
def poll(physician):
    return make_poll(asker=physician, options=("Apixaban", "Warfarin"), may_add=True)


def test_a_reader_adds_an_option(poll, colleague_client, colleague):
    url = reverse("polls:add_option", args=[poll.pk])
    assert colleague_client.get(url).status_code == 200

    answer = colleague_client.post(url, {"text": "Edoxaban"})

    assert answer.url == f"/polls/{poll.pk}/"
    assert Option.objects.get(is_added=True).added_by == colleague
    html = colleague_client.get(answer.url).content.decode()
    assert "Edoxaban" in html


@pytest.mark.parametrize("text", ["warfarin", "", "As with MRN 4471902", "x" * 121])
def test_an_option_that_is_refused_comes_back(poll, colleague_client, text):
    page = colleague_client.post(reverse("polls:add_option", args=[poll.pk]), {"text": text})

    assert page.status_code == 422
    assert text in page.content.decode()
    assert Tally.objects.get(poll=poll).counts == [0, 0]


def test_an_option_is_added_only_to_what_one_may_see(physician, colleague_client):
    poll = make_poll(asker=physician, may_add=True)
    Question.objects.filter(pk=poll.pk).update(audience="connections")

    for name in ("add_option", "options"):
        assert (
            colleague_client.post(reverse(f"polls:{name}", args=[poll.pk]), {"text": "X"}).status_code == 404
        )


def test_a_poll_that_takes_no_option_says_so_before_one_is_typed(physician, colleague_client, colleague):
    full = make_poll(asker=physician, options=tuple("ABCDEFGHIJ"), may_add=True)
    took = make_poll(asker=physician, may_add=True)
    options.add_option(poll=took, member=colleague, text="Edoxaban")
    for poll, words in (
        (make_poll(asker=physician), "does not let readers add"),
        (full, "there can be no more"),
        (took, "You added an option already"),
    ):
        answer = colleague_client.get(reverse("polls:add_option", args=[poll.pk]))
        assert answer.url == f"/polls/{poll.pk}/"
        assert words in colleague_client.get(answer.url).content.decode()


def test_who_voted_is_promised_no_other_vote(poll, colleague, colleague_client):
    url = reverse("polls:add_option", args=[poll.pk])
    assert "You can vote for it" in colleague_client.get(url).content.decode()
    vote(poll, colleague, 0)

    for address in (url, f"/polls/{poll.pk}/"):
        html = colleague_client.get(address).content.decode()
        assert "Others can vote for it" in html
        assert "You can vote for it" not in html
    page = colleague_client.post(url, {"text": "Edoxaban"}, follow=True)
    assert "You and others" not in page.content.decode()


# Before the first vote


def edited(poll, **fields):
    said = {"prompt": "Which one would you start with?", "option_1": "Heparin", "option_2": "None"}
    return {**said, "was": options.wording_of(poll), **fields}


def test_the_author_edits_what_the_poll_says(poll, physician_client):
    url = reverse("polls:options", args=[poll.pk])
    page = physician_client.get(url).content.decode()
    assert 'value="Apixaban"' in page
    assert "What 1 means" not in page

    assert physician_client.post(url, edited(poll, option_6="Both")).url == f"/polls/{poll.pk}/"

    assert texts(poll) == ["Heparin", "None", "Both"]


def test_an_edit_is_refused_beside_its_field(poll, physician_client, colleague):
    url = reverse("polls:options", args=[poll.pk])
    options.add_option(poll=poll, member=colleague, text="Edoxaban")
    assert "Edoxaban" in physician_client.get(url).content.decode()

    assert set(errors(physician_client.post(url, edited(poll, prompt="", option_2="HEPARIN")))) == {
        "prompt",
        "option_2",
    }
    assert "MRN" in physician_client.post(url, edited(poll, option_2="MRN 4471902")).content.decode()
    page = physician_client.post(url, edited(poll, option_5="edoxaban"))
    assert "there already" in page.content.decode()
    assert texts(poll) == ["Apixaban", "Warfarin", "Edoxaban"]


def test_of_a_scale_only_labels_are_on_the_page(physician_client, physician):
    poll = make_poll("scale", asker=physician, low_label="Never", high_label="Always")
    url = reverse("polls:options", args=[poll.pk])
    assert "Option 1" not in physician_client.get(url).content.decode()

    sent = {"prompt": "Which one would you start with?", "low_label": "Rarely", "high_label": ""}
    sent["was"] = options.wording_of(poll)
    assert physician_client.post(url, sent).status_code == 302

    poll.refresh_from_db()
    assert (poll.low_label, poll.high_label) == ("Rarely", "")


def test_after_the_first_vote_the_page_is_closed(poll, physician_client, colleague, colleague_client):
    url = reverse("polls:options", args=[poll.pk])
    assert colleague_client.get(url).status_code == 404
    vote(poll, colleague, 0)

    assert physician_client.get(url).url == f"/polls/{poll.pk}/"
    page = physician_client.post(url, edited(poll))

    assert "Somebody has voted" in errors(page)["__all__"][0]
    assert texts(poll) == ["Apixaban", "Warfarin"]


def test_an_edit_of_words_that_changed_meanwhile_is_refused_and_shows_them(poll, physician_client):
    url = reverse("polls:options", args=[poll.pk])
    sent = edited(poll, option_3="What I typed")
    assert f'value="{sent["was"]}"' in physician_client.get(url).content.decode()
    poll.options.filter(place=1).update(text="Warfarin at last")

    page = physician_client.post(url, sent)

    assert "changed while you were editing" in errors(page)["__all__"][0]
    html = page.content.decode()
    assert "What I typed" in html
    assert "<li>Warfarin at last</li>" in html
    assert texts(poll) == ["Apixaban", "Warfarin at last"]
    again = page.context["form"]["was"].value()
    assert physician_client.post(url, sent | {"was": again}).status_code == 302
    assert texts(poll) == ["Heparin", "None", "What I typed"]


def test_a_poll_that_repeats_another_has_no_page_to_edit(physician, physician_client):
    poll = make_poll(asker=physician, trend=make_trend(physician), wave=2)

    assert physician_client.get(reverse("polls:options", args=[poll.pk])).url == f"/polls/{poll.pk}/"
    assert "Edit the options" not in physician_client.get(f"/polls/{poll.pk}/").content.decode()


# Corrections


def test_a_moderator_corrects_a_slip_and_it_is_on_the_page_for_good(physician, moderator, colleague):
    poll = make_poll(asker=physician, options=("Apixabna", "Warfarin"))
    vote(poll, colleague, 0)
    url, client = reverse("polls:correct", args=[poll.pk]), client_of(moderator)
    option = poll.options.get(place=0)
    assert "Apixabna" in client.get(url).content.decode()

    for text in ("Edoxaban", "Apixabna", "", "MRN 4471902"):
        refused = client.post(url, {"what": option.pk, "text": text})
        assert "text" in errors(refused) or "identifier" in refused.content.decode()
        assert not Correction.objects.exists()
    assert "what" in errors(client.post(url, {"what": "0", "text": "Apixaban"}))
    assert client.post(url, {"what": option.pk, "text": "Apixaban"}).url == f"/polls/{poll.pk}/"

    assert texts(poll) == ["Apixaban", "Warfarin"]
    assert "Apixabna" in client.get(url).content.decode()
    assert "Apixabna" in client_of(colleague).get(f"/polls/{poll.pk}/").content.decode()


def test_moderators_find_the_way_to_correct_a_typo_in_a_closed_poll_too(
    physician, moderator, colleague_client
):
    for is_over in (False, True):
        poll = make_poll(asker=physician, is_over=is_over)

        assert "Correct a typo" in client_of(moderator).get(f"/polls/{poll.pk}/").content.decode()
        assert "Correct a typo" not in colleague_client.get(f"/polls/{poll.pk}/").content.decode()
    own = make_poll(asker=moderator)
    assert "Correct a typo" not in client_of(moderator).get(f"/polls/{own.pk}/").content.decode()


def test_only_moderators_who_take_no_part_correct(poll, physician_client, moderator):
    url = reverse("polls:correct", args=[poll.pk])
    assert physician_client.get(url).status_code == 404
    make_answer(poll.question, moderator)

    assert client_of(moderator).get(url).url == f"/polls/{poll.pk}/"


# Trends


def test_the_author_stops_a_trend(physician_client, colleague_client, physician):
    physician_client.post(NEW, typed(physician, waves="3"))
    trend = Poll.objects.get().trend
    url, page = reverse("polls:stop_trend", args=[trend.pk]), reverse("polls:trend", args=[trend.pk])
    assert colleague_client.post(url).status_code == 404
    assert physician_client.get(url).url == page
    trend.refresh_from_db()
    assert trend.next_at

    assert physician_client.post(url).url == page

    trend.refresh_from_db()
    assert trend.stopped == "Stopped by its author."
    assert "Stopped by its author." in physician_client.get(page).content.decode()


def test_a_moderator_stops_a_trend(physician_client, physician, moderator):
    physician_client.post(NEW, typed(physician, waves="3"))
    trend = Poll.objects.get().trend
    url, client = reverse("polls:stop_trend", args=[trend.pk]), client_of(moderator)
    assert url in client.get(f"/polls/{trend.polls.get().pk}/").content.decode()

    client.post(url)

    trend.refresh_from_db()
    assert trend.stopped == "Stopped by a moderator."


def test_a_moderator_who_takes_part_is_told_that_another_one_stops_it(physician_client, physician, moderator):
    physician_client.post(NEW, typed(physician, waves="3"))
    trend = Poll.objects.get().trend
    make_answer(Poll.objects.get().question, moderator)

    page = client_of(moderator).post(reverse("polls:stop_trend", args=[trend.pk]), follow=True)

    assert "Another moderator decides" in page.content.decode()
    trend.refresh_from_db()
    assert trend.next_at


def test_topics_of_others_are_no_choice_of_voters_by_accident(physician_client, physician):
    """What a discussion is about, and who may vote in its poll, are two choices."""
    other = make_specialty("Nephrology")

    physician_client.post(NEW, typed(physician, specialties=[other.pk]))

    poll = Poll.objects.get()
    assert poll.specialties == []
    assert [one.name for one in poll.question.specialties.all()] == ["Nephrology"]
