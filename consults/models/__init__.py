from consults.models.cases import Case, Marker
from consults.models.consents import Consent
from consults.models.drafts import CaseDraft
from consults.models.images import Image, ImageFlag, Incident
from consults.models.on_call import Call, Duty, OnCallWishes, Paging, Shift
from consults.models.replies import Diagnosis, DiagnosisVote, Reply, Solution
from consults.models.stories import Story

__all__ = [
    "Call",
    "Case",
    "CaseDraft",
    "Consent",
    "Diagnosis",
    "DiagnosisVote",
    "Duty",
    "Image",
    "ImageFlag",
    "Incident",
    "Marker",
    "OnCallWishes",
    "Paging",
    "Reply",
    "Shift",
    "Solution",
    "Story",
]
