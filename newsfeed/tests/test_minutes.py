import pytest

from newsfeed.minutes import minutes_of
from newsfeed.models import Article, Source


def article(**fields):
    shown = Source(name="Invented", shows_abstracts=fields.pop("shows_abstracts", True))
    source = None if fields.get("kind") == Article.Kind.SERMO else shown
    return Article(source=source, title="A title", **fields)


@pytest.mark.parametrize(
    ("fields", "minutes"),
    [
        ({}, None),
        ({"lines": ["The key point.", "What follows."]}, None),
        ({"abstract": "<p>One word</p>"}, 1),
        ({"abstract": "<p>" + "word " * 220 + "</p>"}, 1),
        ({"abstract": "<p>" + "word " * 220 + "</p>", "lines": ["Key"]}, 2),
        ({"abstract": "<p>" + "word " * 220 + "</p>", "shows_abstracts": False}, None),
        ({"abstract": "<p>" + "word " * 220 + "</p>", "lines": ["Key"], "shows_abstracts": False}, None),
        ({"kind": Article.Kind.SERMO, "body_html": "<p>" + "word " * 441 + "</p>"}, 3),
        ({"kind": Article.Kind.SERMO}, None),
    ],
)
def test_what_is_shown_below_the_title_is_counted(fields, minutes):
    assert minutes_of(article(**fields)) == minutes
