"""The bars of size, on 200,000 articles: `make bench`."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import make_specialty
from conftest import client_of
from newsfeed.lists import page_of, parse
from newsfeed.models import Article, LessOf, SourceFollow
from newsfeed.own_feed import newest_for
from newsfeed.services import keeping
from newsfeed.tests.factories import make_source
from questions.models import Tag, TopicFollow, TopicMute

pytestmark = [pytest.mark.scale, pytest.mark.django_db]

ARTICLES = 200_000
MINUTES = 2  # between two of them: 720 a day

# The first source brings a third of everything.
FILL = """
INSERT INTO newsfeed_article
  (kind, state, source_id, doi, link, title, authors, journal, section, version, abstract, lines, body, body_html,
   minutes, language, region, region_why, terms, is_general, first_seen_at, shown_at,
   edited_by_hand, search_text)
SELECT (ARRAY['article', 'article', 'article', 'preprint', 'guideline', 'alert', 'news'])[1 + i %% 7], 'listed',
       (%(sources)s::bigint[])[CASE WHEN i %% 3 = 0 THEN 1 ELSE 1 + i %% cardinality(%(sources)s::bigint[]) END],
       '10.5555/many.' || i, 'https://journal.example.org/' || i,
       'A randomized trial of one invented treatment against another in ' || i || ' adults with something rare',
       '{}', '', '', 1, '', ARRAY['It lowered what it was meant to lower, in all but the oldest.'], '', '',
       2, 'en', (ARRAY['', '', '', 'us', 'uk'])[1 + i %% 5], '', '{}', i %% 10 = 0, moment, moment, false,
       'randomized trial invented ' || i
  FROM generate_series(1, %(number)s) i, LATERAL (SELECT now() - i * %(minutes)s * interval '1 minute' AS moment) m
"""
TAG = """
INSERT INTO newsfeed_articlespecialty (article_id, specialty_id, how, why, is_off, shown_at)
SELECT id, (%(specialties)s::text[])[1 + (id * %(step)s + %(shift)s) %% cardinality(%(specialties)s::text[])],
       'rule', '', false, shown_at
  FROM newsfeed_article WHERE NOT is_general AND id %% %(every)s < %(most)s
ON CONFLICT DO NOTHING
"""
TOPICS = """
INSERT INTO newsfeed_articletopic (article_id, tag_id, shown_at)
SELECT id, (%(tags)s::bigint[])[1 + id %% cardinality(%(tags)s::bigint[])], shown_at
  FROM newsfeed_article WHERE id %% 4 = 0
"""


@pytest.fixture
def many(physician):
    """The articles, 300,000 specialties of them, and a member with wishes of every kind."""
    sources = [make_source(f"Annals of Invented Medicine {number}") for number in range(60)]
    specialties = [physician.specialty, *(make_specialty(f"Field {number}") for number in range(40))]
    tags = [Tag.objects.create(slug=f"topic-{number}", name=f"topic {number}") for number in range(50)]
    codes = [each.pk for each in specialties]
    with connection.cursor() as cursor:
        cursor.execute(
            FILL, {"sources": [each.pk for each in sources], "number": ARTICLES, "minutes": MINUTES}
        )
        for values in (
            {"step": 1, "shift": 0, "every": 1, "most": 1},
            {"step": 7, "shift": 3, "every": 20, "most": 15},
        ):
            cursor.execute(TAG, {"specialties": codes, **values})
        cursor.execute(TOPICS, {"tags": [each.pk for each in tags]})
        cursor.execute("SELECT count(*) FROM newsfeed_articlespecialty")
        assert cursor.fetchone()[0] > 290_000
    for topic in specialties[1:4]:
        TopicFollow.objects.create(member=physician, specialty=topic)
    for topic in tags[:5]:
        TopicFollow.objects.create(member=physician, tag=topic)
    for source in sources[:5]:
        SourceFollow.objects.create(member=physician, source=source)
    TopicMute.objects.create(member=physician, specialty=specialties[5])
    TopicMute.objects.create(member=physician, tag=tags[7])
    LessOf.objects.create(member=physician, source=sources[9])
    LessOf.objects.create(member=physician, specialty=specialties[8])
    for article in Article.objects.order_by("-pk")[:100]:
        keeping.save(member=physician, article=article)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return physician


def statements_of(do):
    """The statements that something sends to the database, with their values."""
    sent = []

    def note(execute, statement, values, *rest):
        sent.append((statement, values))
        return execute(statement, values, *rest)

    with connection.execute_wrapper(note):
        do()
    return sent


def database_time(do):
    """What planning and running its statements takes the database, in milliseconds; the best of five of each."""
    took = 0.0
    with connection.cursor() as cursor:
        for statement, values in statements_of(do):
            times = []
            for _ in range(5):
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", values)
                lines = [line for (line,) in cursor.fetchall()]
                times.append(sum(float(line.split()[-2]) for line in lines if line.endswith(" ms")))
            took += min(times)
    return took


def test_a_personal_feed_of_many_articles(many):
    first = newest_for(many.user)
    deep = newest_for(many.user, after=first.next)
    for _ in range(20):
        deep = newest_for(many.user, after=deep.next)
    plain = database_time(lambda: newest_for(many.user))
    later = database_time(lambda: newest_for(many.user, after=deep.next))
    for number in range(10, 30):
        TopicFollow.objects.create(member=many, specialty=make_specialty(f"Field {number}"))
    eager = database_time(lambda: newest_for(many.user))

    print(f"own feed: {plain:.1f} ms; page 22: {later:.1f} ms; 20 specialties more: {eager:.1f} ms")
    assert len(first) == 20
    assert max(plain, later, eager) < 25


def test_lists_of_many_articles(many):
    client = client_of(many)
    for query in (
        *("", "?show=all", "?show=saved", "?followed=1", "?kind=guideline", "?kind=alert&region=uk"),
        *("?specialty=field-3", "?specialty=field-3&kind=preprint", "?source=no-such", "?q=trial"),
    ):
        client.get(f"/news/{query}")
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"/news/{query}")
        number, size = len(queries), len(page.content)
        filters = parse(QueryDict(query[1:]), many.user)
        took = database_time(lambda filters=filters: page_of(many.user, filters, after=None))
        print(f"/news/{query:34} {number} queries, {took:6.1f} ms of database, {size:,} bytes")
        assert number <= 8
        assert size < 40_000
