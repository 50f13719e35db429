"""Codes by telephone, fax and mail, asking for a mail domain, and the answer "this was not me"."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.doors import applicant_required
from sermo.errors import RuleBroken
from verification.forms import CodeForm, MailForm, ObjectionForm, ObjectionNumberForm
from verification.models import Proof
from verification.progress import progress_of
from verification.services import codes, domains, limits, objections
from verification.views import show_proof

SENT = {
    Proof.Kind.PHONE: "The telephone rings within a minute. Type the code it says below.",
    Proof.Kind.FAX: "The fax is on its way. Type the code it brings below.",
    Proof.Kind.EMAIL: "The mail is on its way. Type the code it brings below.",
}


@applicant_required
@require_POST
def code_send(request, kind):
    """Have a code sent; where one cannot be, the page says why and keeps the address that was typed."""
    progress = progress_of(request.user)
    if progress.claim is None:
        return redirect("verification:start")
    form = MailForm(request.POST) if kind == Proof.Kind.EMAIL else None
    if form is not None and not form.is_valid():
        return show_proof(request, progress, bound=form, status=422)
    try:
        codes.send_code(claim=progress.claim, kind=kind, address=form.cleaned_data["address"] if form else "")
    except codes.NotNow as refusal:
        messages.error(request, str(refusal))
        return redirect("verification:start")
    except RuleBroken as refusal:
        if form is None:
            messages.error(request, str(refusal))
            return redirect("verification:proof")
        form.add_error("address", str(refusal))
        form.may_ask = isinstance(refusal, codes.UnknownDomain)
        return show_proof(request, progress, bound=form, status=422)
    messages.success(request, SENT[kind])
    return redirect("verification:proof")


@applicant_required
@require_POST
def code_check(request, kind):
    """Take the code that was typed."""
    progress = progress_of(request.user)
    if progress.claim is None:
        return redirect("verification:start")
    form = CodeForm(request.POST, kind=kind)
    if not form.is_valid():
        return show_proof(request, progress, bound=form, status=422)
    try:
        codes.check_code(claim=progress.claim, kind=kind, code=form.cleaned_data["code"])
    except codes.NotNow as refusal:
        messages.error(request, str(refusal))
        return redirect("verification:start")
    except codes.NoCode as refusal:
        messages.error(request, str(refusal))
        return redirect("verification:proof")
    except RuleBroken as refusal:
        form.add_error("code", str(refusal))
        return show_proof(request, progress, bound=form, status=422)
    messages.success(request, "The code is right.")
    return redirect("verification:start")


@applicant_required
@require_POST
def domain_ask(request):
    """Ask reviewers to look at the domain of an address. The answer is the same whatever they know of it."""
    progress = progress_of(request.user)
    if progress.claim is None:
        return redirect("verification:start")
    form = MailForm(request.POST)
    if form.is_valid():
        try:
            domains.ask_for(user=request.user, address=form.cleaned_data["address"])
        except RuleBroken as refusal:
            form.add_error("address", str(refusal))
        else:
            messages.success(
                request, "Asked. Reviewers look at the domain; come back tomorrow, or go another way."
            )
            return redirect("verification:proof")
    return show_proof(request, progress, bound=form, status=422)


@never_cache
def objection_find(request):
    """Where somebody types the number that a call or a fax told them."""
    form = ObjectionNumberForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            limits.count_objection(get_adapter().get_client_ip(request) or "")
            objections.asking(form.cleaned_data["number"])
        except RuleBroken as refusal:
            form.add_error("number", str(refusal))
        else:
            return redirect("verification:objection", code=objections.plain(form.cleaned_data["number"]))
    return render(
        request, "verification/objection_find.html", {"form": form}, status=422 if form.errors else 200
    )


@never_cache
def objection(request, code):
    """The page behind the link "this was not me", open to anybody who has it. Looking changes nothing."""
    form = ObjectionForm(request.POST if request.method == "POST" else None)
    try:
        if objections.is_number(code):  # which can be guessed; the token of a mail cannot
            limits.count_objection(get_adapter().get_client_ip(request) or "")
        said = objections.asking(code).objected_at is not None
        if not said and form.is_valid():
            said = objections.object_to(code=code, words=form.cleaned_data["words"]) is not None
    except RuleBroken as refusal:
        return render(request, "verification/objection_closed.html", {"why": str(refusal)}, status=404)
    if said:
        return render(request, "verification/objection_said.html")
    return render(request, "verification/objection.html", {"form": form}, status=422 if form.errors else 200)
