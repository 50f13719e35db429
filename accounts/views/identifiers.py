"""The identifier check while one writes."""

from django.core.exceptions import BadRequest
from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.doors import login_required
from accounts.identifier_forms import look_at


@login_required
@require_POST
def check_identifiers(request):
    """What was found in one field of a form, which is sent as it stands. Nothing is kept."""
    name = request.POST.get("checked", "")
    if not name or name not in request.POST:
        raise BadRequest("Say which field to check.")
    checked = look_at(
        request.POST[name],
        name=name.rpartition("-")[2],
        data=request.POST,
        auto_id=f"id_{name}",
        stops_only=request.POST.get("stops_only") == "1",
        may_keep=request.POST.get("may_keep") != "0",
    )
    return render(request, "components/_finding_rows.html", {"checked": checked})
