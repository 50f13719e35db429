"""Who is told of money, in the transaction that moved it. Each deed is told once; no notice holds an amount.

Keys begin with "reward:". What a discussion or a poll paid stands in its thread of the inbox, the rest under "rewards".
Call these last: the days of members stay locked until the transaction ends.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from accounts.models import Kind
from accounts.services import notices
from rewards.models import Award, Payee, Payout, Settlement

# What is told, as keys of notices say it.
SETTLED, POLL, OTHER, UNDONE = "settled", "poll", "other", "undone"
PAYOUT, PREVIEW = "payout", "preview"
PAID, BACK, LATE = "paid", "back", "late"

ABOUT = "rewards"


def of_settlement(settlement: Settlement, awards: Iterable[Award]) -> None:
    """Tell those who were credited in a discussion: once when it closed, and again of what was held back then."""
    _of_awards(SETTLED, settlement.pk, list(awards))


def of_honorarium(awards: Iterable[Award]) -> None:
    """Tell those who were credited for polls (each poll apart), focus groups and screeners."""
    of_poll, others = defaultdict(list), []
    for award in awards:
        if award.question_id:
            of_poll[award.question_id].append(award)
        else:
            others.append(award)
    for poll_id, some in sorted(of_poll.items()):
        _of_awards(POLL, poll_id, some)
    if others:
        first = min(award.pk for award in others)
        _tell(_members(award.payee_id for award in others), OTHER, first, str(first))


def of_undone(transaction_id: int, awards: Iterable[Award]) -> None:
    """Tell those who had been credited by a transaction that the finance desk has taken it back."""
    _tell(_members(award.payee_id for award in awards), UNDONE, transaction_id, str(transaction_id))


def of_payout(payout: Payout) -> None:
    """Tell its payee that a payout was paid, came back, or is late. Of a charity's nobody is told."""
    deed = {Payout.State.PAID: PAID, Payout.State.RETURNED: BACK, Payout.State.REVERSED: BACK}.get(
        payout.state, LATE
    )
    if payout.payee_id:
        _tell(_members([payout.payee_id]), PAYOUT, payout.pk, f"{payout.pk}:{deed}")


def of_preview(subjects: Iterable[UUID], year: int, report: int = 0) -> None:
    """Tell physicians that they may read what firms will report about a year; each report of a firm once."""
    _tell(_members(subjects), PREVIEW, year, f"{year}:{report}")


def _of_awards(deed: str, question_id: int, awards: list[Award]) -> None:
    if awards:
        first = min(award.pk for award in awards)
        members = _members(award.payee_id for award in awards)
        _tell(members, deed, question_id, f"{question_id}:{first}", about=f"question:{question_id}")


def _members(subjects: Iterable[UUID]) -> list[int]:
    """Those of them who have not left."""
    payees = Payee.objects.filter(pk__in={subject for subject in subjects if subject}, member__isnull=False)
    return list(payees.order_by("member").values_list("member", flat=True))


def _tell(members: list[int], deed: str, target: int, name: str, about: str = ABOUT) -> None:
    if members:
        notices.tell(
            members=members, kind=Kind.REWARD, target=target, about=about, key=f"reward:{deed}:{name}"
        )
