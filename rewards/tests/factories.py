"""Plain makers of firms, payees and earmarks for tests."""

from datetime import timedelta
from itertools import count
from uuid import UUID, uuid4

from rewards import drawing
from rewards.models import Account, Charity, DrawDay, Earmark, Firm, Payee
from rewards.services import draws, ledger

numbers = count(1)
Kind = Account.Kind


def make_firm(name=None, *, balance=100_000, kind="pharma", **fields):
    """A firm with so many cents on its balance; `is_covered=True` gets a registration by itself."""
    if fields.get("is_covered"):
        fields.setdefault("registration_id", f"{next(numbers):012}")
    firm = Firm.objects.create(name=name or f"Firm {next(numbers)}", kind=kind, **fields)
    if balance:
        top_up(firm, balance)
    return firm


def top_up(firm, cents):
    return ledger.post(
        kind="top_up",
        key=f"test:{uuid4()}",
        entries={ledger.house(Kind.DEPOSITS): -cents, ledger.firm_balance(firm): cents},
    )


def make_charity(name=None, **fields):
    number = next(numbers)
    fields = {"ein": f"12-{number:07}", **fields}
    return Charity.objects.create(name=name or f"Charity {number}", **fields)


def make_payee(member, **fields):
    """The payee of a member, made or changed to be so."""
    return Payee.objects.update_or_create(member=member, defaults=fields)[0]


def fund(payee, cents):
    """Owe a payee so many cents, out of the house's own account."""
    return ledger.post(
        kind="fee",
        key=f"test:{uuid4()}",
        entries={ledger.house(Kind.FEE): -cents, ledger.payable_to(payee): cents},
    )


def make_earmark(post, firm=None, *, author_cents=1_000, voter_cents=0, voter_slots=0, **fields):
    """An open earmark with its money reserved, whatever the rules say of the post or the day."""
    firm, key = firm or make_firm(), uuid4()
    cents = author_cents + voter_cents * voter_slots
    reserved = ledger.post(
        kind="reserve",
        key=f"test:{key}",
        entries={ledger.firm_balance(firm): -cents, ledger.reserved_of(firm): cents},
    )
    fields = {"question_id": post.question_id, "key": key, **fields}
    return Earmark.objects.create(
        firm=firm,
        post=post,
        author_cents=author_cents,
        voter_cents=voter_cents,
        voter_slots=voter_slots,
        reserved=reserved,
        **fields,
    )


def make_draw_day(day=None, *, key="0123456789abcdef" * 4, ahead=timedelta(days=1)):
    """The key of a day (today), its hash published so long before the day began."""
    day = day or draws.today()
    return DrawDay.objects.create(
        day=day, key=key, commitment=drawing.commitment(key), committed_at=draws.begins_at(day) - ahead
    )


def balance(account):
    """Cents on an account as they are now."""
    return Account.objects.values_list("balance", flat=True).get(pk=account.pk)


def owed(payee: Payee | UUID) -> int:
    subject = getattr(payee, "subject", payee)
    return sum(Account.objects.filter(subject=subject).values_list("balance", flat=True))
