"""Pages to write a case on: its words and pictures. The last look at them is in `checking`.

Everything sent is kept in the draft before it is judged, so that no refusal and no lost session takes a word away.
"""

import hashlib
import uuid

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from accounts.doors import active_physician_required
from accounts.models import Member
from consults import forms
from consults.models import CaseDraft, Image
from consults.models.drafts import MOST_DRAFTS
from consults.models.images import MOST_IMAGES
from consults.services import drafts, reviewing
from consults.uploads import in_memory
from consults.views.checking import check, keep_check
from consults.views.own import ended_consent_of, keep_words, kept_besides, own_draft, pictures_of
from sermo.errors import RuleBroken
from sermo.returning import posted_from

__all__ = ["check", "discard", "new", "remove_image", "upload", "write"]

TOO_LARGE = "A file is larger than 32 MB, or all of them together are too large. Send them one by one."


def takes_pictures(view):
    """The door of forms with files: who may come is asked first, then every file stays in memory alone."""
    inner = csrf_protect(view)

    @csrf_exempt  # checked by the inner view: the handlers must be in place before the form is read
    @active_physician_required
    def door(request, **kwargs):
        request.upload_handlers = in_memory(request)
        return inner(request, **kwargs)

    return door


@takes_pictures
def new(request):
    """One's cases in writing, and the form of another. What is sent first makes the draft, as often as it is sent."""
    member = request.user.as_member
    if request.method != "POST":
        return _form_page(request, None, forms.CaseForm(member=member, initial=_first_values(member)))
    try:
        draft = _started(member, request.POST)
    except RuleBroken as refusal:
        if "keep" in request.GET:
            return HttpResponse(str(refusal), status=409)
        form = forms.CaseForm(request.POST, member=member)
        form.add_error(None, str(refusal))
        return _form_page(request, None, form)
    if "keep" in request.GET:
        return HttpResponse(status=204, headers={"Location": draft.get_absolute_url()})
    return _sent(request, draft)


def _first_values(member: Member) -> dict:
    specialties = [member.specialty_id] if member.specialty_id else []
    return {"specialties": specialties}


