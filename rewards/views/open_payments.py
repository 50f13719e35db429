"""What firms will report about one's payments, and one's say in it: nobody else comes here."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from accounts.models import Specialty
from accounts.services import identifiers
from accounts.views.ties import member_required
from rewards import sunshine_pages
from rewards.services import open_payments as services
from rewards.sunshine_forms import DisputeForm
from sermo.errors import RuleBroken
from sermo.paging import page


@member_required
@require_safe
def rows(request):
    reader = sunshine_pages.reader_of(request.user.as_member)
    payments = reader.rows().defer("recipient", "dispute_words", "dispute_answer")
    found = page(
        payments,
        order=sunshine_pages.NEWEST_FIRST,
        after=request.GET.get("after"),
        size=settings.REWARD_LINES_PER_PAGE,
    )
    context = {
        "rows": reader.shown(found),
        "previews": reader.previews(),
        "days": settings.OPEN_PAYMENTS_PREVIEW_DAYS,
        "more_url": f"?{urlencode({'after': found.next})}" if found.next else "",
    }
    return render(request, "rewards/open_payments.html", context)


@member_required
def dispute(request, pk):
    """One payment with all that is said of it, and the form to dispute it while that can be done."""
    member = request.user.as_member
    reader = sunshine_pages.reader_of(member)
    payment = get_object_or_404(reader.rows(), pk=pk)
    form = DisputeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                services.dispute(payment=payment, words=form.cleaned_data["words"])
                identifiers.record(member=member, place="open payments dispute", kept=form.kept_identifiers())
            messages.success(request, "Noted. Nothing is reported before it is answered.")
            return redirect("rewards:dispute", payment.pk)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    row = reader.row(payment)
    context = {
        "row": row,
        "form": form if row.may_dispute or form.errors else None,
        "specialty": Specialty.objects.filter(pk=(payment.recipient or {}).get("taxonomy", "")).first(),
    }
    return render(request, "rewards/open_payments_dispute.html", context, status=422 if form.errors else 200)
