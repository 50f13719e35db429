"""What becomes of earmarks at the close: each edge case, to the cent, once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Member, Notice
from accounts.tests.factories import make_member
from consults.services import withdrawing
from consults.tests.factories import make_case
from polls.models import Concern, Receipt
from polls.tests.factories import make_poll, make_voter, vote
from questions.models import Question
from questions.services import closing, voting, writing
from questions.tests.factories import corroborate, dispute, make_answer, make_question
from rewards import drawing, tasks
from rewards.models import (
    Account,
    Affiliation,
    Award,
    DrawDay,
    Earmark,
    Entry,
    OpenPayment,
    Payee,
    Pool,
    Settlement,
)
from rewards.receivers import PaidOut
from rewards.services import draws, leaving, ledger, settling
from rewards.tests.factories import (
    balance,
    make_charity,
    make_draw_day,
    make_earmark,
    make_firm,
    make_payee,
    owed,
)
from verification.models import Claim
from verification.models.claims import State as ClaimState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def answer(question, colleague):
    return make_answer(question, colleague)


@pytest.fixture
def firm(db):
    return make_firm(balance=100_000)


@pytest.fixture
def today(db):
    return make_draw_day()


def close(question):
    question.refresh_from_db()
    return closing.close_question(question=question, by=question.asker)


@contextmanager
def undone():
    """What happens in it has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def owed_to(member):
    return sum(owed(payee) for payee in Payee.objects.filter(member=member))


def of_firm(firm):
    return balance(ledger.firm_balance(firm)), balance(ledger.reserved_of(firm))


def became(earmark):
    earmark.refresh_from_db()
    return earmark.state, earmark.why


def suspend(member, standing=Member.Standing.SUSPENDED):
    Member.objects.filter(pk=member.pk).update(standing=standing)


# Paid


def test_closing_pays_the_author_and_shows_what_was_paid(question, answer, firm):
    earmark = make_earmark(answer, firm, author_cents=1_250)

    close(question)

    assert owed_to(answer.author) == 1_250
    assert of_firm(firm) == (98_750, 0)
    assert became(earmark) == ("settled", "")
    settlement = question.settlement
    assert (settlement.paid_cents, settlement.payees, settlement.firms) == (1_250, 1, [firm.name])
    assert not settlement.pools.exists()


def test_the_award_explains_the_entry(question, answer, firm):
    earmark = make_earmark(answer, firm)

    close(question)

    award = Award.objects.get()
    assert (award.cause, award.earmark, award.question, award.post) == ("author", earmark, question, answer)
    assert (award.entry.amount, award.entry.transaction) == (1_000, Earmark.objects.get().ended)


def test_closing_and_sweeping_again_pays_nothing_more(question, answer, firm):
    make_earmark(answer, firm)
    close(question)
    settled = Settlement.objects.get()

    close(question)

    assert settling.settle(question_id=question.pk) == settled
    assert settling.sweep() == 0
    assert owed_to(answer.author) == 1_000
    assert Award.objects.count() == 1


def test_an_author_gets_the_sum_of_several_firms_named_as_they_want(question, answer):
    make_earmark(answer, make_firm("Halden"), author_cents=2_500)
    make_earmark(answer, make_firm("Quiet", shows_name=False, kind="device"), author_cents=2_500)

    close(question)

    assert owed_to(answer.author) == 5_000
    assert (question.settlement.firms, question.settlement.payees) == (["Halden", "a device maker"], 1)


def test_a_discussion_without_earmarks_has_no_settlement(question, answer):
    assert settling.settle(question_id=close(question).pk) is None
    assert not Payee.objects.exists()


def test_an_open_discussion_is_not_settled(question, answer, firm):
    earmark = make_earmark(answer, firm)

    assert settling.settle(question_id=question.pk) is None
    assert became(earmark) == ("open", "")


