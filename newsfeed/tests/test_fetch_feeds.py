"""Reading feeds by hand, and sixty feeds of all kinds by two real workers."""

import gzip
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from newsfeed import hosts, tasks
from newsfeed.models import Article, Feed
from newsfeed.services import checking, turns
from newsfeed.tests.factories import make_feed, make_source
from newsfeed.tests.feed_server import publishing, rss
from newsfeed.tests.literature_server import efetch, record, work, works
from sermo import fetching
from sermo.runtime import processes
from sermo.runtime.children import CHECKOUT


@pytest.fixture(scope="module")
def servers():
    with publishing() as server:
        yield server


@pytest.fixture
def web(servers, db, monkeypatch):
    servers.forget()
    monkeypatch.setattr(hosts, "PAUSE", 0.05)
    return servers


def run(capsys, *arguments):
    call_command("fetch_feeds", *arguments)
    return capsys.readouterr().out


def test_each_due_feed_is_read_with_a_line_of_its_own_and_a_sum(web, capsys):
    for name in "ab":
        web.serve(f"{name}.example.org/feed", rss(2, key=name))
        make_feed(make_source(f"Journal {name}"), address=f"http://{name}.example.org/feed")
    web.serve("c.example.org/feed", status=404)
    make_feed(make_source("Journal c"), address="http://c.example.org/feed")

    said = run(capsys)

    assert said.splitlines() == [
        "1/3 Journal a, RSS or Atom: http://a.example.org/feed: read",
        "2/3 Journal b, RSS or Atom: http://b.example.org/feed: read",
        "3/3 Journal c, RSS or Atom: http://c.example.org/feed: failed: There is nothing at its address (404).",
        "3 feeds: 1 failed, 2 read.",
    ]
    assert run(capsys) == "No feed is due.\n"


def test_feeds_of_one_host_are_read_one_after_the_other_with_pauses(web, capsys):
    for number in range(3):
        web.serve(f"a.example.org/{number}", rss(1, key=f"a{number}"))
        make_feed(address=f"http://a.example.org/{number}")

    assert "3 feeds: 3 read." in run(capsys)

    moments = [moment for _, _, _, moment in web.asked]
    assert len(moments) == 3
    assert min(later - earlier for earlier, later in itertools.pairwise(moments)) >= 0.05


def test_one_source_or_all_can_be_read(web, capsys):
    later = timezone.now() + timedelta(hours=3)
    for name in "ab":
        web.serve(f"{name}.example.org/feed", rss(1, key=name))
        source = make_source(f"Journal {name}", slug=f"journal-{name}")
        make_feed(source, address=f"http://{name}.example.org/feed", next_at=later)

    assert "No feed is due." in run(capsys, "--source", "journal-a")
    assert "1 feeds: 1 read." in run(capsys, "--source", "journal-a", "--all")
    assert "2 feeds: 1 read, 1 unchanged." in run(capsys, "--all")
    with pytest.raises(CommandError, match="no source journal-z"):
        run(capsys, "--source", "journal-z")


def test_all_of_them_leaves_alone_what_a_worker_is_at(web, capsys):
    claimed = timezone.now() + turns.back_off(1)
    feed = make_feed(error=turns.UNENDED, failures=1, status="failing", next_at=claimed)

    assert "No feed is due." in run(capsys, "--all")

    feed.refresh_from_db()
    assert feed.next_at == claimed


def test_a_feed_deleted_while_it_was_read_stops_nothing(web, capsys, monkeypatch):
    feed = make_feed(make_source("Journal a"), address="http://a.example.org/feed")
    monkeypatch.setattr(checking, "check", lambda *, feed_id: Feed.objects.all().delete() and "not kept")

    assert f"1/1 Journal a, {feed}: not kept" in run(capsys)


def test_what_steps_in_for_a_failing_feed_is_read_in_the_same_run(web, capsys):
    source = make_source("Journal a")
    make_feed(source, address="http://a.example.org/gone")
    make_feed(source, address="http://a.example.org/other")
    web.serve("a.example.org/gone", status=410)
    web.serve("a.example.org/other", rss(1))

    assert "2 feeds: 1 disabled, 1 read." in run(capsys)


def test_stopped_by_hand_it_says_so_and_goes_on_the_next_time(web, capsys, monkeypatch):
    for name in "ab":
        web.serve(f"{name}.example.org/feed", rss(1, key=name))
        make_feed(address=f"http://{name}.example.org/feed")
    ask = fetching.fetch

    def stopped(url, **options):
        if "b.example.org" in url:
            raise KeyboardInterrupt
        return ask(url, **options)

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "fetch", stopped)
        said = run(capsys)
    assert "Stopped. Run it again to go on." in said
    assert "1 feeds: 1 read." in said

    assert "1 feeds: 1 read." in run(capsys)


