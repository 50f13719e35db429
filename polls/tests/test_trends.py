"""The same poll, asked again every month."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Member
from accounts.services import profiles
from accounts.tests.factories import make_member, make_specialty
from polls.models import Option, Poll, Trend
from polls.services import opening, options, trends
from polls.services.closing import close_poll
from polls.tests.factories import make_poll, vote
from questions.models import Byline, MemberRank, Post, Question
from questions.services import closing, writing
from questions.services.moderation import rights
from questions.services.tags import tags_named
from questions.tests.factories import make_answer
from verification.models import Event

BEGIN = datetime(2026, 1, 31, 15, tzinfo=UTC)


def begin(asker, *, title="Do you wear a mask in clinic?", waves=3, **fields):
    plan = {"kind": "single", "options": ("Always", "Sometimes", "Never"), "days": 7}
    plan |= {name: fields.pop(name) for name in list(fields) if name in opening.Plan.__dataclass_fields__}
    written = {
        "source": "Winter is here, and so are the viruses.",
        "specialties": fields.pop("topics", [asker.specialty]),
    }
    with time_machine.travel(BEGIN, tick=False):
        return opening.open_poll(
            asker=asker, title=title, plan=opening.Plan(**plan), waves=waves, **(written | fields)
        )


def run(day):
    with time_machine.travel(day, tick=False):
        return trends.open_due_waves()


def days(number):
    return BEGIN + timedelta(days=number)


def polls_of(trend):
    return list(Poll.objects.filter(trend=trend).select_related("question").order_by("wave"))


def test_each_month_the_same_poll_opens_until_the_last_one(physician):
    tags_named(["masks"])
    topics = [make_specialty("Infectious Disease"), physician.specialty]
    first = begin(physician, topics=topics, tags=["masks"], peers_only=True, may_change=True, shown="closed")

    assert run(days(27)) == 0
    assert [run(days(number)) for number in (28, 29, 58, 59, 60, 200)] == [1, 0, 0, 1, 0, 0]

    trend = Trend.objects.get()
    waves = polls_of(trend)
    assert [poll.wave for poll in waves] == [1, 2, 3]
    assert [poll.opened_at.date().isoformat() for poll in waves] == ["2026-01-31", "2026-02-28", "2026-03-31"]
    assert [poll.question.title for poll in waves] == [
        "Do you wear a mask in clinic?",
        "Do you wear a mask in clinic? (February 2026)",
        "Do you wear a mask in clinic? (March 2026)",
    ]
    assert (trend.next_at, trend.stopped) == (None, "")
    last = waves[-1]
    assert last != first
    assert (last.kind, last.shown, last.may_change) == ("single", "closed", True)
    assert last.closes_at - last.opened_at == timedelta(days=7)
    question = last.question
    assert (question.asker, question.kind, question.has_poll, question.peers_only) == (
        physician,
        "poll",
        True,
        True,
    )
    ordered = question.specialties.order_by("questionspecialty__place")
    assert list(ordered) == topics
    assert [tag.name for tag in question.tags.all()] == ["masks"]
    assert question.posts.get().source == "Winter is here, and so are the viruses."


def test_who_comes_to_keep_things_among_peers_keeps_later_waves_too(physician):
    begin(physician)
    Member.objects.filter(pk=physician.pk).update(peers_only=True)

    run(days(30))

    assert [poll.question.peers_only for poll in polls_of(Trend.objects.get())] == [False, True]


def test_a_title_that_names_a_month_stays(physician):
    begin(physician, title="Flu vaccine since October: how many?")

    run(days(30))

    assert {poll.question.title for poll in Poll.objects.select_related("question")} == {
        "Flu vaccine since October: how many?"
    }


@pytest.mark.parametrize(
    ("title", "becomes"),
    [
        ("May one stop it?", "May one stop it? (March 2026)"),
        ("Do you give to the March of Dimes?", "Do you give to the March of Dimes? (March 2026)"),
        ("August Krogh's law: taught?", "August Krogh's law: taught? (March 2026)"),
        ("In October, how many?", "In October, how many?"),
        ("How many, October 2025?", "How many, October 2025?"),
        ("Visits in May: how many?", "Visits in May: how many?"),
        ("Visits (May 2025)", "Visits (May 2025)"),
        ("word " * 28, "word " * 24 + "word… (March 2026)"),
    ],
)
def test_the_month_in_the_title(title, becomes):
    made = trends.title_of_wave(title.strip(), datetime(2026, 3, 1, tzinfo=UTC))

    assert made == becomes
    assert len(made) <= 140


def test_what_readers_added_and_corrections_stay(physician, colleague, moderator):
    first = begin(physician, may_add=True)
    with time_machine.travel(days(1)):
        options.add_option(poll=first, member=colleague, text="With patients who cough")
        vote(first, colleague, 3)
        option = first.options.get(place=1)
        options.correct(poll=first, user=moderator.user, option=option, text="Sometmies")

    run(days(30))

    rows = Option.objects.filter(poll__wave=2).order_by("place")
    assert list(rows.values_list("text", "is_added", "added_by", "after_votes")) == [
        ("Always", False, None, 0),
        ("Sometmies", False, None, 0),
        ("Never", False, None, 0),
        ("With patients who cough", True, None, 0),
    ]


def test_the_audience_and_the_byline_stay(physician, settings):
    for _ in range(5):
        member = make_member(specialty="Nephrology", state="OH")
        MemberRank.objects.update_or_create(member=member, defaults={"tier": "trusted"})
    narrowed = {
        "specialties": (make_specialty("Nephrology").pk,),
        "states": ("OH",),
        "tiers": ("trusted",),
    }
    plan = opening.Plan(kind="single", options=("A", "B"), days=7, **narrowed)
    physician.byline_mode = Member.BylineMode.PARTIAL
    physician.save()
    with time_machine.travel(BEGIN):
        opening.open_poll(
            asker=physician,
            title="How many of them?",
            source="",
            specialties=[physician.specialty],
            byline="anonymous",
            plan=plan,
            waves=2,
        )

    run(days(30))

    poll = Poll.objects.get(wave=2)
    assert (tuple(poll.specialties), tuple(poll.states), tuple(poll.tiers)) == tuple(narrowed.values())
    assert poll.invited == 5
    assert poll.question.posts.get().byline.mode == "anonymous"


def test_too_few_invited_ends_the_trend_and_no_other(physician, colleague):
    few = [make_member(specialty="Nephrology") for _ in range(4)]  # with the colleague five
    ended = begin(physician).trend
    Poll.objects.filter(trend=ended).update(specialties=[colleague.specialty_id])
    other = begin(colleague).trend
    Member.objects.filter(pk=few[0].pk).update(standing="read_only")

    assert run(days(30)) == 1

    ended.refresh_from_db()
    assert ended.next_at is None
    assert ended.stopped.startswith("Fewer than 5 members")
    assert [len(polls_of(trend)) for trend in (ended, other)] == [1, 2]


def test_an_author_who_may_not_write_ends_the_trend(physician):
    trend = begin(physician).trend
    Member.objects.filter(pk=physician.pk).update(standing="read_only")

    assert run(days(30)) == 0

    trend.refresh_from_db()
    assert (trend.next_at, trend.stopped) == (None, trends.OVER)


def test_a_removed_poll_ends_the_trend(physician):
    trend = begin(physician).trend
    with time_machine.travel(days(1)):
        writing.remove_post(post=Post.objects.get(), by=physician)

    run(days(30))

    trend.refresh_from_db()
    assert trend.stopped == trends.LastOneIsGone.message


def test_a_closed_discussion_is_asked_again(physician):
    poll = begin(physician)
    with time_machine.travel(days(8)):
        closing.close_question(question=poll.question, by=physician)

    assert run(days(30)) == 1


def test_whose_name_was_taken_back_is_not_shown_to_be_a_handle(physician):
    """The polls of a trend are one member's for all to see: a handle beside a name that went would tell it."""
    physician = profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor")
    trend = begin(physician, byline="public").trend
    profiles.choose_byline(member=physician, mode="anonymous")

    run(days(30))

    trend.refresh_from_db()
    assert trend.stopped == trends.OVER
    assert len(polls_of(trend)) == 1


