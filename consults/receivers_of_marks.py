"""Replies and the marks they name."""

from django.dispatch import receiver

from consults.services import markers
from questions.models import Question
from questions.signals import post_written


@receiver(post_written)
def tie_marks(post, **kwargs):
    if post.question.kind == Question.Kind.CASE:
        markers.tie_to(post)
