"""The page on which the author of a case says what it was."""

from collections import Counter

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render

from accounts.doors import active_physician_required
from accounts.services import identifiers
from consults.models import Case, Diagnosis, Solution
from consults.services import diagnoses, solving
from consults.solve_forms import OTHER, CaseSolveForm
from questions.signature import signature
from sermo.errors import RuleBroken
from sermo.text import plain

MOST_ANSWERS = 100


@active_physician_required
def solve(request, question_id, slug):
    """The author of a case that is not withdrawn says what it was and who solved it, or takes that back."""
    member = request.user.as_member
    cases = Case.objects.visible_to(request.user).filter(
        question__asker=member, intent=Case.Intent.HELP, withdrawn_at=None
    )
    case = get_object_or_404(cases.select_related("question"), pk=question_id)
    answers = _answers_of(case)
    board = _board_of(case)
    form = CaseSolveForm(
        request.POST if request.method == "POST" else None,
        board=board,
        answers=answers,
        initial=_said(case, board),
    )
    if request.method == "POST" and (done := _settled(request, case, form, member)):
        return done
    chosen = form["answers"].value() or []
    context = {
        "form": form,
        "case": case,
        "question": case.question,
        "answers": [_row(post) for post in answers[:MOST_ANSWERS]],
        "chosen": {str(pk) for pk in chosen},
    }
    return render(request, "consults/solve.html", context, status=422 if form.errors else 200)


def _settled(request, case, form, member):
    """Do as the form says and lead back to the case; nothing where it has to be shown again."""
    was_solved = case.question.is_solved
    try:
        if "unsolve" in request.POST:
            solving.unsolve_case(case=case, by=member)
            messages.success(request, "Taken back. The case stands as unsolved again.")
            return redirect(case)
        if form.is_valid():
            solving.solve_case(case=case, by=member, **form.cleaned_data)
            identifiers.record(member=member, place="outcome", kept=form.kept_identifiers())
            done = "The solution is changed." if was_solved else "Solved. Those who wrote here are told."
            messages.success(request, done)
            return redirect(case)
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
    return None


def _board_of(case: Case) -> list[tuple[Diagnosis, int]]:
    """What colleagues stand for, and what the author said it was, those of most colleagues first."""
    held = Counter(diagnoses.counted(case.pk).values())
    if (final := diagnoses.final_root(case.pk)) and final not in held:
        held[final] = 0
    known = Diagnosis.objects.in_bulk(held)
    return [
        (known[root], number) for root, number in sorted(held.items(), key=lambda each: (-each[1], each[0]))
    ]


def _said(case: Case, board) -> dict:
    """What the form shows first: what was said before."""
    said = {
        "outcome": case.question.outcome,
        "answers": list(case.question.credits.values_list("post", flat=True)),
    }
    if not board:
        said["diagnosis"] = OTHER
    if earlier := Solution.objects.filter(case=case).select_related("diagnosis").first():
        said |= {"diagnosis": str(earlier.diagnosis.root_id), "confirmed": earlier.confirmed}
    return said


def _answers_of(case: Case):
    rows = case.question.posts.answers().standing().exclude(author=case.question.asker_id)
    rows = rows.select_related("byline", "author__specialty", "author__rank", "reply__diagnosis__merged_into")
    return rows.order_by("-balance", "pk")


def _row(post):
    """An answer as it is chosen: who wrote it, and the diagnosis it names."""
    post.signature = signature(post.byline.mode, post.author)
    post.words = plain(post.html)
    reply = getattr(post, "reply", None)
    post.named = reply.diagnosis if reply else None
    post.sure = reply.confidence if reply else None
    return post
