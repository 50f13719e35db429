"""What a member's export says of the news, and that all of it goes with the member."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.leaving.ledger import Person
from accounts.services import leaving
from accounts.tests.factories import make_member, make_specialty, make_user
from newsfeed import personal
from newsfeed.models import Article, Digest, FeedKey, LessOf, LogEntry, OwnPaper, ReadMark, SavedArticle
from newsfeed.services import keeping, logging_learning, own_papers, reading
from newsfeed.tests.factories import make_article, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(db):
    source = make_source("Invented Heart Journal")
    return make_article(source, "An invented trial", doi="10.5555/one", authors=["Anna Torre"])


def use_everything(member, article):
    """Leave a row in every table."""
    keeping.follow_source(member=member, source=article.source)
    keeping.see_less(member=member, of=make_specialty("Dermatology"))
    keeping.save(member=member, article=article)
    key = keeping.make_feed_key(member=member)
    reading.mark_read(member=member, article=article)
    logging_learning.add(
        member=member, article=article, minutes=20, done_on=date(2026, 3, 4), reflection="Taper."
    )
    own_papers.mark(article=article, by=member)
    Digest.objects.create(member=member, day=date(2026, 3, 4), since=timezone.now() - timedelta(days=7))
    return key


@pytest.fixture
def leaver(article):
    return make_member(
        "quiet_harbor",
        user=make_user("torre@example.org"),
        byline_mode="public",
        display_name="Anna Torre, MD",
    )


def test_the_export_says_all_of_it_but_the_key(leaver, article, physician):
    key = use_everything(leaver, article)
    reading.mark_read(member=physician, article=make_article())

    person = Person.of(leaver.user)
    entries = [entry for entry in personal.ENTRIES if entry.shown]
    said = {entry.model.split(".")[1]: [entry.row(row) for row in entry.rows(person)] for entry in entries}

    assert {name: len(rows) for name, rows in said.items()} == dict.fromkeys(said, 1)
    work = {"article": "An invented trial", "doi": "10.5555/one"}
    assert said["SourceFollow"][0]["source"] == "Invented Heart Journal"
    less = {"source": None, "specialty": "Dermatology", "since": None, "had_followed": False}
    assert said["LessOf"][0] | {"since": None} == less
    assert said["ReadMark"][0].items() > work.items()
    assert said["OwnPaper"][0].items() > work.items()
    logged = {**work, "question": None, "done_on": "2026-03-04", "minutes": 20, "reflection": "Taper."}
    assert said["LogEntry"][0].items() > logged.items()
    assert key.key not in str(said)


def test_all_of_it_goes_with_the_member_and_the_paper_stays(leaver, article, colleague):
    use_everything(leaver, article)
    logging_learning.add(member=colleague, article=article, minutes=5, done_on=date(2026, 3, 4))

    leaving.leave(user=leaver.user)

    for model in (LessOf, ReadMark, SavedArticle, FeedKey, OwnPaper, Digest):
        assert not model.objects.exists()
    assert LogEntry.objects.get().member == colleague
    assert Article.objects.filter(pk=article.pk).exists()
    assert not article.source.followers.exists()
