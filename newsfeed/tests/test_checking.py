"""Checking feeds: what each answer means, when a feed is asked again, and that one feed's trouble stays its own."""

import gzip
import itertools
import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from accounts import roles
from accounts.models import Mail
from accounts.tests.factories import make_specialty, make_user
from newsfeed import clients, hosts, tasks
from newsfeed.models import Article, Feed, Host
from newsfeed.parsing import feeds
from newsfeed.services import checking, ingesting, sourcing, turns
from newsfeed.tests.factories import make_feed, make_source
from newsfeed.tests.feed_server import publishing, rss
from sermo import fetching

INGEST = ingesting.ingest
PLACE = "journal.example.org/feed"
Status = Feed.Status


@pytest.fixture(scope="module")
def servers():
    with publishing() as server:
        yield server


@pytest.fixture
def web(servers, db, monkeypatch):
    servers.forget()
    monkeypatch.setattr(hosts, "PAUSE", 0.001)
    return servers


@pytest.fixture
def feed(db):
    return make_feed(address=f"http://{PLACE}")


def again(feed):
    """Check it as though its time had come."""
    Feed.objects.filter(pk=feed.pk).update(next_at=timezone.now())
    hosts.memory().delete(hosts.key_of("host", "journal.example.org"))
    happened = checking.check(feed_id=feed.pk)
    feed.refresh_from_db()
    return happened


def wait_of(feed):
    """In minutes."""
    return (feed.next_at - feed.checked_at).total_seconds() / 60


# What comes


def test_items_are_what_their_source_usually_publishes(web):
    feed = make_feed(make_source(kind="regulator", item_kind="news"), address=f"http://{PLACE}")
    web.serve(PLACE, rss(1))

    again(feed)

    assert Article.objects.get().kind == Article.Kind.NEWS


def test_what_is_new_is_read_and_what_is_known_is_not_news(web, feed):
    web.serve(PLACE, rss(3))

    assert again(feed) == "read"
    assert (feed.status, feed.status_code, feed.last_entries) == (Status.OK, 200, 3)
    assert feed.read_at == feed.checked_at
    assert Article.objects.count() == 3

    assert again(feed) == "unchanged"
    assert feed.status == Status.UNCHANGED
    assert Article.objects.count() == 3


def test_what_another_feed_of_its_source_brought_has_the_specialties_of_a_feed_it_is_seen_in_later(web, feed):
    heart, beside = make_specialty(), "journal.example.org/heart"
    of_heart = make_feed(feed.source, address=f"http://{beside}", is_beside=True)
    of_heart.specialties.add(heart)
    for place in (PLACE, beside):
        web.serve(place, rss(2))

    assert again(feed) == "read"
    again(of_heart)

    assert [article.tags.get().specialty for article in Article.objects.all()] == [heart, heart]


def test_relative_links_start_where_the_feed_was_found(web, feed):
    web.redirect(PLACE, "http://other.example.org/deep/feed")
    web.serve("other.example.org/deep/feed", rss(1).replace(b"https://journal.example.org/", b""))

    again(feed)

    assert Article.objects.get().link == "http://other.example.org/deep/item-1"


def test_the_etag_is_asked_by_first_and_kept_where_nothing_changed(web, feed):
    web.serve(PLACE, rss(), headers={"ETag": '"1"', "Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT"})
    again(feed)
    web.serve(PLACE, status=304)

    for _ in range(2):
        assert again(feed) == "unchanged"

    assert (feed.status, feed.status_code, feed.failures) == (Status.UNCHANGED, 304, 0)
    assert (feed.etag, feed.last_entries) == ('"1"', 3)
    asked = [headers for _, _, headers, _ in web.asked]
    assert [one.get("If-None-Match") for one in asked] == [None, '"1"', '"1"']
    assert not any("If-Modified-Since" in one for one in asked)


def test_without_an_etag_it_is_asked_by_the_date(web, feed):
    moment = "Sun, 22 Nov 2026 12:00:00 GMT"
    web.serve(PLACE, rss(), headers={"Last-Modified": moment, "ETag": f'"{400 * "a"}"'})
    again(feed)
    again(feed)

    assert web.asked[1][2]["If-Modified-Since"] == moment
    assert "If-None-Match" not in web.asked[1][2]


