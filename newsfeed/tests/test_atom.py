"""The private feed: who gets it, what it holds, and what it costs."""

import io
import logging
from datetime import timedelta

import pytest
from defusedxml.ElementTree import fromstring
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from structlog.stdlib import ProcessorFormatter

from accounts.models import Member
from accounts.tests.factories import make_member
from conftest import client_of
from newsfeed.models import Article, Discussion, FeedKey
from newsfeed.services import keeping
from newsfeed.tests.factories import make_article, make_source
from questions.tests.factories import copy_of, make_question

ATOM = {"a": "http://www.w3.org/2005/Atom"}
SETTINGS = "/news/feed/"


@pytest.fixture
def address(physician):
    return reverse("newsfeed:atom", args=[keeping.make_feed_key(member=physician).key])


@pytest.fixture
def article(physician):
    return make_article(
        make_source("Cornea Letters", short_name="Cornea"),
        "Trials & <errors>",
        kind="preprint",
        specialties=[physician.specialty],
        lines=["It works."],
    )


def entries(answer):
    return fromstring(answer.content).findall("a:entry", ATOM)


def test_the_feed_is_atom_with_links_to_this_site(client, address, article, settings):
    answer = client.get(address)

    feed = fromstring(answer.content)
    (entry,) = entries(answer)
    link = f"{settings.SITE_URL}/news/{article.pk}/"
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    for part in ("title", "id", "updated", "author/a:name"):
        assert feed.find(f"a:{part}", ATOM).text
    assert feed.find("a:id", ATOM).text.startswith("urn:uuid:")
    assert feed.find("a:link[@rel='self']", ATOM).get("href") == settings.SITE_URL + address
    assert entry.find("a:title", ATOM).text == "Preprint: Trials & <errors>"
    assert entry.find("a:link", ATOM).get("href") == entry.find("a:id", ATOM).text == link
    assert entry.find("a:author/a:name", ATOM).text == "Cornea"
    assert entry.find("a:summary", ATOM).text == "Not peer reviewed. It works."
    assert entry.find("a:updated", ATOM).text


def test_it_is_private_sets_no_cookie_and_is_indexed_by_nobody(client, address, article):
    answer = client.get(address)

    assert answer["Cache-Control"].startswith("private")
    assert answer["X-Robots-Tag"] == "noindex"
    assert not answer.cookies


def test_nothing_that_members_wrote_is_in_it(client, address, article, physician):
    question = make_question(physician, "Would you trust this?", source="I would not, in this one.")
    Discussion.objects.create(question=copy_of(question, kind="article", answer_count=3), article=article)

    words = client.get(address).content.decode()

    assert "trust" not in words
    assert physician.handle not in words


