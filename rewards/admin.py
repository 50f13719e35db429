"""The finance desk. Who has it is said in `rewards.desk.permissions`; moderators and reviewers see none of it."""

from rewards.desk import permissions, room_pages  # noqa: F401 - a receiver; pages of focus groups
from rewards.desk.earmarks import EarmarkAdmin, SponsorshipAdmin
from rewards.desk.firms import AffiliationAdmin, CharityAdmin, FirmAdmin
from rewards.desk.ledger import AccountAdmin, EntryAdmin, TransactionAdmin
from rewards.desk.payouts import PayoutAdmin, PayoutBatchAdmin, ProviderEventAdmin, ReconciliationAdmin
from rewards.desk.reports import OpenPaymentAdmin, ReportAdmin, YearRuleAdmin
from rewards.desk.rooms import RoomSponsorshipAdmin

__all__ = [
    "AccountAdmin",
    "AffiliationAdmin",
    "CharityAdmin",
    "EarmarkAdmin",
    "EntryAdmin",
    "FirmAdmin",
    "OpenPaymentAdmin",
    "PayoutAdmin",
    "PayoutBatchAdmin",
    "ProviderEventAdmin",
    "ReconciliationAdmin",
    "ReportAdmin",
    "RoomSponsorshipAdmin",
    "SponsorshipAdmin",
    "TransactionAdmin",
    "YearRuleAdmin",
]
