"""The focus groups of the demonstration: one of each state, by the services, once."""

import io

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import Mail
from accounts.roles import MODERATORS
from accounts.tests.factories import make_member, make_user
from focusgroups import demo, readiness
from focusgroups.models import Answer, Completion, Message, Participant, Quote, Room

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard_alone")]


@pytest.fixture
def cast():
    user = make_user(email="moderator@demo.sermo.test")
    user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    make_member(specialty="Family Medicine", user=user)
    cardiologist = make_member(
        "left_ventricle",
        specialty="Cardiovascular Disease",
        user=make_user(email="cardio@demo.sermo.test"),
    )
    for specialty, number in (("Cardiovascular Disease", 10), ("Nephrology", 8), ("Internal Medicine", 8)):
        for _ in range(number):
            make_member(specialty=specialty)
    make_member(specialty="Family Medicine")
    return cardiologist


def test_there_is_one_of_each_state_and_a_second_run_changes_nothing(cast):
    demo.seed(io.StringIO())
    rooms = {room.state: room for room in Room.objects.all()}
    before = Answer.objects.count(), Message.objects.count(), Completion.objects.count()
    demo.seed(io.StringIO())

    assert set(rooms) == {"draft", "recruiting", "running", "closed"}
    assert before == (Answer.objects.count(), Message.objects.count(), Completion.objects.count())
    assert not Mail.objects.exists()

    draft = rooms["draft"]
    assert len(readiness.missing(draft)) == 2

    recruiting_room = rooms["recruiting"]
    asked = recruiting_room.candidates.get(member=cast)
    assert (asked.state, recruiting_room.screener.count()) == ("invited", 4)
    assert recruiting_room.sponsor.is_blinded

    running = rooms["running"]
    assert running.sections.released().count() == 3
    assert [cell.participants.count() for cell in running.cells.all()] == [8, 6]
    assert running.live_hours.get().starts_at > timezone.now()
    assert set(running.messages.values_list("kind", flat=True)) == {"reply", "probe", "note"}
    assert running.codes.count() == 4
    waiting = Quote.objects.get(state="proposed")
    assert waiting.answer.participant.member == cast

    closed = rooms["closed"]
    earned = Completion.objects.filter(participant__room=closed, final_at__isnull=False)
    assert sum(earned.filter(participant__member=cast).values_list("cents", flat=True)) == 35_000
    assert not Completion.objects.filter(section__room=closed, final_at=None).exists()


def test_nothing_was_said_or_done_after_now(cast):
    demo.seed(io.StringIO())
    now = timezone.now()

    moments = {
        "posted_at": Answer.objects.values_list("posted_at", flat=True),
        "message": Message.objects.values_list("posted_at", flat=True),
        "joined_at": Participant.objects.values_list("joined_at", flat=True),
        "completed_at": Completion.objects.values_list("completed_at", flat=True),
    }

    for name, found in moments.items():
        assert found, name
        assert max(found) <= now, name
    for answer in Answer.objects.select_related("prompt__section", "participant"):
        assert answer.prompt.section.opens_at < answer.posted_at
        assert answer.participant.joined_at < answer.posted_at
