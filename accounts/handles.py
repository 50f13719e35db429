"""Handles: what one may be called, and which handles look too much like each other."""

import re

from django.core.exceptions import ValidationError

from sermo.crypto import keyed_hash
from sermo.text import searchable

SHORTEST, LONGEST = 3, 24
SHAPE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_.-][A-Za-z0-9]+)*")
HELP = f"{SHORTEST} to {LONGEST} letters and digits, with single _ - or . between them. It need not be your name."

HOUSE_KEY = "sermo"  # in place of a `physician_key`, of the site's own row among members

RESERVED = """
    abuse account accounts admin administrator anonymous api billing community consult consults contact
    demo doctor editor feedback finance firm former-member groups handle help helpdesk home info legal md
    me member members moderation moderator moderators news nobody none null observer observers official
    operator owner physician physicians policy polls postmaster press privacy questions removed-account
    reviewer reviewers rewards root rules search security sermo sermo-team settings site staff status
    superuser support system team trust undefined unknown user username verification verified verify
    watchers webmaster
""".split()  # noqa: SIM905 - easier to read and add to than a list

# Pairs that are hard to tell apart in the site's typefaces. Single characters come first: only then is c1 seen as cl.
LOOKALIKES = (
    ("0", "o"),
    ("1", "l"),
    ("i", "l"),
    ("5", "s"),
    ("2", "z"),
    ("8", "b"),
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
)


def key(handle: str) -> str:
    """The form in which two handles that could be mistaken for each other are equal."""
    skeleton = re.sub(r"[_.-]", "", handle.lower())
    for look, like in LOOKALIKES:
        skeleton = skeleton.replace(look, like)
    return skeleton


def severed_key(key: str) -> str:
    """What is kept of a key once its member has left: enough to refuse the handle to others, not to read it."""
    return keyed_hash(key, "handle of a former member")


RESERVED_KEYS = {key(word) for word in RESERVED}


def check(handle: str) -> str:
    """Return the handle, trimmed. Raises ValidationError with what to type instead."""
    handle = handle.strip()
    if not SHORTEST <= len(handle) <= LONGEST:
        raise ValidationError(f"A handle has {SHORTEST} to {LONGEST} characters; this one has {len(handle)}.")
    if not SHAPE.fullmatch(handle):
        raise ValidationError(
            "Use letters A to Z and digits, starting with a letter, with single _ - or . between them."
        )
    if key(handle) in RESERVED_KEYS or key(handle).startswith(key("sermo")):
        raise ValidationError("This handle is reserved, because it could be taken for the site or its staff.")
    return handle


def contains_name(handle: str, *names: str) -> bool:
    """Whether a handle gives away a word of a name (three letters or more), whatever its accents."""
    words = re.findall(r"[a-z]{3,}", searchable(*names))
    bare = re.sub(r"[^a-z]", "", handle.lower())
    return any(word in bare for word in words)
