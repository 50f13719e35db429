"""Money of the demonstration: invented firms, earmarks of discussions that have closed, payouts, and work for the desk.

Everything goes through the services, each at its own moment of the past, so that the books are as real ones are.
"""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from unittest import mock
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.text import capfirst

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Member
from accounts.services import mail
from polls.models import Receipt, Sponsor
from questions.models import Byline, Post, Question, Vote
from rewards import demo_rooms, drawing
from rewards.models import (
    Account,
    Affiliation,
    Charity,
    DrawDay,
    Earmark,
    Firm,
    Payee,
    Payout,
    PayoutMethod,
    PretendTransfer,
    Settlement,
    Slot,
    Sponsorship,
    TaxForm,
    Transaction,
)
from rewards.providers import pretend
from rewards.providers.base import Outcome
from rewards.services import choosing, donating, draws, honoraria, ledger, payouts, settling
from verification.models import Claim

FIRMS = [
    {
        "name": "Halden Therapeutics (demo)",
        "kind": "pharma",
        "is_covered": True,
        "registration_id": "100000005551",
        "products": ["Velorin", "Sustanor"],
    },
    {
        "name": "Corvid Devices (demo)",
        "kind": "device",
        "is_covered": True,
        "registration_id": "100000005552",
        "products": ["Corvid Loop"],
    },
    {"name": "Northgate Research (demo)", "kind": "research", "shows_name": False},
]
FUNDS = 2_500_000  # cents of each firm
DAYS_BACK = 150
MOST_CLOSED = 24
OPEN_ONES = 3
CHECK = {"street": "12 Example Ave", "city": "Chicago", "state": "IL", "zip": "60601"}
BANK = {"routing": "021000021", "account": "000123456789", "account_kind": "checking"}
W9 = {
    **CHECK,
    "business_name": "",
    "classification": "individual",
    "tin_kind": "ssn",
}


def seed(stdout) -> None:
    """Write all of it once; a second run changes nothing."""
    if Firm.objects.filter(name=FIRMS[0]["name"]).exists():
        stdout.write("rewards: here already")
        return
    with transaction.atomic(), mock.patch.object(mail, "queue_notices"):  # nobody gets mail of the past
        History(timezone.now()).write()
    stdout.write(
        f"rewards: {Firm.objects.count()} firms, {Earmark.objects.count()} earmarks, "
        f"{Settlement.objects.count()} discussions paid, {Payout.objects.count()} payouts"
    )


@contextmanager
def at(moment: datetime):
    """Let it be another moment for what is done inside."""
    with mock.patch.object(timezone, "now", return_value=moment):
        yield


