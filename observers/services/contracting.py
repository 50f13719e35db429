"""What every service asks first that uses what a plan includes, and what a contract says of a seat."""

from observers.models import Contract, Purpose, Seat
from rewards.models import Firm
from sermo.errors import RuleBroken


class NotContracted(RuleBroken):
    message = "Your firm is under no contract now."


def hold_contract(firm: Firm) -> Contract:
    """The contract in force. The firm is held, so that its seats use what a plan includes one after the other.

    Raises NotContracted.
    """
    Firm.objects.select_for_update(no_key=True).get(pk=firm.pk)
    contract = Contract.objects.current().filter(firm=firm).select_related("plan").first()
    if contract is None:
        raise NotContracted
    return contract


def purpose_of(seat: Seat, contract: Contract) -> Purpose:
    """What a seat reads for unless it says otherwise: its own purpose, else the first that the contract names."""
    return Purpose(seat.purpose if seat.purpose in contract.purposes else contract.purposes[0])
