"""Two things at once to a license that is held, in real threads with real transactions."""

import pytest

from verification.models import Event, LicenseCheck
from verification.models.claims import State
from verification.services import claims, held, license_clock
from verification.tests.factories import make_reviewer
from verification.tests.license_cases import days, mails, make_licensed, now, reasons
from verification.tests.test_parallel import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("schools", "specialties")]


def test_two_runs_of_the_clock_remind_and_lapse_once():
    soon, over = make_licensed(license_expires_on=days(5)), make_licensed(license_expires_on=days(-61))

    at_once(*[license_clock.run] * 3)

    assert mails(soon) == ["Your license expires soon"]
    assert mails(over) == ["Your license needs a new check"]
    assert reasons(over) == ["expired"]


def test_the_same_finding_twice_at_once_is_one():
    doubted, suspended = make_licensed(), make_licensed()

    heard = at_once(*[lambda: held.raise_doubt(claim=doubted, doubt="gone", fact="gone")] * 3)
    ended = at_once(*[lambda: held.suspend(claim=suspended, reason="excluded", fact="row")] * 3)

    assert sorted(heard) == sorted(ended) == [False, False, True]
    assert Event.objects.filter(kind="found").count() == 2
    assert mails(suspended) == ["Your verification is suspended"]


def test_confirming_twice_at_once_is_one_look():
    claim = make_licensed()

    at_once(*[lambda: license_clock.confirm(user=claim.user, expires_on=days(90))] * 3)

    assert LicenseCheck.objects.count() == 1


def test_a_date_that_comes_as_it_lapses_wins_or_finds_it_lapsed():
    claim = make_licensed(license_expires_on=days(-61))

    confirmed, _ = at_once(
        lambda: license_clock.confirm(user=claim.user, expires_on=days(90)), license_clock.run
    )

    has_lapsed = isinstance(confirmed, license_clock.SendADocument)
    assert now(claim).state == (State.LAPSED if has_lapsed else State.VERIFIED)
    assert now(claim).license_expires_on == (days(-61) if has_lapsed else days(90))


def test_an_appeal_sent_twice_at_once_is_one():
    claim = make_licensed()
    held.suspend(claim=claim, reason="excluded", fact="row")

    answers = at_once(*[lambda: claims.appeal(user=claim.user, text="The number is another's.")] * 2)

    assert sum(isinstance(each, held.CannotAppeal) for each in answers) == 1
    assert Event.objects.filter(kind="appealed").count() == 1


def test_two_opinions_at_once_revoke_once():
    claim = make_licensed(State.SUSPENDED)
    said = {"act": "revoke", "reason": "not_own", "note": "It is somebody else's."}
    reviewers = [make_reviewer() for _ in range(2)]

    at_once(*[lambda by=by: held.answer(claim=claim, by=by, **said) for by in reviewers])

    assert now(claim).state == State.REVOKED
    assert mails(claim) == ["Your verification was ended"]


def test_keep_and_revoke_at_once_never_both_happen():
    claim = make_licensed(State.SUSPENDED)
    first, second, third = (make_reviewer() for _ in range(3))
    held.answer(claim=claim, by=first, act="revoke", reason="not_own", note="Not theirs.")

    at_once(
        lambda: held.answer(claim=claim, by=second, act="revoke", reason="not_own", note="Not theirs."),
        lambda: held.answer(claim=claim, by=third, act="keep", reason="record_fits", note="It is theirs."),
    )

    assert len(reasons(claim)) == 1
    assert now(claim).state in (State.REVOKED, State.VERIFIED)
