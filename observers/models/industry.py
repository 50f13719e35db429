"""What firms say and pay in the open: questions and polls under their name, and who of them earmarked."""

from django.db import models
from django.utils import timezone

from accounts.models import Member
from observers.models.contracts import Seat
from questions.models import Question
from rewards.models import Earmark, Firm


class Voice(models.Model):
    """The row under which a firm stands among members: it has no log-in, and is met, counted and asked nowhere."""

    firm = models.OneToOneField(Firm, on_delete=models.PROTECT, primary_key=True, related_name="voice")
    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="voice_of")

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"voice of {self.firm_id}"


class IndustryPost(models.Model):
    """A discussion that a firm opened, under its name: a question, or a poll it pays for."""

    question = models.OneToOneField(
        Question, on_delete=models.PROTECT, primary_key=True, related_name="industry_post"
    )
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="industry_posts")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="industry_posts")
    made_at = models.DateTimeField(default=timezone.now)
    key = models.UUIDField(unique=True)  # of the form it was made with

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["firm", "-made_at"], name="industry_post_by_firm")]

    def __str__(self):
        return f"industry post {self.pk}"


class SeatEarmark(models.Model):
    """Which seat placed an earmark, and by which words of its own the firm knows it again."""

    earmark = models.OneToOneField(
        Earmark, on_delete=models.PROTECT, primary_key=True, related_name="placed_from"
    )
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="earmarks")
    note = models.CharField(max_length=80, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"earmark {self.pk} from seat {self.seat_id}"
