"""How long a page takes says nothing of earmarks. In the suite, `test_invisible` compares statements instead."""

import random
from math import sqrt
from time import perf_counter

import pytest
from django.db import transaction

from questions.tests.factories import corroborate, make_answer, make_question
from rewards.tests.factories import make_earmark, make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]
REQUESTS = 300  # of each kind
MOST = 3.29  # standard deviations: beyond by chance once in a thousand


def deviation(one: list[float], other: list[float]) -> float:
    """By how many standard deviations the ranks of two samples differ (Mann and Whitney)."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, start=1) if which == 0)
    many, more = len(one), len(other)
    mean = many * (many + more + 1) / 2
    return (ranks - mean) / sqrt(many * more * (many + more + 1) / 12)


def test_the_measure_tells_samples_apart():
    rng = random.Random(7)
    one, other = ([rng.gauss(10, 1) for _ in range(REQUESTS)] for _ in range(2))

    assert abs(deviation(one, other)) < MOST
    assert deviation(one, [value + 0.5 for value in other]) < -MOST


@pytest.mark.scale
def test_a_page_takes_as_long_with_an_earmark_as_without(physician, colleague, physician_client):
    """The earmarks are on this discussion or on another, in turns that chance decides, and gone after each request."""
    asked, other = make_question(physician), make_question(colleague, title="Quite another question?")
    posts = {question: [make_answer(question) for _ in range(10)] for question in (asked, other)}
    for post in posts[asked]:
        corroborate(post)
    firm, address = make_firm(balance=1_000_000), asked.get_absolute_url()
    turns = [asked, other] * REQUESTS
    random.Random(7).shuffle(turns)
    for _ in range(20):
        physician_client.get(address)

    times = {asked: [], other: []}
    for marked in turns:
        with transaction.atomic():
            for post in posts[marked]:
                make_earmark(post, firm, voter_cents=500, voter_slots=2)
            started = perf_counter()
            assert physician_client.get(address).status_code == 200
            times[marked].append(perf_counter() - started)
            transaction.set_rollback(True)

    found = deviation(times[asked], times[other])
    print(f"{REQUESTS} requests each: {found:+.2f} standard deviations apart")
    assert abs(found) < MOST
