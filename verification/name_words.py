"""The normal form of names: words in ASCII and lower case, without what is no part of a name.

The keys that imports store rest on it. A change of `words_of` or `as_one_word` needs all registries imported anew;
what is for the comparison of two names alone stands in `name_spellings`.
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

ENDINGS = frozenset(
    (
        *("jr", "sr", "ii", "iii", "iv", "v", "esq"),
        *("md", "do", "mbbs", "mbchb", "bmbs", "dds", "dmd", "phd", "mph", "ms", "msc", "mba"),
        *("facp", "facs", "faap", "facc"),
    )
)
# These are dropped for the comparison alone: keys were stored with them.
FURTHER_ENDINGS = frozenset(
    (
        *("2nd", "3rd", "4th", "junior", "senior", "hijo", "filho", "neto"),
        *("mb", "bm", "bs", "bch", "chb", "bsc", "pharmd", "dpm", "jd", "rn", "mhs", "mha", "meng", "dphil"),
        *("frcs", "frcsc", "frcp", "frcpc", "mrcp", "mrcs", "facog", "facep", "faan", "fccp", "faha", "fapa"),
    )
)
TITLES = frozenset({"dr", "prof", "mr", "mrs", "doctor"})
GENERATIONS = {
    "sr": 1,
    "senior": 1,
    "jr": 2,
    "junior": 2,
    "ii": 2,
    "2nd": 2,
    "iii": 3,
    "3rd": 3,
    "iv": 4,
    "4th": 4,
}
_DROPPED = re.compile(r"['`.]+")
_BETWEEN = re.compile(r"[^a-z0-9]+")
_UMLAUT = re.compile(r"([aou])e")
_MAC = re.compile(r"mac(?=[a-z]{4})")
_SAINT = frozenset({"st", "ste", "sainte"})
_MUHAMMAD = frozenset(
    (
        *("mohamed", "mohammed", "mohammad", "mohamad", "mohamud", "mohammod", "mohd"),
        *("muhammed", "muhamad", "muhamed", "mahomed"),
    )
)


@lru_cache(maxsize=16_384)
def words_of(text: str) -> tuple[str, ...]:
    """A name's words in normal form. Cached: a registry file repeats its names many times over."""
    return tuple(fold(word) for word in without_endings(split(text), ENDINGS))


def split(text: str) -> list[str]:
    if not text.isascii():
        text = anyascii(unicodedata.normalize("NFKC", text))
    return _BETWEEN.sub(" ", _DROPPED.sub("", text.lower())).split()


def without_endings(words: list[str], endings: frozenset[str]) -> list[str]:
    while len(words) > 1 and words[-1] in endings:
        words = words[:-1]
    return words


def fold(word: str) -> str:
    if word in _SAINT:
        return "saint"
    if word in _MUHAMMAD:
        return "muhammad"
    return _MAC.sub("mc", _UMLAUT.sub(r"\1", word), count=1) if len(word) > 2 else word


def as_one_word(words: tuple[str, ...]) -> str:
    joined = "".join(words)
    return "mc" + joined[3:] if joined.startswith("mac") and len(joined) > 6 and words[0] == "mac" else joined
