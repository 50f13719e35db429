"""The news of the demonstration: whole, once, and clearly invented."""

import io
from urllib.parse import urlsplit

import pytest

from accounts.models import Mail
from accounts.tests.factories import make_member, make_specialty
from newsfeed import demo
from newsfeed.demo import seeding
from newsfeed.models import Article, Digest, Discussion, Feed, LogEntry, Relation
from questions.doubt import is_doubted
from questions.models import Post

pytestmark = pytest.mark.django_db

SPEAKERS = (
    *("Nephrology", "Family Medicine", "Internal Medicine", "Emergency Medicine", "Anesthesiology"),
    *("Endocrinology, Diabetes & Metabolism", "General Surgery", "Dermatology", "Pediatrics"),
)


def run() -> str:
    said = io.StringIO()
    demo.seed(said)
    return said.getvalue()


def test_it_is_written_once_and_is_clearly_invented():
    for name in SPEAKERS:
        make_member(specialty=make_specialty(name))
    reader = make_member(email="cardio@demo.sermo.test")
    crowd = [make_member() for _ in range(18)]

    assert "articles" in run()
    before = (Article.objects.count(), Post.objects.count(), LogEntry.objects.count(), Mail.objects.count())
    assert "here already" in run()
    after = (Article.objects.count(), Post.objects.count(), LogEntry.objects.count(), Mail.objects.count())

    assert before == after
    assert len(crowd) < before[0] >= 60
    assert {article.kind for article in Article.objects.all()} == set(Article.Kind.values)
    assert not Feed.objects.filter(is_on=True, source__slug__startswith=seeding.SLUGS).exists()
    invented = Article.objects.filter(source__slug__startswith=seeding.SLUGS)
    assert all(
        urlsplit(link).hostname.endswith(".example.org") for link in invented.values_list("link", flat=True)
    )
    assert all(doi.startswith("10.5555/") for doi in invented.exclude(doi=None).values_list("doi", flat=True))
    assert not Relation.objects.filter(related=None).exists()
    assert set(Article.objects.filter(kind="alert").values_list("region", flat=True)) == {"us"}
    assert Discussion.objects.filter(question__answer_count__gt=0).count() == 4
    folded = Post.objects.alias(doubted=is_doubted()).filter(doubted=True)
    assert ["eGFR of 20" in post.source for post in folded] == [True]
    assert LogEntry.objects.filter(member=reader).count() >= 4
    assert Digest.objects.get().number > 0
