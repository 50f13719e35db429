from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Member
from verification.models import Claim, Proof, Vouch
from verification.models.claims import State
from verification.services import vouching
from verification.services.vouching import LinkClosed, MayNotVouch
from verification.tests.factories import make_claim, make_holder, make_vouchers

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


@pytest.fixture
def code(claim):
    return vouching.ask_colleagues(claim=claim).code


def sign(code, voucher):
    return vouching.vouch(
        code=code, voucher=voucher.user, relation="works", statement="Three years on one ward."
    )


def test_the_link_stays_the_same_and_only_its_hash_finds_it(claim):
    first, again = vouching.ask_colleagues(claim=claim), vouching.ask_colleagues(claim=claim)

    assert first.code == again.code
    assert len(first.code) >= 22
    assert first.code not in first.code_hash
    assert vouching.claim_asking(first.code) == claim


def test_three_colleagues_prove_a_claim_that_passed_the_questions(claim):
    make_vouchers(claim)

    claim.refresh_from_db()
    assert claim.state == State.PROVEN
    assert claim.queued_at
    assert Proof.objects.get(kind="vouch").ok_at


def test_without_the_questions_a_reviewer_weighs_them(provider, seeker):
    claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW)

    make_vouchers(claim)

    claim.refresh_from_db()
    assert claim.state == State.NEEDS_REVIEW
    assert claim.queued_at


def test_two_colleagues_are_too_few(claim):
    make_vouchers(claim, how_many=2)

    claim.refresh_from_db()
    assert (claim.state, claim.queued_at) == (State.CHALLENGED, None)


def test_three_of_one_practice_do_not_count(claim, code):
    for number in range(3):
        sign(code, make_holder(zip_code="10001", joined_days=200 + 20 * number))

    claim.refresh_from_db()
    assert claim.state == State.CHALLENGED

    sign(code, make_holder(zip_code="60601", joined_days=400))
    claim.refresh_from_db()
    assert claim.state == State.PROVEN


def test_three_who_joined_in_one_week_do_not_count(claim, code):
    for number in range(3):
        sign(code, make_holder(zip_code=f"1000{number}", joined_days=300))

    claim.refresh_from_db()
    assert claim.state == State.CHALLENGED


def test_a_voucher_who_lost_good_standing_does_not_count(claim, code):
    first = make_holder(zip_code="20001", joined_days=500)
    sign(code, first)
    Member.objects.filter(pk=first.pk).update(standing="suspended")

    make_vouchers(claim, how_many=2)

    claim.refresh_from_db()
    assert claim.state == State.CHALLENGED


def test_nobody_vouches_twice(code):
    voucher = make_holder()

    assert sign(code, voucher) == sign(code, voucher)
    assert Vouch.objects.count() == 1


def test_nobody_vouches_for_themselves(code, seeker):
    with pytest.raises(MayNotVouch, match="yourself"):
        sign(code, seeker)


def test_an_applicant_does_not_vouch(code, db):
    from verification.tests.factories import make_applicant

    with pytest.raises(MayNotVouch, match="good standing"):
        sign(code, make_applicant())


@pytest.mark.parametrize("standing", ["read_only", "suspended"])
def test_only_members_who_may_write_vouch(code, standing):
    voucher = make_holder()
    Member.objects.filter(pk=voucher.pk).update(standing=standing)
    voucher = Member.objects.get(pk=voucher.pk)

    with pytest.raises(MayNotVouch, match="good standing"):
        sign(code, voucher)


def test_whoever_was_vouched_for_does_not_vouch(code):
    with pytest.raises(MayNotVouch, match="vouched for"):
        sign(code, make_holder(method="vouch"))


@pytest.mark.parametrize(("days", "may"), [(89, False), (91, True)])
def test_a_voucher_is_verified_for_90_days(code, days, may):
    voucher = make_holder(days=days)

    if may:
        assert sign(code, voucher)
    else:
        with pytest.raises(MayNotVouch, match="90 days"):
            sign(code, voucher)


def test_six_vouches_a_year_are_the_most(code, settings, provider):
    voucher = make_holder()
    for _ in range(6):
        other = make_claim(provider=provider, state=State.CHALLENGED)
        sign(vouching.ask_colleagues(claim=other).code, voucher)
        Claim.objects.filter(pk=other.pk).update(state=State.WITHDRAWN)

    with pytest.raises(MayNotVouch, match="6 times"):
        sign(code, voucher)

    Vouch.objects.update(signed_at=timezone.now() - timedelta(days=366))
    assert sign(code, voucher)


@pytest.mark.parametrize("state", [State.PROVEN, State.WITHDRAWN, State.VERIFIED, State.REJECTED])
def test_the_link_closes_with_the_need(claim, code, state):
    Claim.objects.filter(pk=claim.pk).update(
        state=state, rejected_for="other", method="document", verified_at=timezone.now()
    )

    with pytest.raises(LinkClosed):
        sign(code, make_holder())


def test_an_invented_link_opens_nothing(claim):
    with pytest.raises(LinkClosed):
        vouching.claim_asking("invented")


@pytest.mark.parametrize("state", [State.MATCHED, State.VERIFIED])
def test_colleagues_are_asked_only_for_a_proof(provider, seeker, state):
    with pytest.raises(vouching.NotAsking):
        vouching.ask_colleagues(claim=make_claim(seeker, provider, state=state))
