"""Answer first: in some discussions the answers of others open once one has answered, or asked to only read."""

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Member
from questions.models.questions import Question


class Commitment(models.Model):
    """That the answers of a discussion are open to a member, and how it came to that.

    Whoever asked to only read stays marked as one who had seen the others, also when they answer later.
    """

    class How(models.TextChoices):
        ANSWERED = "answered", "By an answer of their own"
        READING = "reading", "By asking to read"

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="commitments")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    how = models.CharField(max_length=8, choices=How)
    committed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["question", "member"], name="commitment_once"),
            models.CheckConstraint(
                condition=Q(how__in=["answered", "reading"]), name="commitment_how_is_known"
            ),
        ]

    def __str__(self):
        return f"commitment {self.pk}"


def is_open_to(member: Member, question: str = "pk") -> Q:
    """The condition under which the answers of a discussion at `question` are open to a member.

    With "pk" for a query of questions, with "question" for one of posts.
    """
    at = "" if question == "pk" else f"{question}__"
    committed = Commitment.objects.filter(question=OuterRef(question), member=member)
    return Q(**{f"{at}answer_first": False}) | Q(**{f"{at}asker": member}) | Exists(committed)
