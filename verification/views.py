"""The pages at /verify/: an applicant's way to a verified license, vouching for one, and how a member signs."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from accounts import faces
from accounts.doors import (
    active_physician_required,
    applicant_required,
    physician_required,
    recently_authenticated,
)
from accounts.models import Connection
from accounts.services import ties
from sermo.errors import RuleBroken
from sermo.pace import paced
from verification import npi as npis
from verification import rules, ways
from verification.forms import (
    AppealForm,
    BylineForm,
    DocumentForm,
    IdentityForm,
    VouchForm,
    license_hint,
    npi_fault,
)
from verification.models import Proof
from verification.models.claims import State
from verification.progress import progress_of
from verification.services import byline as bylines
from verification.services import challenge as challenges
from verification.services import claims, proofs, revealing, vouching
from verification.uploads import SizeLimit


@applicant_required
@require_safe
def start(request):
    """Where one stands, since when, and the next step."""
    return _status(request, progress_of(request.user))


def _status(request, progress, appeal_form=None, status=200):
    context = {"progress": progress, "claim": progress.claim, "appeal_form": appeal_form or AppealForm()}
    return render(request, "verification/start.html", context, status=status)


@applicant_required
@paced
def identity(request):
    """Name, degree, state and a number; also to correct them while nobody has acted on them."""
    progress = progress_of(request.user)
    if not progress.may_start and not progress.may_correct:
        return redirect("verification:start")
    before = progress.claim.typed if progress.may_correct else None
    form = IdentityForm(request.POST or None, member=request.user.as_member, initial=before)
    if form.is_valid():
        try:
            claim = claims.start_claim(user=request.user, **form.service_arguments())
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(_next_page(claim))
    context = {"form": form, "progress": progress, "license_hint": license_hint(form["state"].value() or "")}
    return render(request, "verification/identity.html", context, status=422 if form.errors else 200)


def _next_page(claim):
    pages = {"matched": "verification:challenge", "needs_review": "verification:proof"}
    return pages.get(claim.state, "verification:start")


@applicant_required
@require_POST
def hints(request):
    """What can be said of a typed NPI and state before sending. A POST, so that no number gets into an address."""
    if not request.htmx:
        return redirect("verification:identity")
    digits = "".join(request.POST.get("npi", "").split()).replace("-", "")[:20]
    fault = npi_fault(digits) if digits and not npis.is_valid(digits) else ""
    context = {
        "for_npi": request.htmx.target == "npi-hint",
        "npi_fault": fault,
        "npi_fits": bool(digits) and not fault,
        "license_hint": license_hint(request.POST.get("state", "")),
    }
    return render(request, "verification/_hints.html", context)


@applicant_required
@require_safe
def challenge(request):
    """The open question, or what to know before the first."""
    progress = progress_of(request.user)
    if progress.is_running:
        return _question(request, progress)
    if progress.stage != "questions":
        return redirect("verification:start")
    context = {
        "progress": progress,
        "questions": challenges.question_count(progress.claim),
        "seconds": rules.CHALLENGE_SECONDS,
    }
    return render(request, "verification/challenge_intro.html", context)


def _question(request, progress, error="", status=200):
    running = progress.claim.challenges.running().get()
    left, total = challenges.seconds_left(running), rules.CHALLENGE_SECONDS
    context = {
        "progress": progress,
        "question": running.sheet[running.position],
        "position": running.position,
        "title": f"Question {running.position + 1} of {len(running.sheet)}",
        "count_word": {4: "four", 5: "five"}.get(len(running.sheet)),
        "is_last": running.position + 1 == len(running.sheet),
        "seconds_left": left,
        "seconds_total": total,
        "left": f"{left // 60}:{left % 60:02d}",
        "total": f"{total // 60}:{total % 60:02d}",
        "error": error,
    }
    return render(request, "verification/question.html", context, status=status)


@applicant_required
@require_POST
@paced
def challenge_start(request):
    progress = progress_of(request.user)
    if progress.claim is None:
        return redirect("verification:start")
    try:
        started = challenges.start_challenge(
            claim=progress.claim, address=get_adapter().get_client_ip(request) or ""
        )
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("verification:start")
    return redirect("verification:challenge" if started else "verification:start")


@applicant_required
@require_POST
@paced
def challenge_answer(request):
    progress = progress_of(request.user)
    if progress.claim is None or not progress.is_running:
        return redirect("verification:start")
    position, choice = _number(request.POST.get("question")), _number(request.POST.get("answer"))
    try:
        taken = challenges.answer(
            claim=progress.claim, position=-1 if position is None else position, choice=choice
        )
    except challenges.ChooseOne as refusal:
        return _question(request, progress, error=str(refusal), status=422)
    except RuleBroken:
        return redirect("verification:start")
    return redirect("verification:start" if taken.finished_at else "verification:challenge")


def _number(text):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 3 else None


@applicant_required
@require_POST
def challenge_skip(request):
    progress = progress_of(request.user)
    if progress.claim:
        challenges.skip(claim=progress.claim)
    return redirect("verification:proof")


@applicant_required
@require_safe
def proof(request):
    """The ways of proving a license: what is there and what can be sent."""
    progress = progress_of(request.user)
    if progress.claim is None:
        return redirect("verification:start")
    return show_proof(request, progress)


def show_proof(request, progress, form=None, *, bound=None, status=200):
    """The proof page; `form` is a document's and `bound` that of a code, where one came back with a mistake."""
    claim = progress.claim
    if claim.state not in proofs.MAY_SEND:
        return redirect("verification:start")
    asked = claim.proofs.filter(kind=Proof.Kind.VOUCH).first()
    context = {
        "progress": progress,
        "claim": claim,
        "is_held": claim.state in (State.LAPSED, State.SUSPENDED),  # a code says nothing of a license's date
        "form": form or DocumentForm(),
        **ways.code_ways(claim, bound=bound),
        "documents": list(proofs.documents_of(claim)),
        "documents_most": rules.DOCUMENTS_PER_CLAIM,
        "may_ask": claim.state in vouching.MAY_BE_VOUCHED_FOR,
        "vouch_code": asked.code if asked else "",
        "vouches": claim.vouches.count() if asked else 0,
        "vouches_needed": rules.VOUCHES_NEEDED,
        "vouching_complete": bool(asked and asked.ok_at),
    }
    return render(request, "verification/proof.html", context, status=status)


