"""What is said in a room: answers to prompts, and messages around them. All of it can be hidden or taken back."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from focusgroups.models.guides import LiveHour, Prompt
from focusgroups.models.people import Participant
from focusgroups.models.rooms import Room

LONGEST = 10_000  # characters of an answer or message


class Said(models.QuerySet):
    def standing(self) -> "Said":
        """Neither hidden by a moderator nor taken back by whoever said it."""
        return self.filter(hidden_at=None, withdrawn_at=None)


class Words(models.Model):
    """What both have: Markdown as typed, HTML as stored, and what became of it."""

    source = models.TextField(max_length=LONGEST, blank=True)
    html = models.TextField(blank=True)
    words = models.PositiveIntegerField(default=0)  # how many, for the meter of fairness
    posted_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)
    hidden_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    hidden_why = models.CharField(max_length=300, blank=True)
    withdrawn_at = models.DateTimeField(null=True)  # its words are erased then

    objects = Said.as_manager()

    class Meta:
        abstract = True
        default_permissions = ()

    @property
    def is_standing(self) -> bool:
        return self.hidden_at is None and self.withdrawn_at is None

    @property
    def waits_for_a_look(self) -> bool:
        """Whether it is hidden for what it said before: its author took that back and answered anew."""
        return self.hidden_at is not None and self.withdrawn_at is None and self.posted_at > self.hidden_at


class Answer(Words):
    """A participant's answer to a prompt, once: options by their numbers, ranked ones with the best first."""

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="answers")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="answers")
    chosen = ArrayField(models.BigIntegerField(), default=list, blank=True)
    points = models.PositiveSmallIntegerField(null=True)  # on a scale
    is_private = models.BooleanField("to moderators only", default=False)

    class Meta(Words.Meta):
        constraints = [
            models.UniqueConstraint(fields=["prompt", "participant"], name="prompt_answered_once"),
            models.CheckConstraint(
                condition=Q(hidden_at=None) | ~Q(hidden_why=""), name="answer_hidden_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(source="", html="", chosen=[], points=None),
                name="answer_withdrawn_says_nothing",
            ),
        ]

    def __str__(self):
        return f"answer {self.pk}"

    @property
    def is_anew(self) -> bool:
        """Whether it was given anew, when the answers of others had been open to whoever did."""
        return self.edited_at is not None and self.edited_at == self.posted_at


class Message(Words):
    """Anything else: a reply under an answer, a probe of a moderator to one or all and what is said to it, a private
    note to the moderators, a line of a live hour. To one participant or of one alone: nobody else reads it.
    """

    class Kind(models.TextChoices):
        REPLY = "reply", "Reply"
        PROBE = "probe", "Probe"
        NOTE = "note", "Note to the moderators"
        LIVE = "live", "Live hour"

    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=5, choices=Kind)
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, null=True, related_name="messages")
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, null=True, related_name="messages")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replies")
    live_hour = models.ForeignKey(LiveHour, on_delete=models.PROTECT, null=True, related_name="messages")
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, null=True, related_name="messages"
    )  # who said it; none: a moderator
    moderator = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    to = models.ForeignKey(Participant, on_delete=models.PROTECT, null=True, related_name="+")
    is_private = models.BooleanField(default=False)  # between one participant and the moderators
    key = models.UUIDField(unique=True)  # of the form it was sent with, so that twice is once

    class Meta(Words.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["reply", "probe", "note", "live"]), name="message_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(participant=None) | Q(moderator=None), name="message_of_one_or_the_other"
            ),
            models.CheckConstraint(
                condition=Q(kind="probe", participant=None) | ~Q(kind="probe"),
                name="message_probe_of_moderator",
            ),
            models.CheckConstraint(
                condition=~Q(kind="note") | Q(is_private=True), name="message_note_is_private"
            ),
            models.CheckConstraint(
                condition=Q(to=None) | Q(is_private=True), name="message_to_one_is_private"
            ),
            models.CheckConstraint(
                condition=Q(kind="live", live_hour__isnull=False) | (~Q(kind="live") & Q(live_hour=None)),
                name="message_live_in_its_hour",
            ),
            models.CheckConstraint(
                condition=Q(hidden_at=None) | ~Q(hidden_why=""), name="message_hidden_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(source="", html=""), name="message_withdrawn_says_nothing"
            ),
        ]
        indexes = [models.Index(F("room"), F("posted_at").desc(), name="message_of_room")]

    def __str__(self):
        return f"message {self.pk}"


class Revision(models.Model):
    """What an answer or message said before it was edited; it goes when that is taken back."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, null=True, related_name="revisions")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="revisions")
    source = models.TextField()
    written_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(answer=None, message__isnull=False) | Q(answer__isnull=False, message=None),
                name="room_revision_of_one",
            )
        ]

    def __str__(self):
        return f"revision {self.pk}"
