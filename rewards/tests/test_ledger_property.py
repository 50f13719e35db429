"""Whatever is done with money, in any order, and again: the books stay right, and what is refused moves nothing.

Each run lives in a savepoint, on a cast made once. What a member or the finance desk does goes through the services;
earmarks are made past the rules of days and posts, of which there are too few here.
"""

import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.models import Member
from accounts.tests.factories import make_member, make_user
from focusgroups import signals
from focusgroups.models import Completion, Room, Section
from focusgroups.tests.factories import make_completion, make_participant, make_room, make_section
from polls.models import Poll
from polls.tests.factories import make_poll
from questions.models import Question
from questions.services import closing
from questions.tests.factories import corroborate, make_answer, make_question
from rewards import drawing
from rewards.models import Account, DrawDay, Earmark, Entry, Payout, RoomSponsorship, Sponsorship, Transaction
from rewards.providers.base import FAILED, PAID, RETURNED, SUBMITTED, UNKNOWN, Outcome
from rewards.services import (
    approving,
    checking,
    choosing,
    correcting,
    deposits,
    donating,
    earmarking,
    honoraria,
    payouts,
    rooms,
    settling,
    sponsoring,
)
from rewards.tests.factories import fund, make_charity, make_earmark, make_firm, top_up
from rewards.tests.payout_makers import make_paid
from sermo.errors import RuleBroken

pytestmark = pytest.mark.django_db
Kind = Account.Kind

cents = st.one_of(st.integers(1_000, 9_000), st.sampled_from([0, 1, 999, 25_000, 150_000]))
which = st.integers(0, 1_000)  # of the rows there are


class Cast:
    def __init__(self):
        self.members = [make_member() for _ in range(4)]
        self.payees = [make_paid(member, 0) for member in self.members]
        self.firms = [make_firm(balance=0) for _ in range(2)]
        self.charity = make_charity()
        self.desk = [make_user(is_staff=True) for _ in range(2)]
        self.questions = [self.make_discussion(asker) for asker in self.members]
        opened = timezone.now() - timedelta(days=3)
        self.polls = [make_poll(asker=make_member(), opened_at=opened) for _ in range(2)]
        self.groups = [self.make_group() for _ in range(2)]
        key = secrets.token_hex(32)
        day = datetime.now(UTC).date()
        for ahead in range(2):  # should midnight come meanwhile
            DrawDay.objects.create(
                day=day + timedelta(days=ahead),
                key=key,
                commitment=drawing.commitment(key),
                committed_at=timezone.now() - timedelta(days=2),
            )

    def make_discussion(self, asker):
        """Two answers, each judged by somebody else."""
        question = make_question(asker)
        others = [member for member in self.members if member != asker]
        for author, voter in ((others[0], others[1]), (others[1], others[2])):
            corroborate(make_answer(question, author), voter)
        return question

    def make_group(self):
        """A draft of four seats, each already taken."""
        room = make_room(seats=4)
        make_section(room, honorarium=900)
        make_section(room, honorarium=0)
        for member in self.members:
            make_participant(room, member=member)
        return room


