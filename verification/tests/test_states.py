from itertools import product

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.models import Member
from verification.models import Event
from verification.models.claims import State
from verification.services import states
from verification.tests.factories import make_claim

pytestmark = pytest.mark.django_db

IMPOSSIBLE = [
    pair for pair in product(State.values, repeat=2) if pair not in states.MOVES and pair[0] != pair[1]
]


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider)


def put(claim, state, **fields):
    """Set a state from outside of the services."""
    type(claim).objects.filter(pk=claim.pk).update(state=state, **fields)


def test_a_move_writes_state_moment_and_event(claim):
    moved = states.move(
        claim=claim, to=State.CHALLENGED, as_=states.SYSTEM, reason="passed", evidence=["questions"]
    )

    event = Event.objects.get()
    assert moved.state == State.CHALLENGED
    assert moved.state_at > claim.state_at
    assert (event.from_state, event.to_state, event.reason, event.evidence) == (
        "matched",
        "challenged",
        "passed",
        ["questions"],
    )
    assert event.case_number == claim.case_number


def test_a_move_to_where_the_claim_is_changes_nothing(claim):
    states.move(claim=claim, to=State.CHALLENGED, as_=states.SYSTEM)
    states.move(claim=claim, to=State.CHALLENGED, as_=states.SYSTEM)

    assert Event.objects.count() == 1


def test_every_other_pair_of_states_is_refused(claim):
    for was, to in IMPOSSIBLE:
        put(claim, was, rejected_for="other", method="document", verified_at=claim.started_at)
        for role in (states.SYSTEM, states.APPLICANT, states.REVIEWER):
            with pytest.raises(states.IllegalMove):
                states.move(claim=claim, to=to, as_=role)

    assert not Event.objects.exists()


def test_the_right_move_in_the_wrong_role_is_refused(claim):
    put(claim, State.NEEDS_REVIEW)

    with pytest.raises(states.IllegalMove):
        states.move(claim=claim, to=State.PROVEN, as_=states.APPLICANT)


@pytest.mark.parametrize(
    ("was", "to", "role", "standing"),
    [
        (State.PROVEN, State.VERIFIED, states.SYSTEM, Member.Standing.PHYSICIAN),
        (State.VERIFIED, State.LAPSED, states.SYSTEM, Member.Standing.READ_ONLY),
        (State.LAPSED, State.VERIFIED, states.SYSTEM, Member.Standing.PHYSICIAN),
        (State.VERIFIED, State.SUSPENDED, states.SYSTEM, Member.Standing.SUSPENDED),
        (State.VERIFIED, State.RETIRED, states.REVIEWER, Member.Standing.PHYSICIAN),
        (State.VERIFIED, State.REVOKED, states.REVIEWER, Member.Standing.SUSPENDED),
        (State.MATCHED, State.CHALLENGED, states.SYSTEM, Member.Standing.APPLICANT),
    ],
)
def test_the_members_standing_follows_the_claim(claim, seeker, was, to, role, standing):
    put(claim, was, method="document", verified_at=claim.started_at)

    states.move(claim=claim, to=to, as_=role, method="document", verified_at=claim.started_at)

    seeker.refresh_from_db()
    assert seeker.standing == standing


def test_a_suspension_ends_all_sessions_at_once(claim, seeker):
    browser = Client()
    browser.force_login(seeker.user)
    UserSession.objects.get_or_create(
        session_key=browser.session.session_key,
        defaults={"user": seeker.user, "ip": "127.0.0.1", "user_agent": ""},
    )
    put(claim, State.VERIFIED, method="document", verified_at=claim.started_at)

    states.move(claim=claim, to=State.SUSPENDED, as_=states.SYSTEM)

    assert not UserSession.objects.filter(user=seeker.user).exists()
    assert browser.get("/settings/").status_code == 302


def test_a_revoked_member_shows_no_real_name(claim, seeker):
    Member.objects.filter(pk=seeker.pk).update(byline_mode="public", display_name="Ottoline Quillfeather, MD")
    put(claim, State.VERIFIED, method="document", verified_at=claim.started_at)

    states.move(claim=claim, to=State.REVOKED, as_=states.REVIEWER)

    seeker.refresh_from_db()
    assert (seeker.byline_mode, seeker.display_name) == ("anonymous", "")
