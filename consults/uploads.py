"""Pictures of patients while they come in: in memory only, and not more of it than one member may take."""

from io import BytesIO

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from sermo.uploads import SizeLimit

LARGEST = 32_000_000  # bytes of one file; what a photo may have less is a rule of services.drafts
LARGEST_FORM = 96_000_000  # bytes of all files that a form without a script sends at once


class InMemory(FileUploadHandler):
    """Keeps files in memory, whatever their size: no unmasked picture is ever written to a temporary file.

    Files beyond LARGEST_FORM in sum are dropped, with the mark that SizeLimit leaves.
    """

    taken = 0

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.file = BytesIO()

    def receive_data_chunk(self, raw_data, start):
        if self.taken + start + len(raw_data) > LARGEST_FORM:
            self.request.upload_too_large = True
            raise SkipFile
        self.file.write(raw_data)

    def file_complete(self, file_size):
        self.taken += file_size
        self.file.seek(0)
        return InMemoryUploadedFile(
            self.file, self.field_name, self.file_name, self.content_type, file_size, self.charset
        )


def in_memory(request):
    """The handlers of a request whose body nothing has read yet."""
    return [SizeLimit(request, LARGEST), InMemory(request)]
