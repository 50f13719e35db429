"""How much a claim deserves a second look, as a small sum of weights. Pure: `services.queue` gathers what it needs.

The sum orders nobody's queue by itself: it stands beside a claim, and reviewers filter by it. Each part is one of

    a doubt                     its weight in DOUBTS; a doubt without one weighs nothing
    a crowded identity          CROWDED for each other account that claims or holds the same person or license, twice
                                at most
    an account of many names    MANY_IDENTITIES for each further person the account ever named, twice at most
    a possible exclusion        EXCLUSION: somebody of that name and state is barred; EXCLUDED: that very NPI is
    a shared address            SHARED_ADDRESS: within a day another account took the questions from the same address
    an objection                OBJECTION: somebody said "this was not me"

A claim is at low risk below MEDIUM, at high risk from HIGH on.
"""

from dataclasses import dataclass

MEDIUM, HIGH = 3, 6
CROWDED, MANY_IDENTITIES, EXCLUSION, EXCLUDED, SHARED_ADDRESS, OBJECTION = 3, 2, 4, 6, 3, 6
MOST_COUNTED = 2
DOUBTS = {
    "no_match": 3,
    "many": 2,
    "no_license": 2,
    "license_differs": 3,
    "conflict": 2,
    "deactivated": 4,
    "degree": 3,
    "name": 2,
    "resident": 1,
    "questions_failed": 1,
    "account_tries": 2,
    "identity_tries": 2,
    "probing": 4,
    "changed": 3,
    "crowded": 3,
    "unlocked": 2,
    "gone": 3,
    "new_name": 2,
    "license_gone": 3,
    "expired": 3,
    "status": 3,
    "discipline": 2,
    "voucher_failed": 6,
    "contested": 3,
    "mailbox": 4,
    "mailbox_name": 2,
    "renamed": 2,
}
BANDS = {"low": "Low", "medium": "Medium", "high": "High"}


@dataclass(frozen=True)
class Facts:
    """What the risk of a claim is counted from. `others` and `identities` do not count the claim itself."""

    doubts: tuple[str, ...] = ()
    others: int = 0  # accounts with a claim to the same person or license
    identities: int = 0  # further people whom the account named
    exclusion: str | None = None  # "possible" or "definite"
    shares_address: bool = False
    objections: int = 0


@dataclass(frozen=True)
class Part:
    """One reason for a risk; `code` is a doubt's or the name of a part above."""

    code: str
    words: str
    weight: int


def parts_of(facts: Facts) -> list[Part]:
    """Every part of the sum that weighs something, the heaviest first."""
    parts = [Part(doubt, "", DOUBTS[doubt]) for doubt in dict.fromkeys(facts.doubts) if DOUBTS.get(doubt)]
    if facts.objections:
        parts.append(Part("objection", "Somebody said that it was not them", OBJECTION))
    if facts.exclusion == "definite":
        parts.append(Part("exclusion", "The NPI is on the list of exclusions", EXCLUDED))
    if facts.exclusion == "possible":
        parts.append(Part("exclusion", "Somebody of this name is on the list of exclusions", EXCLUSION))
    if facts.others:
        who = "Another account claims" if facts.others == 1 else f"{facts.others} other accounts claim"
        words = f"{who} or hold{'s' if facts.others == 1 else ''} this identity"
        parts.append(Part("crowded_identity", words, CROWDED * min(facts.others, MOST_COUNTED)))
    if facts.identities:
        words = (
            f"The account named {facts.identities} other {'person' if facts.identities == 1 else 'people'}"
        )
        parts.append(Part("identities", words, MANY_IDENTITIES * min(facts.identities, MOST_COUNTED)))
    if facts.shares_address:
        words = "Another account took the questions from the same network address within a day"
        parts.append(Part("address", words, SHARED_ADDRESS))
    return sorted(parts, key=lambda part: -part.weight)


def total(facts: Facts) -> int:
    return sum(part.weight for part in parts_of(facts))


def band_of(risk: int) -> str:
    """low, medium or high."""
    return "high" if risk >= HIGH else "medium" if risk >= MEDIUM else "low"
