"""What verification knows: the public registries (registry), the claims of members (claims) and what proves them, the
looks at licenses that are held (checks), and the record of what staff did (decisions, events, unmasking, posture).
"""

from verification.models.checks import LicenseCheck
from verification.models.claims import Challenge, ChallengeSwitch, Claim, DayCount, IdentityGuard
from verification.models.decisions import Decision, Dispute, DisputeOpinion
from verification.models.events import Event, Subject
from verification.models.posture import Incident, IncidentNote, RetentionRun
from verification.models.proofs import Document, MailDomain, Objection, Proof, Vouch, VouchLoss
from verification.models.registry import (
    Education,
    Exclusion,
    ImportRun,
    LicenseStatus,
    MedicalSchool,
    Provider,
    ProviderLicense,
    Reject,
    StateBoard,
)
from verification.models.unmasking import Unmasking

__all__ = [
    "Challenge",
    "ChallengeSwitch",
    "Claim",
    "DayCount",
    "Decision",
    "Dispute",
    "DisputeOpinion",
    "Document",
    "Education",
    "Event",
    "Exclusion",
    "IdentityGuard",
    "ImportRun",
    "Incident",
    "IncidentNote",
    "LicenseCheck",
    "LicenseStatus",
    "MailDomain",
    "MedicalSchool",
    "Objection",
    "Proof",
    "Provider",
    "ProviderLicense",
    "Reject",
    "RetentionRun",
    "StateBoard",
    "Subject",
    "Unmasking",
    "Vouch",
    "VouchLoss",
]
