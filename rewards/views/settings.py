"""A member's own settings of money: what becomes of it, who pays them elsewhere, its way to them, and Form W-9."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from accounts.doors import confirmed_first
from accounts.views.ties import member_required
from rewards import methods
from rewards.forms import TIN_KINDS, AffiliationForm, ChoiceForm, W9Form
from rewards.models import Firm, Method
from rewards.services import choosing
from sermo.errors import RuleBroken


@member_required
@never_cache
def money(request):
    """What becomes of one's money, and the way to the other pages."""
    own = request.user.as_member
    payee = choosing.known_payee(own)
    form = ChoiceForm(request.POST if request.method == "POST" else None, payee=payee)
    if form.is_valid():
        try:
            choosing.choose(member=own, **form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error("charity", str(refusal))
        else:
            messages.success(request, "Saved. It holds for what is paid from now on.")
            return redirect("rewards:settings")
    chosen = choosing.method_of(payee) if payee else None
    context = {
        "form": form,
        "affiliations": list(choosing.affiliations_of(own)),
        "method": chosen,
        "method_said": methods.in_words(chosen) if chosen else "",
        "w9": _w9_in_words(payee),
    }
    return render(request, "rewards/money_settings.html", context, status=422 if form.errors else 200)


def _w9_in_words(payee):
    """What may be said of a W-9 that was certified: when, for which name, and the last four of the number."""
    kept = choosing.tax_form_of(payee) if payee else None
    if kept is None:
        return None
    kind = dict(TIN_KINDS)[kept.form["tin_kind"]]
    return {
        "at": kept.certified_at,
        "name": kept.form["name"],
        "number": f"{kind} ending in {kept.form['tin'][-4:]}",
    }


@member_required
@never_cache
def affiliations(request):
    """The firms that employ a member or pay them elsewhere; `end` takes one off the list."""
    own = request.user.as_member
    if request.method == "POST" and "end" in request.POST:
        return _end_affiliation(request, own)
    declared = list(choosing.affiliations_of(own))
    form = AffiliationForm(
        request.POST if request.method == "POST" else None, declared=[row.firm_id for row in declared]
    )
    if form.is_valid():
        choosing.declare_affiliation(member=own, firm=form.cleaned_data["firm"])
        messages.success(request, "Noted. This firm pays you nothing here from now on.")
        return redirect("rewards:affiliations")
    context = {"form": form, "affiliations": declared}
    return render(request, "rewards/affiliations.html", context, status=422 if form.errors else 200)


def _end_affiliation(request, own):
    number = request.POST["end"]
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise BadRequest("Choose a firm of your list.")
    firm = get_object_or_404(Firm, pk=number, affiliations__member=own, affiliations__ended_at=None)
    choosing.end_affiliation(member=own, firm=firm)
    messages.success(request, "Taken off the list.")
    return redirect("rewards:affiliations")


@sensitive_post_parameters()
@sensitive_variables()
@member_required
@confirmed_first
@never_cache
def method(request):
    """Where payouts go. Each method has a page of its own, chosen by `by`; nothing kept is shown in full."""
    own = request.user.as_member
    payee = choosing.known_payee(own)
    chosen = choosing.method_of(payee) if payee else None
    offered = methods.offered()
    by = request.GET.get("by") or (chosen.method if chosen else "")
    by = by if by in offered else next(iter(offered), "")
    is_elsewhere = by == Method.BANK and methods.goes_by_stripe()
    form = None
    if by and not is_elsewhere:
        form = methods.FORMS[by](request.POST if request.method == "POST" else None)
        if form.is_valid():
            choosing.set_method(member=own, method=by, details=form.cleaned_data)
            messages.success(request, "Saved. Payouts you ask for from now on go there.")
            return redirect("rewards:settings")
    context = {
        "form": form,
        "by": by,
        "label": Method(by).label if by else "",
        "help": methods.HELP.get(by, ""),
        "is_elsewhere": is_elsewhere,
        "chosen": chosen,
        "chosen_said": methods.in_words(chosen) if chosen else "",
        "offered": [(Method(one).label, f"?by={one}", one == by) for one in offered],
    }
    return render(request, "rewards/method.html", context, status=422 if form and form.errors else 200)


@sensitive_post_parameters()
@sensitive_variables()
@member_required
@confirmed_first
@never_cache
def w9(request):
    """Certify Form W-9, or certify it anew; what was certified is not shown again but for its last four."""
    own = request.user.as_member
    form = W9Form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        choosing.certify_w9(member=own, form=form.as_certified())
        messages.success(request, "Certified. It is kept encrypted and apart from everything else.")
        return redirect("rewards:settings")
    context = {"form": form, "w9": _w9_in_words(choosing.known_payee(own))}
    return render(request, "rewards/w9.html", context, status=422 if form.errors else 200)
