"""Routing one case among fifty thousand members: `make bench`. The same with a thousand runs among the other tests."""

import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Member
from accounts.tests.factories import make_member, make_specialty
from consults.models import Duty
from consults.services import routing
from consults.tests.factories import make_case
from consults.tests.on_call import DERM, make_paging

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

CREATE TEMP TABLE bulk AS
SELECT m.id, m.specialty_id, row_number() OVER (PARTITION BY m.specialty_id ORDER BY m.id) AS place
  FROM accounts_member m JOIN accounts_user u ON u.id = m.user_id WHERE u.email LIKE 'bulk%%';
CREATE INDEX ON bulk (specialty_id, place);
CREATE INDEX ON bulk (id);
ANALYZE bulk;

-- Each has a weekly shift, and of each specialty one in `share` is on it now.
INSERT INTO consults_shift (member_id, sort, weekday, from_time, to_time, time_zone, made_at)
SELECT id, 'weekly', 1, '08:00', '08:00', 'UTC', now() FROM bulk;

INSERT INTO consults_duty (shift_id, member_id, specialty_id, starts_at, ends_at)
SELECT s.id, b.id, b.specialty_id, moment, moment + interval '24 hours'
  FROM bulk b
  JOIN consults_shift s ON s.member_id = b.id
 CROSS JOIN LATERAL (
       SELECT now() - interval '5 hours' + ((b.place %% %(share)s) * 10 + week * 168) * interval '1 hour' AS moment
         FROM generate_series(-4, 1) week) AS week;

INSERT INTO accounts_noticesettings (member_id, budget, quiet_from, quiet_to, time_zone, unsubscribe_key)
SELECT id, 20, '03:00', '03:30', 'America/Chicago', 'u' || id FROM bulk WHERE place %% 3 = 0;

INSERT INTO consults_oncallwishes (member_id, pages_a_shift, pages_a_week, takes_overflow, shows_handle)
SELECT id, 3, 10, place %% 2 = 0, false FROM bulk WHERE place %% 4 = 0;

INSERT INTO accounts_block (blocker_id, blocker_face, blocked_id, blocked_face, since)
SELECT id, 'handle', %(asker)s, 'handle', now() FROM bulk WHERE place %% 50 = 0;

-- Two questions of each in five of the specialties, each answered by four colleagues; every other one is solved.
INSERT INTO questions_question (kind, title, asker_id, audience, peers_only, urgency, excerpt, status, opened_at,
    activity_at, close_reason, outcome, answer_count, comment_count, vote_count, importance_sum, importance_count,
    importance, hot)
SELECT 'question', 'bulk', b.id, 'physicians', false, 'days', '', 'open', now(), now(), '', '', 4, 0, 0, 0, 0, 3, 0
  FROM bulk b CROSS JOIN generate_series(1, 2)
 WHERE b.specialty_id = %(derm)s OR b.specialty_id IN (SELECT DISTINCT specialty_id FROM bulk ORDER BY 1 LIMIT 4);

INSERT INTO questions_questionspecialty (question_id, specialty_id, place)
SELECT q.id, b.specialty_id, 1 FROM questions_question q JOIN bulk b ON b.id = q.asker_id;

INSERT INTO questions_byline (question_id, member_id, mode)
SELECT q.id, other.id, 'anonymous'
  FROM questions_question q
  JOIN bulk b ON b.id = q.asker_id
  JOIN bulk other ON other.specialty_id = b.specialty_id AND other.place BETWEEN b.place + 1 AND b.place + 4
 WHERE q.title = 'bulk';

INSERT INTO questions_post (question_id, kind, author_id, byline_id, source, html, posted_at, removed_by, search_text,
    corroborate_count, dispute_count)
SELECT b.question_id, 'answer', b.member_id, b.id, 'Words.', '<p>Words.</p>', now(), '', '', 0, 0
  FROM questions_byline b JOIN questions_question q ON q.id = b.question_id WHERE q.title = 'bulk';

INSERT INTO questions_credit (question_id, post_id, place, credited_at)
SELECT question_id, min(id), 1, now() FROM questions_post
 WHERE kind = 'answer' AND question_id %% 2 = 0 GROUP BY question_id;

-- Eight earlier pagings of each specialty called twenty each.
INSERT INTO consults_paging (case_id, specialty_id, urgency, state, step, started_at, ended_at)
SELECT %(case)s, s.code, 'now', 'unheard', 30, now() - n * interval '5 days', now() - n * interval '5 days'
  FROM accounts_specialty s CROSS JOIN generate_series(1, 8) n WHERE s.is_choice;

INSERT INTO consults_call (paging_id, member_id, step, state, sent_at, decided_at)
SELECT p.id, b.id, 15, 'expired', p.started_at, p.started_at
  FROM consults_paging p
  JOIN bulk b ON b.specialty_id = p.specialty_id AND b.place %% 60 = p.id %% 60 AND b.place <= 1200
 WHERE p.state = 'unheard';

DROP TABLE bulk
"""


def fill(members, share):
    """So many members of forty specialties, of each of which one in `share` is on call now."""
    for number in range(SPECIALTIES - 1):
        make_specialty(f"Specialty {chr(65 + number // 26)}{chr(65 + number % 26)}")
    derm = make_specialty(DERM)
    case = make_case(make_member(specialty=derm), images=0)
    values = {
        "members": members,
        "specialties": SPECIALTIES,
        "share": share,
        "asker": case.question.asker_id,
        "case": case.pk,
        "derm": derm.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(FILL, values)
        cursor.execute("ANALYZE")
    return make_paging(case=case)


def captured(route, paging):
    with CaptureQueriesContext(connection) as queries:
        found = route(paging, paging.started_at)
    return found, [query["sql"] for query in queries]


def milliseconds_of(sql):
    """What the database says it takes to plan and run a query, the least of ten times: the rest is what others did."""
    with connection.cursor() as cursor:
        took = []
        for _ in range(10):
            cursor.execute("EXPLAIN (ANALYZE, SUMMARY) " + sql)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            took.append(sum(map(float, re.findall(r"(?:Planning|Execution) Time: ([\d.]+) ms", plan))))
        return min(took)


@pytest.mark.django_db
def test_routing_among_a_thousand_members_takes_few_queries():
    paging = fill(1000, 5)

    found, queries = captured(routing.candidates, paging)

    assert len(queries) <= 9
    on_call = Duty.objects.at(paging.started_at).filter(specialty=paging.specialty).count()
    assert 0 < len(found) <= on_call
    assert any(one.record[0] for one in found)
    assert any(one.availability < 1 for one in found) or on_call < 10


@pytest.mark.scale
@pytest.mark.django_db
@pytest.mark.parametrize("share", [25])
def test_routing_among_fifty_thousand_members_takes_less_than_the_bar(share):
    began = time.perf_counter()
    paging = fill(50_000, share)
    print(
        f"\n{Member.objects.count():,} members, {Duty.objects.count():,} duties; {time.perf_counter() - began:.0f} s"
    )

    for name, route in {"candidates": routing.candidates, "top answerers": routing.top_answerers}.items():
        found, queries = captured(route, paging)
        took = [milliseconds_of(sql) for sql in queries]
        number = len(found) if name == "candidates" else tuple(map(len, found))
        print(f"{name}: {number} found, {len(queries)} queries, {sum(took):.1f} ms")
        for sql, each in zip(queries, took, strict=True):
            print(f"  {each:6.1f} ms  {' '.join(sql.split())[:90]}")
        assert sum(took) < BAR
