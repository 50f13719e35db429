from datetime import timedelta

import pytest
from django.utils import timezone

from verification.models import Challenge, Claim, DayCount, Event, IdentityGuard
from verification.models.claims import State
from verification.services import challenge as challenges
from verification.services import claims, limits
from verification.tests.factories import make_applicant, make_provider, start

pytestmark = pytest.mark.django_db
Verdict = Challenge.Verdict


@pytest.fixture
def claim(provider, seeker):
    return start(seeker, provider)


def answer_all(claim, *, right=True, wrong_at=()):
    """Answer the running try to its end."""
    running = claim.challenges.running().get()
    for position, entry in enumerate(running.sheet):
        choice = entry["right"] if right and position not in wrong_at else (entry["right"] + 1) % 6
        running = challenges.answer(claim=claim, position=position, choice=choice)
    return running


def later(**passed):
    """Let time pass for everything that has begun."""
    gone = timedelta(**passed)
    for challenge in Challenge.objects.all():
        challenge.issued_at, challenge.asked_at = challenge.issued_at - gone, challenge.asked_at - gone
        challenge.save()


def test_a_try_has_five_questions_of_six_options(claim):
    running = challenges.start_challenge(claim=claim)

    assert (running.number, len(running.sheet)) == (1, 5)
    assert running.facts == ["school", "grad_year", "license", "second_license", "practice_zip"]
    assert all(len(set(entry["options"])) == 6 for entry in running.sheet)


def test_four_facts_make_four_questions(schools, specialties, seeker):
    claim = start(seeker, make_provider(second=None, school=None, year=None))

    assert len(challenges.start_challenge(claim=claim).sheet) == 4


def test_all_right_passes(claim):
    challenges.start_challenge(claim=claim)

    finished = answer_all(claim)

    claim.refresh_from_db()
    assert (finished.verdict, claim.state) == (Verdict.PASSED, State.CHALLENGED)


@pytest.mark.parametrize("position", range(5))
def test_one_wrong_answer_fails_at_the_end_and_not_before(claim, position):
    challenges.start_challenge(claim=claim)

    finished = answer_all(claim, wrong_at=[position])

    claim.refresh_from_db()
    assert finished.position == 5
    assert (finished.verdict, claim.state) == (Verdict.FAILED, State.MATCHED)


def test_answers_and_options_are_forgotten_with_the_verdict(claim):
    challenges.start_challenge(claim=claim)

    answer_all(claim)

    assert Challenge.objects.get().sheet == []
    assert "given" not in str(list(Event.objects.values()))


def test_the_try_is_used_when_it_starts(claim):
    challenges.start_challenge(claim=claim)

    assert IdentityGuard.objects.get(identity_hash=claim.npi_hash).tries_used == 1


def test_starting_again_while_it_runs_is_the_same_try(claim):
    first = challenges.start_challenge(claim=claim)
    again = challenges.start_challenge(claim=claim)

    assert first == again
    assert IdentityGuard.objects.get(identity_hash=claim.npi_hash).tries_used == 1


def test_an_answer_sent_twice_counts_once(claim):
    running = challenges.start_challenge(claim=claim)
    right = running.sheet[0]["right"]
    challenges.answer(claim=claim, position=0, choice=right)

    again = challenges.answer(claim=claim, position=0, choice=(right + 1) % 6)

    assert again.position == 1
    assert again.sheet[0]["given"] == right


@pytest.mark.parametrize("choice", [None, -1, 6])
def test_one_of_the_six_must_be_chosen(claim, choice):
    challenges.start_challenge(claim=claim)

    with pytest.raises(challenges.ChooseOne):
        challenges.answer(claim=claim, position=0, choice=choice)


def test_an_answer_after_two_minutes_ends_the_try(claim):
    running = challenges.start_challenge(claim=claim)
    later(seconds=124)

    finished = challenges.answer(claim=claim, position=0, choice=running.sheet[0]["right"])

    assert finished.verdict == Verdict.TIMED_OUT


