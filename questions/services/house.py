"""Discussions that the site itself opens: in nobody's name, put to nobody, told to nobody."""

from collections.abc import Iterable

from django.db import transaction

from accounts.models import Member, Specialty
from questions.models import Byline, Question
from questions.services import writing


@transaction.atomic
def open_for_house(
    *, house: Member, kind: str, title: str, source: str, specialties: Iterable[Specialty]
) -> Question:
    """Start a discussion with its opening, both signed by the site. Neither limits nor the rules of bylines apply."""
    question = Question(asker=house, kind=kind, title=title)

    def sign() -> Byline:
        return Byline.objects.create(question=question, member=house, mode=Byline.Mode.HOUSE)

    writing.save_new(question, source=source, specialties=specialties, sign=sign)
    return question
