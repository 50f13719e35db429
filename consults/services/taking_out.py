"""Words that moderators take out of a case with those of its discussion, and putting them back."""

from collections.abc import Callable

from consults.models import Case, Diagnosis, DiagnosisVote, Image, Marker
from consults.services import diagnoses
from questions.models import Post
from questions.models.votes import SHORTEST_REASON
from questions.services.moderation.redacting import MARK, TAKEN_OUT
from sermo.text import render_markdown


def take_out(*, case_id: int, cut: Callable[[str], str]) -> dict:
    """Cut words out of a solution, of what is said about pictures, of marks, and of the board, whoever wrote there.

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
        "diagnoses": _cut_names(Diagnosis.objects.filter(case=case), cut),
        "disputes": _cut_disputes(case, cut),
    }
    return kept if any(kept.values()) else {}


def take_out_of_reply(*, post: Post, cut: Callable[[str], str]) -> dict:
    """Cut words out of the diagnosis that an answer names. Else as `take_out`."""
    case = _lock(post.question_id)
    kept = _cut_names(Diagnosis.objects.filter(case=case, replies__post=post), cut) if case else {}
    return {"diagnoses": kept} if kept else {}


def put_back(*, case_id: int, kept: dict) -> None:
    """Let a case say again what was cut, wherever nobody changed it since."""
    case = _lock(case_id)
    if case is None:
        return
    solution = kept.get("solution")
    if solution and case.solution == solution[1]:
        _say(case, solution[0])
    for number, (said, now) in kept.get("images", {}).items():
        Image.objects.filter(pk=number, case=case, description=now).update(description=said)
    for number, (said, now) in kept.get("markers", {}).items():
        Marker.objects.filter(pk=number, case=case, label=now).update(label=said)
    for number, (said, now) in kept.get("diagnoses", {}).items():
        _put_back_name(case, int(number), said, now)
    for number, (said, now) in kept.get("disputes", {}).items():
        own = DiagnosisVote.objects.filter(pk=number, diagnosis__case=case, explanation=now)
        own.update(explanation=said)


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


def _cut_names(rows, cut: Callable[[str], str]) -> dict[str, list[str]]:
    """As `_cut_rows`. What a name is known by says the same words, so it goes with them."""
    kept = _cut_rows(rows.select_for_update(of=("self",)), "name", cut)
    for diagnosis in Diagnosis.objects.filter(pk__in=kept):
        diagnosis.key = diagnoses.nameless_key(diagnosis, TAKEN_OUT)
        diagnosis.save(update_fields=["key"])
    return kept


def _put_back_name(case: Case, number: int, said: str, now: str) -> None:
    """Under what it was known by, unless that is taken by now: then the name alone."""
    diagnosis = Diagnosis.objects.filter(pk=number, case=case, name=now).first()
    if diagnosis is None:
        return
    key = diagnoses.normalize(said)
    diagnosis.name = said
    if not Diagnosis.objects.filter(case=case, key=key).exists():
        diagnosis.key = key
    diagnosis.save(update_fields=["name", "key"])


def _cut_disputes(case: Case, cut: Callable[[str], str]) -> dict[str, list[str]]:
    """As `_cut_rows`. A dispute keeps a reason as long as it must be."""
    votes = DiagnosisVote.objects.select_for_update(of=("self",)).filter(diagnosis__case=case)
    return _cut_rows(votes.exclude(explanation=""), "explanation", lambda text: _long_enough(text, cut(text)))


def _long_enough(said: str, now: str) -> str:
    return now if now == said or len(now) >= SHORTEST_REASON else TAKEN_OUT
