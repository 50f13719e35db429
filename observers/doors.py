"""Who may come to the console. What a firm finds there is the matter of each table's gate, `open_to`."""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.shortcuts import redirect

from accounts.demo_logins import DEMO_LOGINS
from accounts.doors import login_required
from accounts.models import User
from observers.models import Contract, Purpose, Seat

OWN = ("id", "number", "name", "is_admin", "purpose")
PURPOSE = "purpose"  # in the session: why this seat reads now


def seat_required(view):
    """Whoever holds a seat of a firm under contract. Sets `request.seat`, `request.firm` and `request.purpose`.

    Anybody else is refused: members, staff and seats without a contract alike. Whoever has no second factor is sent
    to set one up, whatever groups they are in.
    """

    @wraps(view)
    def door(request, *args, **kwargs):
        seat = seat_of(request.user)
        if seat is None:
            raise PermissionDenied("This page is for observers. No firm under contract has given you a seat.")
        if _lacks_second_factor(request.user):
            messages.info(request, "Your seat needs a second factor. Set one up to go on.")
            return redirect("mfa_index")
        request.seat, request.firm = seat, seat.firm
        request.purpose = _purpose(request, seat.contract)
        return view(request, *args, **kwargs)

    return login_required(door)


def _lacks_second_factor(user: User) -> bool:
    if settings.DEMO and user.email in DEMO_LOGINS:
        return False
    return not getattr(user, "has_second_factor", False)


def seat_of(user: User) -> Seat | None:
    """The seat somebody holds, with its firm and `contract` with its plan loaded, in one query."""
    own = Seat.objects.active().filter(firm=OuterRef("firm"), user=user.pk)
    contract = (
        Contract.objects.current()
        .select_related("plan", "firm")
        .annotate(own_seat=Subquery(own.values_list(JSONObject(**{name: name for name in OWN}))[:1]))
        .filter(own_seat__isnull=False)
        .first()
    )
    if contract is None:
        return None
    seat = Seat(user=user, firm=contract.firm, **contract.own_seat)
    seat.contract = contract
    return seat


def seat_admin_required(view):
    """Whoever of a firm gives its seats."""

    @wraps(view)
    def door(request, *args, **kwargs):
        if not request.seat.is_admin:
            raise PermissionDenied("Your seat does not include this. Ask who gives the seats of your firm.")
        return view(request, *args, **kwargs)

    return seat_required(door)


def _purpose(request, contract: Contract) -> str:
    """The purpose chosen in this session, else the seat's own, as far as the contract allows it."""
    for purpose in (request.session.get(PURPOSE), request.seat.purpose):
        if purpose in contract.purposes:
            return purpose
    return Purpose(contract.purposes[0])