def test_payees_are_told_once_and_without_amounts(question, answer, firm):
    make_earmark(answer, firm, author_cents=1_250)

    close(question)
    settling.sweep()

    assert Notice.objects.get(kind="reward").member == answer.author


# Who judged it


def judged_by(answer, *voters):
    for number, voter in enumerate(voters):
        (dispute if number % 2 else corroborate)(answer, voter)


def test_voters_are_paid_whichever_way_they_voted_and_the_rest_goes_back(question, answer, firm, today):
    voters = [make_member() for _ in range(2)]
    judged_by(answer, *voters)
    make_earmark(answer, firm, voter_cents=600, voter_slots=5)

    close(question)

    assert [owed_to(voter) for voter in voters] == [600, 600]
    assert of_firm(firm) == (100_000 - 1_000 - 1_200, 0)
    assert question.settlement.paid_cents == 2_200


def test_the_draw_takes_as_many_as_there_are_slots_and_anybody_can_repeat_it(question, answer, firm, today):
    voters = [make_member() for _ in range(4)]
    judged_by(answer, *voters)
    make_earmark(answer, firm, voter_cents=500, voter_slots=2)

    close(question)

    pool = question.settlement.pools.get()
    tickets = {drawing.ticket(today.key, question.pk, voter.payee.draw_name): voter for voter in voters}
    assert pool.tickets == sorted(tickets)
    assert (pool.draw_day, pool.seed) == (today, drawing.seed(today.key, question.pk))
    assert pool.winners == drawing.order(pool.seed, pool.number, pool.tickets)[:2]
    assert {voter for voter in voters if owed_to(voter)} == {tickets[ticket] for ticket in pool.winners}


def test_turning_all_votes_around_changes_no_winner(question, answer, firm, today):
    voters = [make_member() for _ in range(4)]
    judged_by(answer, *voters)
    for voter in voters:
        make_payee(voter)
    earmark = make_earmark(answer, firm, voter_cents=500, voter_slots=2)
    winners = []
    for _ in range(2):
        with undone():
            close(question)
            winners.append(earmark.pool.winners)
        judged_by(answer, *voters[1:], voters[0])  # each votes the other way now
        earmark = Earmark.objects.get()

    assert len(winners[0]) == 2
    assert winners[0] == winners[1]


def test_pools_of_two_firms_are_drawn_apart(question, answer, today):
    judged_by(answer, *(make_member() for _ in range(5)))
    for _ in range(2):
        make_earmark(answer, make_firm(), voter_cents=500, voter_slots=5)

    close(question)

    first, second = Pool.objects.order_by("number")
    assert (first.number, second.number) == (1, 2)
    assert first.winners != second.winners
    assert sorted(first.winners) == sorted(second.winners)
    assert question.settlement.payees == 6


def test_who_is_never_drawn(question, answer, firm, today):
    """Who withdrew, the firm's own, who takes nothing, and who is no verified physician at the close."""
    asker, withdrew, tied, untied, declined, suspended, gone = (
        question.asker,
        *(make_member() for _ in range(6)),
    )
    judged_by(answer, asker, withdrew, tied, untied, declined, suspended, gone)
    make_earmark(answer, firm, voter_cents=500, voter_slots=50)
    voting.withdraw_vote(post=answer, voter=withdrew)
    Affiliation.objects.create(member=tied, firm=firm)
    Affiliation.objects.create(member=untied, firm=firm, ended_at=timezone.now() + timedelta(hours=1))
    Affiliation.objects.create(member=asker, firm=make_firm())
    make_payee(declined, takes="nothing")
    suspend(suspended)
    Member.objects.filter(pk=gone.pk).update(user=None)

    close(question)

    assert set(Award.objects.filter(cause="voter").values_list("payee__member", flat=True)) == {asker.pk}


