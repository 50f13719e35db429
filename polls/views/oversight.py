"""Closing a poll early, and the moderators' desk for votes that somebody should look at."""

from django.conf import settings
from django.contrib import messages
from django.db.models import BooleanField, Count, ExpressionWrapper, OuterRef
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import login_required, physician_required
from accounts.roles import is_moderator
from polls.forms_oversight import ConcernForm
from polls.models import Concern, Poll
from polls.services import closing
from polls.services import concerns as services
from questions.models import Question
from questions.services.moderation import rights
from questions.views.moderation import moderator_required, tabs
from questions.views.posting import post_or_back
from sermo.errors import RuleBroken
from sermo.paging import page

LISTS = {
    "open": ("Waiting", ("raised_on", "pk")),
    "upheld": ("Against the rules", ("-decided_at", "-pk")),
    "dismissed": ("Nothing wrong", ("-decided_at", "-pk")),
}


@physician_required
@post_or_back
def close(request, question_id):
    visible = Question.objects.visible_to(request.user).listed()
    poll = get_object_or_404(
        Poll.objects.filter(question__in=visible).select_related("question"), pk=question_id
    )
    try:
        closing.close_poll(poll=poll, by=request.user.as_member, user=request.user)
        messages.success(request, "The poll is closed.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(poll.question)


# The desk


@moderator_required
def concerns(request):
    """Votes that nobody has looked at, the oldest first; or those decided, the latest first."""
    chosen = request.GET.get("show") if request.GET.get("show") in LISTS else "open"
    rows = _concerns(request.user).filter(state=chosen)
    found = page(rows, order=LISTS[chosen][1], after=request.GET.get("after"), size=settings.REPORTS_PER_PAGE)
    address = reverse("polls:concerns")
    context = {
        "page": found,
        "chosen": chosen,
        "tabs": tabs(""),
        "on_concerns": True,
        "lists": [(label, f"{address}?show={key}", key == chosen) for key, (label, _) in LISTS.items()],
        "more_url": f"{address}?show={chosen}&after={found.next}" if found.next else None,
    }
    return render(request, "polls/concerns.html", context)


def _concerns(user):
    """All but those about oneself."""
    taken = rights.part_taken(user.as_member, OuterRef("poll"))
    rows = Concern.objects.annotate(is_party=ExpressionWrapper(taken, output_field=BooleanField()))
    rows = rows.select_related("poll__question", "member", "decided_by__member")
    return rows.exclude(member=user.as_member) if user.as_member else rows


@login_required
def decide(request, concern_id):
    """A moderator decides; the member concerned reads what was decided. To everybody else there is no such page."""
    if own := _decided_about(request.user.as_member, concern_id):
        is_seen = Question.objects.visible_to(request.user).listed().filter(pk=own.poll_id).exists()
        return render(request, "polls/concern_decided.html", {"concern": own, "is_seen": is_seen})
    if not is_moderator(request.user):
        raise Http404
    concern = get_object_or_404(_concerns(request.user), pk=concern_id)
    form = _form(request, concern)
    if form and request.method == "POST" and form.is_valid():
        try:
            services.decide(concern=concern, user=request.user, **form.cleaned_data)
            messages.success(request, "Decided.")
            return redirect("polls:concerns")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {
        "concern": concern,
        "form": form,
        "beside": _beside(concern),
        "tabs": tabs(""),
        "on_concerns": True,
    }
    status = 422 if form and form.errors else 200
    return render(request, "polls/concern.html", context, status=status)


def _decided_about(member, concern_id):
    if member is None:
        return None
    rows = Concern.objects.filter(member=member).exclude(state=Concern.State.OPEN)
    return rows.select_related("poll__question").filter(pk=concern_id).first()


def _form(request, concern):
    """None where there is nothing for this moderator to decide."""
    is_upheld = concern.state == Concern.State.UPHELD
    is_decided = concern.state == Concern.State.DISMISSED or (
        is_upheld and concern.decided_by_id == request.user.pk
    )
    if concern.is_party or is_decided:
        return None
    return ConcernForm(request.POST if request.method == "POST" else None, is_upheld=is_upheld)


def _beside(concern):
    """How many concerns of each kind there are in this poll: one vote from a shared browser is nothing, thirty are."""
    rows = Concern.objects.filter(poll=concern.poll_id).values("kind").annotate(number=Count("pk"))
    return [(Concern.Kind(row["kind"]).label, row["number"]) for row in rows.order_by("kind")]
