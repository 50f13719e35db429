from consults.models.cases import Case, Look, Marker
from consults.models.consents import Consent
from consults.models.drafts import CaseDraft
from consults.models.images import Image, ImageFlag, Incident

__all__ = ["Case", "CaseDraft", "Consent", "Image", "ImageFlag", "Incident", "Look", "Marker"]