def test_of_an_opening_raters_and_poll_voters_are_drawn_too_each_once(question, firm, today):
    opening = question.posts.get()
    poll = make_poll(question=question)
    rater, voter, looked, refused, both = (make_voter() for _ in range(5))
    for member in (rater, both):
        voting.rate_importance(question=question, rater=member, value=1)
    for member in (voter, refused, both, question.asker):
        vote(poll, member, 0)
    Receipt.objects.create(poll=poll, member=looked, kind="forfeited")
    for member, state in ((refused, "upheld"), (voter, "open")):
        Concern.objects.create(
            poll=poll,
            member=member,
            kind="speed",
            raised_on=timezone.now().date(),
            state=state,
            reason="Too fast." if state == "upheld" else "",
            decided_at=timezone.now() if state == "upheld" else None,
        )
    make_earmark(opening, firm, voter_cents=500, voter_slots=50)

    close(question)

    drawn = set(Award.objects.filter(cause="voter").values_list("payee__member", flat=True))
    assert drawn == {rater.pk, voter.pk, both.pk}


def test_without_a_key_published_before_the_draw_waits_and_keeps_no_other_waiting(
    question, answer, firm, third
):
    judged_by(answer, make_member())
    earmark = make_earmark(answer, firm, voter_cents=500, voter_slots=1)
    other = make_earmark(make_answer(question, third), firm)
    with time_machine.travel(timezone.now()) as clock:
        draws.keep_ahead()
        close(question)
        assert became(other) == ("settled", "")
        assert settling.sweep() == 0
        assert became(earmark) == ("open", "")
        assert (owed_to(third), owed_to(answer.author)) == (1_000, 0)
        clock.shift(timedelta(days=1))

        assert settling.sweep() == 1
        assert earmark.pool.draw_day.day == draws.today()
        assert (owed_to(answer.author), question.settlement.payees) == (1_000, 3)


def test_what_is_settled_late_is_not_drawn_with_a_key_that_is_public_by_then(question, answer, firm, today):
    """Neither what was held, although others were drawn at the close, nor what closed right before midnight."""
    other = make_answer(question)
    for post in (answer, other):
        judged_by(post, make_member())
    held, drawn = (make_earmark(post, firm, voter_cents=500, voter_slots=1) for post in (answer, other))
    suspend(answer.author)
    close(question)
    suspend(answer.author, Member.Standing.PHYSICIAN)

    tomorrow = draws.today() + timedelta(days=1)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert settling.sweep() == 0
        make_draw_day(tomorrow, key="5e" * 32)
        assert settling.sweep() == 1

    assert (drawn.pool.draw_day, held.pool.draw_day.day) == (today, tomorrow)
    assert held.pool.seed == drawing.seed("5e" * 32, question.pk)


def test_without_voters_no_draw_is_waited_for(question, answer, firm):
    make_earmark(answer, firm, voter_cents=500, voter_slots=3)

    close(question)

    assert of_firm(firm) == (99_000, 0)
    assert not Pool.objects.exists()


# What becomes of the money otherwise


def test_money_goes_to_the_charity_its_payee_chose(question, answer, firm, today):
    charity, voter = make_charity(), make_member()
    judged_by(answer, voter)
    for member in (answer.author, voter):
        make_payee(member, takes="charity", charity=charity)
    make_earmark(answer, firm, voter_cents=500, voter_slots=1)

    close(question)

    assert balance(ledger.held_for(charity)) == 1_500
    assert set(Award.objects.values_list("cents", "charity", "entry__amount")) == {
        (1_000, charity.pk, 1_500),
        (500, charity.pk, 1_500),
    }


def unpay(answer, firm, why):
    if why == "opted_out":
        make_payee(answer.author, takes="nothing")
    elif why == "affiliated":
        Affiliation.objects.create(member=answer.author, firm=firm)
    elif why == "left":
        Member.objects.filter(pk=answer.author_id).update(user=None)
    else:
        user, state = answer.author.user, ClaimState.REVOKED
        Claim.objects.create(user=user, state=state, identity={}, degree="MD", license_state="CA")
        suspend(answer.author)


