import pytest
from django.utils import timezone

from accounts.models import Member
from verification.models import Decision, Dispute, Event
from verification.models.claims import State
from verification.services import claims, held, outcome, proofs, standing, states
from verification.signals import member_revoked
from verification.tests.factories import (
    image_bytes,
    make_claim,
    make_exclusion,
    make_provider,
    make_reviewer,
)
from verification.tests.license_cases import days, mails, make_licensed, now, reasons

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]


@pytest.fixture
def doubted():
    claim = make_licensed()
    held.raise_doubt(claim=claim, doubt="gone", fact="gone")
    return now(claim)


@pytest.fixture
def suspended():
    claim = make_licensed()
    held.suspend(claim=claim, reason="excluded", fact="row")
    return now(claim)


@pytest.fixture
def lapsed():
    return make_licensed(State.LAPSED, standing="read_only")


def answer(claim, by, act, reason=None, **more):
    reason = reason or held.REASONS[act][0]
    return held.answer(claim=claim, by=by, act=act, reason=reason, note="Compared and thought.", **more)


def standing_of(claim):
    return Member.objects.get(user=claim.user).standing


# Doubts


def test_a_doubt_puts_a_claim_before_reviewers_and_takes_nothing(doubted):
    assert (doubted.state, doubted.doubts) == (State.NEEDS_REVIEW_HELD, ["gone"])
    assert doubted.queued_at
    assert standing_of(doubted) == "physician"
    assert mails(doubted) == []


def test_the_same_fact_is_no_news_and_another_is(doubted, reviewer):
    assert not held.raise_doubt(claim=doubted, doubt="gone", fact="gone")
    assert held.raise_doubt(claim=doubted, doubt="gone", fact="gone again")
    assert now(doubted).doubts == ["gone"]

    answer(doubted, reviewer, "keep")
    assert not held.raise_doubt(claim=doubted, doubt="gone", fact="gone")
    assert now(doubted).state == State.VERIFIED


@pytest.mark.parametrize("state", [State.MATCHED, State.REVOKED, State.LEFT, State.WITHDRAWN])
def test_who_holds_nothing_is_not_doubted(state):
    claim = make_licensed(state)

    assert not held.raise_doubt(claim=claim, doubt="gone", fact="gone")
    assert not held.suspend(claim=claim, reason="excluded", fact="row")


def test_events_say_no_fact(doubted):
    event = Event.objects.get(kind="found", case_number=doubted.case_number)

    assert event.reason == "gone"
    assert len(event.key) <= 80


# What reviewers answer


def test_keep_gives_it_back_as_verified_and_clears_the_doubt(doubted, reviewer):
    answer(doubted, reviewer, "keep", "record_fits")

    claim = now(doubted)
    assert (claim.state, claim.doubts, claim.queued_at) == (State.VERIFIED, [], None)
    assert claim.decisions.get().outcome == "keep"
    assert claim.decisions.get().waited is None  # applicants' times are foretold from applications alone


def test_a_lapsed_license_comes_back_with_a_new_date(lapsed, reviewer):
    proofs.add_document(claim=lapsed, sort="license", data=image_bytes())
    assert now(lapsed).queued_at
    with pytest.raises(held.DateMissing):
        answer(lapsed, reviewer, "keep", "document_fits")

    answer(lapsed, reviewer, "keep", "document_fits", expires_on=days(500))

    claim = now(lapsed)
    assert (claim.state, claim.license_expires_on, standing_of(claim)) == (
        State.VERIFIED,
        days(500),
        "physician",
    )
    assert claim.license_checks.get().source == "document"
    assert mails(claim) == ["Your license is verified again"]


def test_a_new_document_is_kept_until_it_was_read(lapsed):
    long_ago = timezone.now() - timezone.timedelta(days=40)
    type(lapsed).objects.update(decided_at=long_ago)
    document = proofs.add_document(claim=lapsed, sort="license", data=image_bytes())

    proofs.purge_documents()
    document.refresh_from_db()
    assert document.deleted_at is None

    type(document).objects.update(uploaded_at=long_ago)
    proofs.purge_documents()
    document.refresh_from_db()
    assert document.deleted_at is None

    type(lapsed).objects.update(queued_at=None)
    proofs.purge_documents()
    document.refresh_from_db()
    assert document.deleted_at


def test_a_date_that_is_over_is_refused(lapsed, reviewer):
    from verification.services.license_clock import Expired

    with pytest.raises(Expired):
        answer(lapsed, reviewer, "keep", expires_on=days(-1))
    assert now(lapsed).state == State.LAPSED
    assert not Decision.objects.exists()


