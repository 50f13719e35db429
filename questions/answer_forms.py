"""How discussions of some kinds are answered: by a form of their own, which the app they belong to adds here."""

from collections.abc import Callable
from typing import NamedTuple

from questions.models import Question


class Way(NamedTuple):
    """`form(request, question, data, **of_thread)` makes the form, of fields the template draws.

    What else than its byline makes an empty form look different it has as `shape`.
    """

    form: Callable
    template: str
    action: Callable[[Question], str]


FORMS: dict[str, Way] = {}  # by kind
