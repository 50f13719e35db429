"""A person's claim to be one physician of the registry, and what guards that identity.

No clear NPI, license number or legal name stands here: `identity` is encrypted, and the hashes beside it are keyed.
"""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Specialty
from accounts.places import STATES
from sermo.fields import EncryptedJSONField, EncryptedTextField

CASE_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"  # no vowels and no lookalikes
TRIES = 2  # of the questions, ever, for an account and for an identity


def new_case_number() -> str:
    """A random number to quote, such as V-7K3M-9QXC."""
    signs = "".join(secrets.choice(CASE_ALPHABET) for _ in range(8))
    return f"V-{signs[:4]}-{signs[4:]}"


class State(models.TextChoices):
    DRAFT = "draft", "Started"
    MATCHED = "matched", "Matched to the registry"
    CHALLENGED = "challenged", "Questions passed"
    NEEDS_REVIEW = "needs_review", "Needs review"
    PROVEN = "proven", "Proven"
    VERIFIED = "verified", "Verified"
    NEEDS_REVIEW_HELD = "needs_review_held", "Verified, under review"
    DISPUTED_HOLDER = "disputed_holder", "Verified, disputed"
    DISPUTED_RIVAL = "disputed_rival", "Disputes a verified claim"
    LOCKED = "locked", "Locked for staff"
    LAPSED = "lapsed", "Lapsed"
    SUSPENDED = "suspended", "Suspended"
    RETIRED = "retired", "Retired"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    REVOKED = "revoked", "Revoked"
    LEFT = "left", "Account closed"


HOLDING = (
    State.VERIFIED,
    State.NEEDS_REVIEW_HELD,
    State.DISPUTED_HOLDER,
    State.LAPSED,
    State.SUSPENDED,
    State.RETIRED,
)
FINAL = (State.REJECTED, State.WITHDRAWN, State.REVOKED, State.LEFT)
UNDECIDED = (
    State.DRAFT,
    State.MATCHED,
    State.CHALLENGED,
    State.NEEDS_REVIEW,
    State.PROVEN,
    State.DISPUTED_RIVAL,
)


class Degree(models.TextChoices):
    MD = "MD", "MD, or another degree licensed as one"
    DO = "DO", "DO"


class Method(models.TextChoices):
    DOCUMENT = "document", "Document"
    VOUCH = "vouch", "Three colleagues"
    PHONE = "phone", "Code by a call to the registered phone"
    FAX = "fax", "Code by a fax to the registered number"
    ENDPOINT = "endpoint", "Entry in the registry record"
    EMAIL = "email", "Code to an institutional address"
    PIONEER = "pioneer", "Documents, at the start of the network"


class ClaimQuerySet(models.QuerySet):
    def holding(self):
        return self.filter(state__in=HOLDING)

    def undecided(self):
        return self.filter(state__in=UNDECIDED)

    def unfinished(self):
        return self.exclude(state__in=FINAL)

    def of_identity(self, claim):
        """All claims to the person or the license that this claim is to, itself among them."""
        same = Q(pk=claim.pk)
        if claim.npi_hash:
            same |= Q(npi_hash=claim.npi_hash)
        if claim.license_hash:
            same |= Q(license_hash=claim.license_hash)
        return self.filter(same)

    def kin_of(self, claim):
        """All claims to the same person or license, and all of the same account: whose each is, and to what."""
        kin = self.of_identity(claim) | self.filter(user=claim.user_id)
        return kin.only("user", "state", "npi_hash", "license_hash")

    def in_queue(self):
        """Waiting for a reviewer: those put at the head, then the longest waiting."""
        return self.exclude(queued_at=None).order_by("-is_ahead", "queued_at", "pk")


