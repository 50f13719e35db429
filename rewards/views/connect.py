"""Connecting an account at Stripe, which is told the bank account that this site never sees."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts.doors import recently_authenticated
from accounts.views.ties import member_required
from rewards import methods, providers
from rewards.models import Method
from rewards.providers import stripe
from rewards.providers.base import InDoubt
from rewards.services import choosing

ACCOUNT = "stripe_account"  # in the session until the member uses it, then in the way of payment


@member_required
@recently_authenticated
@never_cache
def connect(request):
    """Says what follows; the POST opens an account and shows the way to it, which works once and for minutes."""
    _require_stripe()
    context = {}
    if request.method == "POST":
        try:
            account = _account_of(request) or stripe.open_account(choosing.payee_of(request.user.as_member))
            request.session[ACCOUNT] = account
            context["url"] = stripe.connect_url(
                account, return_url=_address("connect_back"), refresh_url=_address("connect")
            )
        except InDoubt:
            context["is_silent"] = True
    return _page(request, context)


@member_required
@recently_authenticated
@never_cache
def back(request):
    """Where Stripe sends a member back to: it says whether the account can be paid, the POST makes it their way."""
    _require_stripe()
    account = _account_of(request)
    if not account:
        return redirect("rewards:connect")
    context = {"is_back": True}
    try:
        context["is_ready"] = stripe.is_ready(account)
    except InDoubt:
        context["is_silent"] = True
    if request.method == "POST" and context.get("is_ready"):
        choosing.set_method(member=request.user.as_member, method=Method.BANK, details={ACCOUNT: account})
        request.session.pop(ACCOUNT, None)
        messages.success(request, "Saved. Payouts you ask for from now on go there.")
        return redirect("rewards:settings")
    return _page(request, context)


def _require_stripe():
    if not methods.goes_by_stripe() or not providers.of("stripe").is_ready():
        raise Http404


def _account_of(request):
    """The one being filled in, or the one that is used already."""
    payee = choosing.known_payee(request.user.as_member)
    chosen = choosing.method_of(payee) if payee else None
    return request.session.get(ACCOUNT) or (chosen.details.get(ACCOUNT) if chosen else None)


def _address(name):
    return f"{settings.SITE_URL}{reverse(f'rewards:{name}')}"


def _page(request, context):
    return render(request, "rewards/connect.html", context, status=503 if context.get("is_silent") else 200)
