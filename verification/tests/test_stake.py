from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail, Member
from accounts.services.leaving import leave
from accounts.tasks import send_mail
from accounts.tests.factories import make_user
from conftest import client_of
from questions import ranking
from questions.models import MemberRank
from verification import rules, tasks
from verification.models import Claim, Event, Vouch, VouchLoss
from verification.models.claims import State
from verification.services import events, stake, standing, states, vouching
from verification.services.vouching import MayNotVouch
from verification.signals import member_revoked
from verification.tests.factories import (
    make_applicant,
    make_claim,
    make_holder,
    make_provider,
    make_vouchers,
)
from verification.tests.test_parallel import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]
VOUCHED = {"state": State.VERIFIED, "method": "vouch"}


def make_asking(state=State.CHALLENGED):
    """A claim that asks for vouches, and the code of its link."""
    claim = make_claim(make_applicant(), make_provider(), state=state)
    return claim, vouching.ask_colleagues(claim=claim).code


def sign(code, voucher):
    return vouching.vouch(code=code, voucher=voucher.user, relation="works", statement="A year on one ward.")


def make_vouched(*vouchers, **fields):
    """A member whose claim was verified on the word of these."""
    member = make_applicant()
    claim = make_claim(member, make_provider(), **{**VOUCHED, **fields})
    for voucher in vouchers:
        Vouch.objects.create(
            claim=claim, claimant=member.user, voucher=voucher.user, relation="works", statement="Fine."
        )
    return claim


def revoke(claim, reason="dispute_lost"):
    """What a lost dispute does, or two reviewers who find a fraud."""
    claim = states.move(claim=claim, to=State.REVOKED, as_=states.REVIEWER, reason=reason)
    member_revoked.send(sender=Claim, member=claim.user.as_member, claim=claim)
    stake.follow_up(claim_id=claim.pk)  # in tests nothing is nudged
    return claim


def points_of(member):
    return MemberRank.objects.filter(member=member).values_list("points", flat=True).first() or 0


def agrees_with_recount():
    before = list(MemberRank.objects.order_by("pk").values_list("pk", "points", "events"))
    ranking.recount_ranks()
    after = MemberRank.objects.filter(pk__in=[pk for pk, *_ in before]).order_by("pk")
    return before == list(after.values_list("pk", "points", "events"))


# How much one may vouch


def test_five_undecided_at_a_time_are_the_most():
    voucher = make_holder()
    for _ in range(rules.VOUCHES_OPEN):
        _, code = make_asking()
        sign(code, voucher)
    claim, code = make_asking()

    with pytest.raises(MayNotVouch, match="5 colleagues you vouched for wait"):
        sign(code, voucher)

    decided = Claim.objects.filter(vouches__voucher=voucher.user).first()
    Claim.objects.filter(pk=decided.pk).update(state=State.WITHDRAWN)
    assert sign(code, voucher).claim == claim


@pytest.mark.django_db(transaction=True)
def test_the_fifth_and_the_sixth_at_once_are_five():
    voucher = make_holder()
    for _ in range(rules.VOUCHES_OPEN - 1):
        sign(make_asking()[1], voucher)
    codes = [make_asking()[1] for _ in range(2)]

    outcomes = at_once(*(lambda code=code: sign(code, voucher) for code in codes))

    assert [type(each) for each in outcomes].count(MayNotVouch) == 1
    assert vouching.open_vouches(voucher.user).count() == rules.VOUCHES_OPEN


def test_two_standing_vouches_put_a_claim_at_the_head_of_the_queue():
    claim, code = make_asking(State.NEEDS_REVIEW)
    other = make_claim(state=State.NEEDS_REVIEW, queued_at=timezone.now() - timedelta(days=3))
    sign(code, make_holder())
    claim.refresh_from_db()
    assert not claim.is_ahead

    sign(code, make_holder())
    Claim.objects.filter(pk=claim.pk).update(queued_at=timezone.now())

    claim.refresh_from_db()
    assert claim.is_ahead
    assert list(Claim.objects.in_queue()) == [claim, other]


def test_a_vouch_that_does_not_stand_puts_nothing_ahead():
    claim, code = make_asking()
    first = make_holder()
    sign(code, first)
    VouchLoss.objects.create(claim=make_vouched(state=State.REVOKED), voucher=first.user)

    sign(code, make_holder())

    claim.refresh_from_db()
    assert not claim.is_ahead


def test_a_decision_ends_the_place_at_the_head():
    claim = make_claim(state=State.NEEDS_REVIEW, is_ahead=True)

    claim = states.move(
        claim=claim, to=State.REJECTED, as_=states.REVIEWER, reason="mismatch", rejected_for="mismatch"
    )

    assert not claim.is_ahead


# What it costs


