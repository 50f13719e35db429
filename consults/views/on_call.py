"""On call: the board, the pages one received and sent, and what one does about them."""

from functools import wraps

from django.contrib import messages
from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.doors import active_physician_required, physician_required, polled
from consults import on_call_board, on_call_own
from consults import on_call_reading as reading
from consults.models import Call, Case
from consults.on_call_board import Crowd
from consults.on_call_forms import HandOverForm
from consults.services import calls, routing, shifts
from sermo.errors import RuleBroken

PENDING = (*Call.OPEN, Call.State.ACCEPTED)


def post_or_board(view):
    """POST goes through; a GET, mostly from logging in again, changes nothing and leads to the board."""

    @wraps(view)
    def door(request, **kwargs):
        if request.method == "POST":
            return view(request, **kwargs)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["POST"])
        messages.warning(request, "Nothing was sent. Send it again from here.")
        return redirect("on_call:board")

    return door


# Reading


@physician_required
@never_cache
@require_safe
def board(request):
    """One's own state and inbox, and who is on call for what. At most 8 queries."""
    member, now = request.user.as_member, timezone.now()
    context = {"now": now, "member": member, "places": on_call_board.board(request.user, now=now)}
    if member is None:
        return render(request, "consults/on_call/board.html", context)
    own = on_call_own.own_state(member)
    context |= {"own": own, "may_be": member.may_write and member.specialty_id, **_inbox(request, now)}
    with timezone.override(own.zone):
        return render(request, "consults/on_call/board.html", context)


@polled
@physician_required
@never_cache
@require_safe
def inbox(request):
    """The pages alone, asked for again and again by an open board; 204 where it has them already."""
    member = request.user.as_member
    if member is None or not request.htmx:
        return redirect("on_call:board")
    context = _inbox(request, timezone.now())
    if request.GET.get("known") == context["state"]:
        return HttpResponse(status=204)
    with timezone.override(on_call_own.zone_of(member)):
        return render(request, "consults/on_call/_inbox.html", context)


def _inbox(request, now) -> dict:
    """What is shown counts as seen."""
    member = request.user.as_member
    received = reading.received(request.user, now=now)
    if any(call.is_unseen for call in received):
        calls.see(member=member)
    sent = reading.sent_by(member)
    return {
        "received": received,
        "waiting": [call for call in received if call.is_open],
        "accepted": [call for call in received if call.is_accepted],
        "past": [call for call in received if not call.is_open and not call.is_accepted],
        "sent": sent,
        "state": reading.state_of(received, sent, now),
    }


# Being available


@active_physician_required
@post_or_board
def available(request):
    try:
        shifts.make_available(member=request.user.as_member)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("on_call:board")


@active_physician_required
@post_or_board
def end(request):
    shifts.end_available(member=request.user.as_member)
    messages.success(request, "You are not available any more.")
    return redirect("on_call:board")


# Pages received


@active_physician_required
@post_or_board
def accept(request, call_id):
    """On to the case, which now waits for the answer."""
    call = own_call(request, call_id)
    try:
        calls.accept(call=call, member=request.user.as_member)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("on_call:board")
    case = call.paging.case
    words = 'You accepted this page. Your answer is awaited. <a href="{}#your-answer">Answer the case</a>'
    messages.warning(request, format_html(words, case.get_absolute_url()))  # stands on top until one leaves
    return redirect(case)


@active_physician_required
@post_or_board
def decline(request, call_id):
    try:
        calls.decline(call=own_call(request, call_id), member=request.user.as_member)
        messages.success(request, "Passed on. You are not paged for it again.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("on_call:board")


@active_physician_required
def hand_over(request, call_id):
    """Choose who gets it, of those who can take it now; whom only the number is known of may come next in line."""
    member = request.user.as_member
    call = own_call(request, call_id)
    if call.state == Call.State.HANDED_OVER or (request.method != "POST" and call.state not in PENDING):
        return redirect("on_call:board")
    able = {one.member for one in routing.takers(call.paging, member, timezone.now())}
    takers = calls.takers(call=call) if able else []
    crowd = Crowd(tuple(one.handle for one in takers), len(able - {one.pk for one in takers}))
    form = HandOverForm(request.POST if request.method == "POST" else None, takers=takers, others=crowd.words)
    if request.method == "POST" and form.is_valid():
        try:
            calls.hand_over(call=call, member=member, to=form.taker())
            messages.success(request, "Handed over. Your colleague is paged.")
            return redirect("on_call:board")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "call": call, "case": call.paging.case, "crowd": crowd}
    return render(request, "consults/on_call/hand_over.html", context, status=422 if form.errors else 200)


def own_call(request, call_id) -> Call:
    """A page to oneself, of a case one may still read. Raises Http404."""
    rows = Call.objects.filter(paging__case__in=Case.objects.visible_to(request.user))
    rows = rows.select_related("paging__case__question", "paging__specialty")
    call = get_object_or_404(rows, pk=call_id, member=request.user.as_member)
    call.member = request.user.as_member
    return call
