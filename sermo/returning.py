"""Back to the page somebody came from."""

from functools import wraps

from django.contrib import messages
from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme


def back_to(request, usual: str):
    """Redirect to the page a form names in `next`, if it is one of this site, else to the usual one."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(wanted if is_ours else usual)


def posted_from(place):
    """The door of what only a POST may do.

    A GET, mostly from logging in again, changes nothing and leads to `place(**kwargs)`, where the form stands.
    """

    def decorate(view):
        @wraps(view)
        def door(request, **kwargs):
            if request.method == "POST":
                return view(request, **kwargs)
            if request.method not in ("GET", "HEAD"):
                return HttpResponseNotAllowed(["POST"])
            messages.warning(request, "Nothing was sent. Send it again from here.")
            return redirect(place(**kwargs))

        return door

    return decorate
