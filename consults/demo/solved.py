"""What a log-in of the demonstration foretold in cases that are solved by now, enough to be calibrated by."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import Member
from consults.models import Case, Diagnosis, Reply, Solution
from consults.services import replies, settling
from questions.models import Byline, Commitment, Post, Question
from questions.services.counting import recount_questions
from sermo.text import plain, render_markdown, searchable

WHO = "cardio@demo.sermo.test"
# How sure, and whether right: a little surer than the outcomes are, as most of us.
FORETOLD = [
    *((90, True), (70, True), (60, False), (80, True), (50, True), (70, False), (90, True), (80, True)),
    *((60, True), (100, True), (80, False), (70, True), (50, False), (90, False), (80, True), (60, True)),
]


@transaction.atomic
def seed(stdout) -> None:
    """Answer solved cases as if before they were; a second run changes nothing."""
    member = Member.objects.filter(user__email=WHO).first()
    if member is None:
        return
    missing = FORETOLD[Reply.objects.filter(member=member, was_right__isnull=False).count() :]
    cases = list(_cases(member)[: len(missing)])
    for case, (confidence, is_right) in zip(cases, missing, strict=False):
        _foretell(case, member, confidence, _diagnosis(case, is_right))
    for case in cases:
        settling.settle(case.pk)
    recount_questions([case.pk for case in cases])
    scored = Reply.objects.filter(member=member, was_right__isnull=False).count()
    stdout.write(f"forecasts: {scored} of {WHO} scored")


def _cases(member: Member):
    """Confirmed ones of colleagues in which this member did nothing yet, with time to answer before the outcome."""
    wrote = Post.objects.filter(question=OuterRef("pk"), author=member)
    opened = Commitment.objects.filter(question=OuterRef("pk"), member=member)
    rows = Case.objects.visible_to(member.user).filter(
        intent=Case.Intent.HELP,
        question__solved_at__isnull=False,
        final__confirmed__in=Solution.SCORES,
        withdrawn_at=None,
    )
    rows = rows.filter(~Exists(wrote), ~Exists(opened)).exclude(question__asker=member)
    return rows.select_related("question", "final__diagnosis").order_by("question__solved_at", "pk")


def _diagnosis(case: Case, is_right: bool) -> Diagnosis:
    """The final one, or another that somebody named there."""
    final = case.final.diagnosis
    root = final.root_id
    others = Diagnosis.objects.filter(case=case, replies__isnull=False).exclude(pk=root)
    wrong = others.exclude(merged_into=root).exclude(pk=final.pk).order_by("pk").first()
    return final if is_right or wrong is None else wrong


def _foretell(case: Case, member: Member, confidence: int, diagnosis: Diagnosis) -> None:
    question: Question = case.question
    at = question.opened_at + max((question.solved_at - question.opened_at) * 0.7, timedelta(minutes=1))
    byline, _ = Byline.objects.get_or_create(
        question=question, member=member, defaults={"mode": Byline.Mode.ANONYMOUS}
    )
    source = replies.compose(diagnosis.name, "", confidence, "", "")
    html = render_markdown(source)
    post = Post.objects.create(
        question=question,
        kind=Post.Kind.ANSWER,
        author=member,
        byline=byline,
        source=source,
        html=html,
        posted_at=min(at, question.solved_at),
        search_text=searchable("", plain(html)),
    )
    Reply.objects.create(
        post=post, case=case, member=member, diagnosis=diagnosis, confidence=confidence, is_forecast=True
    )
    Commitment.objects.create(
        question=question, member=member, how=Commitment.How.ANSWERED, committed_at=post.posted_at
    )
