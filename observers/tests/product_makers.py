"""Makers of products, questions to firms and payments for tests."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from observers.models import Product
from observers.services import company
from rewards.models import Account, Award, Earmark, Transaction
from rewards.services import ledger
from rewards.tests.factories import make_earmark, make_payee


def make_product(slug="velorin", *, name="Velorin", generic="apixaban", words=("velorin",), **fields):
    return Product.objects.create(slug=slug, name=name, generic=generic, words=list(words), **fields)


def ask(product, asker, text="Is it stable when it is crushed?", **fields):
    return company.ask(product=product, asker=asker, text=text, **{"submission": uuid4(), **fields})


def pay(member, firm, post, *, cents=1_000, cause=Award.Cause.VOTER, ago=timedelta(days=60)):
    """An award of the past, with the money on the payee's account."""
    earmark = Earmark.objects.filter(firm=firm, post=post).first() or make_earmark(post, firm)
    payee = make_payee(member)
    account = ledger.payable_to(payee)
    booked = ledger.post(
        kind=Transaction.Kind.SETTLE,
        key=f"test:{uuid4()}",
        entries={ledger.house(Account.Kind.FEE): -cents, account: cents},
    )
    return Award.objects.create(
        payee=payee,
        firm=firm,
        cause=cause,
        earmark=earmark,
        question_id=post.question_id,
        post=post,
        cents=cents,
        entry=booked.entries.get(account=account),
        awarded_at=timezone.now() - ago,
    )
