"""What verification knows: the public registries (registry) and the claims of members (claims)."""

from verification.models.claims import Challenge, Claim, DayCount, IdentityGuard
from verification.models.decisions import Decision, Dispute, DisputeOpinion
from verification.models.events import Event, Subject
from verification.models.proofs import Document, Proof, Vouch
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

__all__ = [
    "Challenge",
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
    "LicenseStatus",
    "MedicalSchool",
    "Proof",
    "Provider",
    "ProviderLicense",
    "Reject",
    "StateBoard",
    "Subject",
    "Vouch",
]
