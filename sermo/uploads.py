"""A limit on what is stored of an upload while it still comes in."""

from collections.abc import Callable
from functools import wraps

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.views.decorators.csrf import csrf_exempt


class SizeLimit(FileUploadHandler):
    """Drops a file that grows past `most` bytes, so that it fills neither memory nor disk.

    It leaves a mark on the request, `upload_too_large`. To be put before the other handlers, and before anything
    reads the form: the check of its token does.
    """

    def __init__(self, request: HttpRequest, most: int):
        super().__init__(request)
        self.most = most

    def receive_data_chunk(self, raw_data, start):
        if start + len(raw_data) > self.most:
            self.request.upload_too_large = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size):
        return None


def limited(view: Callable, most: int) -> Callable:
    """A view to which files of at most `most` bytes come. It has to check the token of the form itself: the limit must
    be in place before anything reads that."""

    @csrf_exempt
    @wraps(view)
    def door(request, *args, **kwargs):
        request.upload_handlers.insert(0, SizeLimit(request, most))
        return view(request, *args, **kwargs)

    return door
