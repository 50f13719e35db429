"""What the mark beside a handle stands for: that a license was verified, how, and in which month.

It never says whose it is: no state, no number, no name. And it must not single anybody out: what fewer than
SMALL_CELL members are shown with is left out, first the month, then the year and the way. Whoever is shown with a
month stands in no year's crowd: the few that are left would be told apart by lacking one. It stands on the page of the
handle alone: on the page of a name it would join the two.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count
from django.db.models.functions import ExtractMonth

from accounts.models import Member
from verification.models import Claim
from verification.models.claims import Method, State

# A dispute or a second look is nobody's business until it is decided, so these read alike.
_CURRENT = (State.VERIFIED, State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER)
_KINDS = {
    **dict.fromkeys(_CURRENT, "verified"),
    State.RETIRED: "retired",
    State.LAPSED: "lapsed",
}
_STATES = {"verified": _CURRENT, "retired": (State.RETIRED,), "lapsed": (State.LAPSED,)}
_LEADS = {
    "verified": "License verified",
    "retired": "Retired, license verified",
    "lapsed": "License to be checked anew, verified",
}
_WAYS = {
    Method.DOCUMENT: "document",
    Method.PIONEER: "document",
    Method.VOUCH: "three colleagues",
    Method.PHONE: "a call to the registered number",
    Method.FAX: "a fax to the registered number",
    Method.ENDPOINT: "an entry in the own record",
    Method.EMAIL: "hospital mail",
}


@dataclass(frozen=True)
class Badge:
    """`kind` is verified, retired or lapsed; `when` a month ("March 2026") or a year, `how` the ways, or both empty."""

    kind: str = "verified"
    when: str = ""
    how: str = ""

    @property
    def words(self) -> str:
        """ "License verified March 2026, registry and document", or as much of it as many share."""
        if not self.when:
            return "License verified"
        return f"{_LEADS[self.kind]} {self.when}, {self.how}"


PLAIN = Badge()
COUNTED_FOR = 3600  # seconds


def badge_of(member: Member) -> Badge:
    """What may be told of a member's license, in two queries at most. Of a license that few share it says the least."""
    own = Claim.objects.filter(user=member.user_id, user__isnull=False, state__in=_KINDS)
    claim = own.defer("identity", "asked_for", "appeal").first()
    if claim is None:
        return PLAIN
    kind, at = _KINDS[claim.state], claim.verified_at.astimezone(UTC)
    in_month, in_year = _crowd_of(claim, kind, at)
    if in_month >= settings.SMALL_CELL:
        return Badge(kind, f"{at:%B %Y}", _how(claim))
    if in_year >= settings.SMALL_CELL:
        return Badge(kind, f"{at:%Y}", _how(claim))
    return PLAIN


def _crowd_of(claim: Claim, kind: str, at: datetime) -> tuple[int, int]:
    """How many, with this one, share its standing and way and were verified in its month (UTC), and how many are shown
    with the year alone.

    Counted once in an hour: there are few such crowds, and each is asked for with every profile.
    """
    key = f"badge:{kind}:{_WAYS[claim.method]}:{claim.name_score is None}:{at:%Y-%m}".replace(" ", "-")
    return cache.get_or_set(key, lambda: _counted(claim, kind, at), COUNTED_FOR)


def _counted(claim: Claim, kind: str, at: datetime) -> tuple[int, int]:
    alike = Claim.objects.filter(
        state__in=_STATES[kind],
        method__in=[method for method, way in _WAYS.items() if way == _WAYS[claim.method]],
        name_score__isnull=claim.name_score is None,
        verified_at__gte=datetime(at.year, 1, 1, tzinfo=UTC),
        verified_at__lt=datetime(at.year + 1, 1, 1, tzinfo=UTC),
    )
    by_month = alike.annotate(month=ExtractMonth("verified_at", tzinfo=UTC)).values_list("month")
    counts = dict(by_month.annotate(number=Count("pk")).order_by())
    return counts.get(at.month, 0), sum(one for one in counts.values() if one < settings.SMALL_CELL)


def _how(claim: Claim) -> str:
    """The registry counts where one person of it fitted; its record is encrypted, and not asked for here."""
    way = _WAYS[claim.method]
    return way if claim.name_score is None else f"registry and {way}"