def test_nothing_chosen_when_the_clock_runs_out_ends_the_try(claim):
    challenges.start_challenge(claim=claim)
    later(seconds=120)

    assert challenges.answer(claim=claim, position=0, choice=None).verdict == Verdict.TIMED_OUT


def test_an_answer_on_its_way_when_the_clock_runs_out_counts(claim):
    running = challenges.start_challenge(claim=claim)
    later(seconds=121)

    assert challenges.answer(claim=claim, position=0, choice=running.sheet[0]["right"]).position == 1


def test_each_question_has_its_own_two_minutes(claim):
    running = challenges.start_challenge(claim=claim)
    later(seconds=110)
    challenges.answer(claim=claim, position=0, choice=running.sheet[0]["right"])
    later(seconds=110)

    running = challenges.answer(claim=claim, position=1, choice=running.sheet[1]["right"])

    assert (running.verdict, running.position) == (Verdict.RUNNING, 2)


def test_a_try_that_was_left_ends_when_somebody_looks(claim):
    challenges.start_challenge(claim=claim)
    later(seconds=124)

    settled = challenges.settle(claim=claim)

    assert settled.state == State.MATCHED
    assert Challenge.objects.get().verdict == Verdict.TIMED_OUT


def test_the_second_try_waits_a_day(claim):
    challenges.start_challenge(claim=claim)
    answer_all(claim, right=False)

    with pytest.raises(challenges.TooSoon):
        challenges.start_challenge(claim=claim)

    later(hours=25)
    assert challenges.start_challenge(claim=claim).number == 2


def test_the_second_try_asks_what_was_not_asked_first(claim):
    challenges.start_challenge(claim=claim)
    answer_all(claim, right=False)
    later(hours=25)

    second = challenges.start_challenge(claim=claim)

    assert second.facts == ["enumeration_year", "taxonomy", "school", "grad_year", "license"]


def test_a_question_asked_again_has_the_same_options(claim):
    first = {entry["fact"]: set(entry["options"]) for entry in challenges.start_challenge(claim=claim).sheet}
    answer_all(claim, right=False)
    later(hours=25)

    second = {entry["fact"]: set(entry["options"]) for entry in challenges.start_challenge(claim=claim).sheet}

    for fact in first.keys() & second.keys():
        assert first[fact] == second[fact]


def test_the_second_failure_leads_to_people(claim):
    challenges.start_challenge(claim=claim)
    answer_all(claim, right=False)
    later(hours=25)
    challenges.start_challenge(claim=claim)

    answer_all(claim, wrong_at=[4])

    claim.refresh_from_db()
    assert (claim.state, claim.doubts) == (State.NEEDS_REVIEW, ["questions_failed"])
    with pytest.raises(challenges.NotNow):
        challenges.start_challenge(claim=claim)


def test_an_account_has_two_tries_whoever_it_claims_to_be(claim, seeker):
    challenges.start_challenge(claim=claim)
    answer_all(claim, right=False)
    claims.withdraw(user=seeker.user)
    later(hours=25)
    other = start(seeker, make_provider())
    challenges.start_challenge(claim=other)
    answer_all(other, right=False)
    claims.withdraw(user=seeker.user)

    third = start(seeker, make_provider())

    assert (third.state, third.doubts) == (State.NEEDS_REVIEW, ["account_tries"])


def test_a_person_is_asked_about_twice_whichever_accounts_try(claim, provider):
    for _ in range(2):
        rival = start(make_applicant(), provider)
        challenges.start_challenge(claim=rival)
        answer_all(rival, right=False)
        later(hours=25)

    assert challenges.start_challenge(claim=claim) is None
    claim.refresh_from_db()
    assert claim.doubts == ["identity_tries"]


