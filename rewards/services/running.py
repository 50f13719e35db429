"""Sending payouts, and asking again about those without an answer.

That a payout is sent stands committed before its provider is called, so a kill at any moment leaves either an approved
payout that nobody sent, or a submitted one that is asked about later. Sent again, under the same key, is only what the
provider has never heard of.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rewards import providers
from rewards.models import Payout
from rewards.providers.base import InDoubt, Outcome, Provider
from rewards.providers.manual import Manual
from rewards.services import payouts

STALE = timedelta(minutes=10)  # after which a call that left no trace is taken to be over
HELD_UP = "waits for a suspended member"
TROUBLES = 3  # in a row, after which a provider is left alone until the next run

State = Payout.State
logger = logging.getLogger(__name__)


def run(say: Callable[[str], object]) -> Counter:
    """Send what is approved and ask about what is open. Several runs may work at once; each may be stopped.

    Returns how many came to which state.
    """
    tally, troubles = Counter(), Counter()
    due = _due()
    try:
        for place, (pk, name) in enumerate(due, 1):
            if troubles[name] >= TROUBLES:
                happened = "left for later"
            else:
                happened = _advance(pk)
                troubles[name] = troubles[name] + 1 if happened == State.IN_DOUBT else 0
            if happened:
                tally[happened] += 1
                say(f"{place}/{len(due)} payout {pk}: {happened}")
    finally:
        counts = ", ".join(f"{number} {word}" for word, number in sorted(tally.items()))
        say(f"{tally.total()} payouts: {counts}." if counts else "No payout is due.")
    return tally


def _advance(pk: int) -> str:
    """One that cannot be taken on is logged, and those after it go on."""
    try:
        return advance(pk)
    except Exception:
        logger.exception("Payout %s was not taken on.", pk)
        return "not taken on"


def advance(pk: int) -> str:
    """Take one payout as far as its provider lets it go. Returns the state it came to, "" where others are at it."""
    payout = Payout.objects.get(pk=pk)
    provider = providers.of(payout.provider)
    if not provider.sends:
        return ""
    if not provider.is_ready():
        return "without its provider"
    if payout.state == State.APPROVED:
        return _send_if_free(provider, payout)
    if payout.state in (State.SUBMITTED, State.IN_DOUBT):
        return ask_about(payout, provider)
    return ""


def ask_about(payout: Payout, provider: Provider) -> str:
    """Learn from the provider what became of a payout; send it where it never arrived there."""
    outcome, problem = _heard(lambda: provider.look_up(payout))
    if problem:
        return payouts.doubt(payout, problem).state
    if outcome:
        return payouts.settle(payout, outcome).state
    return _send_if_free(provider, payout)


def _send_if_free(provider: Provider, payout: Payout) -> str:
    """Send it unless somebody else took it, or its member is suspended."""
    if claimed := _claim(payout, payout.state):
        return _send(provider, claimed)
    return HELD_UP if payouts.hold_up(Payout.objects.filter(pk=payout.pk, state=payout.state)) else ""


def _due() -> list[tuple[int, str]]:
    """First what waits to be sent. The others in any order, so that a few without answers do not hold up the rest."""
    rows = Payout.objects.exclude(provider=Manual.name).values_list("pk", "provider")
    open_ = Q(state=State.IN_DOUBT) | Q(state=State.SUBMITTED, sent_at__lt=timezone.now() - STALE)
    return [*rows.filter(state=State.APPROVED).order_by("pk"), *rows.filter(open_).order_by("?")]


@transaction.atomic(durable=True)
def _claim(seen: Payout, state: str) -> Payout | None:
    """Commit that it is sent now; None where it moved since it was seen, or waits for its member."""
    rows = payouts.free(Payout.objects.select_for_update(no_key=True, skip_locked=True))
    payout = rows.filter(pk=seen.pk, state=state, sent_at=seen.sent_at, tries=seen.tries).first()
    if payout is None:
        return None
    payout.sent_at, payout.problem = timezone.now(), ""
    payout.tries += 1
    payouts.move(payout, State.SUBMITTED)
    return payout


def _send(provider: Provider, payout: Payout) -> str:
    outcome, problem = _heard(lambda: provider.send(payout))
    if problem:
        return payouts.doubt(payout, problem).state
    return payouts.settle(payout, outcome).state


def _heard(call: Callable[[], Outcome | None]) -> tuple[Outcome | None, str]:
    """What a provider answered, or why its answer is in doubt: whatever it raises, money may have moved."""
    try:
        return call(), ""
    except InDoubt as doubt:
        return None, str(doubt) or "No answer."
    except Exception:
        logger.exception("A provider failed.")
        return None, "The provider answered with something unexpected."