class Claim(models.Model):
    """One account's claim to one license.

    `identity` is {"typed": {first, middle, last, degree, state, npi, license_number}, "registry": the snapshot of
    `registry.snapshot` or None}. Reviewers see it beside the case number; nobody sees it beside a handle.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="claims"
    )  # none: whose it was has left, and nothing readable is left in it either
    case_number = models.CharField(max_length=11, unique=True, default=new_case_number, editable=False)
    npi_hash = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001 - no NPI is not an equal NPI
    license_hash = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001
    identity = EncryptedJSONField()
    degree = models.CharField(max_length=2, choices=Degree)
    license_state = models.CharField(max_length=2, choices=STATES)
    specialty = models.ForeignKey(
        Specialty, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    name_score = models.FloatField(null=True)
    doubts = models.JSONField(default=list)  # why people decide: codes of `services.claims.DOUBTS`
    state = models.CharField(max_length=17, choices=State, default=State.DRAFT)
    state_at = models.DateTimeField(default=timezone.now)
    level = models.PositiveSmallIntegerField(default=0)  # 2 once verified with a proof
    method = models.CharField(max_length=8, choices=Method, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField("waiting since", null=True)
    asked_for = EncryptedTextField(null=True)  # a reviewer's words to the applicant
    appeal = EncryptedTextField(null=True)  # the applicant's words to the second reviewer
    verified_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(
        null=True
    )  # also the moment of withdrawing: the files go 30 days after it
    rejected_for = models.CharField(max_length=20, blank=True)
    license_expires_on = models.DateField(null=True)
    status_checked_at = models.DateTimeField(null=True)
    status_source = models.CharField(max_length=40, blank=True)
    # At the desk
    risk = models.PositiveSmallIntegerField(default=0)  # sum of the weights of `services.risk`
    is_ahead = models.BooleanField("at the head of the queue", default=False)
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )  # the reviewer who reads it now, so that no two decide one claim
    held_until = models.DateTimeField(null=True)
    first_approval = models.ForeignKey(
        "verification.Decision", on_delete=models.PROTECT, null=True, related_name="+"
    )  # of two, where the record and the claim differ

    # Not stored: what a page of the desk has read already (`desk.casefile.read`), and nobody need read again.
    case_events = None  # all events of this case, in their order
    kin = None  # `ClaimQuerySet.kin_of`

    objects = ClaimQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = [("decide_claim", "Can decide claims")]
        indexes = [
            models.Index(fields=["queued_at"], condition=~Q(queued_at=None), name="claim_queue"),
            models.Index(fields=["npi_hash"], name="claim_npi_hash"),
            models.Index(fields=["license_hash"], name="claim_license_hash"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["npi_hash"], condition=Q(state__in=HOLDING), name="claim_one_holder_per_npi"
            ),
            models.UniqueConstraint(
                fields=["license_hash"], condition=Q(state__in=HOLDING), name="claim_one_holder_per_license"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=~Q(state__in=FINAL), name="claim_one_unfinished_per_user"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="claim_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state__in=HOLDING) | Q(npi_hash__isnull=False) | Q(license_hash__isnull=False),
                name="claim_holder_holds_something",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=HOLDING) | (Q(verified_at__isnull=False) & ~Q(method="")),
                name="claim_holder_was_verified",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(state__in=FINAL), name="claim_of_nobody_is_over"
            ),
            models.CheckConstraint(
                condition=~Q(state=State.REJECTED) | ~Q(rejected_for=""), name="claim_rejected_for_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(held_by=None) | Q(held_until__isnull=False), name="claim_is_held_for_a_time"
            ),
        ]

    def __str__(self):
        return self.case_number

    @property
    def is_holding(self):
        return self.state in HOLDING

    @property
    def is_undecided(self):
        return self.state in UNDECIDED

    def is_to_same(self, other) -> bool:
        """Whether this claim is to the person or the license of another one."""
        same_person = self.npi_hash is not None and self.npi_hash == other.npi_hash
        return same_person or (self.license_hash is not None and self.license_hash == other.license_hash)

    @property
    def identity_hash(self):
        """What this claim is to, for counting different identities."""
        return self.npi_hash or self.license_hash

    @property
    def typed(self) -> dict:
        return self.identity["typed"]

    @property
    def registry(self) -> dict | None:
        return self.identity["registry"]

    @property
    def typed_name(self) -> str:
        return " ".join(
            part for part in (self.typed["first"], self.typed["middle"], self.typed["last"]) if part
        )


class IdentityGuard(models.Model):
    """The row to lock before anything is decided about one NPI or one license, and the tries used on it.

    Tries of a claim that came to hold the identity are not counted, so that a claimed identity answers exactly like
    an unclaimed one.
    """

    identity_hash = models.CharField(max_length=64, primary_key=True)
    tries_used = models.PositiveSmallIntegerField(default=0)
    last_try_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(tries_used__lte=TRIES), name="identity_guard_two_tries_ever"),
        ]

    def __str__(self):
        return f"{self.tries_used} tries"


class ChallengeQuerySet(models.QuerySet):
    def running(self):
        return self.filter(verdict=Challenge.Verdict.RUNNING)


class Challenge(models.Model):
    """One try of the questions. All of its state is here and none of it in the page.

    `sheet` is a list of {fact, text, options: six strings in the order shown, right: index, given: index or None};
    `given` is forgotten with the verdict. `position` is the question now open, from 0, since `asked_at`.
    """

    class Verdict(models.TextChoices):
        RUNNING = "running", "Running"
        PASSED = "passed", "All right"
        FAILED = "failed", "Not all right"
        TIMED_OUT = "timed_out", "Out of time"
        LEFT = "left", "Skipped"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="challenges")
    number = models.PositiveSmallIntegerField()
    facts = models.JSONField()  # their kinds, never their values
    sheet = EncryptedJSONField()
    position = models.PositiveSmallIntegerField(default=0)
    issued_at = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(default=timezone.now)
    verdict = models.CharField(max_length=9, choices=Verdict, default=Verdict.RUNNING)
    finished_at = models.DateTimeField(null=True)

    objects = ChallengeQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["claim", "number"], name="challenge_number_once_per_claim"),
            models.UniqueConstraint(
                fields=["claim"], condition=Q(verdict="running"), name="challenge_one_running"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=TRIES), name="challenge_first_or_second"
            ),
            models.CheckConstraint(
                condition=Q(verdict="running", finished_at=None)
                | (Q(verdict__in=["passed", "failed", "timed_out", "left"]) & Q(finished_at__isnull=False)),
                name="challenge_finished_with_verdict",
            ),
        ]

    def __str__(self):
        return f"{self.claim_id}, try {self.number}"

    @property
    def is_running(self):
        return self.verdict == self.Verdict.RUNNING


class DayCount(models.Model):
    """How often something was done in a day from one address, block of addresses or account, known by keyed hash."""

    key_hash = models.CharField(max_length=64)
    day = models.DateField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["key_hash", "day"], name="day_count_once"),
            models.CheckConstraint(condition=Q(count__gt=0), name="day_count_above_zero"),
        ]

    def __str__(self):
        return f"{self.day}: {self.count}"


class ChallengeSwitch(models.Model):
    """That the questions were turned on or off for the whole site. The newest row rules; without one they are on.

    Off, applicants go straight to documents. `by` is nobody where the alarm did it.
    """

    is_on = models.BooleanField()
    why = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        permissions = [("turn_questions", "Can turn the questions on and off")]
        verbose_name = verbose_name_plural = "questions on and off"
        get_latest_by = ["at", "pk"]
        ordering = ["-at", "-pk"]
        constraints = [models.CheckConstraint(condition=~Q(why=""), name="challenge_switch_says_why")]

    def __str__(self):
        return "on" if self.is_on else "off"