def test_of_a_feed_that_was_cut_off_nothing_is_kept_to_ask_by(web, feed):
    headers = {"ETag": '"1"', "Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT"}
    web.serve(PLACE, rss(3)[:-40], headers=headers)

    again(feed)

    assert (feed.etag, feed.last_modified) == ("", "")
    web.serve(PLACE, rss(4), headers=headers)
    assert again(feed) == "read"
    assert (feed.etag, feed.last_modified) == ('"1"', headers["Last-Modified"])


def test_an_etag_that_cannot_be_sent_is_not_kept(web, feed):
    web.serve(PLACE, rss(), headers={"ETag": '"é"'})

    assert [again(feed), again(feed)] == ["read", "unchanged"]
    assert feed.etag == ""


def test_what_is_known_of_one_address_is_not_said_at_another(web, feed):
    web.serve(PLACE, rss(), headers={"ETag": '"1"'})
    web.serve("journal.example.org/new", rss(), headers={"ETag": '"2"'})
    again(feed)
    Feed.objects.update(address="http://journal.example.org/new")
    again(feed)

    assert "If-None-Match" not in web.asked[1][2]
    assert (feed.validated_address, feed.etag) == (feed.address, '"2"')


def test_not_modified_without_having_asked_so_is_a_failure(web, feed):
    web.serve(PLACE, status=304)

    assert again(feed) == "failed"
    assert feed.error == "It answered with 304."


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "login"),
        (403, "refuses"),
        (404, "nothing at its address"),
        (406, "406"),
        (429, "too often"),
        (500, "fault (500)"),
        (503, "out of service"),
        (302, "302"),
    ],
)
def test_other_answers_are_failures_that_say_what_they_are(web, feed, status, says):
    web.serve(PLACE, status=status)

    assert again(feed) == "failed"

    assert (feed.status, feed.status_code, feed.failures, feed.read_at) == (Status.FAILING, status, 1, None)
    assert says in feed.error
    assert not Host.objects.exists()


def test_a_failure_is_forgotten_once_it_works(web, feed):
    web.serve(PLACE, status=500)
    again(feed)
    web.serve(PLACE, rss())
    again(feed)

    assert (feed.status, feed.error, feed.failures) == (Status.OK, "", 0)


def test_gone_disables_at_once_and_superusers_and_news_editors_are_told_once(web, feed):
    roles.ensure_groups()
    told = [make_user(f"root{number}@sermo.test", is_superuser=True, is_staff=True) for number in range(2)]
    told.append(make_user("editor@sermo.test", is_staff=True))
    for user in told[1:]:
        user.groups.set(Group.objects.filter(name__in=[roles.NEWS_EDITORS, roles.MODERATORS]))
    make_user("staff@sermo.test", is_staff=True).groups.add(Group.objects.get(name=roles.MODERATORS))
    make_user("left@sermo.test", is_superuser=True, is_active=False)
    web.serve(PLACE, status=410)

    assert again(feed) == "disabled"
    assert checking.check_now(feed=feed) == "disabled"

    feed.refresh_from_db()
    assert (feed.status, feed.error) == (Status.DISABLED, "It is gone for good (410).")
    assert {mail.user for mail in Mail.objects.all()} == {*told}
    assert Mail.objects.count() == 3
    text = Mail.objects.first().text
    assert feed.source.name in text
    assert feed.address in text
    assert "Nothing new of this source" in text
    assert f"/admin/newsfeed/feed/{feed.pk}/change/" in text


def test_one_feed_that_goes_on_and_off_is_one_mail_a_day_and_another_feed_is_another(web, feed):
    user = make_user(is_superuser=True)
    other = make_feed(address="http://journal.example.org/other")
    for place in (PLACE, "journal.example.org/other"):
        web.serve(place, status=410)

    for one in (feed, feed, other):
        sourcing.enable_again(feed=one)
        assert again(one) == "disabled"
    assert user.mails.count() == 2

    user.mails.update(due_at=timezone.now() - timedelta(days=2))
    sourcing.enable_again(feed=feed)
    again(feed)
    assert user.mails.count() == 3