WHYS = ["opted_out", "affiliated", "left", "revoked"]


def test_where_the_author_cannot_be_paid_the_money_goes_back_and_nothing_shows(question, answer, firm):
    earmark = make_earmark(answer, firm)
    for why in WHYS:
        with undone():
            unpay(answer, firm, why)

            close(question)

            assert became(earmark) == ("refunded", why)
            assert of_firm(firm) == (100_000, 0)
            assert not Settlement.objects.exists()
            assert not Notice.objects.filter(kind="reward").exists()


def test_but_those_who_judged_are_paid(question, answer, firm, today):
    voter = make_member()
    judged_by(answer, voter)
    earmark = make_earmark(answer, firm, voter_cents=500, voter_slots=1)
    for why in WHYS:
        with undone():
            unpay(answer, firm, why)

            close(question)

            assert became(earmark) == ("settled", "")
            assert owed_to(voter) == 500
            assert of_firm(firm) == (99_500, 0)


def test_who_wants_no_earmarks_any_more_is_not_paid_for_earlier_ones(question, answer, firm):
    earmark = make_earmark(answer, firm)
    make_payee(answer.author, may_be_earmarked=False)

    close(question)

    assert became(earmark) == ("refunded", "opted_out")


def test_who_left_and_can_still_claim_is_paid_and_nothing_says_what_for(question, answer, firm):
    make_earmark(answer, firm)
    make_payee(answer.author, left_at=timezone.now(), claim_hash="0" * 64)
    Member.objects.filter(pk=answer.author_id).update(user=None)

    close(question)

    assert owed_to(answer.author) == 1_000
    assert Award.objects.filter(question=None, post=None).count() == 1


def test_a_removed_post_pays_nobody(question, answer, firm, today):
    """Nothing happens at its removal, which then would take longer; the sweep gives the money back soon after."""
    judged_by(answer, make_member())
    earmark = make_earmark(answer, firm, voter_cents=500, voter_slots=1)
    writing.remove_post(post=answer, by=answer.author)
    assert became(earmark) == ("open", "")

    assert settling.sweep() == 1

    assert became(earmark) == ("refunded", "removed")
    assert of_firm(firm) == (100_000, 0)
    question.refresh_from_db()
    assert question.is_open


def test_a_post_removed_right_before_the_close_pays_nobody_either(question, answer, firm, today, moderator):
    judged_by(answer, make_member())
    earmark = make_earmark(answer, firm, voter_cents=500, voter_slots=1)
    writing.remove_post(post=answer, by=None, user=moderator.user)

    close(question)

    assert became(earmark) == ("refunded", "removed")
    assert not Award.objects.exists()


def test_what_a_moderator_removed_may_come_back_until_nobody_can_appeal(
    question, answer, firm, moderator, settings
):
    """One removed post, and one whose whole discussion was."""
    whole = make_question(answer.author)
    earmarks = [make_earmark(post, firm) for post in (answer, make_answer(whole, question.asker))]
    for post in (answer, whole.posts.get(kind="opening")):
        writing.remove_post(post=post, by=None, user=moderator.user)
    days = settings.APPEAL_WITHIN_DAYS + settings.APPEAL_DECIDED_DAYS + 2

    with time_machine.travel(timezone.now() + timedelta(days=days) - timedelta(minutes=1)):
        assert settling.sweep() == 0
    with time_machine.travel(timezone.now() + timedelta(days=days)):
        assert settling.sweep() == 2

    assert [became(earmark) for earmark in earmarks] == [("refunded", "removed")] * 2


def test_of_a_discussion_its_asker_removed_every_earmark_is_given_back(question, firm):
    earmark = make_earmark(question.posts.get(), firm)
    writing.remove_post(post=question.posts.get(), by=question.asker)

    assert settling.sweep() == 1

    assert became(earmark) == ("refunded", "removed")


