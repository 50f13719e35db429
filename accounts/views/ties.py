"""Connecting, following and blocking: the lists of one's own, and the buttons on others' pages."""

from functools import wraps

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts import faces
from accounts.doors import physician_required
from accounts.models import Block, Connection, Face, Member
from accounts.services import ties
from sermo.errors import RuleBroken
from sermo.paging import page
from sermo.returning import back_to, posted_from

ROWS = 30
MOST_COUNTED = 100  # requests; nobody counts further
LISTS = {"connected": "Connected", "received": "Received", "sent": "Sent"}


def member_required(view):
    """Whoever may read as a member; staff without a membership have nobody to be tied to."""

    @wraps(view)
    def door(request, *args, **kwargs):
        if request.user.as_member is None:
            raise PermissionDenied("This page is for members. Your account has no membership.")
        return view(request, *args, **kwargs)

    return physician_required(door)


# One's own lists


@member_required
def connections(request):
    """Whom one is connected with, who asks to be, and whom one has asked."""
    member = request.user.as_member
    chosen = request.GET.get("show") if request.GET.get("show") in LISTS else "connected"
    rows, order = _rows(member, chosen)
    rows = rows.select_related(
        "requester__specialty", "requester__subspecialty", "addressee__specialty", "addressee__subspecialty"
    )
    found = page(rows, order=order, after=request.GET.get("after"), size=ROWS)
    for connection in found:
        _dress(connection, member)
    address = reverse("accounts:connections")
    waiting = Connection.objects.received_by(member)[:MOST_COUNTED].count()
    context = {
        "page": found,
        "chosen": chosen,
        "lists": [
            (label, address if key == "connected" else f"{address}?show={key}", key == chosen, key)
            for key, label in LISTS.items()
        ],
        "waiting": waiting,
        "more_url": f"{address}?show={chosen}&after={found.next}" if found.next else None,
    }
    template = "accounts/_connection_rows.html" if request.htmx else "accounts/connections.html"
    return render(request, template, context)


def _rows(member, chosen):
    if chosen == "received":
        return Connection.objects.received_by(member), ("-requested_at", "-pk")
    if chosen == "sent":
        return Connection.objects.sent_by(member), ("-requested_at", "-pk")
    return Connection.objects.accepted().of(member), ("-answered_at", "-pk")


def _dress(connection, member):
    """Give a connection what its row asks for: the other, their shown facts, and names where they are exchanged."""
    other = connection.other(member)
    connection.colleague = other
    connection.is_open = other.may_read and other.user_id is not None
    connection.shown = faces.shown_to_physicians(other)
    connection.own_reveals = connection.reveals(member)
    connection.colleague_reveals = connection.reveals(other)
    connection.colleague_name = connection.name_of(other)
    if connection.colleague_name:
        connection.named = faces.named_facts_for(other, Member.Audience.CONNECTIONS)


@member_required
def blocks(request):
    """Whom one has blocked, and the way to lift it."""
    rows = request.user.as_member.blocks.select_related("blocked")
    found = page(rows, order=("-pk",), after=request.GET.get("after"), size=ROWS)
    for block in found:
        block.met_as = (
            block.blocked.handle if block.blocked_face == Face.HANDLE else block.blocked.display_name
        )
    address = reverse("accounts:blocks")
    context = {"page": found, "more_url": f"{address}?after={found.next}" if found.next else None}
    template = "accounts/_block_rows.html" if request.htmx else "accounts/blocks.html"
    return render(request, template, context)


# Buttons


def _member_page(handle):
    return reverse("accounts:member", args=[handle])


def _physician_page(key):
    return reverse("accounts:physician", args=[key])


def _member(request, handle):
    return get_object_or_404(Member.objects.visible_to(request.user), handle__lower=handle.lower())


@member_required
@posted_from(_member_page)
def connect(request, handle):
    member = _member(request, handle)
    try:
        made = ties.request_connection(requester=request.user.as_member, addressee=member)
    except ties.NoSuchMember as refusal:
        raise Http404 from refusal
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        connected = made.state == Connection.State.ACCEPTED
        messages.success(request, "Connected." if connected else "Requested.")
    return back_to(request, member.get_absolute_url())


ANSWERS = {
    "accept": (ties.accept, "Connected."),
    "refuse": (ties.refuse, "Declined. They are not told."),
    "withdraw": (ties.withdraw, "Withdrawn."),
    "end": (ties.end, "Ended. They are not told."),
}


@member_required
@posted_from(lambda connection_id: reverse("accounts:connections"))
def answer_connection(request, connection_id):
    """Accept or decline a request, withdraw one's own, or end a connection."""
    own = Connection.objects.of(request.user.as_member)
    connection = get_object_or_404(own, pk=connection_id)
    if request.POST.get("answer") not in ANSWERS:
        raise BadRequest("Choose accept, refuse, withdraw or end.")
    service, words = ANSWERS[request.POST["answer"]]
    try:
        service(connection=connection, by=request.user.as_member)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, words)
    return back_to(request, reverse("accounts:connections"))


@member_required
@posted_from(_member_page)
def follow(request, handle):
    """Follow (`follow` 1 or 0), and be told at once or not (`alerts` 1 or 0)."""
    own = request.user.as_member
    if request.POST.get("follow") == "0":
        ties.unfollow(follower=own, handle=handle)
        return back_to(request, _member_page(handle))
    member = _member(request, handle)
    try:
        ties.follow(follower=own, followed=member)
        if "alerts" in request.POST:
            ties.set_alerts(follower=own, followed=member, alerts=request.POST["alerts"] == "1")
    except ties.NoSuchMember as refusal:
        raise Http404 from refusal
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return back_to(request, member.get_absolute_url())


@member_required
@posted_from(_member_page)
def block(request, handle):
    """Block a handle."""
    return _block(request, _member(request, handle), Face.HANDLE)


@member_required
@posted_from(_physician_page)
def block_physician(request, key):
    """Block a real name."""
    rows = Member.objects.visible_to(request.user, face=Face.NAME)
    return _block(request, get_object_or_404(rows, physician_key=key), Face.NAME)


def _block(request, member, face):
    own_face = Face.NAME if request.POST.get("own_face") == Face.NAME else Face.HANDLE
    try:
        ties.block(blocker=request.user.as_member, blocked=member, blocked_face=face, blocker_face=own_face)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        page_of = member.get_absolute_url() if face == Face.HANDLE else member.physician_url
        return redirect(page_of)
    messages.success(request, "Blocked.")
    return redirect("accounts:blocks")


@member_required
@posted_from(lambda block_id: reverse("accounts:blocks"))
def unblock(request, block_id):
    own = get_object_or_404(Block, pk=block_id, blocker=request.user.as_member)
    ties.unblock(block=own, by=request.user.as_member)
    messages.success(request, "Unblocked.")
    return redirect("accounts:blocks")
