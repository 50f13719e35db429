"""What every service asks first that uses what a plan includes."""

from observers.models import Contract
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
