"""Pages of lists whose order moves: nothing missed and nothing twice while rows are written."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts.tests.factories import make_member
from conftest import client_of
from questions.filters import ORDERS
from questions.models import Byline, Question, QuestionSpecialty
from questions.tests.factories import make_answer, make_question

pytestmark = pytest.mark.usefixtures("nobody_told")

SORTS = list(ORDERS)


def fill(number, members):
    """So many discussions by bulk, an hour apart."""
    now = timezone.now()
    questions = Question.objects.bulk_create(
        Question(
            title=f"Question number {place} of many?",
            asker=members[place % len(members)],
            opened_at=now - timedelta(hours=place + 1),
            activity_at=now - timedelta(hours=place + 1),
            hot=number - place,
            importance=1 + place % 7 / 2,
        )
        for place in range(number)
    )
    QuestionSpecialty.objects.bulk_create(
        QuestionSpecialty(question=each, specialty=each.asker.specialty, place=1) for each in questions
    )
    Byline.objects.bulk_create(
        Byline(question=each, member=each.asker, mode="anonymous") for each in questions
    )
    return {each.pk for each in questions}


def walked(client, address, between=lambda: None):
    """The ids of all pages of a list, `between` done before each but the first."""
    seen = []
    while address:
        page = client.get(address)
        seen += [row.pk for row in page.context["page"]]
        address = page.context["more_url"]
        between()
    return seen


def move(pk, hot):
    Question.objects.filter(pk=pk).update(hot=hot, activity_at=timezone.now(), importance=hot % 5 or 1)


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_pages_through_all_without_gap_or_repeat(physician, physician_client, sort):
    made = fill(65, [physician])

    seen = walked(physician_client, f"/questions/?sort={sort}")

    assert len(seen) == 65
    assert set(seen) == made


@pytest.mark.parametrize("sort", ["hot", "active", "important"])
def test_what_rises_and_sinks_meanwhile_comes_exactly_once(physician, physician_client, sort):
    made = fill(130, [physician])
    ids = sorted(made)
    rising, sinking = iter(reversed(ids)), iter(ids)

    def churn():
        for _ in range(4):
            move(next(rising), 1000)
            Question.objects.filter(pk=next(sinking)).update(hot=-5, importance=1)

    seen = walked(physician_client, f"/questions/?sort={sort}", churn)

    assert len(seen) == len(set(seen))
    assert set(seen) == made


def test_what_is_new_waits_for_the_first_page(physician, physician_client):
    made = fill(45, [physician])

    seen = walked(physician_client, "/questions/?sort=important", lambda: make_question(physician))

    assert set(seen) == made
    assert len(seen) == 45


def test_without_its_memory_a_walk_goes_on_by_key(physician, physician_client):
    made = fill(130, [physician])

    seen = walked(physician_client, "/questions/", cache.clear)

    assert len(seen) == len(set(seen))
    assert set(seen) == made


def test_going_back_and_on_again_shows_the_same(physician, physician_client):
    fill(130, [physician])
    address = "/questions/"
    for _ in range(3):
        address = physician_client.get(address).context["more_url"]

    fourth = physician_client.get(address)
    walked(physician_client, fourth.context["more_url"])
    again = physician_client.get(address)

    assert [row.pk for row in again.context["page"]] == [row.pk for row in fourth.context["page"]]
    assert len(set(walked(physician_client, address))) == 130 - 60


@pytest.mark.parametrize(
    "cursor", ["a.b", "zz.1-2.", "0._.x", "!.1.x", "1.q_9.x", "1.-.x", "9" * 700, "1.1.x.y"]
)
def test_a_forged_cursor_shows_a_page(physician, physician_client, cursor):
    fill(3, [physician])

    assert physician_client.get(f"/questions/?after={cursor}").status_code == 200


def test_a_deeper_page_costs_as_many_queries_as_the_second(
    physician, physician_client, django_assert_max_num_queries
):
    fill(130, [physician])
    address = physician_client.get("/questions/").context["more_url"]

    for _ in range(5):
        with django_assert_max_num_queries(12):
            page = physician_client.get(address)
        address = page.context["more_url"]


class Writer(threading.Thread):
    """Asks, answers and moves discussions without a pause until it is stopped."""

    def __init__(self, ids, members):
        super().__init__()
        self.ids, self.members, self.stopped, self.wrote, self.failed = (
            ids,
            members,
            threading.Event(),
            0,
            None,
        )

    def run(self):
        try:
            while not self.stopped.is_set():
                pk = self.ids[self.wrote * 37 % len(self.ids)]
                if self.wrote % 3 == 0:
                    make_question(self.members[self.wrote % len(self.members)])
                elif self.wrote % 3 == 1:
                    move(pk, self.wrote % 900)
                else:
                    make_answer(Question.objects.get(pk=pk), self.members[self.wrote % len(self.members)])
                self.wrote += 1
        except Exception as error:
            self.failed = error
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sort", ["hot", "active", "important", "new"])
def test_a_walk_beside_a_writer_misses_nothing_and_repeats_nothing(sort, settings):
    _walk_beside_a_writer(300, sort, settings)


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sort", SORTS)
def test_ten_thousand_rows_beside_a_writer(sort, settings):
    _walk_beside_a_writer(10_000, sort, settings)


def _walk_beside_a_writer(number, sort, settings):
    settings.FILTERS_KEPT_SECONDS = 3600
    members = [make_member() for _ in range(8)]
    made = fill(number, members)
    client = client_of(members[0])
    writer = Writer(sorted(made), members)
    writer.start()
    try:
        status = "&status=all" if sort != "unanswered" else ""
        seen = walked(client, f"/questions/?sort={sort}{status}")
    finally:
        writer.stopped.set()
        writer.join()

    assert writer.failed is None
    assert writer.wrote > 3
    assert len(seen) == len(set(seen))
    still = (
        made
        if sort != "unanswered"
        else made & set(Question.objects.unanswered().values_list("pk", flat=True))
    )
    assert still <= set(seen)
