"""The picture of a face: chosen, sent, removed, and shown."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_safe

from accounts.doors import applicant_required, login_required
from accounts.forms import PictureForm, StockPictureForm
from accounts.models import Face, Member, Picture
from accounts.pictures import LARGEST, own_picture_url
from accounts.services import pictures as services
from sermo.errors import RuleBroken
from sermo.uploads import SizeLimit


@csrf_exempt  # checked by the inner view: the size limit must be in place before the form is read
def pictures(request):
    """Both slots, each with the drawings to choose from and a file to send."""
    request.upload_handlers.insert(0, SizeLimit(request, LARGEST))
    return _pictures(request)


@csrf_protect
@applicant_required
def _pictures(request):
    member = request.user.as_member
    slots = {face: Slot(face, member) for face in _faces(member)}
    slot = slots.get(request.POST.get("face")) if request.method == "POST" else None
    if slot and slot.take(request):
        messages.success(request, "Saved.")
        return redirect("accounts:pictures")
    context = {"slots": slots.values(), "own": member, "Face": Face}
    return render(request, "accounts/pictures.html", context, status=422 if slot else 200)


def _faces(member):
    """The faces that can have a picture now."""
    return Face if member.byline_mode == Member.BylineMode.PUBLIC else [Face.HANDLE]


class Slot:
    """The picture of one face as the page shows it, and what was sent for it."""

    def __init__(self, face: Face, member: Member):
        self.face, self.member = face, member
        self.url = own_picture_url(member, face)
        self.name = member.handle if face == Face.HANDLE else member.display_name
        self.stock_form = StockPictureForm(face=face, member=member)
        self.upload_form = PictureForm(face=face)

    def take(self, request) -> bool:
        """Do what was asked for; where it is refused, the form says why."""
        acts = {"stock": self._take_stock, "upload": self._take_upload, "remove": self._remove}
        act = acts.get(request.POST.get("act"))
        return bool(act) and act(request)

    def _take_stock(self, request):
        form = self.stock_form = StockPictureForm(request.POST, face=self.face, member=self.member)
        if not form.is_valid():
            return False
        try:
            services.choose_stock(member=self.member, face=self.face, name=form.cleaned_data["picture"])
        except RuleBroken as refusal:
            form.add_error("picture", str(refusal))
        return not form.errors

    def _take_upload(self, request):
        form = self.upload_form = PictureForm(request.POST, request.FILES, face=self.face)
        if getattr(request, "upload_too_large", False):
            form.errors.pop("file", None)
            form.add_error("file", str(services.TooLarge()))
        if not form.is_valid():
            return False
        try:
            services.send_picture(member=self.member, face=self.face, data=form.cleaned_data["file"].read())
        except RuleBroken as refusal:
            form.add_error("file", str(refusal))
        return not form.errors

    def _remove(self, request):
        services.remove_picture(member=self.member, face=self.face)
        return True


@login_required
@require_safe
def picture(request, key):
    """An upload, to whoever may meet that face. Nothing keeps it, so that a lost permission holds at once."""
    found = get_object_or_404(Picture.objects.visible_to(request.user), pk=key)
    try:
        jpeg = services.read_picture(found)
    except FileNotFoundError as gone:
        raise Http404 from gone
    headers = {"Cache-Control": "private, no-store", "Content-Security-Policy": "sandbox"}
    return HttpResponse(jpeg, content_type="image/jpeg", headers=headers)
