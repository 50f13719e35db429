"""The eight invented feeds of tests/feeds and what is in them."""

import json
from functools import cache
from pathlib import Path

from django.utils import timezone

from newsfeed.models import Source
from newsfeed.parsing.feeds import read_feed
from newsfeed.tests.factories import make_feed, make_source

FOLDER = Path(__file__).parent / "feeds"
EXPECTED = json.loads((FOLDER / "EXPECTED.json").read_text())
NAMES = sorted(EXPECTED["files"])
KINDS = {"05": Source.Item.PREPRINT, "06": Source.Item.ALERT, "07": Source.Item.NEWS}
JOURNALS = {"01": "Heartline", "02": "Heartline"}


def kind_of(name):
    return KINDS.get(name[:2], Source.Item.ARTICLE)


@cache
def entries_of(name):
    body = (FOLDER / name).read_bytes()
    return read_feed(body, {"Content-Type": "text/xml"}, item_kind=kind_of(name), now=timezone.now())


def make_sample_feeds(**fields):
    """A feed for each file by its name; the first two are of one journal."""
    sources, feeds = {}, {}
    for name in NAMES:
        journal = JOURNALS.get(name[:2], f"Sample {name[:2]}")
        if journal not in sources:
            sources[journal] = make_source(journal, item_kind=kind_of(name), **fields)
        feeds[name] = make_feed(sources[journal])
    return feeds
