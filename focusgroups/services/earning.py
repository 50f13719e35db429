"""When a completed section is earned for good: from then on nothing takes the honorarium back."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from focusgroups.models import Completion
from focusgroups.signals import section_completed


@transaction.atomic
def make_final(completions: QuerySet[Completion]) -> int:
    """Make completions of a locked room final, those that are not yet, and announce each; return how many.

    All of them are final before the first is announced by section_completed.
    """
    now = timezone.now()
    due = completions.filter(final_at=None).select_for_update(of=("self",)).order_by("pk")
    rows = list(due.select_related("section__room", "participant"))
    Completion.objects.filter(pk__in=[row.pk for row in rows]).update(final_at=now)
    for completion in rows:
        completion.final_at = now
        section_completed.send(sender=Completion, completion=completion)
    return len(rows)
