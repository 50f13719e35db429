"""The bars of the console at a million posts, and of its log: `make scale`."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from observers import keys
from observers.models import FirmBlock, Purpose, Read, Way
from observers.services import reading
from observers.tests.factories import make_seat
from questions.models import Post, Question
from questions.tests.factories import make_question

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]

DISCUSSIONS, EACH = 100_000, 10  # posts of one: its opening, five answers, four comments under the first
BAR = 150  # milliseconds of the database
READS = 1_000  # a second

# Words are drawn as in language: the second half as often as the first, the third a third as often, and so on.
WORDS = """
SELECT string_agg(left(translate(md5(floor(exp(random() * ln(40000)))::text || ((place + %(seed)s) * 0)),
    '0123456789', 'ghijklmnop'), 8), ' ') FROM generate_series(1, 24) place
"""
QUESTIONS = """
INSERT INTO questions_question (kind, title, asker_id, audience, peers_only, urgency, excerpt, status, opened_at,
    activity_at, close_reason, outcome, answer_count, comment_count, vote_count, importance_sum, importance_count,
    importance, hot, solved_at)
SELECT CASE WHEN n %% 50 = 1 THEN 'observation' ELSE 'question' END, 'Discussion ' || n,
       (%(members)s::bigint[])[1 + n %% %(many)s], 'physicians', n %% 5 = 0, 'days', '', 'open',
       moment, moment, '', '', 5, 4, 0, 0, 0, 3, 0, CASE WHEN n %% 3 = 0 THEN moment END
  FROM generate_series(1, %(number)s) n, LATERAL (SELECT now() - (%(number)s + 60 - n) * interval '4 minutes') m(moment)
"""
WITHIN = """
INSERT INTO questions_questionspecialty (question_id, specialty_id, place)
SELECT id, (%(specialties)s::text[])[1 + id %% %(kinds)s], 1 FROM questions_question
"""
BYLINES = """
INSERT INTO questions_byline (question_id, member_id, mode)
SELECT q.id, (%(members)s::bigint[])[1 + (q.id + shift) %% %(many)s], 'anonymous'
  FROM questions_question q, generate_series(0, 5) shift
"""
POSTS = """
INSERT INTO questions_post (question_id, parent_id, kind, author_id, byline_id, source, html, posted_at, removed_by,
    fold_reason, corroborate_count, dispute_count, search_text)
SELECT question_id, NULL, CASE row_number WHEN 1 THEN 'opening' ELSE 'answer' END, member_id, id, words, words,
       moment, '', '', 0, 0, words
  FROM (SELECT b.*, q.opened_at AS moment, row_number() OVER (PARTITION BY question_id ORDER BY b.id)
          FROM questions_byline b JOIN questions_question q ON q.id = question_id) b,
       LATERAL ({words}) w(words)
 ORDER BY question_id, id
""".replace("{words}", WORDS.replace("%(seed)s", "b.id"))
COMMENTS = """
INSERT INTO questions_post (question_id, parent_id, kind, author_id, byline_id, source, html, posted_at, removed_by,
    fold_reason, corroborate_count, dispute_count, search_text)
SELECT question_id, id, 'comment', author_id, byline_id, words, words, posted_at, '', '', 0, 0, words
  FROM (SELECT min(id) AS id, question_id, min(author_id) AS author_id, min(byline_id) AS byline_id,
               min(posted_at) AS posted_at FROM questions_post WHERE kind = 'answer' GROUP BY question_id) p,
       generate_series(1, 4) n, LATERAL ({words}) w(words)
""".replace("{words}", WORDS.replace("%(seed)s", "(p.id + n)"))
FIGURES = """
INSERT INTO observers_votefigure (post_id, corroborations, disputes, next_corroborations, next_disputes)
SELECT id, floor(exp(random() * 5)), 3, 0, 0 FROM questions_post WHERE kind = 'answer' AND id %% 3 = 0
"""
IMPORTANCE = """
INSERT INTO observers_importancefigure (question_id, raters, total, next_raters, next_total)
SELECT id, raters, raters * 2 + floor(random() * raters), 0, 0
  FROM questions_question, LATERAL (SELECT floor(exp(random() * 4))::int + id * 0) r(raters)
