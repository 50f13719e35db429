"""The sources of news that the site ships with, their feeds, and the rules that map articles to specialties.

Addresses and NLM ids are those that public catalogs of feeds name. ISSNs are the electronic ones, and of each only the
last sign was checked against the others: none was looked up. A wrong one finds nothing, which counts as a failure of
its feed, and the desk of feeds says so.
"""

import csv
from functools import cache
from pathlib import Path

from django.db import transaction

from accounts.models import Specialty
from newsfeed.models import Feed, MappingRule, Source
from newsfeed.services import mapping

DATA = Path(__file__).parent / "data"
_PLAIN = (
    "slug",
    "name",
    "short_name",
    "kind",
    "item_kind",
    "home",
    "nlm_id",
    "e_issn",
    "region",
    "language",
    "license",
)


@transaction.atomic
def load(stdout) -> None:
    """Add what is new. What operators changed or switched off stays as they left it.

    A source is known by its slug (or its name, NLM id or ISSN, under another slug), a feed by its address or by its
    place in its source, a rule by what it says.
    """
    codes = set(Specialty.objects.filter(is_choice=True).values_list("pk", flat=True))
    sources = _add_sources(codes)
    feeds = _add_feeds(codes)
    rules = _add_rules(codes)
    if sources or feeds or rules:
        mapping.forget()
    stdout.write(
        f"news: {len(_rows('sources.csv'))} sources ({sources} new), {len(_rows('feeds.csv'))} feeds ({feeds} new), "
        f"{len(_rows('rules.csv'))} rules ({rules} new)"
    )


def shipped_sources() -> frozenset[str]:
    return frozenset(row["slug"] for row in _rows("sources.csv"))


def is_shipped_feed(feed: Feed) -> bool:
    return (feed.kind, feed.address) in {(row["kind"], row["address"]) for row in _rows("feeds.csv")}


def is_shipped_rule(rule: MappingRule) -> bool:
    return _key(rule) in _shipped_rules()


@cache
def _shipped_rules() -> frozenset[tuple]:
    return frozenset(_key_of(row) for row in _rows("rules.csv"))


def _add_sources(codes: set[str]) -> int:
    facts = ("slug", "name", "nlm_id", "e_issn")
    known = {fact: set() for fact in facts}
    for values in Source.objects.values_list(*facts):
        for fact, value in zip(facts, values, strict=True):
            known[fact].add(value)
    new = [
        row
        for row in _rows("sources.csv")
        if not any(row[fact] and row[fact] in known[fact] for fact in facts)
    ]
    made = Source.objects.bulk_create(_source(row) for row in new)
    through = Source.specialties.through
    through.objects.bulk_create(
        through(source_id=source.pk, specialty_id=code)
        for source, row in zip(made, new, strict=True)
        for code in row["specialties"].split()
        if code in codes
    )
    return len(made)


def _source(row: dict[str, str]) -> Source:
    return Source(
        **{name: row[name] for name in _PLAIN},
        is_general=row["is_general"] == "yes",
        shows_abstracts=row["shows_abstracts"] == "yes",
    )


def _add_feeds(codes: set[str]) -> int:
    sources = dict(Source.objects.filter(slug__in=shipped_sources()).values_list("slug", "pk"))
    addresses, places = set(), set()
    for source, place, kind, address in Feed.objects.values_list("source", "place", "kind", "address"):
        addresses.add((kind, address))
        places.add((source, place))
    new = [
        row
        for row in _rows("feeds.csv")
        if row["source"] in sources
        and (row["kind"], row["address"]) not in addresses
        and (sources[row["source"]], int(row["place"])) not in places
    ]
    made = Feed.objects.bulk_create(
        Feed(
            source_id=sources[row["source"]],
            place=row["place"],
            kind=row["kind"],
            address=row["address"],
            is_beside=row["is_beside"] == "yes",
        )
        for row in new
    )
    through = Feed.specialties.through
    through.objects.bulk_create(
        through(feed_id=feed.pk, specialty_id=code)
        for feed, row in zip(made, new, strict=True)
        for code in row["specialties"].split()
        if code in codes
    )
    return len(made)


def _add_rules(codes: set[str]) -> int:
    known = {_key(rule) for rule in MappingRule.objects.only("where", "pattern", "specialty", "region")}
    made = MappingRule.objects.bulk_create(
        MappingRule(
            where=row["where"],
            pattern=row["pattern"],
            specialty_id=row["specialty"] or None,
            region=row["region"],
        )
        for row in _rows("rules.csv")
        if _key_of(row) not in known and (row["region"] or row["specialty"] in codes)
    )
    return len(made)


def _key(rule: MappingRule) -> tuple:
    return rule.where, rule.pattern, rule.specialty_id, rule.region


def _key_of(row: dict[str, str]) -> tuple:
    return row["where"], row["pattern"], row["specialty"] or None, row["region"]


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