class Books(RuleBasedStateMachine):
    cast: Cast
    tally: Counter  # what was done and refused, and the transactions it made, by kind

    def __init__(self):
        super().__init__()
        self.run = transaction.atomic()
        self.run.__enter__()
        self.again = []  # what may be asked for a second time
        self.steps = 0
        for firm in self.cast.firms:
            top_up(firm, 50_000)
        for payee in self.cast.payees[:2]:
            fund(payee, 30_000)
        for poll in self.cast.polls:
            sponsoring.agree(poll=poll, firm=self.cast.firms[0], honorarium=1_000, quota=3, key=uuid4())
        for question in self.cast.questions[:2]:
            post = question.posts.filter(kind="answer").first()
            make_earmark(post, self.cast.firms[1], voter_cents=700, voter_slots=1, votes_before=1)

    def teardown(self):
        self.everything_is_explained()
        transaction.set_rollback(True)
        self.run.__exit__(None, None, None)

    def attempt(self, call, *, is_repeatable=False):
        """Do it; what is refused must have moved nothing."""
        before, written = balances(), Transaction.objects.count()
        try:
            with transaction.atomic():
                call()
        except RuleBroken:
            self.tally["refused"] += 1
            assert balances() == before
        else:
            self.tally["done"] += 1
            self.tally.update(Transaction.objects.order_by("pk").values_list("kind", flat=True)[written:])
            if is_repeatable:
                self.again.append(call)

    def pick(self, rows, number):
        rows = list(rows.order_by("pk")) if hasattr(rows, "order_by") else rows
        return rows[number % len(rows)] if rows else None

    # Firms

    @rule(firm=which, cents=cents)
    def top_up(self, firm, cents):
        firm, key = self.pick(self.cast.firms, firm), uuid4()
        call = lambda: deposits.top_up(  # noqa: E731 - kept, to be called again
            firm=firm, cents=cents, note="", submission=key, by=self.cast.desk[0]
        )
        self.attempt(call, is_repeatable=True)

    @rule(firm=which, cents=cents)
    def pay_back(self, firm, cents):
        firm, key = self.pick(self.cast.firms, firm), uuid4()
        call = lambda: deposits.pay_back(  # noqa: E731 - ditto
            firm=firm, cents=cents, note="", submission=key, by=self.cast.desk[0]
        )
        self.attempt(call, is_repeatable=True)

    @rule(
        firm=which,
        post=which,
        author=st.integers(500, 2_500),
        voter=st.integers(500, 2_500),
        slots=st.integers(0, 3),
    )
    def earmark(self, firm, post, author, voter, slots):
        firm = self.pick(self.cast.firms, firm)
        question = self.pick(Question.objects.filter(status=Question.Status.OPEN, kind="question"), post)
        post = question and self.pick(question.posts.filter(kind="answer"), post)
        if post and not Earmark.objects.filter(firm=firm, post=post).exists():
            self.attempt(
                lambda: make_earmark(
                    post,
                    firm,
                    author_cents=author,
                    voter_cents=voter if slots else 0,
                    voter_slots=slots,
                    votes_before=1,
                )
            )

    @rule(earmark=which)
    def cancel_earmark(self, earmark):
        if earmark := self.pick(Earmark.objects.all(), earmark):
            self.attempt(lambda: earmarking.cancel(earmark=earmark), is_repeatable=True)

    @rule(poll=which, firm=which, honorarium=st.integers(100, 5_000), quota=st.integers(1, 5))
    def sponsor(self, poll, firm, honorarium, quota):
        poll, firm, key = self.pick(self.cast.polls, poll), self.pick(self.cast.firms, firm), uuid4()
        self.attempt(
            lambda: sponsoring.agree(poll=poll, firm=firm, honorarium=honorarium, quota=quota, key=key),
            is_repeatable=True,
        )

    @rule(group=which, firm=which)
    def sponsor_group(self, group, firm):
        group, firm, key = self.pick(self.cast.groups, group), self.pick(self.cast.firms, firm), uuid4()
        self.attempt(lambda: rooms.agree(room=group, firm=firm, key=key), is_repeatable=True)

    @rule(group=which)
    def withdraw_group(self, group):
        """Not repeatable: agreed on anew, there is something to withdraw again."""
        group = self.pick(self.cast.groups, group)
        self.attempt(lambda: rooms.withdraw(room=group))

    @rule(group=which, cents=st.integers(0, 2_000))
    def promise_otherwise(self, group, cents):
        """Less only before it is published, and never after what was completed."""
        group = Room.objects.get(pk=self.pick(self.cast.groups, group).pk)
        section = group.sections.get(place=1)
        if group.published_at is None or (cents > section.honorarium and not section.completions.exists()):
            self.attempt(lambda: self._promise(group, section, cents))

    def _promise(self, group, section, cents):
        Section.objects.filter(pk=section.pk).update(honorarium=cents)
        rooms.fit(room=group)

    @rule(group=which)
    def publish_group(self, group):
        group = self.pick(self.cast.groups, group)
        if RoomSponsorship.objects.filter(pk=group.pk).exists():
            self.attempt(lambda: self._publish(group))

    def _publish(self, group):
        rooms.fit(room=group)
        Room.objects.filter(pk=group.pk, published_at=None).update(published_at=timezone.now())

    # What is earned

    @rule(question=which)
    def close(self, question):
        """Which settles it."""
        earmarked = Question.objects.filter(status="open", earmarks__state="open").distinct()
        if question := self.pick(earmarked, question):
            asker = Member.objects.get(pk=question.asker_id)
            self.attempt(lambda: closing.close_question(question=question, by=asker))

    @rule(question=which)
    def settle(self, question):
        if question := self.pick(Question.objects.filter(earmarks__isnull=False).distinct(), question):
            self.attempt(lambda: settling.settle(question_id=question.pk))

    @rule()
    def sweep(self):
        self.attempt(settling.sweep)

    @rule(poll=which, member=which)
    def take_poll(self, poll, member):
        poll, member = self.pick(self.cast.polls, poll), self.pick(self.cast.members, member)
        self.attempt(lambda: honoraria.take(poll=poll, member=member))

    @rule(poll=which, member=which)
    def give_poll_back(self, poll, member):
        poll, member = self.pick(self.cast.polls, poll), self.pick(self.cast.members, member)
        self.attempt(lambda: honoraria.give_back(poll=poll, member=member))

    @rule(poll=which)
    def end_poll(self, poll):
        poll = self.pick(self.cast.polls, poll)
        Poll.objects.filter(pk=poll.pk).update(closes_at=timezone.now() - timedelta(days=1))

    @rule(sponsorship=which)
    def credit_honoraria(self, sponsorship):
        if sponsorship := self.pick(Sponsorship.objects.all(), sponsorship):
            self.attempt(lambda: honoraria.credit(poll_id=sponsorship.pk))

    @rule(sponsorship=which)
    def end_sponsorship(self, sponsorship):
        if sponsorship := self.pick(Sponsorship.objects.all(), sponsorship):
            self.attempt(lambda: honoraria.end(poll_id=sponsorship.pk))

    @rule(group=which, section=which, seat=which, is_announced=st.booleans())
    def complete(self, group, section, seat, is_announced):
        group = Room.objects.get(pk=self.pick(self.cast.groups, group).pk)
        section = self.pick(group.sections.all(), section)
        participant = self.pick(group.participants.all(), seat)
        done = Completion.objects.filter(section=section, participant=participant)
        if group.published_at and not group.closed_at and not done.exists():
            made = make_completion(participant, section, is_final=True)
            if is_announced:
                self.attempt(lambda: self._announce(made), is_repeatable=True)

    def _announce(self, completion):
        signals.section_completed.send(sender=Room, completion=completion)

    @rule(group=which)
    def close_group(self, group):
        group = Room.objects.get(pk=self.pick(self.cast.groups, group).pk)
        if group.published_at:
            Room.objects.filter(pk=group.pk, closed_at=None).update(closed_at=timezone.now())
            self.attempt(lambda: signals.room_closed.send(sender=Room, room=group), is_repeatable=True)

    @rule()
    def sweep_groups(self):
        self.attempt(rooms.credit_all)

    # Members

    @rule(member=which, takes=st.sampled_from(["self", "charity", "nothing"]), is_open=st.booleans())
    def choose(self, member, takes, is_open):
        member = self.pick(self.cast.members, member)
        charity = self.cast.charity if takes == "charity" else None
        self.attempt(
            lambda: choosing.choose(member=member, takes=takes, charity=charity, may_be_earmarked=is_open)
        )

    @rule(member=which, standing=st.sampled_from(["physician", "suspended"]))
    def suspend_or_restore(self, member, standing):
        Member.objects.filter(pk=self.pick(self.cast.members, member).pk).update(standing=standing)

    @rule(payee=which, cents=cents)
    def donate(self, payee, cents):
        payee, key = self.pick(self.cast.payees, payee), uuid4()
        self.attempt(
            lambda: donating.donate(payee=payee, charity=self.cast.charity, cents=cents, submission=key),
            is_repeatable=True,
        )

    @rule(payee=which, cents=cents)
    def ask_for_a_payout(self, payee, cents):
        payee, key = self.pick(self.cast.payees, payee), uuid4()
        self.attempt(lambda: payouts.ask(payee=payee, cents=cents, submission=key), is_repeatable=True)

    @rule()
    def pay_the_charity(self):
        key = uuid4()
        self.attempt(
            lambda: payouts.to_charity(charity=self.cast.charity, submission=key, by=self.cast.desk[0]),
            is_repeatable=True,
        )

    # Payouts

    @rule(payout=which)
    def cancel_payout(self, payout):
        if payout := self.pick(Payout.objects.all(), payout):
            self.attempt(lambda: payouts.cancel(payout=payout), is_repeatable=True)

    @rule(payout=which, desk=which)
    def approve(self, payout, desk):
        if payout := self.pick(Payout.objects.filter(state="requested"), payout):
            self.attempt(lambda: approving.approve(payout=payout, by=self.pick(self.cast.desk, desk)))

    @rule(payout=which, state=st.sampled_from([PAID, SUBMITTED, FAILED, RETURNED, UNKNOWN]))
    def hear_of_a_payout(self, payout, state):
        """In any order, also what contradicts what was heard before."""
        if payout := self.pick(Payout.objects.exclude(state="requested"), payout):
            self.attempt(lambda: payouts.settle(payout, Outcome(state)), is_repeatable=True)

    # Corrections

    @rule(number=which)
    def undo(self, number):
        kinds = (*correcting.ALONE, *correcting.EARNED, Transaction.Kind.PAYOUT)  # the last is refused
        if earlier := self.pick(Transaction.objects.filter(kind__in=kinds), number):
            self.attempt(lambda: correcting.undo(earlier=earlier, reason="Typed twice", by=self.cast.desk[0]))

    @rule(number=which)
    def undo_an_honorarium_and_end_its_poll(self, number):
        paid = Transaction.objects.filter(kind="honorarium", key__startswith="poll:", reversed_by=None)
        if earlier := self.pick(paid, number):
            poll_id = int(earlier.key.split(":")[1])
            self.attempt(lambda: correcting.undo(earlier=earlier, reason="Not right", by=self.cast.desk[0]))
            Poll.objects.filter(pk=poll_id).update(closes_at=timezone.now() - timedelta(days=1))
            self.attempt(lambda: honoraria.credit(poll_id=poll_id))
            self.attempt(lambda: honoraria.end(poll_id=poll_id))

    @rule(number=which)
    def once_more(self, number):
        """What was done is asked for again, with the same key or about the same row, and moves nothing."""
        if call := self.pick(self.again, number):
            before = balances()
            self.attempt(call)
            assert balances() == before

    # What holds after each step

    @invariant()
    def the_books_are_right(self):
        held, entries = balances(), Entry.objects.values_list("account").annotate(Sum("amount"))
        assert sum(held.values()) == 0
        assert {pk: cents for pk, cents in held.items() if cents} == {
            pk: cents for pk, cents in entries if cents
        }
        assert not Account.objects.filter(kind__in=Account.HOLDING, balance__lt=0).exists()
        self.steps += 1
        if self.steps % 5 == 0:
            self.everything_is_explained()

    def everything_is_explained(self):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        assert list(checking.faults()) == []


def balances():
    return dict(Account.objects.values_list("pk", "balance"))


def play(*, runs, steps, **options):
    """Returns what was done, refused and written, not counting what only changed a setting."""
    Books.cast, Books.tally = Cast(), Counter()
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            **options,
        ),
    )
    return Books.tally


@pytest.fixture(autouse=True)
def stage(settings):
    settings.PAYOUT_PROVIDERS = {"bank": "manual", "charity": "manual"}


def test_the_books_stay_right_whatever_happens():
    tally = play(runs=3, steps=40, derandomize=True)

    assert tally["done"] > 30


@pytest.mark.scale
def test_the_books_stay_right_over_ten_thousand_operations():
    tally = play(runs=180, steps=100)

    print(f"\nThe books are right: {dict(tally.most_common())}")
    assert tally["done"] + tally["refused"] >= 10_000
    assert {str(kind) for kind in Transaction.Kind} - set(tally) <= {"fee", "late", "left", "returned"}
