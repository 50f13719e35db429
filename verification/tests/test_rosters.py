from datetime import timedelta

import pytest
from django.utils import timezone

from verification.models import Claim, Event, LicenseCheck, LicenseStatus
from verification.models.claims import State
from verification.services import decisions, held, license_clock, proofs, rechecks, rosters
from verification.signals import board_loaded
from verification.tests.factories import image_bytes, make_claim
from verification.tests.license_cases import days, list_license, mails, make_licensed, note_run, now, reasons

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]


@pytest.fixture
def claim():
    """Verified a year ago; the board lists the license in force until 400 days from now."""
    claim = make_licensed(status_checked_at=timezone.now() - timedelta(days=365))
    list_license(claim)
    return claim


def recheck(claim):
    return rosters.recheck(claim.license_state)


def history(claim):
    return (
        claim.license_checks.count(),
        Event.objects.filter(case_number=claim.case_number).count(),
        len(mails(claim)),
    )


def test_a_license_in_force_gets_its_date_and_a_look(claim):
    recheck(claim)

    assert now(claim).license_expires_on == days(400)
    assert timezone.now() - now(claim).status_checked_at < timedelta(days=1)
    assert claim.license_checks.get().source == "board"


def test_the_same_roster_twice_changes_nothing(claim):
    recheck(claim)
    before = history(claim)

    for _ in range(2):
        recheck(claim)

    assert history(claim) == before


def test_a_newer_roster_that_says_the_same_is_a_look_without_a_row(claim):
    list_license(claim, as_of=-30)
    recheck(claim)
    list_license(claim, as_of=0)

    recheck(claim)

    assert claim.license_checks.count() == 1
    assert timezone.now() - now(claim).status_checked_at < timedelta(days=1)


def test_an_expired_license_starts_the_clock_and_lapses_later(claim):
    list_license(claim, "Expired", expires=-10)
    recheck(claim)
    assert (now(claim).state, now(claim).license_expires_on) == (State.VERIFIED, days(-10))

    list_license(claim, "Expired", expires=-61)
    recheck(claim)
    license_clock.run()
    assert now(claim).state == State.LAPSED


def test_a_license_given_up_is_expired_whatever_date_stands_beside_it(claim):
    for _ in range(2):
        list_license(claim, "Retired", expires=300)
        recheck(claim)

    assert now(claim).license_expires_on == days(0)
    assert claim.license_checks.count() == 1


def test_where_no_date_stands_the_day_it_was_first_found_expired_stays(claim):
    list_license(claim, "Expired", expires=None, as_of=-20)
    recheck(claim)
    list_license(claim, "Expired, not renewed", expires=None, as_of=0)

    recheck(claim)

    assert now(claim).license_expires_on == days(-20)


def test_a_roster_without_dates_that_has_it_in_force_outdoes_a_date_that_is_over(claim):
    Claim.objects.update(license_expires_on=days(-50))
    list_license(claim, "Active", expires=None)

    recheck(claim)
    license_clock.run()

    assert (now(claim).state, now(claim).license_expires_on) == (State.VERIFIED, None)


def test_a_license_that_lapsed_for_want_of_a_look_comes_back_by_a_roster_that_says_what_it_said(claim):
    list_license(claim, expires=900, as_of=-401)
    recheck(claim)
    Claim.objects.update(status_checked_at=timezone.now() - timedelta(days=401))
    license_clock.run()
    assert now(claim).state == State.LAPSED

    list_license(claim, expires=900, as_of=0)
    recheck(claim)
    before = history(claim)
    recheck(claim)

    assert (now(claim).state, mails(claim)[-1]) == (State.VERIFIED, "Your license is verified again")
    assert history(claim) == before


def test_a_row_that_ended_and_was_judged_is_written_down_once_and_is_no_look(claim, reviewer):
    list_license(claim, "Revoked", expires=400)
    recheck(claim)
    held.answer(
        claim=now(claim),
        by=reviewer,
        act="keep",
        reason="license_holds",
        note="The board's mistake.",
        expires_on=days(200),
    )
    long_ago = timezone.now() - timedelta(days=100)
    Claim.objects.update(status_checked_at=long_ago)
    before = history(claim)

    recheck(claim)

    assert history(claim) == before
    assert now(claim).status_checked_at == long_ago


def test_a_license_is_found_gone_once_where_two_look_at_once(claim):
    recheck(claim)
    LicenseStatus.objects.all().delete()
    claims = {claim.license_hash: claim}
    before = rosters._last_rows([claim])

    assert [rosters._note_gone(claims, set(), before) for _ in range(2)] == [1, 0]
    assert claim.license_checks.filter(finding="not_found").count() == 1


def test_a_renewed_row_gives_a_lapsed_license_back(claim):
    list_license(claim, "Expired", expires=-61)
    recheck(claim)
    license_clock.run()
    list_license(claim, "Active", expires=700)

    recheck(claim)

    assert now(claim).state == State.VERIFIED
    assert reasons(claim) == ["expired", "in_force"]
    assert mails(claim)[-1] == "Your license is verified again"


