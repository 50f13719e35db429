"""Scoring forecasts: whether each first, independent diagnosis of a case was what the case turned out to be."""

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from consults.models import Reply, Solution
from consults.models.cases import outcome_known
from questions.models import Post, Question


@transaction.atomic
def settle(case_id: int) -> None:
    """Write for every forecast of a case whether it was right, or that this is not known; twice is as good as once.

    It is known while the case is solved (a teaching case is from the start) and its final diagnosis was confirmed.
    Synonyms are one diagnosis. What a moderator removed is not scored, nor is any forecast of a case that is removed;
    what its author removed is, or a wrong forecast could be taken back. Call it whenever a reply, a merger or the
    outcome of the case changed.
    """
    Question.objects.select_for_update(of=("self",)).get(pk=case_id)
    forecasts = Reply.objects.filter(case=case_id, is_forecast=True)
    final = _scored_outcome(case_id)
    void = forecasts.filter(post__removed_by=Post.RemovedBy.MODERATOR) if final else forecasts
    _write(void, None)
    if final is None:
        return
    counted = forecasts.exclude(post__removed_by=Post.RemovedBy.MODERATOR)
    hits = Q(diagnosis=final) | Q(diagnosis__merged_into=final)
    _write(counted.filter(hits), True)
    _write(counted.exclude(hits), False)


def _scored_outcome(case_id: int) -> int | None:
    """The root of the final diagnosis, if forecasts are scored by it."""
    rows = Solution.objects.filter(outcome_known("case"), case=case_id, confirmed__in=Solution.SCORES)
    rows = rows.exclude(case__question__status=Question.Status.REMOVED)
    return rows.values_list(Coalesce("diagnosis__merged_into", "diagnosis"), flat=True).first()


def _write(rows, was_right: bool | None) -> None:
    """Only where it changes something, so that settling once more writes nothing."""
    wrong = Q(was_right__isnull=False) if was_right is None else ~Q(was_right=was_right)
    if numbers := list(rows.filter(wrong).values_list("pk", flat=True)):
        Reply.objects.filter(pk__in=numbers).update(was_right=was_right)