@transaction.atomic
def _started(member: Member, sent) -> CaseDraft:
    """The draft of a page of the form: `start` is the page's own number, so that sending it twice makes one."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    start = sent.get("start", "")[:36]
    earlier = CaseDraft.objects.own(member).filter(fields__start=start).first() if start else None
    fields = {**forms.as_typed(sent), "start": start}
    if earlier:
        return drafts.save(draft=earlier, member=member, fields={**kept_besides(earlier), **fields})
    return drafts.start(member=member, fields=fields)


@takes_pictures
def write(request, draft_key):
    """The form of one case. With `keep` in the address it is kept without a word, while one writes."""
    draft = own_draft(request, draft_key)
    if not isinstance(draft, CaseDraft):
        return draft
    member = request.user.as_member
    if request.method != "POST":
        if draft.is_waiting:
            messages.warning(request, drafts.NotInWriting.message)
            return redirect("consults:new")
        return _form_page(request, draft, _kept_form(request, draft))
    try:
        keep_words(draft, member, request.POST)
    except RuleBroken as refusal:
        if "keep" in request.GET:
            return HttpResponse(str(refusal), status=409)
        messages.error(request, str(refusal))
        return redirect("consults:new")
    if "keep" in request.GET:
        return HttpResponse(status=204)
    return _sent(request, draft)


def _kept_form(request, draft: CaseDraft) -> forms.CaseForm:
    """The form as the draft has it: with its faults where one comes back for them."""
    member = request.user.as_member
    is_incomplete = "incomplete" in request.GET
    if not is_incomplete and not forms.has_decisions(draft.fields):
        return forms.CaseForm(member=member, initial=draft.fields)
    form = forms.CaseForm(forms.as_sent(draft.fields), member=member)
    form.full_clean()
    if is_incomplete:
        form.refuse_pictures(pictures_of(draft).count(), [])
    else:
        form.forget_errors()
    return form


def _sent(request, draft: CaseDraft):
    """The words are kept already: take the pictures that came with them, then on to the last look, or back."""
    member = request.user.as_member
    form = forms.CaseForm(request.POST, member=member)
    if "replace" in request.POST:  # the texts have changed
        keep_words(draft, member, form.data)
    refusals = _take_pictures(request, draft)
    if "save" in request.POST and not refusals:
        messages.success(request, "Your case is kept. Only you see it.")
        return redirect("consults:new")
    form.full_clean()
    form.refuse_pictures(pictures_of(draft).count(), refusals)
    if form.is_valid():
        return redirect("consults:check", draft.key)
    return _form_page(request, draft, form)


def _take_pictures(request, draft: CaseDraft) -> list[str]:
    """Take in what a form was sent with; return why which were refused."""
    refusals = [TOO_LARGE] if getattr(request, "upload_too_large", False) else []
    for file in request.FILES.getlist("pictures"):
        try:
            _take(request, draft, file)
        except RuleBroken as refusal:
            refusals.append(f"{file.name[:60]}: {refusal}")
    return refusals


def _take(request, draft: CaseDraft, file) -> Image:
    """Take in one file. A script numbers its uploads; otherwise what a file holds is its number. Raises Http404."""
    data = file.read()
    try:
        number = uuid.UUID(request.POST.get("upload", ""))
    except ValueError:
        number = uuid.uuid5(draft.key, hashlib.sha256(data).hexdigest())
    try:
        return drafts.add_image(draft=draft, member=request.user.as_member, upload=number, data=data)
    except CaseDraft.DoesNotExist as gone:  # discarded while the picture was looked at
        raise Http404 from gone


@takes_pictures
def upload(request, draft_key):
    """Pictures for a case. A script sends one and gets its panel; a form sends several, with all that is typed."""
    draft = own_draft(request, draft_key)
    if not isinstance(draft, CaseDraft):
        return draft
    if request.method != "POST":
        return redirect(draft)
    if request.htmx:
        return _upload_one(request, draft)
    try:
        if "title" in request.POST:
            keep_words(draft, request.user.as_member, request.POST)
        refusals = _take_pictures(request, draft)
    except RuleBroken as refusal:
        refusals = [str(refusal)]
    for words in refusals:
        messages.error(request, words)
    return redirect(f"{draft.get_absolute_url()}#pictures")


def _upload_one(request, draft):
    file = request.FILES.get("pictures")
    if file is None:
        words = TOO_LARGE if getattr(request, "upload_too_large", False) else "No file arrived."
        return HttpResponse(words, status=422, content_type="text/plain")
    try:
        image = _take(request, draft, file)
    except RuleBroken as refusal:
        return HttpResponse(str(refusal), status=422, content_type="text/plain")
    number = pictures_of(draft).filter(place__lte=image.place).count()
    context = {"draft": draft, "image": image, "number": number}
    return render(request, "consults/_image_panel.html", context)


@active_physician_required
@posted_from(lambda draft_key, key: reverse("consults:write", args=[draft_key]))
def remove_image(request, draft_key, key):
    """Shred one picture of a draft; what is typed around the button is kept."""
    member = request.user.as_member
    draft = own_draft(request, draft_key)
    if not isinstance(draft, CaseDraft):
        return draft
    image = pictures_of(draft).filter(key=key).first()
    is_check = "check" in request.GET
    try:
        if is_check:
            keep_check(request, draft)
        elif "title" in request.POST:
            keep_words(draft, member, request.POST)
        if image:
            drafts.remove_image(image=image, member=member)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    if request.htmx:
        return HttpResponse()
    has_more = is_check and pictures_of(draft).count()
    return (
        redirect("consults:check", draft.key)
        if has_more
        else redirect(f"{draft.get_absolute_url()}#pictures")
    )


@active_physician_required
@posted_from(lambda draft_key: reverse("consults:new"))
def discard(request, draft_key):
    """Forget a case in writing and shred its pictures."""
    draft = own_draft(request, draft_key)
    if not isinstance(draft, CaseDraft):
        return draft
    try:
        drafts.discard(draft=draft, member=request.user.as_member)
        messages.success(request, "Discarded. Its pictures are destroyed.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("consults:new")


def _form_page(request, draft: CaseDraft | None, form):
    """The form, above it on its first page what else one has in writing."""
    member = request.user.as_member
    others = [] if draft else _in_writing(member)
    context = {
        "form": form,
        "draft": draft,
        "images": pictures_of(draft) if draft else [],
        "others": others,
        "is_full": not draft and not form.is_bound and len(others) >= MOST_DRAFTS,
        "most_images": MOST_IMAGES,
        "ended": ended_consent_of(draft),
        "start": request.POST.get("start") or uuid.uuid4(),
    }
    is_refused = request.method == "POST" and form.errors
    return render(request, "consults/write.html", context, status=422 if is_refused else 200)


def _in_writing(member: Member) -> list[CaseDraft]:
    rows = list(CaseDraft.objects.own(member).order_by("-saved_at")[:MOST_DRAFTS])
    for draft in rows:
        draft.place = reviewing.queue_place(draft)
    return rows