def test_it_does_not_come_back_while_something_else_is_in_doubt(claim):
    claim.state, claim.queued_at, claim.doubts = State.LAPSED, timezone.now(), ["gone"]
    claim.save()

    recheck(claim)

    assert now(claim).state == State.LAPSED


@pytest.mark.parametrize(
    "state", [State.VERIFIED, State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER, State.LAPSED, State.RETIRED]
)
def test_a_license_that_its_board_ended_is_suspended(claim, state):
    claim.state = state
    claim.save()
    list_license(claim, "Revoked")

    for _ in range(2):
        recheck(claim)

    assert now(claim).state == State.SUSPENDED
    assert reasons(claim) == ["license_ended"]
    assert mails(claim) == ["Your verification is suspended"]


def test_what_a_reviewer_gave_back_is_not_suspended_for_the_same_row(claim, reviewer):
    list_license(claim, "Revoked")
    recheck(claim)
    held.answer(
        claim=claim, by=reviewer, act="keep", reason="license_holds", note="The board mixed up numbers."
    )

    list_license(claim, "Revoked", as_of=0)
    recheck(claim)

    assert now(claim).state == State.VERIFIED


def test_a_suspended_license_that_is_in_force_again_is_reopened(claim):
    list_license(claim, "Suspended")
    recheck(claim)
    list_license(claim, "Active")

    for _ in range(2):
        recheck(claim)

    assert now(claim).state == State.SUSPENDED
    assert now(claim).doubts == ["reinstated"]
    assert now(claim).queued_at


def test_a_new_disciplinary_mark_goes_to_reviewers_once(claim, reviewer):
    recheck(claim)
    list_license(claim, discipline="Reprimand 2026")

    for _ in range(2):
        recheck(claim)
    assert (now(claim).state, now(claim).doubts) == (State.NEEDS_REVIEW_HELD, ["discipline"])

    held.answer(claim=claim, by=reviewer, act="keep", reason="license_holds", note="Paperwork only.")
    recheck(claim)
    assert now(claim).state == State.VERIFIED

    list_license(claim, discipline="Reprimand 2026; Probation")
    recheck(claim)
    assert now(claim).state == State.NEEDS_REVIEW_HELD


def test_a_mark_that_the_reviewer_saw_when_approving_is_no_news(provider, seeker, reviewer):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    list_license(claim, discipline="Fine 1999")
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="An old fine, closed.")

    recheck(claim)

    assert now(claim).state == State.VERIFIED


def test_a_license_gone_from_the_roster_goes_to_reviewers_once(claim):
    recheck(claim)
    LicenseStatus.objects.update(number_key="77777")

    for _ in range(2):
        recheck(claim)

    assert (now(claim).state, now(claim).doubts) == (State.NEEDS_REVIEW_HELD, ["license_gone"])
    assert LicenseCheck.objects.filter(finding="not_found").count() == 1


def test_who_retires_gives_the_license_back(claim):
    recheck(claim)
    type(claim).objects.update(state=State.RETIRED)
    LicenseStatus.objects.update(number_key="77777")

    recheck(claim)

    assert (now(claim).state, now(claim).doubts) == (State.RETIRED, [])


def test_a_license_that_no_roster_ever_had_is_not_gone(claim):
    LicenseStatus.objects.update(number_key="77777")

    recheck(claim)

    assert now(claim).state == State.VERIFIED


def test_words_that_nobody_knows_prove_and_accuse_nothing(claim):
    list_license(claim, "Zorbified")

    recheck(claim)

    assert (now(claim).state, claim.license_checks.count()) == (State.VERIFIED, 0)


def test_a_roster_older_than_the_members_word_does_not_turn_the_clock_back(claim):
    list_license(claim, "Expired", expires=-10, as_of=-5)
    license_clock.confirm(user=claim.user, expires_on=days(500))

    recheck(claim)
    assert now(claim).license_expires_on == days(500)

    list_license(claim, "Expired", expires=-10, as_of=1)
    recheck(claim)
    assert now(claim).license_expires_on == days(-10)


def test_only_the_state_of_the_roster_is_looked_at(claim):
    list_license(claim, "Revoked")

    rosters.recheck("TX")
    assert now(claim).state == State.VERIFIED

    rosters.recheck_all()
    assert now(claim).state == State.SUSPENDED


def test_a_loaded_roster_is_compared_and_marked(claim, django_capture_on_commit_callbacks):
    list_license(claim, "Revoked")
    run = note_run("board", board=claim.license_state)

    rechecks.recheck_due()

    run.refresh_from_db()
    assert run.rechecked_at
    assert now(claim).state == State.SUSPENDED


def test_the_import_asks_for_it(claim, monkeypatch, django_capture_on_commit_callbacks):
    started = []
    monkeypatch.setattr("verification.tasks.recheck_claims.delay", lambda: started.append(True))

    with django_capture_on_commit_callbacks(execute=True):
        board_loaded.send(sender=None, run=None, state="MI", changed=[])

    assert started == [True]


def test_nothing_is_decrypted_for_rows_that_say_what_they_said(claim, monkeypatch):
    recheck(claim)
    monkeypatch.setattr("sermo.crypto.decrypt", lambda token: pytest.fail("decrypted"))

    recheck(claim)
