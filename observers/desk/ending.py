"""What ends with a contract, and what does not, for whoever is about to end it."""

from typing import NamedTuple

from django.db.models import Count, Q
from django.utils import timezone

from observers import market
from observers.models import Contract, FirmSearch
from observers.services import company, seating
from rewards.models import Earmark, Sponsorship
from rewards.words import dollars


class Fact(NamedTuple):
    """A part of what a firm has here, how much there is of it, and what becomes of it."""

    what: str
    there: str
    becomes: str


def what_ends(contract: Contract) -> list[Fact]:
    """In a fixed number of queries. One whose first day is still to come takes nothing away but its days."""
    firm = contract.firm
    if contract.starts_on > timezone.now().date():
        return [Fact("Its days", f"from {contract.starts_on:%b %-d, %Y}", "The firm may not watch on them.")]
    names = list(firm.seats.active().order_by("number").values_list("number", "name"))
    searches = FirmSearch.objects.filter(firm=firm, ended_at=None).aggregate(
        all=Count("pk"), told=Count("pk", filter=Q(alert=FirmSearch.Alert.DAILY))
    )
    earmarks = Earmark.objects.filter(firm=firm, state__in=market.STANDING).count()
    polls = Sponsorship.objects.filter(firm=firm, ended_at=None).count()
    standing = market.standing_of(firm)
    unanswered = company.waiting().filter(firm=firm).count()
    return [
        Fact(
            "Seats",
            ", ".join(f"{number}: {name}" for number, name in names) or "none",
            "Open nothing from the next request on.",
        ),
        Fact(
            "Offered seats",
            str(seating.open_invitations(firm).count() or "none"),
            "Cannot be taken.",
        ),
        Fact(
            "Saved searches",
            f"{searches['all']}, {searches['told']} with alerts" if searches["all"] else "none",
            "Send no alert any more. They are there again with another contract.",
        ),
        Fact(
            "Reserved for earmarks",
            f"{dollars(standing.for_earmarks)} for {earmarks}" if earmarks else "nothing",
            "Stays promised: it is paid as the discussions close, and the rest comes back to the balance.",
        ),
        Fact(
            "Reserved for polls",
            f"{dollars(standing.for_polls)} for {polls}" if polls else "nothing",
            "Stays promised until they close.",
        ),
        *_groups(standing),
        Fact(
            "Free balance",
            dollars(standing.balance),
            "Stays the firm's; the finance desk pays it back.",
        ),
        Fact(
            "Questions of physicians",
            f"{unanswered} without an answer" if unanswered else "none waits",
            "Stay where they stand. The pages of its products take no new ones.",
        ),
    ]


def _groups(standing: market.Standing) -> list[Fact]:
    if not standing.for_groups:
        return []
    return [Fact("Reserved for focus groups", dollars(standing.for_groups), "Stays promised until they end.")]
