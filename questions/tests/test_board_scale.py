"""Leaderboards over a hundred thousand members: `make bench`. The same with a thousand runs among the other tests."""

import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Member
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from questions import boards, pairs, ranking
from questions.models import BoardPlace, MemberRank
from sermo.paging import page

BAR = 50  # milliseconds of database time
SPECIALTIES = 40

FILL = """
INSERT INTO accounts_user (email, password, is_superuser, is_staff, is_active, date_joined)
SELECT 'bulk' || n || '@example.org', '!', false, false, true, now() FROM generate_series(1, %(members)s) n;

INSERT INTO accounts_member (user_id, handle, standing, specialty_id, state, years_band, bio, languages, school,
    training, publications, contact_for, visibility, face, handle_picture, name_picture, byline_mode, display_name,
    physician_key, joined_at)
SELECT u.id, 'bulk' || u.id, 'physician', s.code, '', '', '', '{}', '', '', '{}', '{}', '{}',
       jsonb_build_object('specialty', s.name), '', '', 'anonymous', '', 'k' || u.id, now()
  FROM accounts_user u
  JOIN (SELECT code, name, row_number() OVER (ORDER BY code) - 1 AS place FROM accounts_specialty WHERE is_choice) s
    ON s.place = u.id %% %(specialties)s
 WHERE u.email LIKE 'bulk%%';

ANALYZE accounts_user, accounts_member;

INSERT INTO questions_question (kind, title, asker_id, audience, peers_only, urgency, excerpt, status, opened_at,
    activity_at, close_reason, outcome, answer_count, comment_count, vote_count, importance_sum, importance_count,
    importance, hot)
SELECT 'question', 'How long do you hold it?', m.id, 'physicians', false, 'days', '', 'open',
       now() - (m.id %% 360) * interval '1 day', now(), '', '', 1, 0, %(votes)s, 0, 0, 3, 0
  FROM accounts_member m JOIN accounts_user u ON u.id = m.user_id WHERE u.email LIKE 'bulk%%';

INSERT INTO questions_byline (question_id, member_id, mode)
SELECT id, asker_id, 'anonymous' FROM questions_question;

INSERT INTO questions_post (question_id, kind, author_id, byline_id, source, html, posted_at, removed_by, search_text,
    corroborate_count, dispute_count)
SELECT q.id, 'answer', b.member_id, b.id, 'Words.', '<p>Words.</p>', q.opened_at, '', '', %(votes)s, 0
  FROM questions_question q JOIN questions_byline b ON b.question_id = q.id;

ANALYZE questions_question, questions_post;

INSERT INTO questions_vote (post_id, voter_id, author_id, value, reason, explanation, cast_at)
SELECT p.id, v.id, p.author_id, 1, '', '', p.posted_at + n * interval '1 hour'
  FROM (SELECT id, author_id, posted_at, row_number() OVER (ORDER BY id) AS place FROM questions_post) p
 CROSS JOIN generate_series(1, %(votes)s) n
  JOIN (SELECT m.id, row_number() OVER (ORDER BY m.id) AS place FROM accounts_member m
          JOIN accounts_user u ON u.id = m.user_id WHERE u.email LIKE 'bulk%%') v
    ON v.place = (p.place + n * 37) %% %(members)s + 1
 WHERE n <= p.place %% (2 * %(votes)s) AND p.author_id <> v.id
"""


def fill(members, votes):
    """So many members of forty specialties, each with an answer and on average somewhat fewer votes than given."""
    for number in range(SPECIALTIES):
        make_specialty(f"Specialty {chr(65 + number // 26)}{chr(65 + number % 26)}")
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"members": members, "votes": votes, "specialties": SPECIALTIES})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def addresses(client):
    """The pages to measure: first and deep, of all time and of a month, of a specialty and of both."""
    board = boards.find()
    month = next(each for each in months_with_places() if each)
    slug = boards.specialties_with_boards()[3].slug
    of_month = boards.find(month=month)
    second = client.get("/leaderboards/").context["more_url"]
    return {
        "first": "/leaderboards/",
        "deep": f"/leaderboards/?after={cursor_at(board, board.size - 60)}",
        "second": second,
        "specialty": f"/leaderboards/?specialty={slug}",
        "month": f"/leaderboards/?month={month:%Y-%m}",
        "both": f"/leaderboards/?specialty={slug}&month={month:%Y-%m}",
        "deep month": f"/leaderboards/?month={month:%Y-%m}&after={cursor_at(of_month, of_month.size - 60)}",
        "own points": "/points/",
    }


def months_with_places():
    return sorted(
        {*BoardPlace.objects.filter(place=1, board__specialty=None).values_list("board__month", flat=True)},
        key=str,
    )


def cursor_at(board, place):
    """What asks for the places after this one."""
    return page(board.places.filter(place__gte=place), order=("place",), after=None, size=1).next


def measured(client, address, times=5):
    """Queries and milliseconds of database time of a page, the least of some: the rest is what others did."""
    client.get(address)
    took = []
    for _ in range(times):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        took.append(1000 * sum(float(query["time"]) for query in queries))
    return len(queries), min(took), queries.captured_queries


def explained(queries):
    """The server's own account of the statement that reads the places."""
    with connection.cursor() as cursor:
        for query in queries:
            if 'FROM "questions_boardplace"' in query["sql"]:
                cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + query["sql"])
                yield "\n".join(row[0] for row in cursor.fetchall())


def reader():
    return client_of(Member.objects.filter(user__email__startswith="bulk").order_by("pk")[7])


@pytest.mark.django_db
def test_pages_of_a_thousand_members_cost_few_queries_and_skip_nobody():
    make_member()
    fill(1000, 4)
    ranking.recount_ranks()
    client = reader()

    for address in addresses(client).values():
        queries, _, _ = measured(client, address, times=1)
        assert queries <= 8
    seen, address = [], "/leaderboards/"
    while address:
        context = client.get(address).context
        seen += [row.place for row in context["page"]]
        address = context["more_url"]
    assert seen == list(range(1, boards.find().size + 1))


@pytest.mark.scale
@pytest.mark.django_db
def test_pages_of_a_hundred_thousand_members_take_less_than_the_bar():
    fill(100_000, 10)
    began = time.perf_counter()
    first = ranking.recount_ranks()
    took = time.perf_counter() - began
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as statements:
        nightly = ranking.recount_ranks()
    again = time.perf_counter() - began
    began = time.perf_counter()
    every = ranking.recount_ranks(months=12)
    twelve = time.perf_counter() - began
    began = time.perf_counter()
    flags = pairs.flag_all_pairs()
    looked = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SELECT count(*) FROM questions_vote")
        votes = cursor.fetchone()[0]
    print(f"\n{MemberRank.objects.count():,} members, {votes:,} votes")
    print(
        f"first draw {took:.1f} s ({first}); next {again:.1f} s ({nightly}); twelve months {twelve:.1f} s ({every})"
    )
    print(f"pairs of every night: {looked:.1f} s, {flags} flagged")
    for statement in sorted(statements, key=lambda each: -float(each["time"]))[:6]:
        print(f"  {float(statement['time']):6.2f} s  {' '.join(statement['sql'].split())[-110:]}")
    client = reader()

    for name, address in addresses(client).items():
        queries, milliseconds, captured = measured(client, address)
        print(f"{name:11} {queries} queries {milliseconds:6.1f} ms")
        for plan in explained(captured):
            (execution,) = re.findall(r"Execution Time: ([\d.]+) ms", plan)
            print(f"{'':11} reading the places: {execution} ms")
            if name == "deep":
                print(plan)
        assert milliseconds < BAR
