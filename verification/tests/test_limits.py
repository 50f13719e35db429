"""The limits of section 6.3, row by row, where no other file has them; codes have files of their own."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Mail
from verification.models import Challenge, Claim, DayCount, IdentityGuard
from verification.models.claims import State
from verification.services import challenge as challenges
from verification.services import claims, limits
from verification.tests.factories import make_applicant, make_claim, make_provider, start
from verification.tests.test_challenge import answer_all, later
from verification.tests.test_parallel import at_once

pytestmark = pytest.mark.django_db


def fail(claim):
    challenges.start_challenge(claim=claim)
    return answer_all(claim, right=False)


class TestOfAnIdentity:
    def test_the_second_try_opens_after_a_day_and_not_before(self, provider, seeker):
        claim = start(seeker, provider)
        fail(claim)
        later(hours=23, minutes=59)

        with pytest.raises(challenges.TooSoon):
            challenges.start_challenge(claim=claim)
        later(minutes=2)
        assert challenges.start_challenge(claim=claim).number == 2

    def test_after_the_second_people_decide(self, provider, seeker):
        claim = start(seeker, provider)
        fail(claim)
        later(hours=25)
        fail(claim)

        claim.refresh_from_db()
        assert (claim.state, claim.doubts) == (State.NEEDS_REVIEW, ["questions_failed"])

    def test_no_later_day_and_no_other_account_brings_a_third(self, provider, seeker):
        claim = start(seeker, provider)
        for _ in range(2):
            fail(claim)
            later(days=400)

        assert start(make_applicant(), provider).doubts == ["identity_tries"]
        claims.withdraw(user=seeker.user)
        assert start(seeker, provider).state == State.NEEDS_REVIEW
        assert Challenge.objects.count() == 2

    def test_whoever_holds_it_hears_of_a_try_once_for_each_claim(self, provider, seeker):
        holder = make_claim(provider=provider, state=State.VERIFIED)
        claim = start(seeker, provider)
        Mail.objects.all().delete()

        fail(claim)
        later(hours=25)
        fail(claim)

        assert [mail.user for mail in Mail.objects.all()] == [holder.user]


class TestOfAnAccount:
    def test_the_fourth_identity_locks_it(self, schools, specialties, seeker):
        states = []
        for _ in range(4):
            states.append(start(seeker, make_provider()).state)
            if states[-1] != State.LOCKED:
                claims.withdraw(user=seeker.user)

        assert states == [State.MATCHED] * 3 + [State.LOCKED]

    def test_locked_it_starts_no_other_claim(self, schools, specialties, seeker):
        for _ in range(3):
            start(seeker, make_provider())
            claims.withdraw(user=seeker.user)
        start(seeker, make_provider())

        with pytest.raises(claims.AlreadyUnderWay):
            start(seeker, make_provider())
        with pytest.raises(claims.NothingToWithdraw):
            claims.withdraw(user=seeker.user)


class TestOfAnAddress:
    def test_yesterday_is_forgotten(self, provider, seeker, settings):
        settings.CHALLENGES_PER_ADDRESS = 1
        limits.count_start("192.0.2.7")
        DayCount.objects.update(day=timezone.now().date() - timedelta(days=1))

        assert challenges.start_challenge(claim=start(seeker, provider), address="192.0.2.7")

    def test_ipv6_addresses_of_one_site_count_as_a_block(self, settings):
        settings.CHALLENGES_PER_BLOCK = 2
        limits.count_start("2001:db8:1:2::5")
        limits.count_start("2001:db8:1:ffff::9")

        with pytest.raises(limits.TooManyFromHere):
            limits.count_start("2001:db8:1::1")
        limits.count_start("2001:db8:2::1")

    def test_the_defaults_are_five_and_twenty(self):
        from verification import rules

        assert (rules.CHALLENGES_PER_ADDRESS, rules.CHALLENGES_PER_BLOCK) == (5, 20)
        assert (rules.IDENTITIES_PER_ACCOUNT, rules.CHALLENGE_WAIT_HOURS) == (3, 24)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """In real threads, each on a connection of its own."""

    def test_two_accounts_that_start_on_one_identity_have_one_try_and_the_other_goes_to_people(
        self, schools, specialties
    ):
        for _ in range(5):
            provider = make_provider()
            begun = [start(make_applicant(), provider) for _ in range(2)]

            tries = at_once(*(lambda claim=claim: challenges.start_challenge(claim=claim) for claim in begun))

            assert sum(attempt is not None for attempt in tries) == 1
            assert IdentityGuard.objects.get(identity_hash=begun[0].npi_hash).tries_used == 1
            now = Claim.objects.filter(npi_hash=begun[0].npi_hash).values_list("state", flat=True)
            assert sorted(now) == ["matched", "needs_review"]

    def test_eight_starts_from_one_address_are_five(self, schools, specialties):
        begun = [start(make_applicant(), make_provider()) for _ in range(8)]

        tries = at_once(
            *(
                lambda claim=claim: challenges.start_challenge(claim=claim, address="192.0.2.7")
                for claim in begun
            )
        )

        refused = [attempt for attempt in tries if isinstance(attempt, limits.TooManyFromHere)]
        assert (len(refused), Challenge.objects.count()) == (3, 5)
        assert set(DayCount.objects.values_list("count", flat=True)) == {5}
        assert sum(IdentityGuard.objects.values_list("tries_used", flat=True)) == 5

    def test_four_identities_claimed_at_once_by_one_account_are_one_claim(self, schools, specialties, seeker):
        providers = [make_provider() for _ in range(4)]

        at_once(*(lambda provider=provider: start(seeker, provider) for provider in providers))

        assert Claim.objects.filter(user=seeker.user).unfinished().count() == 1

    def test_a_try_that_waits_for_the_lock_meets_the_limit(self, provider):
        """Ten accounts at one identity, two at a time: never more than two tries whatever the order."""
        begun = [make_claim(make_applicant(), provider) for _ in range(10)]

        for pair in zip(begun[::2], begun[1::2], strict=True):
            at_once(*(lambda claim=claim: _start_and_fail(claim) for claim in pair))
            later(hours=25)

        assert Challenge.objects.count() == 2
        assert IdentityGuard.objects.get(identity_hash=begun[0].npi_hash).tries_used == 2


def _start_and_fail(claim):
    if challenges.start_challenge(claim=claim):
        answer_all(claim, right=False)
