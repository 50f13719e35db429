"""What a firm agreed to, and the seats from which its people read."""

from datetime import date

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, BigIntegerRangeField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone

from rewards.models import Firm


class Purpose(models.TextChoices):
    """Why somebody reads. Each read is logged with one, and its author is shown it."""

    SAFETY = "safety", "Drug and device safety"
    MEDICAL = "medical", "Medical information"
    MARKET = "market", "Market research"
    INVESTMENT = "investment", "Investment research"
    HEALTH = "health", "Public health"
    SCIENCE = "science", "Scientific research"


class Plan(models.Model):
    """What a contract includes. Zero of something is none of it."""

    slug = models.SlugField(max_length=30, unique=True)
    name = models.CharField(max_length=60)
    seats = models.PositiveSmallIntegerField()
    searches = models.PositiveSmallIntegerField()  # saved at a time
    charts_a_day = models.PositiveSmallIntegerField()  # counted anew, of the firm
    exports_a_day = models.PositiveSmallIntegerField()
    export_rows = models.PositiveIntegerField()  # of one export
    earmarks_a_day = models.PositiveSmallIntegerField()  # beside the allowance that the site fixes
    polls_a_month = models.PositiveSmallIntegerField()
    questions_a_month = models.PositiveSmallIntegerField()
    cents_a_month = models.PositiveIntegerField(default=0)  # what is agreed; nothing here charges it

    class Meta:
        default_permissions = ("add", "change", "view")
        ordering = ["cents_a_month", "name"]

    def __str__(self):
        return self.name


# A firm as a range of one, which an exclusion can take without the extension btree_gist.
FIRM = Func(F("firm"), F("firm"), Value("[]"), function="int8range", output_field=BigIntegerRangeField())
DAYS = Func(F("starts_on"), F("ends_on"), Value("[]"), function="daterange", output_field=DateRangeField())


class ContractQuerySet(models.QuerySet):
    def current(self, day: date | None = None):
        """Those in force on a day (UTC), of firms that are active."""
        day = day or timezone.now().date()
        return self.filter(
            Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day, ended_at=None, firm__is_active=True
        )


class Contract(models.Model):
    """That a firm may watch, from its first to its last day (UTC), and for which purposes."""

    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="contracts")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="contracts")
    purposes = ArrayField(models.CharField(max_length=10, choices=Purpose))
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)  # before its last day
    agreed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ContractQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "change", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="contract_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(purposes__len__gte=1), name="contract_has_a_purpose"),
            ExclusionConstraint(
                name="contract_one_at_a_time",
                expressions=[(FIRM, RangeOperators.OVERLAPS), (DAYS, RangeOperators.OVERLAPS)],
                condition=Q(ended_at=None),
                violation_error_message="The firm has another contract on some of these days.",
            ),
        ]

    def __str__(self):
        return f"contract {self.pk}"


class SeatQuerySet(models.QuerySet):
    def active(self):
        return self.filter(ended_at=None, user__isnull=False)


class Seat(models.Model):
    """One person of a firm, by a number that stays. Reads name the seat; who sat there is known here alone."""

    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="seats")
    number = models.PositiveSmallIntegerField()
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="seat"
    )
    name = models.CharField(max_length=80)
    is_admin = models.BooleanField("gives seats", default=False)
    purpose = models.CharField(max_length=10, choices=Purpose)  # that reads carry unless another is chosen
    taken_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SeatQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["firm", "number"], name="seat_number_once"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("taken_at")), name="seat_ends_after_start"
            ),
        ]

    def __str__(self):
        return f"seat {self.number} of {self.firm_id}"


class SeatInvitation(models.Model):
    """A seat offered to an address, by a link that is known here by its hash alone."""

    firm = models.ForeignKey(Firm, on_delete=models.CASCADE, related_name="seat_invitations")
    email = models.EmailField()
    name = models.CharField(max_length=80)
    is_admin = models.BooleanField(default=False)
    purpose = models.CharField(max_length=10, choices=Purpose)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    invited_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    seat = models.OneToOneField(Seat, on_delete=models.PROTECT, null=True, related_name="invitation")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["firm", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="seat_offered_once",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, seat=None) | Q(accepted_at__isnull=False, seat__isnull=False),
                name="seat_of_accepted_invitation",
            ),
        ]

    def __str__(self):
        return f"invitation {self.pk}"