def test_of_one_read_beside_others_it_is_said_that_these_go_on(web, feed):
    user = make_user(is_superuser=True)
    Feed.objects.filter(pk=feed.pk).update(is_beside=True)
    web.serve(PLACE, status=410)

    again(feed)

    assert "The other feeds of the same source are read as before." in user.mails.get().text


def test_so_many_failures_disable_and_are_told_once(web, feed, settings):
    make_user(is_superuser=True)
    settings.NEWS_DISABLED_AFTER = 3
    web.serve(PLACE, status=404)

    assert [again(feed) for _ in range(3)] == ["failed", "failed", "disabled"]
    assert feed.disabled_at
    assert again(feed) == "not due"
    assert Mail.objects.count() == 1


def test_a_disabled_feed_is_on_again_where_it_works_when_asked(web, feed):
    web.serve(PLACE, status=410)
    again(feed)
    web.serve(PLACE, rss())

    assert checking.check_now(feed=feed) == "read"

    feed.refresh_from_db()
    assert (feed.status, feed.disabled_at, feed.failures) == (Status.OK, None, 0)


# Moving


def test_a_feed_sent_on_for_good_twice_in_a_row_has_a_new_address(web, feed):
    web.redirect(PLACE, "/new", 301)
    web.serve("journal.example.org/new", rss(), headers={"ETag": '"1"'})

    again(feed)
    assert (feed.address, feed.moved_to) == (f"http://{PLACE}", "http://journal.example.org/new")
    again(feed)

    assert (feed.address, feed.moved_to) == ("http://journal.example.org/new", "")
    assert (feed.etag, feed.validated_address) == ("", "")


def test_between_the_two_times_it_did_not_fail(web, feed):
    web.serve("journal.example.org/new", rss())
    for is_sent_on in (True, False, True):
        if is_sent_on:
            web.redirect(PLACE, "/new", 301)
        else:
            web.serve(PLACE, status=500)
        again(feed)

    assert (feed.address, feed.moved_to) == (f"http://{PLACE}", "http://journal.example.org/new")


def test_to_different_places_or_for_a_while_it_does_not_move(web, feed):
    for place in ("a", "b", "c"):
        web.serve(f"journal.example.org/{place}", rss())
    for place, status in (("a", 301), ("b", 308), ("c", 302), ("b", 301)):
        web.redirect(PLACE, f"/{place}", status)
        again(feed)

    assert (feed.address, feed.moved_to) == (f"http://{PLACE}", "http://journal.example.org/b")


def test_it_does_not_move_to_where_nothing_can_be_read_nor_where_another_feed_is(web, feed):
    web.redirect(PLACE, "/new", 301)
    web.serve("journal.example.org/new", b"<!doctype html><p>Our new pages!")
    again(feed)
    again(feed)
    assert (feed.address, feed.moved_to, feed.failures) == (f"http://{PLACE}", "", 2)

    make_feed(address="http://journal.example.org/new")
    web.serve("journal.example.org/new", rss())
    for _ in range(3):
        assert again(feed) in ("read", "unchanged")
    assert feed.address == f"http://{PLACE}"


# When it is asked again


@pytest.mark.parametrize(
    ("per_week", "minutes"), [(0, 60), (1, 1440), (7, 1440), (14, 720), (168, 60), (1000, 30)]
)
def test_the_more_it_brings_the_sooner_it_is_asked(per_week, minutes):
    assert checking.interval(per_week) == timedelta(minutes=minutes)


@pytest.mark.parametrize(("failures", "hours"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 24), (5000, 24)])
def test_the_more_it_fails_the_later_it_is_asked(failures, hours):
    assert turns.back_off(failures) == timedelta(hours=hours)