def test_a_try_of_another_account_today_leads_to_people_without_a_word(claim, provider):
    rival = start(make_applicant(), provider)
    challenges.start_challenge(claim=rival)

    assert challenges.start_challenge(claim=claim) is None
    claim.refresh_from_db()
    assert (claim.state, claim.doubts) == (State.NEEDS_REVIEW, ["identity_tries"])


def test_skipping_leads_to_people(claim):
    skipped = challenges.skip(claim=claim)

    assert (skipped.state, skipped.doubts) == (State.NEEDS_REVIEW, ["skipped"])
    assert challenges.skip(claim=claim).state == State.NEEDS_REVIEW


def test_skipping_a_running_try_uses_it_up(claim):
    challenges.start_challenge(claim=claim)

    challenges.skip(claim=claim)

    assert Challenge.objects.get().verdict == Verdict.LEFT
    assert IdentityGuard.objects.get(identity_hash=claim.npi_hash).tries_used == 1


def test_withdrawing_ends_a_running_try(claim, seeker):
    challenges.start_challenge(claim=claim)

    claims.withdraw(user=seeker.user)

    assert Challenge.objects.get().verdict == Verdict.LEFT


def test_questions_switched_off_meanwhile_lead_to_people(claim, settings):
    settings.CHALLENGE_ON = False

    assert challenges.start_challenge(claim=claim) is None
    claim.refresh_from_db()
    assert claim.doubts == ["questions_off"]


def test_a_person_gone_from_the_registry_leads_to_people(claim, provider):
    provider.delete()

    assert challenges.start_challenge(claim=claim) is None
    claim.refresh_from_db()
    assert claim.doubts == ["few_facts"]


def test_five_tries_a_day_start_from_one_address(schools, specialties):
    for _ in range(5):
        challenges.start_challenge(claim=start(make_applicant(), make_provider()), address="192.0.2.7")

    with pytest.raises(limits.TooManyFromHere):
        challenges.start_challenge(claim=start(make_applicant(), make_provider()), address="192.0.2.7")
    assert challenges.start_challenge(claim=start(make_applicant(), make_provider()), address="192.0.2.8")


def test_a_refused_start_uses_no_try(claim, settings):
    settings.CHALLENGES_PER_ADDRESS = 0

    with pytest.raises(limits.TooManyFromHere):
        challenges.start_challenge(claim=claim, address="192.0.2.7")


def test_twenty_tries_a_day_start_from_one_block(schools, specialties, settings):
    settings.CHALLENGES_PER_BLOCK = 3
    for last in range(3):
        challenges.start_challenge(claim=start(make_applicant(), make_provider()), address=f"192.0.2.{last}")

    with pytest.raises(limits.TooManyFromHere):
        challenges.start_challenge(claim=start(make_applicant(), make_provider()), address="192.0.2.99")


def test_addresses_are_stored_hashed_and_forgotten(claim):
    challenges.start_challenge(claim=claim, address="192.0.2.7")

    assert "192.0.2" not in str(list(DayCount.objects.values())) + str(list(Event.objects.values()))
    DayCount.objects.update(day=timezone.now().date() - timedelta(days=2))
    assert limits.purge() == 2


def test_far_more_failures_than_usual_raise_the_alarm(schools, specialties, monkeypatch):
    monkeypatch.setattr(limits, "FEWEST_FOR_ALARM", 2)
    for _ in range(2):
        assert not limits.watch_failures()
        claim = start(make_applicant(), make_provider())
        challenges.start_challenge(claim=claim)
        answer_all(claim, right=False)

    assert limits.watch_failures()
    Challenge.objects.update(finished_at=timezone.now() - timedelta(days=2))
    assert not limits.watch_failures()


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
    ],
)
def test_the_block_of_an_address(address, block):
    assert limits.block_of(address) == block


def test_the_doubts_have_words_for_the_reviewer():
    assert all(
        claims.DOUBTS[doubt] for doubt in ("skipped", "questions_failed", "identity_tries", "few_facts")
    )
    assert Claim.objects.count() == 0
