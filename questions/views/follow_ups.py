"""The asker says what became of a solved question."""

from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render

from accounts.doors import active_physician_required
from accounts.services import identifiers
from questions.follow_up_forms import FollowUpForm
from questions.models import Question
from questions.services import follow_ups
from sermo.errors import RuleBroken


@active_physician_required
def follow_up(request, question_id):
    """What is due is asked for; `days` names one of the three, to say it anew."""
    member = request.user.as_member
    rows = Question.objects.visible_to(request.user).listed().solved().filter(asker=member)
    question = get_object_or_404(rows, pk=question_id)
    row = _chosen(question, request.POST.get("days") or request.GET.get("days"))
    said = {"finding": row.finding, "text": row.text}
    form = FollowUpForm(request.POST or None, initial=said)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                follow_ups.answer(
                    follow_up=row,
                    by=member,
                    finding=form.cleaned_data["finding"],
                    text=form.cleaned_data["text"],
                )
                identifiers.record(member=member, place="follow-up", kept=form.kept_identifiers())
            return redirect(f"{question.get_absolute_url()}#what-happened")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "question": question, "follow_up": row}
    return render(request, "questions/follow_up.html", context, status=422 if form.errors else 200)


def _chosen(question, days):
    """The one of so many days, else what would be answered now. Raises Http404 where there is none."""
    if days:
        row = question.follow_ups.filter(days=days).first() if days in ("7", "30", "90") else None
    else:
        row = follow_ups.next_of(question) or question.follow_ups.order_by("-days").first()
    if row is None:
        raise Http404
    return row