def test_a_suspension_is_ended(suspended, reviewer):
    answer(suspended, reviewer, "keep")

    assert (now(suspended).state, standing_of(suspended)) == (State.VERIFIED, "physician")
    assert mails(suspended)[-1] == "Your verification stands again"


def test_a_namesake_on_the_list_must_be_compared(suspended, reviewer):
    make_exclusion(make_provider(), npi=None)

    with pytest.raises(outcome.ExclusionNotChecked):
        answer(suspended, reviewer, "keep")
    answer(suspended, reviewer, "keep", exclusion_checked=True)

    assert now(suspended).state == State.VERIFIED


def test_a_reviewer_asks_for_more(doubted, reviewer):
    with pytest.raises(held.ReasonMissing):
        answer(doubted, reviewer, "ask")
    answer(doubted, reviewer, "ask", message="Send the marriage certificate.")

    claim = now(doubted)
    assert (claim.state, claim.queued_at, claim.asked_for) == (
        State.NEEDS_REVIEW_HELD,
        None,
        "Send the marriage certificate.",
    )
    proofs.add_document(claim=claim, sort="letter", data=image_bytes())
    assert now(claim).queued_at


@pytest.mark.parametrize("state", [State.VERIFIED, State.NEEDS_REVIEW_HELD, State.LAPSED, State.RETIRED])
def test_a_reviewer_suspends(reviewer, state):
    claim = make_licensed(state)

    answer(claim, reviewer, "suspend", "no_license")

    assert (now(claim).state, standing_of(claim)) == (State.SUSPENDED, "suspended")
    assert held.suspension_of(now(claim)).words == "A reviewer found no license in force."


@pytest.mark.parametrize("state", [State.NEEDS_REVIEW_HELD, State.LAPSED, State.SUSPENDED, State.RETIRED])
def test_revoking_takes_two_reviewers(reviewer, second_reviewer, state):
    claim = make_licensed(state)

    answer(claim, reviewer, "revoke", "not_own")
    assert now(claim).state == state
    assert now(claim).queued_at
    with pytest.raises(held.AlreadySaid):
        answer(claim, reviewer, "revoke", "not_own")
    answer(claim, second_reviewer, "revoke", "not_own")

    assert (now(claim).state, standing_of(claim)) == (State.REVOKED, "suspended")
    assert mails(claim) == ["Your verification was ended"]


def test_another_answer_ends_a_first_opinion(suspended, reviewer, second_reviewer):
    answer(suspended, reviewer, "revoke")
    answer(suspended, second_reviewer, "ask", message="Send the waiver.")

    answer(suspended, second_reviewer, "revoke")

    assert now(suspended).state == State.SUSPENDED
    answer(suspended, reviewer, "revoke")
    assert now(suspended).state == State.REVOKED


@pytest.mark.parametrize(("reason", "is_fraud"), [("not_own", True), ("license_ended", False)])
def test_only_fraud_takes_back_what_was_given(suspended, reviewer, second_reviewer, reason, is_fraud):
    heard = []

    def hear(**kwargs):
        heard.append(kwargs["claim"].pk)

    member_revoked.connect(hear)
    try:
        for each in (reviewer, second_reviewer):
            answer(suspended, each, "revoke", reason)
    finally:
        member_revoked.disconnect(hear)

    assert heard == ([suspended.pk] if is_fraud else [])


def test_a_kept_holder_is_disputed_again_while_a_rival_waits(suspended, reviewer):
    rival = make_claim(provider=make_provider(), state=State.DISPUTED_RIVAL)
    Dispute.objects.create(
        holder_claim=suspended, rival_claim=rival, due_at=timezone.now() + timezone.timedelta(days=3)
    )

    answer(suspended, reviewer, "keep")

    assert now(suspended).state == State.DISPUTED_HOLDER


@pytest.mark.parametrize(
    ("state", "act"),
    [
        (State.VERIFIED, "revoke"),
        (State.LAPSED, "retire"),
        (State.RETIRED, "retire"),
        (State.SUSPENDED, "suspend"),
    ],
)
def test_what_the_state_does_not_allow_is_refused(reviewer, state, act):
    claim = make_licensed(state)

    with pytest.raises(held.NotForThisState):
        answer(claim, reviewer, act)


@pytest.mark.parametrize("state", [State.MATCHED, State.DISPUTED_HOLDER, State.REVOKED])
def test_other_claims_are_not_decided_here(reviewer, state):
    with pytest.raises(held.AlreadyDecided):
        answer(make_licensed(state), reviewer, "keep")


def test_reasons_and_notes_must_fit(doubted, reviewer):
    with pytest.raises(held.WrongReason):
        answer(doubted, reviewer, "keep", "not_own")
    with pytest.raises(held.ReasonMissing):
        held.answer(claim=doubted, by=reviewer, act="keep", reason="record_fits", note=" ")


