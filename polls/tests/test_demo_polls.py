"""The demonstration's polls: all kinds, true to the last vote, and written once."""

import io
import tomllib

import pytest
from django.contrib.auth.models import Group

from accounts.models import FanOut, Notice
from accounts.roles import MODERATORS
from accounts.tests.factories import make_member, make_specialty
from polls.checking import check
from polls.demo import seeding
from polls.models import Concern, Option, Poll, Receipt, Sponsor, Tally, Ticket
from questions.tests.factories import make_question

VOTES = 10  # the fewest with which something is to be looked at
SPECIALTIES = {
    "Cardiovascular Disease": 6,
    "Nephrology": 5,
    "Internal Medicine": 5,
    "Family Medicine": 3,
    "Emergency Medicine": 2,
}


@pytest.fixture
def crowd(db, monkeypatch):
    """Enough members for a handful of votes on each poll, and the question one poll is attached to."""
    written = tomllib.loads(seeding.WRITTEN.read_text(encoding="utf-8"))["poll"]
    for name in {name for entry in written for name in entry.get("specialties", [])}:
        make_specialty(name)
    for name, number in SPECIALTIES.items():
        for place in range(number):
            make_member(specialty=name, state="CA", years_band="0-5" if place % 2 else "21-30")
    make_question(make_member("cardio_of_the_demo", email="cardio@demo.sermo.test"))
    asker = make_member(specialty="Obstetrics & Gynecology")
    make_question(asker, title="Pain at IUD insertion: what do you offer as routine?")
    every = seeding._written
    monkeypatch.setattr(seeding, "_written", lambda: [{**entry, "votes": VOTES} for entry in every()])


@pytest.fixture
def few(crowd, monkeypatch):
    """Of the written polls only those that raise something to look at."""
    every = seeding._written
    monkeypatch.setattr(seeding, "_written", lambda: [entry for entry in every() if "concerns" in entry])


def seed() -> str:
    said = io.StringIO()
    seeding.seed(said)
    return said.getvalue()


def test_polls_of_all_kinds_are_there_once_and_every_count_is_true(crowd):
    assert "polls: 12 with" in seed()

    over = Poll.objects.filter(closed_at__isnull=False)
    assert set(Poll.objects.values_list("kind", flat=True)) == set(Poll.Kind.values)
    assert {"ranked", "scale"} <= set(over.values_list("kind", flat=True))
    assert list(over.exclude(trend=None).order_by("wave").values_list("wave", flat=True)) == [1, 2, 3]
    assert set(over.values_list("close_reason", flat=True)) == {"time"}
    assert Poll.objects.exclude(prompt="").get().question.kind == "question"
    assert Sponsor.objects.get().poll.is_over is False
    assert check(lambda line: None) == 0
    assert set(Tally.objects.values_list("voters", flat=True)) == {VOTES}
    assert not Ticket.objects.exists()
    assert {"address", "browser"} <= set(Concern.objects.values_list("kind", flat=True))

    # There is an open one for the cardiologist, who hears of polls.
    taken = Receipt.objects.filter(member__handle="cardio_of_the_demo")
    is_open = Poll.objects.filter(closed_at=None).exclude(question__asker__handle="cardio_of_the_demo")
    assert is_open.exclude(receipts__in=taken).exists()
    assert Notice.objects.filter(member__handle="cardio_of_the_demo", kind="poll").exists()

    # Twice adds nothing.
    counts = [model.objects.count() for model in (Poll, Option, Receipt, Concern, Notice)]

    assert seed() == "polls: here already"
    assert [model.objects.count() for model in (Poll, Option, Receipt, Concern, Notice)] == counts


def test_a_run_that_was_cut_off_is_taken_up(few, monkeypatch):
    cast, number = seeding.voting.cast, 0

    def fail_at_the_fifteenth(**vote):
        nonlocal number
        number += 1
        if number == 15:
            raise KeyboardInterrupt
        return cast(**vote)

    monkeypatch.setattr(seeding.voting, "cast", fail_at_the_fifteenth)
    with pytest.raises(KeyboardInterrupt):
        seed()
    monkeypatch.setattr(seeding.voting, "cast", cast)
    seed()

    assert set(Tally.objects.values_list("voters", flat=True)) == {VOTES}
    assert Poll.objects.filter(closed_at__isnull=False).count() == 2


def test_a_run_cut_off_after_the_votes_still_decides_and_tells(few, monkeypatch):
    make_moderator()
    tell = seeding._tell

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(seeding, "_tell", fail)
    with pytest.raises(KeyboardInterrupt):
        seed()
    assert not Concern.objects.exclude(state="open").exists()
    monkeypatch.setattr(seeding, "_tell", tell)
    seed()

    assert Concern.objects.filter(state="dismissed").count() == 1
    assert Notice.objects.filter(member__handle="cardio_of_the_demo", kind="poll").exists()
    assert not FanOut.objects.filter(kind="poll", target__gt=0, done_at=None).exists()
    assert seed() == "polls: here already"


def make_moderator():
    """Of a specialty that takes all polls, as in the demonstration."""
    member = make_member(specialty="Internal Medicine", state="CA")
    member.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    return member


def test_a_moderator_votes_nowhere_and_decides_one_concern(few):
    moderator = make_moderator()

    seed()

    assert not Receipt.objects.filter(member=moderator).exists()
    assert Concern.objects.get(state="dismissed").decided_by == moderator.user


def test_where_every_moderator_takes_part_nothing_is_decided(few):
    seed()
    Concern.objects.exclude(state="open").delete()
    concern = Concern.objects.filter(kind="browser").first()
    Receipt.objects.create(poll=concern.poll, member=make_moderator(), kind="voted")

    assert seeding._decide_one() is False


def test_nobody_looks_where_results_open_at_the_end(crowd, monkeypatch):
    for number in range(60):
        make_member(specialty="Cardiovascular Disease" if number % 2 else "Nephrology", state="CA")
    every = seeding._written
    monkeypatch.setattr(
        seeding,
        "_written",
        lambda: [
            {**entry, "votes": 30}
            for entry in every()
            if entry.get("shown") == "closed" or "sponsor" in entry
        ],
    )

    seed()

    forfeited = Receipt.objects.filter(kind="forfeited")
    assert forfeited.filter(poll__shown="voted").exists()
    assert not forfeited.filter(poll__shown="closed").exists()


def test_weights_fit_their_options():
    for entry in seeding._written():
        options = len(entry.get("options", "12345")) + len(entry.get("added", ()))
        weights = [entry["shares"], *entry.get("by", {}).values()]
        weights += [entry["early"]] if "early" in entry else []
        assert {len(each) for each in weights} == {options}
        assert len(entry.get("title", "")) <= 140
