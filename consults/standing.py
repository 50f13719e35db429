"""How a consent stands, in words."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from consults.models import Consent
from consults.services.consents import KEPT_DAYS, REMIND_DAYS

PREPARED, STANDS, ENDS, ENDED, REVOKED = "prepared", "stands", "ends", "ended", "revoked"


@dataclass(frozen=True)
class Standing:
    """`word` is one of the constants here, `text` what a page says, `may_renew` whether it can be signed anew."""

    word: str
    text: str
    may_renew: bool = False

    @property
    def is_over(self) -> bool:
        return self.word in (ENDED, REVOKED)


def standing_of(consent: Consent) -> Standing:
    is_signed = consent.kind == Consent.Kind.SIGNED
    if consent.revoked_at:
        by = "you" if consent.revoked_by == Consent.RevokedBy.PHYSICIAN else "the patient"
        return Standing(REVOKED, f"Taken back by {by}")
    if consent.attested_at is None:
        return Standing(PREPARED, "Not signed yet")
    if consent.expires_on is None:
        return Standing(STANDS, "Stands")
    today, end = timezone.now().date(), consent.expires_on
    said = f"{end:%b} {end.day}, {end.year}"
    if end < today:
        is_late = end < today - timedelta(days=KEPT_DAYS)
        return Standing(ENDED, f"Ended {said}", is_signed and not is_late)
    if end <= today + timedelta(days=max(REMIND_DAYS)):
        return Standing(ENDS, f"Ends {said}", is_signed)
    return Standing(STANDS, f"Stands until {said}", is_signed)
