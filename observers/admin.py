"""The desk of contracts. Who has it is said in `observers.desk.permissions`; nothing is deleted here."""

from observers.desk import back_room, permissions, products, recalls  # noqa: F401 - a receiver, and desks of their own
from observers.desk.contracts import ContractAdmin, PlanAdmin, SeatAdmin, SeatInvitationAdmin
from observers.desk.copies import ExportAdmin, ReadAdmin

__all__ = [
    "ContractAdmin",
    "ExportAdmin",
    "PlanAdmin",
    "ReadAdmin",
    "SeatAdmin",
    "SeatInvitationAdmin",
]
