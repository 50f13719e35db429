"""What a member's export says of polls, and what leaving does with it: which ones, and never what was chosen."""

import pytest
from django.utils import timezone

from accounts.leaving import ledger
from accounts.leaving.ledger import Person
from accounts.services import leaving
from accounts.tests.factories import make_member, make_user
from polls import personal
from polls.models import Ballot, Concern, Option, Poll, Receipt, Sight, Tally, Trend
from polls.services import options, voting
from polls.tests.factories import make_poll, make_trend, vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaver(db):
    return make_member("quiet_harbor", user=make_user("torre@example.org"))


def export(member) -> dict[str, list[dict]]:
    """By model, what an export of this app says."""
    person = Person.of(member.user)
    entries = [entry for entry in personal.ENTRIES if entry.shown]
    return {entry.model.split(".")[1]: [entry.row(row) for row in entry.rows(person)] for entry in entries}


def test_the_export_says_which_polls_one_took_and_looked_at_and_no_choice(leaver, physician):
    taken, looked = make_poll(Poll.Kind.RANKED, asker=physician), make_poll(asker=physician)
    voting.note_seen(poll=taken, member=leaver)
    vote(taken, leaver, 2, 0)
    voting.forfeit(poll=looked, member=leaver)

    said = export(leaver)
    by_poll = sorted(said["Receipt"], key=lambda row: row["poll"])
    assert by_poll == [
        {"poll": taken.pk, "kind": "Voted"},
        {"poll": looked.pk, "kind": "Looked without voting"},
    ]
    assert said["Sight"] == [{"poll": taken.pk}]
    assert not {"Ballot", "Tally", "Ticket"} & said.keys()
    assert said["Poll"] == said["Option"] == said["Concern"] == []


def test_the_export_says_what_one_opened_and_added_and_what_was_looked_at(leaver, physician):
    own = make_poll(asker=leaver, options=("Now", "Later"))
    others = make_poll(asker=physician, may_add=True)
    options.add_option(poll=others, member=leaver, text="Neither of them")
    Option.objects.create(poll=own, place=2, text="Never", is_added=True, added_by=physician)
    Concern.objects.create(poll=others, member=leaver, kind="speed", raised_on=timezone.now().date())
    make_trend(leaver)

    said = export(leaver)
    assert [(row["question"], row["options"]) for row in said["Poll"]] == [(own.pk, ["Now", "Later"])]
    assert said["Option"] == [{"poll": others.pk, "text": "Neither of them"}]
    assert [(row["poll"], row["kind"]) for row in said["Concern"]] == [
        (others.pk, "Faster than the poll can be read")
    ]
    assert [row["waves"] for row in said["Trend"]] == [3]


def test_many_polls_one_opened_are_exported_in_one_query(leaver, django_assert_num_queries):
    for _ in range(3):
        make_poll(asker=leaver)
    person = Person.of(leaver.user)
    entry = next(entry for entry in personal.ENTRIES if entry.model == "polls.Poll")

    with django_assert_num_queries(1):
        assert [entry.row(row)["options"] for row in entry.rows(person)] == [["A", "B", "C"]] * 3


def test_leaving_keeps_the_counts_and_cuts_the_rest(leaver, physician, moderator):
    poll = make_poll(Poll.Kind.RANKED, asker=physician)
    open_to_more = make_poll(asker=physician, may_add=True)
    own = make_poll(asker=leaver)
    vote(poll, leaver, 1, 2)
    voting.note_seen(poll=poll, member=leaver)
    options.add_option(poll=open_to_more, member=leaver, text="Neither of them")
    Concern.objects.create(
        poll=poll,
        member=leaver,
        kind="speed",
        raised_on=timezone.now().date(),
        state="upheld",
        reason="Nine votes, as the member writes.",
        objection="It was the ward's browser.",
        decided_by=moderator.user,
        decided_at=timezone.now(),
    )
    make_trend(leaver, next_at=timezone.now())
    leaving.leave(leaver.user)

    assert (Tally.objects.get(poll=poll).voters, Ballot.objects.count()) == (1, 1)
    assert Receipt.objects.get(poll=poll).member_id == leaver.pk
    assert not Sight.objects.exists()
    assert Option.objects.get(is_added=True).added_by is None
    concern = Concern.objects.get()
    assert (concern.state, concern.reason, concern.objection) == ("upheld", personal.LEFT, "")
    assert Trend.objects.get().next_at is None
    assert not Poll.objects.get(pk=own.pk).is_over


def test_the_ledger_lacks_nothing_of_polls():
    book = ledger.entries()

    faults = ledger.missing_tables(book) + ledger.missing_fields(book) + ledger.mistakes(book)
    assert [fault for fault in faults if fault.startswith("polls.")] == []
