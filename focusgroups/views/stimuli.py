"""Pictures of a guide, marked with who looks at them; to everybody else there is none, not even a way to log in.

No browser keeps them, and a lost seat holds from the next look on.
"""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from focusgroups.models import Room, Stimulus
from focusgroups.services import seating, stimuli

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "sandbox",
}


@require_safe
def stimulus(request, room_id, key):
    """To participants, of a section that has opened: marked with their alias. What the newest version of the agreement
    says of pictures, they have accepted before; once the room is over, nobody can any more."""
    room = get_object_or_404(Room.objects.entered_by(request.user), pk=room_id)
    found = get_object_or_404(Stimulus, key=key, prompt__section__in=room.sections.released())
    participant = room.participants.seated().get(member=request.user.as_member)
    if not room.is_over and seating.needs_agreement(participant):
        raise Http404("The agreement comes first.")
    return _answer(found, room, participant.alias)


@require_safe
def desk_stimulus(request, room_id, key):
    """To those who run the room, of all its sections: marked with their number. The administration is around it."""
    room = get_object_or_404(Room.objects.run_by(request.user), pk=room_id)
    found = get_object_or_404(Stimulus, key=key, prompt__section__room=room)
    return _answer(found, room, f"moderator {request.user.pk}")


def _answer(found: Stimulus, room: Room, who: str) -> HttpResponse:
    today = room.in_its_zone(timezone.now())
    try:
        jpeg = stimuli.watermarked(found, f"{who}  group {room.pk}  {today:%Y-%m-%d}")
    except FileNotFoundError as gone:
        raise Http404 from gone
    return HttpResponse(jpeg, content_type="image/jpeg", headers=HEADERS)