def test_entries_a_week_are_counted_as_far_as_the_list_goes_back():
    now = datetime(2026, 11, 22, tzinfo=UTC)

    def ago(*days):
        return [now - timedelta(days=day) for day in days]

    assert checking.weekly([], now) == 0
    assert checking.weekly([None, now + timedelta(hours=3)], now) == 0
    assert checking.weekly(ago(0, 1, 2, 3, 7), now) == 5
    assert checking.weekly(ago(1, 10, 60), now) == 0.5
    assert checking.weekly(ago(0, 0, 0), now) == 21
    assert checking.weekly(ago(90), now) == 0.25


def test_waits_vary_by_a_tenth():
    random.seed(8)
    waits = [checking._about(timedelta(minutes=60)) / timedelta(minutes=1) for _ in range(100)]

    assert 54 <= min(waits) < 55
    assert 65 < max(waits) <= 66


@pytest.mark.parametrize(
    ("header", "ttl", "least"),
    [
        ("public, max-age=36000", "", 600),
        ("max-age=60", "<ttl>900</ttl>", 900),
        ("s-maxage=90000", "", 0),
        ("max-age=99999999", "<ttl>999999</ttl>", 1440),
        ("", "<ttl>soon</ttl>", 0),
    ],
)
def test_it_is_not_asked_before_the_publisher_wants_it(web, feed, header, ttl, least):
    date = timezone.now().strftime("%a, %d %b %Y %H:%M:%S GMT")  # three today: asked in some eight hours
    web.serve(PLACE, rss(3, date=date, extra=ttl), headers={"Cache-Control": header})

    again(feed)

    assert wait_of(feed) == pytest.approx(least) if least else 430 < wait_of(feed) < 530


def test_retry_after_parks_the_host_and_all_its_feeds_wait(web, feed):
    other = make_feed(address="http://journal.example.org/other")
    web.serve(PLACE, status=429, headers={"Retry-After": "7200"})
    web.serve("journal.example.org/other", rss())

    assert again(feed) == "failed"
    assert 119 < wait_of(feed) <= 120
    with pytest.raises(hosts.Parked):
        again(other)
    assert checking.check_now(feed=other) == "parked"

    other.refresh_from_db()
    assert (other.failures, other.checked_at) == (0, None)
    assert timedelta(minutes=119) < other.next_at - timezone.now() < timedelta(minutes=120)
    assert len(web.asked) == 1


def test_a_busy_host_on_the_way_leaves_the_feed_as_it_was(web, feed):
    web.redirect(PLACE, "http://other.example.org/feed")
    with hosts.visit("other.example.org"), pytest.raises(hosts.NotNow):
        again(feed)

    feed.refresh_from_db()
    assert (feed.status, feed.failures) == (Status.NEW, 0)
    assert checking.due(timezone.now()) == [feed.pk]


def test_asked_for_by_hand_while_its_host_is_busy_it_becomes_due(web, feed):
    Feed.objects.filter(pk=feed.pk).update(next_at=timezone.now() + timedelta(hours=5))
    with hosts.visit("journal.example.org"):
        assert checking.check_now(feed=feed) == "waiting"

    assert checking.due(timezone.now()) == [feed.pk]
    claimed = timezone.now() + turns.back_off(1)
    Feed.objects.filter(pk=feed.pk).update(error=turns.UNENDED, failures=1, next_at=claimed)
    with hosts.visit("other.example.org"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "host_of", lambda feed: "other.example.org")
        assert checking.check_now(feed=feed) == "waiting"
    assert Feed.objects.get().next_at == claimed  # whoever is at it stays so


def test_a_parked_host_on_the_way_parks_the_feed(web, feed):
    web.redirect(PLACE, "http://other.example.org/feed")
    hosts.park("other.example.org", until=timezone.now() + timedelta(hours=2), why="Asked")

    with pytest.raises(hosts.Parked):
        again(feed)
    assert not checking.due(timezone.now() + timedelta(hours=1))


def test_an_address_we_may_not_fetch_from_fails_without_being_asked(web):
    inside, elsewhere = (
        make_feed(address="http://localhost/feed"),
        make_feed(address="http://in.example.org/feed"),
    )
    web.names["in.example.org"] = ["10.0.0.5"]

    for feed in (inside, elsewhere):
        assert again(feed) == "failed"
        assert "Its " in feed.error
    assert not web.connected


