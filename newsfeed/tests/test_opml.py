import pytest

from accounts.tests.factories import make_specialty
from newsfeed import opml
from newsfeed.models import Feed, Source
from newsfeed.tests.factories import make_feed, make_source

pytestmark = pytest.mark.django_db


def file(outlines="", head=""):
    return f'<?xml version="1.0"?>{head}<opml version="2.0"><body>{outlines}</body></opml>'.encode()


def outline(address, name="Heartline", **more):
    facts = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<outline text="{name}" xmlUrl="{address}"{facts}/>'


def test_what_went_out_comes_in_again():
    heart = make_specialty()
    glands = make_specialty("Endocrinology, Diabetes & Metabolism")
    source = make_source("Heart & <Line>", specialties=[heart, glands], home="https://heart.example.org/")
    for place in (1, 2):
        make_feed(source, address=f"https://heart.example.org/{place}.xml?a=1&b=2", place=place)
    make_feed(source, kind="crossref", address="1756-1833", place=3)
    data = opml.write()
    assert opml.take_in(data).known == [f"https://heart.example.org/{place}.xml?a=1&b=2" for place in (1, 2)]
    Source.objects.all().delete()

    report = opml.take_in(data)

    again = Source.objects.get()
    assert (again.name, again.home, again.slug) == (source.name, source.home, "heart-line")
    assert set(again.specialties.all()) == {heart, glands}
    assert list(again.feeds.values_list("place", "kind", "address")) == [
        (place, "feed", f"https://heart.example.org/{place}.xml?a=1&b=2") for place in (1, 2)
    ]
    assert (len(report.added), report.known, report.refused) == (2, [], [])
    assert [feed.is_beside for feed in report.feeds] == [False, True]


def test_what_is_known_is_left_alone_and_names_stay_apart():
    make_feed(make_source("Heartline"), address="https://a.example.org/1.xml")

    report = opml.take_in(
        file(
            outline("https://a.example.org/1.xml")
            + outline("https://b.example.org/2.xml")
            + outline("https://b.example.org/2.xml", "Other")
            + outline("https://c.example.org/3.xml", "")
        )
    )

    assert report.added == ["Heartline (2)", "c.example.org"]
    assert report.known == ["https://a.example.org/1.xml", "https://b.example.org/2.xml"]


def test_groups_named_like_a_specialty_give_it_and_pubmed_is_read_by_its_number():
    make_specialty("Nephrology")
    group = '<outline text="Nephrology">' + outline("https://k.example.org/", "Kidney") + "</outline>"
    pubmed = outline("https://pubmed.ncbi.nlm.nih.gov/rss/journals/0255562/?limit=15", "NEJM")

    opml.take_in(file(group + pubmed))

    assert [each.name for each in Source.objects.get(name="Kidney").specialties.all()] == ["Nephrology"]
    assert Feed.objects.get(kind="pubmed").address == "0255562"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://example.org/feed",
        "https:///feed",
        "https://name:secret@example.org/",
        "http://[half",
        "https://example.org:port/",
        "https://example.org/" + "x" * 600,
        "no address",
    ],
)
def test_an_address_that_is_none_is_refused_and_said(address):
    report = opml.take_in(file(outline(address) + outline("https://fine.example.org/", "Fine")))

    assert report.added == ["Fine"]
    assert [why for _, why in report.refused]
    assert Source.objects.count() == 1


def test_an_odd_home_is_left_out():
    opml.take_in(file(outline("https://fine.example.org/", htmlUrl="javascript:alert(1)")))

    assert Source.objects.get().home == ""


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", opml.NotOpml),
        (b"<html></html>", opml.NotOpml),
        (b"<opml/>", opml.NotOpml),
        (b"<opml><body>", opml.NotOpml),
        (b"\xff\xfe\x00<", opml.NotOpml),
        (b'<?xml version="1.0" encoding="nonesuch"?><opml><body/></opml>', opml.NotOpml),
        (file('<outline text="&b;"/>', BOMB), opml.NotOpml),
        (file('<outline text="&a;"/>', OUTSIDE), opml.NotOpml),
        (file(head='<!DOCTYPE opml SYSTEM "https://example.org/x.dtd">'), opml.NotOpml),
        (file("<outline>" * 5_000 + "</outline>" * 5_000), opml.NotOpml),
        (file("<outline/>" * 120_000), opml.TooLarge),
        (file(outline("https://example.org/") * 501), opml.TooMany),
    ],
)
def test_what_is_no_list_of_feeds_is_refused_as_a_whole(data, refusal):
    with pytest.raises(refusal):
        opml.take_in(data)

    assert not Source.objects.exists()
