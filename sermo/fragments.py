"""Pieces of pages that are drawn once and used again, by whoever sees the same.

A piece is a template and values, and nothing else: no request, no reader, no row that loads more. So equal values are
an equal piece, and nothing ever has to be thrown away because something changed. Values are hashable, unchanging, and
say all of themselves in their `repr`: numbers, words, tuples, frozen dataclasses. What changes by itself, such as
"5 min ago", comes in as a value. A process keeps the pieces used last; all share what any drew, for a few minutes, in
the cache, under the digest of their values and of this release.
"""

import hashlib
import re
from datetime import datetime
from functools import cache as once

from django.conf import settings
from django.core.cache import cache
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.html import escape
from django.utils.safestring import SafeString

from sermo.recent import Recent

MOST_KEPT = 40_000_000  # characters of all pieces of a process
LARGEST = 40_000  # characters of a piece that is kept
SHARED_SECONDS = (
    600  # also the longest that words taken out of a post stay in the cache, where no key leads to them
)
PLACE = salted_hmac(__name__, "place").hexdigest()[:32]  # see `late`; nobody outside can write it into a text
CSRF = "csrf"
AS_WRITTEN = re.compile(r"(<(pre|textarea)\b.*?</\2>)", re.DOTALL)  # where every blank is shown
BLANKS = re.compile(r"\s*\n\s*")

_kept = Recent(MOST_KEPT, weigh=len)


def draw(template: str, csrf_token: str = "", **values) -> SafeString:
    """Draw a template with these values. Where it has forms, the reader's `csrf_token` is put into them."""
    return draw_many(template, csrf_token, [values])[0]


def draw_once(template: str, csrf_token: str = "", **values) -> SafeString:
    """Draw what only this reader sees this once, such as words that were refused, and keep it nowhere."""
    return fill(_drawn((template, *sorted(values.items()))), **{CSRF: csrf_token})


def draw_many(template: str, csrf_token: str, pieces: list[dict]) -> list[SafeString]:
    """Draw a template with each of these values, asking the cache once for what this process does not have."""
    keys = [(template, *sorted(values.items())) for values in pieces]
    found = {} if settings.DEBUG else {key: _kept.get(key) for key in keys}
    missing = [key for key in dict.fromkeys(keys) if found.get(key) is None]
    if missing:
        found |= _from_others(missing)
    place, token = late(CSRF), escape(csrf_token)
    return [SafeString(found[key].replace(place, token)) for key in keys]


def _from_others(missing: list[tuple]) -> dict[tuple, str]:
    """Pieces that another process drew, or else drawn now, for it too."""
    names = {key: _name(key) for key in missing}
    known = {} if settings.DEBUG else cache.get_many(names.values())
    drawn = {key: known.get(name) or _drawn(key) for key, name in names.items()}
    small = {key: html for key, html in drawn.items() if len(html) <= LARGEST}
    for key, html in small.items():
        _kept.put(key, html)
    fresh = {names[key]: html for key, html in small.items() if names[key] not in known}
    if fresh and not settings.DEBUG:
        cache.set_many(fresh, SHARED_SECONDS)
    return drawn


def _drawn(key: tuple) -> str:
    template, *values = key
    return _tight(get_template(template).template.render(Context({**dict(values), "csrf_token": late(CSRF)})))


def _tight(html: str) -> str:
    """Without the blank lines and the indentation that only its authors need: a tenth of a long page."""
    parts = AS_WRITTEN.split(html)  # text, what is shown as written, the name of its tag, text, ...
    parts[::3] = [BLANKS.sub("\n", text) for text in parts[::3]]
    del parts[2::3]
    return "".join(parts)


def _name(key: tuple) -> str:
    return "piece:" + hashlib.sha256(f"{_release()}{key!r}".encode()).hexdigest()


@once
def _release() -> str:
    """A digest of all templates and code: what another release drew is not taken."""
    digest = hashlib.sha256(settings.STATIC_URL.encode())
    for folder in ("templates", *settings.LOCAL_APPS, "sermo"):
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            if path.suffix in (".html", ".py", ".toml", ".json"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def late(name: str) -> str:
    """What stands in a piece where each reader gets a value of their own, see `fill`."""
    return f"{PLACE}-{name}"


def fill(html: str, **values) -> SafeString:
    """Put values, escaped, in the places that `late` kept for them."""
    for name, value in values.items():
        html = html.replace(late(name), escape(str(value)))
    return SafeString(html)


def forget() -> None:
    """Drop every piece of this process, for tests that count drawing."""
    _kept.clear()


def age_of(when: datetime | None, now: datetime) -> int:
    """What decides how the age of a moment reads (see the filter `moment`): minutes, hours, or this year.

    Minutes are 0 to 59, hours 101 to 123; from a day on it is the present year, which the words leave out.
    """
    if when is None:
        return 0
    seconds = (now - when).total_seconds()
    if not 0 <= seconds < 86_400:
        return timezone.localtime(now).year
    minutes = int(seconds // 60)
    return minutes if minutes < 60 else 100 + minutes // 60