"""


@pytest.fixture
def seat(db):
    return make_seat()


def fill():
    members = [make_member() for _ in range(40)]
    specialties = [
        make_specialty(f"Specialty {number}", group=f"Group {number // 4}").pk for number in range(64)
    ]
    values = {"number": DISCUSSIONS, "members": [member.pk for member in members], "many": len(members)}
    values |= {"specialties": specialties, "kinds": len(specialties)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # the rows fit one another: nothing needs to check
        for statement in (QUESTIONS, WITHIN, BYLINES, POSTS, COMMENTS, FIGURES, IMPORTANCE):
            cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("SELECT gin_clean_pending_list('post_search')")  # as the server does by itself
        cursor.execute("VACUUM ANALYZE")
    return members


def cost(client, address):
    """Queries, and the median milliseconds the database took of seven requests."""
    client.get(address)
    took = []
    for _ in range(7):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        took.append(1000 * sum(float(query["time"]) for query in queries.captured_queries))
    return len(queries), statistics.median(took)


def word(rank):
    """The word of a rank, as the rows have it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT left(translate(md5(%s || '0'), '0123456789', 'ghijklmnop'), 8)", [str(rank)])
        return cursor.fetchone()[0]


def pages(firm):
    middle = keys.question_key(firm, Question.objects.order_by("opened_at")[DISCUSSIONS // 2].pk)
    discussion = Question.objects.open_to(firm).order_by("-opened_at").first()
    listed = reverse("observers:list")
    yield "list", listed
    yield "middle of the list", f"{listed}?after={middle}"
    yield "important", f"{listed}?order=importance"
    yield "corroborated", f"{listed}?order=corroborated"
    yield "a group", f"{listed}?group=group-3"
    yield "a group, important", f"{listed}?group=group-3&order=importance"
    yield "a rare kind", f"{listed}?kind=observation"
    yield "no such kind", f"{listed}?kind=poll"
    yield "solved", f"{listed}?solved=yes"
    for rank in (1, 3, 30, 100, 1_000, 3_000, 30_000):
        yield f"word {rank}", f"{listed}?q={word(rank)}"
    yield "two words", f"{listed}?q={word(5)}+{word(200)}"
    yield "either word", f"{listed}?q={word(2)}+or+{word(40)}"
    yield "word and group", f"{listed}?q={word(10)}&group=group-3"
    yield "two common words", f"{listed}?q={word(1)}+{word(2)}"
    yield "common word and group", f"{listed}?q={word(1)}&group=group-3"
    yield "rarer word and group", f"{listed}?q={word(100)}&group=group-3"
    yield "word of a rare kind", f"{listed}?q={word(30)}&kind=observation"
    yield "word of no such kind", f"{listed}?q={word(1)}&kind=poll"
    yield "all filters", f"{listed}?q={word(30)}&group=group-3&kind=question&solved=no&order=corroborated"
    yield "rare kind, corroborated", f"{listed}?kind=observation&order=corroborated"
    yield "no such kind, corr.", f"{listed}?kind=poll&order=corroborated"
    yield "word, corroborated", f"{listed}?q={word(10)}&order=corroborated"
    yield "word nobody wrote", f"{listed}?q=nonesuchword"
    yield "discussion", reverse("observers:question", args=[keys.question_key(firm, discussion.pk)])


def test_pages_at_a_million_posts(seat):
    began = time.perf_counter()
    members = fill()
    FirmBlock.objects.bulk_create(FirmBlock(member=member, firm=seat.firm) for member in members[:3])
    print(f"\n{Post.objects.count():,} posts in {time.perf_counter() - began:.0f} s")
    cache.clear()
    client = client_of(seat.user)
    slow = []
    for name, address in pages(seat.firm):
        queries, took = cost(client, address)
        print(f"{name:22} {queries:3} queries {took:7.1f} ms")
        if took >= BAR or queries > 10:
            slow.append(name)

    assert slow == []


def test_the_log_takes_a_thousand_reads_a_second(seat, physician):
    posts = [make_question(physician, f"What of number {number}?").posts.get().pk for number in range(100)]
    seats = [seat, *(make_seat() for _ in range(3))]
    reading.make_months(first=datetime.now(UTC).date())

    def read(number):
        began = time.perf_counter()
        page = [posts[(number * 7 + step) % len(posts)] for step in range(settings.OBSERVER_ROWS_PER_PAGE)]
        reading.note(seat=seats[number % 4], purpose=Purpose.MEDICAL, way=Way.FOUND, post_pks=page)
        return 1000 * (time.perf_counter() - began)

    def reader(numbers):
        try:
            return [read(number) for number in numbers]
        finally:
            connections.close_all()

    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        took = [one for part in pool.map(reader, (range(n, 1000, 4) for n in range(4))) for one in part]
    a_second = Read.objects.count() / (time.perf_counter() - began)

    print(f"\n{a_second:,.0f} reads a second, {statistics.median(took):.1f} ms a page in the median")
    assert a_second >= READS
    assert statistics.median(took) < 50
