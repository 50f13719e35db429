from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Mail, Member
from verification.models import Claim, Event, LicenseCheck
from verification.models.claims import State
from verification.services import decisions, license_clock, proofs
from verification.tests.factories import image_bytes, make_claim, make_reviewer
from verification.tests.license_cases import days, list_license, mails, make_licensed, now, reasons

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]

SOON = "Your license expires soon"
OVER = "Your license has expired, as far as we know"
CONFIRM = "Is your license still in force?"
LAPSED = "Your license needs a new check"


@pytest.fixture
def turn_to(monkeypatch):
    """Turn the site's clock so many days on from now."""
    present = timezone.now()
    return lambda number: monkeypatch.setattr(timezone, "now", lambda: present + timedelta(days=number))


def standing_of(claim):
    return Member.objects.get(user=claim.user).standing


def test_verifying_is_the_first_look(provider, seeker, reviewer):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())

    decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="Card agrees.")

    check = LicenseCheck.objects.get()
    assert (check.source, check.finding, check.by_id) == ("document", "in_force", reviewer.pk)


def test_where_the_board_lists_it_the_first_look_is_the_boards(provider, seeker, reviewer):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    row = list_license(claim, expires=90, as_of=-2)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())

    decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="Card agrees.")

    check = LicenseCheck.objects.get()
    assert (check.source, check.status, check.expires_on, check.as_of) == (
        "board",
        "Active",
        row.expires_on,
        row.as_of,
    )
    assert now(claim).license_expires_on == row.expires_on


# Reminders


def test_each_reminder_comes_once_and_the_license_lapses_after_sixty_days(turn_to):
    claim = make_licensed(license_expires_on=days(61))
    by_day = {}

    for left in (61, 60, 59, 31, 30, 29, 8, 7, 6, 1, 0, -1, -29, -30, -31, -59, -60, -61):
        turn_to(61 - left)
        before = len(mails(claim))
        for _ in range(2):
            license_clock.run()
        if told := mails(claim)[before:]:
            by_day[left] = told

    assert by_day == {60: [SOON], 30: [SOON], 7: [SOON], 0: [OVER], -30: [OVER], -60: [LAPSED]}
    assert now(claim).state == State.LAPSED


def test_after_an_outage_one_reminder_comes_and_not_all_that_were_missed():
    claim = make_licensed(license_expires_on=days(5))

    license_clock.run()

    assert mails(claim) == [SOON]


def test_a_new_date_is_reminded_of_anew():
    claim = make_licensed(license_expires_on=days(5))
    license_clock.run()
    claim.license_expires_on = days(6)
    claim.save()

    license_clock.run()

    assert mails(claim) == [SOON, SOON]


def test_mails_name_nobody_and_no_number():
    claim = make_licensed(license_expires_on=days(-61))
    license_clock.run()

    text = Mail.objects.get(user=claim.user).text
    for part in (claim.registry["last_name"], claim.registry["npi"], claim.registry["licenses"][0]["number"]):
        assert part.lower() not in text.lower()


@pytest.mark.parametrize("state", [State.RETIRED, State.SUSPENDED, State.LAPSED])
def test_who_is_retired_suspended_or_lapsed_is_not_reminded(state):
    claim = make_licensed(state, license_expires_on=days(-70))

    license_clock.run()

    assert (now(claim).state, mails(claim)) == (state, [])


# Lapse


def test_a_lapsed_member_reads_and_nothing_is_deleted():
    claim = make_licensed(license_expires_on=days(-60))

    license_clock.run()

    claim = now(claim)
    assert (claim.state, standing_of(claim)) == (State.LAPSED, "read_only")
    assert reasons(claim) == ["expired"]
    assert claim.registry is not None


def test_a_license_does_not_lapse_on_the_fifty_ninth_day():
    claim = make_licensed(license_expires_on=days(-59))

    license_clock.run()

    assert now(claim).state == State.VERIFIED


def test_without_any_look_a_license_lapses_after_four_hundred_days():
    fresh = make_licensed(status_checked_at=timezone.now() - timedelta(days=399))
    stale = make_licensed(status_checked_at=timezone.now() - timedelta(days=400, hours=1))

    license_clock.run()

    assert (now(fresh).state, now(stale).state) == (State.VERIFIED, State.LAPSED)
    assert reasons(stale) == ["not_rechecked"]


def test_before_that_the_member_is_asked_twice(turn_to):
    claim = make_licensed(status_checked_at=timezone.now() - timedelta(minutes=1))
    asked = {}

    for number in (364, 365, 366, 392, 393, 394, 399, 400, 401):
        turn_to(number)
        before = len(mails(claim))
        for _ in range(2):
            license_clock.run()
        if told := mails(claim)[before:]:
            asked[number] = told

    assert asked == {365: [CONFIRM], 393: [CONFIRM], 400: [LAPSED]}


