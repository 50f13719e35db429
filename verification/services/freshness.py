"""Whether the registry still says of a claimant what our file of it says: asked once, right after a claim started."""

from django.conf import settings
from django.db import transaction

from verification import names, nppes_api
from verification.models import Claim
from verification.models.claims import UNDECIDED, State
from verification.nppes_api import Record, Unavailable
from verification.services import claims, events, states

SECONDS = 2.0  # an answer that takes longer is none: the file is what counts then


def check(*, claim_id: int) -> str:
    """Compare a matched claim with the registry of today; the doubt that came of it (see `claims.DOUBTS`), or none.

    A registry that does not answer in SECONDS raises no doubt. Called again it finds the same and changes nothing more.
    """
    if not settings.NPPES_ASKED:
        return ""
    claim = Claim.objects.filter(pk=claim_id, state__in=UNDECIDED).first()
    if claim is None or claim.registry is None:
        return ""
    try:
        record = nppes_api.read(claim.registry["npi"], tries=1, seconds=SECONDS)
    except Unavailable:
        return ""
    doubt = _doubt(claim.registry, record)
    return _raise(claim, doubt) if doubt else ""


def _doubt(snapshot: dict, record: Record | None) -> str:
    if record is None or not record.is_active:
        return "deactivated"
    filed = names.name_key(snapshot["last_name"], snapshot["first_name"])
    return "renamed" if names.name_key(record.name.last, record.name.first) != filed else ""


@transaction.atomic
def _raise(claim: Claim, doubt: str) -> str:
    """Leave it to people. Questions that are being answered are not taken away: the doubt waits beside the claim."""
    states.lock_identity(claim)
    claim = states.lock(claim)
    if claim.state not in UNDECIDED or doubt in claim.doubts:
        return doubt if doubt in claim.doubts else ""
    if claim.state == State.MATCHED and not claim.challenges.running().exists():
        claims.to_review(claim, doubt)
        return doubt
    claim.doubts = [*claim.doubts, doubt]
    claim.save(update_fields=["doubts"])
    events.record(kind="doubted", claim=claim, reason=doubt)
    return doubt