def test_a_limit_of_the_day_waits_for_the_next(physician, settings):
    trend = begin(physician).trend
    settings.DAILY_WRITES = {**settings.DAILY_WRITES, "post": 0}
    assert run(days(30)) == 0
    settings.DAILY_WRITES = {**settings.DAILY_WRITES, "post": 3}

    assert run(days(30.5)) == 0
    assert run(days(31)) == 1
    trend.refresh_from_db()
    assert trend.next_at.date().isoformat() == "2026-04-30"


def test_after_a_fault_of_the_site_it_is_tried_again_and_keeps_no_other_from_its_poll(
    physician, colleague, monkeypatch
):
    broken, other = begin(physician).trend, begin(colleague).trend
    make = opening.make

    def fail_once(question, plan):
        if question.asker == physician:
            raise ZeroDivisionError
        return make(question, plan)

    monkeypatch.setattr(opening, "make", fail_once)

    assert run(days(30)) == 1
    broken.refresh_from_db()
    assert (broken.next_at, broken.stopped) == (days(31), "")
    assert len(polls_of(other)) == 2
    monkeypatch.undo()
    assert [run(days(30.9)), run(days(31))] == [0, 1]


def test_after_a_long_rest_of_the_site_each_month_has_one_again(physician):
    trend = begin(physician, waves=4).trend

    assert [run(days(100)), run(days(100)), run(days(149)), run(days(150)), run(days(181))] == [1, 0, 0, 1, 1]
    opened = [timezone.localtime(poll.opened_at).date().isoformat() for poll in polls_of(trend)]
    assert opened == ["2026-01-31", "2026-05-11", "2026-06-30", "2026-07-31"]


