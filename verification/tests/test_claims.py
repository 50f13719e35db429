from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import Member, Specialty
from verification.models import Claim, Decision, Event, IdentityGuard
from verification.models.claims import State
from verification.names import PersonName
from verification.services import challenge, claims
from verification.tests.factories import (
    add_license,
    make_applicant,
    make_claim,
    make_provider,
    make_reviewer,
    new_npi,
    start,
)

pytestmark = pytest.mark.django_db


def test_one_person_of_the_registry_is_matched(provider, seeker):
    claim = start(seeker, provider)

    assert claim.state == State.MATCHED
    assert claim.doubts == []
    assert claim.registry["npi"] == provider.npi
    assert [event.to_state for event in Event.objects.order_by("pk")] == ["draft", "matched"]


def test_a_license_number_finds_the_person_as_well(provider, seeker):
    claim = start(seeker, provider, npi="", license_number="4301-977598")

    assert claim.state == State.MATCHED
    assert claim.npi_hash


def test_the_same_license_in_two_spellings_is_one_license(schools, specialties, seeker):
    provider = make_provider(number="ME780618", state="FL", practice_state="FL")
    by_npi = start(seeker, provider)
    by_number = start(make_applicant(), provider, npi="", license_number="me 780618")

    assert by_npi.license_hash == by_number.license_hash


def test_md_and_do_licenses_of_one_number_are_two(provider):
    typed = {"npi": new_npi(), "license_number": "12345"}
    doctor = start(make_applicant(), provider, **typed)
    osteopath = start(make_applicant(), provider, **typed, degree="DO")

    assert doctor.license_hash != osteopath.license_hash


def test_nobody_found_leads_to_people(provider, seeker):
    claim = start(seeker, provider, npi=new_npi())

    assert claim.state == State.NEEDS_REVIEW
    assert claim.doubts == ["no_match"]
    assert claim.registry is None
    assert claim.npi_hash


@pytest.mark.parametrize(
    ("fields", "doubt"),
    [
        ({"is_resident": True}, "resident"),
        ({"conflict": True}, "conflict"),
        ({"last_name": "QUILLFEATER"}, None),
    ],
)
def test_doubts_of_the_registry_lead_to_people(schools, specialties, seeker, fields, doubt):
    provider = make_provider(**fields)

    claim = start(seeker, provider, name=PersonName("Quillfeather", "Ottoline", ""))

    assert claim.state == (State.NEEDS_REVIEW if doubt else State.MATCHED)
    assert claim.doubts == ([doubt] if doubt else [])


def test_no_license_in_the_named_state_leads_to_people(provider, seeker):
    claim = start(seeker, provider, state="CA")

    assert "no_license" in claim.doubts


def test_too_few_facts_lead_to_people(schools, specialties, seeker):
    provider = make_provider(second=None, school=None, year=None, practice_zip="")

    claim = start(seeker, provider)

    assert (claim.state, claim.doubts) == (State.NEEDS_REVIEW, ["few_facts"])


def test_what_was_typed_is_no_question(schools, specialties, seeker):
    provider = make_provider(
        number="4301977598", second=None, school=None, year=None
    )  # license, ZIP, enumeration, specialty

    with_number = start(seeker, provider, license_number="4301977598")
    with_specialty = start(make_applicant(), provider, specialty=Specialty.objects.first())
    with_neither = start(make_applicant(), provider)

    assert [claim.state for claim in (with_number, with_specialty)] == [State.NEEDS_REVIEW] * 2
    assert with_neither.state == State.MATCHED


def test_the_questions_can_be_switched_off(provider, seeker, settings):
    settings.CHALLENGE_ON = False

    assert start(seeker, provider).doubts == ["questions_off"]


def test_tries_used_on_the_person_lead_to_people(provider, seeker):
    first = start(make_applicant(), provider)
    IdentityGuard.objects.filter(identity_hash=first.npi_hash).update(tries_used=2)

    assert start(seeker, provider).doubts == ["identity_tries"]


def test_the_fourth_claim_to_one_person_leads_to_people(provider):
    states = [start(make_applicant(), provider).state for _ in range(4)]

    assert states == [State.MATCHED, State.MATCHED, State.MATCHED, State.NEEDS_REVIEW]


def test_the_same_form_sent_twice_starts_one_claim(provider, seeker):
    first, second = start(seeker, provider), start(seeker, provider)

    assert first == second
    assert Claim.objects.count() == 1


def test_other_details_replace_a_claim_nobody_has_acted_on(provider, seeker):
    first = start(seeker, provider, npi=new_npi())
    second = start(seeker, provider)

    first.refresh_from_db()
    assert (first.state, second.state) == (State.WITHDRAWN, State.MATCHED)


def test_a_claim_with_a_reviewer_is_not_replaced(provider, seeker):
    make_claim(seeker, provider, state=State.NEEDS_REVIEW, queued_at=timezone.now())

    with pytest.raises(claims.AlreadyUnderWay):
        start(seeker, provider, npi=new_npi())


def test_a_verified_member_starts_no_other_claim(provider, seeker):
    make_claim(seeker, provider, state=State.VERIFIED)

    with pytest.raises(claims.AlreadyUnderWay):
        start(seeker, make_provider())


