"""Discussions that no member opens but the site itself, or a firm: put to nobody, told to nobody."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import Member, Specialty
from questions.models import Byline, Post, Question, QuestionSpecialty, Tag
from questions.services import tags as tag_services
from questions.services import writing
from questions.signals import question_closed, question_reopened


@transaction.atomic
def open_for_house(
    *,
    house: Member,
    kind: str,
    title: str,
    source: str,
    specialties: Iterable[Specialty],
    tags: Iterable[Tag] = (),
) -> Question:
    """Start a discussion with its opening, both signed by the site. Neither limits nor the rules of bylines apply."""
    question = Question(asker=house, kind=kind, title=title)

    def sign() -> Byline:
        return Byline.objects.create(question=question, member=house, mode=Byline.Mode.HOUSE)

    writing.save_new(question, source=source, specialties=specialties, sign=sign)
    question.tags.set(tag_services.held(tags))
    return question


@transaction.atomic
def open_for_firm(
    *, voice: Member, firm: str, kind: str, title: str, source: str, specialties: Iterable[Specialty]
) -> Question:
    """Start a discussion under the name of a firm, which stands in every list. Put to nobody, told to nobody."""
    question = Question(asker=voice, kind=kind, title=title, industry=firm)

    def sign() -> Byline:
        return Byline.objects.create(question=question, member=voice, mode=Byline.Mode.FIRM)

    writing.save_new(question, source=source, specialties=specialties, sign=sign)
    return question


@transaction.atomic
def rewrite_for_house(
    *,
    question: Question,
    house: Member,
    title: str,
    source: str,
    specialties: Iterable[Specialty],
    tags: Iterable[Tag],
) -> None:
    """Say anew what an open discussion of the site is about; its words only where no moderator took some out."""
    question = Question.objects.select_for_update().get(pk=question.pk)
    if not question.is_open:
        return
    _put_under(question, list(specialties))
    question.tags.set(tag_services.held(tags))
    opening = question.posts.get(kind=Post.Kind.OPENING)
    if not writing.is_redacted(opening):
        writing.edit_post(post=opening, by=house, source=source, title=title)


def _put_under(question: Question, specialties: list[Specialty]) -> None:
    ties = QuestionSpecialty.objects.filter(question=question)
    if list(ties.order_by("place").values_list("specialty", flat=True)) == [one.pk for one in specialties]:
        return
    ties.delete()
    QuestionSpecialty.objects.bulk_create(
        QuestionSpecialty(question=question, specialty=specialty, place=place)
        for place, specialty in enumerate(specialties, start=1)
    )


@transaction.atomic
def close_for_house(*, question: Question) -> None:
    """Close an open discussion of the site, or of a firm, as its author; what a moderator closed stays so."""
    question = Question.objects.select_for_update().get(pk=question.pk)
    if not question.is_open:
        return
    question.status, question.closed_at = Question.Status.CLOSED, timezone.now()
    question.close_reason = Question.CloseReason.AUTHOR
    question.save(update_fields=["status", "closed_at", "close_reason"])
    question_closed.send(sender=Question, question=question)


@transaction.atomic
def reopen_for_house(*, question: Question) -> None:
    """Open again what the site itself closed, however long ago. Nothing was said in it, so it moves up no list."""
    question = Question.objects.select_for_update().get(pk=question.pk)
    if question.status != Question.Status.CLOSED or question.close_reason != Question.CloseReason.AUTHOR:
        return
    question.status, question.closed_at, question.close_reason = Question.Status.OPEN, None, ""
    question.save(update_fields=["status", "closed_at", "close_reason"])
    question_reopened.send(sender=Question, question=question)
