"""How a verified member signs: the one way from a verified identity to a name that colleagues see."""

from django.db import transaction

from accounts.models import Member
from accounts.services import profiles
from sermo.errors import RuleBroken
from verification.models import Claim
from verification.models.claims import State
from verification.names import PersonName, name_score

LONGEST = 80
LIFTED = (State.VERIFIED, State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER, State.RETIRED)
ONCE_VERIFIED = (*LIFTED, State.LAPSED)


class ShowsMore(RuleBroken):
    message = "This shows more of you than now. Tick the box to confirm it."


def display_name_for(member: Member) -> str:
    """The name a member may show, such as "Anna de la Torre, MD"; empty while no license of theirs is verified.

    It is the name as the member typed it where that matches the verified identity, else the registry's.
    """
    return _name(member, LIFTED)


def once_verified_name_of(member: Member) -> str:
    """The name a member agreed to give while they might; a license that has lapsed since does not undo it."""
    return _name(member, ONCE_VERIFIED)


def _name(member: Member, states) -> str:
    claim = Claim.objects.filter(user=member.user_id, state__in=states).first()
    if claim is None:
        return ""
    typed = claim.typed
    first, last = typed["first"], typed["last"]
    if not _matches(typed, claim.registry):
        first, last = claim.registry["first_name"], claim.registry["last_name"]
    return f"{_tidy(first)} {_tidy(last)}"[: LONGEST - 4] + f", {claim.degree}"


@transaction.atomic
def choose_byline(*, member: Member, mode: str, confirmed: bool = False) -> Member:
    """Set how a member's next posts are signed.

    Raises ShowsMore where that is less private than now and was not confirmed, accounts.services.profiles.NotVerified.
    """
    now = Member.objects.select_for_update().get(pk=member.pk).byline_mode
    name = display_name_for(member) if mode == Member.BylineMode.PUBLIC else ""
    if mode == Member.BylineMode.PUBLIC and not name:
        raise profiles.NotVerified
    if profiles.is_more_private(now, than=mode) and not confirmed:
        raise ShowsMore
    return profiles.choose_byline(member=member, mode=mode, display_name=name)


def _matches(typed: dict, record: dict | None) -> bool:
    """A reviewer may have verified a changed name on documents alone: without a registry record it stands as typed."""
    if record is None:
        return True
    known = PersonName(record["last_name"], record["first_name"], record["middle_name"])
    other = PersonName(
        record["other_last_name"] or record["last_name"], record["other_first_name"] or record["first_name"]
    )
    claimed = PersonName(typed["last"], typed["first"], typed["middle"])
    return name_score(claimed, known, other).verdict == "accepted"


def _tidy(name: str) -> str:
    """Capitals only where nobody chose them: registries shout, and some people type in lower case."""
    return name.title() if name.isupper() or name.islower() else name
