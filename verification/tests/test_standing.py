"""Ending a membership for conduct, and giving it back."""

import pytest
from django.utils import timezone

from accounts.models import Member
from accounts.tests.factories import make_member
from verification.models import Dispute, Event
from verification.models.claims import State
from verification.services import events, standing, states
from verification.signals import member_revoked
from verification.tests.factories import make_claim, make_provider


@pytest.fixture
def claim(physician):
    return make_claim(physician, make_provider(school=None), state=State.VERIFIED)


@pytest.fixture
def revoked():
    heard = []

    def listener(member, claim, **kwargs):
        heard.append((member, claim))

    member_revoked.connect(listener)
    yield heard
    member_revoked.disconnect(listener)


def now(row):
    return type(row).objects.get(pk=row.pk)


def test_suspended_and_given_back(claim, physician, moderator):
    was = standing.suspend(member=physician, by=moderator.user)
    assert (now(claim).state, now(physician).standing) == (State.SUSPENDED, "suspended")
    with pytest.raises(standing.EndedAlready):
        standing.suspend(member=physician, by=moderator.user)

    for _ in range(2):
        standing.reinstate(member=physician, by=moderator.user, was=was)

    assert (now(claim).state, now(physician).standing) == (State.VERIFIED, "physician")
    trail = Event.objects.filter(case_number=claim.case_number).values_list("to_state", "reason", "actor")
    actor = events.subject_of(moderator.user).pk
    assert list(trail) == [("suspended", "conduct", actor), ("verified", "conduct", actor)]


@pytest.mark.parametrize(
    "state", [State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER, State.LAPSED, State.RETIRED]
)
def test_what_is_given_back_is_what_was_taken(physician, moderator, state):
    held = {"method": "document", "verified_at": timezone.now()}
    claim = make_claim(physician, make_provider(school=None), state=state, **held)
    if state == State.DISPUTED_HOLDER:
        rival = make_claim(make_member(), make_provider(school=None), state=State.DISPUTED_RIVAL)
        opened = claim.started_at
        Dispute.objects.create(
            holder_claim=claim, rival_claim=rival, opened_at=opened, due_at=opened.replace(year=2100)
        )
    was = standing.suspend(member=physician, by=moderator.user)
    standing.reinstate(member=physician, by=moderator.user, was=was)

    assert now(claim).state == state


def test_a_dispute_that_was_settled_meanwhile_is_not_given_back(physician, moderator):
    claim = make_claim(physician, make_provider(school=None), state=State.DISPUTED_HOLDER)
    was = standing.suspend(member=physician, by=moderator.user)
    standing.reinstate(member=physician, by=moderator.user, was=was)

    assert now(claim).state == State.VERIFIED


def test_revoked_the_name_goes_and_it_is_announced(claim, physician, moderator, revoked):
    Member.objects.filter(pk=physician.pk).update(byline_mode="public", display_name="Amara Okafor, MD")
    was = standing.revoke(member=physician, by=moderator.user)

    physician.refresh_from_db()
    assert (now(claim).state, physician.standing, physician.display_name) == (State.REVOKED, "suspended", "")
    assert revoked == [(physician, now(claim))]
    with pytest.raises(standing.EndedAlready):
        standing.suspend(member=physician, by=moderator.user)
    standing.reinstate(member=physician, by=moderator.user, was=was)
    assert now(physician).standing == "physician"


def test_suspended_it_can_still_be_revoked(claim, physician, moderator):
    standing.suspend(member=physician, by=moderator.user)
    standing.revoke(member=physician, by=moderator.user)

    assert now(claim).state == State.REVOKED


def test_revoked_while_suspended_the_suspension_is_given_back(claim, physician, moderator):
    before = standing.suspend(member=physician, by=moderator.user)
    was = standing.revoke(member=physician, by=moderator.user)
    with pytest.raises(standing.EndedByAnother):
        standing.reinstate(member=physician, by=moderator.user, was=before)
    standing.reinstate(member=physician, by=moderator.user, was=was)
    assert (now(claim).state, now(physician).standing) == (State.SUSPENDED, "suspended")

    standing.reinstate(member=physician, by=moderator.user, was=before)
    assert (now(claim).state, now(physician).standing) == (State.VERIFIED, "physician")


def test_what_a_reviewer_has_suspended_since_is_not_given_back(claim, physician, moderator, staff):
    was = standing.suspend(member=physician, by=moderator.user)
    states.move(claim=claim, to=State.VERIFIED, as_=states.REVIEWER, by=staff)
    states.move(claim=claim, to=State.SUSPENDED, as_=states.REVIEWER, by=staff, reason="license")
    with pytest.raises(standing.EndedByAnother):
        standing.reinstate(member=physician, by=moderator.user, was=was)

    assert now(claim).state == State.SUSPENDED


def test_a_license_that_somebody_else_holds_meanwhile_is_not_given_back(claim, physician, moderator):
    was = standing.revoke(member=physician, by=moderator.user)
    make_claim(make_member(), make_provider(school=None), state=State.VERIFIED, npi_hash=claim.npi_hash)
    with pytest.raises(standing.HeldByAnother):
        standing.reinstate(member=physician, by=moderator.user, was=was)

    assert now(physician).standing == "suspended"


def test_who_holds_no_claim_loses_the_standing_alone(physician, moderator, revoked):
    was = standing.suspend(member=physician, by=moderator.user)
    assert now(physician).standing == "suspended"
    standing.reinstate(member=physician, by=moderator.user, was=was)
    assert now(physician).standing == "physician"
    standing.revoke(member=physician, by=moderator.user)

    assert now(physician).standing == "suspended"
    assert revoked == [(physician, None)]
    assert Event.objects.filter(kind="standing", case_number="").count() == 3
    assert events.first_broken() is None


def test_an_applicant_has_nothing_to_lose(applicant, moderator):
    with pytest.raises(standing.NoMembership):
        standing.suspend(member=applicant, by=moderator.user)


def test_who_has_left_has_nothing_to_lose(physician, moderator):
    physician.user = None
    physician.save()
    with pytest.raises(standing.NoMembership):
        standing.revoke(member=physician, by=moderator.user)


def test_moderators_move_claims_along_no_other_line():
    allowed = {move for move, roles in states.MOVES.items() if states.MODERATOR in roles}

    assert {to for _, to in allowed} == {*states.CONDUCT_ENDS, State.REVOKED}
    assert all(State.SUSPENDED in move or State.REVOKED in move for move in allowed)
