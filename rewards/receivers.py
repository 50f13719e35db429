"""What rewards do when a discussion closes or is to be opened again."""

import structlog
from django.db import transaction
from django.dispatch import receiver

from questions.signals import question_closed, question_reopened
from rewards.models import Settlement
from rewards.services import settling
from sermo.errors import RuleBroken

log = structlog.get_logger(__name__)


class PaidOut(RuleBroken):
    message = "What was paid here is shown; it cannot be opened again."


@receiver(question_closed)
def settle_what_was_earmarked(question, **kwargs):
    """The closing stands whatever becomes of the money: what fails here is left to the sweep."""
    try:
        with transaction.atomic():
            settling.settle(question_id=question.pk)
    except Exception as error:
        log.error("settling_left_to_sweep", question=question.pk, error=type(error).__name__)


@receiver(question_reopened)
def keep_closed_what_was_paid(question, **kwargs):
    if Settlement.objects.filter(pk=question.pk).exists():
        raise PaidOut
