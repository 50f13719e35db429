"""The way into a room and out of it: the invitation, the questions and the agreement before a seat; leaving.

To whom a room is not open nothing of it is there (404), not even a way to log in.
"""

from functools import wraps

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.doors import physician_required
from accounts.models import NoticeSettings
from accounts.services import notices
from focusgroups import lists
from focusgroups.agenda import zone_of
from focusgroups.joining_forms import AgreementForm, LeaveForm, ScreenerForm
from focusgroups.models import Candidate, Participant, Room, ScreenerQuestion
from focusgroups.services import screening, seating, telling
from focusgroups.terms import terms_of
from sermo.errors import RuleBroken
from sermo.paging import LARGEST_NUMBER

State = Candidate.State


def members_only(view):
    """Give a view the member who asks, whose clock then holds. Nothing of it is kept by a browser."""

    @wraps(view)
    def door(request, room_id):
        member = request.user.as_member if request.user.is_authenticated else None
        if member is None or not member.may_read or room_id >= LARGEST_NUMBER:
            raise Http404("No focus group of this number is open to this reader.")
        chosen = NoticeSettings.objects.filter(member=member).values_list("time_zone", flat=True).first()
        request.zone = zone_of(chosen)
        with timezone.override(request.zone):
            response = view(request, member, room_id)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return door


# What one is asked into and takes part in


@require_safe
@physician_required
def group_list(request):
    """All rooms of a member: to answer, waiting, running and over."""
    return render(request, "focusgroups/list.html", {"groups": lists.groups_of(request.user)})


def before_seat(request, room_id):
    """The page of a room to who is asked into it, or waits for a seat; to everybody else none."""
    return _invitation(request, room_id) if _asked(request.user, room_id) else None


@members_only
def _invitation(request, member, room_id):
    candidate = _candidate(request.user, room_id)
    notices.seen(member, telling.about(room_id))
    context = {"candidate": candidate, "terms": terms_of(candidate.room, request.zone)}
    if candidate.state == State.WAITING:
        context["place"] = seating.place_in_line(candidate)
        return render(request, "focusgroups/waiting.html", context)
    context |= {"question": screening.next_question(candidate), "outlook": seating.outlook(candidate)}
    return render(request, "focusgroups/invitation.html", context)


def _asked(user, room_id) -> bool:
    member = user.as_member if user.is_authenticated else None
    if member is None or room_id >= LARGEST_NUMBER:
        return False
    rooms = Room.objects.visible_to(user).filter(pk=room_id, ends_at__gt=timezone.now())
    return Candidate.objects.standing().filter(room__in=rooms, member=member).exists()


def _candidate(user, room_id, *, or_out=False) -> Candidate:
    """Who is asked into a room or waits for a seat of it, and with `or_out` who just was screened out."""
    rows = Candidate.objects.filter(member=user.as_member, room=room_id)
    rows = rows.select_related("room__sponsor", "cell", "member__specialty")
    candidate = rows.first()
    is_out = or_out and candidate and candidate.state == State.SCREENED_OUT
    if not is_out and (candidate is None or not _asked(user, room_id)):
        raise Http404("No focus group of this number asks this reader.")
    return candidate


# The questions before a seat


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def screener(request, member, room_id):
    """One question at a time. Whoever is not sought reads so here, with the thanks that are due."""
    candidate = _candidate(request.user, room_id, or_out=True)
    if candidate.state == State.SCREENED_OUT:
        return _turned_away(request, candidate)
    question = screening.next_question(candidate)
    if request.method == "POST":
        return _answer_screener(request, candidate, question)
    if question is None:
        is_waiting = candidate.state == State.WAITING
        return redirect("focusgroups:room" if is_waiting else "focusgroups:agreement", room_id)
    return _ask(request, candidate, question, ScreenerForm(question=question))


def _answer_screener(request, candidate, question):
    """A second tap at the same question finds it answered, and goes on."""
    sent = request.POST.get("question", "")
    asked = ScreenerQuestion.objects.filter(room=candidate.room, pk=sent if sent.isdecimal() else 0).first()
    if asked is None or question is None:
        return redirect("focusgroups:screener", candidate.room_id)
    form = ScreenerForm(request.POST, question=asked)
    if form.is_valid():
        try:
            candidate = screening.answer(
                candidate=candidate, question=asked, option=form.cleaned_data["option"]
            )
        except RuleBroken as refusal:
            form.add_error("option", str(refusal))
        else:
            if candidate.state == State.LAPSED:
                return _say_what_came(request, candidate)
            return redirect("focusgroups:screener", candidate.room_id)
    return _ask(request, candidate, asked, form, status=422)


def _ask(request, candidate, question, form, *, status=200):
    total = candidate.room.screener.count()
    context = {
        "room": candidate.room,
        "question": question,
        "form": form,
        "number": question.place + 1,
        "total": total,
        "thanks_left": screening.thanks_left(candidate.room) if total > screening.UNPAID else 0,
    }
    return render(request, "focusgroups/screener.html", context, status=status)


