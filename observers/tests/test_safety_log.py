"""The log of the safety desk as a file, beside what `test_adverse_events` asks of it."""

from uuid import uuid4

import pytest
from django.urls import NoReverseMatch, reverse

from observers import keys
from observers.services import adverse_events
from observers.tests.factories import let_pass
from observers.tests.product_makers import make_product
from questions.models import Question
from questions.tests.factories import make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


def take(client):
    reason = "For the yearly review of our safety desk."
    return client.post(reverse("observers:safety_log"), {"reason": reason, "submission": uuid4()}).text


def test_a_post_that_closed_to_the_firm_has_no_keys_in_it(seat, seat_client, firm, physician):
    make_product(maker=firm)
    question = let_pass(make_question(physician, title="Rash after velorin in the 70s?"))
    opening = question.posts.get()
    adverse_events.met(seat, [opening.pk])
    both = keys.question_key(firm, question.pk), keys.post_key(firm, opening.pk)
    assert all(key in take(seat_client) for key in both)

    Question.objects.filter(pk=question.pk).update(peers_only=True)

    text = take(seat_client)
    assert "Velorin" in text
    assert not any(key in text for key in both)


@pytest.mark.parametrize("number", ["none", ""])
def test_an_address_of_no_event_is_none(number):
    with pytest.raises(NoReverseMatch):
        reverse("observers:safety_event", args=[number])
