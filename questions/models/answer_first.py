"""Answer first: in some discussions the answers of others open once one has answered, or asked to only read."""

from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.lookups import Exact
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


def is_open_to(member: Member) -> Q:
    """The condition under which the answers of a discussion are open to a member."""
    committed = Commitment.objects.filter(question=OuterRef("pk"), member=member)
    return Q(answer_first=False) | Q(asker=member) | Exists(committed)


def shows_post_to(member: Member) -> Q:
    """The condition under which the discussion of a post shows it to a member, for a subquery of discussions in a
    query of posts: answered by the look into an index that a gate takes anyway.
    """
    is_opening, is_own = (
        Exact(OuterRef("kind"), Value("opening")),
        Exact(OuterRef("author"), Value(member.pk)),
    )
    return is_open_to(member) | Q(is_opening) | Q(is_own)
