"""The last look before a case goes out: boxes over each picture, its description, the ticks, the consent."""

import hashlib
import json

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from accounts.doors import active_physician_required
from accounts.models import Member
from accounts.services.identifiers import Kept
from consults import forms
from consults.check_forms import ChecklistForm, ConsentForm, PictureForm
from consults.models import Case, CaseDraft, Consent, Image
from consults.services import consents, drafts, submitting
from consults.views.own import ended_consent_of, own_draft, pictures_of
from sermo.errors import RuleBroken
from sermo.templatetags.paper import faults

GONE = (CaseDraft.DoesNotExist, Image.DoesNotExist)  # posted, discarded or removed in another tab meanwhile


class Sheet:
    """All forms of the page, and what is done with them together."""

    def __init__(self, draft: CaseDraft, member: Member, data=None):
        self.draft, self.member, self.data = draft, member, data
        self.signed_now: Consent | None = None  # one made and signed in one step, once the case is sent
        rows = enumerate(pictures_of(draft), start=1)
        drawn = draft.fields.get("drawn", {})
        self.pictures = [
            PictureForm(data, image=image, number=number, drawn=drawn.get(str(image.pk)))
            for number, image in rows
        ]
        self.words = forms.CaseForm(forms.as_sent(draft.fields), member=member)
        is_teaching = draft.fields.get("intent") == Case.Intent.TEACHING
        self.ticks = ChecklistForm(data)
        self.consent = ConsentForm(
            data, member=member, is_teaching=is_teaching, kept=draft.fields.get("consent")
        )

    @property
    def is_ready(self) -> bool:
        """Whether there is something to look at: words that are complete, and pictures."""
        return self.words.is_valid() and bool(self.pictures)

    @property
    def kept_in_words(self) -> int:
        """How much stays in the texts although it was found."""
        kept = self.words.kept_identifiers()
        return sum(kept.stops.values()) + sum(kept.doubts.values())

    @property
    def all_forms(self):
        return [*self.pictures, self.ticks, self.consent]

    @property
    def faults(self) -> list[dict]:
        """What is wrong on the page, in its order, for the summary on top."""
        found = []
        for form in self.pictures if self.data is not None else []:
            found += form.faults()
        return found + faults(self.ticks) + faults(self.consent)

    def keep(self) -> None:
        """Keep what was sent, complete or not. Raises NotInWriting, MaskedAlready, and GONE."""
        drawn = {str(form.image.pk): form.keep_what_may_be(self.member) for form in self.pictures}
        drawn = {key: boxes for key, boxes in drawn.items() if boxes}
        self._keep_fields(consent=self.consent.as_typed(), drawn=drawn)

    def look_again(self) -> None:
        """Keep what was sent, and have each form say what is wrong with it."""
        self.keep()
        for form in self.all_forms:
            form.is_valid()

    def post(self) -> Case | CaseDraft | None:
        """Send the case; None where something is refused, which its forms then say."""
        self.keep()
        faulty = [form for form in self.all_forms if not form.is_valid()]
        faulty = faulty or [form for form in self.pictures if not self._drawn(form)]
        if faulty:
            return None
        try:
            consent = self._attested()
            posted = submitting.submit(
                draft=self.draft,
                member=self.member,
                consent=consent,
                ticks=self.ticks.cleaned_data["ticks"],
                kept=self._kept_identifiers(),
            )
        except submitting.DescriptionMissing as refusal:
            self._form_of(refusal.image).add_error("description", str(refusal))
        except submitting.NotForTeaching as refusal:
            self.consent.add_error("for_teaching", str(refusal))
        except RuleBroken as refusal:
            self.consent.add_error(None, str(refusal))
        else:
            is_signed = consent.kind == Consent.Kind.SIGNED
            self.signed_now = consent if is_signed and not self.consent.chosen() else None
            return posted
        return None

    def _drawn(self, form: PictureForm) -> bool:
        try:
            form.keep(self.member)
            if form.image.is_masked and form.drawn():
                form.burn_more()
        except RuleBroken as refusal:
            form.refuse(refusal)
            return False
        return True

    def _form_of(self, image: Image) -> PictureForm:
        return next(form for form in self.pictures if form.image.pk == image.pk)

    def _attested(self) -> Consent:
        """The consent chosen. One attested by an attempt that was refused for something else is taken again."""
        form, typed = self.consent, self.consent.cleaned_data
        one = form.chosen() if typed["kind"] == Consent.Kind.SIGNED else None
        if one and one.attested_at:
            return one
        digest = hashlib.sha256(json.dumps(form.as_typed(), sort_keys=True).encode()).hexdigest()[:16]
        number, _, said = self.draft.fields.get("consent_made", "").partition(":")
        if said == digest and (made := Consent.objects.own(self.member).standing().filter(pk=number).first()):
            return made
        made = self._attest(one)
        self._keep_fields(consent=form.as_typed(), consent_made=f"{made.pk}:{digest}")
        return made

    def _attest(self, prepared: Consent | None) -> Consent:
        typed, scope = self.consent.cleaned_data, self.consent.scope()
        if typed["kind"] != Consent.Kind.SIGNED:
            return consents.attest(
                member=self.member, kind=typed["kind"], statement=self.consent.statement(), **scope
            )
        with transaction.atomic():
            return consents.sign(
                consent=prepared or consents.prepare(member=self.member),
                member=self.member,
                signer=typed["signer"],
                medium=Consent.Medium.PAPER,
                signed_on=typed["signed_on"],
                **scope,
            )

    def _keep_fields(self, **more) -> None:
        fields = {**self.draft.fields, **more}
        self.draft.fields = drafts.save(draft=self.draft, member=self.member, fields=fields).fields

    def _kept_identifiers(self) -> Kept:
        """What stays in all texts of the case although it was found."""
        self.words.is_valid()
        kept = Kept()
        for form in (self.words, *self.pictures, self.consent):
            one = form.kept_identifiers()
            kept.why = kept.why or one.why
            for total, counts in ((kept.stops, one.stops), (kept.doubts, one.doubts)):
                for kind, count in counts.items():
                    total[kind] = total.get(kind, 0) + count
        return kept


