"""A rejection has its reason, and one appeal that another reviewer reads."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from conftest import client_of
from verification.forms import REASONS
from verification.models import Claim, Decision, Document, Event
from verification.models.claims import State
from verification.services import claims, decisions, disputes, outcome, proofs, standing
from verification.services.claims import AlreadyUnderWay, CannotAppeal
from verification.services.decisions import SecondReviewerNeeded
from verification.statements import EXPLAINED, statements_of
from verification.tests.factories import (
    image_bytes,
    make_applicant,
    make_claim,
    make_holder,
    make_provider,
    make_reviewer,
)
from verification.tests.test_parallel import at_once

pytestmark = pytest.mark.django_db
NOTE = "Another name on the card."
APPEAL = "I married last year, and my name changed."


@pytest.fixture
def claim(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    return Claim.objects.get(pk=claim.pk)


def reject(claim, reviewer, reason="mismatch"):
    return decisions.reject(claim=claim, by=reviewer, reason=reason, note=NOTE)


def read(member):
    return client_of(member).get(reverse("verification:reasons"))


def words(response):
    return response.content.decode()


# The rules


def test_the_reason_is_shown_with_its_code(claim, seeker, reviewer):
    reject(claim, reviewer)
    page = words(client_of(seeker).get(reverse("verification:start")))

    assert "Document and claim do not agree" in page
    assert "<code>mismatch</code>" in page
    assert reverse("verification:reasons") in page
    assert NOTE not in page


@pytest.mark.parametrize("way", ["approve", "reject", "ask_for_more"])
def test_whoever_rejected_it_has_no_say_on_the_appeal(claim, seeker, reviewer, way):
    reject(claim, reviewer)
    claim = claims.appeal(user=seeker.user, text=APPEAL)
    more = {"message": "Send the record."} if way == "ask_for_more" else {}

    with pytest.raises(SecondReviewerNeeded):
        getattr(decisions, way)(claim=claim, by=reviewer, reason="mismatch", note=NOTE, **more)

    getattr(decisions, way)(claim=claim, by=make_reviewer(), reason="mismatch", note=NOTE, **more)


def test_who_gave_an_opinion_in_a_dispute_does_not_judge_its_appeal(provider, seeker):
    make_holder(provider)
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    first, second, third = (make_reviewer() for _ in range(3))
    rival = decisions.approve(claim=claim, by=first, reason="document_fits", note=NOTE)
    for reviewer in (second, third):
        disputes.give_opinion(dispute=rival.disputes_raised.get(), by=reviewer, side="holder", note=NOTE)
    claim = claims.appeal(user=seeker.user, text=APPEAL)

    for reviewer in (second, third):
        with pytest.raises(SecondReviewerNeeded):
            reject(claim, reviewer)
    assert reject(claim, make_reviewer()).state == State.REJECTED


def test_a_rejection_on_appeal_is_the_last(claim, seeker, reviewer, second_reviewer):
    reject(claim, reviewer)
    claim = claims.appeal(user=seeker.user, text=APPEAL)
    reject(claim, second_reviewer, "not_own")

    with pytest.raises(CannotAppeal):
        claims.appeal(user=seeker.user, text=APPEAL)


def test_an_appeal_waits_for_a_reviewer_and_says_so_in_the_queue(claim, seeker, reviewer):
    reject(claim, reviewer)

    claim = claims.appeal(user=seeker.user, text=APPEAL)

    assert claim in Claim.objects.in_queue()
    assert "appeal" in claim.doubts
    assert claim.rejected_for == ""
    assert claim.decided_at is None  # or else its documents would be deleted while it is read


def test_documents_stay_while_an_appeal_is_read(claim, seeker, reviewer):
    reject(claim, reviewer)
    Claim.objects.update(decided_at=timezone.now() - timedelta(days=29))
    claims.appeal(user=seeker.user, text=APPEAL)
    Decision.objects.update(at=timezone.now() - timedelta(days=60))

    assert proofs.purge_documents() == 0
    assert not Document.objects.exclude(deleted_at=None).exists()


def test_who_was_revoked_does_not_come_back_by_an_earlier_rejection(claim, provider, seeker, reviewer):
    reject(claim, reviewer)
    Claim.objects.filter(pk=claim.pk).update(decided_at=timezone.now() - timedelta(days=200))
    held = make_claim(seeker, provider, state=State.VERIFIED)
    Member.objects.filter(pk=seeker.pk).update(standing=Member.Standing.PHYSICIAN)
    standing.revoke(member=seeker, by=reviewer)
    assert Claim.objects.get(pk=held.pk).state == State.REVOKED

    with pytest.raises(claims.CannotAppeal):
        claims.appeal(user=seeker.user, text="I was refused once, and that was wrong.")
    client_of(seeker).post(reverse("verification:appeal"), {"text": "I was refused once."})

    assert Claim.objects.get(pk=claim.pk).state == State.REJECTED


def test_approving_lifts_no_suspension_by_moderators(claim, seeker, reviewer):
    """Of a physician without a verified claim, whose standing alone was taken."""
    Member.objects.filter(pk=seeker.pk).update(standing=Member.Standing.PHYSICIAN)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    standing.suspend(member=Member.objects.get(pk=seeker.pk), by=make_reviewer())

    with pytest.raises(outcome.MembershipEnded):
        decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="They agree.")

    assert Member.objects.get(pk=seeker.pk).standing == Member.Standing.SUSPENDED


def test_nobody_appeals_for_another(claim, reviewer):
    reject(claim, reviewer)

    with pytest.raises(CannotAppeal):
        claims.appeal(user=make_applicant().user, text=APPEAL)


def test_whoever_started_again_has_chosen(claim, seeker, reviewer):
    reject(claim, reviewer)
    make_claim(seeker, make_provider(number="4301000003"), state=State.MATCHED)

    with pytest.raises(AlreadyUnderWay):
        claims.appeal(user=seeker.user, text=APPEAL)


def test_the_words_of_an_appeal_are_encrypted_and_in_no_event(claim, seeker, reviewer):
    reject(claim, reviewer)
    claims.appeal(user=seeker.user, text=APPEAL)

    with connection.cursor() as cursor:
        cursor.execute("SELECT appeal FROM verification_claim WHERE id = %s", [claim.pk])
        assert "married" not in str(cursor.fetchone()[0])
    moves = Event.objects.filter(case_number=claim.case_number, reason="appeal")
    assert [(each.from_state, each.to_state) for each in moves] == [("rejected", "needs_review")]
    assert "married" not in str(list(Event.objects.values()))


@pytest.mark.django_db(transaction=True)
def test_two_appeals_at_once_are_one(claim, seeker, reviewer):
    reject(claim, reviewer)

    outcomes = at_once(*[lambda: claims.appeal(user=seeker.user, text=APPEAL)] * 2)

    assert [type(each) for each in outcomes].count(CannotAppeal) == 1
    assert Event.objects.filter(reason="appeal").count() == 1


# The statement of reasons


def test_every_reason_of_a_rejection_is_explained():
    assert set(EXPLAINED) == set(REASONS["reject"])


def test_the_statement_says_what_was_found_and_what_would_help(claim, seeker, reviewer):
    reject(claim, reviewer)

    page = words(read(seeker))

    assert "do not fit together" in page
    assert "<code>mismatch</code>" in page
    assert "1 document" in page
    assert "What would help" in page
    assert "Appeal, once" in page
    for hidden in (NOTE, f"reviewer {reviewer.pk}", reviewer.email, "48937", "QUILLFEATHER"):
        assert hidden not in page


def test_it_follows_the_appeal(claim, seeker, reviewer, second_reviewer):
    reject(claim, reviewer)
    claim = claims.appeal(user=seeker.user, text=APPEAL)
    waiting = words(read(seeker))
    assert APPEAL in waiting
    assert "Another reviewer reads it" in waiting
    assert "Appeal, once" not in waiting

    reject(claim, second_reviewer, "not_own")
    refused = words(read(seeker))
    assert "On your appeal: evidence that the license is someone else" in refused
    assert "the decision stands" in refused
    assert refused.count("<code>mismatch</code>") == 1


def test_a_granted_appeal_says_so(claim, seeker, reviewer, second_reviewer):
    reject(claim, reviewer)
    claim = claims.appeal(user=seeker.user, text=APPEAL)
    decisions.approve(claim=claim, by=second_reviewer, reason="document_fits", note=NOTE)

    assert "Granted." in words(read(seeker))


def test_one_that_was_taken_back_says_so(claim, seeker, reviewer):
    reject(claim, reviewer)
    claims.appeal(user=seeker.user, text=APPEAL)
    claims.withdraw(user=seeker.user)

    assert "You took the application back" in words(read(seeker))


def test_a_lost_dispute_was_two_reviewers(provider, seeker):
    make_claim(seeker, provider, state=State.REJECTED, rejected_for="not_own", decided_at=timezone.now())

    (statement,) = statements_of(seeker.user)

    assert [each.reviewers for each in statement.rejections] == [2]
    assert "two reviewers" in words(read(seeker))


def test_whoever_was_never_refused_has_no_statement(claim, seeker, client, staff):
    assert read(seeker).status_code == 404
    assert client.get(reverse("verification:reasons")).status_code == 302


def test_nobody_reads_anothers(claim, reviewer):
    reject(claim, reviewer)

    assert read(make_applicant()).status_code == 404


def test_the_statement_costs_the_same_at_any_length(claim, seeker, reviewer, django_assert_max_num_queries):
    reject(claim, reviewer)
    for number in range(3):
        make_claim(
            seeker,
            make_provider(number=f"430100001{number}"),
            state=State.REJECTED,
            rejected_for="not_own",
            decided_at=timezone.now(),
        )
    own = client_of(seeker)

    with django_assert_max_num_queries(11):
        assert words(own.get(reverse("verification:reasons"))).count("<article") == 4