@csrf_exempt  # checked by the inner view: the size limit must be in place before the form is read
def document_add(request):
    request.upload_handlers.insert(0, SizeLimit(request))
    return _document_add(request)


@csrf_protect
@applicant_required
@require_POST
def _document_add(request):
    progress = progress_of(request.user)
    if progress.claim is None:
        return redirect("verification:start")
    form = DocumentForm(request.POST, request.FILES)
    if getattr(request, "upload_too_large", False):
        form.errors.pop("file", None)
        form.add_error("file", str(proofs.TooLarge()))
    if form.is_valid():
        try:
            proofs.add_document(
                claim=progress.claim, sort=form.cleaned_data["sort"], data=form.cleaned_data["file"].read()
            )
        except proofs.NotProving as refusal:
            messages.error(request, str(refusal))
            return redirect("verification:start")
        except RuleBroken as refusal:
            form.add_error("file", str(refusal))
        else:
            messages.success(request, "Received. A reviewer reads it next.")
            return redirect("verification:start")
    return show_proof(request, progress, form, status=422)


@applicant_required
@require_POST
def colleagues_ask(request):
    progress = progress_of(request.user)
    if progress.claim is None:
        return redirect("verification:start")
    try:
        vouching.ask_colleagues(claim=progress.claim)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("verification:start")
    return redirect("verification:proof")


@applicant_required
@require_POST
def withdraw(request):
    try:
        claims.withdraw(user=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Withdrawn.")
    return redirect("verification:start")


@applicant_required
@require_POST
def appeal(request):
    form = AppealForm(request.POST)
    if not form.is_valid():
        return _status(request, progress_of(request.user), form, status=422)
    try:
        claims.appeal(user=request.user, text=form.cleaned_data["text"])
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Your appeal is with a second reviewer.")
    return redirect("verification:start")


@active_physician_required
def vouch(request, code):
    """Where a verified physician signs for an applicant who handed them this link."""
    try:
        claim = vouching.claim_asking(code)
    except vouching.LinkClosed as closed:
        return render(request, "verification/vouch_closed.html", {"why": str(closed)}, status=404)
    context = {
        "claim": claim,
        "name": claim.typed_name,
        "code": code,
        "form": VouchForm(request.POST or None),
    }
    if claim.vouches.filter(voucher=request.user).exists():
        return render(request, "verification/vouch_signed.html", context)
    try:
        vouching.check_may_vouch(request.user, claim)
    except vouching.MayNotVouch as refusal:
        return render(request, "verification/vouch_closed.html", {"why": str(refusal)}, status=403)
    form = context["form"]
    if not form.is_valid():
        return render(request, "verification/vouch.html", context, status=422 if form.errors else 200)
    data = form.cleaned_data
    try:
        vouching.vouch(
            code=code, voucher=request.user, relation=data["relation"], statement=data["statement"]
        )
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("verification:vouch", code=code)


@applicant_required
@recently_authenticated
def byline(request):
    """How one's next posts are signed. The real name is taken from the verified identity, never typed."""
    own = request.user.as_member
    form = BylineForm(request.POST or None, initial={"mode": own.byline_mode})
    if form.is_valid():
        try:
            bylines.choose_byline(member=own, **form.cleaned_data)
        except bylines.ShowsMore as refusal:
            form.add_error("confirmed", str(refusal))
        except RuleBroken as refusal:
            form.add_error("mode", str(refusal))
        else:
            messages.success(request, "Saved. It holds for what you post from now on.")
            return redirect("verification:byline")
    context = {
        "form": form,
        "own": own,
        "name": bylines.display_name_for(own),
        "shown": faces.shown_to_physicians(own),
    }
    return render(request, "verification/byline.html", context, status=422 if form.errors else 200)


@physician_required
def reveal(request, connection_id):
    """Offer a connection one's real name for theirs, or take that back, which asks for no password."""
    member = request.user.as_member
    own = Connection.objects.accepted().of(member) if member else Connection.objects.none()
    connection = get_object_or_404(own.select_related("requester", "addressee"), pk=connection_id)
    takes_back = request.POST.get("reveal") == "0" if request.method == "POST" else connection.reveals(member)
    door = _take_back_name if takes_back else _offer_name
    return door(request, connection, member)


def _take_back_name(request, connection, member):
    return _name_page(request, connection, member, ties.unreveal)


@recently_authenticated
def _offer_name(request, connection, member):
    return _name_page(request, connection, member, revealing.reveal)


def _name_page(request, connection, member, act):
    refused = ""
    if request.method == "POST":
        try:
            act(connection=connection, member=member)
        except RuleBroken as refusal:
            refused = str(refusal)
        else:
            return redirect("accounts:connections")
    other = connection.other(member)
    context = {
        "connection": connection,
        "colleague": other,
        "colleague_name": connection.name_of(other),
        "offered": connection.reveals(member),
        "is_offered": connection.reveals(other),
        "name": bylines.display_name_for(member),
        "refused": refused,
    }
    return render(request, "verification/reveal.html", context, status=422 if refused else 200)
