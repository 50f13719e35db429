"""A claim whose NPI is held by one and whose license number by another: two disputes, which it wins both or neither."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail, Member
from conftest import client_of
from verification.models import Claim, Dispute, Event
from verification.models.claims import State
from verification.services import automatic, claims, decisions, disputes, notices, proofs, queue
from verification.signals import member_revoked
from verification.tests.factories import (
    image_bytes,
    make_claim,
    make_reviewer,
)
from verification.tests.test_parallel import at_once

pytestmark = pytest.mark.django_db
NOTE = "As the documents say."


@pytest.fixture
def by_npi(provider):
    """Verified with the NPI, under a license of another number."""
    claim = make_claim(provider=provider, state=State.VERIFIED, license_hash="n" * 64)
    Member.objects.filter(user=claim.user).update(standing="physician")
    return claim


@pytest.fixture
def by_license(provider):
    """Verified with the license number, under another NPI."""
    claim = make_claim(provider=provider, state=State.VERIFIED, npi_hash="l" * 64)
    Member.objects.filter(user=claim.user).update(standing="physician")
    return claim


@pytest.fixture
def rival(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    return claim


@pytest.fixture
def both(by_npi, by_license, rival, reviewer):
    """Both disputes, the days of the holders over."""
    decisions.approve(claim=rival, by=reviewer, reason="document_fits", note="They agree.")
    make_due()
    return [Dispute.objects.get(holder_claim=holder) for holder in (by_npi, by_license)]


def make_due():
    now = timezone.now()
    Dispute.objects.update(opened_at=now - timedelta(days=15), due_at=now - timedelta(days=1))


def judge(dispute, side, *reviewers):
    for each in reviewers:
        dispute = disputes.give_opinion(dispute=dispute, by=each, side=side, note=NOTE)
    return dispute


def states(*claims_):
    return [Claim.objects.get(pk=claim.pk).state for claim in claims_]


def test_a_dispute_opens_with_each_of_them(both, by_npi, by_license, rival):
    assert states(by_npi, by_license, rival) == [
        State.DISPUTED_HOLDER,
        State.DISPUTED_HOLDER,
        State.DISPUTED_RIVAL,
    ]
    assert {each.rival_claim for each in both} == {rival}
    for holder in (by_npi, by_license):
        assert Mail.objects.filter(user=holder.user).exists()


def test_so_it_does_where_the_site_decides_by_itself(by_npi, by_license, provider):
    proven = make_claim(provider=provider, state=State.PROVEN)
    proven.proofs.create(kind="fax", ok_at=timezone.now())

    automatic.decide(claim_id=proven.pk)

    assert Dispute.objects.filter(rival_claim=proven).count() == 2
    assert states(proven, by_npi, by_license) == [
        State.DISPUTED_RIVAL,
        State.DISPUTED_HOLDER,
        State.DISPUTED_HOLDER,
    ]


def test_it_takes_two_people_for_each_and_nobody_loses_before(
    both, by_npi, by_license, rival, reviewer, second_reviewer
):
    first, second = both

    assert judge(first, "rival", reviewer, second_reviewer).outcome == ""
    assert states(by_npi, by_license, rival) == [
        State.DISPUTED_HOLDER,
        State.DISPUTED_HOLDER,
        State.DISPUTED_RIVAL,
    ]
    with pytest.raises(disputes.FoundFor):
        judge(first, "holder", make_reviewer())
    judge(second, "rival", reviewer)
    assert states(by_npi, by_license) == [State.DISPUTED_HOLDER, State.DISPUTED_HOLDER]

    heard = []
    member_revoked.connect(hear := lambda claim, **kwargs: heard.append(claim), weak=False)
    try:
        judge(second, "rival", second_reviewer)
    finally:
        member_revoked.disconnect(hear)

    assert states(by_npi, by_license, rival) == [State.REVOKED, State.REVOKED, State.VERIFIED]
    assert set(Dispute.objects.values_list("outcome", flat=True)) == {"rival"}
    assert heard == [by_npi, by_license]
    standing = dict(Member.objects.values_list("user", "standing"))
    assert [standing[each.user_id] for each in (by_npi, by_license, rival)] == [
        "suspended",
        "suspended",
        "physician",
    ]


def test_who_keeps_either_keeps_the_new_claim_from_both(
    both, by_npi, by_license, rival, reviewer, second_reviewer
):
    first, second = both
    judge(first, "rival", reviewer, second_reviewer)

    judge(second, "holder", reviewer, second_reviewer)

    assert states(by_npi, by_license, rival) == [State.VERIFIED, State.VERIFIED, State.REJECTED]
    assert set(Dispute.objects.values_list("outcome", flat=True)) == {"holder"}
    assert Event.objects.filter(kind="state", case_number=rival.case_number, to_state="rejected").count() == 1
    with pytest.raises(disputes.AlreadySettled):
        judge(first, "rival", make_reviewer())


def test_a_new_claim_that_is_withdrawn_leaves_both_in_peace(both, by_npi, by_license, rival):
    claims.withdraw(user=rival.user)

    assert states(by_npi, by_license, rival) == [State.VERIFIED, State.VERIFIED, State.WITHDRAWN]


def test_whoever_came_to_hold_the_number_during_the_dispute_is_heard_too(
    by_npi, provider, rival, reviewer, second_reviewer
):
    decisions.approve(claim=rival, by=reviewer, reason="document_fits", note="They agree.")
    make_due()
    late = make_claim(provider=provider, state=State.VERIFIED, npi_hash="l" * 64)

    judge(Dispute.objects.get(), "rival", reviewer, second_reviewer)

    assert states(by_npi, late, rival) == [
        State.DISPUTED_HOLDER,
        State.DISPUTED_HOLDER,
        State.DISPUTED_RIVAL,
    ]
    with pytest.raises(disputes.TooEarly):
        judge(Dispute.objects.get(holder_claim=late), "rival", reviewer)
    make_due()
    judge(Dispute.objects.get(holder_claim=late), "rival", reviewer, second_reviewer)
    assert states(by_npi, late, rival) == [State.REVOKED, State.REVOKED, State.VERIFIED]


def test_after_an_appeal_those_who_judged_neither_judge_both(both, rival, seeker, reviewer, second_reviewer):
    judge(both[0], "holder", reviewer, second_reviewer)
    claims.appeal(user=seeker.user, text="The other card is forged.")
    third, fourth = make_reviewer(), make_reviewer()
    decisions.approve(claim=rival, by=third, reason="document_fits", note="They agree.")
    make_due()
    again = list(Dispute.objects.unsettled().order_by("pk"))

    with pytest.raises(disputes.JudgedBefore):
        judge(again[1], "rival", reviewer)
    for dispute in again:
        judge(dispute, "rival", third, fourth)

    assert states(rival) == [State.VERIFIED]


def test_who_else_disputes_a_loser_goes_on_against_whoever_has_what_they_mean(
    by_npi, provider, rival, reviewer, second_reviewer
):
    """One of them means the NPI, which is the winner's now; the other the number that only the loser had."""
    decisions.approve(claim=rival, by=reviewer, reason="document_fits", note="They agree.")
    same_npi = make_claim(provider=provider, state=State.DISPUTED_RIVAL, license_hash="o" * 64)
    same_number = make_claim(
        provider=provider, state=State.DISPUTED_RIVAL, npi_hash=None, license_hash=by_npi.license_hash
    )
    for each in (same_npi, same_number):
        due = timezone.now() + timedelta(days=14)
        Dispute.objects.create(holder_claim=by_npi, rival_claim=each, due_at=due)
    make_due()

    judge(Dispute.objects.get(rival_claim=rival), "rival", reviewer, second_reviewer)

    assert Dispute.objects.get(rival_claim=same_npi).holder_claim == rival
    assert Dispute.objects.get(rival_claim=same_number).holder_claim == by_npi
    assert states(rival) == [State.DISPUTED_HOLDER]
    for each in (same_number,):
        proofs.add_document(claim=each, sort="license", data=image_bytes())
    judge(Dispute.objects.get(rival_claim=same_number), "rival", make_reviewer(), make_reviewer())
    assert states(same_number, rival, by_npi) == [
        State.VERIFIED,
        State.DISPUTED_HOLDER,
        State.REVOKED,
    ]
    moves = Event.objects.filter(case_number=by_npi.case_number, to_state=State.REVOKED)
    assert moves.count() == 1


