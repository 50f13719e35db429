"""What cases do when something lower has happened."""

from django.dispatch import receiver

from consults import (  # noqa: F401
    receivers_of_marks,
    receivers_of_private,
    receivers_of_stories,
    receivers_on_call,
)
from consults.models import Case
from consults.services import solving, taking_out
from consults.services.replies import diagnosis_line
from consults.services.settling import settle
from questions.models import Post, Question
from questions.signals import (
    answer_words_taken_out,
    edit_asked,
    post_put_back,
    post_removed,
    question_reopened,
    removal_asked,
    solution_asked,
    words_put_back,
    words_taken_out,
)
from sermo.errors import RuleBroken


class Withdrawn(RuleBroken):
    message = "This case was withdrawn. It stays closed."


class WithdrawInstead(RuleBroken):
    message = "Withdraw the case instead, from its page: that destroys its pictures, too."


class DiagnosisStays(RuleBroken):
    message = "The diagnosis and how sure you were stay as you gave them. Answer again to give another."


@receiver(question_reopened)
def keep_withdrawn_closed(question, **kwargs):
    if _is_withdrawn(question):
        raise Withdrawn


@receiver(removal_asked)
def keep_pictures_from_lying_about(question, **kwargs):
    """Its author takes a case out of sight by withdrawing it, which leaves no picture behind."""
    if question.kind == Question.Kind.CASE and not _is_withdrawn(question):
        raise WithdrawInstead


@receiver(edit_asked)
def keep_diagnosis_as_given(post, source, **kwargs):
    """What is counted on the board and scored is what colleagues read; a diagnosis comes in by answering alone."""
    is_reply = post.question.kind == Question.Kind.CASE and post.kind == Post.Kind.ANSWER
    if is_reply and diagnosis_line(source) != diagnosis_line(post.source):
        raise DiagnosisStays


@receiver(solution_asked)
def solve_with_final_diagnosis(question, sender, **kwargs):
    if question.kind == Question.Kind.CASE and sender is not Case:
        raise solving.SolveAsCase


@receiver([post_removed, post_put_back])
def score_anew(post, **kwargs):
    """A moderator's removal voids a forecast, and removing the last credited answer takes the solution back."""
    if post.question.kind == Question.Kind.CASE and post.kind != post.Kind.COMMENT:
        settle(post.question_id)


@receiver(answer_words_taken_out)
def take_words_out_of_diagnosis(post, cut, kept, **kwargs):
    if post.question.kind == Question.Kind.CASE and (
        cuts := taking_out.take_out_of_reply(post=post, cut=cut)
    ):
        kept["consults"] = cuts


@receiver(words_taken_out)
def take_words_out_of_case(question, cut, kept, **kwargs):
    if question.kind == Question.Kind.CASE and (cuts := taking_out.take_out(case_id=question.pk, cut=cut)):
        kept["consults"] = cuts


@receiver(words_put_back)
def put_words_back_into_case(question, kept, **kwargs):
    if "consults" in kept:
        taking_out.put_back(case_id=question.pk, kept=kept["consults"])


def _is_withdrawn(question) -> bool:
    is_case = question.kind == Question.Kind.CASE
    return is_case and Case.objects.filter(pk=question.pk, withdrawn_at__isnull=False).exists()
