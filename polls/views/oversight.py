"""Closing a poll early, and the moderators' desk for votes that somebody should look at."""

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import login_required, physician_required
from accounts.roles import is_moderator
from accounts.services import identifiers
from polls.forms_oversight import ConcernForm, ObjectionForm
from polls.models import Concern, Poll, Receipt
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
    """All but those about oneself. Whoever took the poll is a party to it, as whoever wrote in its discussion is."""
    taken = rights.part_taken(user.as_member, OuterRef("poll"))
    if user.as_member:
        taken |= Exists(Receipt.objects.filter(poll=OuterRef("poll"), member=user.as_member))
    rows = Concern.objects.annotate(is_party=ExpressionWrapper(taken, output_field=BooleanField()))
    rows = rows.select_related("poll__question", "member", "decided_by__member")
    return rows.exclude(member=user.as_member) if user.as_member else rows


@login_required
def decide(request, concern_id):
    """A moderator decides; the member concerned reads what was decided. To everybody else there is no such page."""
    if own := _decided_about(request.user.as_member, concern_id):
        return _decided(request, own)
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


def _decided(request, concern):
    """What was decided about one's own vote, and the objection: to be made, waiting, or decided about."""
    form = ObjectionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        member = request.user.as_member
        try:
            with transaction.atomic():
                services.object_to(concern=concern, by=member, text=form.cleaned_data["text"])
                identifiers.record(member=member, place="objection", kept=form.kept_identifiers())
            messages.success(request, "Sent. Another moderator reads it.")
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        return redirect("polls:decide", concern.pk)
    may_object = concern.state == Concern.State.UPHELD and not concern.objection
    context = {
        "concern": concern,
        "is_seen": Question.objects.visible_to(request.user).listed().filter(pk=concern.poll_id).exists(),
        "form": form if may_object else None,
    }
    return render(request, "polls/concern_decided.html", context, status=422 if form.errors else 200)


def _decided_about(member, concern_id):
    if member is None:
        return None
    rows = Concern.objects.decided().filter(member=member)
    return rows.select_related("poll__question").filter(pk=concern_id).first()


def _form(request, concern):
    """None where there is nothing for this moderator to decide."""
    is_upheld = concern.state == Concern.State.UPHELD
    is_decided = concern.state == Concern.State.DISMISSED
    if concern.is_party or is_decided or services.is_for_another(request.user, concern):
        return None
    return ConcernForm(request.POST if request.method == "POST" else None, is_upheld=is_upheld)


def _beside(concern):
    """How many concerns of each kind there are in this poll: one vote from a shared browser is nothing, thirty are."""
    rows = Concern.objects.filter(poll=concern.poll_id).values("kind").annotate(number=Count("pk"))
    return [(Concern.Kind(row["kind"]).label, row["number"]) for row in rows.order_by("kind")]
