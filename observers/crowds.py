"""What a firm may know of whoever wrote something: a specialty group, and a region where enough share both."""

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from accounts import faces
from accounts.models import Member
from accounts.places import REGION_OF
from observers.models import Crowd

COUNTING = 7_300_041  # number of the advisory lock under which crowds are counted
NO_REGION = "region not shown"
Place = tuple[str, str]  # a specialty group, and a region or nothing


@transaction.atomic
def count() -> int:
    """Count anew how many physicians share each group, and each group and region; return the number of rows.

    One run after the other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
    sizes: dict[Place, int] = defaultdict(int)
    rows = Member.objects.physicians().filter(user__isnull=False, specialty__isnull=False)
    for group, state, physicians in rows.values_list("specialty__group", "state").annotate(Count("pk")):
        sizes[group, ""] += physicians
        if region := REGION_OF.get(state):
            sizes[group, region] += physicians
    Crowd.objects.all().delete()
    Crowd.objects.bulk_create(
        Crowd(group=group, region=region, physicians=number) for (group, region), number in sizes.items()
    )
    return len(sizes)


def place_of(member: Member) -> Place:
    """The group and region of a member (with specialty loaded), as far as colleagues may know them too.

    A region that its member keeps from colleagues is kept from firms: one of them beside a firm could read it off.
    """
    group = member.specialty.group if member.specialty else ""
    is_open = faces.is_open_to(member, "state", Member.Audience.PHYSICIANS)
    return group, member.region if is_open else ""


def facts_of(places: Iterable[Place]) -> dict[Place, str]:
    """The words beside an alias for each of these groups and regions; empty where even the group says too much."""
    places = set(places)
    groups = {group for group, _ in places if group}
    shown = shown_places(Crowd.objects.all()) if groups else set()
    return {place: _words(place, shown) for place in places}


def shown_places(crowds: Iterable[Crowd]) -> set[Place]:
    """Which groups, and which regions of them, enough physicians share.

    What is left over is a crowd as well, and known by what is not said: of those whose region is not shown, or whose
    group is not, there are enough too, or none.
    """
    sizes = {(crowd.group, crowd.region): crowd.physicians for crowd in crowds}
    groups = {group: number for (group, region), number in sizes.items() if not region}
    shown = {(group, "") for group in _large(groups, sum(groups.values()))}
    for group, _ in list(shown):
        regions = {region: number for (of, region), number in sizes.items() if of == group and region}
        shown |= {(group, region) for region in _large(regions, groups[group])}
    return shown


def _large(sizes: dict[str, int], total: int) -> set[str]:
    """The parts of at least so many, less the smallest of them until the rest is that large, or nothing."""
    least = settings.OBSERVER_LEAST
    kept = sorted((part for part in sizes if sizes[part] >= least), key=lambda part: (-sizes[part], part))
    while kept and 0 < total - sum(sizes[part] for part in kept) < least:
        kept.pop()
    return set(kept)


def _words(place: Place, shown: set[Place]) -> str:
    group, region = place
    if (group, "") not in shown:
        return ""
    return f"{group}, {region if region and place in shown else NO_REGION}"
