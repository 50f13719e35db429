"""A limit on what is stored of an upload while it still comes in."""

from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from verification import rules


class SizeLimit(FileUploadHandler):
    """Drops a file that grows too large, so that it fills neither memory nor disk, and leaves a mark on the request."""

    def receive_data_chunk(self, raw_data, start):
        if start + len(raw_data) > rules.DOCUMENT_BYTES:
            self.request.upload_too_large = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size):
        return None
