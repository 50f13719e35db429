"""The switch that turns the questions off and on, and what the alarm saw."""

from itertools import groupby

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.admin import ReadOnlyAdmin
from sermo.errors import RuleBroken
from verification import rules
from verification.models import ChallengeSwitch
from verification.services import limits, switch

SHOWN = 20  # turns of the switch


class SwitchForm(forms.Form):
    """Why it is turned, and which way the button said, so that an old page does not turn it back."""

    on = forms.TypedChoiceField(
        choices=[("1", ""), ("0", "")],
        coerce=lambda sent: sent == "1",
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Say which way: load the page again."),
    )
    why = forms.CharField(
        label="Why",
        max_length=switch.LONGEST_REASON,
        help_text="A sentence for your colleagues; no names, no numbers.",
        error_messages={"required": switch.ReasonMissing.message},
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )


@admin.register(ChallengeSwitch)
class ChallengeSwitchAdmin(ReadOnlyAdmin):
    """One page in place of a list: how the switch stands, who turned it when, and the failures by hour."""

    def has_view_permission(self, request, obj=None):
        return obj is None and super().has_view_permission(request)

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_turn = request.user.has_perm("verification.turn_questions")
        if request.method == "POST" and not may_turn:
            raise PermissionDenied
        form = SwitchForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._turn(request, form):
            return HttpResponseRedirect(reverse("admin:verification_challengeswitch_changelist"))
        status = 422 if form.is_bound and form.errors else 200
        context = self._context(request) | {"form": form, "may_turn": may_turn}
        return TemplateResponse(request, "verification/desk/switch.html", context, status=status)

    def _turn(self, request, form) -> bool:
        on = form.cleaned_data["on"]
        try:
            switch.turn(on=on, by=request.user, why=form.cleaned_data["why"])
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
            return False
        messages.success(request, f"The questions are {'on' if on else 'off'}.")
        return True

    def _context(self, request) -> dict:
        hours = limits.failures_by_hour(timezone.now())
        days = [(day, _by_clock(each)) for day, each in groupby(hours, key=lambda hour: hour[0].date())][::-1]
        turns = list(ChallengeSwitch.objects.all()[:SHOWN])
        return {
            **self.admin_site.each_context(request),
            "title": "Questions on and off",
            "opts": self.opts,
            "is_on": rules.CHALLENGE_ON and (not turns or turns[0].is_on),
            "is_off_in_settings": not rules.CHALLENGE_ON,
            "turns": turns,
            "days": [day for day, _ in days],
            "clock": list(enumerate(zip(*(counts for _, counts in days), strict=True))),
            "total": sum(count for _, count in hours),
            "alarm_factor": limits.ALARM_FACTOR,
            "fewest": limits.FEWEST_FOR_ALARM,
            "zone": timezone.get_current_timezone_name(),
        }


def _by_clock(hours) -> list[int | str]:
    """The counts of a day, one for each of 24 hours: nothing where the day has not come so far or begins later.

    When the clocks go back, one hour stands for two.
    """
    counts: list[int | str] = [""] * 24
    for at, count in hours:
        counts[at.hour] = count + (counts[at.hour] or 0)
    return counts
