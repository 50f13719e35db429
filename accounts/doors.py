"""Who may come to a page. What they find there is the matter of each table's gate, `visible_to`."""

from functools import wraps

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.contrib.auth.decorators import login_required as django_login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from accounts.roles import is_moderator

__all__ = [
    "active_physician_required",
    "applicant_required",
    "confirmed_first",
    "login_required",
    "physician_required",
    "polled",
    "recently_authenticated",
]


def login_required(view):
    """Whoever is logged in. A script whose session ended gets a bare 401, so that it keeps what was typed."""
    whole_page = django_login_required(view)

    @wraps(view)
    def door(request, *args, **kwargs):
        if request.htmx and not request.user.is_authenticated:
            return HttpResponse(status=401)
        return whole_page(request, *args, **kwargs)

    return door


def physician_required(view):
    """Verified physicians, also those who may only read, and moderators. Applicants go to their next step."""

    @wraps(view)
    def door(request, *args, **kwargs):
        member = request.user.as_member
        if (member and member.may_read) or is_moderator(request.user):
            return view(request, *args, **kwargs)
        return _turn_away(request, member)

    return login_required(door)


def active_physician_required(view):
    """Verified physicians who may write."""

    @wraps(view)
    def door(request, *args, **kwargs):
        member = request.user.as_member
        if member and member.may_write:
            return view(request, *args, **kwargs)
        if member and member.may_read:
            raise PermissionDenied("Your license needs a new check before you can write. Reading stays open.")
        return _turn_away(request, member)

    return login_required(door)


def applicant_required(view):
    """Anyone with a membership, verified or not: the pages of verification and one's own settings."""

    @wraps(view)
    def door(request, *args, **kwargs):
        if request.user.as_member:
            return view(request, *args, **kwargs)
        return _turn_away(request, None)

    return login_required(door)


def recently_authenticated(view):
    """Whoever has confirmed in the last 15 minutes that it is still them: before anonymity or money changes hands.

    Others confirm it and come back: a page is shown, a form that was sent is done. A script is told by a bare 401
    to take the whole page there, and lands on the page it was sent from.
    """
    whole_page = reauthentication_required(view)

    @wraps(view)
    def door(request, *args, **kwargs):
        try:
            return whole_page(request, *args, **kwargs)
        except ReauthenticationRequired:
            if not request.htmx:
                raise  # answered by allauth's middleware
            methods = get_adapter().get_reauthentication_methods(request.user)
            back = urlencode({"next": request.htmx.current_url_abs_path or "/"})
            return HttpResponse(status=401, headers={"HX-Redirect": f"{methods[0]['url']}?{back}"})

    return login_required(door)


def confirmed_first(view):
    """As `recently_authenticated`, but a form that was sent too late is not done once they have confirmed.

    It would wait in the session meanwhile, in clear, and it holds what is kept encrypted.
    """
    door = recently_authenticated(view)

    @wraps(view)
    def keeps_nothing(request, *args, **kwargs):
        try:
            return door(request, *args, **kwargs)
        except ReauthenticationRequired:
            if request.method != "POST":
                raise  # answered by allauth's middleware
            ways = get_adapter().get_reauthentication_methods(request.user)
            messages.info(
                request, "That took more than 15 minutes, so nothing was kept. Fill it in once more."
            )
            return redirect(f"{ways[0]['url']}?{urlencode({'next': request.get_full_path()})}")

    return keeps_nothing


def polled(view):
    """What an open page asks again and again without a person: it keeps nobody logged in on a shared device.

    Goes on top of the other decorators.
    """
    view.is_polled = True
    return view


def _turn_away(request, member):
    if member and member.is_applicant:
        return redirect("verification:start")
    if member and member.standing == member.Standing.SUSPENDED:
        return render(request, "accounts/suspended.html", status=403)
    raise PermissionDenied("This page is for verified physicians. Your account has no membership.")