def test_what_did_not_change_is_not_sent_again(client, address, article, physician):
    first = client.get(address)
    by_tag = client.get(address, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(address, headers={"If-Modified-Since": first["Last-Modified"]})
    assert (by_tag.status_code, by_date.status_code, by_tag.content) == (304, 304, b"")
    assert by_tag["X-Robots-Tag"] == "noindex"

    late = article.shown_at - timedelta(days=9)
    make_article(title="Seen late", specialties=[physician.specialty], shown_at=late)

    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_an_empty_feed_is_valid_and_stays_as_it_is(client, address):
    first = client.get(address)

    assert entries(first) == []
    assert client.get(address).content == first.content


def test_a_key_opens_as_long_as_its_member_may_read(client, physician, address, article):
    nowhere = client.get(reverse("newsfeed:atom", args=["x" * 32]))

    def is_closed():
        answer = client.get(address)
        same = answer.content == nowhere.content and answer.headers.keys() == nowhere.headers.keys()
        return answer.status_code == 404 and same

    assert not is_closed()
    for standing, closed in (("read_only", False), ("suspended", True), ("applicant", True)):
        Member.objects.filter(pk=physician.pk).update(standing=standing)
        assert is_closed() == closed
    Member.objects.filter(pk=physician.pk).update(standing="physician")
    type(physician.user).objects.filter(pk=physician.user_id).update(is_active=False)
    assert is_closed()


def test_a_key_that_nobody_has_takes_one_query_and_a_good_one_few(
    client, address, article, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_num_queries(1):
        client.get(reverse("newsfeed:atom", args=["x" * 32]))
    with django_assert_max_num_queries(6):
        client.get(address)


def test_it_is_only_read(client, address):
    assert client.post(address).status_code == 405


def test_an_entry_is_as_new_as_its_last_change_and_says_what_it_is(client, address, physician):
    shown_at = timezone.now().replace(microsecond=0) - timedelta(days=3)
    kinds = {"one": "correction", "Retraction: two": "retraction", "three": "article"}
    for title, kind in kinds.items():
        make_article(title=title, kind=kind, specialties=[physician.specialty], shown_at=shown_at)
    changed_at = timezone.now().replace(microsecond=0)
    Article.objects.filter(title="three").update(changed_at=changed_at)

    found = {
        entry.find("a:title", ATOM).text: parse_datetime(entry.find("a:updated", ATOM).text)
        for entry in entries(client.get(address))
    }

    assert found["three"] == changed_at
    assert set(found) == {"Correction: one", "Retraction: two", "three"}
    assert found["Correction: one"] == shown_at


def test_all_of_a_followed_source_is_in_it(client, address, physician):
    source = make_source("Followed")
    keeping.follow_source(member=physician, source=source)
    for _ in range(25):
        make_article(source)

    assert len(entries(client.get(address))) == 25


def test_no_line_of_the_log_holds_a_key(client, address, physician, monkeypatch):
    def lines_of(ask):
        written = io.StringIO()
        config = settings.LOGGING
        handler = logging.StreamHandler(written)
        handler.setFormatter(ProcessorFormatter(**_without_class(config["formatters"]["structured"])))
        for name in config["handlers"]["console"]["filters"]:
            handler.addFilter(config["filters"][name]["()"]())
        logging.getLogger().addHandler(handler)
        try:
            status = ask().status_code
        finally:
            logging.getLogger().removeHandler(handler)
        return status, written.getvalue()

    def fail(*args, **more):
        raise RuntimeError(f"nothing at {address}")

    key = address.rpartition("/")[2].removesuffix(".atom")
    client.raise_request_exception = False
    wrong = lines_of(lambda: client.post(address))
    elsewhere = lines_of(lambda: client.get(f"/news/feed/{key}.xml"))
    keeping.make_feed_key(member=physician)
    closed = lines_of(lambda: client.get(address))
    monkeypatch.setattr("newsfeed.views.atom.FeedKey.objects", fail)
    broken = lines_of(lambda: client.get(address))

    found = (wrong, elsewhere, closed, broken)
    assert [status for status, _ in found] == [405, 404, 404, 500]
    assert all("/news/feed/..." in words for _, words in found)
    assert not any(key in words for _, words in found)


def _without_class(formatter):
    return {name: value for name, value in formatter.items() if name != "()"}


def test_a_new_address_closes_the_old(physician, physician_client, client, article):
    assert b"You have no address yet" in physician_client.get(SETTINGS).content

    addresses = []
    for _ in range(2):
        assert physician_client.post(SETTINGS)["Location"] == SETTINGS
        addresses.append(reverse("newsfeed:atom", args=[FeedKey.objects.get().key]))
        assert addresses[-1] in physician_client.get(SETTINGS).content.decode()

    assert client.get(addresses[0]).status_code == 404
    assert len(entries(client.get(addresses[1]))) == 1


def test_who_has_an_address(client, applicant, moderator):
    read_only = make_member(standing="read_only")

    assert client.get(SETTINGS).status_code == 302
    assert client_of(applicant).get(SETTINGS).status_code == 302
    assert client_of(read_only).get(SETTINGS).status_code == 200
    assert "no-store" in client_of(read_only).get(SETTINGS)["Cache-Control"]
