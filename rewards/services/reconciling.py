"""Comparing what providers say with what stands here."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from rewards import providers
from rewards.models import Payout, ProviderEvent, Reconciliation
from rewards.providers import base
from rewards.providers.base import Event, InDoubt, Outcome, Provider, Sent
from rewards.services import payouts

DAYS = 45  # that are compared each night: money can come back so long after it left

UNKNOWN_HERE = "The provider sent something that is not ours"
TWICE = "The provider sent it more than once"
AMOUNT = "The amounts differ"
STATE = "The states differ"
MISSING = "The provider does not know a payout that is paid here"

State = Payout.State
FITS = {  # what stands here, and what may be said of it
    State.PAID: {base.PAID},
    State.REVERSED: {base.FAILED, base.RETURNED},
    State.SUBMITTED: {base.SUBMITTED, base.UNKNOWN},
    State.IN_DOUBT: {base.UNKNOWN},
}
logger = logging.getLogger(__name__)


def take_in(provider: Provider, event: Event) -> None:
    """Ask about each payout a message names, once. Raises InDoubt, after which the message is welcome again."""
    if ProviderEvent.objects.filter(provider=provider.name, event=event.id).exists():
        return
    named = list(Payout.objects.filter(provider=provider.name, key__in=event.keys).order_by("pk"))
    for payout in named:
        if outcome := provider.look_up(payout):
            payouts.settle(payout, outcome)
    ProviderEvent.objects.bulk_create(
        [
            ProviderEvent(
                provider=provider.name,
                event=event.id,
                kind=event.kind[:80],
                payout=named[0] if len(named) == 1 else None,
            )
        ],
        ignore_conflicts=True,
    )


def run_all() -> list[Reconciliation]:
    """Compare the last weeks with every provider that keeps a list; one that does not answer is left out."""
    since = timezone.now() - timedelta(days=DAYS)
    used = Payout.objects.filter(sent_at__gte=since).values_list("provider", flat=True).distinct()
    done = []
    for name in sorted({*settings.PAYOUT_PROVIDERS.values(), *used}):
        provider = providers.of(name)
        if not provider.sends or not provider.is_ready():
            continue
        try:
            done.append(run(provider, since))
        except InDoubt as doubt:
            logger.warning("%s was not reconciled: %s", name, doubt)
    return done


def run(provider: Provider | str, since: datetime) -> Reconciliation:
    """Compare all that a provider sent since then with the payouts here, and settle those it knows more about.

    What it lists and what stands here is called a difference only after it was asked about that payout. Raises InDoubt.
    """
    provider = providers.of(provider) if isinstance(provider, str) else provider
    began = timezone.now()
    listed = _by_key(provider.sent_since(since))
    comparison = Comparison(provider)
    for sent in listed.pop(None, []):
        comparison.differs(UNKNOWN_HERE, sent=sent)
    window = Q(sent_at__gte=since, sent_at__lt=began)
    ours = Payout.objects.filter(Q(key__in=listed) | window, provider=provider.name).order_by("pk")
    for payout in ours.defer("details").iterator():
        comparison.compare(payout, listed.pop(payout.key, []))
    for stray in listed.values():
        for sent in stray:
            comparison.differs(UNKNOWN_HERE, sent=sent)
    return Reconciliation.objects.create(
        provider=provider.name,
        since=since,
        matched=comparison.matched,
        ours_cents=comparison.ours,
        theirs_cents=comparison.theirs,
        settled=comparison.settled,
        differences=comparison.differences,
    )


class Comparison:
    """The sums so far. Only what is out counts: what is paid here, and what the provider says is paid."""

    def __init__(self, provider: Provider):
        self.provider = provider
        self.matched = self.settled = self.ours = self.theirs = 0
        self.differences: list[dict[str, Any]] = []

    def compare(self, payout: Payout, listed: list[Sent]) -> None:
        said = listed[0] if listed else None
        before = payout.state
        if said and said.cents == payout.cents and not _fits(payout, said):
            payout = payouts.settle(payout, _outcome(said))
        if not said or not _fits(payout, said):
            said, payout = self._ask(payout, said)
        self.settled += payout.state not in (before, State.IN_DOUBT)
        self.ours += _out(payout)
        if len(listed) > 1:
            self.theirs += _out(said)
            for more in listed[1:]:
                self.differs(TWICE, payout=payout, sent=more, ours=0)
        elif said is None and payout.state == State.PAID:
            self.differs(MISSING, payout=payout)
        elif said is None:
            self.matched += payout.state == State.REVERSED
        elif said.cents != payout.cents:
            self.differs(AMOUNT, payout=payout, sent=said)
        elif not _fits(payout, said):
            self.differs(STATE, payout=payout, sent=said)
        else:
            self.theirs += _out(said)
            self.matched += 1

    def _ask(self, payout: Payout, said: Sent | None) -> tuple[Sent | None, Payout]:
        """The list is a moment old, and begins somewhere: what the provider says of this very payout now."""
        outcome = self.provider.look_up(payout)
        if outcome is None:
            return said, payout
        cents = payout.cents if outcome.cents is None else outcome.cents
        if said is None or said.cents == payout.cents:
            payout = payouts.settle(payout, outcome)
        else:
            cents = said.cents
        return Sent(payout.key, outcome.reference, cents, outcome.state), payout

    def differs(
        self, what: str, *, payout: Payout | None = None, sent: Sent | None = None, ours: int | None = None
    ) -> None:
        theirs = _out(sent)
        self.theirs += theirs
        self.differences.append(
            {
                "what": what,
                "key": str(payout.key if payout else sent.key or ""),
                "reference": sent.reference if sent else payout.reference,
                "ours": _out(payout) if ours is None else ours,
                "theirs": theirs,
            }
        )


def _by_key(sent: Iterable[Sent]) -> dict[UUID | None, list[Sent]]:
    found = defaultdict(list)
    for one in sent:
        found[one.key].append(one)
    return found


def _fits(payout: Payout, said: Sent) -> bool:
    return said.state in FITS.get(payout.state, ())


def _outcome(said: Sent) -> Outcome:
    return Outcome(said.state, said.reference, cents=said.cents, paid_on=said.paid_on)


def _out(one: Payout | Sent | None) -> int:
    return one.cents if one and one.state == base.PAID else 0
