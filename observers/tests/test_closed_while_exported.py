"""A post that is closed while an export is read is not in it."""

from uuid import uuid4

import pytest

from observers.models import Export, Purpose, Read
from observers.services import exporting
from observers.tests.factories import let_pass
from questions.models import Post
from questions.tests.factories import make_answer, make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def question(physician, colleague):
    question = make_question(physician, "Apixaban in dialysis: which dose?")
    make_answer(question, colleague, source="Half of it, by the weight.")
    return let_pass(question)


@pytest.fixture
def close(monkeypatch):
    """Posts that their authors keep from firms right after they were read."""
    facts_of = exporting._facts_of

    def closing(rows):
        def read(posts):
            rows.update(peers_only=True)
            return facts_of(posts)

        monkeypatch.setattr(exporting, "_facts_of", read)

    return closing


def take(seat, question):
    asked = {"purpose": Purpose.SAFETY, "reason": "For the yearly review of our desk.", "key": uuid4()}
    return exporting.export_discussion(seat=seat, question=question, **asked)


def test_it_is_left_out(seat, question, close):
    close(Post.objects.filter(question=question, kind="answer"))

    file = take(seat, question)

    assert "Half of it" not in file.text
    assert file.export.rows == 1
    assert list(Read.objects.values_list("post__kind", flat=True)) == ["opening"]


def test_nothing_is_exported_where_nothing_is_left(seat, question, close):
    close(Post.objects.filter(question=question))

    with pytest.raises(exporting.NothingToExport):
        take(seat, question)

    assert not Export.objects.exists()
    assert not Read.objects.exists()
