"""Writing down what money was earned for."""

from collections.abc import Sequence
from dataclasses import dataclass

from questions.models import Post, Question
from rewards.models import Account, Award, Charity, Earmark, Firm, Payee, Sponsorship, Transaction
from rewards.services import open_payments


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
    question: Question | None = None
    post: Post | None = None


def write(*, ledger_transaction: Transaction, lines: Sequence[Line]) -> list[Award]:
    """Explain the entries of a transaction, in its own commit; those of covered firms are noted for Open Payments.

    Several lines to one account, as to a charity, explain the one entry there.
    """
    entries = dict(ledger_transaction.entries.values_list("account", "pk"))
    awards = Award.objects.bulk_create(
        Award(
            payee=line.payee,
            firm=line.firm,
            cause=line.cause,
            earmark=line.earmark,
            sponsorship=line.sponsorship,
            question=line.question,
            post=line.post,
            charity=line.charity,
            cents=line.cents,
            entry_id=entries[line.account.pk],
        )
        for line in lines
    )
    for award, line in zip(awards, lines, strict=True):
        open_payments.note(award, post=line.post)
    return awards