def test_the_fourth_identity_of_an_account_locks_it(provider, seeker):
    for _ in range(3):
        start(seeker, make_provider())

    claim = start(seeker, provider)

    assert claim.state == State.LOCKED
    assert claim.queued_at
    with pytest.raises(claims.AlreadyUnderWay):
        start(seeker, make_provider())


def test_the_same_identity_again_counts_once(provider, seeker):
    for _ in range(5):
        start(seeker, provider)
        claims.withdraw(user=seeker.user)

    assert start(seeker, provider).state == State.MATCHED


def test_the_form_answers_no_question_by_trial_and_error(provider, seeker):
    other = provider.licenses()[1].state

    states = [start(seeker, provider, state=state).state for state in ("AK", "NV", "WY", other)]

    assert states == [State.NEEDS_REVIEW] * 4
    assert "probing" in Claim.objects.latest("pk").doubts


def test_what_was_ever_typed_is_never_a_question(provider, seeker):
    number = provider.licenses()[0].number
    start(seeker, provider, license_number=number)

    claim = start(seeker, provider)

    assert "license" in claims.leave_out(claim)
    other = start(seeker, provider, state="CA")
    assert {"license", "second_license"} <= claims.leave_out(other)


def test_after_a_try_other_facts_are_people_s_matter(provider, seeker):
    challenge.start_challenge(claim=start(seeker, provider))
    claims.withdraw(user=seeker.user)

    again = start(seeker, provider, license_number=provider.licenses()[0].number)

    assert (again.state, again.doubts) == (State.NEEDS_REVIEW, ["changed"])


def test_withdrawing_in_mid_try_tells_the_holder(provider, seeker):
    make_claim(provider=provider, state=State.VERIFIED)
    challenge.start_challenge(claim=start(seeker, provider))

    claims.withdraw(user=seeker.user)

    assert Event.objects.filter(kind="challenge", reason="left").count() == 1


def test_an_appeal_taken_back_does_not_shorten_the_90_days(provider, seeker):
    make_claim(seeker, provider, state=State.REJECTED, rejected_for="mismatch", decided_at=timezone.now())
    rejected = Claim.objects.get()
    Decision.objects.create(
        claim=rejected, reviewer=make_reviewer(), outcome="reject", reason="mismatch", note="No."
    )
    claims.appeal(user=seeker.user, text="The card was mine.")
    claims.withdraw(user=seeker.user)

    with pytest.raises(claims.RetryLater):
        start(seeker, provider)


def test_the_email_address_must_be_confirmed(provider, seeker):
    EmailAddress.objects.update(verified=False)

    with pytest.raises(claims.EmailNotConfirmed):
        start(seeker, provider)


def test_a_suspended_member_cannot_start(provider, seeker):
    Member.objects.update(standing="suspended")

    with pytest.raises(claims.NoMembership):
        start(seeker, provider)


def test_after_a_rejection_a_new_claim_waits_90_days(provider, seeker):
    rejected = make_claim(
        seeker, provider, state=State.REJECTED, rejected_for="mismatch", decided_at=timezone.now()
    )

    with pytest.raises(claims.RetryLater):
        start(seeker, provider)

    Claim.objects.filter(pk=rejected.pk).update(decided_at=timezone.now() - timedelta(days=91))
    assert start(seeker, provider).state == State.MATCHED


def test_an_undecided_claim_can_be_withdrawn(provider, seeker):
    start(seeker, provider)

    assert claims.withdraw(user=seeker.user).state == State.WITHDRAWN
    with pytest.raises(claims.NothingToWithdraw):
        claims.withdraw(user=seeker.user)


@pytest.mark.parametrize("state", [State.VERIFIED, State.LOCKED, State.SUSPENDED])
def test_a_decided_or_locked_claim_cannot_be_withdrawn(provider, seeker, state):
    make_claim(seeker, provider, state=state)

    with pytest.raises(claims.NothingToWithdraw):
        claims.withdraw(user=seeker.user)


def test_a_rejection_is_appealed_once(provider, seeker):
    make_claim(seeker, provider, state=State.REJECTED, rejected_for="mismatch", decided_at=timezone.now())

    claim = claims.appeal(user=seeker.user, text="My name changed last year; the deed is attached.")

    assert claim.state == State.NEEDS_REVIEW
    assert claim.queued_at
    assert claim.appeal.startswith("My name changed")
    Claim.objects.update(state=State.REJECTED, rejected_for="mismatch", decided_at=timezone.now())
    with pytest.raises(claims.CannotAppeal):
        claims.appeal(user=seeker.user, text="Once more, with feeling, and in more words.")


def test_only_a_rejection_can_be_appealed(provider, seeker):
    start(seeker, provider)

    with pytest.raises(claims.CannotAppeal):
        claims.appeal(user=seeker.user, text="There is nothing to appeal against here.")


def test_a_person_with_several_licenses_is_known_by_the_main_one(provider, seeker):
    add_license(provider, 3, "4301000001", "MI")

    claim = start(seeker, provider)

    assert (
        claim.license_hash
        == start(make_applicant(), provider, npi="", license_number="4301977598").license_hash
    )
