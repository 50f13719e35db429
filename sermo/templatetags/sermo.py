"""The small drawings and words every page uses: icons, moments, figures, tiles. Loaded in every template."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from io import BytesIO
from zipfile import ZipFile

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide import IconDoesNotExist

register = template.Library()

# Icons that stand in every row of a list, or twice on every page. A page draws them once (`icon_sheet`, in base.html)
# and refers to them.
SHEET = (
    "badge-check",
    "check-check",
    "circle-check",
    "circle-dashed",
    "equal-not",
    "eye-off",
    "flag",
    "inbox",
    "lock",
    "reply",
    "siren",
    "square-pen",
    "vote",
)

# What a user agent says of itself, the telling words first: nearly all claim to be Safari, many to be Chrome.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}

BALANCE_WIDTH = 200  # of the drawing, see static/css/verdict.css
BALANCE_GAP = 2
BALANCE_LEAST = 3  # a single vote among thousands is still seen


# Icons


@cache
def icon_shapes(name: str) -> SafeString:
    """Return the inner SVG of a lucide icon. Raises `lucide.IconDoesNotExist` for a name it does not know."""
    try:
        svg = _archive().read(f"{name}.svg").decode()
    except KeyError as error:
        raise IconDoesNotExist(f"The icon {name!r} does not exist.") from error
    svg = re.sub(r"\s+", " ", svg).replace("> <", "><").replace(" />", "/>").strip()
    shapes = svg.partition("<svg")[2].partition(">")[2].removesuffix("</svg>")
    return mark_safe(shapes)  # noqa: S308 - from the wheel, not from people


@cache
def _archive() -> ZipFile:
    """The wheel's icons. It would read their whole list of contents, which takes a while, for each of them.

    In memory, since processes that fork from this one would share the place in an open file.
    """
    return ZipFile(BytesIO((files("lucide") / "lucide.zip").read_bytes()))


@register.simple_tag
def icon(name: str, **attributes: str) -> SafeString:
    """Draw an icon, hidden from readers: words stand beside it or an aria-label on its button."""
    classes = f"icon {attributes['class']}" if "class" in attributes else "icon"
    if name in SHEET:
        shapes = format_html('<use href="#i-{}"/>', name)
        return format_html('<svg class="{}" aria-hidden="true">{}</svg>', classes, shapes)
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', classes, icon_shapes(name)
    )


@register.simple_tag
@cache
def icon_sheet() -> SafeString:
    """Draw, unseen, what `icon` and `importance` refer to; one such sheet stands on every page."""
    icons = format_html_join(
        "", '<symbol id="i-{}" viewBox="0 0 24 24">{}</symbol>', ((name, icon_shapes(name)) for name in SHEET)
    )
    pips = format_html_join(
        "",
        '<symbol id="pips-{}" viewBox="0 0 28 12">{}</symbol>',
        ((lit, _pips(lit)) for lit in range(6)),
    )
    return format_html(
        '<svg class="icon-sheet" width="0" height="0" aria-hidden="true">{}{}</svg>', icons, pips
    )


def _pips(lit: int) -> SafeString:
    bars = [f"M{6 * place} 0h4v12h-4z" for place in range(5)]
    on = format_html('<path fill="currentColor" d="{}"/>', "".join(bars[:lit])) if lit else ""
    off = format_html('<path d="{}"/>', "".join(bars[lit:])) if lit < 5 else ""
    return format_html("{}{}", on, off)


@register.filter
def device(user_agent: str) -> str:
    """Say which browser on which system a user agent claims to be: "Firefox on Windows"."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), "Another browser")
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), "")
    return f"{browser} on {system}" if system else browser


@register.filter
def inline_svg(document: str) -> SafeString:
    """Return the svg element of a drawing made by the site itself (a QR code), without its XML declaration."""
    return mark_safe(document[document.index("<svg") :])  # noqa: S308 - never called on what a person sent


# Moments


@register.filter
def moment(when: datetime | None) -> str:
    """Say when something happened: its age within a day, else "Nov 18, 7:42 am", with the year if it is another."""
    if when is None:
        return ""
    age = timezone.now() - when
    if age < timedelta(0) or age >= timedelta(days=1):
        return _time_element(when, _date_and_time(when))
    return _time_element(when, _age(age))


@register.filter
def moment_exact(when: datetime | None) -> str:
    """Say date and time whatever the age."""
    return "" if when is None else _time_element(when, _date_and_time(when))


@register.filter
def day(when: date | None) -> str:
    """Say the day alone: "Nov 18", with the year if it is another."""
    return "" if when is None else _time_element(when, _date(when))


@register.filter
def clock(when: datetime | None) -> str:
    """Say the time of day alone: "8:14 am"."""
    return "" if when is None else _time_element(when, _time(when))


def _time_element(when: date, words: str) -> SafeString:
    stamp = f"{when.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if isinstance(when, datetime) else when.isoformat()
    return format_html('<time datetime="{}">{}</time>', stamp, words)


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 60 else f"{minutes // 60} h ago"


def _date(when: date) -> str:
    local = timezone.localtime(when) if isinstance(when, datetime) else when
    year = f", {local.year}" if local.year != timezone.localtime().year else ""
    return f"{local:%b} {local.day}{year}"


def _date_and_time(when: datetime) -> str:
    return f"{_date(when)}, {_time(when)}"


def _time(when: datetime) -> str:
    local = timezone.localtime(when)
    return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"


# Figures


def balance_geometry(corroborate: int, dispute: int) -> dict[str, int] | None:
    """Return the two bars of a verdict in whole units of a drawing 200 wide, or None without votes.

    Keys: for_width, against_x, against_width. Between two bars there is a gap of 2.
    """
    total = corroborate + dispute
    if total == 0:
        return None
    if dispute == 0:
        return {"for_width": BALANCE_WIDTH, "against_x": BALANCE_WIDTH, "against_width": 0}
    if corroborate == 0:
        return {"for_width": 0, "against_x": 0, "against_width": BALANCE_WIDTH}
    half = BALANCE_GAP // 2
    edge = (2 * BALANCE_WIDTH * corroborate + total) // (2 * total)  # rounded half up
    edge = min(max(edge, BALANCE_LEAST + half), BALANCE_WIDTH - BALANCE_LEAST - half)
    return {"for_width": edge - half, "against_x": edge + half, "against_width": BALANCE_WIDTH - edge - half}


@register.inclusion_tag("components/_balance.html")
def balance(corroborate: int, dispute: int) -> dict:
    """Draw how many corroborate and how many dispute; the words beside it say the same."""
    return {"bars": balance_geometry(corroborate, dispute)}


@register.inclusion_tag("components/_importance.html")
def importance(mean) -> dict:
    """Draw five pips and the mean of the ratings (1 to 5, one decimal; None when nobody rated)."""
    if mean is None:
        return {"mean": None, "lit": 0}
    figure = Decimal(str(mean))
    lit = int(figure.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return {"mean": figure.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP), "lit": min(max(lit, 0), 5)}


@register.filter
def initials(name: str) -> str:
    """Return the two letters of a person's tile: of the first two words of a name, else its first two letters."""
    words = re.findall(r"[^\W\d_]+", str(name))
    if len(words) >= 2:
        return (words[0][0] + words[1][0]).upper()
    letters = words[0] if words else re.sub(r"\W|_", "", str(name))
    return letters[:2].upper()
