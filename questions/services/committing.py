"""Committing: answering first, or asking to only read."""

from django.db import transaction

from accounts.models import Member, User
from accounts.roles import is_moderator
from questions.models import Commitment, Question
from sermo.errors import RuleBroken


class AnswerFirst(RuleBroken):
    message = "The answers of colleagues open once you have answered, or asked to only read."


@transaction.atomic
def open_for_reading(*, question: Question, member: Member) -> Commitment:
    """Open the answers to a member who does not answer first, which marks what they answer later. Twice is once."""
    commitment, _ = Commitment.objects.get_or_create(
        question=question, member=member, defaults={"how": Commitment.How.READING}
    )
    return commitment


def commit_by_answer(*, question: Question, member: Member) -> bool:
    """Note that a member answers, in the caller's transaction; return whether they had seen others' answers before."""
    if not question.answer_first:
        return False
    if question.asker_id == member.pk or (member.user_id and is_moderator(member.user)):
        return True
    _, is_new = Commitment.objects.get_or_create(
        question=question, member=member, defaults={"how": Commitment.How.ANSWERED}
    )
    return not is_new


def are_answers_open(*, question: Question, user: User) -> bool:
    """Whether this reader sees what colleagues answered."""
    member = user.as_member
    if not question.answer_first or is_moderator(user):
        return True
    if member is None:
        return False
    if question.asker_id == member.pk:
        return True
    return Commitment.objects.filter(question=question, member=member).exists()