def test_one_under_review_lapses_and_stays_before_the_reviewer():
    since = timezone.now() - timedelta(days=3)
    claim = make_licensed(
        State.NEEDS_REVIEW_HELD, license_expires_on=days(-60), queued_at=since, doubts=["gone"]
    )

    license_clock.run()

    claim = now(claim)
    assert (claim.state, claim.queued_at, claim.doubts) == (State.LAPSED, since, ["gone"])


def test_a_disputed_one_is_left_to_its_reviewers():
    claim = make_licensed(State.DISPUTED_HOLDER, license_expires_on=days(-90))

    license_clock.run()

    assert now(claim).state == State.DISPUTED_HOLDER


# The member's own word


def test_a_member_confirms_with_the_date_on_the_license(settings):
    settings.LOOK_UP_SHARE = 0
    claim = make_licensed(status_checked_at=timezone.now() - timedelta(days=380))

    check = license_clock.confirm(user=claim.user, expires_on=days(300))

    claim = now(claim)
    assert (check.source, check.by, check.wants_look) == ("member", None, False)
    assert claim.license_expires_on == days(300)
    assert timezone.now() - claim.status_checked_at < timedelta(minutes=1)
    assert Event.objects.filter(kind="license_checked", case_number=claim.case_number).count() == 1


def test_the_same_said_twice_on_one_day_is_one():
    claim = make_licensed()

    checks = {license_clock.confirm(user=claim.user, expires_on=days(300)).pk for _ in range(3)}

    assert len(checks) == LicenseCheck.objects.count() == 1


def test_another_date_corrects_and_does_not_shake_off_the_lot(settings):
    settings.LOOK_UP_SHARE = 1
    claim = make_licensed()
    license_clock.confirm(user=claim.user, expires_on=days(300))
    settings.LOOK_UP_SHARE = 0

    assert license_clock.confirm(user=claim.user, expires_on=days(310)).wants_look
    assert now(claim).license_expires_on == days(310)


def test_a_lot_draws_some_for_staff(settings, monkeypatch):
    settings.LOOK_UP_SHARE = 0.02
    drawn = []
    for lot in (19_999, 20_000):
        monkeypatch.setattr(license_clock.secrets, "randbelow", lambda most, lot=lot: lot)
        drawn.append(license_clock.confirm(user=make_licensed().user, expires_on=days(9)).wants_look)

    assert drawn == [True, False]


def test_a_date_in_the_place_of_one_that_was_over_is_always_looked_up(settings):
    settings.LOOK_UP_SHARE = 0
    claim = make_licensed(license_expires_on=days(-20))

    assert license_clock.confirm(user=claim.user, expires_on=days(300)).wants_look


@pytest.mark.parametrize(
    ("number", "refusal"), [(-1, license_clock.Expired), (366 * 8, license_clock.TooLate)]
)
def test_a_day_that_is_over_or_too_far_is_refused(number, refusal):
    claim = make_licensed()

    with pytest.raises(refusal):
        license_clock.confirm(user=claim.user, expires_on=days(number))
    assert not LicenseCheck.objects.exists()


def test_today_is_still_in_force():
    assert license_clock.confirm(user=make_licensed().user, expires_on=days(0))


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (State.LAPSED, license_clock.SendADocument),
        (State.SUSPENDED, license_clock.NothingToConfirm),
        (State.RETIRED, license_clock.NothingToConfirm),
        (State.CHALLENGED, license_clock.NothingToConfirm),
    ],
)
def test_others_have_nothing_to_confirm(state, refusal):
    claim = make_licensed(state)

    with pytest.raises(refusal):
        license_clock.confirm(user=claim.user, expires_on=days(30))


# Staff's look


@pytest.fixture
def drawn(settings):
    settings.LOOK_UP_SHARE = 1
    return license_clock.confirm(user=make_licensed().user, expires_on=days(300))


def test_staff_find_it_in_force(drawn, reviewer):
    license_clock.look_up(
        check=drawn, by=reviewer, finding="in_force", expires_on=days(200), note="Seen on the board's page."
    )

    drawn.refresh_from_db()
    last = LicenseCheck.objects.latest("pk")
    assert (drawn.looked_by, last.source, last.by, last.note) == (
        reviewer,
        "reviewer",
        reviewer,
        "Seen on the board's page.",
    )
    assert now(drawn.claim).license_expires_on == days(200)


