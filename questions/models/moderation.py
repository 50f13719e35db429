"""What members report, what moderators do about it, and what the members concerned say to that."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, ExpressionWrapper, F, OuterRef, Q
from django.utils import timezone

from accounts.models import Member
from accounts.roles import is_moderator
from questions.models.posts import Byline, Post
from questions.models.questions import Question
from sermo.fields import EncryptedJSONField

MODERATOR = {"on_delete": models.SET_NULL, "null": True, "blank": True, "related_name": "+"}


class Reason(models.TextChoices):
    """Which rule something breaks."""

    IDENTITY = "identity", "A patient can be identified"
    HARASSMENT = "harassment", "Harassment"
    MISINFORMATION = "misinformation", "Misinformation that may harm"
    SPAM = "spam", "Spam or promotion"
    CONFLICT = "conflict", "Undeclared conflict of interest"
    NOT_PHYSICIAN = "not_physician", "Not a physician"
    OTHER = "other", "Something else"


ABOUT_PHYSICIANS = (Reason.CONFLICT, Reason.NOT_PHYSICIAN)  # rules that a firm under its name cannot break


class Severity(models.IntegerChoices):
    CONDUCT = 1, "Conduct"
    SAFETY = 2, "Safety"
    IDENTITY = 3, "A patient's identity"


SEVERITY_OF = {
    Reason.IDENTITY: Severity.IDENTITY,
    Reason.MISINFORMATION: Severity.SAFETY,
    Reason.HARASSMENT: Severity.SAFETY,
    Reason.NOT_PHYSICIAN: Severity.SAFETY,
}
KNOWN_REASONS = [reason.value for reason in Reason]


class ReportQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self if is_moderator(user) else self.none()

    def open(self):
        return self.filter(closed_at=None)

    def heard(self):
        """Open reports that somebody made whose word counts; the others wait for one."""
        return self.open().filter(Exists(Flag.objects.open().heard().filter(report=OuterRef("pk"))))

    def unheard(self):
        return self.open().exclude(Exists(Flag.objects.open().heard().filter(report=OuterRef("pk"))))


class Report(models.Model):
    """All that members reported of one post, together: an item of the moderators' desk."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "Upheld"
        DISMISSED = "dismissed", "Dismissed"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="reports")
    severity = models.PositiveSmallIntegerField(choices=Severity)
    opened_at = models.DateTimeField(default=timezone.now)
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, **MODERATOR)
    claimed_at = models.DateTimeField(null=True, blank=True)
    opinion_wanted_by = models.ForeignKey(settings.AUTH_USER_MODEL, **MODERATOR)
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["post"], condition=Q(closed_at=None), name="report_one_open"),
            models.CheckConstraint(condition=Q(severity__in=[1, 2, 3]), name="report_severity_is_known"),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="")
                | Q(closed_at__isnull=False, outcome__in=["upheld", "dismissed"]),
                name="report_closed_with_outcome",
            ),
        ]
        indexes = [
            models.Index(
                F("severity").desc(),
                F("opened_at"),
                F("id"),
                condition=Q(closed_at=None),
                name="report_queue",
            )
        ]

    def __str__(self):
        return f"report {self.pk}"

    @property
    def holder(self):
        """Who has claimed it, as long as the claim lasts."""
        lasts = timedelta(minutes=settings.REPORT_CLAIM_MINUTES)
        return self.claimed_by if self.claimed_at and timezone.now() - self.claimed_at < lasts else None


class FlagQuerySet(models.QuerySet):
    def open(self):
        return self.filter(state=Flag.State.OPEN)

    def heard(self):
        """Without those of members who reported often of late and never rightly, unless they say that a patient can
        be identified: of that, one word is enough."""
        return self.filter(Q(reason=Reason.IDENTITY) | ~Q(reporter__in=self._unheard()))

    def of_the_heard(self):
        return self.exclude(reporter__in=self._unheard())

    @staticmethod
    def _unheard():
        lately = timezone.now() - timedelta(days=settings.REPORTER_DAYS)
        judged = (
            Flag.objects.filter(raised_at__gt=lately)
            .values("reporter")
            .annotate(
                dismissed=Count("pk", filter=Q(state=Flag.State.DISMISSED)),
                upheld=Count("pk", filter=Q(state=Flag.State.UPHELD)),
            )
        )
        return judged.filter(dismissed__gte=settings.REPORTER_DISMISSED, upheld=0).values("reporter")


