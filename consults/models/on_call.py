"""Who is on call when, and which colleagues a case was paged to."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member, Specialty
from consults.models.cases import Case

LONGEST_SHIFT = timedelta(hours=24)
AVAILABLE_FOR = timedelta(hours=4)  # how long "available now" lasts
USUAL_PAGES, MOST_PAGES = 3, 20  # of one shift


class OnCallWishes(models.Model):
    """How much a member lets themselves be paged. A missing row means the defaults."""

    member = models.OneToOneField(
        Member, on_delete=models.CASCADE, primary_key=True, related_name="on_call_wishes"
    )
    pages_a_shift = models.PositiveSmallIntegerField(default=USUAL_PAGES)
    pages_a_week = models.PositiveSmallIntegerField(default=10)
    takes_overflow = models.BooleanField(
        default=False
    )  # a top answerer whom unanswered pages reach while on duty
    shows_handle = models.BooleanField(default=False)  # on the board; else only counted

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(pages_a_shift__range=(1, 20)), name="on_call_pages_a_shift"),
            models.CheckConstraint(condition=Q(pages_a_week__range=(1, 100)), name="on_call_pages_a_week"),
        ]

    def __str__(self):
        return f"on-call wishes of {self.member_id}"


class Shift(models.Model):
    """When a member is on call: once, every week at the same hours of their clock, or just now.

    Weekly: `weekday` (Monday is 0), `from_time`, `to_time` (next day where it is not later) in `time_zone`. Else
    `starts_at` and `ends_at`. Ended shifts stay for their duties' sake, with `ended_at`.
    """

    class Sort(models.TextChoices):
        ONCE = "once", "Once"
        WEEKLY = "weekly", "Every week"
        NOW = "now", "Available now"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="shifts")
    sort = models.CharField(max_length=6, choices=Sort)
    weekday = models.PositiveSmallIntegerField(null=True)
    from_time = models.TimeField(null=True)
    to_time = models.TimeField(null=True)
    time_zone = models.CharField(max_length=40, blank=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    submission = models.UUIDField(null=True)
    made_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "submission"], name="shift_submission_once"),
            models.UniqueConstraint(
                fields=["member"], condition=Q(sort="now", ended_at=None), name="shift_available_once"
            ),
            models.CheckConstraint(
                condition=(
                    Q(sort="weekly", weekday__range=(0, 6), starts_at=None, ends_at=None)
                    & Q(from_time__isnull=False, to_time__isnull=False)
                    & ~Q(time_zone="")
                )
                | (
                    Q(sort__in=["once", "now"], weekday=None, from_time=None, to_time=None)
                    & Q(starts_at__isnull=False, ends_at__gt=F("starts_at"))
                    & Q(ends_at__lte=F("starts_at") + LONGEST_SHIFT)
                ),
                name="shift_has_the_times_of_its_sort",
            ),
        ]

    def __str__(self):
        return f"shift {self.pk}"


class DutyQuerySet(models.QuerySet):
    def at(self, moment):
        return self.filter(starts_at__lte=moment, ends_at__gt=moment)


class Duty(models.Model):
    """One stretch of time in which a member is on call for their specialty: what shifts come to, two weeks ahead."""

    shift = models.ForeignKey(Shift, on_delete=models.CASCADE, related_name="duties")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="duties")
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    objects = DutyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "duties"
        constraints = [
            models.UniqueConstraint(fields=["shift", "starts_at"], name="duty_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="duty_ends_after_it_starts"),
        ]
        indexes = [
            models.Index(fields=["specialty", "ends_at"], name="duty_by_specialty"),
            models.Index(fields=["member", "ends_at"], name="duty_by_member"),
        ]

    def __str__(self):
        return f"duty {self.pk}"


class Paging(models.Model):
    """A case put to the on-call members of one specialty, from its first page to its end.

    `next_at` is when the next step is due, whatever happened to who worked at it; `step` is the last one taken.
    """

    class Urgency(models.TextChoices):
        NOW = "now", "Now: within 10 minutes"
        TODAY = "today", "Today"
        WHENEVER = "whenever", "When you can"

    class Step(models.IntegerChoices):
        """Minutes after the start of the paging at which each is due."""

        FIRST = 0, "The first on call"
        SECOND = 5, "The next on call"
        ALL = 15, "All on call"
        OVERFLOW = 30, "Top answerers"

    class State(models.TextChoices):
        OPEN = "open", "Looking for somebody"
        ACCEPTED = "accepted", "Accepted"
        ANSWERED = "answered", "Answered"
        UNHEARD = "unheard", "Nobody accepted"
        STOPPED = "stopped", "Stopped"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="pagings")
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, related_name="+")
    urgency = models.CharField(max_length=8, choices=Urgency)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    step = models.PositiveSmallIntegerField(choices=Step, null=True)
    started_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(null=True)
    first_heard_at = models.DateTimeField(null=True)  # first acknowledgment: accepted or answered
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["case", "specialty"],
                condition=Q(state__in=["open", "accepted"]),
                name="paging_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "accepted", "answered", "unheard", "stopped"]),
                name="paging_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(urgency__in=["now", "today", "whenever"]), name="paging_urgency_is_known"
            ),
            models.CheckConstraint(
                condition=Q(next_at=None) | Q(state="open"), name="paging_only_open_ones_go_on"
            ),
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(state="open"), name="paging_due")]

    def __str__(self):
        return f"paging {self.pk}"


class Call(models.Model):
    """One page to one member: once in a paging, and only while `duty` lasts."""

    class State(models.TextChoices):
        SENT = "sent", "Sent"
        SEEN = "seen", "Seen"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Passed on"
        HANDED_OVER = "handed", "Handed over"
        ANSWERED = "answered", "Answered"
        EXPIRED = "expired", "Expired"

    OPEN = (State.SENT, State.SEEN)

    paging = models.ForeignKey(Paging, on_delete=models.CASCADE, related_name="calls")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="calls")
    duty = models.ForeignKey(Duty, on_delete=models.SET_NULL, null=True, related_name="calls")
    step = models.PositiveSmallIntegerField(choices=Paging.Step)
    state = models.CharField(max_length=8, choices=State, default=State.SENT)
    sent_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)  # accepted, declined, handed over, answered, expired
    handed_to = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["paging", "member"], name="call_once"),
            models.CheckConstraint(
                condition=Q(state__in=["sent", "seen"], decided_at=None)
                | Q(
                    state__in=["accepted", "declined", "handed", "answered", "expired"],
                    decided_at__isnull=False,
                ),
                name="call_decided_with_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-sent_at"], name="call_by_member"),
        ]

    def __str__(self):
        return f"call {self.pk}"
