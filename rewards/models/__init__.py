"""Money: firms, earmarks, the ledger, what members earned, how it is paid out, and what is reported of it."""

from rewards.models.awards import Award, Slot, Sponsorship
from rewards.models.earmarks import Allowance, DrawDay, Earmark, Pool, Settlement
from rewards.models.firms import Affiliation, Charity, Firm
from rewards.models.ledger import Account, Entry, Transaction
from rewards.models.payees import Method, Payee, PayoutMethod, TaxForm
from rewards.models.payouts import (
    Approval,
    Payout,
    PayoutBatch,
    PayoutStep,
    PretendTransfer,
    ProviderEvent,
    Reconciliation,
)
from rewards.models.reporting import OpenPayment, Report, TaxFiling, YearRule
from rewards.models.rooms import RoomSponsorship

__all__ = [
    "Account",
    "Affiliation",
    "Allowance",
    "Approval",
    "Award",
    "Charity",
    "DrawDay",
    "Earmark",
    "Entry",
    "Firm",
    "Method",
    "OpenPayment",
    "Payee",
    "Payout",
    "PayoutBatch",
    "PayoutMethod",
    "PayoutStep",
    "Pool",
    "PretendTransfer",
    "ProviderEvent",
    "Reconciliation",
    "Report",
    "RoomSponsorship",
    "Settlement",
    "Slot",
    "Sponsorship",
    "TaxFiling",
    "TaxForm",
    "Transaction",
    "YearRule",
]