# Which feeds of a source are read


@pytest.fixture
def three(db):
    source = make_source()
    return [make_feed(source, address=f"http://{name}.example.org/") for name in ("first", "second", "third")]


def due():
    return checking.due(timezone.now())


def test_only_the_first_feed_of_a_source_is_read(three):
    assert due() == [three[0].pk]


@pytest.mark.parametrize(
    "state",
    [
        {"failures": 3, "status": Status.FAILING},
        {"status": Status.DISABLED, "disabled_at": timezone.now()},
        {"is_on": False},
    ],
)
def test_the_next_one_steps_in_where_it_fails_is_disabled_or_switched_off(three, state):
    Feed.objects.filter(pk=three[0].pk).update(next_at=timezone.now() + timedelta(hours=4), **state)

    assert due() == [three[1].pk]


def test_two_failures_are_not_enough(three):
    Feed.objects.filter(pk=three[0].pk).update(failures=2, next_at=timezone.now() + timedelta(hours=2))

    assert due() == []


def test_one_that_fails_is_still_tried_and_takes_over_again(web, three):
    first, second, _ = three
    Feed.objects.filter(pk=first.pk).update(failures=3, status=Status.FAILING)
    assert {*due()} == {first.pk, second.pk}
    web.serve("first.example.org/", rss())

    assert again(first) == "read"

    assert due() == []
    assert again(second) == "not due"


@pytest.mark.parametrize(("minutes", "steps_in"), [(50, False), (90, True)])
def test_the_next_one_steps_in_while_the_host_of_the_one_before_is_parked_for_long(three, minutes, steps_in):
    hosts.park("first.example.org", until=timezone.now() + timedelta(minutes=minutes), why="Asked")

    assert (three[1].pk in due()) == steps_in
    assert three[2].pk not in due()


def test_what_is_read_beside_others_is_always_due_and_stands_in_for_none(three):
    beside, first, second = three
    also = make_feed(first.source, is_beside=True)
    Feed.objects.filter(pk=beside.pk).update(is_beside=True)
    assert due() == [beside.pk, first.pk, also.pk]

    Feed.objects.filter(pk=first.pk).update(failures=3, status=Status.FAILING)
    assert due() == [beside.pk, first.pk, second.pk, also.pk]

    Feed.objects.filter(pk=beside.pk).update(failures=9, status=Status.FAILING)
    Feed.objects.filter(pk=first.pk).update(failures=0, status=Status.OK)
    assert due() == [beside.pk, first.pk, also.pk]


def test_a_source_that_is_switched_off_is_not_read(three):
    three[0].source.is_on = False
    three[0].source.save()

    assert due() == []


# PubMed and Crossref


def test_pubmed_and_crossref_are_asked_with_our_manners(web, monkeypatch, settings):
    monkeypatch.setattr(hosts, "PAUSE", 0.05)
    settings.NEWS_PUBMED_URL, settings.NEWS_CROSSREF_URL = (
        "http://pubmed.example.org/",
        "http://crossref.example.org/",
    )
    asked = {}

    def client(name):
        def read(address, *, fetch, **options):
            with pytest.raises(hosts.NotNow), hosts.visit(f"{name}.example.org"):
                pass
            bodies = [fetch(f"http://{name}.example.org/{number}").body for number in (1, 2)]
            asked[name] = (address, bodies, options)
            return feeds.read_feed(rss(1, key=name), {}, item_kind="article", now=timezone.now())

        return read

    for name in ("pubmed", "crossref"):
        monkeypatch.setattr(clients, name, client(name))
        for number in (1, 2):
            web.serve(f"{name}.example.org/{number}", b"%d" % number)
    read_at = timezone.now() - timedelta(days=1)
    pubmed = make_feed(kind="pubmed", address="0255562")
    crossref = make_feed(kind="crossref", address="1756-1833", read_at=read_at)

    assert [again(pubmed), again(crossref)] == ["read", "read"]

    assert asked["pubmed"] == ("0255562", [b"1", b"2"], {})
    assert asked["crossref"] == ("1756-1833", [b"1", b"2"], {"since": read_at - checking.AGAIN})
    moments = [moment for _, _, _, moment in web.asked]
    assert moments[1] - moments[0] >= 0.05