def test_a_parked_host_is_left_for_another_time(web, capsys):
    make_feed(make_source("Journal a"), address="http://a.example.org/feed")
    hosts.park("a.example.org", until=timezone.now() + timedelta(hours=1), why="Asked")

    assert "1 feeds: 1 waiting." in run(capsys)
    assert not web.asked


# Feeds of all kinds at once

PUBMED, CROSSREF = "http://pubmed.example.org/", "http://crossref.example.org/"
START = b"HTTP/1.1 200 OK\r\n"
LAUGHS = b'<!DOCTYPE rss [<!ENTITY a "ha">]><rss version="2.0"><channel><title>&a;</title></channel></rss>'
RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel rdf:about="https://{key}.example.org/">
<title>Invented</title></channel>{items}</rdf:RDF>"""
RDF_ITEM = """<item rdf:about="https://{key}.example.org/{one}"><title>RDF trial {key} {one}</title>
<link>https://{key}.example.org/{one}</link><prism:doi>10.5555/{key}.{one}</prism:doi></item>"""
ATOM = (
    """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Invented</title>{items}</feed>"""
)
ATOM_ENTRY = """<entry><id>10.5555/{key}.{one}</id><title>Atom trial {key} {one}</title>
<link href="https://{key}.example.org/{one}"/><updated>2026-11-20T08:00:00Z</updated></entry>"""


def rdf(key, number):
    return RDF.format(
        key=key, items="".join(RDF_ITEM.format(key=key, one=one) for one in range(number))
    ).encode()


def atom(key, number):
    return ATOM.format(items="".join(ATOM_ENTRY.format(key=key, one=one) for one in range(number))).encode()


def good(web, name, number, kind):
    make = {
        "rss": lambda: rss(number, key=name),
        "rdf": lambda: rdf(name, number),
        "atom": lambda: atom(name, number),
    }
    body, headers = make[kind](), {"ETag": f'"{name}"'}
    if int(name[-1]) % 2:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    web.serve(f"{name}.example.org/feed", body, headers=headers)


def bad_answers(web, slow):
    """By name: what answers, and what the feed's error says."""

    def raw(*parts, every=0.0):
        return lambda handler: handler.raw(*parts, every=every)

    def plain(*arguments, **options):
        return lambda handler: handler.answer(*arguments, **options)

    return {
        "drip": (raw(START + b"\r\n", *itertools.repeat(b"a", 9999), every=slow), "longer than"),
        "headers": (raw(START, *itertools.repeat(b"X: y\r\n", 9999), every=slow), "longer than"),
        "endless": (raw(START + b"\r\n", *itertools.repeat(100_000 * b"<a/>", 50)), "larger than"),
        "bomb": (plain(200, BOMB, {"Content-Encoding": "gzip"}), "larger than"),
        "circle": (plain(301, b"", {"Location": "/feed"}), "more than 3 times"),
        "inside": (plain(302, b"", {"Location": "http://169.254.169.254/"}), "not public"),
        "empty": (plain(200, b""), "empty"),
        "page": (plain(200, b"<!doctype html><p>Sign in"), "web page"),
        "laughs": (plain(200, LAUGHS), "DOCTYPE"),
        "login": (plain(403), "refuses"),
        "broken": (plain(500), "fault (500)"),
    }


BOMB = gzip.compress(bytes(20_000_000))


def literature(web, journals, size):
    """Journals read from PubMed and from Crossref."""

    def said(handler, name):
        return parse_qs(urlsplit(handler.path).query)[name][0]

    def search(handler):
        start = 90_000_000 + 1000 * int(said(handler, "term").removesuffix("[jid]"))
        found = {"esearchresult": {"idlist": [str(start + one) for one in range(size)]}}
        handler.answer(200, json.dumps(found).encode())

    def records(handler):
        numbers = said(handler, "id").split(",")
        handler.answer(200, efetch(*(record(number, doi=f"10.5555/PM.{number}") for number in numbers)))

    web.routes["pubmed.example.org/esearch.fcgi"] = search
    web.routes["pubmed.example.org/efetch.fcgi"] = records
    for number in range(journals):
        issn = f"1756-18{number:02}"
        found = works(*(work(f"{number}.{one}") for one in range(size)))
        web.serve(f"crossref.example.org/journals/{issn}/works", found)
        make_feed(kind="pubmed", address=f"{number:07}")
        make_feed(kind="crossref", address=issn)