def test_two_pairs_of_claims_to_the_same_two_holders(both, provider, rival, reviewer, second_reviewer):
    """The loser of the first keeps one dispute with the winner, not two of one pair."""
    other = make_claim(provider=provider, state=State.CHALLENGED)
    proofs.add_document(claim=other, sort="license", data=image_bytes())
    decisions.approve(claim=other, by=reviewer, reason="document_fits", note="They agree.")
    make_due()

    for dispute in both:
        judge(dispute, "rival", reviewer, second_reviewer)

    assert states(rival) == [State.DISPUTED_HOLDER]
    assert Dispute.objects.unsettled().filter(holder_claim=rival, rival_claim=other).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_last_opinions_on_both_at_once_settle_both(
    both, by_npi, by_license, rival, reviewer, second_reviewer
):
    for dispute in both:
        judge(dispute, "rival", reviewer)

    outcomes = at_once(
        *(lambda dispute=dispute: judge(dispute, "rival", second_reviewer) for dispute in both)
    )

    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert states(by_npi, by_license, rival) == [State.REVOKED, State.REVOKED, State.VERIFIED]


def test_the_database_keeps_one_open_dispute_of_a_pair(both):
    with pytest.raises(IntegrityError, match="dispute_one_open_per_pair"), transaction.atomic():
        Dispute.objects.create(
            holder_claim=both[0].holder_claim,
            rival_claim=both[0].rival_claim,
            due_at=timezone.now() + timedelta(days=14),
        )


