"""Pictures, to whoever may see them. Nothing keeps them, so that what was withdrawn is gone at once."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.doors import active_physician_required, physician_required
from consults.models import Image
from consults.services import files
from questions.views.moderation import moderator_required

HEADERS = {"Cache-Control": "private, no-store", "Content-Security-Policy": "sandbox"}


@physician_required
@require_safe
def image(request, key):
    """A masked picture of a published case; `size` is full, screen or thumb, `window` a rendition of a DICOM file."""
    return _answer(request, get_object_or_404(Image.objects.visible_to(request.user), key=key))


@active_physician_required
@require_safe
def draft_image(request, draft_key, key):
    """A picture of one's own draft: while it is staged as it came, later as masked."""
    rows = Image.objects.of_draft_of(request.user.as_member)
    return _answer(request, get_object_or_404(rows, key=key, draft=draft_key))


@moderator_required
@require_safe
def desk_image(request, key):
    return _answer(request, get_object_or_404(Image.objects.on_desk(request.user), key=key))


def _answer(request, found: Image) -> HttpResponse:
    window, size = request.GET.get("window", ""), request.GET.get("size", "screen")
    if window not in [known for known, _ in found.windows]:
        window = found.windows[0][0]
    try:
        jpeg = files.read(found, size, window) if found.is_masked else files.read_staged(found, window, size)
    except FileNotFoundError as gone:
        raise Http404 from gone
    return HttpResponse(jpeg, content_type="image/jpeg", headers=HEADERS)
