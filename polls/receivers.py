"""What polls do when something lower has happened."""

from django.dispatch import receiver

from polls.models import Poll
from polls.services import closing, opening, taking_out
from questions.signals import (
    opening_rewritten,
    question_closed,
    removal_asked,
    words_put_back,
    words_taken_out,
)


@receiver(question_closed)
def close_poll_of_discussion(question, **kwargs):
    if question.has_poll and Poll.objects.filter(pk=question.pk, closed_at=None).exists():
        closing.close_with_discussion(poll_id=question.pk)


@receiver(opening_rewritten)
def keep_words_of_poll(question, **kwargs):
    """A discussion stays to be found by the words of its poll."""
    if question.has_poll and (poll := Poll.objects.filter(pk=question.pk).first()):
        opening.make_searchable(poll)


@receiver(removal_asked)
def keep_what_colleagues_voted_in(question, **kwargs):
    if question.has_poll:
        taking_out.check_removal(question)


@receiver(words_taken_out)
def take_words_out_of_poll(question, cut, kept, **kwargs):
    if question.has_poll and (cuts := taking_out.take_out(poll_id=question.pk, cut=cut)):
        kept["polls"] = cuts


@receiver(words_put_back)
def put_words_back_into_poll(question, kept, **kwargs):
    if "polls" in kept:
        taking_out.put_back(poll_id=question.pk, kept=kept["polls"])
