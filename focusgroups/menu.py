"""Whether the menu leads to focus groups: while anything stands on the list of a member."""

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from focusgroups.lists import still_listed
from focusgroups.models import Candidate, Participant


def has_groups() -> Q:
    """Whether a user is asked into a room, or has or had a seat in one, for `SermoBackend.also_asked`."""
    asked = Candidate.objects.standing().filter(
        member__user=OuterRef("pk"), room__published_at__isnull=False, room__closed_at=None
    )
    seated = Participant.objects.seated().filter(
        member__user=OuterRef("pk"), room__published_at__isnull=False
    )
    gone = Participant.objects.filter(still_listed(Now()), member__user=OuterRef("pk"))
    return Exists(asked) | Exists(seated) | Exists(gone)
