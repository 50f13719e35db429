"""Payees who may be paid, and a provider that goes wrong on command."""

import threading
from uuid import uuid4

from rewards.models import Payout, PayoutMethod, TaxForm
from rewards.providers.base import PAID, InDoubt, Outcome, Provider, Sent
from rewards.services import payouts
from rewards.tests.factories import fund, make_payee

BANK = {"name": "Ana Ruiz", "routing": "021000021", "account": "000123456789", "account_kind": "checking"}


def make_paid(member, cents=5_000, *, method="bank", details=None):
    """A payee with so many cents on the balance, who said how to be paid and certified a W-9."""
    payee = make_payee(member)
    PayoutMethod.objects.update_or_create(
        payee=payee, defaults={"method": method, "details": details or BANK}
    )
    TaxForm.objects.get_or_create(subject=payee.subject, defaults={"form": {"tin": "123456789"}})
    if cents:
        fund(payee, cents)
    return payee


def ask(payee, cents=5_000, submission=None):
    return payouts.ask(payee=payee, cents=cents, submission=submission or uuid4())


def now(payout):
    return Payout.objects.get(pk=payout.pk)


def states(payout):
    return [step.state for step in payout.steps.all()]


class Till(Provider):
    """It remembers what it sent under which key, and fails before or after sending where told to.

    `before` and `after` are exceptions to raise, one for each call that follows.
    """

    name = "pretend"
    sent: dict = {}
    calls: list = []
    before: list = []
    after: list = []
    answers = Outcome(PAID)
    is_down = False
    guard = threading.Lock()

    @classmethod
    def reset(cls):
        cls.sent, cls.calls, cls.before, cls.after = {}, [], [], []
        cls.answers, cls.is_down = Outcome(PAID), False

    def send(self, payout):
        with self.guard:
            self.calls.append(payout.key)
            if self.before:
                raise self.before.pop(0)
            self.sent.setdefault(
                payout.key, Sent(payout.key, f"t-{payout.key}", payout.cents, self.answers.state)
            )
            if self.after:
                raise self.after.pop(0)
        return self._said(payout)

    def look_up(self, payout):
        if self.is_down:
            raise InDoubt("It does not answer.")
        return self._said(payout) if payout.key in self.sent else None

    def sent_since(self, moment):
        return list(self.sent.values())

    def _said(self, payout):
        sent = self.sent[payout.key]
        return Outcome(sent.state, sent.reference, self.answers.problem)