def stock(web, per_kind, size, slow):
    """Feeds that work, of each kind, and one for each way not to; return what the errors of these should say."""
    for kind in ("rss", "rdf", "atom"):
        for number in range(per_kind):
            name = f"{kind}{number}"
            good(web, name, size, kind)
            make_feed(make_source(name), address=f"http://{name}.example.org/feed")
    says = {}
    for name, (answer, text) in bad_answers(web, slow).items():
        web.routes[f"{name}.example.org/feed"] = answer
        says[make_feed(make_source(name), address=f"http://{name}.example.org/feed").pk] = text
    web.names["169.254.169.254"] = ["169.254.169.254"]
    return says


def check_errors(says):
    for feed in Feed.objects.all():
        assert says.get(feed.pk, "") in feed.error
        assert (feed.status == Feed.Status.FAILING) == (feed.pk in says), feed.error


def test_feeds_of_all_kinds_are_read_though_some_are_bad(web, monkeypatch, settings):
    monkeypatch.setattr(fetching, "SECONDS", 0.5)
    monkeypatch.setattr(fetching, "MOST_BYTES", 1_000_000)
    settings.NEWS_PUBMED_URL, settings.NEWS_CROSSREF_URL = PUBMED, CROSSREF
    says = stock(web, per_kind=2, size=2, slow=0.02)
    literature(web, 1, 2)
    line = []
    monkeypatch.setattr(tasks.check_feed, "apply_async", lambda args, **options: line.append(args[0]))

    tasks.check_due_feeds()
    assert len(line) == Feed.objects.count()
    for feed_id in line:
        tasks.check_feed(feed_id)

    check_errors(says)
    assert Article.objects.count() == 8 * 2
    assert {*web.connected} == {"93.184.215.14"}
    assert checking.due(timezone.now()) == []


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
def test_sixty_feeds_are_read_in_half_a_minute_by_two_workers(servers, tmp_path):
    """With the true limits and pauses: a drip takes its fifteen seconds of a worker."""
    servers.forget()
    says = stock(servers, per_kind=13, size=15, slow=0.2)
    Feed.objects.filter(source__name="headers").delete()  # of two drips, one is enough to hold a worker
    literature(servers, 2, 15)
    servers.serve("large.example.org/feed", rss(20_000, key="large"))
    make_feed(make_source("large"), address="http://large.example.org/feed")
    body = rss(1, key="charset").replace(b"Trial charset 1", "Ménière’s disease".encode("cp1252"))
    servers.serve("charset.example.org/feed", body)
    make_feed(make_source("charset"), address="http://charset.example.org/feed")
    for number in range(60 - Feed.objects.count()):
        servers.serve(f"shared.example.org/{number}", rss(15, key=f"shared{number}"))
        make_feed(address=f"http://shared.example.org/{number}")
    assert Feed.objects.count() == 60
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "newsfeed.tests.feed_settings",
        "VAR_DIR": str(tmp_path),
        "PYTHONPATH": str(CHECKOUT),
        "FEED_DATABASE": connection.settings_dict["NAME"],
        "FEED_SERVER": str(servers.port),
        "NEWS_PUBMED_URL": PUBMED,
        "NEWS_CROSSREF_URL": CROSSREF,
    }
    command = [sys.executable, "-m", "celery", "-q", "-A", "sermo.celery:app", "worker", "-Q", "feeds"]
    command += ["--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            command, cwd=CHECKOUT, env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_for(lambda: b" ready." in log.read_bytes())
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", SEND], cwd=CHECKOUT, env=env, check=True)
        wait_for(lambda: not Feed.objects.filter(checked_at=None).exists())
        took = time.monotonic() - began
    finally:
        os.kill(worker.pid, signal.SIGTERM)
        worker.wait(20)
        processes.end_group(worker.pid)

    check_errors(says)
    states = Counter(Feed.objects.values_list("status", flat=True))
    print(f"\n60 feeds in {took:.1f} s: {dict(states)}, {Article.objects.count()} articles")
    targets = {*re.findall(r"connects to ([0-9a-f.:]+)", log.read_text())}
    assert targets == {"93.184.215.14"}
    assert Article.objects.filter(title="Ménière’s disease").exists()
    assert took < 30


SEND = """
import django
django.setup()
from newsfeed import tasks
tasks.check_due_feeds()
"""


def wait_for(is_so, seconds=90):
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert is_so()