class Flag(models.Model):
    """One member's report of a post. Its author and other members never learn whose."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        UPHELD = "upheld", "Upheld"
        DISMISSED = "dismissed", "Dismissed"

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="flags")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="flags")
    reporter = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="flags")
    reason = models.CharField(max_length=14, choices=Reason)
    words = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    raised_at = models.DateTimeField(default=timezone.now)

    objects = FlagQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["post", "reporter"], condition=Q(state="open"), name="flag_one_open_per_member"
            ),
            models.CheckConstraint(condition=Q(reason__in=KNOWN_REASONS), name="flag_reason_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "upheld", "dismissed"]), name="flag_state_is_known"
            ),
        ]
        indexes = [models.Index(fields=["reporter", "raised_at"], name="flag_of_reporter")]

    def __str__(self):
        return f"flag {self.pk}"


class ModerationActionQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self if is_moderator(user) else self.none()

    def told_to(self, member: Member):
        """What was decided against a member. Dismissed reports, and what waits or was refused, are not told."""
        return self.carried_out().filter(member=member).exclude(kind=ModerationAction.Kind.DISMISS)

    def carried_out(self):
        """What was done, whether it still stands or not; never what was only proposed and taken back."""
        done = [ModerationAction.State.DONE, ModerationAction.State.UNDONE]
        return self.filter(state__in=done).exclude(kind__in=ModerationAction.NEEDS_SECOND, second_at=None)

    def with_title_for(self, user):
        """Add whether the member concerned may read the title: of an own opening, or of what they still see."""
        seen = Exists(Question.objects.visible_to(user).filter(pk=OuterRef("post__question")))
        shown = Q(post__kind=Post.Kind.OPENING) | Q(seen)
        return self.annotate(shows_title=ExpressionWrapper(shown, output_field=models.BooleanField()))

    def beside(self, post: Post):
        """Acts on a post, and on what stands under the same face of its author: never on the other face."""
        mode = post.byline.mode
        if mode == Byline.Mode.MASKED:
            return self.filter(post=post)
        modes = Byline.UNDER_HANDLE if mode in Byline.UNDER_HANDLE else [mode]
        return self.filter(Q(post=post) | Q(member=post.author_id, post__byline__mode__in=modes))


class ModerationAction(models.Model):
    """One act of a moderator with its reason. What ends a membership waits for a second moderator.

    `before` is what undoing needs, kept encrypted and only as long as undoing is possible.
    """

    class Kind(models.TextChoices):
        DISMISS = "dismiss", "Dismissed the report"
        REDACT = "redact", "Took words out"
        FOLD = "fold", "Folded"
        REMOVE = "remove", "Removed"
        CLOSE = "close", "Closed the discussion"
        WARN = "warn", "Warned"
        HOLD = "hold", "Held from posting"
        SUSPEND = "suspend", "Suspended"
        REVOKE = "revoke", "Revoked the membership"

    NEEDS_SECOND = (Kind.SUSPEND, Kind.REVOKE)

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for a second moderator"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused by a second moderator"
        UNDONE = "undone", "Undone"

    kind = models.CharField(max_length=8, choices=Kind)
    report = models.ForeignKey(
        Report, on_delete=models.CASCADE, null=True, blank=True, related_name="actions"
    )
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="moderation")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="moderation")
    moderator = models.ForeignKey(settings.AUTH_USER_MODEL, **MODERATOR)
    reason = models.CharField(max_length=14, choices=Reason)
    statement = models.CharField(max_length=1000)  # to the member concerned
    days = models.PositiveSmallIntegerField(null=True, blank=True)  # of a hold
    state = models.CharField(max_length=7, choices=State, default=State.DONE)
    taken_at = models.DateTimeField(default=timezone.now)
    second = models.ForeignKey(settings.AUTH_USER_MODEL, **MODERATOR)
    second_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, **MODERATOR)
    undone_at = models.DateTimeField(null=True, blank=True)
    before = EncryptedJSONField(null=True)

    objects = ModerationActionQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=KNOWN_REASONS), name="action_reason_is_known"),
            models.CheckConstraint(
                condition=Q(kind="hold", days__range=(1, 30)) | (~Q(kind="hold") & Q(days=None)),
                name="action_hold_has_days",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "done", "refused", "undone"]), name="action_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["suspend", "revoke"]) | ~Q(state="done") | Q(second_at__isnull=False),
                name="action_ban_had_second_person",
            ),
            models.CheckConstraint(
                condition=Q(second=None) | Q(moderator=None) | ~Q(second=F("moderator")),
                name="action_second_is_another",
            ),
        ]
        indexes = [
            models.Index(F("taken_at").desc(), F("id").desc(), name="action_newest"),
            models.Index(fields=["member", "taken_at"], name="action_of_member"),
        ]

    def __str__(self):
        return f"moderation {self.pk}"

    @property
    def title(self):
        """The title for the member concerned, of rows loaded `with_title_for` them."""
        return self.post.question.title if self.shows_title else "a discussion"

    @property
    def is_done(self):
        return self.state == self.State.DONE

    @property
    def is_waiting(self):
        return self.state == self.State.WAITING

    @property
    def done_at(self):
        return self.second_at or self.taken_at

    @property
    def undo_until(self):
        return self.done_at + timedelta(hours=settings.UNDO_HOURS)

    @property
    def may_be_undone(self):
        """Whether there is still time, and anything to undo. The end of a membership only an appeal takes back."""
        return self.is_done and self.kind != self.Kind.REVOKE and timezone.now() < self.undo_until

    @property
    def appeal_until(self):
        return self.done_at + timedelta(days=settings.APPEAL_WITHIN_DAYS)

    @property
    def may_be_appealed(self):
        return self.is_done and not hasattr(self, "appeal") and timezone.now() <= self.appeal_until


class AppealQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(decided_at=None)

    def visible_to(self, user):
        return self if is_moderator(user) else self.none()


class Appeal(models.Model):
    """The one answer a member has to an act of a moderator, decided by another moderator."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "The decision stands"
        OVERTURNED = "overturned", "The decision was taken back"

    action = models.OneToOneField(ModerationAction, on_delete=models.CASCADE, related_name="appeal")
    text = models.CharField(max_length=2000)
    made_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, **MODERATOR)
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    answer = models.CharField(max_length=1000, blank=True)

    objects = AppealQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at=None, outcome="")
                | Q(decided_at__isnull=False, outcome__in=["upheld", "overturned"]),
                name="appeal_decided_with_outcome",
            )
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(decided_at=None), name="appeal_due")]

    def __str__(self):
        return f"appeal {self.pk}"

    @property
    def is_overdue(self):
        return self.decided_at is None and timezone.now() > self.due_at


class Hold(models.Model):
    """Until when a member may not write, and by which act."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="holds")
    action = models.OneToOneField(ModerationAction, on_delete=models.CASCADE, related_name="hold")
    until = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["member"], condition=Q(lifted_at=None), name="hold_of_member")]

    def __str__(self):
        return f"hold {self.pk}"


class WriteCount(models.Model):
    """How much a member wrote on a day (UTC), against the limits of their tier."""

    class What(models.TextChoices):
        POST = "post", "Discussions"
        COMMENT = "comment", "Answers and comments"
        VOTE = "vote", "Votes and ratings"
        FLAG = "flag", "Reports"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    what = models.CharField(max_length=7, choices=What)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "day", "what"], name="write_count_once")]
        indexes = [models.Index(fields=["day"], name="write_count_day")]

    def __str__(self):
        return f"{self.day}: {self.count} {self.what}"