def test_a_fraud_costs_every_voucher_the_power_to_vouch_and_points():
    vouchers = [make_holder() for _ in range(3)]
    bystander = make_holder()
    claim = make_vouched(*vouchers)
    _, code = make_asking()

    revoke(claim)

    assert VouchLoss.objects.filter(claim=claim).count() == 3
    for voucher in vouchers:
        with pytest.raises(MayNotVouch, match="turned out not to be who they said"):
            sign(code, voucher)
        assert points_of(voucher) == -50
        assert MemberRank.objects.get(member=voucher).events == 0
    assert sign(code, bystander)
    assert points_of(bystander) == 0
    assert agrees_with_recount()


@pytest.mark.parametrize("reason", ["not_own", "dispute_lost", "not_physician", "mismatch"])
def test_what_says_who_somebody_is_costs(reason):
    revoke(make_vouched(make_holder()), reason)

    assert VouchLoss.objects.count() == 1


@pytest.mark.parametrize("reason", ["license_ended", "excluded", "retired"])
def test_what_says_nothing_of_who_somebody_is_costs_nothing(reason):
    revoke(make_vouched(make_holder()), reason)

    assert not VouchLoss.objects.exists()


def test_bad_conduct_costs_no_voucher_anything(moderator):
    voucher = make_holder()
    claim = make_vouched(voucher)
    _, code = make_asking()

    Member.objects.filter(user=claim.user).update(standing="physician")
    standing.revoke(member=claim.user.as_member, by=moderator.user)

    assert not VouchLoss.objects.exists()
    assert sign(code, voucher)


def test_it_costs_once_however_often_it_is_told():
    voucher = make_holder()
    claim = revoke(make_vouched(voucher))
    for _ in range(2):
        member_revoked.send(sender=Claim, member=claim.user.as_member, claim=claim)
        stake.follow_up_all()

    assert VouchLoss.objects.count() == 1
    assert points_of(voucher) == -50
    assert Mail.objects.filter(user=voucher.user).count() == 1
    assert Event.objects.filter(kind="vouch_failed").count() == 1
    assert events.first_broken() is None


def test_two_frauds_cost_twice():
    voucher = make_holder()
    for claim in (make_vouched(voucher), make_vouched(voucher)):
        revoke(claim)

    assert points_of(voucher) == -100


def test_the_loss_fades_like_all_points():
    voucher = make_holder()
    revoke(make_vouched(voucher))
    VouchLoss.objects.update(at=timezone.now() - timedelta(days=180))

    ranking.recompute_points(voucher.pk)

    assert points_of(voucher) == -25


def test_a_revocation_is_written_down_even_where_nothing_is_nudged():
    voucher = make_holder()
    claim = states.move(
        claim=make_vouched(voucher), to=State.REVOKED, as_=states.REVIEWER, reason="dispute_lost"
    )
    member_revoked.send(sender=Claim, member=claim.user.as_member, claim=claim)
    assert points_of(voucher) == 0

    assert tasks.sweep_vouch_losses() == 1
    assert points_of(voucher) == -50


def test_the_voucher_is_told_without_a_name():
    voucher, claim = make_holder(), None
    claim = make_vouched(voucher)
    revoke(claim)
    send_mail()

    (message,) = [each for each in mail.outbox if each.to == [voucher.user.email]]
    assert reverse("verification:vouches") in message.body
    for hidden in (*claim.typed_name.split(), claim.case_number, voucher.handle):
        assert hidden not in message.subject + message.body


# A second look


def test_what_the_same_people_vouched_for_is_looked_at_again():
    lost, other = make_holder(), make_holder()
    fraud = make_vouched(lost)
    vouched, by_document = make_vouched(lost, other), make_vouched(lost, method="document")
    elsewhere = make_vouched(other)

    revoke(fraud)

    vouched.refresh_from_db()
    assert vouched.state == State.NEEDS_REVIEW_HELD
    assert vouched.is_ahead
    assert vouched.queued_at
    assert "voucher_failed" in vouched.doubts
    assert vouched.user.as_member.may_write  # it holds on meanwhile
    for untouched in (by_document, elsewhere):
        untouched.refresh_from_db()
        assert untouched.state == State.VERIFIED


def test_one_that_had_lapsed_is_looked_at_once_it_is_verified_again():
    lost = make_holder()
    fraud, vouched = make_vouched(lost), make_vouched(lost, state=State.LAPSED)
    revoke(fraud)
    VouchLoss.objects.update(at=timezone.now() - timedelta(days=90))
    vouched.refresh_from_db()
    assert vouched.state == State.LAPSED

    states.move(claim=vouched, to=State.VERIFIED, as_=states.SYSTEM)
    stake.follow_up_all()

    vouched.refresh_from_db()
    assert vouched.state == State.NEEDS_REVIEW_HELD


