"""The log of the safety desk as a file, beside what `test_adverse_events` asks of it."""

import pytest
from django.urls import reverse

from observers import keys
from observers.services import adverse_events
from observers.tests.factories import let_pass
from observers.tests.product_makers import make_product
from questions.models import Question
from questions.tests.factories import make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


def test_a_post_that_closed_to_the_firm_has_no_keys_in_it(seat, seat_client, firm, physician):
    make_product(maker=firm)
    question = let_pass(make_question(physician, title="Rash after velorin in the 70s?"))
    opening = question.posts.get()
    adverse_events.met(seat, [opening.pk])
    both = keys.question_key(firm, question.pk), keys.post_key(firm, opening.pk)
    address = reverse("observers:safety_log")
    assert all(key in seat_client.get(address).text for key in both)

    Question.objects.filter(pk=question.pk).update(peers_only=True)

    text = seat_client.get(address).text
    assert "Velorin" in text
    assert not any(key in text for key in both)
