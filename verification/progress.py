"""Where an applicant stands and what comes next, as the pages say it.

What is shown depends on the stage alone, never on whether somebody else holds the identity: a claim that was proven
and then disputed reads like any other in review.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from verification import rules
from verification.models import Challenge, Claim, Decision
from verification.models.claims import TRIES, State
from verification.services import challenge as challenges
from verification.services import claims, foretold, held

STEPS = ("E-mail", "Identity", "Challenge", "Proof", "Decision")
_VERIFIED = (State.VERIFIED, State.RETIRED, State.NEEDS_REVIEW_HELD)
_BY_STATE = {
    State.MATCHED: "questions",
    State.LOCKED: "locked",
    State.REJECTED: "rejected",
    State.LAPSED: "lapsed",
    State.SUSPENDED: "suspended",
    State.REVOKED: "suspended",
    State.DISPUTED_HOLDER: "disputed",
    **dict.fromkeys(_VERIFIED, "verified"),
}


@dataclass(frozen=True)
class Progress:
    """`stage` is start, questions, wait, proof, deciding, asked, review, locked, rejected, verified, lapsed, suspended
    or disputed, each with a template of its name.
    """

    stage: str
    claim: Claim | None = None
    tries_used: int = 0
    has_passed: bool = False
    is_running: bool = False
    next_try_at: datetime | None = None
    opens_at: datetime | None = None  # when a new claim may be started, after a rejection

    @property
    def tries_left(self):
        return max(0, TRIES - self.tries_used)

    @property
    def expected(self):
        """How long the last decisions took, while there is one to come; a sentence, or nothing."""
        if self.stage == "start" or (self.claim and self.claim.queued_at):
            return foretold.foretell().words
        return ""

    @property
    def rejection(self):
        return Decision.Reason(self.claim.rejected_for).label

    @property
    def suspension(self):
        return held.suspension_of(self.claim)

    @property
    def may_start(self):
        """Whether the form is open to another application."""
        return self.stage in ("start", "rejected") and self.opens_at is None

    @property
    def due_at(self):
        """Until when the holder of a disputed license is heard."""
        disputes = self.claim.disputes_held.filter(outcome="").order_by("due_at")
        return disputes.values_list("due_at", flat=True).first()

    @property
    def is_application(self):
        """Whether the steps still lead somewhere: of a license that is held, and doubted, they do not."""
        return self.stage not in ("lapsed", "suspended", "disputed")

    @property
    def may_withdraw(self):
        return self.claim is not None and self.claim.is_undecided

    @property
    def may_correct(self):
        return self.claim is not None and claims.may_correct(self.claim)

    @property
    def steps(self):
        """(words, "done" | "current" | "") for the stepper."""
        current = {"start": 1, "questions": 2, "wait": 2, "proof": 3, "asked": 3, "verified": 5}.get(
            self.stage, 4
        )
        states = ["done" if place < current else "" for place in range(len(STEPS))]
        if current > 2 and not self.has_passed and self.stage != "verified":
            states[2] = ""
        if current < len(STEPS):
            states[current] = "current"
        return list(zip(STEPS, states, strict=True))


def progress_of(user: User) -> Progress:
    """The stage of a user's latest claim, after a try of the questions that ran out of time was ended."""
    claim = latest_claim(user)
    if claim is None or claim.state == State.WITHDRAWN:
        return Progress("start", opens_at=claims.opens_at(user) if claim else None)
    tries = _tries_of(user)
    if any(each.is_running and challenges.deadline(each) <= timezone.now() for each in tries):
        claim = challenges.settle(claim=claim)
        tries = _tries_of(user)
    own = [each for each in tries if each.claim_id == claim.pk]
    is_running = any(each.is_running for each in own)
    opens = tries[-1].issued_at + timedelta(hours=rules.CHALLENGE_WAIT_HOURS) if tries else None
    waits = claim.state == State.MATCHED and not is_running and opens is not None and opens > timezone.now()
    return Progress(
        stage="wait" if waits else stage_of(claim),
        claim=claim,
        tries_used=len(tries),
        has_passed=any(each.verdict == Challenge.Verdict.PASSED for each in own),
        is_running=is_running,
        next_try_at=opens,
        opens_at=claims.opens_at(user) if claim.state == State.REJECTED else None,
    )


def latest_claim(user: User) -> Claim | None:
    """The unfinished claim, else the last that was started."""
    mine = Claim.objects.filter(user=user).select_related("user__member").order_by("-started_at", "-pk")
    return mine.unfinished().first() or mine.first()


def _tries_of(user: User) -> list[Challenge]:
    """All tries of an account, the oldest first."""
    return list(Challenge.objects.filter(claim__user=user).defer("sheet", "facts").order_by("issued_at"))


def stage_of(claim: Claim) -> str:
    """What its owner may know of where a claim stands."""
    if claim.state in _BY_STATE:
        return _BY_STATE[claim.state]
    if claim.queued_at:
        return "review"
    if claim.asked_for:
        return "asked"
    return "deciding" if claim.state == State.PROVEN else "proof"
