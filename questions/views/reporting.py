"""Reporting a post to the moderators."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render

from accounts.doors import physician_required
from accounts.services import identifiers
from questions.forms_moderation import FlagForm
from questions.models import Post
from questions.services import reporting
from sermo.errors import RuleBroken


@physician_required
def flag(request, post_id):
    member = request.user.as_member
    rows = Post.objects.visible_to(request.user).standing().select_related("question", "byline")
    post = get_object_or_404(rows, pk=post_id)
    if member is None:
        raise PermissionDenied("Members report. As a moderator without a membership, act on the post itself.")
    form = FlagForm(request.POST if request.method == "POST" else None, post=post)
    if request.method == "POST" and form.is_valid():
        try:
            reporting.report_post(post=post, by=member, **form.cleaned_data)
            identifiers.record(member=member, place="report", kept=form.kept_identifiers())
            messages.success(request, "Reported. A moderator looks at it.")
            return redirect(post.get_absolute_url())
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "post": post, "known": reporting.open_report_of(post, member)}
    return render(request, "questions/moderation/flag.html", context, status=422 if form.errors else 200)
