"""The page behind the link in the farewell mail: no log-in, one person's money, for 90 days."""

from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from questions.forms import SubmissionForm
from rewards import methods
from rewards.forms import W9Form
from rewards.models import Charity, Method, Payout
from rewards.services import choosing, donating, leaving, ledger, payouts
from rewards.wallet_forms import DonateForm
from sermo.errors import RuleBroken

# What a form of the page says it is.
METHOD, W9, ASK, DONATE = "method", "w9", "ask", "donate"
SAVED = {
    METHOD: "Saved. Payouts you ask for from now on go there.",
    W9: "Certified. It is kept encrypted.",
    ASK: "Asked for.",
    DONATE: "Given.",
}
AGAIN = "That form did not come as this page made it. Nothing was done; send it again."


@sensitive_post_parameters()
@sensitive_variables()
@never_cache
def left(request, key):
    """What is there, and in order: the way of payment, Form W-9, the payout; or all of it to a charity."""
    payee = leaving.payee_by(key)
    if payee is None:
        raise Http404
    what = request.POST.get("what", "")
    if request.method == "POST" and what not in SAVED:
        raise BadRequest("Choose one of the forms of this page.")
    forms = _forms(request, payee, what)
    if request.method == "POST":
        form = forms.get(what)
        if form is None:
            raise BadRequest("No way of payment is offered.")
        if form.is_valid() and _do(request, payee, what, form):
            return redirect(request.get_full_path())
        if "submission" in form.errors:
            messages.error(request, AGAIN)
    context = _context(payee, key, forms, _by(request))
    return render(request, "rewards/left.html", context, status=422 if request.method == "POST" else 200)


def _by(request) -> str:
    """The method that is shown. Accounts at Stripe are joined from within an account here, which is gone."""
    ways = [way for way in methods.offered() if way != Method.BANK or not methods.goes_by_stripe()]
    by = request.GET.get("by", "")
    return by if by in ways else next(iter(ways), "")


def _forms(request, payee, what) -> dict:
    typed = {what: request.POST} if request.method == "POST" else {}
    account = ledger.payable_to(payee)
    forms = {
        W9: W9Form(typed.get(W9), prefix=W9),
        ASK: SubmissionForm(typed.get(ASK)),
        DONATE: DonateForm(typed.get(DONATE), balance=account.balance, prefix=DONATE),
    }
    if by := _by(request):
        forms[METHOD] = methods.FORMS[by](typed.get(METHOD), prefix=METHOD)
    return forms


def _do(request, payee, what, form) -> bool:
    """Do what a form asks for; a refusal is said at the top."""
    try:
        if what == METHOD:
            choosing.set_method(member=payee.member, method=_by(request), details=form.cleaned_data)
        elif what == W9:
            choosing.certify_w9(member=payee.member, form=form.as_certified())
        elif what == DONATE:
            given = form.cleaned_data
            donating.donate(
                payee=payee,
                charity=given["charity"],
                cents=given["amount"],
                submission=given["submission"],
            )
        else:
            payouts.ask(
                payee=payee,
                cents=ledger.payable_to(payee).balance,
                submission=form.cleaned_data["submission"],
            )
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, SAVED[what])
    return True


def _context(payee, key, forms, shown) -> dict:
    way, form = choosing.method_of(payee), choosing.tax_form_of(payee)
    return {
        "key": key,
        "balance": ledger.payable_to(payee).balance,
        "ends_at": leaving.ends_at(payee),
        "method_said": methods.in_words(way) if way else "",
        "w9_said": f"ending in {form.form['tin'][-4:]}" if form else "",
        "ways": [
            (Method(one).label, f"?by={one}", one == shown)
            for one in methods.offered()
            if one != Method.BANK or not methods.goes_by_stripe()
        ],
        "forms": forms,
        "submission": uuid4(),
        "has_charities": Charity.objects.filter(is_active=True).exists(),
        "payouts": Payout.objects.filter(subject=payee.subject).order_by("-pk")[:20],
        "promised_days": settings.PAYOUT_BUSINESS_DAYS,
    }
