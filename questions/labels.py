"""Labels of discussions that only the app knows to which their kind belongs, for rows drawn for all readers."""

from collections.abc import Callable

from django.db.models import Case, Expression, TextField, Value, When

STUDY = "study"  # its outcome was known from the start: it is neither solved nor unsolved
NONE = "none"  # nothing waits there any more
# Kind: what makes, of the path to a discussion, an expression that is STUDY, NONE, or empty for what can be solved.
LABELS: dict[str, Callable[[str], Expression]] = {}


def label_of(question: str = "pk") -> Case:
    """The label of the discussion at a path; empty for kinds that have none."""
    at = "" if question == "pk" else f"{question}__"
    known = [When(**{f"{at}kind": kind}, then=make(question)) for kind, make in LABELS.items()]
    return Case(*known, default=Value(""), output_field=TextField())