def _turned_away(request, candidate):
    context = {
        "thanks": screening.thanks_of(candidate),
        "is_promised": bool(candidate.room.thanks),
        "answered": candidate.screener_answers.count(),
        "unpaid": screening.UNPAID,
    }
    return render(request, "focusgroups/screened_out.html", context)


# The agreement


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def agreement(request, member, room_id):
    """To be accepted for a seat, and with each new version once more; afterwards, to be read again."""
    if seat := _seat(request.user, room_id):
        return _agreement_of_seat(request, seat)
    candidate = _candidate(request.user, room_id)
    if candidate.state == State.WAITING:
        return redirect("focusgroups:room", room_id)
    if screening.next_question(candidate):
        return redirect("focusgroups:screener", room_id)
    form = _agreement_form(request, candidate.room)
    if form.is_valid():
        try:
            candidate = seating.accept(candidate=candidate, agreement=form.cleaned_data["read"])
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            return _say_what_came(request, candidate)
    terms = terms_of(candidate.room, request.zone)
    context = {"terms": terms, "outlook": seating.outlook(candidate), "is_first": True}
    return _show_agreement(request, candidate.room, form, context)


def _agreement_of_seat(request, seat):
    needed = seating.needs_agreement(seat)
    form = _agreement_form(request, seat.room)
    if form.is_valid():
        try:
            seating.accept_again(participant=seat, agreement=form.cleaned_data["read"])
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Accepted. You can go on.")
            return redirect("focusgroups:room", seat.room_id)
    is_open = needed is not None and not seat.room.is_over
    return _show_agreement(request, seat.room, form, {"seat": seat, "is_accepted": not is_open})


def _agreement_form(request, of_room):
    newest = of_room.newest_agreement()
    return AgreementForm(request.POST if request.method == "POST" else None, newest=newest)


def _show_agreement(request, of_room, form, context):
    """With the newest version, and not ticked where another one was read."""
    newest = of_room.newest_agreement()
    if form.is_bound and form.data.get("read") != str(newest.pk):
        form = AgreementForm({"read": newest.pk, "accepts": ""}, newest=newest)
        form.errors.clear()
        form.add_error(None, seating.AgreementChanged.message)
    context |= {"room": of_room, "agreement": newest, "form": form}
    return render(request, "focusgroups/agreement.html", context, status=422 if form.is_bound else 200)


def _say_what_came(request, candidate):
    if candidate.state == State.LAPSED:
        messages.info(request, "There is no seat for you in this group.")
        return redirect("focusgroups:list")
    if candidate.state == State.SEATED:
        messages.success(request, f"You have a seat. In this group you are {candidate.seat.alias}.")
    else:
        messages.success(request, "All seats are taken. You are on the waiting list.")
    return redirect("focusgroups:room", candidate.room_id)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def decline(request, member, room_id):
    """A GET, mostly from logging in again, changes nothing and leads to where the button stands."""
    candidate = _candidate(request.user, room_id)
    if request.method != "POST":
        return redirect("focusgroups:room", room_id)
    was_waiting = candidate.state == State.WAITING
    try:
        screening.decline(candidate=candidate)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        left = "You wait no more." if was_waiting else "Declined."
        messages.success(request, f"{left} You are not asked into this group again.")
    return redirect("focusgroups:list")


# Out of it


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def leave(request, member, room_id):
    seat = _seat(request.user, room_id)
    if seat is None or seat.room.is_over:
        raise Http404("There is no seat to leave.")
    form = LeaveForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            seating.leave(participant=seat, **form.cleaned_data)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "You have left the group. What you earned stays yours.")
        return redirect("focusgroups:list")
    context = {"seat": seat, "room": seat.room, "form": form, "said": lists.said_by(seat)}
    return render(request, "focusgroups/leave.html", {**context, "earned": lists.earned_by(seat)})


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def withdraw(request, member, room_id):
    """Also for who left the room or lost their seat, until it closes; one who was removed reads nothing of it."""
    seat = _seat(request.user, room_id) or lists.left_open(member).filter(room=room_id).first()
    if seat is None or seat.room.is_over:
        raise Http404("There is nothing to take back.")
    if request.method == "POST":
        try:
            seating.withdraw(participant=seat)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Everything you said in the group is erased.")
        return redirect(seat.room if seat.is_seated else "focusgroups:list")
    context = {"seat": seat, "room": seat.room, "said": lists.said_by(seat), "earned": lists.earned_by(seat)}
    return render(request, "focusgroups/withdraw_all.html", context)


def _seat(user, room_id) -> Participant | None:
    rooms = Room.objects.entered_by(user).filter(pk=room_id)
    seats = Participant.objects.seated().filter(room__in=rooms, member=user.as_member)
    return seats.select_related("room", "member").first()