class History:
    """What happened, in the order in which it did."""

    def __init__(self, now: datetime):
        self.now = now
        self.deeds: list[tuple[datetime, int, Callable[[], object]]] = []

    def then(self, moment: datetime, deed: Callable[[], object]) -> None:
        self.deeds.append((moment, len(self.deeds), deed))

    def write(self) -> None:
        with at(self.now - timedelta(days=DAYS_BACK + 20)):
            joined = {"joined_at": timezone.now()}
            self.firms = [self._fund(Firm.objects.create(**facts, **joined)) for facts in FIRMS]
        self._keep_keys()
        self._plan_closed()
        self._plan_payouts()
        for moment, deed in demo_rooms.deeds(self.now):
            self.then(moment, deed)
        self.then(self.now - timedelta(hours=30), self._sponsor_poll)
        for number in range(OPEN_ONES):
            self.then(
                self.now - timedelta(hours=7 - number), lambda number=number: self._earmark_open(number)
            )
        self.then(self.now - timedelta(minutes=20), self._earmark_unjudged)
        for moment, _, deed in sorted(self.deeds, key=lambda each: each[:2]):
            with at(moment):
                deed()
        self._declare()
        self._put_times_right()
        draws.keep_ahead()

    def _fund(self, firm: Firm) -> Firm:
        entries = {ledger.house(Account.Kind.DEPOSITS): -FUNDS, ledger.firm_balance(firm): FUNDS}
        ledger.post(kind=Transaction.Kind.TOP_UP, key=f"demo:{firm.pk}", entries=entries, note="Wire 0001")
        return firm

    # Discussions that closed

    def _plan_closed(self) -> None:
        for number, question in enumerate(self._closed()):
            firm = self.firms[number % len(self.firms)]
            for place, post in enumerate(self._best_posts(question)):
                self._plan_earmark(firm, question, post, place + number)
            settled_at = question.closed_at + timedelta(minutes=1)
            self.then(settled_at, lambda pk=question.pk: self._settle(pk))

    def _closed(self) -> list[Question]:
        """Those of the people one can log in as come first."""
        own = Q(posts__author__user__email__in=DEMO_LOGINS, posts__removed_at=None)
        found = Question.objects.filter(
            status=Question.Status.CLOSED,
            audience=Question.Audience.PHYSICIANS,
            peers_only=False,
            closed_at__gte=self.now - timedelta(days=DAYS_BACK),
        ).exclude(kind=Question.Kind.ARTICLE)
        ranked = found.annotate(own=Count("posts", filter=own)).order_by("-own", "-answer_count", "pk")
        return sorted(ranked[:MOST_CLOSED], key=lambda question: question.closed_at)

    def _best_posts(self, question: Question) -> list[Post]:
        """The best answers, and those of the people one can log in as."""
        answers = question.posts.answers().standing().order_by("-balance", "pk")
        own = answers.filter(author__user__email__in=DEMO_LOGINS)
        return list(dict.fromkeys([*own[:1], *answers[:2]]))[:2]

    def _plan_earmark(self, firm: Firm, question: Question, post: Post, number: int) -> None:
        moment = min(post.posted_at + timedelta(hours=7), question.closed_at - timedelta(minutes=5))
        cents = 1_000 + 500 * (number % 4)
        pool = {"voter_cents": 500, "voter_slots": 3} if number % 2 else {}
        self.then(moment, lambda: _place(firm, post, cents, **pool))

    def _keep_keys(self) -> None:
        """Of every day from the first on, as if they had always been made a week ahead."""
        today = self.now.astimezone(UTC).date()
        for day in (today - timedelta(days=ago) for ago in range(DAYS_BACK + 1)):
            key = drawing.commitment(f"demo key of {day}")
            DrawDay.objects.create(
                day=day,
                key=key,
                commitment=drawing.commitment(key),
                committed_at=datetime.combine(day, time(12), tzinfo=UTC) - timedelta(days=7),
            )

    def _settle(self, question_id: int) -> None:
        settling.settle(question_id=question_id)
        Settlement.objects.filter(pk=question_id).update(settled_at=timezone.now())

    # Payouts

    def _plan_payouts(self) -> None:
        """Every three weeks those are paid who can be; one is late, and one waits in the end."""
        for weeks in (15, 12, 9, 6, 3):
            self.then(self.now - timedelta(weeks=weeks), lambda weeks=weeks: self._pay_round(weeks))
        self.then(self.now - timedelta(days=1), self._leave_work)

    def _pay_round(self, weeks: int) -> None:
        asked_at = timezone.now()
        for number, account in enumerate(_owed()[:8]):
            payee = Payee.objects.select_related("member").get(pk=account.subject)
            payout = _ask(payee, account.balance, number)
            late = weeks == 6 and number == 0
            with at(asked_at + timedelta(days=19 if late else 2 + (number * 3 + weeks) % 8)):
                _approve(payout)
                if payout.provider == "pretend":
                    PretendTransfer.objects.create(key=payout.key, cents=payout.cents, at=timezone.now())
                payouts.settle(payout, Outcome("paid", _reference(payout)))
            if late:
                Payout.objects.filter(pk=payout.pk).update(late_told_at=asked_at + timedelta(days=15))

    def _leave_work(self) -> None:
        """Payouts on their way, one of the cardiologist to approve, and a gift to a charity."""
        cardiologist = Member.objects.get(user__email="cardio@demo.sermo.test")
        payee = choosing.payee_of(cardiologist)
        others = [account for account in _owed() if account.subject != payee.subject]
        for number, account in enumerate(others[:2]):
            _ask(Payee.objects.select_related("member").get(pk=account.subject), account.balance, number)
        charity = Charity.objects.filter(is_active=True).order_by("name").first()
        if charity:
            donating.donate(payee=payee, charity=charity, cents=2_500, submission=_uuid("gift"))
        _ask(payee, 25_000, 9)

    # What is still open

    def _sponsor_poll(self) -> None:
        """The poll whose label says that it is paid for, with the votes it has."""
        label = Sponsor.objects.filter(sponsorship=None).select_related("poll").first()
        if label is None:
            return
        firm = self.firms[2]
        Sponsor.objects.filter(pk=label.pk).update(name=capfirst(firm.shown_as), kind=firm.kind)
        total = label.honorarium * label.quota
        reserved = ledger.post(
            kind=Transaction.Kind.RESERVE,
            key="demo:sponsorship",
            entries={ledger.firm_balance(firm): -total, ledger.reserved_of(firm): total},
        )
        sponsorship = Sponsorship.objects.create(label=label, firm=firm, reserved=reserved)
        voters = Receipt.objects.filter(poll=label.pk, kind=Receipt.Kind.VOTED)
        paid = list(voters.values_list("member", flat=True)[: label.quota])
        Slot.objects.bulk_create(Slot(sponsorship=sponsorship, member_id=member) for member in paid)
        Sponsor.objects.filter(pk=label.pk).update(taken=len(paid))
        honoraria.credit_all(lambda line: None)

    def _open(self) -> QuerySet[Question]:
        found = Question.objects.filter(
            status=Question.Status.OPEN,
            audience=Question.Audience.PHYSICIANS,
            peers_only=False,
            opened_at__lt=self.now - timedelta(days=1),
            answer_count__gt=0,
        )
        return found.exclude(kind=Question.Kind.ARTICLE).order_by("-hot", "pk")

    def _earmark_open(self, number: int) -> None:
        """What the finance desk sees and no member does."""
        for question in self._open()[number : number + 1]:
            for post in self._best_posts(question)[:1]:
                _place(self.firms[number], post, 1_500, voter_cents=500, voter_slots=2)

    def _earmark_unjudged(self) -> None:
        """One that the desk can still cancel: nobody has judged its post since."""
        since = Vote.objects.filter(post=OuterRef("pk"), cast_at__gte=timezone.now())
        answers = Post.objects.answers().standing().filter(question__in=self._open(), earmarks=None)
        long_ago = timezone.now() - timedelta(days=1)
        for post in answers.filter(~Exists(since), posted_at__lt=long_ago).order_by("-balance", "pk")[:1]:
            _place(self.firms[0], post, 2_000)

    def _put_times_right(self) -> None:
        """Of what takes its moment from the clock on the wall."""
        begun = Q(state__in=[Payout.State.REQUESTED, Payout.State.APPROVED])
        for payout in Payout.objects.all():
            payout.steps.filter(begun).update(at=payout.requested_at)
            if payout.ended_at:
                payout.steps.exclude(begun).update(at=payout.ended_at)
        for method in PayoutMethod.objects.select_related("payee"):
            first = Payout.objects.filter(payee=method.payee).earliest("requested_at").requested_at
            PayoutMethod.objects.filter(pk=method.pk).update(changed_at=first)
            TaxForm.objects.filter(pk=method.pk).update(certified_at=first)

    def _declare(self) -> None:
        dermatologist = Member.objects.get(user__email="derm@demo.sermo.test")
        Affiliation.objects.get_or_create(member=dermatologist, firm=self.firms[1])


