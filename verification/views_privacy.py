"""What a member may know of their own identity here: who saw the name behind the handle."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doors import applicant_required
from verification.services import unmasking


@applicant_required
@require_safe
def unmaskings(request):
    """Who saw one's name, on what ground and when: what may be told by now, in one query."""
    rows = list(unmasking.told_to(request.user.as_member).defer("reason", "why"))
    return render(request, "verification/unmaskings.html", {"rows": rows})
