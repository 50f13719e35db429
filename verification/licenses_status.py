"""What a board's word for a license means: in force, expired, ended, or nothing we know.

Boards each have words of their own and change them, so a word is looked up by the longest beginning that a table has,
whole words only: "Active - on probation" is in force, "Suspended - probated" too, "Suspended" has ended. What no table
has is unknown, which proves nothing and accuses nobody: people look.

Ended is what a board takes away, or a death; expired is what its holder let go, whether by not renewing, by retiring
or by asking for it. A license in force can carry discipline: that is another column, and for people.
"""

import re
from datetime import date
from typing import Literal

Standing = Literal["in_force", "expired", "ended", "unknown"]
IN_FORCE, EXPIRED, ENDED, UNKNOWN = "in_force", "expired", "ended", "unknown"

BETWEEN = " / "  # where a roster says it in several columns, their words are kept side by side
_NO_WORD = re.compile(r"[^a-z0-9]+")

_EVERYWHERE = {
    IN_FORCE: (
        "active",
        "current",
        "clear",
        "in force",
        "in good standing",
        "good standing",
        "licensed",
        "valid",
        "renewed",
        "registered",
        "probation",
        "probationary",
        "conditional",
        "restricted",
        "reprimand",
        "military",
        "suspension stayed",
        "suspended stayed",
        "suspended probated",
        "suspension probated",
        "revocation stayed",
        "revoked stayed",
        "revoked probated",
        "surrender stayed",
        "suspension lifted",
        "suspension terminated",
    ),
    EXPIRED: (
        "expired",
        "lapsed",
        "lapse",
        "delinquent",
        "not renewed",
        "nonrenewed",
        "non renewed",
        "failed to renew",
        "inactive",
        "retired",
        "emeritus",
        "closed",
        "cancelled",
        "canceled",
        "null",
        "terminated",
        "withdrawn",
        "not currently licensed",
        "not active",
        "not registered",
        "unlicensed",
        "voluntarily relinquished",
    ),
    ENDED: (
        "revoked",
        "revocation",
        "suspended",
        "suspension",
        "summary suspension",
        "summarily suspended",
        "summarily restricted",
        "emergency suspension",
        "emergency suspended",
        "temporarily suspended",
        "temporary suspension",
        "indefinite suspension",
        "indefinitely suspended",
        "interim suspension",
        "surrendered",
        "surrender",
        "voluntary surrender",
        "voluntarily surrendered",
        "relinquished",
        "denied",
        "annulled",
        "void",
        "voided",
        "deceased",
        "permanently revoked",
        "permanently relinquished",
        "permanent surrender",
        "active suspended",
        "inactive suspended",
        "expired suspended",
        "expired revoked",
        "cancelled by disciplinary action",
        "canceled by disciplinary action",
    ),
}
_OF_STATES = {
    "TX": {
        IN_FORCE: ("ac", "full", "none", "no action"),
        EXPIRED: (
            "ci",
            "dq",
            "re",
            "in",
            "cancelled by request",
            "canceled by request",
            "cancelled for nonpayment",
            "canceled for nonpayment",
            "cancelled nonpayment",
            "canceled nonpayment",
            "registration delinquent",
        ),
        ENDED: ("de", "sp", "rv", "cancelled by board", "canceled by board"),
    },
    "CO": {
        IN_FORCE: ("active with conditions", "active restricted"),
        EXPIRED: ("expired in renewal", "expired not renewed", "cancelled not renewed", "admin closed"),
        ENDED: ("revoked", "relinquished", "inactive disciplinary", "stipulated relinquishment"),
    },
    "WA": {
        IN_FORCE: ("active in renewal", "active on probation", "active with restrictions", "active retired"),
        EXPIRED: ("inactive", "active expired", "retired active expired"),
        ENDED: ("inactive revoked", "inactive suspended", "surrendered", "summary action"),
    },
    "IL": {
        IN_FORCE: ("active", "probation", "reprimand", "active probation"),
        EXPIRED: ("not renewed", "inactive", "pending restoration", "no longer practicing", "cancelled"),
        ENDED: (
            "refuse to renew",
            "refused to renew",
            "indefinite suspension",
            "relinquished",
            "permanent inactive",
            "permanently inactive",
        ),
    },
}


def _table(state: str) -> dict[str, str]:
    words = {}
    for source in (_EVERYWHERE, _OF_STATES.get(state, {})):
        words |= {word: standing for standing, known in source.items() for word in known}
    return words


_TABLES = {state: _table(state) for state in ("", *_OF_STATES)}
_WORST_FIRST = (ENDED, EXPIRED, IN_FORCE)


def standing(state: str, status: str, expires_on: date | None = None, today: date | None = None) -> Standing:
    """What a roster's row says of a license: its words, and a date of expiry that is over by `today`.

    Of several words side by side the worst counts, and those that are not known count only where none is.
    """
    found = {_of_words(state, part) for part in status.split(BETWEEN)}
    by_words = next((each for each in _WORST_FIRST if each in found), UNKNOWN)
    if by_words != ENDED and expires_on and today and expires_on < today:
        return EXPIRED
    return by_words


def _of_words(state: str, text: str) -> Standing:
    table = _TABLES.get(state.upper(), _TABLES[""])
    words = _NO_WORD.sub(" ", text.lower()).split()
    if words[:1] == ["license"]:
        words = words[1:]  # "License renewed & current" in California
    beginnings = (" ".join(words[:length]) for length in range(len(words), 0, -1))
    return next((table[each] for each in beginnings if each in table), UNKNOWN)
