"""The log of reads: what is in it, that it agrees with what authors are shown, and that it is never changed."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, IntegrityError, connection, connections, transaction
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

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE observers_readday SET reads = reads + 2",
            "UPDATE observers_readday SET reads = reads - 1",
            "UPDATE observers_readday SET reads = reads + 1, day = day - 1",
            "UPDATE observers_readday SET way = 'found'",
            "DELETE FROM observers_readday",
            "TRUNCATE observers_readday",
        ],
    )
    def test_what_authors_are_shown_only_grows_by_one(self, seat, opening, statement):
        note(seat, opening)
        note(seat, opening)

        refused(statement)

        assert ReadDay.objects.get().reads == 2


def month(ahead=0):
    """The first day of a month that nobody has made; the database knows no other time than the true one."""
    day = (datetime.now(UTC) + timedelta(days=250)).date().replace(day=1)
    return (day + timedelta(days=31 * ahead)).replace(day=1)


def beginning(day):
    return datetime.combine(day, time(), UTC)


def part_of(day):
    return f"observers_read_{day:%Y_%m}"


@pytest.mark.django_db
class TestMonths:
    def test_reads_lie_in_the_part_of_their_month(self, seat, opening):
        reading.make_months(first=month().replace(day=28), months=2)

        note(seat, opening, at=beginning(month(1)))

        with connection.cursor() as cursor:
            cursor.execute("SELECT tableoid::regclass::text FROM observers_read")
            assert cursor.fetchall() == [(part_of(month(1)),)]

    def test_months_are_made_once(self):
        assert reading.make_months(first=month(), months=3) == 3
        assert reading.make_months(first=month(), months=3) == 0

    def test_a_read_of_a_month_nobody_made_is_kept_all_the_same(self, seat, opening):
        note(seat, opening, at=datetime(2035, 2, 1, tzinfo=UTC))

        assert Read.objects.count() == 1

    def test_one_such_read_keeps_no_other_month_from_being_made_and_is_told_of(self, seat, opening, caplog):
        note(seat, opening, at=beginning(month(1)))

        assert reading.make_months(first=month(), months=3) == 2

        assert "1 reads since" in caplog.text
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s), to_regclass(%s)", [part_of(month(1)), part_of(month(2))])
            assert cursor.fetchone() == (None, part_of(month(2)))

    @pytest.mark.parametrize(
        ("days", "months"), [(0, 0), (0, -1), (0, 25), (-370, 1), (370, 1), (0, None), (None, 1)]
    )
    def test_none_are_made_far_away_or_by_the_hundred(self, days, months):
        first = None if days is None else datetime.now(UTC).date() + timedelta(days=days)

        with pytest.raises(DataError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT observers_make_months(%s, %s)", [first, months])

    def test_the_function_takes_nothing_from_a_temporary_schema_first(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT proconfig FROM pg_proc WHERE proname = 'observers_make_months'")
            [(settings,)] = cursor.fetchall()
        assert settings == ["search_path=pg_catalog, public, pg_temp"]

    @pytest.mark.parametrize("statement", ["UPDATE {} SET way = 'found'", "DELETE FROM {}", "TRUNCATE {}"])
    def test_a_part_refuses_changes_as_well(self, seat, opening, statement):
        reading.make_months(first=month(), months=1)
        note(seat, opening, at=beginning(month()))

        refused(statement.format(part_of(month())))


@pytest.fixture
def past_triggers():
    """Statements that the triggers refuse to everybody else."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor.execute
        cursor.execute("SET LOCAL session_replication_role = origin")


def checked():
    """What `check_reads` says, and whether it found nothing."""
    out = StringIO()
    try:
        call_command("check_reads", stdout=out)
    except CommandError:
        return out.getvalue(), False
    return out.getvalue(), True


@pytest.mark.django_db
class TestChecking:
    def test_what_was_noted_agrees(self, seat, opening, colleague):
        note(seat, opening, make_answer(opening.question, colleague))
        note(seat, opening, at=DEC_1)

        assert checked() == ("3 reads, 3 counts: they agree.\n", True)

    @pytest.mark.parametrize(
        ("statement", "words"),
        [
            ("UPDATE observers_readday SET reads = 3", "1 logged, 3 shown"),
            ("DELETE FROM observers_readday", "1 logged, 0 shown"),
            ("DELETE FROM observers_read", "0 logged, 1 shown"),
            ("UPDATE observers_readday SET way = 'found'", "0 logged, 1 shown"),
            (
                "UPDATE observers_readday SET author_id = (SELECT max(id) FROM accounts_member)",
                "shown to member",
            ),
            ("UPDATE observers_read SET firm_id = -1", "its firm is not that of its seat"),
        ],
    )
    def test_what_was_done_beside_the_service_is_found(
        self, seat, opening, colleague, past_triggers, statement, words
    ):
        note(seat, opening)
        past_triggers(statement)

        said, is_right = checked()

        assert words in said
        assert not is_right


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
