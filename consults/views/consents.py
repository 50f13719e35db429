"""Consents of patients, withdrawing a case, and the page where a patient takes a consent back."""

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.doors import active_physician_required, physician_required
from accounts.services import identifiers
from consults.forms_consents import NOT_SENT, CodeForm, PaperForm, PrepareForm, ScreenForm
from consults.models import Case, Consent, Image
from consults.services import consents, withdrawing
from consults.standing import standing_of
from sermo.errors import RuleBroken
from sermo.paging import page

LANGUAGES = {"en": "English", "es": "Español"}
BEING_DESTROYED = "No one sees its pictures from now on; they are being destroyed."


# The registry


@physician_required
def consent_list(request):
    """One's own consents, the latest first."""
    cases = Case.objects.filter(consent=OuterRef("pk"), withdrawn_at=None).values("consent")
    rows = Consent.objects.own(request.user.as_member).annotate(
        case_count=Coalesce(Subquery(cases.annotate(n=Count("pk")).values("n")), 0)
    )
    found = page(rows, order=("-pk",), after=request.GET.get("after"), size=settings.CASES_PER_PAGE)
    for consent in found:
        consent.standing = standing_of(consent)
    address = reverse("consults:consents")
    context = {"page": found, "more_url": f"{address}?after={found.next}" if found.next else None}
    return render(request, "consults/consents.html", context)


