"""Polls as physicians take them, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from polls.models import Ballot, Concern, Receipt, Sponsor, Tally
from polls.tests.factories import make_poll, make_trend, make_voter, vote
from questions.tests.factories import make_question
from sermo.tests.people import enter
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LONG = [f"Option {number}, with a name of some length, as physicians write them" for number in range(10)]


@pytest.fixture
def reader():
    return make_member("left_atrium")


@pytest.fixture
def open_page(browser_page, live_server, reader):
    """A page in which the reader is logged in."""

    def opened(**options):
        page = browser_page(**options)
        enter(page, live_server.url, reader)
        return page

    return opened


@pytest.mark.parametrize("feed", ["/", "/polls/"])
def test_a_poll_is_taken_on_a_phone_in_two_taps(open_page, live_server, feed):
    poll = make_poll(options=("Taper first", "Stop at once"))
    page = open_page(**PHONE)
    page.goto(f"{live_server.url}{feed}")
    page.evaluate("window.sameDocument = true")

    page.get_by_text("Stop at once").tap()
    page.get_by_role("button", name="Vote", exact=True).tap()

    card = page.locator(f"#poll-{poll.pk}")
    expect(card).to_contain_text("Your vote is counted.")
    expect(card.get_by_role("row", name="Stop at once")).to_contain_text("100%")
    expect(card.get_by_role("row", name="Stop at once")).to_contain_text("your vote")
    expect(card.locator("[data-focus-on-load]")).to_be_focused()
    assert page.evaluate("window.sameDocument") is True
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert Tally.objects.get().counts == [0, 1]


def test_every_kind_is_taken_without_scripts(open_page, live_server):
    page = open_page(java_script_enabled=False)
    for kind in ("single", "multiple", "ranked", "scale"):
        poll = make_poll(kind)
        page.goto(f"{live_server.url}/polls/{poll.pk}/")

        card = page.locator(".poll")
        if kind == "ranked":
            card.get_by_label("B", exact=True).select_option("1st")
        else:
            card.get_by_label(re.compile("^(B|2)$")).check()
        page.get_by_role("button", name="Vote", exact=True).click()

        expect(card).to_contain_text("You voted.")
        expect(card).to_contain_text("your 1st" if kind == "ranked" else "your vote")
        assert Tally.objects.get(poll=poll).counts[1] == 1
        assert Receipt.objects.filter(poll=poll).count() == 1


def test_what_is_refused_comes_back_in_place_with_what_was_chosen(open_page, live_server):
    poll = make_poll("ranked", ("Apixaban", "Warfarin", "Occlusion"))
    page = open_page()
    page.goto(f"{live_server.url}/polls/{poll.pk}/")

    page.get_by_label("Apixaban").select_option("1st")
    page.get_by_label("Occlusion").select_option("1st")
    page.get_by_role("button", name="Vote", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("to one option only")
    expect(page.get_by_label("Occlusion")).to_have_value("1")
    page.get_by_label("Occlusion").select_option("2nd")
    page.get_by_role("button", name="Vote", exact=True).click()
    expect(page.locator(".poll")).to_contain_text("Your vote is counted.")
    assert Ballot.objects.get().choices == [0, 2]


def test_looking_without_voting_says_what_it_costs_first(open_page, live_server, reader):
    poll = make_poll()
    vote(poll, make_voter(), 0)
    page = open_page()
    page.goto(f"{live_server.url}/polls/{poll.pk}/")

    page.get_by_text("Show me without voting").click()
    expect(page.locator(".poll")).to_contain_text("give up your vote in this poll, for good")
    page.get_by_role("button", name="Show the result, forfeit my vote").click()

    expect(page.locator(".poll")).to_contain_text("You chose to look without voting")
    expect(page.get_by_role("button", name="Vote", exact=True)).to_have_count(0)
    assert Receipt.objects.get(member=reader).kind == "forfeited"


def test_a_vote_is_changed_in_the_browser_it_was_cast_with(open_page, live_server):
    poll = make_poll(may_change=True)
    page = open_page()
    page.goto(f"{live_server.url}/polls/{poll.pk}/")
    page.get_by_label("A", exact=True).check()
    page.get_by_role("button", name="Vote", exact=True).click()
    expect(page.locator(".poll")).to_contain_text("Your vote is counted.")

    page.get_by_text("Change your vote").click()
    expect(page.get_by_label("A", exact=True)).to_be_checked()
    page.get_by_label("C", exact=True).check()
    page.get_by_role("button", name="Change my vote").click()

    expect(page.locator(".poll")).to_contain_text("Your vote is changed.")
    expect(page.get_by_role("row", name="C your vote")).to_contain_text("100%")
    assert Tally.objects.get().counts == [0, 0, 1]
    assert not Concern.objects.filter(kind="browser").exists()


def test_no_page_of_a_poll_has_a_serious_fault(open_page, live_server, reader):
    polls = [make_poll(kind, LONG) for kind in ("single", "multiple", "ranked")]
    polls.append(make_poll("scale", low_label="never", high_label="always"))
    polls.append(make_poll(question=make_question(reader), may_change=True, may_add=False))
    Sponsor.objects.create(poll=polls[0], name="Halden", kind="pharma", honorarium=2500, quota=50)
    trend = make_trend(reader)
    waves = [make_poll("scale", trend=trend, wave=number) for number in (1, 2)]
    for poll in [*polls, *waves]:
        counts = [9 - place % 9 for place in range(len(poll.tally.counts))]
        Tally.objects.filter(poll=poll).update(counts=counts, voters=sum(counts))
    values = {"Cardiovascular Disease": [5, 6, *[0] * 8]}
    Tally.objects.filter(poll=polls[0]).update(cells={"specialty": values}, cells_voters=12)
    own = [polls[place].get_absolute_url() for place in (0, 4)]  # the list shows the cards of all
    page = open_page()
    found = faults(page, live_server.url, ["/polls/", *own, "/about/secret-ballot/"])
    for poll in [*polls, *waves]:
        Receipt.objects.create(poll=poll, member=reader, kind="voted")
    results = [f"{polls[place].get_absolute_url()}results/" for place in (0, 2, 3)]

    found += faults(page, live_server.url, ["/polls/", *own, *results, f"/polls/trends/{trend.pk}/"])

    assert not found, "\n".join(found)


def faults(page, site, paths) -> list[str]:
    found = []
    for path in paths:
        page.emulate_media(color_scheme="light")
        assert page.goto(site + path).status == 200
        found += faults_by_look(page)
    return found
