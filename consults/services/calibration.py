"""A member's own forecasts, and what they were worth. Nobody else's are ever asked for: pass who is logged in."""

from django.db.models import QuerySet

from accounts.models import Member
from consults import scores
from consults.models import Reply


def scored_of(member: Member) -> QuerySet[Reply]:
    """The forecasts of one member that met a confirmed outcome, those of the newest answers first."""
    rows = Reply.objects.filter(member=member, was_right__isnull=False)
    return rows.select_related("case__question", "diagnosis").order_by("-pk")


def forecasts_of(member: Member) -> list[scores.Forecast]:
    return list(scored_of(member).values_list("confidence", "was_right"))
