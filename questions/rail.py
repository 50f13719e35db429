"""What stands beside a list of discussions: its filters, and how much each of them would leave."""

from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count
from django.utils.safestring import SafeString

from accounts.models import Specialty, User
from accounts.places import REGIONS, STATES
from questions import filters as narrowing
from questions.filters import KINDS, STATUSES, SWITCHES, TIMES, Filters
from questions.models import Question, Tag
from sermo.fragments import draw

RELATED_FROM = 200  # newest discussions of a tag, in which others are looked for
MOST_RELATED = 8
STATE_NAMES = dict(STATES)
PLACES = tuple(
    (region, tuple(STATE_NAMES[code] for code in codes.split())) for region, codes in REGIONS.items()
)


@dataclass(frozen=True)
class Option:
    label: str
    url: str
    is_current: bool
    number: str


def drawn(
    filters: Filters,
    *,
    user: User,
    path: str,
    topic: Tag | Specialty | None,
    names: dict[str, str],
    counted: bool,
) -> SafeString:
    """The rail of a list: with its counts where they are asked for or were counted for this reader a moment ago."""
    shown = {
        "Status": _choices(filters, "status", STATUSES),
        "Kind": _choices(filters, "kind", KINDS),
        "Only": _switches(filters, user),
        "Opened": _choices(filters, "time", TIMES),
        "Specialty": _specialties(filters, user, topic, names),
    }
    counts = _counts(shown, filters, user, path, topic, counted)
    query = "&".join(part for part in (filters.query, "counts=1") if part)
    return draw(
        "questions/_filters.html",
        groups=tuple(
            (
                title,
                tuple(
                    Option(label, _address(path, to), is_on, counts.get(aim, ""))
                    for label, to, is_on, aim in rows
                ),
            )
            for title, rows in shown.items()
            if rows
        ),
        counts_url="" if counts else f"{path}?{query}",
        filters=filters,
        path=path,
        kept=tuple(tuple(pair) for pair in _pairs(filters) if pair[0] not in ("place", "tag")),
        places=PLACES,
        place=narrowing.PLACES.get(filters.place, ""),
        is_tag=isinstance(topic, Tag),
        related=related(topic, user) if counts and isinstance(topic, Tag) else (),
    )


def _counts(shown, filters, user, path, topic, counted) -> dict[Filters, str]:
    """The figure of every option, as old as FILTERS_KEPT_SECONDS at most; nothing where it is not wanted.

    Counting costs the database far more than the page itself, so a page shows at once and its counts come after it.
    """
    key = f"rail:{user.pk}:{path}?{filters.query}"
    aims = list(dict.fromkeys(aim for rows in shown.values() for _, _, _, aim in rows))
    kept = cache.get(key) if settings.FILTERS_KEPT_SECONDS else None
    if kept is None and counted:
        numbers = narrowing.count(aims, user, topic=topic)
        kept = [narrowing.in_figures(numbers[aim]) for aim in aims]
        if settings.FILTERS_KEPT_SECONDS:
            cache.set(key, kept, settings.FILTERS_KEPT_SECONDS)
    return dict(zip(aims, kept, strict=True)) if kept and len(kept) == len(aims) else {}


def _choices(filters, name, labels):
    """One of several: (label, filters it leads to, whether it is on, filters it counts)."""
    rows = []
    for value, label in labels.items():
        wanted = filters.but(**{name: value})
        rows.append((label, wanted, getattr(filters, name) == value, wanted))
    return rows


def _switches(filters, user):
    rows = []
    for name, label in SWITCHES.items():
        if user.as_member or name in ("reference", "peers", "poll"):
            is_on = getattr(filters, name)
            rows.append((label, filters.but(**{name: not is_on}), is_on, filters.but(**{name: True})))
    return rows


def _specialties(filters, user, topic, names):
    if isinstance(topic, Specialty):
        return []
    labels = {"": "Every specialty"}
    if user.as_member and user.as_member.specialty_id:
        labels["mine"] = f"Mine, {user.as_member.specialty.name}"
    if filters.specialty not in labels:
        labels[filters.specialty] = names.get("specialty", filters.specialty)
    return _choices(filters, "specialty", labels)


def _address(path: str, filters: Filters) -> str:
    return f"?{filters.query}" if filters.query else path


def _pairs(filters: Filters) -> list[list[str]]:
    return [part.split("=", 1) for part in filters.query.split("&") if part]


def related(tag: Tag, user: User) -> tuple[tuple[str, str], ...]:
    """The tags (name, address) that stand most often beside this one, among the newest discussions a reader may see."""
    newest = narrowing.readable(user, tag).listed().order_by("-pk").values("pk")[:RELATED_FROM]
    beside = Question.tags.through.objects.filter(question__in=newest).exclude(tag=tag).values("tag")
    most = beside.annotate(often=Count("pk")).order_by("-often", "tag")[:MOST_RELATED]
    places = {row["tag"]: place for place, row in enumerate(most)}
    found = sorted(Tag.objects.filter(pk__in=places), key=lambda found: places[found.pk])
    return tuple((tag.name, tag.get_absolute_url()) for tag in found)
