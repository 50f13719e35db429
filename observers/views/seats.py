"""A firm's seats: who has one, who is offered one, taking one, and why one reads."""

from django.contrib import messages
from django.contrib.auth import logout
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from observers.doors import PURPOSE, seat_admin_required, seat_required
from observers.seat_forms import InviteForm, JoinForm, PurposeForm
from observers.services import seating
from sermo.errors import RuleBroken

MOST_ENDED = 50  # shown of those that ended


@seat_admin_required
@require_safe
def seats(request):
    """Those of one's own firm: taken, offered, ended."""
    taken = list(request.firm.seats.active().select_related("user"))
    offered = list(seating.open_invitations(request.firm))
    of_plan = request.seat.contract.plan.seats
    context = {
        "taken": taken,
        "offered": offered,
        "ended": request.firm.seats.filter(ended_at__isnull=False).order_by("-ended_at")[:MOST_ENDED],
        "of_plan": of_plan,
        "left": max(0, of_plan - len(taken) - len(offered)),
    }
    return render(request, "observers/seats/list.html", context)


@seat_admin_required
def invite(request):
    form = InviteForm(request.POST or None, contract=request.seat.contract)
    if request.method == "POST" and form.is_valid():
        try:
            seating.invite(firm=request.firm, by=request.user, **form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Invited. The link leaves by mail.")
            return redirect("observers:seats")
    status = 422 if form.is_bound else 200
    return render(request, "observers/seats/invite.html", {"form": form}, status=status)


@seat_admin_required
@require_POST
def withdraw(request, pk):
    invitation = get_object_or_404(request.firm.seat_invitations, pk=pk)
    try:
        seating.withdraw(invitation=invitation, by=request.user)
        messages.success(request, "Withdrawn. The link leads nowhere now.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("observers:seats")


@seat_admin_required
def end(request, number):
    """Asks first: a seat that ended is not given back."""
    seat = get_object_or_404(request.firm.seats.active().select_related("user"), number=number)
    if request.method != "POST":
        return render(request, "observers/seats/end.html", {"ending": seat})
    try:
        seating.end(seat=seat, by=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("observers:seats")
    if seat.pk == request.seat.pk:
        return redirect("home")
    messages.success(request, f"Seat {seat.number} has ended and is logged out.")
    return redirect("observers:seats")


@sensitive_post_parameters()
@sensitive_variables()
@never_cache
def join(request, token):
    """Behind the link of an invitation: a password makes the log-in, and the seat is taken."""
    invitation = seating.invitation_by(token)
    if invitation is None:
        return render(request, "observers/seats/join.html", status=404)
    form = JoinForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        try:
            seating.accept(token=token, password=form.cleaned_data["password"])
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            logout(request)
            messages.success(request, "The seat is yours. Log in with your address and the password.")
            return redirect("account_login")
    context = {"invitation": invitation, "form": form}
    return render(request, "observers/seats/join.html", context, status=422 if form.is_bound else 200)


@seat_required
def purpose(request):
    """Why this seat reads, as each author of what it reads is told."""
    contract = request.seat.contract
    form = PurposeForm(request.POST or None, contract=contract, initial={"purpose": request.purpose})
    back = _back(request)
    if request.method == "POST" and form.is_valid():
        seating.choose_purpose(seat=request.seat, contract=contract, purpose=form.cleaned_data["purpose"])
        request.session[PURPOSE] = request.seat.purpose
        return redirect(back)
    context = {"form": form, "back": back}
    return render(request, "observers/seats/purpose.html", context, status=422 if form.is_bound else 200)


def _back(request) -> str:
    """Where one came from, within the console."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    console = reverse("observers:list")
    is_here = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if is_here and asked.startswith(console) else console