def keep_check(request, draft: CaseDraft) -> None:
    """Keep what the page was sent with. Raises NotInWriting."""
    Sheet(draft, request.user.as_member, request.POST).keep()


@active_physician_required
def check(request, draft_key):
    """With `keep` in the address all is kept without a word; `rows` keeps it and offers more empty rows."""
    draft, member = own_draft(request, draft_key), request.user.as_member
    if not isinstance(draft, CaseDraft):
        return draft
    if draft.is_waiting:
        return HttpResponse(status=409) if "keep" in request.GET else _is_waiting(request, draft)
    sheet = Sheet(draft, member, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, sheet) if sheet.is_ready else redirect(_back_to_form(draft))
    try:
        if "keep" in request.GET or "rows" in request.POST or "save" in request.POST:
            sheet.keep()
            return _kept(request, sheet)
        posted = sheet.look_again() if "replace" in request.POST or not sheet.is_ready else sheet.post()
    except (*GONE, RuleBroken) as change:
        if "keep" in request.GET:
            return HttpResponse(status=409)
        if isinstance(change, RuleBroken):
            messages.error(request, str(change))
        return redirect("consults:check", draft.key)
    if posted:
        if sheet.signed_now:
            _ask_for_code(request, sheet.signed_now)
        return _posted(request, posted)
    return _page(request, sheet, status=422) if sheet.is_ready else redirect(_back_to_form(draft))


def _back_to_form(draft) -> str:
    """The form with what is missing marked."""
    return f"{draft.get_absolute_url()}?incomplete"


def _kept(request, sheet: Sheet):
    draft = sheet.draft
    if "keep" in request.GET:
        return HttpResponse(status=204)
    for fault in [fault for form in sheet.pictures for fault in form.faults_of_boxes()]:
        messages.warning(request, f"{fault['label']}: {fault['text']} Nothing is changed there.")
    if "save" in request.POST:
        messages.success(request, "Your case is kept. Only you see it.")
        return redirect("consults:new")
    picture = request.POST["rows"]
    place = f"#boxes-{picture}" if picture.isdecimal() else ""
    return redirect(f"{reverse('consults:check', args=[draft.key])}{place}")


def _ask_for_code(request, consent: Consent):
    """The patient signed something else than a form of ours, and holds no code to take the consent back with."""
    words = "Give the patient the code of this consent: only with it they can take it back without you."
    messages.warning(
        request, format_html('{} <a href="{}">Show and print the code</a>', words, consent.get_absolute_url())
    )


def _posted(request, posted: Case | CaseDraft):
    if isinstance(posted, Case):
        messages.success(request, "Your case is posted.")
        return redirect(posted)
    return _is_waiting(request, posted)


def _is_waiting(request, draft):
    messages.success(
        request, f"A moderator looks at it first, usually within {settings.CASE_REVIEW_MINUTES} minutes."
    )
    return redirect("consults:new")


def _page(request, sheet: Sheet, status=200):
    context = {
        "sheet": sheet,
        "draft": sheet.draft,
        "ended": ended_consent_of(sheet.draft),
        "minutes": settings.CASE_REVIEW_MINUTES,
    }
    return render(request, "consults/check.html", context, status=status)
