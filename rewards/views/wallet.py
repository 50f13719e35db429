"""One's own money, and the pay clock that everybody may read."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.services import notices
from accounts.views.ties import member_required
from rewards import business_days, figures, methods
from rewards import wallet as reading
from rewards.models import Charity, Payout
from rewards.services import choosing, donating, ledger, payouts, taxes
from rewards.wallet_forms import AmountForm, DonateForm
from rewards.words import dollars
from sermo.errors import RuleBroken

FIRST_YEAR = 2000


@member_required
@require_safe
def wallet(request):
    return _lines_page(request, after=None)


@member_required
@require_safe
def lines(request):
    """Earlier lines: for a script what goes on below the last one, else a page of their own."""
    return _lines_page(request, after=request.GET.get("after"))


def _lines_page(request, after):
    standing = reading.standing_of(request.user.as_member)
    if standing.has_news and after is None:
        notices.seen(request.user.as_member, reading.TOLD_ABOUT)
    found, sending = reading.lines_of(standing, request.user, after)
    more = {"after": found.next, "month": f"{reading.month_of(found.rows[-1]):%Y-%m}"} if found.next else {}
    context = {
        "months": reading.by_month(found, after=request.GET.get("month", "") if request.htmx else ""),
        "more_url": f"{reverse('rewards:lines')}?{urlencode(more)}" if more else "",
    }
    if request.htmx and after:
        return render(request, "rewards/_lines.html", context)
    context |= {
        "standing": standing,
        "sending": sending,
        "on_its_way": sum(row.payout.cents for row in sending),
        "is_later_page": after is not None,
        "least": settings.PAYOUT_LEAST_CENTS,
        "promised_days": settings.PAYOUT_BUSINESS_DAYS,
        "method_words": methods.in_words(standing.method) if standing.method else "",
    }
    return render(request, "rewards/wallet.html", context)


@member_required
def ask(request):
    """Ask for a payout; before that, what is still missing for one."""
    member = request.user.as_member
    standing = reading.standing_of(member)
    form = AmountForm(request.POST or None, balance=standing.available, least=settings.PAYOUT_LEAST_CENTS)
    if request.method == "POST" and form.is_valid():
        try:
            payout = payouts.ask(
                payee=choosing.payee_of(member),
                cents=form.cleaned_data["amount"],
                submission=form.cleaned_data["submission"],
            )
        except ledger.NotEnough:
            form.add_error("amount", f"Your balance is {dollars(standing.available)}.")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            day = f"{payout.promised_on:%b} {payout.promised_on.day}"
            messages.success(request, f"Asked for {dollars(payout.cents)}. Promised by {day}.")
            return redirect("rewards:wallet")
    promised_on = business_days.add(business_days.today(), settings.PAYOUT_BUSINESS_DAYS)
    context = {
        "form": form,
        "standing": standing,
        "least": settings.PAYOUT_LEAST_CENTS,
        "promised_on": promised_on,
        "promised_days": settings.PAYOUT_BUSINESS_DAYS,
        "looked_at_from": settings.PAYOUT_ONE_APPROVES_FROM,
        "clock": figures.clock(),
        "method_words": methods.in_words(standing.method) if standing.method else "",
    }
    return render(request, "rewards/request.html", context, status=422 if form.errors else 200)


@member_required
@require_POST
def cancel(request, key):
    payout = get_object_or_404(Payout, key=key, payee__member=request.user.as_member)
    try:
        payouts.cancel(payout=payout)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Canceled. {dollars(payout.cents)} is back on your balance.")
    return redirect("rewards:wallet")


@member_required
def donate(request):
    """Give some of the balance, or all, to a charity."""
    member = request.user.as_member
    standing = reading.standing_of(member)
    form = DonateForm(request.POST or None, balance=standing.available)
    if request.method == "POST" and form.is_valid():
        charity, cents = form.cleaned_data["charity"], form.cleaned_data["amount"]
        try:
            donating.donate(
                payee=choosing.payee_of(member),
                charity=charity,
                cents=cents,
                submission=form.cleaned_data["submission"],
            )
        except ledger.NotEnough:
            form.add_error("amount", f"Your balance is {dollars(standing.available)}.")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{dollars(cents)} given to {charity}.")
            return redirect("rewards:wallet")
    context = {
        "form": form,
        "standing": standing,
        "has_charities": Charity.objects.filter(is_active=True).exists(),
    }
    return render(request, "rewards/donate.html", context, status=422 if form.errors else 200)


@member_required
@require_safe
def statement(request, year):
    """All of a year on paper."""
    now = timezone.now()
    if not FIRST_YEAR <= year <= taxes.year_of(now):
        raise Http404
    member = request.user.as_member
    standing = reading.standing_of(member)
    payee = standing.payee
    context = {
        "year": year,
        "member": member,
        "payee": payee,
        "years": [other for other in taxes.years_with_money(payee.subject) if other != year] if payee else [],
        "sums": reading.sums_of_year(standing, request.user, year),
        "threshold": taxes.rule_of(year).tax_cents,
        "printed_at": now,
        "is_running": year == taxes.year_of(now),
    }
    return render(request, "rewards/statement.html", context)


@require_safe
def clock(request):
    """Promised days beside real ones, for visitors too."""
    return render(request, "rewards/clock.html", {"clock": figures.clock(), "days": figures.DAYS})
