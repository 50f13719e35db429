"""A firm corrects what it answered, and physicians read what the answer said before."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.doors import physician_required
from observers import texts
from observers.doors import seat_required
from observers.forms_products import CompanyCorrectionForm
from observers.models import CompanyQuestion
from observers.services import company
from questions import differences
from sermo.errors import RuleBroken
from sermo.text import render_markdown

MOST_VERSIONS = 20  # of one answer, the newest


@seat_required
def correct(request, key):
    """The form of an answer that stands. One that another seat changed meanwhile is shown beside what was typed."""
    row = get_object_or_404(company.reached(request.firm), key=key, answered_at__isnull=False)
    form, now = CompanyCorrectionForm(request.POST if request.method == "POST" else None, row=row), None
    if request.method == "POST" and form.is_valid():
        try:
            company.correct(question=row, seat=request.seat, **form.cleaned_data)
            messages.success(request, "Corrected. Physicians read it as it stands now.")
            return redirect("observers:company_question", key=row.key)
        except company.ChangedMeanwhile as refusal:
            form.add_error("text", str(refusal))
            now = CompanyQuestion.objects.get(pk=row.pk)
            form.start_from(now)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    masks = texts.masks_of_members([row.asker_id], [row.text])
    context = {
        "row": row,
        "words": texts.plain(row.text, masks[row.asker_id]),
        "form": form,
        "now": now,
        "minutes": settings.SILENT_EDIT_MINUTES,
    }
    status = 422 if form.errors else 200
    return render(request, "observers/products/correct_answer.html", context, status=status)


@physician_required
@require_safe
def history(request, key):
    """What an answer said before each correction, beside what it was changed to."""
    rows = CompanyQuestion.objects.select_related("product", "firm")
    row = get_object_or_404(rows, key=key, removed_at=None, answered_at__isnull=False)
    revisions = list(row.revisions.order_by("-number")[: MOST_VERSIONS + 1])
    context = {
        "row": row,
        "back": reverse("products:questions", args=[row.product.slug]),
        "versions": _versions(row, revisions),
        "earlier": revisions[-1].number if len(revisions) > MOST_VERSIONS else 0,
    }
    return render(request, "products/history.html", context)


def _versions(row: CompanyQuestion, revisions: list) -> list[dict]:
    """Each version beside the one before it, the newest first, and the oldest as it was sent.

    A revision keeps what a correction replaced and when, so a version is as old as the correction before it.
    """
    versions, said = [], row.answer
    for revision in revisions[:MOST_VERSIONS]:
        paragraphs = differences.between(revision.answer, said)
        versions.append({"since": revision.replaced_at, "paragraphs": paragraphs})
        said = revision.answer
    since = revisions[-1].replaced_at if len(revisions) > MOST_VERSIONS else row.answered_at
    return [*versions, {"since": since, "html": render_markdown(said)}] if versions else []