def test_both_are_warned_of_a_claim_like_theirs_and_once(by_npi, by_license, rival):
    for _ in range(2):
        notices.tell_holder(rival)

    assert {mail.user for mail in Mail.objects.all()} == {by_npi.user, by_license.user}
    assert Mail.objects.count() == 2


# On the desk


def test_each_page_names_the_other_and_says_what_follows(both, reviewer, second_reviewer):
    first, second = both
    judge(first, "rival", reviewer)
    client = client_of(second_reviewer)

    page = client.get(reverse("admin:verification_dispute_change", args=[first.pk])).content.decode()

    assert f"Dispute {second.pk}</a>" in page
    assert "It wins both or neither." in page
    assert "Nothing changes before two reviewers find for it there." in " ".join(
        disputes.what_follows(first, "rival")
    )
    assert "so is the other" not in disputes.what_follows(first, "holder")[0]
    judge(first, "holder", second_reviewer)
    assert "so is the other one of the new claim." in disputes.what_follows(first, "holder")[0]


def test_before_it_is_approved_the_desk_says_that_two_disputes_open(by_npi, by_license, rival):
    assert "so a dispute opens with each" in decisions.what_follows(rival, "approve")[0]


def test_a_reviewer_who_said_what_they_think_of_one_is_led_to_the_other(both, rival, reviewer):
    first, second = both
    judge(first, "rival", reviewer)

    assert queue.take_next(by=reviewer) == rival
    answer = client_of(reviewer).post(reverse("admin:verification_claim_next"))
    assert answer["Location"] == reverse("admin:verification_dispute_change", args=[second.pk])

    judge(second, "rival", reviewer)
    with pytest.raises(queue.NothingToTake):
        queue.take_next(by=reviewer)
