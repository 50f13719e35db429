"""Searches and list filters that members keep under a name, and word of what newly matches a search."""

from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.db import transaction

from accounts.models import Member
from questions.models import Post, SavedSearch
from sermo.errors import RuleBroken
from sermo.prepared import columns_of, instance_of, prepared
from sermo.text import clip

Place = SavedSearch.Place

LONGEST_QUERY = SavedSearch._meta.get_field("query").max_length
LONGEST_NAME = SavedSearch._meta.get_field("name").max_length
NOT_KEPT = ("after", "page")  # where in a list one was


class TooManySaved(RuleBroken):
    message = (
        f"You keep {settings.SAVED_SEARCHES} searches and filters, the most there can be. Delete one first."
    )


class NothingToSave(RuleBroken):
    message = "There is nothing to save yet. Search for something, or choose a filter."


class TooLong(RuleBroken):
    message = "This search is too long to be saved."


class NoName(RuleBroken):
    message = "Give it a name."


class OnlySearches(RuleBroken):
    message = "Alerts go with searches. Follow a topic to hear of what is new in it."


def canonical(query: str) -> str:
    """The query string of an address without what only says where one was, so that one search is saved once."""
    pairs = [(name, value.strip()) for name, value in parse_qsl(query.lstrip("?"))]
    return urlencode([(name, value) for name, value in pairs if value and name not in NOT_KEPT])


def list_for(member: Member | None, place: str | None = None) -> list[SavedSearch]:
    """What a member keeps, by name; of one place, if it is given."""
    if member is None:
        return []
    return [instance_of(SavedSearch, row) for row in _kept(place, member=member.pk)]


@prepared
def _kept(place: str | None, *, member: int):
    rows = SavedSearch.objects.filter(member=member, **({"place": place} if place else {}))
    return rows.order_by("name", "pk").values_list(*columns_of(SavedSearch))


@transaction.atomic
def save(*, member: Member, place: str, query: str, name: str = "") -> SavedSearch:
    """Keep a search or filters. Saved twice, it is kept once and returned as it is.

    Raises NothingToSave, TooLong and TooManySaved.
    """
    query = canonical(query)
    if not query:
        raise NothingToSave
    if len(query) > LONGEST_QUERY:
        raise TooLong
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)  # two at once count one after the other
    kept = SavedSearch.objects.filter(member=member)
    known = kept.filter(place=place, query=query).first()
    if known:
        return known
    if kept.count() >= settings.SAVED_SEARCHES:
        raise TooManySaved
    return SavedSearch.objects.create(
        member=member,
        place=place,
        query=query,
        name=_name(name) or _name(_said(query)),
        seen_post=newest_post(),
    )


def rename(*, saved: SavedSearch, name: str) -> SavedSearch:
    """Raises NoName."""
    saved.name = _name(name)
    if not saved.name:
        raise NoName
    saved.save(update_fields=["name"])
    return saved


def set_alerts(*, saved: SavedSearch, alerts: bool) -> SavedSearch:
    """Tell of new matches from now on, or no more. Raises OnlySearches."""
    if saved.place != Place.SEARCH:
        raise OnlySearches
    if alerts and not saved.alerts:
        saved.seen_post = newest_post()
    saved.alerts = alerts
    saved.save(update_fields=["alerts", "seen_post"])
    return saved


def delete(*, saved: SavedSearch) -> None:
    saved.delete()


def newest_post() -> int:
    return Post.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _name(text: str) -> str:
    return clip(" ".join(text.split()), LONGEST_NAME)


def _said(query: str) -> str:
    """What a search or a filter says, as a name for it."""
    said = dict(parse_qsl(query))
    return said.get("q") or ", ".join(value for value in said.values() if value != "1") or ", ".join(said)
