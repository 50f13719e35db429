"""What a case turned out to be: its author says so, and how it is known. Solving never closes."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import Member
from consults.models import Case, Diagnosis, Solution
from consults.services import diagnoses, stories
from consults.services.settling import settle
from questions.models import Post, Question
from questions.services import closing
from sermo.errors import RuleBroken


class SolveAsCase(RuleBroken):
    message = "A case is solved with its final diagnosis, on a page of its own."


class TeachesAlready(RuleBroken):
    message = "The outcome of this case was known when it was posted."


class FinalDiagnosisMissing(RuleBroken):
    message = "Say what it was: choose a diagnosis of the board, or name another."


class NotOfThisCase(RuleBroken):
    message = "This diagnosis is not on the board any more. Choose again."


class ConfirmationMissing(RuleBroken):
    message = "Say how it was confirmed. “Not confirmed” is an answer, too."


@transaction.atomic
def solve_case(
    *,
    case: Case,
    by: Member,
    confirmed: str,
    diagnosis: Diagnosis | None = None,
    name: str = "",
    code: str = "",
    answers: Iterable[Post] = (),
    outcome: str = "",
) -> Case:
    """Mark a case solved: what it was, how that is known, and by which answers. Doing it again replaces.

    The final diagnosis is one of its board, or a new `name` with or without a code. It is solved here where at least
    one standing answer of a colleague is credited; else elsewhere, which takes a sentence on the outcome. All who
    wrote there are told that it is solved, not what it was. Forecasts are scored anew. A story that told of another
    diagnosis goes back to its author.
    Raises TeachesAlready, ConfirmationMissing, FinalDiagnosisMissing, NotOfThisCase, diagnoses.NoName and
    CodeMalformed, and what `questions.services.closing.solve_question` does.
    """
    case = _lock(case)
    if case.is_teaching:
        raise TeachesAlready
    others = [post for post in answers if post.author_id != by.pk]
    closing.solve_question(question=case.question, by=by, answers=others, outcome=outcome, sender=Case)
    _state(case, _final(case, diagnosis, name, code), confirmed)
    settle(case.pk)
    return case


@transaction.atomic
def unsolve_case(*, case: Case, by: Member) -> Case:
    """Take the solution back, with all that was scored by it; a story goes back to its author.

    Raises what `closing.unsolve_question` does.
    """
    case = _lock(case)
    if case.is_teaching:
        raise TeachesAlready
    closing.unsolve_question(question=case.question, by=by, sender=Case)
    if earlier := Solution.objects.filter(case=case).select_related("diagnosis").first():
        earlier.delete()
        _drop_unused(earlier.diagnosis)
    stories.return_changed(case.pk)
    settle(case.pk)
    return case


def state_outcome(*, case: Case, name: str, confirmed: str) -> None:
    """Write down what a case that teaches turned out to be, in the transaction that publishes it.

    Raises as `solve_case` does of the final diagnosis.
    """
    _state(case, _final(case, None, name, ""), confirmed)


def _lock(case: Case) -> Case:
    """The case as it is now, held after its discussion."""
    question = Question.objects.select_for_update(of=("self",)).get(pk=case.pk)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    case.question = question
    return case


def _final(case: Case, diagnosis: Diagnosis | None, name: str, code: str) -> Diagnosis:
    if diagnosis is not None:
        found = Diagnosis.objects.filter(pk=diagnosis.pk, case=case).first()
        if found is None:
            raise NotOfThisCase
        return found
    name, code = diagnoses.as_name(name), diagnoses.as_code(code)
    if not name:
        raise FinalDiagnosisMissing
    return diagnoses.named(case=case, name=name, code=code)


def _state(case: Case, final: Diagnosis, confirmed: str) -> None:
    if confirmed not in Solution.Confirmed.values:
        raise ConfirmationMissing
    earlier = Solution.objects.filter(case=case).select_related("diagnosis").first()
    if earlier is None:
        Solution.objects.create(case=case, diagnosis=final, confirmed=confirmed)
    elif (earlier.diagnosis_id, earlier.confirmed) != (final.pk, confirmed):
        was = earlier.diagnosis
        if was.root_id != final.root_id:
            stories.return_changed(case.pk)
        earlier.diagnosis, earlier.confirmed, earlier.stated_at = final, confirmed, timezone.now()
        earlier.save(update_fields=["diagnosis", "confirmed", "stated_at"])
        if was != final:
            _drop_unused(was)


def _drop_unused(diagnosis: Diagnosis) -> None:
    """Leave no name behind that only a solution had which does not stand any more."""
    if not (diagnosis.replies.exists() or diagnosis.synonyms.exists() or diagnosis.merged_into_id):
        diagnosis.delete()