@pytest.mark.parametrize(("kind", "address"), [("pubmed", "0255562"), ("crossref", "1756-1833")])
def test_a_number_under_which_there_never_was_anything_is_a_failure(web, monkeypatch, kind, address):
    answer = []
    monkeypatch.setattr(clients, kind, lambda address, **options: answer)
    feed = make_feed(kind=kind, address=address)
    behind = make_feed(feed.source)

    assert [again(feed) for _ in range(3)] == 3 * ["failed"]
    assert (feed.error, feed.read_at) == ("Nothing was found under this number.", None)
    assert due() == [behind.pk]

    answer = feeds.read_feed(rss(1), {}, item_kind="article", now=timezone.now())
    assert again(feed) == "read"
    answer = []
    assert again(feed) == "unchanged"


def test_a_client_s_refusal_is_the_feed_s(web, monkeypatch, settings):
    settings.NEWS_PUBMED_URL = "http://pubmed.example.org/"
    monkeypatch.setattr(clients, "pubmed", lambda address, *, fetch: fetch("http://pubmed.example.org/"))
    web.serve("pubmed.example.org/", status=429, headers={"Retry-After": "60"})
    feed = make_feed(kind="pubmed", address="0255562")

    assert again(feed) == "failed"
    assert feed.status_code == 429
    assert Host.objects.get().name == "pubmed.example.org"


# Hostile and broken answers

