"""Who sends the money: which method goes by which provider is a setting (PAYOUT_PROVIDERS)."""

from django.conf import settings
from django.utils.module_loading import import_string

from rewards.models import Method
from rewards.providers.base import Provider
from sermo.errors import RuleBroken

KNOWN = {
    "manual": "rewards.providers.manual.Manual",
    "paypal": "rewards.providers.paypal.PayPal",
    "pretend": "rewards.providers.pretend.Pretend",
    "stripe": "rewards.providers.stripe.Stripe",
}


class NotOffered(RuleBroken):
    message = "Money is not paid out that way at the moment. Choose another way in your settings."


def of(name: str) -> Provider:
    """The provider of a payout. Raises KeyError for a name that is none."""
    return import_string(KNOWN[name])()


def for_method(method: str) -> Provider:
    """The provider a new payout goes by. Raises NotOffered where there is none, or one without its keys."""
    name = settings.PAYOUT_PROVIDERS.get(method)
    if not name:
        raise NotOffered
    provider = of(name)
    if not provider.is_ready():
        raise NotOffered
    return provider


def offered() -> list[str]:
    """The methods a member may choose among."""
    return [method for method in Method.values if method != Method.CHARITY and _is_offered(method)]


def _is_offered(method: str) -> bool:
    try:
        for_method(method)
    except NotOffered:
        return False
    return True
