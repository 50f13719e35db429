"""What a firm looks for again and again, what is counted of it, and what it takes away."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from consults.models import Case
from observers import keys
from observers.models.contracts import Purpose, Seat
from questions.models import Post
from rewards.models import Firm


class FirmSearchQuerySet(models.QuerySet):
    def open_to(self, firm: Firm):
        """A firm's own; those of another are as if they were not there."""
        return self.filter(firm=firm, ended_at=None)


class FirmSearch(models.Model):
    """Words, what narrows a list to some discussions, and a stretch of months that a firm follows."""

    class Alert(models.TextChoices):
        NEVER = "never", "No alerts"
        DAILY = "daily", "Once a day"

    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="searches")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="searches")  # that is told
    name = models.CharField(max_length=60)
    terms = models.CharField(max_length=120)
    group = models.CharField("specialty group", max_length=80, blank=True)
    kind = models.CharField(max_length=12, blank=True, default="")  # of discussions
    solved = models.CharField(max_length=3, blank=True, default="")  # "yes", "no"
    since = models.DateField(null=True, blank=True)  # the first day of a month
    alert = models.CharField(max_length=5, choices=Alert, default=Alert.NEVER)
    alerted_on = models.DateField(null=True)  # looked at last; the first look takes all for known
    known_until = models.BigIntegerField(
        default=0
    )  # no post up to this number is news: newer ones match enough
    saved_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    objects = FirmSearchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["firm", "terms", "group", "kind", "solved", "since"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="firm_search_once",
            ),
        ]
        ordering = ["name", "pk"]

    def __str__(self):
        return f"firm search {self.pk}"

    @property
    def key(self):
        """What it is called in addresses of its firm."""
        return keys.search_key(self.firm, self.pk)


class SearchHit(models.Model):
    """A post that a search with alerts has met: the firm was told of it, or it was there before, or nothing but a
    masked name matches. Of the latter two it may be told once they were changed; twice of none."""

    search = models.ForeignKey(FirmSearch, on_delete=models.CASCADE, related_name="hits")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="+")
    is_told = models.BooleanField(default=False)
    met_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["search", "post"], name="search_hit_once")]

    def __str__(self):
        return f"hit of search {self.search_id}"


class Chart(models.Model):
    """What was counted of a search: as of 00:00 UTC of a day, in whole weeks, only cells that may be shown.

    `weeks` is a list of {"week": the Monday, "mentions": n or null, "share": corroborated of judged in percent or
    null, "importance": mean to a tenth or null}; `totals` the same over all. Null is not shown.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Being counted"
        DONE = "done", "Counted"
        REFUSED = "refused", "Not counted"

    search = models.ForeignKey(FirmSearch, on_delete=models.CASCADE, related_name="charts")
    as_of = models.DateField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    refused = models.CharField(max_length=200, blank=True)  # why
    weeks = models.JSONField(default=list)
    totals = models.JSONField(default=dict)
    asked_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["search", "as_of"], name="chart_once_a_day")]
        ordering = ["-as_of"]

    def __str__(self):
        return f"chart {self.pk}"


class Answered(models.Model):
    """Of whom a cell that a firm was shown was made, so that no later cell differs from it by a few.

    `people` are HMACs of members under a key of the firm, sorted; they go after OBSERVER_REMEMBER_DAYS.
    """

    firm = models.ForeignKey(Firm, on_delete=models.CASCADE, related_name="+")
    chart = models.ForeignKey(Chart, on_delete=models.CASCADE, related_name="answered")
    cell = models.CharField(max_length=24)  # "week:2026-11-16", "total"
    people = ArrayField(models.BigIntegerField())
    answered_on = models.DateField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["firm", "cell"], name="answered_by_cell")]

    def __str__(self):
        return f"answered {self.cell}"


class ExportQuerySet(models.QuerySet):
    def with_withdrawals(self):
        """Add `withdrawn_at`: when the first of its cases was withdrawn, None while all of them stand."""
        cases = ExportedCase.objects.filter(export=OuterRef("pk"), case__withdrawn_at__isnull=False)
        first = cases.order_by("case__withdrawn_at").values("case__withdrawn_at")[:1]
        return self.annotate(withdrawn_at=Subquery(first))


class Export(models.Model):
    """A file a firm took away: by which seat, why, how many rows, and the words by which it is known if it turns up."""

    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="exports")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="exports")
    search = models.ForeignKey(FirmSearch, on_delete=models.PROTECT, null=True, related_name="exports")
    what = models.CharField(max_length=140)  # in words
    reason = models.CharField(max_length=300)
    purpose = models.CharField(max_length=10, choices=Purpose)
    rows = models.PositiveIntegerField()
    phrase = models.CharField(max_length=80, unique=True)
    key = models.UUIDField(unique=True)  # of the form it was asked for with
    made_at = models.DateTimeField(default=timezone.now)

    objects = ExportQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="export_has_a_reason")]
        indexes = [models.Index(fields=["firm", "-made_at"], name="export_by_firm")]

    def __str__(self):
        return f"export {self.pk}"


class ExportedCase(models.Model):
    """That a file has posts of a case. Once the case is withdrawn, the file must be destroyed."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="cases")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        verbose_name = "exported case"
        verbose_name_plural = "exported cases"
        constraints = [models.UniqueConstraint(fields=["export", "case"], name="exported_case_once")]

    def __str__(self):
        return f"case {self.case_id} in export {self.export_id}"
