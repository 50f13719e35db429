"""Writing down what money was earned for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from questions.models import Post, Question
from rewards.models import (
    Account,
    Award,
    Charity,
    Earmark,
    Firm,
    Payee,
    RoomSponsorship,
    Sponsorship,
    Transaction,
)
from rewards.services import ledger, open_payments


@dataclass(frozen=True)
class Line:
    """One deed of one payee, and the account its money came to."""

    payee: Payee
    firm: Firm
    cause: str
    cents: int
    account: Account
    charity: Charity | None = None
    earmark: Earmark | None = None
    sponsorship: Sponsorship | None = None
    room: RoomSponsorship | None = None
    question: Question | None = None
    post: Post | None = None


def write(*, ledger_transaction: Transaction, lines: Sequence[Line]) -> list[Award]:
    """Explain the entries of a transaction, in its own commit and as of its moment, and note them for Open Payments.

    Several lines to one account, as to a charity, explain the one entry there. Takes the same few statements for one
    line and for hundreds.
    """
    entries = dict(ledger_transaction.entries.values_list("account", "pk"))
    awards = Award.objects.bulk_create(
        Award(
            payee=line.payee,
            firm=line.firm,
            cause=line.cause,
            earmark=line.earmark,
            sponsorship=line.sponsorship,
            room=line.room,
            question=line.question,
            post=line.post,
            charity=line.charity,
            cents=line.cents,
            entry_id=entries[line.account.pk],
            awarded_at=ledger_transaction.at,
        )
        for line in lines
    )
    open_payments.note_all((award, line.post) for award, line in zip(awards, lines, strict=True))
    return awards


def accounts_of(payees: Iterable[Payee]) -> dict[Payee, Account]:
    """Where the money of each payee goes: their own account, made when missing, or that of their charity.

    Accounts are made in the order of subjects, which are random, so that their numbers say nothing of who earned first.
    """
    payees = sorted(payees, key=lambda payee: payee.subject)
    own = [payee.subject for payee in payees if payee.takes != Payee.Takes.CHARITY]
    found = _payable(own)
    if missing := [subject for subject in own if subject not in found]:
        Account.objects.bulk_create(
            [Account(kind=Account.Kind.PAYABLE, subject=subject) for subject in missing],
            ignore_conflicts=True,
        )
        found = _payable(own)
    charities = {payee.charity for payee in payees if payee.takes == Payee.Takes.CHARITY}
    held = {charity: ledger.held_for(charity) for charity in sorted(charities, key=lambda each: each.pk)}
    return {payee: found.get(payee.subject) or held[payee.charity] for payee in payees}


def _payable(subjects: Sequence[UUID]) -> dict[UUID, Account]:
    return {account.subject: account for account in Account.objects.filter(subject__in=subjects)}
