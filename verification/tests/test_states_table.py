"""The table of moves is section 10 of the design, and random walks along and beside it leave the database whole."""

from itertools import product

import pytest
from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Member
from verification import states_table
from verification.models import Claim, Event
from verification.models.claims import FINAL, HOLDING, UNDECIDED, State
from verification.services import events, states
from verification.states_table import APPLICANT, MODERATOR, REVIEWER, STAFF_LIST, SYSTEM
from verification.tests.factories import make_applicant, make_claim, make_provider

ROLES = (SYSTEM, APPLICANT, REVIEWER, MODERATOR, STAFF_LIST)
PAIRS = [pair for pair in product(State.values, repeat=2) if pair[0] != pair[1]]

# Section 10: the table, then the "further moves", each as it stands there. "disputed" is two states here.
SECTION_10 = {
    ("draft", "matched"): {SYSTEM},
    ("draft", "needs_review"): {SYSTEM},
    ("matched", "challenged"): {SYSTEM},
    ("matched", "needs_review"): {SYSTEM, APPLICANT},
    ("matched", "locked"): {SYSTEM},
    ("draft", "locked"): {SYSTEM},
    ("challenged", "proven"): {SYSTEM, REVIEWER},
    ("needs_review", "proven"): {SYSTEM, REVIEWER},
    ("proven", "verified"): {SYSTEM},
    ("proven", "disputed_rival"): {SYSTEM},
    ("disputed_rival", "verified"): {REVIEWER},
    ("disputed_rival", "rejected"): {REVIEWER},
    ("disputed_holder", "verified"): {REVIEWER},
    ("disputed_holder", "revoked"): {REVIEWER},
    ("verified", "lapsed"): {SYSTEM},
    ("lapsed", "verified"): {SYSTEM, REVIEWER},
    ("verified", "suspended"): {SYSTEM, REVIEWER},
    ("lapsed", "suspended"): {SYSTEM, REVIEWER},
    ("suspended", "verified"): {REVIEWER},
    ("suspended", "revoked"): {REVIEWER},
    **{(state, "withdrawn"): {APPLICANT} for state in UNDECIDED},
    ("needs_review", "rejected"): {REVIEWER},
    ("rejected", "needs_review"): {APPLICANT},
    ("locked", "draft"): {REVIEWER},
    ("locked", "needs_review"): {REVIEWER},
    ("verified", "disputed_holder"): {SYSTEM},
    ("lapsed", "disputed_holder"): {SYSTEM},
    ("verified", "needs_review_held"): {SYSTEM, REVIEWER},
    ("needs_review_held", "verified"): {REVIEWER},
    ("needs_review_held", "suspended"): {SYSTEM, REVIEWER},
    ("verified", "revoked"): {REVIEWER},
    ("lapsed", "revoked"): {REVIEWER},
    ("verified", "retired"): {REVIEWER},
}
LEFT_OUT = {
    ("needs_review", "proven", SYSTEM): "what a reviewer was asked to weigh, a code alone does not settle",
    (
        "locked",
        "draft",
        REVIEWER,
    ): "a draft would be matched and locked by the same cap; documents decide instead",
    (
        "lapsed",
        "disputed_holder",
        SYSTEM,
    ): "a dispute lifts nothing: a lapsed holder stays read only while disputed",
}
ADDED = {
    (
        "draft",
        "verified",
        STAFF_LIST,
    ): "pioneers, whose documents staff have read before there were reviewers",
    ("challenged", "needs_review", REVIEWER): "on the way to a rejection",
    ("proven", "needs_review", REVIEWER): "three vouched, the reviewer doubts",
    ("disputed_holder", "verified", SYSTEM): "the rival withdrew",
    ("disputed_holder", "suspended", SYSTEM): "an exclusion does not wait for a dispute",
    ("disputed_holder", "suspended", REVIEWER): "the same, seen by a reviewer",
    ("retired", "suspended", SYSTEM): "an exclusion of a retired member",
    ("retired", "suspended", REVIEWER): "the same, seen by a reviewer",
    ("needs_review_held", "revoked", REVIEWER): "somebody else proved to be that person",
    ("retired", "revoked", REVIEWER): "the same",
    ("needs_review_held", "lapsed", SYSTEM): "the clock runs while people look",
    ("lapsed", "needs_review_held", SYSTEM): "the registry changed after it lapsed",
    ("lapsed", "needs_review_held", REVIEWER): "the same, seen by a reviewer",
    **{(state, "left", APPLICANT): "the account is closed" for state in ("verified", "lapsed", "retired")},
}


def test_the_table_is_section_10():
    """But for what is left out and added above, with the reason, and for moderators, of whom section 10 is silent."""
    wanted = {(*pair, role) for pair, roles in SECTION_10.items() for role in roles}
    found = {(*pair, role) for pair, roles in states.MOVES.items() for role in roles if role != MODERATOR}

    assert wanted - found == set(LEFT_OUT)
    assert found - wanted == set(ADDED)