START = b"HTTP/1.1 200 OK\r\n"
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;">]>
<rss version="2.0"><channel><title>&b;</title><item><title>&b;</title></item></channel></rss>"""
BODIES = {
    "empty": (b"", {}, "empty"),
    "a web page": (b"<!doctype html><html><title>Sign in</title></html>", {}, "web page"),
    "entities": (LAUGHS, {}, "DOCTYPE"),
    "other XML": (b"<?xml version='1.0'?><note>hello</note>", {}, "neither RSS nor Atom"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), {}, "not XML"),
    "deep": (b"<rss version='2.0'><channel>" + 200_000 * b"<a>", {}, "tags do not end"),
    "a bomb": (gzip.compress(bytes(20_000_000)), {"Content-Encoding": "gzip"}, "larger than"),
    "cut off": (gzip.compress(rss(50))[:-9], {"Content-Encoding": "gzip"}, "cut off"),
}
STREAMS = {
    "a drip": ([START + b"\r\n", *itertools.repeat(b"a", 5000)], "longer than"),
    "a drip of headers": ([START, *itertools.repeat(b"X: y\r\n", 5000)], "longer than"),
    "without end": ([START + b"\r\n", *itertools.repeat(20_000 * b"<a/>", 500)], "larger than"),
    "left": ([START + b"Content-Length: 999\r\n\r\n<rss"], "proper HTTP"),
}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.5)
    monkeypatch.setattr(fetching, "MOST_BYTES", 1_000_000)


@pytest.mark.parametrize(("body", "headers", "says"), BODIES.values(), ids=BODIES)
def test_a_broken_feed_fails_with_a_clear_word_and_the_next_is_read(web, feed, small, body, headers, says):
    web.serve(PLACE, body, headers=headers)
    web.serve("fine.example.org/", rss())
    fine = make_feed(address="http://fine.example.org/")

    assert again(feed) == "failed"
    assert again(fine) == "read"

    assert says in feed.error
    assert feed.failures == 1


@pytest.mark.parametrize(("parts", "says"), STREAMS.values(), ids=STREAMS)
def test_a_feed_that_does_not_end_does(web, feed, small, parts, says):
    web.routes[PLACE] = lambda handler: handler.raw(*parts, every=0.01 if says == "longer than" else 0)

    assert again(feed) == "failed"
    assert says in feed.error
    assert (feed.status, feed.failures) == (Status.FAILING, 1)


def test_of_twenty_thousand_items_two_hundred_are_read(web, feed, monkeypatch):
    taken = []
    monkeypatch.setattr(
        ingesting, "ingest", lambda *, feed, entries: taken.extend(entries) or ingesting.Tally(new=200)
    )
    web.serve(PLACE, rss(20_000))

    assert again(feed) == "read"
    assert feed.last_entries == len(taken) == 200


def test_a_wrong_charset_is_read_as_well_as_can_be(web, feed):
    body = rss(1).replace(b"Trial item 1", "Ménière’s disease".encode("cp1252"))
    web.serve(PLACE, body, headers={"Content-Type": "application/rss+xml; charset=utf-8"})

    assert again(feed) == "read"
    assert Article.objects.get().title == "Ménière’s disease"


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError("y"), KeyError("z")])
def test_a_fault_of_ours_is_a_failure_of_that_feed_alone(web, feed, monkeypatch, error):
    web.serve(PLACE, rss(), headers={"ETag": '"1"'})
    monkeypatch.setattr(ingesting, "ingest", lambda **_: (_ for _ in ()).throw(error))

    assert again(feed) == "failed"

    assert feed.error == f"Reading it failed here ({type(error).__name__})."
    assert feed.etag == ""


def test_an_address_changed_while_it_was_read_is_not_written_over(web, feed):
    web.serve(PLACE, status=500)
    ask = fetching.fetch

    def asking(*arguments, **options):
        got = ask(*arguments, **options)
        Feed.objects.filter(pk=feed.pk).update(address="http://journal.example.org/edited")
        return got

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetching, "fetch", asking)
        assert again(feed) == "not kept"

    assert (feed.failures, feed.error) == (0, "")


# Claims


class Killed(BaseException):
    """The worker ends as by a signal: nothing after this is done."""


@pytest.fixture
def deadly(web, monkeypatch):
    """A feed that kills whoever takes its answer in."""
    web.serve(PLACE, rss())
    monkeypatch.setattr(ingesting, "ingest", lambda **_: (_ for _ in ()).throw(Killed))


def test_a_worker_that_dies_has_failed_and_the_feed_waits_for_another(deadly, web, feed, monkeypatch):
    for hours in (1, 2, 4):
        with pytest.raises(Killed):
            again(feed)
        feed.refresh_from_db()
        assert feed.next_at - timezone.now() == pytest.approx(
            timedelta(hours=hours), abs=timedelta(minutes=1)
        )
    assert (feed.status, feed.failures) == (Status.FAILING, 3)
    assert feed.error == "The last check did not come to an end."
    assert due() == []

    monkeypatch.setattr(ingesting, "ingest", INGEST)
    web.serve(PLACE, status=500)
    assert again(feed) == "failed"
    assert feed.failures == 4  # once for each check
    web.serve(PLACE, rss())
    assert again(feed) == "read"
    assert (feed.status, feed.failures, feed.error) == (Status.OK, 0, "")


def test_a_feed_that_kills_every_worker_is_disabled_in_the_end_and_told_of(deadly, feed, settings):
    make_user(is_superuser=True)
    settings.NEWS_DISABLED_AFTER = 2

    for _ in range(2):
        with pytest.raises(Killed):
            again(feed)
    assert again(feed) == "disabled"

    assert feed.disabled_at
    assert turns.UNENDED in Mail.objects.get().text


def test_while_a_check_is_under_way_nobody_steps_in_nor_checks_again(web, three, monkeypatch):
    first = three[0]
    Feed.objects.filter(pk=first.pk).update(failures=2, status=Status.FAILING)
    web.serve("first.example.org/", rss())
    seen = []

    def ingest(**_):
        seen.append((due(), turns.claimed(timezone.now()), checking.check_now(feed=first)))
        return ingesting.Tally()

    monkeypatch.setattr(ingesting, "ingest", ingest)
    monkeypatch.setattr(hosts.Visit, "_take", lambda self, host: None)
    again(first)

    assert seen == [([], [first.pk], "not due")]
    later = timezone.now() + timedelta(minutes=6)
    Feed.objects.filter(pk=first.pk).update(
        error=turns.UNENDED, failures=1, next_at=timezone.now() + turns.back_off(1)
    )
    assert turns.claimed(timezone.now()) == [first.pk]
    assert turns.claimed(later) == []


@pytest.mark.parametrize(("module", "name"), [(fetching, "fetch"), (ingesting, "ingest")])
def test_one_stopped_by_hand_is_as_before(web, feed, monkeypatch, module, name):
    web.serve(PLACE, rss())
    monkeypatch.setattr(module, name, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))

    with pytest.raises(KeyboardInterrupt):
        again(feed)
    assert due() == [feed.pk]
    feed.refresh_from_db()
    assert (feed.status, feed.failures, feed.error) == (Status.NEW, 0, "")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_feed_ask_once(servers, monkeypatch):
    servers.forget()
    monkeypatch.setattr(hosts, "PAUSE", 0.001)
    feed = make_feed(address=f"http://{PLACE}")
    servers.serve(PLACE, rss())
    start, seen = threading.Barrier(4), []

    def work():
        start.wait()
        try:
            seen.append(checking.check(feed_id=feed.pk))
        except hosts.NotNow:
            seen.append("busy")
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted({*seen} - {"busy", "not due"}) == ["read"]
    assert len(servers.asked) == 1


# Tasks


@pytest.fixture
def sent(monkeypatch):
    """The checks that were sent, with their countdown."""
    found = []
    monkeypatch.setattr(
        tasks.check_feed,
        "apply_async",
        lambda args, **options: found.append((args[0], options.get("countdown"))),
    )
    return found


def test_each_due_feed_is_sent_once_while_one_waits(feed, sent):
    other = make_feed()
    for _ in range(2):
        tasks.check_due_feeds()

    assert sorted(sent) == [(feed.pk, None), (other.pk, None)]


def test_once_done_it_can_be_sent_again(web, feed, sent):
    web.serve(PLACE, status=500)
    tasks.check_due_feeds()
    tasks.check_feed(feed.pk)
    Feed.objects.update(next_at=timezone.now())
    tasks.check_due_feeds()

    assert sent == 2 * [(feed.pk, None)]


def test_nothing_is_sent_where_feeds_are_not_to_be_fetched(feed, sent, settings):
    settings.NEWS_FETCHED = False

    tasks.check_due_feeds()

    assert sent == []


def test_nothing_is_noted_where_the_broker_is_away(feed, monkeypatch):
    def away(*arguments, **options):
        raise ConnectionError

    monkeypatch.setattr(tasks.check_feed, "apply_async", away)
    with pytest.raises(ConnectionError):
        tasks.check_due_feeds()

    assert not hosts.memory().exists(hosts.key_of("sent", feed.pk))


def test_a_busy_host_puts_the_check_off_for_a_moment(web, feed, sent, monkeypatch):
    monkeypatch.setattr(hosts, "PAUSE", 2.0)
    with hosts.visit("journal.example.org"):
        pass
    tasks.check_due_feeds()
    tasks.check_feed(feed.pk)
    tasks.check_due_feeds()

    (_, first), (again_id, countdown) = sent
    assert first is None
    assert again_id == feed.pk
    assert 1 < countdown < 3
    assert not web.asked


def test_a_parked_host_is_not_tried_again_and_again(web, feed, sent):
    hosts.park("journal.example.org", until=timezone.now() + timedelta(hours=1), why="Asked")

    tasks.check_feed(feed.pk)
    tasks.check_due_feeds()

    assert sent == []


def test_without_redis_a_check_ends_and_the_feed_stays_due(web, feed, sent, monkeypatch):
    from newsfeed.tests.test_hosts import AWAY

    monkeypatch.setattr(hosts, "memory", lambda: AWAY)

    tasks.check_feed(feed.pk)

    assert sent == []
    assert not web.asked
    assert due() == [feed.pk]


def test_a_feed_that_was_deleted_meanwhile_is_no_error(db, sent):
    tasks.check_feed(0)

    assert sent == []
