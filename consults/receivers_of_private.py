"""What cases have to say of private consults: who wrote in one, and what is done once all physicians read it."""

from django.dispatch import receiver

from consults.models import Case, DiagnosisVote, Marker
from questions.services import asking
from questions.signals import authors_sought, opened_to_all


@receiver(authors_sought)
def add_who_marks_or_disputes(question, members, **kwargs):
    """Whose words stand on a picture, or under a diagnosis."""
    marks = Marker.objects.filter(case=question.pk).exclude(label="")
    disputes = DiagnosisVote.objects.filter(diagnosis__case=question.pk).exclude(explanation="")
    members.update(marks.values_list("member", flat=True).union(disputes.values_list("voter", flat=True)))


@receiver(opened_to_all)
def put_to_colleagues(question, opening, **kwargs):
    """As a case that asks for help is when it is posted to all."""
    if Case.objects.filter(pk=question.pk, intent=Case.Intent.HELP).exists():
        asking.put_to_colleagues(opening)
