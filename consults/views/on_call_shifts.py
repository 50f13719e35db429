"""When one is on call, and how often one lets oneself be paged."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.doors import active_physician_required
from consults import on_call_own
from consults.models import Shift
from consults.on_call_forms import OnCallWishesForm, OnceForm, WeeklyForm
from consults.services import shifts as services
from consults.views.on_call import post_or_board
from sermo.errors import RuleBroken


@active_physician_required
@require_safe
def shifts(request):
    return _page(request)


def _page(request, **forms):
    """The page with its three forms, one of them as it was sent."""
    member = request.user.as_member
    zone, wishes = on_call_own.zone_of(member), on_call_own.wishes_of(member)
    today = timezone.localdate(timezone=zone)
    typed = {name: getattr(wishes, name) for name in OnCallWishesForm.base_fields}
    context = {
        "member": member,
        "shifts": on_call_own.shifts_of(member, zone),
        "zone": on_call_own.zone_words(zone.key),
        "once": OnceForm(prefix="once", zone=zone, initial={"day": today}),
        "weekly": WeeklyForm(prefix="weekly", zone=zone),
        "wishes": OnCallWishesForm(initial=typed),
        **forms,
    }
    status = 422 if any(form.errors for form in forms.values()) else 200
    with timezone.override(zone):
        return render(request, "consults/on_call/shifts.html", context, status=status)


@active_physician_required
@post_or_board
def add_once(request):
    member = request.user.as_member
    form = OnceForm(request.POST, prefix="once", zone=on_call_own.zone_of(member))
    if form.is_valid():
        try:
            submission = form.cleaned_data["submission"]
            services.add_once(member=member, submission=submission, **form.stretch())
            messages.success(request, "The shift is set.")
            return redirect("on_call:shifts")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    return _page(request, once=form)


@active_physician_required
@post_or_board
def add_weekly(request):
    member = request.user.as_member
    form = WeeklyForm(request.POST, prefix="weekly", zone=on_call_own.zone_of(member))
    if form.is_valid():
        try:
            services.add_weekly(member=member, time_zone=form.zone.key, **form.cleaned_data)
            messages.success(request, "The weekly shift is set.")
            return redirect("on_call:shifts")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    return _page(request, weekly=form)


@active_physician_required
@post_or_board
def wishes(request):
    form = OnCallWishesForm(request.POST)
    if form.is_valid():
        try:
            services.save_wishes(member=request.user.as_member, **form.cleaned_data)
            messages.success(request, "Saved.")
            return redirect("on_call:shifts")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    return _page(request, wishes=form)


@active_physician_required
@post_or_board
def end(request, shift_id):
    member = request.user.as_member
    shift = get_object_or_404(Shift, pk=shift_id, member=member)
    try:
        services.end_shift(shift=shift, member=member)
        messages.success(
            request, "The shift has ended." if shift.weekday is None else "It does not come again."
        )
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("on_call:shifts")
