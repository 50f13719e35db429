"""What members may know of identities here: who saw theirs, for whom they vouched, why they were refused."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doors import applicant_required, physician_required
from verification import rules
from verification.models import VouchLoss
from verification.services import unmasking, vouching
from verification.statements import statements_of


@applicant_required
@require_safe
def unmaskings(request):
    """Who saw one's name, on what ground and when: what may be told by now, in one query."""
    rows = list(unmasking.told_to(request.user.as_member).defer("reason", "why", "reference"))
    return render(request, "verification/unmaskings.html", {"rows": rows})


@physician_required
@require_safe
def vouches(request):
    """What one's word as a voucher stands for: what was signed, what is left, and what it cost. Of nobody by name."""
    losses = VouchLoss.objects.filter(voucher=request.user).order_by("-at", "-pk")
    context = {
        "losses": list(losses),
        "has_lost": any(loss.taken_back_at is None for loss in losses),
        "of_year": vouching.vouches_of_year(request.user).count(),
        "most_of_year": rules.VOUCHES_PER_YEAR,
        "open": vouching.open_vouches(request.user).count(),
        "most_open": rules.VOUCHES_OPEN,
    }
    return render(request, "verification/vouches.html", context)


@applicant_required
@require_safe
def reasons(request):
    """Why one's claims were turned down, in words, and where the appeal stands."""
    statements = statements_of(request.user)
    if not statements:
        raise Http404
    return render(request, "verification/reasons.html", {"statements": statements})
