"""Who may come to the console. What a firm finds there is the matter of each table's gate, `open_to`."""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.shortcuts import redirect

from accounts.demo_logins import DEMO_LOGINS
from accounts.doors import login_required
from accounts.models import User
from accounts.templatetags import frame
from observers.models import Contract, RoomWatch, Seat
from observers.services import adverse_events, company, contracting, recalling

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
            return _to_second_factor(request)
        request.seat, request.firm = seat, seat.firm
        request.purpose = _purpose(request, seat.contract)
        return view(request, *args, **kwargs)

    return login_required(door)


def seat_or_files_required(view):
    """The same, and whoever holds a seat of a firm under no contract that has files to destroy: there `request.seat` is
    None, and `request.firm` set."""
    of_seats = seat_required(view)

    @wraps(view)
    def door(request, *args, **kwargs):
        firm = recalling.told_firm(request.user) if seat_of(request.user) is None else None
        if firm is None:
            return of_seats(request, *args, **kwargs)
        if _lacks_second_factor(request.user):
            return _to_second_factor(request)
        request.seat, request.firm = None, firm
        return view(request, *args, **kwargs)

    return login_required(door)


def _to_second_factor(request):
    messages.info(request, "Your seat needs a second factor. Set one up to go on.")
    return redirect("mfa_index")


def _lacks_second_factor(user: User) -> bool:
    if settings.DEMO and user.email in DEMO_LOGINS:
        return False
    return not getattr(user, "has_second_factor", False)


def seat_of(user: User) -> Seat | None:
    """The seat somebody holds, with its firm and `contract` with its plan loaded, in one query.

    The contract brings what the firm has yet to answer: `questions_waiting`, `events_waiting`; and `watches_groups`,
    whether this seat was let into a focus group.
    """
    own = Seat.objects.active().filter(firm=OuterRef("firm"), user=user.pk)
    contract = (
        Contract.objects.current()
        .select_related("plan", "firm__block_figure")
        .annotate(
            own_seat=Subquery(own.values_list(JSONObject(**{name: name for name in OWN}))[:1]),
            questions_waiting=_number_of(company.reached(OuterRef("firm")).filter(answered_at=None)),
            events_waiting=_number_of(adverse_events.of_firm(OuterRef("firm")).filter(outcome="")),
            watches_groups=Exists(RoomWatch.objects.filter(seat__user=user.pk)),
        )
        .filter(own_seat__isnull=False)
        .first()
    )
    if contract is None:
        return None
    seat = Seat(user=user, firm=contract.firm, **contract.own_seat)
    seat.contract = contract
    return seat


def _number_of(rows: QuerySet) -> Coalesce:
    """How many rows of the firm there are, for the query of its contract."""
    return Coalesce(Subquery(rows.order_by().values("firm").annotate(number=Count("pk")).values("number")), 0)


def seat_in_menus(user: User) -> Seat | None:
    """The seat whose menu somebody is shown outside the console; none without the second factor that it takes."""
    seat = seat_of(user)
    return None if seat is None or _lacks_second_factor(user) else seat


frame.SEATS.append(seat_in_menus)


def seat_admin_required(view):
    """Whoever of a firm gives its seats."""

    @wraps(view)
    def door(request, *args, **kwargs):
        if not request.seat.is_admin:
            raise PermissionDenied("Your seat does not include this. Ask who gives the seats of your firm.")
        return view(request, *args, **kwargs)

    return seat_required(door)


def _purpose(request, contract: Contract) -> str:
    """The purpose chosen in this session, as far as the contract allows it, else the seat's."""
    chosen = request.session.get(PURPOSE)
    return chosen if chosen in contract.purposes else contracting.purpose_of(request.seat, contract)
