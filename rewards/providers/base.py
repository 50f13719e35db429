"""What everything that sends money out offers, whatever stands behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rewards.models import Payout

PAID, SUBMITTED, FAILED, RETURNED, UNKNOWN = "paid", "submitted", "failed", "returned", "unknown"


class InDoubt(Exception):
    """There was no answer, or one that leaves open whether money moved: a time-out, a lost connection, 5xx, 429."""


class BadSignature(Exception):
    """A message that is not shown to come from the provider, or comes too late."""


@dataclass(frozen=True)
class Outcome:
    """What a provider says of one payout.

    `failed` means that no money left and none will; `returned` that it left and came back; `submitted` that the
    provider has it in hand; `unknown` that it says nothing to go by, so that the payout stays as it is, or is in doubt
    where there is a problem for a person to clear up.
    """

    state: str
    reference: str = ""  # the provider's name for it, at most 120 characters
    problem: str = ""  # in words, without names or numbers of accounts
    cents: int | None = None  # the sum it says this of; none: it does not say, or not in dollars of ours
    paid_on: date | None = None  # when the money left, in the payer's time zone; none: it does not say


@dataclass(frozen=True)
class Sent:
    """One line of a provider's own list."""

    key: UUID | None  # none: it was not sent by us
    reference: str
    cents: int
    state: str  # as in Outcome
    paid_on: date | None = None  # ditto


@dataclass(frozen=True)
class Event:
    """A message that was proved to come from the provider. It says which payouts to ask about, not what is true."""

    id: str
    kind: str
    keys: tuple[UUID, ...]


class Provider:
    """Base of all; each method that is not overridden says that the provider cannot do it."""

    name = ""
    sends = True  # by itself, when `running` asks it to; otherwise people take payouts away in files

    def is_ready(self) -> bool:
        """Whether the settings hold all that it needs."""
        return True

    def send(self, payout: Payout) -> Outcome:
        """Send the money under `payout.key`; asked again with that key it moves no second cent.

        Called outside of any transaction, after the payout was committed as submitted. Raises InDoubt; so is taken
        whatever else it raises.
        """
        raise NotImplementedError

    def look_up(self, payout: Payout) -> Outcome | None:
        """What became of it; None where the provider has never heard of its key, so that sending it is safe.

        Raises InDoubt.
        """
        raise NotImplementedError

    def sent_since(self, moment: datetime) -> Iterable[Sent]:
        """Everything the provider sent for us since then, in any order. Raises InDoubt."""
        raise NotImplementedError

    def event(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Prove and read a message. Raises BadSignature; InDoubt where the proof needs an answer that did not come."""
        raise BadSignature
