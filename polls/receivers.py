"""What polls do when something lower has happened."""

from django.dispatch import receiver

from polls.models import Poll
from polls.services import closing, opening
from questions.signals import opening_rewritten, question_closed


@receiver(question_closed)
def close_poll_of_discussion(question, **kwargs):
    if question.has_poll and Poll.objects.filter(pk=question.pk, closed_at=None).exists():
        closing.close_with_discussion(poll_id=question.pk)


@receiver(opening_rewritten)
def keep_words_of_poll(question, **kwargs):
    """A discussion stays to be found by the words of its poll."""
    if question.has_poll and (poll := Poll.objects.filter(pk=question.pk).first()):
        opening.make_searchable(poll)
