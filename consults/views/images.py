"""Pictures, to whoever may see them; to everybody else there is none, not even a way to log in.

Nothing keeps them, so that what was withdrawn is gone at once.
"""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from consults.models import Image
from consults.services import files
from consults.services.masking import STAGED_FOR

HEADERS = {"Cache-Control": "private, no-store", "Content-Security-Policy": "sandbox"}


@require_safe
def image(request, key):
    """A masked picture of a published case; `size` is full, screen or thumb, `window` a rendition of a DICOM file."""
    return _answer(request, get_object_or_404(Image.objects.visible_to(request.user), key=key))


@require_safe
def draft_image(request, draft_key, key):
    """A picture of one's own draft: while it is staged as it came, later as masked."""
    member = request.user.as_member if request.user.is_authenticated else None
    rows = Image.objects.of_draft_of(member if member and member.may_write else None)
    return _answer(request, get_object_or_404(rows, key=key, draft=draft_key))


@require_safe
def desk_image(request, key):
    return _answer(request, get_object_or_404(Image.objects.on_desk(request.user), key=key))


def _answer(request, found: Image) -> HttpResponse:
    window, size = request.GET.get("window", ""), request.GET.get("size", "screen")
    if window not in [known for known, _ in found.windows]:
        window = found.windows[0][0]
    if not found.is_masked and timezone.now() - found.staged_at > STAGED_FOR:
        raise Http404("This picture was not posted in time.")
    try:
        jpeg = files.read(found, size, window) if found.is_masked else files.read_staged(found, window, size)
    except FileNotFoundError as gone:
        raise Http404 from gone
    return HttpResponse(jpeg, content_type="image/jpeg", headers=HEADERS)
