"""What a case is labeled in lists: a case study, or else solved or unsolved."""

from django.db import models
from django.db.models import OuterRef, Subquery, Value, When

from consults.models import Case
from questions.labels import NONE, STUDY


def label_of(question: str) -> Subquery:
    """The label of the case of the discussion at a path, see `questions.labels`."""
    label = models.Case(
        When(withdrawn_at__isnull=False, then=Value(NONE)),
        When(intent=Case.Intent.TEACHING, then=Value(STUDY)),
        default=Value(""),
        output_field=models.TextField(),
    )
    return Subquery(Case.objects.filter(pk=OuterRef(question)).values_list(label)[:1])
