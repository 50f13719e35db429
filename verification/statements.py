"""Why a claim was turned down, as its owner reads it: the code, what it means, and what would help.

Nothing of it tells who decided, what they noted, or what the registry has.
"""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from verification.models import Claim, Decision
from verification.models.claims import HOLDING, State

Reason = Decision.Reason

# What each code of a rejection means, and what would help an appeal
EXPLAINED = {
    Reason.UNREADABLE: (
        "A reviewer could not read what you sent, or a part of it was missing.",
        "A sharp picture of the whole document, all four corners in it.",
    ),
    Reason.OUTDATED: (
        "The document was issued more than four years ago.",
        "A license card, badge or letter of the last four years.",
    ),
    Reason.MISMATCH: (
        "The document and what you typed do not fit together: name, number, state or degree.",
        "What explains the difference, such as the record of a changed name.",
    ),
    Reason.NO_LICENSE: (
        "No license in force was found for what you typed.",
        "The board’s own page or letter that shows the license in force.",
    ),
    Reason.NOT_PHYSICIAN: (
        "The license is not one for a physician, MD or DO.",
        "Your license as a physician, if you hold another one.",
    ),
    Reason.EXCLUDED: (
        "You are on the list of people excluded from federal health programs, by your NPI or by your name and state.",
        "The letter of your reinstatement, or what shows that another person is meant.",
    ),
    Reason.NOT_OWN: (
        "There is evidence that the license is somebody else’s.",
        "Documents that show both the license and you, such as a license card with a badge.",
    ),
}
IN_GENERAL = (
    "A reviewer found that the claim does not stand.",
    "Whatever you think the reviewer did not know.",
)


@dataclass(frozen=True)
class Rejection:
    """One rejection of a claim: its code, and how many reviewers it took."""

    reason: str
    at: datetime
    reviewers: int = 1

    @property
    def label(self) -> str:
        return Reason(self.reason).label

    @property
    def means(self) -> str:
        return EXPLAINED.get(self.reason, IN_GENERAL)[0]

    @property
    def helps(self) -> str:
        return EXPLAINED.get(self.reason, IN_GENERAL)[1]


@dataclass(frozen=True)
class Statement:
    """What was decided on one claim, the first rejection first, and where its appeal stands.

    `appeal` is "" for none, waiting, granted, refused or withdrawn.
    """

    claim: Claim
    rejections: list[Rejection]
    documents: int
    vouches: int
    appeal: str

    @property
    def may_appeal(self) -> bool:
        return self.claim.state == State.REJECTED and self.claim.appeal is None


def statements_of(user: User) -> list[Statement]:
    """Of every claim that was ever turned down, the newest first."""
    refused = Decision.objects.filter(claim__user=user, outcome=Decision.Outcome.REJECT).values("claim")
    claims = Claim.objects.filter(user=user)
    turned_down = claims.filter(pk__in=refused) | claims.filter(state=State.REJECTED)
    rows = turned_down.distinct().order_by("-started_at", "-pk")
    return [_statement(claim) for claim in rows.prefetch_related("decisions", "vouches", "proofs__documents")]


def _statement(claim: Claim) -> Statement:
    rejections = [
        Rejection(each.reason, each.at)
        for each in claim.decisions.all()
        if each.outcome == Decision.Outcome.REJECT
    ]
    if claim.state == State.REJECTED and not any(_is_it(claim, each) for each in rejections):
        rejections.append(Rejection(claim.rejected_for, claim.decided_at, reviewers=2))  # in a dispute
    return Statement(
        claim=claim,
        rejections=rejections,
        documents=sum(len(proof.documents.all()) for proof in claim.proofs.all()),
        vouches=len(claim.vouches.all()),
        appeal=_appeal_of(claim),
    )


def _is_it(claim: Claim, rejection: Rejection) -> bool:
    """Whether a reviewer's decision is what the claim now stands rejected by: both are of one transaction."""
    return (
        rejection.reason == claim.rejected_for and abs((claim.decided_at - rejection.at).total_seconds()) < 5
    )


def _appeal_of(claim: Claim) -> str:
    if claim.appeal is None:
        return ""
    if claim.state == State.REJECTED:
        return "refused"
    if claim.state == State.WITHDRAWN:
        return "withdrawn"
    if claim.state in (*HOLDING, State.REVOKED):
        return "granted"
    return "waiting"
