"""What stories do when something has happened to their cases."""

from django.dispatch import receiver

from consults.services import stories
from questions.models import Post, Question
from questions.signals import post_removed, words_taken_out


@receiver(post_removed)
def erase_story_of_removed(post, **kwargs):
    if post.kind == Post.Kind.OPENING and post.question.kind == Question.Kind.CASE:
        stories.erase_of([post.question_id])


@receiver(words_taken_out)
def cut_story(question, cut, **kwargs):
    """What must not stand in a case must not stand before everybody. It does not come back by itself."""
    if question.kind == Question.Kind.CASE:
        stories.cut(question.pk, cut)
