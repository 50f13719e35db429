"""One's own data: taking it along, and leaving."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.doors import login_required, polled, recently_authenticated
from accounts.leaving.forms import LeaveForm
from accounts.leaving.ledger import Fate, entries
from accounts.models import Export
from accounts.services import leaving
from sermo.errors import RuleBroken


@login_required
@require_safe
def data(request):
    return render(request, "accounts/data.html", _exports(request.user))


@polled
@login_required
@require_safe
def export_state(request):
    """The part of the page that a script asks for while a worker is busy."""
    return render(request, "accounts/_export.html", _exports(request.user))


@login_required
@require_POST
def ask_export(request):
    try:
        leaving.ask_export(user=request.user)
    except RuleBroken as refusal:
        messages.info(request, str(refusal))
    return _back(request)


@login_required
@require_POST
def stop_export(request):
    leaving.stop_export(user=request.user)
    return _back(request)


@recently_authenticated
@require_safe
def download(request, key):
    """The zip, to whom it is about and nobody else."""
    since = timezone.now() - timedelta(days=settings.EXPORT_KEEP_DAYS)
    rows = Export.objects.filter(user=request.user, state=Export.State.DONE, finished_at__gt=since)
    export = get_object_or_404(rows, key=key)
    try:
        blocks = leaving.read_export(export)
    except FileNotFoundError as error:
        raise Http404 from error
    day = f"{timezone.localdate(export.finished_at):%Y-%m-%d}"
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="sermo-{day}.zip"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingHttpResponse(blocks, content_type="application/zip", headers=headers)


@recently_authenticated
def leave(request):
    """What goes, what stays, and the last word."""
    form = LeaveForm(request.POST if request.method == "POST" else None, user=request.user)
    refusal = None
    try:
        leaving.check_may_leave(user=request.user)
        if form.is_valid():
            leaving.leave(request.user)
            request.session.flush()
            request.user = AnonymousUser()
            return redirect("accounts:left")
    except RuleBroken as broken:
        refusal = str(broken)
    context = {"form": form, "refusal": refusal, "fates": _fates()}
    return render(request, "accounts/leave.html", context, status=422 if form.errors else 200)


@require_safe
def left(request):
    """Seen once the account is closed."""
    return render(request, "accounts/left.html")


def _exports(user) -> dict:
    """The last job, and the zip that can be downloaded, which may be of an earlier one."""
    own = Export.objects.filter(user=user).order_by("-asked_at", "-pk")
    return {"export": own.first(), "ready": own.filter(state=Export.State.DONE).first()}


def _fates():
    """The ledger as the page tells it: (what happens, the tables it happens to)."""
    return [(fate.label, [entry for entry in entries() if entry.fate == fate]) for fate in Fate]


def _back(request):
    if request.htmx:
        return render(request, "accounts/_export.html", _exports(request.user))
    return redirect("accounts:data")
