"""What pages and shifts do when something lower has happened. All run in the transaction that holds the discussion."""

from django.dispatch import receiver

from accounts.models import Member
from accounts.signals import standing_changed
from consults.services import duties, paging
from questions.models import Post, Question
from questions.signals import post_removed, post_written, question_closed, solution_asked


@receiver(post_written)
def hear_answer(post, **kwargs):
    if post.question.kind == Question.Kind.CASE and post.kind == Post.Kind.ANSWER:
        paging.note_answer(post)


@receiver([question_closed, solution_asked])
def stop_paging(question, **kwargs):
    """Withdrawing closes, too."""
    if question.kind == Question.Kind.CASE:
        paging.stop_of(question.pk)


@receiver(post_removed)
def stop_paging_of_removed(post, **kwargs):
    if post.question.kind == Question.Kind.CASE and post.kind == Post.Kind.OPENING:
        paging.stop_of(post.question_id)


@receiver(standing_changed)
def end_duties(member, **kwargs):
    if member.standing != Member.Standing.PHYSICIAN:
        duties.end_all(member)