@active_physician_required
def prepare(request):
    form = PrepareForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        member = request.user.as_member
        try:
            made = consents.prepare(member=member, **form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            identifiers.record(member=member, place="consent", kept=form.kept_identifiers())
            return redirect(made)
    return render(request, "consults/consent_new.html", {"form": form}, status=_status(form))


@physician_required
def consent(request, consent_id):
    """One consent, with what it covers. Sent, it says that the form was signed on paper."""
    found = _own_or_404(request, consent_id)
    standing = standing_of(found)
    form = _paper_form(request, found)
    if request.method == "POST":
        if form is None:
            messages.error(request, "Nothing to sign here any more.")
            return redirect(found)
        if form.is_valid():
            try:
                _attest(request, found, medium=Consent.Medium.PAPER, **form.cleaned_data)
                messages.success(request, "The consent stands. Choose it when you post the case.")
                return redirect(found)
            except RuleBroken as refusal:
                form.add_error(None, str(refusal))
    context = {
        "consent": found,
        "standing": standing,
        "code": consents.grouped(found.code) if found.code else "",
        "cases": _cases(request, found),
        "form": form,
        "languages": LANGUAGES,
    }
    if found.revoked_at:
        is_left = consents.pictures_under(found.pk).exists()
        context["gone"] = BEING_DESTROYED if is_left else "Its pictures are destroyed."
    return render(request, "consults/consent.html", context, status=_status(form))


def _paper_form(request, consent) -> PaperForm | None:
    """For what waits for a signature, or can be renewed, by somebody who may write."""
    may_renew = standing_of(consent).may_renew
    is_prepared = consent.attested_at is None and consent.revoked_at is None
    if not request.user.as_member.may_write or not (may_renew or is_prepared):
        return None
    versions = consents.versions_on_paper(consent)
    return PaperForm(request.POST or None, is_renewal=may_renew, versions=versions)


def _attest(request, consent, **said) -> Consent:
    act = consents.sign if consent.attested_at is None else consents.renew
    return act(consent=consent, member=request.user.as_member, **said)


def _cases(request, consent) -> list[Case]:
    """What stands under it, also where nobody can read it now, and what was withdrawn."""
    return list(consents.cases_under(consent.pk).select_related("question").order_by("-pk")[:50])


@physician_required
def form(request, consent_id):
    """The page a patient signs, to print."""
    found = _signable_or_404(request, consent_id)
    language = _language(request)
    context = {"consent": found, **_of_patient(request, found, language), "on_paper": True}
    return render(request, "consults/consent_form.html", context)


@active_physician_required
def sign(request, consent_id):
    """The same on the screen, for the patient's own hand; signed, it shows the code. Declined, it says so."""
    found = _signable_or_404(request, consent_id)
    language = _language(request)
    renews = found.attested_at is not None and "renew" in request.GET and standing_of(found).may_renew
    context = {"consent": found, "renews": renews, **_of_patient(request, found, language)}
    context["is_declined"] = "no" in request.GET
    if context["is_declined"] or (found.attested_at is not None and not renews):
        return render(request, "consults/consent_signed.html", context)
    form = ScreenForm(request.POST or None, language=language, is_renewal=renews)
    if request.method == "POST" and form.is_valid():
        said = {"medium": Consent.Medium.SCREEN, "signed_on": timezone.localdate(), **form.cleaned_data}
        try:
            _attest(request, found, **said)
            return redirect(f"{reverse('consults:sign_consent', args=[found.pk])}?lang={language}")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    return render(request, "consults/consent_sign.html", {**context, "form": form}, status=_status(form))


def _of_patient(request, consent, language) -> dict:
    return {
        **_in(language),
        "code": consents.grouped(consent.code) if consent.code else "",
        "address": request.build_absolute_uri(reverse("consults:revoke")),
        "form_version": consents.FORM_VERSION,
    }


@physician_required
def revoke(request, consent_id):
    """Take a consent back for the patient, once that is confirmed."""
    found = _own_or_404(request, consent_id)
    if found.revoked_at:
        return redirect(found)
    if request.method == "POST":
        try:
            pictures = consents.revoke(consent=found, by=request.user.as_member)
            messages.success(request, _destroyed(pictures))
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        return redirect(found)
    cases = [case for case in _cases(request, found) if not case.is_withdrawn]
    context = {"consent": found, "standing": standing_of(found), "cases": cases}
    return render(request, "consults/consent_revoke.html", context)


def _destroyed(pictures: int) -> str:
    if not pictures:
        return "The consent is taken back."
    said = "One picture is" if pictures == 1 else f"{pictures} pictures are"
    return f"The consent is taken back. {said} destroyed."


# Withdrawing a case


@physician_required
def withdraw(request, question_id):
    """Take a case back, once that is confirmed. There is such a page for its author alone, also of one removed."""
    own = Case.objects.filter(question__asker=request.user.as_member)
    case = get_object_or_404(own.select_related("question", "consent"), pk=question_id)
    back_url = (case.consent if case.question.is_removed else case).get_absolute_url()
    if case.is_withdrawn:
        return redirect(back_url)
    if request.method == "POST":
        try:
            case = withdrawing.withdraw(case=case, why=Case.Withdrawn.AUTHOR, by=request.user.as_member)
            messages.success(request, "The case is withdrawn. Its pictures are destroyed.")
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
            return redirect(back_url)
        return redirect(case.consent if case.question.is_removed else case)  # its title, and address, are new
    pictures = case.images.exclude(state=Image.State.SHREDDED).count()
    context = {"case": case, "pictures": pictures, "back_url": back_url}
    return render(request, "consults/withdraw.html", context)


# The patient's page


def revoke_by_code(request):
    """For patients, who have no account. It answers every code alike, whether there is one or not."""
    language = _language(request)
    context = {**_in(language), "is_done": "done" in request.GET}
    if request.method == "POST" and not ratelimit.consume(request, action="revoke_consent"):
        return render(request, "consults/revoke.html", {**context, "is_held": True}, status=429)
    form = CodeForm(request.POST or None, language=language)
    if request.method == "POST" and form.is_valid():
        consents.revoke_by_code(form.cleaned_data["code"])
        return redirect(f"{reverse('consults:revoke')}?lang={language}&done=1")
    return render(request, "consults/revoke.html", {**context, "form": form}, status=_status(form))


# For all of these


def _own_or_404(request, consent_id) -> Consent:
    return get_object_or_404(Consent.objects.own(request.user.as_member), pk=consent_id)


def _signable_or_404(request, consent_id) -> Consent:
    """A consent of one's own that a patient signs, as long as it was not taken back."""
    found = _own_or_404(request, consent_id)
    if found.kind != Consent.Kind.SIGNED or found.revoked_at is not None:
        raise Http404
    return found


def _language(request) -> str:
    asked = request.GET.get("lang", "en")
    return asked if asked in LANGUAGES else "en"


def _in(language) -> dict:
    return {"language": language, "languages": LANGUAGES, "form_error_title": NOT_SENT[language]}


def _status(form) -> int:
    return 422 if form is not None and form.is_bound and form.errors else 200