def test_a_claim_is_looked_at_once_for_each_fraud():
    lost = make_holder()
    fraud, vouched = make_vouched(lost), make_vouched(lost)
    revoke(fraud)
    states.move(claim=vouched, to=State.VERIFIED, as_=states.REVIEWER, reason="document_fits")

    stake.follow_up_all()
    vouched.refresh_from_db()
    assert vouched.state == State.VERIFIED

    revoke(make_vouched(lost))
    vouched.refresh_from_db()
    assert vouched.state == State.NEEDS_REVIEW_HELD
    assert vouched.doubts == ["voucher_failed"]


def test_documents_are_not_kept_for_longer_by_a_second_look():
    lost = make_holder()
    long_ago = timezone.now() - timedelta(days=200)
    fraud, vouched = make_vouched(lost), make_vouched(lost, decided_at=long_ago)

    revoke(fraud)

    vouched.refresh_from_db()
    assert vouched.decided_at == long_ago


def test_vouches_of_who_lost_the_power_count_nothing():
    claim, _ = make_asking()
    vouchers = make_vouchers(claim)
    assert vouching.is_complete(claim)

    revoke(make_vouched(vouchers[0]))

    assert not vouching.is_complete(claim)
    assert len(vouching.standing_vouches(claim)) == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_follow_up_at_once_tell_once():
    voucher = make_holder()
    claim, vouched = make_vouched(voucher), make_vouched(voucher)
    claim = states.move(claim=claim, to=State.REVOKED, as_=states.REVIEWER, reason="not_own")
    stake.fail(claim=claim)

    at_once(*[lambda: stake.follow_up(claim_id=claim.pk)] * 3)

    assert Mail.objects.filter(user=voucher.user).count() == 1
    vouched.refresh_from_db()
    assert vouched.state == State.NEEDS_REVIEW_HELD
    assert Event.objects.filter(kind="look_again").count() == 1
    assert points_of(voucher) == -50


# Taken back


def test_with_the_revocation_all_of_it_is_taken_back():
    voucher = make_holder()
    claim = revoke(make_vouched(voucher))
    _, code = make_asking()

    states.move(claim=claim, to=State.VERIFIED, as_=states.MODERATOR, reason="appeal")
    stake.follow_up_all()

    assert VouchLoss.objects.get().taken_back_at
    assert points_of(voucher) == 0
    assert agrees_with_recount()
    assert sign(code, voucher)


def test_revoked_again_it_costs_again():
    voucher = make_holder()
    claim = revoke(make_vouched(voucher))
    claim = states.move(claim=claim, to=State.VERIFIED, as_=states.MODERATOR, reason="appeal")
    revoke(claim)

    assert VouchLoss.objects.get().taken_back_at is None
    assert points_of(voucher) == -50


def test_of_two_frauds_the_one_that_stands_still_counts():
    voucher = make_holder()
    first = revoke(make_vouched(voucher))
    revoke(make_vouched(voucher))

    states.move(claim=first, to=State.VERIFIED, as_=states.MODERATOR, reason="appeal")
    stake.follow_up_all()

    assert stake.has_lost(voucher.user)
    assert points_of(voucher) == -50


# Who left


def test_a_voucher_who_left_pays_nothing():
    voucher = make_holder()
    claim = make_vouched(voucher)
    leave(voucher.user)

    revoke(claim)

    assert not VouchLoss.objects.exists()


def test_an_impostor_who_leaves_takes_no_loss_back():
    voucher = make_holder()
    claim = revoke(make_vouched(voucher))

    leave(claim.user)

    assert stake.has_lost(voucher.user)
    ranking.recompute_points(voucher.pk)
    assert points_of(voucher) == -50


# Pages


def test_the_voucher_reads_what_it_cost_and_of_nobody():
    voucher = make_holder()
    claim = make_vouched(voucher)
    own = client_of(voucher)
    assert "Vouches that failed" not in own.get(reverse("verification:vouches")).content.decode()

    revoke(claim)
    page = own.get(reverse("verification:vouches")).content.decode()

    assert "You cannot vouch any more." in page
    for hidden in (*claim.typed_name.split(), claim.case_number, claim.user.as_member.handle):
        assert hidden not in page


def test_the_points_page_says_it_in_words():
    voucher = make_holder()
    revoke(make_vouched(voucher))

    page = client_of(voucher).get(reverse("questions:points")).content.decode()

    assert "Somebody you vouched for was not who they said" in page
    assert "−50.0000" in page
    assert reverse("verification:vouches") in page


def test_the_door(seeker, client):
    address = reverse("verification:vouches")

    assert client.get(address).status_code == 302
    assert client_of(seeker).get(address).status_code == 302
    assert client_of(make_user()).get(address).status_code == 403


def test_the_page_costs_the_same_at_any_length(django_assert_max_num_queries):
    voucher = make_holder()
    for _ in range(3):
        revoke(make_vouched(voucher))
    own = client_of(voucher)

    with django_assert_max_num_queries(8):
        own.get(reverse("verification:vouches"))
