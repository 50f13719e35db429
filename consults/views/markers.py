"""Marks on pictures: set one, remove one."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect

from accounts.doors import active_physician_required, physician_required
from accounts.models import Member
from consults.mark_forms import MarkForm
from consults.models import Case, Image, Marker
from consults.services import markers
from questions.views import thread
from questions.views.reading import render_question
from sermo.errors import RuleBroken


@active_physician_required
def mark(request, key):
    image = get_object_or_404(
        Image.objects.visible_to(request.user).select_related("case__question"), key=key
    )
    address = f"{image.case.get_absolute_url()}?image={image.place}"
    if request.method != "POST":
        return redirect(f"{address}#viewer")
    form, member = MarkForm(request.POST), request.user.as_member
    if form.is_valid():
        try:
            made = markers.add_marker(
                image=image, member=member, byline=_byline(image.case.question, member), **form.cleaned_data
            )
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request,
                f"Mark {made.number} stands on image {image.place}. "
                f"Name it in your answer as (mark {made.number}).",
            )
            return redirect(f"{address}#viewer")
    request.mark_form, request.case_image = form, image.place
    return render_question(request, thread.load_question(request.user, image.case_id), status=422)


def _byline(question, member):
    """The profile's, but for the name among connections, who know the handle."""
    is_named = member.byline_mode == Member.BylineMode.PUBLIC
    return Member.BylineMode.ANONYMOUS if is_named and question.is_among_few else None


@physician_required
def remove(request, marker_id):
    rows = Marker.objects.filter(case__in=Case.objects.visible_to(request.user))
    marker = get_object_or_404(rows.select_related("case__question", "image"), pk=marker_id)
    if request.method == "POST":
        try:
            markers.remove_marker(marker=marker, by=request.user.as_member, user=request.user)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"Mark {marker.number} is removed.")
    return redirect(f"{marker.case.get_absolute_url()}?image={marker.image.place}#viewer")
