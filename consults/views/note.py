"""The curbside note: what colleagues made of a case, for a chart, with nobody in it by whom it could be known."""

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone

from accounts.doors import physician_required
from consults.board import board_of
from consults.models import Case, Solution
from consults.reading import patient_words
from consults.services.replies import STEP
from questions.models import Post, Question
from questions.services.references import references_of
from questions.views import thread
from questions.views.printing import unmentioned, without_handles
from sermo.text import plain, render_markdown

MOST_STEPS = 20


@physician_required
def curbside_note(request, question_id, slug):
    """The case in its author's words, and of what colleagues said only what is open to this reader.

    No moment in it is finer than a day, but that of printing.
    """
    found = thread.load_question(request.user, question_id)
    if found.kind != Question.Kind.CASE or found.is_removed:
        raise Http404("There is no case of this number.")
    rows = Case.objects.select_related("final__diagnosis__merged_into").filter(withdrawn_at=None)
    case = rows.filter(pk=found.pk).first()
    if case is None:
        raise Http404("There is nothing to print of a withdrawn case.")
    member, is_open = request.user.as_member, found.answers_open
    context = {
        "question": found,
        "title": unmentioned(found.title),
        "patient": patient_words(case.age_band, case.sex),
        "asked": case.get_ask_display(),
        "opening": _opening(found, member),
        "is_open": is_open,
        "references": references_of(found, member, of_opening=not is_open),
        "printed_at": timezone.now(),
    }
    if is_open:
        context |= _said(found, case, member)
    return render(request, "consults/note.html", context)


def _opening(question, member):
    rows = question.posts.standing().filter(kind=Post.Kind.OPENING, folded_at=None).besides_blocked(member)
    html = rows.values_list("html", flat=True).first()
    return without_handles(html) if html else ""


def _said(question, case, member) -> dict:
    """What is closed to whoever has not committed."""
    board = board_of(case.pk, reader_id=member and member.pk)
    return {
        "differential": [
            (unmentioned(row.name), row.code, row.on_their_own, row.after_reading) for row in board.rows
        ],
        "final": _final(case) if case.is_teaching or question.is_solved else None,
        "solution": without_handles(case.solution_html) if case.is_teaching else "",
        "outcome": unmentioned(question.outcome),
        "steps": _steps(question, member),
    }


def _final(case) -> tuple[str, str, str] | None:
    final: Solution | None = getattr(case, "final", None)
    if final is None:
        return None
    root = final.diagnosis.merged_into or final.diagnosis
    return unmentioned(root.name), root.code, final.get_confirmed_display()


def _steps(question, member) -> list[str]:
    """What colleagues would do next, each once, of the credited and the most corroborated first."""
    answers = question.posts.answers().standing().filter(folded_at=None).besides_blocked(member)
    sources = answers.order_by("credit__place", "-balance", "pk").values_list("source", flat=True)
    said = (match[1] for source in sources for match in STEP.finditer(source))
    steps = (unmentioned(plain(render_markdown(step))) for step in said)
    return list(dict.fromkeys(steps))[:MOST_STEPS]
