"""When a completed section is earned for good: from then on nothing takes the honorarium back."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Member
from focusgroups.models import Completion, Participant, Room
from focusgroups.signals import earners_sought, section_completed


@transaction.atomic
def make_final(completions: QuerySet[Completion], *, is_alone: bool = False) -> int:
    """Make completions of a locked room final, those that are not yet, and announce each; return how many.

    All of them are final before the first is announced by section_completed, and the last that earns something says
    that it is. `is_alone` says that it happens at a moment of one person, not at the end of a section: money that moved
    with it would tell whose alias that is.
    """
    now = timezone.now()
    due = completions.filter(final_at=None).select_for_update(of=("self",)).order_by("pk")
    rows = list(due.select_related("section__room", "participant"))
    Completion.objects.filter(pk__in=[row.pk for row in rows]).update(final_at=now)
    last = next((row.pk for row in reversed(rows) if row.cents), None)
    for completion in rows:
        completion.final_at = now
        section_completed.send(
            sender=Completion,
            completion=completion,
            is_alone=is_alone,
            is_last=completion.pk == last,
        )
    return len(rows)


def is_unpaid(participant: Participant) -> bool:
    """Whether somebody who completes a section now is paid nothing for it, as earners_sought says."""
    own = Member.objects.filter(pk=participant.member_id)
    answers = earners_sought.send(sender=Room, room=participant.room, members=own)
    return any(own.filter(pk__in=some).exists() for _, some in answers if some is not None)
