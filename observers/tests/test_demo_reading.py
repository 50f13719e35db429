"""The reads of the demonstration: plausible, within the gate, and written once."""

from datetime import timedelta

import pytest
from django.db.models import F, Sum
from django.utils import timezone

from observers.demo import reading
from observers.models import Read, ReadDay, Seat, Way
from observers.tests.factories import let_pass, make_seat
from questions.models import Question
from questions.tests.factories import make_answer, make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


def test_firms_read_what_was_open_to_them_since_they_had_a_seat(physician):
    seats = [make_seat(), make_seat(name="N. Other")]
    Seat.objects.update(taken_at=timezone.now() - timedelta(days=30))
    for number in range(12):
        question = make_question(physician, f"What of number {number}?", peers_only=number == 0)
        make_answer(question)
        let_pass(question, timedelta(days=number * 5 + 1))

    made = reading.seed()

    assert made == Read.objects.count() == ReadDay.objects.aggregate(Sum("reads"))["reads__sum"] > 50
    assert set(Read.objects.values_list("way", flat=True)) == {Way.FOUND, Way.OPENED}
    assert {row.seat_id for row in Read.objects.all()} == {seat.pk for seat in seats}
    assert not Read.objects.filter(question=Question.objects.get(peers_only=True)).exists()
    assert not Read.objects.filter(at__lte=F("post__posted_at") + timedelta(hours=1)).exists()
    assert not Read.objects.filter(at__lte=F("seat__taken_at")).exists()
    assert not Read.objects.filter(at__gt=timezone.now()).exists()
    assert reading.seed() == 0
