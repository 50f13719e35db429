"""Committing: answering first, or asking to only read."""

from django.db import transaction

from accounts.models import Member, User
from accounts.roles import is_moderator
from questions.models import Commitment, Question
from sermo.errors import RuleBroken


class AnswerFirst(RuleBroken):
    message = "The answers of colleagues open once you have answered, or asked to only read."


@transaction.atomic
def open_for_reading(*, question: Question, member: Member) -> Commitment | None:
    """Open the answers to a member who does not answer first, which marks what they answer later. Twice is once.

    Where nothing is closed to the member, nothing is noted.
    """
    if not question.answer_first or question.asker_id == member.pk:
        return None
    commitment, _ = Commitment.objects.get_or_create(
        question=question, member=member, defaults={"how": Commitment.How.READING}
    )
    return commitment


def commit_by_answer(*, question: Question, member: Member) -> bool:
    """Note that a member answers, in the caller's transaction; return whether they had seen others' answers before."""
    if not question.answer_first:
        return False
    if question.asker_id == member.pk:
        return True
    _, is_new = Commitment.objects.get_or_create(
        question=question, member=member, defaults={"how": Commitment.How.ANSWERED}
    )
    return not is_new or _moderates(member)


def check_open(*, question: Question, member: Member) -> None:
    """For what is done to a colleague's answer. Raises AnswerFirst while it is closed to this member."""
    if question.answer_first and not (_has_committed(question, member) or _moderates(member)):
        raise AnswerFirst


def are_answers_open(*, question: Question, user: User, has_committed: bool | None = None) -> bool:
    """Whether this reader sees what colleagues answered. Without a query where it is known if they `has_committed`."""
    member = user.as_member
    if not question.answer_first or is_moderator(user):
        return True
    if member is None or has_committed is None:
        return member is not None and _has_committed(question, member)
    return has_committed or question.asker_id == member.pk


def _has_committed(question: Question, member: Member) -> bool:
    if question.asker_id == member.pk:
        return True
    return Commitment.objects.filter(question=question, member=member).exists()


def _moderates(member: Member) -> bool:
    return member.user_id is not None and is_moderator(member.user)
