"""The limit on a document while it still comes in."""

from sermo import uploads
from verification import rules


class SizeLimit(uploads.SizeLimit):
    def __init__(self, request):
        super().__init__(request, rules.DOCUMENT_BYTES)
