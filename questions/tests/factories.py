"""Plain makers of discussions for tests."""

from copy import copy
from unittest.mock import patch

from accounts.tests.factories import make_member, make_specialty
from questions.services import telling, voting, writing
from questions.services.tags import tags_named

makers_tell = True  # see the fixture `nobody_told`
UNTOLD = {name: lambda post: None for name in ("of_opening", "of_answer", "of_comment")}
BODY = "In the 70s, on dialysis, new atrial fibrillation. What would you do?"


def make_question(
    asker, title="How long do you hold it before the procedure?", *, specialties=None, **fields
):
    fields = {"kind": "question", "source": BODY, **fields}
    specialties = specialties or [asker.specialty or make_specialty()]
    tags_named(fields.get("tags", ()))  # as if somebody of rank had used them before
    return _made(writing.open_question, asker=asker, title=title, specialties=specialties, **fields)


def make_answer(question, author=None, source="Occlude, if a heart team will take the patient.", **fields):
    return _made(writing.answer, question=question, author=author or make_member(), source=source, **fields)


def make_comment(post, author=None, source="Which dose did you use?", **fields):
    return _made(writing.comment, post=post, author=author or make_member(), source=source, **fields)


def _made(write, **fields):
    if makers_tell:
        return write(**fields)
    with patch.multiple(telling, **UNTOLD):
        return write(**fields)


def copy_of(row, **changes):
    """One more row like it, where many are needed: services take some twenty times as long."""
    again = copy(row)
    again._state = copy(row._state)
    again._state.adding, again.pk = True, None
    for name, value in changes.items():
        setattr(again, name, value)
    again.save(force_insert=True)
    return again


def corroborate(post, voter=None):
    return voting.cast_vote(post=post, voter=voter or make_member(), value=1)


def dispute(post, voter=None, reason="evidence", explanation="The data point the other way here."):
    return voting.cast_vote(
        post=post, voter=voter or make_member(), value=-1, reason=reason, explanation=explanation
    )
