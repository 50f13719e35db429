"""What moderators make of a room: codes and quotes while reading, and exports."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from focusgroups.models.rooms import Room
from focusgroups.models.words import Answer, Message

OF_ONE = Q(answer=None, message__isnull=False) | Q(answer__isnull=False, message=None)


class Code(models.Model):
    """A tag of a room's analysis."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="codes")
    name = models.CharField(max_length=40)

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["room", "name"], name="code_once"),
            models.CheckConstraint(condition=~Q(name=""), name="code_has_name"),
        ]

    def __str__(self):
        return self.name


class CodeMark(models.Model):
    """That a code was given to an answer or message."""

    code = models.ForeignKey(Code, on_delete=models.CASCADE, related_name="marks")
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, null=True, related_name="marks")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="marks")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=OF_ONE, name="code_mark_of_one"),
            models.UniqueConstraint(fields=["code", "answer"], name="code_marks_answer_once"),
            models.UniqueConstraint(fields=["code", "message"], name="code_marks_message_once"),
        ]

    def __str__(self):
        return f"mark {self.pk}"


class Quote(models.Model):
    """Words that a moderator wants to use outside the room, exactly as they were said. Only with the speaker's yes.

    Without one, after seven days the moderator's paraphrase stands for it.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Waiting for the speaker"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        PARAPHRASED = "paraphrased", "Paraphrased"  # nobody answered in time

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="quotes")
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, null=True, related_name="quotes")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="quotes")
    text = models.TextField(max_length=2_000, blank=True)  # erased unless approved, once decided
    fingerprint = models.CharField(
        max_length=64, blank=True, editable=False
    )  # of its words, once they are erased
    paraphrase = models.CharField(max_length=500)
    state = models.CharField(max_length=11, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=OF_ONE, name="quote_of_one"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "approved", "refused", "paraphrased"]),
                name="quote_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_at=None)
                | (~Q(state="proposed") & Q(decided_at__isnull=False)),
                name="quote_decided_with_moment",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "approved"]) | Q(text=""),
                name="quote_without_yes_says_nothing",
            ),
        ]
        indexes = [models.Index(fields=["proposed_at"], condition=Q(state="proposed"), name="quote_waiting")]

    def __str__(self):
        return f"quote {self.pk}"


class RoomExport(models.Model):
    """That a file left a room: which, by whom and why. Its mark is in the file."""

    class Kind(models.TextChoices):
        TRANSCRIPT = "transcript", "Transcript"
        ANSWERS = "answers", "Answers, as CSV"
        QUOTES = "quotes", "Quotes"
        FIGURES = "figures", "Participants, as CSV"

    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="exports")
    kind = models.CharField(max_length=10, choices=Kind)
    mark = models.CharField(max_length=40, unique=True)
    reason = models.CharField(max_length=300)
    rows = models.PositiveIntegerField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="room_export_has_reason"),
            models.CheckConstraint(
                condition=Q(kind__in=["transcript", "answers", "quotes", "figures"]),
                name="room_export_kind_is_known",
            ),
        ]

    def __str__(self):
        return f"export {self.mark}"
