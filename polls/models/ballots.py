"""Votes, so kept that nobody can say who chose what: see docs/decisions/0010-secret-ballot.md.

No table here has a sequence or a moment, and rows that belong to a choice never share a transaction with one that
belongs to a member.
"""

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Member
from polls.models.polls import Poll

SECONDS = 5  # width of the steps in which the time a vote took is counted
STEPS = 61  # the last one holds all that took five minutes or more


def no_seconds() -> list[int]:
    return [0] * STEPS


class Receipt(models.Model):
    """That a member took a poll, or looked at the results instead. One for each, and never what was chosen."""

    class Kind(models.TextChoices):
        VOTED = "voted", "Voted"
        FORFEITED = "forfeited", "Looked without voting"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="receipts")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="poll_receipts")
    kind = models.CharField(max_length=9, choices=Kind)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["poll", "member"], name="receipt_one_per_member_and_poll"),
            models.CheckConstraint(
                condition=Q(kind__in=["voted", "forfeited"]), name="receipt_kind_is_known"
            ),
        ]

    def __str__(self):
        return "receipt"


class Ticket(models.Model):
    """A vote on its way: between the transaction of its receipt and the one that counts it, a moment later.

    What stays is a vote whose counting was cut off; whoever sends the same form again is then counted.
    """

    key = models.BinaryField(max_length=32, primary_key=True)
    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self):
        return "ticket"


class Ballot(models.Model):
    """What somebody chose, in the order chosen, where it must be known to be changed or ranked. Of whom, nobody knows.

    `key` is a hash of a token that only the voter's browser has; it goes when the poll closes.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="ballots")
    key = models.BinaryField(max_length=32, null=True)
    choices = ArrayField(models.PositiveSmallIntegerField())
    is_settled = models.BooleanField(default=False)  # mixed with at least 19 others for the last time

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["key"], name="ballot_key_once"),
            models.CheckConstraint(condition=Q(choices__len__gt=0), name="ballot_is_not_empty"),
        ]
        indexes = [models.Index(fields=["poll"], condition=Q(is_settled=False), name="ballot_open")]

    def __str__(self):
        return "ballot"


class Tally(models.Model):
    """All that is counted of a poll, in one row, so that no row says which count changed last.

    `counts` has a number for each option: how many chose it, of a ranked poll put it first. `cells` holds what the
    breakdown shows, {dimension: {value: [number for each option]}}, each zero or at least five; it holds no other
    number, see `polls.cells`.
    """

    poll = models.OneToOneField(Poll, on_delete=models.CASCADE, primary_key=True, related_name="tally")
    voters = models.PositiveIntegerField(default=0)
    counts = ArrayField(models.PositiveIntegerField())
    cells = models.JSONField(default=dict)
    cells_voters = models.PositiveIntegerField(default=0)  # votes there were when cells were last added to
    seconds = ArrayField(
        models.PositiveIntegerField(), default=no_seconds
    )  # how many took so many steps of 5 s
    seen = models.PositiveIntegerField(default=0)  # members

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(cells_voters__lte=F("voters")), name="tally_cells_within_votes"
            ),
        ]

    def __str__(self):
        return f"tally of poll {self.poll_id}"


class Sight(models.Model):
    """That a member had a poll before them, for the number of those who did."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["poll", "member"], name="sight_one_per_member_and_poll")
        ]

    def __str__(self):
        return "sight"
