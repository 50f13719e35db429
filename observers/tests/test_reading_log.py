"""The log of reads: what is in it, that it agrees with what authors are shown, and that it is never changed."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Sum
from django.urls import reverse

from conftest import client_of
from observers.keys import question_key
from observers.models import Purpose, Read, ReadDay, Way
from observers.services import reading
from observers.tests.factories import let_pass, make_seat
from questions.tests.factories import make_answer, make_question
from sermo.runtime.children import CHECKOUT

DEC_1 = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)


def note(seat, *posts, way=Way.OPENED, purpose=Purpose.MEDICAL, at=None):
    return reading.note(seat=seat, purpose=purpose, way=way, post_pks=[post.pk for post in posts], at=at)


def refused(statement):
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # what waits for the end of the transaction refuses as well
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(statement)


@pytest.fixture
def opening(physician, nobody_told):
    return make_question(physician).posts.get()


@pytest.mark.django_db
class TestNoting:
    def test_a_read_names_firm_seat_post_way_and_purpose(self, seat, opening, physician):
        assert note(seat, opening, way=Way.FOUND, purpose=Purpose.SAFETY, at=DEC_1) == 1

        row = Read.objects.get()
        assert (row.at, row.firm_id, row.seat_id) == (DEC_1, seat.firm_id, seat.pk)
        assert (row.question_id, row.post_id) == (opening.question_id, opening.pk)
        assert (row.way, row.purpose) == (Way.FOUND, Purpose.SAFETY)

    def test_an_author_is_shown_how_often_by_day_way_and_purpose(self, seat, opening, physician):
        note(seat, opening, at=DEC_1)
        note(make_seat(seat.firm), opening, at=DEC_1)
        note(seat, opening, way=Way.EXPORTED, at=DEC_1)
        note(seat, opening, purpose=Purpose.MARKET, at=DEC_1)

        rows = ReadDay.objects.filter(author=physician, firm=seat.firm, day=date(2026, 12, 1))
        assert sorted(rows.values_list("way", "purpose", "reads")) == [
            ("exported", "medical", 1),
            ("opened", "market", 1),
            ("opened", "medical", 2),
        ]

    def test_a_post_that_is_named_twice_is_read_once(self, seat, opening):
        note(seat, opening, opening)

        assert Read.objects.count() == ReadDay.objects.get().reads == 1

    def test_each_post_counts_for_its_own_author(self, seat, opening, colleague):
        answer = make_answer(opening.question, colleague)

        note(seat, opening, answer)

        assert ReadDay.objects.get(author=colleague).post_id == answer.pk

    def test_it_is_one_statement(self, seat, opening, django_assert_num_queries):
        with django_assert_num_queries(1):
            note(seat, opening)

    def test_nothing_is_noted_of_nothing(self, seat, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert note(seat) == 0

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE observers_read SET way = 'found'",
            "DELETE FROM observers_read",
            "TRUNCATE observers_read",
        ],
    )
    def test_the_database_refuses_to_change_what_was_read(self, seat, opening, statement):
        note(seat, opening)

        refused(statement)


@pytest.mark.django_db
class TestMonths:
    def test_reads_lie_in_the_part_of_their_month(self, seat, opening):
        reading.make_months(first=date(2031, 1, 31), months=2)

        note(seat, opening, at=datetime(2031, 2, 1, tzinfo=UTC))

        with connection.cursor() as cursor:
            cursor.execute("SELECT tableoid::regclass::text FROM observers_read")
            assert cursor.fetchall() == [("observers_read_2031_02",)]

    def test_months_are_made_once(self):
        assert reading.make_months(first=date(2031, 5, 1), months=3) == 3
        assert reading.make_months(first=date(2031, 5, 1), months=3) == 0

    def test_a_read_of_a_month_nobody_made_is_kept_all_the_same(self, seat, opening):
        note(seat, opening, at=datetime(2035, 2, 1, tzinfo=UTC))

        assert Read.objects.count() == 1

    @pytest.mark.parametrize("statement", ["UPDATE {} SET way = 'found'", "DELETE FROM {}", "TRUNCATE {}"])
    def test_a_part_refuses_changes_as_well(self, seat, opening, statement):
        reading.make_months(first=date(2031, 1, 1), months=1)
        note(seat, opening, at=datetime(2031, 1, 2, tzinfo=UTC))

        refused(statement.format("observers_read_2031_01"))


READER = """
import os, signal, sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from unittest import mock
from django.test import Client
client = Client()
client.cookies[sys.argv[2]] = sys.argv[3]
with mock.patch("observers.views.reading.render", lambda *args: os.kill(os.getpid(), signal.SIGKILL)):
    client.get(sys.argv[4], headers={"host": "localhost"})
"""


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    def test_seats_that_read_the_same_at_once_lose_nothing_and_block_nobody_for_good(self, physician):
        posts = [make_question(physician).posts.get() for _ in range(12)]
        seats = [make_seat(), make_seat()]

        def read(number):
            order = posts if number % 2 else posts[::-1]
            try:
                return note(seats[number % 2], *order)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(read, range(80))) == 80 * 12

        assert Read.objects.count() == 960
        assert ReadDay.objects.aggregate(Sum("reads"))["reads__sum"] == 960

    def test_a_worker_killed_before_it_answers_has_logged_each_read_once(self, physician, colleague):
        seat, question = make_seat(), make_question(physician)
        make_answer(question, colleague)
        let_pass(question)
        address = reverse("observers:question", args=[question_key(seat.firm, question.pk)])
        [(name, cookie)] = client_of(seat.user).cookies.items()
        arguments = [connection.settings_dict["NAME"], name, cookie.value, address]

        ended = subprocess.run([sys.executable, "-c", READER, *arguments], cwd=CHECKOUT, timeout=60)

        assert ended.returncode == -signal.SIGKILL
        assert Read.objects.count() == 2
        assert list(ReadDay.objects.order_by("post").values_list("post", "reads")) == [
            (post.pk, 1) for post in question.posts.order_by("pk")
        ]
