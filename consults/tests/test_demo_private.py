"""The private consults and the story of the demonstration."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.roles import MODERATORS
from accounts.tests.factories import make_member, make_specialty
from consults.demo import private, seeding
from consults.models import Story
from consults.tests.factories import make_case
from questions.models import Invitation, Question
from sermo.identifiers import STOP, check


@pytest.fixture
def cast(db, monkeypatch):
    """Two of each specialty, the cardiologist one can log in as, a moderator, and a solved case."""
    monkeypatch.setattr(seeding, "_prepare", lambda entry: [])  # pictures have tests of their own
    for name in {name for entry in private.CASES for name in entry["specialties"]} | {"Internal Medicine"}:
        make_member(specialty=make_specialty(name))
        make_member(specialty=make_specialty(name))
    own = make_member("left_atrium", email=private.CARDIOLOGIST)
    make_member().user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    make_case(make_member(), images=0, solved_at=timezone.now() + timedelta(seconds=1))
    return own


class Said(list):
    write = list.append


def test_they_are_there_and_twice_is_once(cast):
    for _ in range(2):
        private.seed(Said())

    invited = Invitation.objects.order_by("pk").values_list("state", "question__answer_count")
    assert list(invited) == [("sent", 0), ("accepted", 1)]
    assert Invitation.objects.get(state="sent").member == cast
    assert Question.objects.filter(audience="invited", peers_only=True).count() == 2
    story = Story.objects.told().get()
    assert story.title == private.STORY_TITLE
    assert story.case.consent.kind == "signed"


def test_nothing_in_them_would_be_stopped():
    texts = [private.STORY_TITLE, private.STORY, *map(str, private.ANSWER.values())]
    texts += [str(value) for entry in private.CASES for value in entry.values()]

    assert [finding for text in texts for finding in check(text) if finding.level == STOP] == []