def test_staff_find_it_expired_and_the_clock_starts(drawn, reviewer):
    license_clock.look_up(check=drawn, by=reviewer, finding="expired", expires_on=days(-70), note="Expired.")
    license_clock.run()

    assert now(drawn.claim).state == State.LAPSED


def test_staff_find_it_revoked_and_it_is_suspended(drawn, reviewer):
    license_clock.look_up(check=drawn, by=reviewer, finding="ended", status="Revoked", note="Revoked.")

    claim = now(drawn.claim)
    assert (claim.state, standing_of(claim), reasons(claim)) == (
        State.SUSPENDED,
        "suspended",
        ["license_ended"],
    )


def test_staff_do_not_find_it_and_reviewers_decide(drawn, reviewer):
    license_clock.look_up(check=drawn, by=reviewer, finding="not_found", note="Nobody there.")

    claim = now(drawn.claim)
    assert (claim.state, claim.doubts) == (State.NEEDS_REVIEW_HELD, ["license_gone"])
    assert claim.queued_at


def test_expired_days_are_over_and_a_clock_that_runs_is_not_set_anew(drawn, reviewer):
    claim = drawn.claim
    Claim.objects.update(license_expires_on=days(-40))
    with pytest.raises(license_clock.NotOverYet):
        license_clock.look_up(
            check=drawn, by=reviewer, finding="expired", expires_on=days(40), note="Says retired."
        )

    license_clock.look_up(check=drawn, by=reviewer, finding="expired", note="Says expired, and no date.")

    assert now(claim).license_expires_on == days(-40)


def test_staff_find_it_in_force_without_a_date_and_an_old_one_says_nothing_any_more(drawn, reviewer):
    Claim.objects.update(license_expires_on=days(-61))
    license_clock.run()
    assert now(drawn.claim).state == State.LAPSED

    license_clock.look_up(check=drawn, by=reviewer, finding="in_force", note="Active, no date.")

    assert (now(drawn.claim).state, now(drawn.claim).license_expires_on) == (State.VERIFIED, None)


def test_one_look_answers_all_that_a_member_said(drawn, reviewer):
    again = license_clock.confirm(user=drawn.claim.user, expires_on=days(350))
    assert again.wants_look

    license_clock.look_up(check=drawn, by=reviewer, finding="in_force", note="Seen.")

    assert not LicenseCheck.objects.filter(wants_look=True, looked_at=None).exists()


def test_what_is_held_no_more_is_not_looked_up(drawn, reviewer):
    Claim.objects.update(state=State.REVOKED)

    with pytest.raises(license_clock.NotHeld):
        license_clock.look_up(check=drawn, by=reviewer, finding="ended", note="Revoked.")


def test_a_date_that_comes_while_the_clock_runs_is_not_reminded_of_as_the_old_one(monkeypatch):
    claim = make_licensed(license_expires_on=days(5))
    read = now(claim)
    Claim.objects.update(license_expires_on=days(700))
    monkeypatch.setattr(license_clock, "_to_confirm", Claim.objects.none)

    assert not license_clock._remind(read.pk)
    assert mails(claim) == []


def test_one_look_is_enough(drawn, reviewer, second_reviewer):
    license_clock.look_up(check=drawn, by=reviewer, finding="in_force", note="Seen.")

    with pytest.raises(license_clock.LookedUp):
        license_clock.look_up(check=drawn, by=second_reviewer, finding="ended", note="No.")


def test_only_reviewers_look_and_never_at_their_own(drawn, colleague):
    with pytest.raises(license_clock.NotAReviewer):
        license_clock.look_up(check=drawn, by=colleague.user, finding="in_force", note="Mine is fine.")

    own = make_reviewer()
    claim = now(drawn.claim)
    claim.user = own
    claim.save()
    with pytest.raises(license_clock.NotAReviewer):
        license_clock.look_up(check=drawn, by=own, finding="in_force", note="Mine is fine.")


def test_a_report_brings_a_license_before_staff_once(reviewer, settings, colleague):
    settings.LOOK_UP_SHARE = 0
    claim = make_licensed()
    with pytest.raises(license_clock.NothingToConfirm):
        license_clock.ask_for_look(claim=claim, by=reviewer)
    license_clock.confirm(user=claim.user, expires_on=days(300))

    checks = {license_clock.ask_for_look(claim=claim, by=reviewer).pk for _ in range(2)}

    assert list(LicenseCheck.objects.filter(wants_look=True).values_list("pk", flat=True)) == list(checks)
    with pytest.raises(license_clock.NotAReviewer):
        license_clock.ask_for_look(claim=claim, by=colleague.user)
