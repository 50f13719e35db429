"""A member's own statements of reasons and appeals; the moderators' side of an appeal; the public log."""

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.db.models import BooleanField, ExpressionWrapper, OuterRef
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import applicant_required
from accounts.services import identifiers
from questions import moderation_figures as figures
from questions.forms_moderation import AppealForm, DecisionForm
from questions.models import Appeal, ModerationAction, Post
from questions.services.moderation import appeals as services
from questions.services.moderation import rights
from questions.signature import signature
from questions.views.moderation import address_hash, moderator_required, tabs
from sermo.errors import RuleBroken
from sermo.paging import page

LOG_SECONDS = 900  # how old the public log may be


# The member's side: open to everybody with a membership, suspended or not


@applicant_required
def statements(request):
    """What moderators decided about one's own, newest first."""
    rows = ModerationAction.objects.told_to(request.user.as_member).with_title_for(request.user)
    rows = rows.select_related("appeal", "post__question")
    found = page(
        rows, order=("-taken_at", "-pk"), after=request.GET.get("after"), size=settings.REPORTS_PER_PAGE
    )
    address = reverse("questions:appeals")
    context = {"page": found, "more_url": f"{address}?after={found.next}" if found.next else None}
    return render(request, "questions/moderation/statements.html", context)


@applicant_required
def statement(request, action_id):
    """One decision with its reasons, and the appeal: to be made, waiting, or decided."""
    member = request.user.as_member
    rows = ModerationAction.objects.told_to(member).with_title_for(request.user)
    action = get_object_or_404(rows.select_related("appeal", "post__question"), pk=action_id)
    form = AppealForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.appeal(action=action, by=member, text=form.cleaned_data["text"])
            identifiers.record(member=member, place="appeal", kept=form.kept_identifiers())
            messages.success(request, "Sent. Another moderator reads it.")
            return redirect("questions:statement", action.pk)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    is_seen = Post.objects.visible_to(request.user).standing().filter(pk=action.post_id).exists()
    context = {
        "action": action,
        "appeal": getattr(action, "appeal", None),
        "form": form if action.may_be_appealed else None,
        "post_url": action.post.get_absolute_url() if is_seen else "",
    }
    return render(request, "questions/moderation/statement.html", context, status=422 if form.errors else 200)


# The desk's side


@moderator_required
def queue(request):
    """Appeals, the one due first on top; or those decided."""
    decided = request.GET.get("show") == "decided"
    rows = _appeals(request.user)
    rows = rows.filter(decided_at__isnull=False) if decided else rows.waiting()
    order = ("-decided_at", "-pk") if decided else ("due_at", "pk")
    found = page(rows, order=order, after=request.GET.get("after"), size=settings.REPORTS_PER_PAGE)
    for appeal in found:
        appeal.is_for_others = appeal.is_party or not services.may_decide(request.user, appeal)
    address = reverse("questions:moderation_appeals")
    narrowed = "show=decided&" if decided else ""
    context = {
        "page": found,
        "decided": decided,
        "tabs": tabs("appeals"),
        "lists": [("Waiting", address, not decided), ("Decided", f"{address}?show=decided", decided)],
        "more_url": f"{address}?{narrowed}after={found.next}" if found.next else None,
    }
    return render(request, "questions/moderation/appeals.html", context)


@moderator_required
def decide(request, appeal_id):
    appeal = get_object_or_404(_appeals(request.user), pk=appeal_id)
    post = appeal.action.post
    if appeal.is_party:
        return render(request, "questions/moderation/yours.html", {"post": post, "tabs": tabs("appeals")})
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            decided = services.decide(
                appeal=appeal, by=request.user, address_hash=address_hash(request), **form.cleaned_data
            )
            if decided.not_put_back:
                messages.warning(request, f"Taken back, but not all of it: {decided.not_put_back}")
            else:
                messages.success(request, "Decided.")
            return redirect("questions:moderation_appeals")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    post.signature = signature(post.byline.mode, post.author)
    context = {
        "appeal": appeal,
        "action": appeal.action,
        "post": post,
        "form": form if appeal.decided_at is None and services.may_decide(request.user, appeal) else None,
        "had_a_part": not services.may_decide(request.user, appeal),
        "tabs": tabs("appeals"),
    }
    return render(request, "questions/moderation/appeal.html", context, status=422 if form.errors else 200)


def _appeals(user):
    taken = rights.part_taken(user.as_member, OuterRef("action__post__question"))
    return (
        Appeal.objects.visible_to(user)
        .annotate(is_party=ExpressionWrapper(taken, output_field=BooleanField()))
        .select_related(
            "action__post__question",
            "action__post__byline",
            "action__post__author__specialty",
            "action__post__author__rank",
            "action__moderator__member",
            "action__second__member",
            "decided_by__member",
        )
    )


# Everybody's


def transparency(request):
    """What moderators did, by week and without names, and a hash a day that nothing was changed afterwards."""
    found = cache.get("transparency")
    if found is None:
        found = {"log": figures.log(), "appeals": figures.appeals(), "heads": figures.heads()}
        cache.set("transparency", found, LOG_SECONDS)
    return render(request, "questions/moderation/transparency.html", {**found, "weeks": figures.WEEKS})
