"""Placing an earmark and taking it back: every bound, every refusal, and the race with a close."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.tests.factories import make_member
from polls.tests.factories import make_poll, make_voter, vote
from questions.models import Byline, Post, Question, openness
from questions.services import closing, voting, writing
from questions.tests.factories import corroborate, make_answer, make_comment, make_question
from rewards import earmarkable
from rewards.models import Affiliation, Allowance, Earmark
from rewards.services import earmarking, ledger, settling
from rewards.services.deposits import FormUsed
from rewards.services.earmarking import (
    EarmarkedBefore,
    NoSlotToday,
    NotActive,
    NotEarmarkable,
    OutOfBounds,
    OwnPost,
    TooLateToCancel,
)
from rewards.tests.factories import balance, make_charity, make_earmark, make_firm, make_payee
from sermo.errors import RuleBroken
from verification.models import Claim, Event
from verification.models.claims import State as ClaimState
from verification.services import events

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def answer(question, colleague):
    answer = make_answer(question, colleague)
    Post.objects.update(posted_at=timezone.now() - timedelta(hours=2))
    answer.refresh_from_db()
    return answer


@pytest.fixture
def firm(db):
    return make_firm(balance=10_000)


def place(firm, post, author_cents=1_000, **fields):
    return earmarking.place(firm=firm, post=post, author_cents=author_cents, **{"key": uuid4(), **fields})


def balances(firm):
    return balance(ledger.firm_balance(firm)), balance(ledger.reserved_of(firm))


# Placing


def test_the_whole_sum_is_reserved_at_once(firm, answer):
    earmark = place(firm, answer, 2_500, voter_cents=500, voter_slots=10)

    assert balances(firm) == (2_500, 7_500)
    assert (earmark.state, earmark.question_id, earmark.total_cents) == ("open", answer.question_id, 7_500)


def test_the_same_form_sent_twice_is_one_earmark(firm, answer):
    key = uuid4()

    assert place(firm, answer, key=key) == place(firm, answer, key=key)
    assert balances(firm) == (9_000, 1_000)


def test_a_form_is_good_for_one_earmark_only(firm, answer, question):
    key = uuid4()
    earmark = place(firm, answer, key=key)
    opening = question.posts.get(kind="opening")

    for changed in (
        lambda: place(firm, opening, key=key),
        lambda: place(make_firm(), answer, key=key),
        lambda: place(firm, answer, 1_001, key=key),
        lambda: place(firm, answer, key=key, voter_cents=500, voter_slots=1),
        lambda: earmarking.cancel(earmark=earmark) and place(firm, answer, key=key),
    ):
        with pytest.raises(FormUsed):
            changed()
    assert Earmark.objects.count() == 1


@pytest.mark.parametrize("cents", [500, 2_500])
def test_five_and_twentyfive_dollars_are_within_bounds(firm, answer, cents):
    assert place(firm, answer, cents, voter_cents=cents, voter_slots=1).author_cents == cents


OUT_OF_BOUNDS = [
    (499, 0, 0),
    (2_501, 0, 0),
    (500.0, 0, 0),
    (-500, 0, 0),
    (True, 0, 0),
    (500, 499, 1),
    (500, 2_501, 1),
    (500, 500, 0),
    (500, 0, 1),
    (500, 500, 51),
    (500, 500, -1),
    (500, 500.0, 1),
]


def test_nothing_is_out_of_bounds(firm, answer):
    for author, voter, slots in OUT_OF_BOUNDS:
        with pytest.raises(OutOfBounds):
            place(firm, answer, author, voter_cents=voter, voter_slots=slots)

    assert not Earmark.objects.exists()


def test_the_database_keeps_the_bounds_too(answer):
    firm = make_firm()
    for author, voter, slots in ((499, 0, 0), (2_501, 0, 0), (500, 499, 1), (500, 500, 51)):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_earmark(answer, firm, author_cents=author, voter_cents=voter, voter_slots=slots)


def test_a_firm_without_money_places_nothing(answer):
    firm = make_firm(balance=999)

    with pytest.raises(ledger.NotEnough):
        place(firm, answer)

    assert balances(firm) == (999, 0)
    assert not Earmark.objects.exists()


def test_a_firm_earmarks_a_post_once_and_several_firms_may(firm, answer):
    place(firm, answer)
    Allowance.objects.update(slots=5)

    with pytest.raises(EarmarkedBefore):
        place(firm, answer)
    make_earmark(answer, make_firm())
    assert answer.earmarks.count() == 2


def test_one_per_firm_and_post_is_also_the_database_s_rule(firm, answer):
    make_earmark(answer, firm)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_earmark(answer, firm)


def test_over_the_cap_there_is_no_slot_today(firm, answer, question):
    place(firm, answer)
    opening = question.posts.get(kind="opening")

    with pytest.raises(NoSlotToday):
        place(firm, opening)


def test_a_firm_that_is_not_active_places_nothing(answer):
    firm = make_firm(is_active=False)

    with pytest.raises(NotActive):
        place(firm, answer)


def test_who_places_at_the_finance_desk_stands_in_the_ledger_and_not_in_the_public_chain(firm, answer, staff):
    earmark = place(firm, answer, by=staff)
    earmark = earmarking.cancel(earmark=earmark, by=staff)

    assert earmark.reserved.by == earmark.ended.by == events.subject_of(staff).pk
    assert not Event.objects.exists()


def test_nobody_at_the_desk_decides_about_a_post_of_their_own(firm, answer):
    author = answer.author.user
    with pytest.raises(OwnPost):
        place(firm, answer, by=author)

    earmark = place(firm, answer)
    with pytest.raises(OwnPost):
        earmarking.cancel(earmark=earmark, by=author)


def test_it_is_kept_whether_the_firm_read_the_real_name(firm, answer, question):
    Allowance.objects.bulk_create([Allowance(firm=firm, day=timezone.now().date(), slots=2)])
    opening = question.posts.get(kind="opening")
    change(answer.byline, mode=Byline.Mode.PUBLIC)
    change(opening, posted_at=timezone.now() - timedelta(hours=2))

    assert place(firm, answer).was_public
    change(answer.byline, mode=Byline.Mode.MASKED)
    assert not place(firm, opening).was_public
    assert Earmark.objects.get(post=answer).was_public


# What may be earmarked


def test_openings_answers_and_comments_may(firm, answer, question):
    comment = make_comment(answer)
    Post.objects.update(posted_at=timezone.now() - timedelta(hours=2))

    for post in Post.objects.filter(pk__in=[answer.pk, comment.pk, question.posts.first().pk]):
        assert earmarkable.reason(post, firm) == ""


def test_a_post_may_be_earmarked_once_it_has_reached_firms(firm, answer):
    with time_machine.travel(timezone.now(), tick=False):
        answer.posted_at = openness.released_until()
        assert earmarkable.reason(answer, firm) == ""
        answer.posted_at += timedelta(seconds=1)
        assert earmarkable.reason(answer, firm) == earmarkable.TOO_NEW


def test_an_edited_post_may_be_earmarked_once_the_edit_has_reached_firms(firm, answer):
    answer.edited_at = timezone.now()

    assert earmarkable.reason(answer, firm) == earmarkable.TOO_NEW


def test_what_its_author_keeps_for_peers_is_not_earmarked(firm, answer):
    change(answer, peers_only=True)

    assert earmarkable.reason(answer, firm) == earmarkable.NEVER


def close(question):
    closing.close_question(question=question, by=question.asker)


def remove(answer):
    writing.remove_post(post=answer, by=answer.author)


def change(row, **fields):
    type(row).objects.filter(pk=row.pk).update(**fields)


def affiliate(answer, firm):
    Affiliation.objects.create(member=answer.author, firm=firm)


def revoke(answer, firm):
    Claim.objects.create(
        user=answer.author.user, state=ClaimState.REVOKED, identity={}, degree="MD", license_state="CA"
    )
    change(answer.author, standing="suspended")


PAID = ("settled", "")
CLOSED, NEVER = earmarkable.CLOSED, earmarkable.NEVER
SPOILED = {
    "closed": (CLOSED, lambda answer, firm: close(answer.question)),
    "removed": (NEVER, lambda answer, firm: remove(answer)),
    "folded": (NEVER, lambda a, f: change(a, folded_at=timezone.now(), fold_reason="spam")),
    "peers only": (NEVER, lambda a, f: change(a.question, peers_only=True)),
    "one specialty": (NEVER, lambda a, f: change(a.question, audience=Question.Audience.SPECIALTY)),
    "connections": (NEVER, lambda a, f: change(a.question, audience=Question.Audience.CONNECTIONS)),
    "the site's own": (NEVER, lambda a, f: change(a.byline, mode=Byline.Mode.HOUSE)),
}
OF_AUTHORS = {  # what lies with them, and what becomes of the earmark at the close
    "suspended": (lambda a, f: change(a.author, standing="suspended"), ("held", "")),
    "left": (lambda a, f: change(a.author, user=None), ("refunded", "left")),
    "takes nothing": (lambda a, f: make_payee(a.author, takes="nothing"), ("refunded", "opted_out")),
    "wants none": (lambda a, f: make_payee(a.author, may_be_earmarked=False), ("refunded", "opted_out")),
    "affiliated": (affiliate, ("refunded", "affiliated")),
    "revoked": (revoke, ("refunded", "revoked")),
    "gives all away": (lambda a, f: make_payee(a.author, takes="charity", charity=make_charity()), PAID),
    "like any": (lambda a, f: None, PAID),
}


def test_what_cannot_be_earmarked(firm, answer):
    for name, (words, spoil) in SPOILED.items():
        with transaction.atomic():
            spoil(answer, firm)
            with pytest.raises(NotEarmarkable) as refused:
                place(firm, answer)
            transaction.set_rollback(True)
        assert (name, str(refused.value)) == (name, words)

    assert balances(firm) == (10_000, 0)


@pytest.mark.parametrize("name", OF_AUTHORS)
def test_what_lies_with_the_author_is_asked_at_the_close_alone(firm, answer, name):
    """A refusal would tell it of anybody the firm names."""
    spoil, (state, why) = OF_AUTHORS[name]
    spoil(answer, firm)
    assert earmarkable.reason(answer, firm) == ""

    earmark = place(firm, answer)
    close(answer.question)

    earmark.refresh_from_db()
    assert (earmark.state, earmark.why) == (state, why)
    assert balances(firm) == {"held": (9_000, 1_000), "refunded": (10_000, 0), "settled": (9_000, 0)}[state]


def test_who_stays_suspended_is_not_paid_in_the_end(firm, answer, settings):
    change(answer.author, standing="suspended")
    earmark = place(firm, answer)
    close(answer.question)

    with time_machine.travel(timezone.now() + timedelta(days=settings.HELD_DAYS, minutes=1)):
        settling.sweep()

    earmark.refresh_from_db()
    assert (earmark.state, earmark.why) == ("refunded", "still_held")
    assert balances(firm) == (10_000, 0)


@pytest.mark.parametrize("lacks", ["slots", "money"])
def test_without_slots_or_money_nothing_is_said_of_a_post(firm, answer, lacks):
    """Each question about a post costs a firm what an earmark does, or it learns nothing."""
    change(answer, peers_only=True)
    if lacks == "slots":
        Allowance.objects.create(firm=firm, day=timezone.now().date(), slots=0)

    pool = {"voter_cents": 2_500, "voter_slots": 4} if lacks == "money" else {}

    with pytest.raises(NoSlotToday if lacks == "slots" else ledger.NotEnough):
        place(firm, answer, 2_500, **pool)


def test_giving_to_charity_and_ties_to_others_hinder_nobody(firm, answer):
    make_payee(answer.author, takes="charity", charity=make_charity())
    affiliate(answer, make_firm())
    Affiliation.objects.create(member=answer.author, firm=firm, ended_at=timezone.now() + timedelta(hours=1))

    assert earmarkable.reason(answer, firm) == ""


# Taking back


def test_a_cancelled_earmark_gives_the_money_back(firm, answer):
    earmark = earmarking.cancel(earmark=place(firm, answer))

    assert earmarking.cancel(earmark=earmark).state == "cancelled"
    assert balances(firm) == (10_000, 0)


def test_placing_and_canceling_again_and_again_is_no_way_to_watch_for_votes(firm, answer, question):
    Allowance.objects.create(firm=firm, day=timezone.now().date(), slots=2)
    earmarking.cancel(earmark=place(firm, answer))

    with pytest.raises(EarmarkedBefore):
        place(firm, answer)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_earmark(answer, firm)
    assert place(make_firm_with_a_slot(), answer).state == "open"

    earmarking.cancel(earmark=place(firm, question.posts.get(kind="opening")))
    with pytest.raises(NoSlotToday):
        place(firm, make_answer(question, make_member()))


def make_firm_with_a_slot():
    firm = make_firm()
    Allowance.objects.create(firm=firm, day=timezone.now().date(), slots=1)
    return firm


def test_it_can_be_cancelled_for_24_hours(firm, answer):
    earmark = place(firm, answer)
    for late, may in ((timedelta(hours=24), True), (timedelta(hours=24, seconds=1), False)):
        with time_machine.travel(earmark.placed_at + late, tick=False):
            assert earmarking.may_be_cancelled(earmark) is may


def test_votes_of_before_do_not_hinder(firm, answer):
    corroborate(answer)

    assert earmarking.cancel(earmark=place(firm, answer)).state == "cancelled"


def test_a_vote_since_does_whichever_it_is(firm, answer):
    first = make_member()
    corroborate(answer, first)
    earmark = place(firm, answer)
    voting.withdraw_vote(post=answer, voter=first)
    corroborate(answer)  # as many as before

    with pytest.raises(TooLateToCancel):
        earmarking.cancel(earmark=earmark)

    assert balances(firm) == (9_000, 1_000)


def test_of_an_opening_ratings_and_poll_votes_count(question, answer):
    opening = question.posts.get(kind="opening")
    rated, polled = make_earmark(opening), make_earmark(opening)
    voting.rate_importance(question=question, rater=make_member(), value=5)
    assert not earmarking.may_be_cancelled(rated)

    question.ratings.all().delete()
    assert earmarking.may_be_cancelled(polled)
    vote(make_poll(question=question), make_voter(), 0)
    assert not earmarking.may_be_cancelled(polled)
    assert earmarking.may_be_cancelled(make_earmark(answer))


@pytest.mark.parametrize("state", ["settled", "closed"])
def test_what_is_closed_is_not_cancelled(firm, answer, state):
    earmark = place(firm, answer)
    if state == "settled":
        close(answer.question)
    else:  # and waits for the draw
        change(answer.question, status="closed", closed_at=timezone.now(), close_reason="author")

    with pytest.raises(TooLateToCancel):
        earmarking.cancel(earmark=earmark)


# At once


def keeps_somebody_waiting():
    """Whether another connection comes to wait for this one; waits a little for that."""
    blocked = (
        "SELECT count(*), pg_sleep(0.01) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    with connection.cursor() as cursor:
        for _ in range(300):
            cursor.execute(blocked)
            if cursor.fetchone()[0]:
                return True
    return False


@pytest.mark.django_db(transaction=True)
def test_placing_waits_for_a_close_under_way_and_finds_it_closed(physician, colleague):
    question, firm = make_question(physician), make_firm()
    answer = make_answer(question, colleague)
    Post.objects.update(posted_at=timezone.now() - timedelta(hours=2))

    def place_meanwhile():
        try:
            return place(firm, answer)
        except RuleBroken as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            closing.close_question(question=question, by=physician)
            placed = pool.submit(place_meanwhile)
            waited = keeps_somebody_waiting()
        refusal = placed.result(10)

    assert waited
    assert isinstance(refusal, NotEarmarkable)
    assert balance(ledger.firm_balance(firm)) == 100_000


@pytest.mark.django_db(transaction=True)
def test_a_placing_under_way_keeps_no_other_from_placing(physician, colleague):
    """Its lock on the discussion stands beside others of its kind."""
    answer = make_answer(make_question(physician), colleague)
    Post.objects.update(posted_at=timezone.now() - timedelta(hours=2))
    firms = [make_firm(), make_firm()]
    Allowance.objects.bulk_create(Allowance(firm=firm, day=timezone.now().date(), slots=1) for firm in firms)

    def place_too():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return place(firms[1], answer)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        place(firms[0], answer)
        assert pool.submit(place_too).result(10).state == "open"


@pytest.mark.django_db(transaction=True)
def test_while_a_placing_waits_for_money_members_write_at_once(physician, colleague, staff):
    """Else who votes could tell by the clock that somebody earmarks here."""
    question, firm = make_question(physician), make_firm()
    answer = make_answer(question, colleague)
    Post.objects.update(posted_at=timezone.now() - timedelta(hours=2))
    Allowance.objects.bulk_create([Allowance(firm=firm, day=timezone.now().date(), slots=1)])

    def in_a_thread(act):
        def run():
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '5s'")
                return act()
            finally:
                connection.close()

        return run

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            ledger.lock(ledger.firm_balance(firm))
            placed = pool.submit(in_a_thread(lambda: place(firm, answer, by=staff)))
            assert keeps_somebody_waiting()
            assert chain_is_free()
            pool.submit(in_a_thread(lambda: corroborate(answer))).result(4)
        assert placed.result(10).votes_before == 1


def chain_is_free():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND objid = %s",
            [events.CHAIN],
        )
        return not cursor.fetchone()[0]
