"""Whether the menu leads to focus groups."""

from django.db.models import Exists, OuterRef, Q

from focusgroups.models import Candidate, Participant


def has_groups() -> Q:
    """Whether a user is asked into a room or has a seat in one, for `SermoBackend.also_asked`."""
    asked = Candidate.objects.standing().filter(
        member__user=OuterRef("pk"), room__published_at__isnull=False, room__closed_at=None
    )
    seated = Participant.objects.seated().filter(
        member__user=OuterRef("pk"), room__published_at__isnull=False
    )
    return Exists(asked) | Exists(seated)
