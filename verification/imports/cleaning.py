"""Values of registry files made fit for the database."""

import re
import unicodedata
from datetime import date
from functools import lru_cache

NULL = r"\N"  # as COPY's text format writes it
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_ISO_DATE = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")


def is_clean(text: str) -> bool:
    """Whether a text is plain ASCII that COPY takes as it is."""
    return text.isascii() and text.isprintable() and "\\" not in text


def clean(text: str) -> str:
    """One line of normal text: NFKC, without NUL, zero-width and control characters, trimmed.

    A backslash becomes a slash: it means nothing in a name or address, and is the escape sign of COPY.
    """
    if is_clean(text):
        return text.strip()
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).replace("\0", "").replace("\\", "/"))
    return " ".join(_CONTROL.sub(" ", text).split())


@lru_cache(maxsize=16_384)
def iso_date(text: str) -> str | None:
    """MM/DD/YYYY, YYYY-MM-DD or YYYYMMDD as YYYY-MM-DD; None for anything that is no day from 1900 on."""
    if found := _US_DATE.fullmatch(text):
        month, day, year = found.groups()
    elif found := _ISO_DATE.fullmatch(text):
        year, month, day = found.groups()
    else:
        return None
    try:
        parsed = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return parsed.isoformat() if parsed.year >= 1900 else None
