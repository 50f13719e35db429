"""Two things at once, in real threads with real transactions."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification.models import (
    Challenge,
    Claim,
    Dispute,
    Event,
    IdentityGuard,
    MailDomain,
    Objection,
    Proof,
    Vouch,
)
from verification.models.claims import State
from verification.services import (
    automatic,
    codes,
    decisions,
    domains,
    events,
    limits,
    objections,
    proofs,
    vouching,
)
from verification.services import challenge as challenges
from verification.tests.calls import code_said
from verification.tests.factories import (
    image_bytes,
    make_applicant,
    make_claim,
    make_holder,
    make_provider,
    make_reviewer,
    start,
)
from verification.tests.test_challenge import answer_all, later

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    """Run all acts together, each on a connection of its own; what each returned, or the refusal it met."""
    barrier = Barrier(len(acts))

    def run(act):
        barrier.wait()
        try:
            return act()
        except RuleBroken as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_two_accounts_never_both_take_the_second_try(provider):
    claims = [start(make_applicant(), provider) for _ in range(2)]
    IdentityGuard.objects.update(tries_used=1)

    at_once(*(lambda claim=claim: challenges.start_challenge(claim=claim) for claim in claims))

    assert IdentityGuard.objects.get(identity_hash=claims[0].npi_hash).tries_used == 2
    assert Challenge.objects.count() == 1
    assert sorted(Claim.objects.values_list("state", flat=True)) == ["matched", "needs_review"]


def test_one_account_starting_twice_at_once_has_one_second_try(provider, seeker):
    claim = start(seeker, provider)
    challenges.start_challenge(claim=claim)
    answer_all(claim, right=False)
    later(hours=25)

    tries = at_once(*[lambda: challenges.start_challenge(claim=claim)] * 4)

    assert {attempt.pk for attempt in tries} == {Challenge.objects.get(number=2).pk}
    assert IdentityGuard.objects.get(identity_hash=claim.npi_hash).tries_used == 2


def test_the_last_answer_sent_twice_at_once_brings_one_verdict(provider, seeker):
    claim = start(seeker, provider)
    running = challenges.start_challenge(claim=claim)
    for position, entry in enumerate(running.sheet[:-1]):
        challenges.answer(claim=claim, position=position, choice=entry["right"])
    wrong, right = (running.sheet[-1]["right"] + 1) % 6, running.sheet[-1]["right"]

    at_once(
        lambda: challenges.answer(claim=claim, position=4, choice=wrong),
        lambda: challenges.answer(claim=claim, position=4, choice=right),
    )

    assert Challenge.objects.get().verdict in ("passed", "failed")
    assert Event.objects.filter(kind="challenge").count() == 1
    assert IdentityGuard.objects.get(identity_hash=claim.npi_hash).tries_used == 1


def test_two_verifications_of_one_npi_give_one_verified(provider):
    claims = [make_claim(provider=provider, state=State.CHALLENGED) for _ in range(2)]
    for claim in claims:
        proofs.add_document(claim=claim, sort="license", data=image_bytes())
    reviewers = [make_reviewer(), make_reviewer()]

    at_once(
        *(
            lambda claim=claim, by=by: decisions.approve(
                claim=claim, by=by, reason="document_fits", note="They agree."
            )
            for claim, by in zip(claims, reviewers, strict=True)
        )
    )

    assert sorted(Claim.objects.values_list("state", flat=True)) == ["disputed_holder", "disputed_rival"]
    assert Dispute.objects.count() == 1


def test_one_claim_approved_twice_at_once_is_verified_once(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    reviewers = [make_reviewer(), make_reviewer()]

    results = at_once(
        *(
            lambda by=by: decisions.approve(claim=claim, by=by, reason="document_fits", note="They agree.")
            for by in reviewers
        )
    )

    assert Claim.objects.get().state == State.VERIFIED
    assert sum(isinstance(result, decisions.AlreadyDecided) for result in results) == 1


def test_one_form_sent_four_times_at_once_starts_one_claim(provider, seeker):
    claims = at_once(*[lambda: start(seeker, provider)] * 4)

    assert {claim.pk for claim in claims} == {Claim.objects.get().pk}


def test_claims_and_tries_for_one_person_never_wait_for_each_other(provider):
    """Locks taken in different orders would end in a deadlock, which the database reports as an error."""
    for _ in range(3):
        person = make_provider()
        asking = [start(make_applicant(), person) for _ in range(2)]
        coming = [make_applicant() for _ in range(2)]

        at_once(
            *(lambda claim=claim: challenges.start_challenge(claim=claim) for claim in asking),
            *(lambda member=member, person=person: start(member, person) for member in coming),
        )

    assert events.first_broken() is None


def test_one_file_sent_twice_at_once_is_one_document(provider, seeker, private_files):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)

    at_once(*[lambda: proofs.add_document(claim=claim, sort="license", data=image_bytes())] * 2)

    assert len([path for path in private_files.rglob("*") if path.is_file()]) == 1


def test_seven_vouches_at_once_keep_to_six_a_year(provider, seeker, settings):
    settings.VOUCHES_OPEN = 9
    voucher = make_holder()
    claims = [make_claim(provider=provider, state=State.CHALLENGED) for _ in range(7)]
    codes = [vouching.ask_colleagues(claim=claim).code for claim in claims]

    at_once(
        *(
            lambda code=code: vouching.vouch(
                code=code, voucher=voucher.user, relation="works", statement="Known for years."
            )
            for code in codes
        )
    )

    assert Vouch.objects.filter(voucher=voucher.user).count() == 6


def test_events_written_at_once_stay_one_chain(schools, specialties):
    claims = [make_claim(provider=make_provider()) for _ in range(6)]

    at_once(*(lambda claim=claim: events.record(kind="started", claim=claim) for claim in claims))

    assert Event.objects.count() == 6
    assert events.first_broken() is None


@pytest.fixture
def sent(provider, seeker, calls, at_noon):
    """A claim that was sent a code by telephone, with the code."""
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    codes.deliver(proof_id=codes.send_code(claim=claim, kind="phone").pk)
    return claim, code_said(calls[0][2])


def test_wrong_codes_sent_at_once_never_both_take_the_fifth_try(sent):
    claim, code = sent
    Proof.objects.update(tries=4)
    wrong = f"{(int(code) + 1) % 10**6:06}"

    results = at_once(*[lambda: codes.check_code(claim=claim, kind="phone", code=wrong)] * 4)

    assert Proof.objects.get().tries == 5
    assert sum(isinstance(result, codes.WrongCode) for result in results) == 1
    assert sum(isinstance(result, codes.NoCode) for result in results) == 3


def test_eight_guesses_at_once_are_five(sent):
    claim, code = sent
    guesses = [f"{(int(code) + step) % 10**6:06}" for step in range(1, 9)]

    at_once(
        *(lambda guess=guess: codes.check_code(claim=claim, kind="phone", code=guess) for guess in guesses)
    )

    assert Event.objects.filter(kind="code_wrong").count() == 5
    assert events.first_broken() is None


def test_the_right_code_sent_four_times_at_once_is_right_once(sent):
    claim, code = sent

    results = at_once(*[lambda: codes.check_code(claim=claim, kind="phone", code=code)] * 4)

    assert results == [None] * 4
    assert Event.objects.filter(kind="code_right").count() == 1
    assert Claim.objects.get().state == State.PROVEN


def test_one_code_asked_for_four_times_at_once_is_asked_for_once(provider, seeker, calls, at_noon):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)

    results = at_once(*[lambda: codes.send_code(claim=claim, kind="phone")] * 4)

    assert sum(isinstance(result, codes.OnItsWay) for result in results) == 3
    assert Proof.objects.get().sent == 1
    assert limits.sends_left(claim.user) == 2


def test_two_workers_ring_once(provider, seeker, calls, at_noon):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proof = codes.send_code(claim=claim, kind="phone")

    at_once(*[lambda: codes.deliver(proof_id=proof.pk)] * 4)

    assert len(calls) == 1


def test_five_claims_at_once_ring_one_number_three_times(provider, calls, at_noon):
    claims = [make_claim(provider=provider, state=State.CHALLENGED) for _ in range(5)]
    sent = [codes.send_code(claim=claim, kind="phone") for claim in claims]

    at_once(*(lambda proof=proof: codes.deliver(proof_id=proof.pk) for proof in sent))

    assert len(calls) == 3
    assert events.first_broken() is None


def test_two_last_checks_at_once_make_one_verified_and_one_dispute(provider, calls, at_noon):
    claims = [make_claim(provider=provider, state=State.CHALLENGED) for _ in range(2)]
    for claim in claims:
        codes.deliver(proof_id=codes.send_code(claim=claim, kind="phone").pk)
        codes.check_code(claim=claim, kind="phone", code=code_said(calls[-1][2]))

    at_once(*(lambda claim=claim: automatic.decide(claim_id=claim.pk) for claim in claims * 2))

    assert sorted(Claim.objects.values_list("state", flat=True)) == ["disputed_holder", "disputed_rival"]
    assert Dispute.objects.count() == 1
    assert Event.objects.filter(kind="last_check").count() == 2


def test_a_last_check_and_a_reviewer_at_once_verify_once(sent, provider):
    claim, code = sent
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    codes.check_code(claim=claim, kind="phone", code=code)
    reviewer = make_reviewer()

    at_once(
        lambda: automatic.decide(claim_id=claim.pk),
        lambda: decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="They agree."),
    )

    assert Claim.objects.get().state == State.VERIFIED
    assert Event.objects.filter(kind="state", to_state=State.VERIFIED).count() == 1


def test_one_answer_sent_four_times_at_once_is_one_objection(sent):
    claim, code = sent
    codes.check_code(claim=claim, kind="phone", code=code)
    automatic.decide(claim_id=claim.pk)
    objection = Objection.objects.get(way="mail")
    token = "a token of this test"
    objection.code_hash = keyed_hash(token, "this was not me")
    objection.save()

    results = at_once(*[lambda: objections.object_to(code=token, words="It was not me.")] * 4)

    assert {result.pk for result in results} == {objection.pk}
    assert Event.objects.filter(kind="objected").count() == 1
    assert Claim.objects.get().doubts == ["objected"]


def test_one_domain_asked_for_by_four_at_once_is_one_row(db):
    users = [make_applicant().user for _ in range(4)]

    at_once(*(lambda user=user: domains.ask_for(user=user, address="a@new.example") for user in users))

    assert MailDomain.objects.count() == 1