def test_the_day_and_hour_are_those_of_the_clock_on_the_wall(physician):
    trend = begin(physician).trend
    run(days(28))

    trend.refresh_from_db()

    assert trend.next_at == datetime(2026, 3, 31, 14, tzinfo=UTC)  # summer time came, and it is 10 o'clock


def test_what_is_still_open_is_not_asked_again(physician):
    trend = begin(physician, days=28, closes_at=BEGIN + timedelta(days=28, hours=9)).trend

    assert trend.next_at == BEGIN + timedelta(days=28, hours=9)


@pytest.mark.parametrize("what", ["poll", "discussion"])
def test_what_a_moderator_closed_is_not_asked_again(physician, moderator, what):
    poll = begin(physician)
    with time_machine.travel(days(1)):
        if what == "poll":
            close_poll(poll=poll, user=moderator.user)
        else:
            closing.close_question(question=poll.question, by=None, user=moderator.user)

    assert run(days(30)) == 0

    trend = Trend.objects.get()
    assert (trend.next_at, trend.stopped) == (None, trends.OVER)


def test_a_moderator_who_takes_no_part_stops_it_and_leaves_an_event(physician, moderator, colleague):
    poll = begin(physician)
    with pytest.raises(trends.NotYourTrend):
        trends.stop(trend=poll.trend, by=colleague, user=colleague.user)
    for _ in range(2):
        trends.stop(trend=poll.trend, by=moderator, user=moderator.user)

    assert Trend.objects.get().stopped == "Stopped by a moderator."
    assert Event.objects.get(kind="moderation_trend_stop").object == f"trend:{poll.trend_id}"


def test_a_moderator_who_takes_part_does_not_stop_it(physician, moderator):
    poll = begin(physician)
    make_answer(poll.question, moderator)

    with pytest.raises(rights.TakesPart):
        trends.stop(trend=poll.trend, by=moderator, user=moderator.user)


def test_who_leaves_and_a_wave_lock_in_the_same_order(physician):
    """Whoever leaves locks the member, then ends the trends; a wave that locked its trend first could block it."""
    trend = begin(physician).trend
    with CaptureQueriesContext(connection) as queries, time_machine.travel(days(30), tick=False):
        trends.open_wave(trend_id=trend.pk)

    locked = [
        query["sql"] for query in queries if "FOR UPDATE" in query["sql"] or "FOR NO KEY" in query["sql"]
    ]
    assert 'FROM "accounts_member"' in locked[0]
    assert 'FROM "polls_trend"' in locked[1]


def test_a_corrected_title_is_repeated(physician, moderator):
    begin(physician, title="Do you wear a maks in clinic, always?")
    run(days(28))
    second = Poll.objects.get(wave=2)
    Question.objects.filter(pk=second.pk).update(
        title="Do you wear a mask in clinic, always? (February 2026)"
    )

    run(days(59))

    assert Poll.objects.get(wave=3).question.title == "Do you wear a mask in clinic, always? (March 2026)"


def test_the_author_stops_it(physician, colleague):
    trend = begin(physician).trend
    with pytest.raises(trends.NotYourTrend):
        trends.stop(trend=trend, by=colleague)

    trends.stop(trend=trend, by=physician)
    trends.stop(trend=trend, by=physician)

    assert run(days(30)) == 0
    trend.refresh_from_db()
    assert (trend.next_at, trend.stopped) == (None, "Stopped by its author.")


def test_a_trend_that_came_to_its_end_is_not_stopped(physician):
    trend = begin(physician, waves=2).trend
    run(days(30))

    assert trends.stop(trend=trend, by=physician).stopped == ""


def test_the_database_has_each_wave_once(physician):
    poll = begin(physician)

    with pytest.raises(IntegrityError, match="poll_wave_once"), transaction.atomic():
        Poll.objects.filter(pk=make_poll().pk).update(trend=poll.trend, wave=1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_open_one(physician):
    trend = begin(physician).trend
    Trend.objects.update(next_at=timezone.now())
    start = Barrier(3)

    def work(_):
        try:
            start.wait(timeout=10)
            return trends.open_due_waves()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        opened = list(pool.map(work, range(3)))

    assert sum(opened) == 1
    assert len(polls_of(trend)) == 2


@pytest.mark.parametrize(
    ("moment", "months", "later"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2026, 1, 31), 2, (2026, 3, 31)),
        ((2026, 12, 5), 1, (2027, 1, 5)),
        ((2028, 1, 30), 1, (2028, 2, 29)),
        ((2026, 3, 1), 24, (2028, 3, 1)),
    ],
)
def test_months_later(moment, months, later):
    assert trends.months_after(datetime(*moment, 9, tzinfo=UTC), months) == datetime(*later, 9, tzinfo=UTC)


def test_going_private_is_followed(physician):
    Member.objects.filter(pk=physician.pk).update(byline_mode="partial")
    physician.refresh_from_db()
    begin(physician, byline="partial")
    profiles.choose_byline(member=physician, mode="anonymous")

    run(days(30))

    assert list(Byline.objects.values_list("mode", flat=True)) == ["anonymous", "anonymous"]
