"""Writing in a private consult: its asker does, and whoever accepted to be asked into it."""

from accounts.models import Member
from questions.models import Invitation, Question
from sermo.errors import RuleBroken


class NotAccepted(RuleBroken):
    message = "This consult is private. You write in it once you have accepted the invitation."


def takes_words_of(question: Question, member: Member) -> bool:
    """Whether a discussion takes words, votes and marks of this member, as far as its readers decide that."""
    if not question.is_private or question.asker_id == member.pk:
        return True
    accepted = Invitation.objects.filter(state=Invitation.State.ACCEPTED)
    return accepted.filter(question=question, member=member).exists()


def check_takes_words_of(question: Question, member: Member) -> None:
    """Raises NotAccepted."""
    if not takes_words_of(question, member):
        raise NotAccepted