def _place(firm: Firm, post: Post, author_cents: int, voter_cents: int = 0, voter_slots: int = 0) -> None:
    """As the service does, but for the day's allowance: a demonstration has few posts and shows many earmarks."""
    total = author_cents + voter_cents * voter_slots
    key = _uuid(f"{firm.pk}:{post.pk}")
    reserved = ledger.post(
        kind=Transaction.Kind.RESERVE,
        key=f"earmark:{key}",
        entries={ledger.firm_balance(firm): -total, ledger.reserved_of(firm): total},
    )
    Earmark.objects.create(
        firm=firm,
        question_id=post.question_id,
        post=post,
        author_cents=author_cents,
        voter_cents=voter_cents,
        voter_slots=voter_slots,
        votes_before=Vote.objects.filter(post=post, cast_at__lt=timezone.now()).count(),
        was_public=post.byline.mode == Byline.Mode.PUBLIC,
        placed_at=timezone.now(),
        key=key,
        reserved=reserved,
    )


def _owed() -> list[Account]:
    """Accounts with enough on them, those of the people one can log in as first."""
    logins = Payee.objects.filter(member__user__email__in=DEMO_LOGINS).values_list("pk", flat=True)
    first = set(logins)
    due = Account.objects.filter(kind=Account.Kind.PAYABLE, balance__gte=1_000)
    return sorted(due, key=lambda account: (account.subject not in first, -account.balance, account.pk))


def _ask(payee: Payee, cents: int, number: int) -> Payout:
    method = "check" if number % 3 == 2 else "bank"
    if choosing.method_of(payee) is None:
        claim = Claim.objects.filter(user=payee.member.user_id).first()
        name = claim.typed_name if claim else "Demo Payee"
        details = {**(CHECK if method == "check" else BANK), "name": name}
        PayoutMethod.objects.create(payee=payee, method=method, details=details)
        TaxForm.objects.get_or_create(
            subject=payee.subject,
            defaults={"form": {**W9, "name": name, "tin": f"{123_450_000 + payee.member_id:09}"}},
        )
    return payouts.ask(
        payee=payee, cents=cents, submission=_uuid(f"{payee.subject}:{timezone.now()}:{number}")
    )


def _approve(payout: Payout) -> None:
    """As the desk does where a sum needs it, without a name: the demonstration has one person at the desk."""
    if payout.state == Payout.State.REQUESTED:
        payouts.move(payout, Payout.State.APPROVED, note="Approved in the demonstration")


def _reference(payout: Payout) -> str:
    return pretend.reference_of(payout.key) if payout.provider == "pretend" else f"Check {1000 + payout.pk}"


def _uuid(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"demo:rewards:{name}")