def test_moderators_only_end_memberships_and_give_them_back():
    found = {pair for pair, roles in states.MOVES.items() if MODERATOR in roles}

    ends = {(was, to) for was in states_table.CONDUCT_ENDS for to in ("suspended", "revoked") if was != to}
    assert found == ends | {(to, was) for was, to in ends}


def test_every_move_says_what_must_be_true():
    assert all(row.guard.endswith(".") and set(row.by) <= set(ROLES) for row in states_table.TABLE)
    assert {was for row in states_table.TABLE for was in row.was} == set(State) - {
        State.WITHDRAWN,
        State.LEFT,
    }


def test_every_state_but_the_first_can_be_reached():
    reached, todo = set(), [State.DRAFT]
    while todo:
        if (state := todo.pop()) not in reached:
            reached.add(state)
            todo += [to for was, to in states.MOVES if was == state]

    assert reached == set(State)


# Random walks

COLUMNS = [
    field.attname for field in Claim._meta.fields if field.name not in ("identity", "asked_for", "appeal")
]


class World:
    """Two accounts that claim one person, and a third that claims another; what the table says must be of each."""

    def __init__(self):
        person, other = make_provider(school=None), make_provider(school=None)
        self.claims = [
            make_claim(make_applicant(), each, state=State.DRAFT) for each in (person, person, other)
        ]

    def step(self, which: int, to: str, role: str) -> None:
        claim = self.claims[which]
        self._log_in(claim)
        before, was = self._seen(), Claim.objects.get(pk=claim.pk).state
        is_legal = role in states.MOVES.get((was, to), ())
        others = Claim.objects.of_identity(claim).holding().exclude(pk=claim.pk)
        if was == to:
            self._move(claim, to, role)
            assert self._seen() == before
        elif not is_legal:
            with pytest.raises(states.IllegalMove):
                self._move(claim, to, role)
            assert self._seen() == before
        elif to in HOLDING and others.exists():
            with pytest.raises(IntegrityError):
                self._move(claim, to, role)
            assert self._seen() == before
        else:
            self._move(claim, to, role)
            self._check(claim, was, to, before)

    def _move(self, claim, to, role):
        filled = {"method": "document", "verified_at": timezone.now()} if to in HOLDING else {}
        if to == State.REJECTED:
            filled = {"rejected_for": "other"}
        with transaction.atomic():
            states.move(claim=claim, to=to, as_=role, **filled)

    def _check(self, claim, was, to, before):
        after = self._seen()
        event = Event.objects.latest("pk")
        said = (event.kind, event.case_number, event.from_state, event.to_state)
        assert said == ("state", claim.case_number, was, to)
        assert after["events"] == before["events"] + 1
        changed = {pk for pk, row in after["claims"].items() if row != before["claims"][pk]}
        assert changed == {claim.pk}
        moved = Claim.objects.select_related("user__member").get(pk=claim.pk)
        assert moved.state == to
        standing = states.STANDINGS.get(to)
        assert moved.user.as_member.standing == (standing or before["standings"][moved.user.as_member.pk])
        assert UserSession.objects.filter(user=claim.user).exists() == (standing != Member.Standing.SUSPENDED)
        if to in HOLDING or to in FINAL:
            assert moved.queued_at is None
        assert Claim.objects.of_identity(claim).holding().count() <= 1

    def _log_in(self, claim):
        UserSession.objects.get_or_create(
            user=claim.user, defaults={"session_key": f"{claim.pk}", "ip": "127.0.0.1", "user_agent": ""}
        )

    def _seen(self):
        return {
            "claims": {row["id"]: row for row in Claim.objects.values(*COLUMNS)},
            "events": Event.objects.count(),
            "standings": dict(Member.objects.values_list("pk", "standing")),
            "sessions": set(UserSession.objects.values_list("session_key", flat=True)),
        }


@st.composite
def walks(draw):
    """Steps of (claim, state, role): along the lines as often as anywhere."""
    now, steps = [State.DRAFT] * 3, []
    for _ in range(draw(st.integers(4, 14))):
        which = draw(st.integers(0, 2))
        legal = [(to, role) for (was, to), by in states.MOVES.items() if was == now[which] for role in by]
        if legal and draw(st.booleans()):
            to, role = draw(st.sampled_from(sorted(legal)))
            now[which] = to
        else:
            to, role = draw(st.sampled_from(State.values)), draw(st.sampled_from(ROLES))
        steps.append((which, to, role))
    return steps


@pytest.fixture
def world(db, specialties):
    return World()


def random_walks(number):
    fixtures = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=number, deadline=None, derandomize=True, suppress_health_check=fixtures)


@random_walks(15)
@given(walk=walks())
def test_random_walks_keep_to_the_table(world, walk):
    keeps_to_the_table(world, walk)


@pytest.mark.scale
@random_walks(400)
@given(walk=walks())
def test_many_random_walks_keep_to_the_table(world, walk):
    keeps_to_the_table(world, walk)


def keeps_to_the_table(world, walk):
    point = transaction.savepoint()
    try:
        for step in walk:
            world.step(*step)
        assert events.first_broken() is None
    finally:
        transaction.savepoint_rollback(point)
