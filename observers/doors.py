"""Who may come to the console. What a firm finds there is the matter of each table's gate, `open_to`."""

from functools import wraps

from django.core.exceptions import PermissionDenied

from accounts.doors import login_required
from observers.models import Contract, Purpose, Seat

PURPOSE = "purpose"  # in the session: why this seat reads now


def seat_required(view):
    """Whoever holds a seat of a firm under contract. Sets `request.seat`, `request.firm` and `request.purpose`.

    Anybody else is refused: members, staff and seats without a contract alike.
    """

    @wraps(view)
    def door(request, *args, **kwargs):
        seat = Seat.objects.active().select_related("firm").filter(user=request.user).first()
        contract = seat and Contract.objects.current().select_related("plan").filter(firm=seat.firm).first()
        if contract is None:
            raise PermissionDenied("This page is for observers. No firm under contract has given you a seat.")
        seat.user, seat.contract = request.user, contract
        request.seat, request.firm = seat, seat.firm
        request.purpose = _purpose(request, contract)
        return view(request, *args, **kwargs)

    return login_required(door)


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
