"""Answers that come no sooner than others of their kind, so that the time one takes tells nothing."""

from functools import wraps
from time import monotonic, sleep

from django.conf import settings


def paced(view):
    """Let what a form sends be answered after NEUTRAL_SECONDS at the earliest, whatever there was to do for it."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        if request.method != "POST":
            return view(request, *args, **kwargs)
        ready = monotonic() + settings.NEUTRAL_SECONDS
        try:
            return view(request, *args, **kwargs)
        finally:
            sleep(max(0.0, ready - monotonic()))

    return answer
