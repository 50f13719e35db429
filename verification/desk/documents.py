"""Pages of documents, for reviewers alone."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404

from verification.models import Document
from verification.services import proofs

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "inline",
}


def page(request, claim_id: int, key: str, number: int, *, may_view) -> HttpResponse:
    """One page of a document of this claim, watermarked and kept by nobody."""
    document = get_object_or_404(
        Document.objects.select_related("proof__claim__user"), proof__claim=claim_id, key=key, deleted_at=None
    )
    if not may_view(request, document.proof.claim):
        raise PermissionDenied
    if not 1 <= number <= document.pages:
        raise Http404
    image = proofs.read_page(document=document, page=number, by=request.user)
    return HttpResponse(image, content_type="image/jpeg", headers=HEADERS)
