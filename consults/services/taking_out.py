"""Words that moderators take out of a case with those of its discussion, and putting them back."""

from collections.abc import Callable

from consults.models import Case, Image, Marker
from questions.services.moderation.redacting import MARK
from sermo.text import render_markdown


def take_out(*, case_id: int, cut: Callable[[str], str]) -> dict:
    """Cut words out of a solution, of what is said about pictures, and of marks, whoever set them.

    Returns what putting back needs, nothing if none of it said them. A case that was withdrawn says nothing any more.
    In the caller's transaction, which holds the discussion.
    """
    case = _lock(case_id)
    if case is None:
        return {}
    pictures = Image.objects.select_for_update(of=("self",)).filter(case=case).exclude(description="")
    marks = Marker.objects.select_for_update(of=("self",)).filter(case=case).exclude(label="")
    kept = {
        "solution": _cut_solution(case, cut),
        "images": _cut_rows(pictures, "description", cut),
        "markers": _cut_rows(marks, "label", cut),
    }
    return kept if any(kept.values()) else {}


def put_back(*, case_id: int, kept: dict) -> None:
    """Let a case say again what was cut, wherever nobody changed it since."""
    case = _lock(case_id)
    if case is None:
        return
    if kept["solution"] and case.solution == kept["solution"][1]:
        _say(case, kept["solution"][0])
    for number, (said, now) in kept["images"].items():
        Image.objects.filter(pk=number, case=case, description=now).update(description=said)
    for number, (said, now) in kept["markers"].items():
        Marker.objects.filter(pk=number, case=case, label=now).update(label=said)


def _lock(case_id: int) -> Case | None:
    return Case.objects.select_for_update(of=("self",)).filter(pk=case_id, withdrawn_at=None).first()


def _cut_solution(case: Case, cut: Callable[[str], str]) -> list[str]:
    said = case.solution
    now = cut(said) if said else ""
    if now == said:
        return []
    if not render_markdown(now).strip():  # the words were all that it showed
        now = MARK
    _say(case, now)
    return [said, now]


def _say(case: Case, solution: str) -> None:
    case.solution, case.solution_html = solution, render_markdown(solution)
    case.save(update_fields=["solution", "solution_html"])


def _cut_rows(rows, name: str, cut: Callable[[str], str]) -> dict[str, list[str]]:
    """By number, what each row said and says now."""
    longest, kept = rows.model._meta.get_field(name).max_length, {}
    for row in rows.order_by("pk"):
        said = getattr(row, name)
        now = cut(said)[:longest]
        if now != said:
            kept[str(row.pk)] = [said, now]
            setattr(row, name, now)
            row.save(update_fields=[name])
    return kept
