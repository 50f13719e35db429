"""The bars of size, on ten thousand discussions: `make bench`."""

import statistics
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Byline, Post, Question, QuestionSpecialty, Vote
from questions.services.counting import recount_questions
from questions.tests.factories import corroborate, make_answer, make_comment, make_question

pytestmark = [pytest.mark.scale, pytest.mark.django_db]

MANY = 10_000
WORDS = [
    "anticoagulation",
    "dialysis",
    "bleeding",
    "atrial",
    "fibrillation",
    "apixaban",
    "warfarin",
    "stroke",
]


def fill(members, number):
    """So many discussions with an opening, an answer and a vote each, by bulk."""
    now = timezone.now()
    questions = Question.objects.bulk_create(
        Question(
            title=f"{WORDS[place % 8].title()} and {WORDS[place % 7]} in case {place}?",
            asker=members[place % len(members)],
            excerpt="In the 70s, three sessions a week.",
            opened_at=now - timedelta(minutes=7 * place),
            activity_at=now - timedelta(minutes=7 * place),
        )
        for place in range(number)
    )
    QuestionSpecialty.objects.bulk_create(
        QuestionSpecialty(question=question, specialty=question.asker.specialty, place=1)
        for question in questions
    )
    for kind, shift in ((Post.Kind.OPENING, 0), (Post.Kind.ANSWER, 1)):
        authors = [members[(place + shift) % len(members)] for place in range(number)]
        bylines = Byline.objects.bulk_create(
            Byline(question=question, member=author, mode="anonymous")
            for question, author in zip(questions, authors, strict=True)
        )
        posts = Post.objects.bulk_create(
            Post(
                question=question,
                kind=kind,
                author=author,
                byline=byline,
                source="Some words.",
                html="<p>Some words.</p>",
                posted_at=question.opened_at,
                search_text=f"{question.title.lower()} some words",
            )
            for question, author, byline in zip(questions, authors, bylines, strict=True)
        )
    Vote.objects.bulk_create(
        Vote(post=post, voter=members[(place + 2) % len(members)], author=post.author, value=1)
        for place, post in enumerate(posts)
    )
    for start in range(0, number, 1000):
        recount_questions([question.pk for question in questions[start : start + 1000]])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def cost(client, address):
    """Queries, median milliseconds of seven, bytes."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        size = len(client.get(address).content)
    count = len(queries)  # now: the next request empties the log
    took = []
    for _ in range(7):
        began = time.perf_counter()
        client.get(address)
        took.append((time.perf_counter() - began) * 1000)
    return count, statistics.median(took), size


def test_pages_cost_the_same_for_ten_and_for_ten_thousand_questions():
    members = [make_member() for _ in range(40)]
    client = client_of(members[0])
    question = make_question(members[1], tags=["dialysis"])
    for place in range(20):
        answer = make_answer(question, members[2 + place])
        make_comment(answer, members[1])
        for voter in members[30:36]:
            corroborate(answer, voter)
    addresses = {
        "list": "/questions/",
        "new": "/questions/?sort=new",
        "important": "/questions/?sort=important",
        "mine": "/questions/?specialty=mine",
        "question": question.get_absolute_url(),
        "home": "/",
        "search": "/search/?q=apixaban",
    }
    fill(members, 10)
    few = {name: cost(client, address) for name, address in addresses.items()}
    fill(members, MANY)

    many = {name: cost(client, address) for name, address in addresses.items()}

    for name in addresses:
        print(f"{name:10} 10: {few[name][0]} queries {few[name][1]:6.1f} ms   {MANY}: ", end="")
        print(f"{many[name][0]} queries {many[name][1]:6.1f} ms {many[name][2]:,} bytes")
        assert many[name][0] == few[name][0]
    assert many["list"][0] <= 8
    assert many["question"][0] <= 10
    assert many["list"][2] <= 40_000
