"""A worker that dies once a page is made, before anything of it is sent: its reads stand, each once."""

import os
import signal
from collections import Counter
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.urls import reverse

from conftest import client_of
from consults.tests.factories import make_case, make_consent
from observers.keys import question_key
from observers.models import Read, ReadDay, Way
from observers.services import searching
from observers.tests.factories import let_pass, make_seat
from questions.tests.factories import make_answer, make_question


@pytest.mark.django_db(transaction=True)
def test_workers_killed_once_they_have_answered_leave_each_read_once(physician, colleague):
    """Of every way to read: nothing of the page was sent, and its reads stand, each once."""
    seat = make_seat(is_admin=True)
    question = make_question(physician, "Which dose in dialysis?")
    answer = make_answer(question, colleague)
    consent = make_consent(colleague, "signed", for_observers=True)
    case = make_case(colleague, 1, consent=consent, peers_only=False)
    for one in (question, case.question):
        let_pass(one)
    key = question_key(seat.firm, question.pk)
    opening, of_case = question.posts.get(kind="opening"), case.question.posts.get()
    asked = [
        ("get", reverse("observers:list"), {"order": "new"}),
        ("get", reverse("observers:list"), {"q": "occlude"}),
        ("get", reverse("observers:question", args=[key]), {}),
        ("get", reverse("observers:image", args=[question_key(seat.firm, case.pk), 1]), {}),
        (
            "post",
            reverse("observers:export_search", args=[saved_search(seat).key]),
            {"reason": "For the yearly review.", "submission": uuid4()},
        ),
    ]

    ended = killed(seat, asked)

    assert ended == [signal.SIGKILL] * len(asked)
    expected = Counter(
        {
            (opening.pk, Way.FOUND): 2,  # of the list, and of the search by its title
            (answer.pk, Way.FOUND): 1,
            (of_case.pk, Way.FOUND): 1,
            (opening.pk, Way.OPENED): 1,
            (answer.pk, Way.OPENED): 1,
            (of_case.pk, Way.OPENED): 1,
            (opening.pk, Way.EXPORTED): 1,
            (answer.pk, Way.EXPORTED): 1,
        }
    )
    logged = Counter(Read.objects.values_list("post", "way"))
    counted = Counter({(row.post_id, row.way): row.reads for row in ReadDay.objects.all()})
    assert logged == expected
    assert counted == logged


def saved_search(seat):
    return searching.save(seat=seat, name="Occlusion", terms="occlude")


def killed(seat, asked) -> list[int]:
    """The signals by which workers ended, one for each request; they are forks with connections of their own."""
    client = client_of(seat.user)
    ended = []
    for method, address, data in asked:
        connections.close_all()
        if not (child := os.fork()):
            _answer_and_die(client, method, address, data)
        ended.append(os.WTERMSIG(os.waitpid(child, 0)[1]))
    return ended


def _answer_and_die(client, method, address, data):
    """In a worker, which never returns."""
    whole = BaseHandler.get_response

    def killing(handler, request):
        whole(handler, request)
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        with patch.object(BaseHandler, "get_response", killing):
            getattr(client, method)(address, data)
    finally:
        os._exit(1)
