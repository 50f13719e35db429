"""What was paid in a discussion and is undone is not said any more to have been paid."""

import pytest
from django.urls import reverse

from accounts.tests.factories import make_member, make_user
from questions.services import closing
from questions.tests.factories import corroborate, make_answer, make_question
from rewards.models import Pool, Settlement
from rewards.services import checking, choosing, correcting
from rewards.tests.factories import make_charity, make_draw_day, make_earmark, make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def desk(db):
    return make_user(is_staff=True)


def undo(earmark, desk):
    earmark.refresh_from_db()
    return correcting.undo(earlier=earmark.ended, reason="Not right", by=desk)


def test_a_discussion_says_what_stands_and_nothing_once_nothing_does(physician, physician_client, desk):
    make_draw_day()
    question, first, second = make_question(physician), make_member(), make_member()
    answers = [make_answer(question, author) for author in (first, second)]
    corroborate(answers[0], second)
    halden, corvane = make_firm("Halden"), make_firm("Corvane")
    earmarks = [
        make_earmark(answers[0], halden, author_cents=1_000, voter_cents=500, voter_slots=1),
        make_earmark(answers[1], corvane, author_cents=700),
    ]
    closing.close_question(question=question, by=physician)
    before = Settlement.objects.get()
    assert (before.paid_cents, before.payees, before.firms) == (2_200, 2, ["Halden", "Corvane"])

    undo(earmarks[0], desk)

    after = Settlement.objects.get()
    assert (after.paid_cents, after.payees, after.firms) == (700, 1, ["Corvane"])
    assert list(checking.faults()) == []

    undo(earmarks[1], desk)

    assert not Settlement.objects.exists()
    assert not Pool.objects.exists()
    assert list(checking.faults()) == []
    url = reverse("rewards:draw", args=[question.pk])
    assert physician_client.get(url).status_code == 404


@pytest.mark.parametrize("takes", ["self", "charity"])
def test_nobody_undoes_what_was_paid_to_them(physician, desk, takes):
    question, author = make_question(physician), make_member()
    charity = make_charity() if takes == "charity" else None
    choosing.choose(member=author, takes=takes, charity=charity)
    earmark = make_earmark(make_answer(question, author))
    closing.close_question(question=question, by=physician)

    with pytest.raises(correcting.OwnMoney):
        undo(earmark, author.user)
    assert Settlement.objects.get().paid_cents == 1_000
    assert undo(earmark, desk).kind == "reversal"


def test_who_was_credited_is_told(physician, physician_client, desk):
    question, author = make_question(make_member()), physician
    earmark = make_earmark(make_answer(question, author))
    closing.close_question(question=question, by=question.asker)

    undo(earmark, desk)

    assert "taken back as an error" in physician_client.get(reverse("accounts:notices")).content.decode()
