"""What members are told, how much of it a day, and by which way."""

import secrets
import uuid
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.people import Member
from sermo.fields import EncryptedTextField


class Kind(models.TextChoices):
    REPLY = "reply", "Answers and comments"
    MENTION = "mention", "Mentions"
    MILESTONE = "milestone", "Vote milestones"
    TOPIC = "topic", "New in topics you follow"
    FOLLOW = "follow", "New from members you follow"
    SEARCH = "search", "Saved searches"
    ASKED = "asked", "Questions put to you"
    FOLLOW_UP = "follow_up", "What became of it"
    CASE = "case", "Your cases: consents, withdrawals"
    CASE_PAGE = "case_page", "Case pages"
    ON_CALL = "on_call", "On-call pages"
    CONNECTION = "connection", "Connections"
    VOUCH = "vouch", "Vouches"
    POLL = "poll", "Polls about to close"
    GROUP = "group", "Focus-group invitations"
    REWARD = "reward", "Rewards"
    MODERATION = "moderation", "Moderation"
    DIGEST = "digest", "Digest"


class Way(models.TextChoices):
    OFF = "off", "Off"
    APP = "app", "In the app"
    DIGEST = "digest", "In the app and the digest"
    EMAIL = "email", "In the app and by e-mail"


DEFAULT_BUDGET = 20


def new_unsubscribe_key() -> str:
    return secrets.token_urlsafe(18)


class NoticeSettings(models.Model):
    """How much, and when. A missing row means the defaults."""

    class Digest(models.TextChoices):
        OFF = "off", "No digest"
        DAILY = "daily", "Every day"
        WEEKLY = "weekly", "Once a week"

    member = models.OneToOneField(
        Member, on_delete=models.CASCADE, primary_key=True, related_name="notice_settings"
    )
    budget = models.PositiveSmallIntegerField(default=DEFAULT_BUDGET)  # alerts a day
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=40, default="America/New_York")
    digest = models.CharField(max_length=6, choices=Digest, default=Digest.WEEKLY, db_default="weekly")
    digest_hour = models.PositiveSmallIntegerField(default=7, db_default=7)  # of the member's own clock
    digest_weekday = models.PositiveSmallIntegerField(default=0, db_default=0)  # of a weekly one; Monday is 0
    unsubscribe_key = models.CharField(
        max_length=32, unique=True, default=new_unsubscribe_key, editable=False
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(budget__lte=100), name="notice_budget_at_most_100"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None)
                | (Q(quiet_from__isnull=False, quiet_to__isnull=False) & ~Q(quiet_from=F("quiet_to"))),
                name="notice_quiet_hours_have_two_ends",
            ),
            models.CheckConstraint(
                condition=Q(digest__in=["off", "daily", "weekly"]), name="notice_digest_is_known"
            ),
            models.CheckConstraint(
                condition=Q(digest_hour__lte=23, digest_weekday__lte=6), name="notice_digest_has_a_time"
            ),
        ]

    def __str__(self):
        return f"notice settings of {self.member_id}"

    def local_day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def after_quiet_hours(self, moment: datetime) -> datetime:
        """The moment itself, or where it falls into the quiet hours, their end in UTC.

        The hours are those of the clock on the wall, also in the nights when clocks change.
        """
        if self.quiet_from is None:
            return moment
        local = moment.astimezone(ZoneInfo(self.time_zone))
        if not self._is_quiet(local):
            return moment
        end = datetime.combine(local.date(), self.quiet_to, tzinfo=local.tzinfo)
        if self.quiet_to <= local.time():
            end = datetime.combine(local.date() + timedelta(days=1), self.quiet_to, tzinfo=local.tzinfo)
        if end.astimezone(UTC) <= moment:  # the clock shows this hour twice, and it is the second time
            end = end.replace(fold=1)
        return max(moment, end.astimezone(UTC))

    def _is_quiet(self, local: datetime) -> bool:
        clock = local.time()
        if self.quiet_from < self.quiet_to:
            return self.quiet_from <= clock < self.quiet_to
        return clock >= self.quiet_from or clock < self.quiet_to