def test_only_reviewers_and_never_their_own(doubted, colleague):
    own = make_reviewer()
    with pytest.raises(held.NotAReviewer):
        answer(doubted, colleague.user, "keep")
    type(doubted).objects.filter(pk=doubted.pk).update(user=own)
    with pytest.raises(held.NotAReviewer):
        answer(doubted, own, "keep")


# Appeals


def test_a_suspension_is_appealed_once_and_waits_for_a_reviewer(suspended):
    claims.appeal(user=suspended.user, text="I was never excluded; the number is another's.")

    claim = now(suspended)
    assert (claim.state, claim.doubts) == (State.SUSPENDED, ["suspension_appeal"])
    assert claim.queued_at
    assert claim.appeal.startswith("I was never")
    with pytest.raises(held.CannotAppeal):
        claims.appeal(user=suspended.user, text="Once more, if you please.")


def test_another_suspension_can_be_appealed_again(suspended, reviewer):
    claims.appeal(user=suspended.user, text="I was never excluded.")
    answer(suspended, reviewer, "keep")
    held.suspend(claim=suspended, reason="license_ended", fact="another")

    assert claims.appeal(user=suspended.user, text="My license stands.")


def test_who_suspended_does_not_read_the_appeal(reviewer, second_reviewer):
    claim = make_licensed()
    answer(claim, reviewer, "suspend", "no_license")
    claims.appeal(user=claim.user, text="It is in force; see the board.")

    for act in ("keep", "revoke"):
        with pytest.raises(held.AnotherReviewer):
            answer(claim, reviewer, act)
    answer(claim, second_reviewer, "keep")
    assert now(claim).state == State.VERIFIED


def test_what_moderators_decided_is_not_appealed_or_ended_here(moderator, reviewer):
    claim = make_licensed()
    standing.suspend(member=claim.user.as_member, by=moderator.user)

    assert held.suspension_of(now(claim)).by_moderators
    with pytest.raises(held.DecidedByModerators):
        claims.appeal(user=claim.user, text="That was not how it was.")
    with pytest.raises(held.DecidedByModerators):
        answer(now(claim), reviewer, "keep")


def test_who_is_not_suspended_has_nothing_to_appeal(doubted, suspended, reviewer, second_reviewer):
    with pytest.raises(claims.CannotAppeal):
        claims.appeal(user=doubted.user, text="What is this about, then?")
    for each in (reviewer, second_reviewer):
        answer(suspended, each, "revoke")
    with pytest.raises(claims.CannotAppeal):
        claims.appeal(user=suspended.user, text="What is this about, then?")


@pytest.mark.parametrize("reason", ["excluded", "license_ended"])
def test_a_member_reads_why(reason):
    claim = make_licensed()
    held.suspend(claim=claim, reason=reason, fact="fact")

    said = held.suspension_of(now(claim))
    assert said.words == held.WORDS[reason]
    assert said.may_appeal


# Retired


def test_staff_show_a_member_as_retired(reviewer):
    claim = make_licensed()

    answer(claim, reviewer, "retire")

    assert (now(claim).state, standing_of(claim), reasons(claim)) == (
        State.RETIRED,
        "physician",
        ["retired"],
    )
    assert mails(claim) == ["You are shown as retired"]


def test_a_member_asks_for_it_once_and_writes_on(reviewer):
    claim = make_licensed()

    for _ in range(2):
        held.ask_to_retire(user=claim.user)

    assert (now(claim).state, now(claim).doubts) == (State.VERIFIED, ["retiring"])
    assert now(claim).queued_at
    answer(claim, reviewer, "retire")
    assert (now(claim).doubts, now(claim).queued_at) == ([], None)


def test_a_wish_can_be_set_aside(reviewer):
    claim = make_licensed()
    held.ask_to_retire(user=claim.user)

    answer(claim, reviewer, "keep")

    assert (now(claim).state, now(claim).doubts, now(claim).queued_at) == (State.VERIFIED, [], None)


def test_only_the_verified_ask_for_it(lapsed):
    with pytest.raises(held.NothingToRetire):
        held.ask_to_retire(user=lapsed.user)


def test_every_move_that_is_offered_exists():
    to = {
        "suspend": State.SUSPENDED,
        "revoke": State.REVOKED,
        "retire": State.RETIRED,
        "keep": State.VERIFIED,
    }
    for state, acts in held.ACTS.items():
        for act in acts:
            if act in to and not (act == "keep" and state in (State.VERIFIED, State.RETIRED)):
                assert states.REVIEWER in states.MOVES[state, to[act]]
