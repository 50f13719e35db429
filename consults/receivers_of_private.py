"""What cases do once a private consult is open to all physicians."""

from django.dispatch import receiver

from consults.models import Case
from questions.services import asking
from questions.signals import opened_to_all


@receiver(opened_to_all)
def put_to_colleagues(question, opening, **kwargs):
    """As a case that asks for help is when it is posted to all."""
    if Case.objects.filter(pk=question.pk, intent=Case.Intent.HELP).exists():
        asking.put_to_colleagues(opening)
