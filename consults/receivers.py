"""What cases do when something lower has happened."""

from django.dispatch import receiver

from consults import receivers_of_marks  # noqa: F401
from consults.models import Case
from questions.models import Question
from questions.signals import question_reopened, removal_asked
from sermo.errors import RuleBroken


class Withdrawn(RuleBroken):
    message = "This case was withdrawn. It stays closed."


class WithdrawInstead(RuleBroken):
    message = "Withdraw the case instead, from its page: that destroys its pictures, too."


@receiver(question_reopened)
def keep_withdrawn_closed(question, **kwargs):
    if _is_withdrawn(question):
        raise Withdrawn


@receiver(removal_asked)
def keep_pictures_from_lying_about(question, **kwargs):
    """Its author takes a case out of sight by withdrawing it, which leaves no picture behind."""
    if question.kind == Question.Kind.CASE and not _is_withdrawn(question):
        raise WithdrawInstead


def _is_withdrawn(question) -> bool:
    is_case = question.kind == Question.Kind.CASE
    return is_case and Case.objects.filter(pk=question.pk, withdrawn_at__isnull=False).exists()
