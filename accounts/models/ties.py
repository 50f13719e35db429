"""What holds between two members: connections, follows, blocks."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from accounts.models.people import Member
from sermo.fields import EncryptedTextField


class Face(models.TextChoices):
    """Under what others meet a member. The two are never to be joined by anybody else."""

    HANDLE = "handle", "Handle"
    NAME = "name", "Real name"


class Connection(models.Model):
    """Two handles that agreed to know each other, or one that asked. One row for each pair, whoever asked last.

    A refusal is silent: to the one who asked, refused looks like requested for as long as a request does. A name
    stands here only after both ticked "reveal".
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        ACCEPTED = "accepted", "Connected"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        ENDED = "ended", "Ended"

    requester = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="connections_asked")
    addressee = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="connections_received")
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    requested_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    requester_reveals = models.BooleanField(default=False)
    addressee_reveals = models.BooleanField(default=False)
    requester_name = EncryptedTextField(null=True)
    addressee_name = EncryptedTextField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                Least("requester", "addressee"),
                Greatest("requester", "addressee"),
                name="connection_one_per_pair",
            ),
            models.CheckConstraint(condition=~Q(requester=F("addressee")), name="connection_between_two"),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "accepted", "refused", "withdrawn", "ended"]),
                name="connection_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(requester_name__isnull=True, addressee_name__isnull=True)
                | Q(state="accepted", requester_reveals=True, addressee_reveals=True),
                name="connection_names_only_if_both_reveal",
            ),
        ]
        indexes = [
            models.Index(fields=["addressee", "state", "-requested_at"], name="connection_received"),
            models.Index(fields=["requester", "state", "-requested_at"], name="connection_asked"),
        ]

    def __str__(self):
        return f"connection {self.pk}"

    def other(self, member: Member) -> Member:
        return self.addressee if self.requester_id == member.pk else self.requester


class Follow(models.Model):
    """One member follows another's handle. The followed one sees a count and nothing else."""

    follower = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="follows")
    followed = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="followers")
    alerts = models.BooleanField(default=False)  # told of each new discussion, not only in the digest
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followed")), name="follow_not_oneself"),
        ]
        indexes = [models.Index(fields=["followed", "follower"], name="follow_reverse")]

    def __str__(self):
        return f"follow {self.pk}"


class Block(models.Model):
    """A member wants nothing to do with somebody, as met under one face.

    It hides the pages of the two faces from each other. It never touches the other faces: if blocking a handle also
    hid the page of a name, everybody could learn whose name it is.
    """

    blocker = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="blocks")
    blocker_face = models.CharField(max_length=6, choices=Face)
    blocked = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="blocked_by")
    blocked_face = models.CharField(max_length=6, choices=Face)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["blocker", "blocker_face", "blocked", "blocked_face"], name="block_once_per_faces"
            ),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="block_not_oneself"),
            models.CheckConstraint(
                condition=Q(blocker_face__in=["handle", "name"], blocked_face__in=["handle", "name"]),
                name="block_faces_are_known",
            ),
        ]
        indexes = [models.Index(fields=["blocked", "blocked_face", "blocker"], name="block_reverse")]

    def __str__(self):
        return f"block {self.pk}"
