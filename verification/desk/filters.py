"""By what the queue is narrowed: where a claim stands, how risky it is, how long it waits, who reads it."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone

from verification.models.claims import State
from verification.services import risk


class QueueFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "queue"

    def lookups(self, request, model_admin):
        return [("all", "All claims"), *State.choices]

    def choices(self, changelist):
        waiting, *others = super().choices(changelist)
        yield {**waiting, "display": "Waiting for a decision"}
        yield from others

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset.exclude(queued_at=None)
        return queryset if self.value() == "all" else queryset.filter(state=self.value())


class RiskFilter(admin.SimpleListFilter):
    title = "risk"
    parameter_name = "risk"

    def lookups(self, request, model_admin):
        return [
            ("high", f"High: {risk.HIGH} and more"),
            ("medium", f"Medium: {risk.MEDIUM} to {risk.HIGH - 1}"),
            ("low", f"Low: under {risk.MEDIUM}"),
        ]

    def queryset(self, request, queryset):
        bounds = {
            "high": Q(risk__gte=risk.HIGH),
            "medium": Q(risk__gte=risk.MEDIUM, risk__lt=risk.HIGH),
            "low": Q(risk__lt=risk.MEDIUM),
        }
        return queryset.filter(bounds[self.value()]) if self.value() in bounds else queryset


class WaitingFilter(admin.SimpleListFilter):
    title = "waiting"
    parameter_name = "waiting"
    HOURS = {"4": (0, 4), "24": (4, 24), "72": (24, 72), "more": (72, None)}

    def lookups(self, request, model_admin):
        return [
            ("4", "Under 4 hours"),
            ("24", "4 to 24 hours"),
            ("72", "1 to 3 days"),
            ("more", "3 days and more"),
        ]

    def queryset(self, request, queryset):
        if self.value() not in self.HOURS:
            return queryset
        least, most = self.HOURS[self.value()]
        now = timezone.now()
        queryset = queryset.filter(queued_at__lte=now - timedelta(hours=least))
        return queryset if most is None else queryset.filter(queued_at__gt=now - timedelta(hours=most))


class ReaderFilter(admin.SimpleListFilter):
    title = "read by"
    parameter_name = "reader"

    def lookups(self, request, model_admin):
        return [("nobody", "Nobody"), ("me", "Me"), ("others", "Another reviewer")]

    def queryset(self, request, queryset):
        is_held = Q(held_by__isnull=False, held_until__gt=timezone.now())
        mine = Q(held_by=request.user)
        narrowed = {"nobody": ~is_held, "me": is_held & mine, "others": is_held & ~mine}
        return queryset.filter(narrowed[self.value()]) if self.value() in narrowed else queryset


class SecondFilter(admin.SimpleListFilter):
    title = "second reviewer"
    parameter_name = "second"

    def lookups(self, request, model_admin):
        return [("wanted", "Approved once, needs another")]

    def queryset(self, request, queryset):
        return queryset.filter(first_approval__isnull=False) if self.value() == "wanted" else queryset
