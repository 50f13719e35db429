"""What holds between two members: connections, follows, blocks."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from accounts.models.people import Member
from sermo.fields import EncryptedTextField


class Face(models.TextChoices):
    """Under what others meet a member. The two are never to be joined by anybody else."""

    HANDLE = "handle", "Handle"
    NAME = "name", "Real name"


class ConnectionQuerySet(models.QuerySet):
    def between(self, one: Member, other: Member):
        return self.filter(Q(requester=one, addressee=other) | Q(requester=other, addressee=one))

    def of(self, member: Member):
        return self.filter(Q(requester=member) | Q(addressee=member))

    def accepted(self):
        return self.filter(state=Connection.State.ACCEPTED)

    def lasting(self):
        """Requests young enough to be answered."""
        return self.filter(requested_at__gt=timezone.now() - timedelta(days=settings.CONNECTION_RETRY_DAYS))

    def sent_by(self, member: Member):
        """What a member asked for, as they may know it: the refused are among the waiting."""
        return self.lasting().filter(requester=member, state__in=Connection.WAITING_TO_REQUESTER)

    def received_by(self, member: Member):
        """What waits for a member's answer. A request from behind a block between the handles is never shown."""
        hidden = Block.objects.parting_handles(member)
        waiting = self.lasting().filter(addressee=member, state=Connection.State.REQUESTED)
        return waiting.filter(requester__in=Member.objects.physicians()).exclude(requester__in=hidden)

    def others(self, member: Member):
        """The ids of those at the other end."""
        other = Case(When(requester=member, then=F("addressee")), default=F("requester"))
        return self.of(member).values_list(other, flat=True)


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

    WAITING_TO_REQUESTER = (State.REQUESTED, State.REFUSED)

    requester = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="connections_asked")
    addressee = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="connections_received")
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    requested_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    addressee_asked_at = models.DateTimeField(null=True, blank=True)  # when the addressee last asked, if ever
    requester_reveals = models.BooleanField(default=False)
    addressee_reveals = models.BooleanField(default=False)
    requester_name = EncryptedTextField(null=True)
    addressee_name = EncryptedTextField(null=True)

    objects = ConnectionQuerySet.as_manager()

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
                condition=~Q(state="accepted") | Q(answered_at__isnull=False),
                name="connection_accepted_at_a_moment",
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

    @property
    def lapses_at(self):
        """From then on nobody can answer a request, and its sender may ask again."""
        return self.requested_at + timedelta(days=settings.CONNECTION_RETRY_DAYS)

    @property
    def is_waiting(self):
        """Whether a request stands, as far as the one who asked can tell."""
        return self.state in self.WAITING_TO_REQUESTER and timezone.now() < self.lapses_at

    def last_asked_at(self, member: Member):
        """When this member last asked, or None."""
        return self.requested_at if self.requester_id == member.pk else self.addressee_asked_at

    def reveals(self, member: Member) -> bool:
        return self.requester_reveals if self.requester_id == member.pk else self.addressee_reveals

    def name_of(self, member: Member) -> str:
        """The real name a member gave to the other, or ""."""
        return (self.requester_name if self.requester_id == member.pk else self.addressee_name) or ""


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


class BlockQuerySet(models.QuerySet):
    def parting_handles(self, member: Member):
        """The ids of members whose handle and this member's are kept apart, whoever of the two blocked.

        For all that passes between handles and that others could notice: a block with a name on either side must not
        count there. Somebody blocks a name, and the handle that falls silent is that person's.
        """
        other = Case(When(blocker=member, then=F("blocked")), default=F("blocker"))
        rows = self.filter(blocker_face=Face.HANDLE, blocked_face=Face.HANDLE)
        return rows.filter(Q(blocker=member) | Q(blocked=member)).values_list(other, flat=True)


class Block(models.Model):
    """A member wants nothing to do with somebody, as met under one face.

    It hides the pages of the two faces from each other. It never touches the other faces: if blocking a handle also
    hid the page of a name, everybody could learn whose name it is. What passes between two handles, only a block
    between handles stops.
    """

    blocker = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="blocks")
    blocker_face = models.CharField(max_length=6, choices=Face)
    blocked = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="blocked_by")
    blocked_face = models.CharField(max_length=6, choices=Face)
    since = models.DateTimeField(default=timezone.now)

    objects = BlockQuerySet.as_manager()

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