def test_an_author_who_withdraws_a_case_is_not_paid_for_it_but_those_who_answered_are(firm, physician, third):
    case = make_case(physician, images=0)
    answer = make_answer(case.question, third)
    opening = make_earmark(case.question.posts.get(kind="opening"), firm)
    answered = make_earmark(answer, firm)

    withdrawing.withdraw(case=case, why="author", by=physician)

    assert became(opening) == ("refunded", "removed")
    assert became(answered) == ("settled", "")
    assert owed_to(third) == 1_000


# Held


def test_of_a_suspended_author_it_is_held_and_paid_when_they_come_back(question, answer, firm, today):
    voter = make_member()
    judged_by(answer, voter)
    earmark = make_earmark(answer, firm, voter_cents=500, voter_slots=1)
    suspend(answer.author)

    close(question)
    assert settling.sweep() == 0
    assert became(earmark) == ("held", "")
    assert of_firm(firm) == (98_500, 1_500)
    assert not Settlement.objects.exists()

    suspend(answer.author, Member.Standing.PHYSICIAN)
    assert settling.sweep() == 1
    assert became(earmark) == ("settled", "")
    assert (owed_to(answer.author), owed_to(voter)) == (1_000, 500)


def test_who_stays_suspended_is_not_paid(question, answer, firm, settings):
    earmark = make_earmark(answer, firm)
    suspend(answer.author)
    close(question)
    question.refresh_from_db()
    over = question.closed_at + timedelta(days=settings.HELD_DAYS)

    with time_machine.travel(over - timedelta(seconds=1), tick=False):
        assert settling.sweep() == 0
    with time_machine.travel(over, tick=False):
        assert settling.sweep() == 1
    assert became(earmark) == ("refunded", "still_held")
    assert of_firm(firm) == (100_000, 0)


def test_what_was_held_is_added_to_what_was_paid_at_the_close(question, answer, firm, today, third):
    other = make_answer(question, third)
    voters = [make_member(), make_member()]
    for post in (answer, other):
        judged_by(post, *voters)
        make_earmark(post, firm, voter_cents=500, voter_slots=2)
    suspend(answer.author)
    close(question)
    assert (question.settlement.paid_cents, question.settlement.payees) == (2_000, 3)

    suspend(answer.author, Member.Standing.PHYSICIAN)
    settling.sweep()

    settlement = Settlement.objects.get()
    assert (settlement.paid_cents, settlement.payees, settlement.firms) == (4_000, 4, [firm.name])
    assert list(settlement.pools.order_by("number").values_list("number", flat=True)) == [1, 2]


# Closing stands, opening again does not


def test_what_was_paid_stays_closed(question, answer, firm):
    make_earmark(answer, firm)
    question = close(question)

    with pytest.raises(PaidOut), transaction.atomic():
        closing.reopen_question(question=question, by=question.asker)

    question.refresh_from_db()
    assert not question.is_open


def test_what_was_not_may_be_opened_again_and_is_settled_at_the_next_close(question, answer, firm):
    """An earmark that failed or is held must not be read from a refusal."""
    held = make_earmark(answer, firm)
    suspend(answer.author)
    question = closing.reopen_question(question=close(question), by=question.asker)
    suspend(answer.author, Member.Standing.PHYSICIAN)
    assert settling.sweep() == 0
    assert became(held) == ("held", "")

    close(question)

    assert became(held) == ("settled", "")


def test_a_fault_of_the_money_does_not_keep_a_discussion_open(question, answer, firm, monkeypatch):
    earmark = make_earmark(answer, firm)
    with monkeypatch.context() as broken:
        broken.setattr(settling.awarding, "write", lambda **kwargs: 1 / 0)
        assert not close(question).is_open
        assert settling.sweep() == 0
    assert became(earmark) == ("open", "")
    assert of_firm(firm) == (99_000, 1_000)

    assert settling.sweep() == 1
    assert owed_to(answer.author) == 1_000


