"""What members earned and for what, and what firms pay for polls."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.text import capfirst

from accounts.models import Member
from polls.models import Sponsor
from questions.models import Post, Question
from rewards.models.earmarks import Earmark
from rewards.models.firms import Charity, Firm
from rewards.models.ledger import Entry, Transaction
from rewards.models.payees import Payee
from rewards.models.rooms import RoomSponsorship


class Sponsorship(models.Model):
    """That a firm pays for a poll, and what the label on the poll says is reserved: so much for each paid vote.

    What is paid for how many votes, and how many were paid, stands in the label (polls.Sponsor), since members read
    it before the first question. Blinded means that the firm never learns who took part.
    """

    label = models.OneToOneField(
        Sponsor, on_delete=models.PROTECT, primary_key=True, related_name="sponsorship"
    )
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="sponsorships")
    is_blinded = models.BooleanField("blind", default=True)
    agreed_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)  # what was left went back
    reserved = models.OneToOneField(Transaction, on_delete=models.PROTECT, related_name="+")
    released = models.OneToOneField(Transaction, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(released=None) | Q(ended_at__isnull=False), name="sponsorship_released_at_its_end"
            ),
        ]

    def __str__(self):
        return f"sponsorship {self.pk}"

    @property
    def poll_id(self) -> int:
        return self.pk


class Slot(models.Model):
    """One of the paid votes of a sponsored poll, taken and not credited yet.

    It has no sequence and no moment, like the receipt it stands beside (docs/decisions/0010-secret-ballot.md); it is
    credited at night, together with all others of its poll, and goes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sponsorship = models.ForeignKey(Sponsorship, on_delete=models.PROTECT, related_name="slots")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["sponsorship", "member"], name="slot_one_per_member_and_poll")
        ]

    def __str__(self):
        return "slot"


class Award(models.Model):
    """Something a member earned, and what for: the explanation of one entry of the ledger.

    `entry` is the line on the payable account, or that of the charity it went to. Leaving cuts `payee`, `question`
    and `post`, so that the entry stays and explains nothing.
    """

    class Cause(models.TextChoices):
        AUTHOR = "author", "You wrote it"
        VOTER = "voter", "You judged it, and were drawn"
        POLL = "poll", "You took a sponsored poll"
        GROUP = "group", "You took part in a focus group"
        SCREENER = "screener", "You answered a screener"

    payee = models.ForeignKey(Payee, on_delete=models.SET_NULL, null=True, related_name="awards")
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="awards")
    cause = models.CharField(max_length=8, choices=Cause)
    earmark = models.ForeignKey(Earmark, on_delete=models.PROTECT, null=True, related_name="awards")
    sponsorship = models.ForeignKey(Sponsorship, on_delete=models.PROTECT, null=True, related_name="awards")
    room = models.ForeignKey(RoomSponsorship, on_delete=models.PROTECT, null=True, related_name="awards")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, null=True, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, related_name="+")
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, null=True, related_name="+")
    cents = models.PositiveIntegerField()
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="awards")
    awarded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(cause__in=["author", "voter", "poll", "group", "screener"]),
                name="award_cause_is_known",
            ),
            models.CheckConstraint(condition=Q(cents__gt=0), name="award_is_something"),
            models.CheckConstraint(
                condition=Q(cause__in=["author", "voter"], earmark__isnull=False, sponsorship__isnull=True)
                | Q(cause="poll", earmark__isnull=True, sponsorship__isnull=False)
                | Q(cause__in=["group", "screener"], earmark__isnull=True, sponsorship__isnull=True),
                name="award_has_its_source",
            ),
            models.CheckConstraint(
                condition=Q(room=None) | Q(cause__in=["group", "screener"]),
                name="award_of_a_room_by_its_cause",
            ),
            models.UniqueConstraint(fields=["earmark", "payee"], name="award_once_per_earmark"),
            models.UniqueConstraint(fields=["sponsorship", "payee"], name="award_once_per_sponsorship"),
        ]
        indexes = [models.Index(fields=["firm", "awarded_at"], name="award_by_firm")]

    def __str__(self):
        return f"award {self.pk}"

    @property
    def names_payer(self) -> bool:
        """Whether its payee may know by now which firm paid."""
        return not self.room or not self.room.label.is_still_blinded

    @property
    def payer(self) -> str:
        """The firm as its payee reads it now; that of a blinded focus group is named when the group ends."""
        return self.room.label.shown if self.room else capfirst(self.firm.shown_as)