class NoticeChoice(models.Model):
    """The way a member chose for one kind; no row means the kind's default."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notice_choices")
    kind = models.CharField(max_length=10, choices=Kind)
    way = models.CharField(max_length=6, choices=Way)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "kind"], name="notice_choice_once_per_kind"),
            models.CheckConstraint(
                condition=Q(way__in=["off", "app", "digest", "email"]), name="notice_way_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind="moderation", way="off"), name="notice_moderation_stays_on"
            ),
        ]

    def __str__(self):
        return f"{self.member_id}: {self.kind} {self.way}"


class NoticeThread(models.Model):
    """What a member was told about one matter, together: a row of the inbox."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notice_threads")
    about = models.CharField(max_length=40)  # "question:12", "connection:7"
    latest_at = models.DateTimeField(default=timezone.now)
    unread = models.PositiveIntegerField(default=0)  # alerts in it that were not seen

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "about"], name="notice_thread_once")]
        indexes = [
            models.Index(F("member"), F("latest_at").desc(), F("id").desc(), name="notice_thread_inbox"),
            models.Index(fields=["member"], condition=Q(unread__gt=0), name="notice_thread_unread"),
        ]

    def __str__(self):
        return f"{self.about} for {self.member_id}"


class Notice(models.Model):
    """One thing a member was told. It names a target and no text: words and links are made when it is read.

    Held means that the day's budget was used up: it stands in the inbox, does not count as unread, and goes by no mail.
    """

    thread = models.ForeignKey(NoticeThread, on_delete=models.CASCADE, related_name="notices")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    target = models.BigIntegerField()  # of what, the kind's reader knows (a post, a connection)
    number = models.PositiveIntegerField(
        default=0
    )  # what it counts, such as the corroborations of a milestone
    key = models.CharField(max_length=60)  # "post:12": what was done, and to what; told once
    held = models.BooleanField(default=False)
    told_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "key"], name="notice_once_per_deed")]
        indexes = [
            models.Index(fields=["thread", "-told_at"], name="notice_by_thread"),
            models.Index(
                fields=["member", "thread"], condition=Q(held=True, read_at=None), name="notice_held_back"
            ),
        ]

    def __str__(self):
        return f"notice {self.pk}"


class NoticeDay(models.Model):
    """How many alerts a member had on one day of their own time zone."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notice_days")
    day = models.DateField()
    alerts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "day"], name="notice_day_once")]

    def __str__(self):
        return f"{self.day}: {self.alerts}"


class FanOut(models.Model):
    """Something to tell many members, worked off in batches; `reached` is the last member id that was done."""

    kind = models.CharField(max_length=10, choices=Kind)
    target = models.BigIntegerField()
    about = models.CharField(max_length=40)
    key = models.CharField(max_length=60)  # of the notices it makes
    reached = models.BigIntegerField(default=0)
    alerted = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "target"], name="fan_out_once")]
        indexes = [models.Index(fields=["started_at"], condition=Q(done_at=None), name="fan_out_waiting")]

    def __str__(self):
        return f"fan-out {self.kind} {self.target}"


class Mail(models.Model):
    """A mail to send, written in the transaction that caused it. A sweep sends what no worker was nudged to send.

    Marked `sending` before it leaves, with a Message-ID of its own: whoever gets it twice after a crash sees one.
    `due_at` is when to look at it next: when to send, to try again, or to doubt that its sender still lives.
    The word to somebody who left has no user but an address, and goes as soon as it is sent.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"

    message_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="mails"
    )
    address = EncryptedTextField(null=True)
    notice = models.OneToOneField(Notice, on_delete=models.CASCADE, null=True, related_name="mail")
    subject = models.CharField(max_length=120)
    text = models.TextField()
    html = models.TextField(blank=True, default="", db_default="")  # the same as a page; empty: text alone
    unsubscribe = models.CharField(max_length=10, choices=Kind, blank=True)  # the kind its link turns off
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending", "sent", "skipped", "failed"]),
                name="mail_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False, address__isnull=True)
                | Q(user__isnull=True, address__isnull=False),
                name="mail_goes_to_a_user_or_an_address",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["waiting", "sending"]), name="mail_due")
        ]

    def __str__(self):
        return f"mail {self.message_id}"