def test_each_payment_is_noted_for_open_payments(question, answer, today):
    judged_by(answer, make_member())
    make_earmark(answer, make_firm(is_covered=True), voter_cents=500, voter_slots=1)
    make_earmark(answer, make_firm())

    close(question)

    noted = OpenPayment.objects.values_list("firm__is_covered", "cents")
    assert sorted(noted) == [(False, 1_000), (True, 500), (True, 1_000)]


def test_a_settlement_takes_as_many_statements_for_many_voters_as_for_few(answer, firm, third, today):
    counts = []
    for voters in (1, 4):
        question = make_question(third)
        post = make_answer(question, answer.author)
        judged_by(post, *(make_member() for _ in range(voters)))
        make_earmark(post, firm, voter_cents=500, voter_slots=50)
        Question.objects.filter(pk=question.pk).update(
            status="closed", closed_at=timezone.now(), close_reason="author"
        )
        before = len(connection.queries_log)
        connection.force_debug_cursor = True
        settling.settle(question_id=question.pk)
        counts.append(len(connection.queries_log) - before)
    connection.force_debug_cursor = False

    assert Award.objects.count() == 7
    assert counts[0] == counts[1]


# By the clock


def test_the_clock_does_all_of_it_and_may_do_it_twice(question, answer, firm, today):
    earmark = make_earmark(answer, firm)
    Question.objects.filter(pk=question.pk).update(
        status="closed", closed_at=timezone.now(), close_reason="author"
    )
    for _ in range(2):
        tasks.settle_due()
        tasks.fix_allowances()
        tasks.keep_draw_keys()

    assert became(earmark) == ("settled", "")
    assert firm.allowances.get().slots == 1
    assert DrawDay.objects.count() == 8


# At once


def fifty_times_at_once(act):
    """In real threads, each with a connection of its own that stands before the first begins."""
    barrier = Barrier(50)

    def run(number):
        try:
            connection.ensure_connection()
            barrier.wait(60)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(run, range(50)))


@pytest.mark.django_db(transaction=True)
def test_fifty_closes_at_once_and_fifty_sweeps_pay_once(physician, colleague):
    """The second discussion was closed and left unsettled, as by a fault; then all workers come for it."""
    make_draw_day()
    firm, voters = make_firm(balance=5_000), [make_member() for _ in range(4)]
    first, second = make_question(physician), make_question(physician)
    for question in (first, second):
        answer = make_answer(question, colleague)
        judged_by(answer, *voters)
        make_earmark(answer, firm, voter_cents=500, voter_slots=3)

    fifty_times_at_once(lambda: closing.close_question(question=first, by=physician))
    Question.objects.filter(pk=second.pk).update(
        status="closed", closed_at=timezone.now(), close_reason="author"
    )
    fifty_times_at_once(lambda: settling.settle(question_id=second.pk))

    assert set(Settlement.objects.values_list("question", "paid_cents", "payees")) == {
        (first.pk, 2_500, 4),
        (second.pk, 2_500, 4),
    }
    assert owed_to(colleague) == 2_000
    assert sum(owed_to(voter) for voter in voters) == 3_000
    assert Award.objects.count() == 8
    assert of_firm(firm) == (0, 0)
    assert not Entry.objects.filter(balance_after__lt=0).exclude(account__kind="deposits").exists()
    assert Account.objects.aggregate(sum=Sum("balance"))["sum"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_settlement_and_a_leaving_at_once_leave_nothing_that_says_what_for(physician, colleague):
    question, firm = make_question(physician), make_firm()
    earmark = make_earmark(make_answer(question, colleague), firm)
    make_payee(colleague)

    def close_meanwhile():
        try:
            close(question)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        leaving.leave(member=colleague, address="gone@example.org")
        pool.submit(close_meanwhile).result(20)
    assert became(earmark) == ("open", "")

    assert settling.sweep() == 1
    assert owed_to(colleague) == 1_000
    assert Award.objects.filter(question=None, post=None).count() == 1
