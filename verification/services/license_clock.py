"""Whether a license that is held is still in force: looks at it, reminders, lapse, and coming back.

A license lapses LAPSE_DAYS after it expired without a new date, and without any look for RECHECK_DAYS. Its member then
reads and writes nothing; nothing is deleted. Days are days of the site's own time zone.
"""

import secrets
from collections import Counter
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from sermo.background import each_alone
from sermo.errors import RuleBroken
from verification import licenses_status, rules
from verification.models import Claim, Event, LicenseCheck, LicenseStatus
from verification.models.claims import State
from verification.services import events, notices, states

Source, Finding = LicenseCheck.Source, LicenseCheck.Finding
MAY_CONFIRM = (State.VERIFIED, State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER)
MAY_LAPSE = (State.VERIFIED, State.NEEDS_REVIEW_HELD)
LONGEST_YEARS = 6  # no state gives a license for longer; a later year is a slip of the pen
LAST_CALL_DAYS = 7  # before a license lapses for want of a look, its member is asked once more


class NothingToConfirm(RuleBroken):
    message = "There is no verified license to confirm."


class SendADocument(RuleBroken):
    message = "This license has lapsed. Send the renewed one as a document; a reviewer looks at it."


class Expired(RuleBroken):
    message = "This day is over. Write the new date once the license is renewed."


class TooLate(RuleBroken):
    message = f"No license runs for more than {LONGEST_YEARS} years. Check the year."


# Looks


def check_date(expires_on: date) -> None:
    """Raises Expired or TooLate for a day until which no license in force can run."""
    today = timezone.localdate()
    if expires_on < today:
        raise Expired
    if expires_on.year > today.year + LONGEST_YEARS:
        raise TooLate


def note_first(*, claim: Claim, status: LicenseStatus | None, method: str, by: User | None) -> LicenseCheck:
    """The look that verifying a claim was: the board's row, a document, a reviewer, or else the member's own word."""
    if status:
        source, as_of = Source.BOARD, status.as_of
    else:
        as_of = timezone.localdate()
        source = (
            Source.DOCUMENT
            if method in ("document", "pioneer")
            else Source.REVIEWER
            if by
            else Source.MEMBER  # a code or an entry in the registry says nothing of the license
        )
    return LicenseCheck.objects.create(
        claim=claim,
        source=source,
        finding=(standing_of(status) if status else "") or Finding.IN_FORCE,
        status=status.status if status else "",
        expires_on=status.expires_on if status else None,
        as_of=as_of,
        by=None if source in (Source.MEMBER, Source.BOARD) else by,
    )


def note_look(
    *,
    claim: Claim,
    source: str,
    finding: str,
    status: str = "",
    expires_on: date | None = None,
    as_of: date | None = None,
    by: User | None = None,
    wants_look: bool = False,
    note: str | None = None,
) -> Claim:
    """Write down a look at the license of a locked claim, and what it says of its expiry."""
    today = timezone.localdate()
    as_of = as_of or today
    LicenseCheck.objects.create(
        claim=claim,
        source=source,
        finding=finding,
        status=status[:60],
        expires_on=expires_on,
        as_of=as_of,
        by=by,
        wants_look=wants_look,
        note=note,
    )
    events.record(kind="license_checked", claim=claim, by=by, evidence=[source, finding])
    if finding in (Finding.IN_FORCE, Finding.EXPIRED):
        seen = moment_of(as_of) if as_of < today else timezone.now()
        claim.status_checked_at = max(claim.status_checked_at or seen, seen)
        claim.status_source = source
        claim.license_expires_on = expiry_by(claim, finding, expires_on, as_of)
        claim.save(update_fields=["status_checked_at", "status_source", "license_expires_on"])
    return claim


def expiry_by(claim: Claim, finding: str, expires_on: date | None, as_of: date) -> date | None:
    """Until when a license runs by a look that found it in force or expired, with what was known before.

    Expired, it ran until that day at the latest, whatever date stands beside it (boards leave it beside "Retired"), and
    a date that was over before stays. In force without a date, one that is over says nothing any more.
    """
    today, known = timezone.localdate(), claim.license_expires_on
    day = min(as_of, today)
    if finding == Finding.IN_FORCE:
        return expires_on or (known if known and known >= day else None)
    if expires_on and expires_on <= today:
        return expires_on
    return min(known or day, day)


def moment_of(day: date) -> datetime:
    """The noon of a day, for what is known to the day alone."""
    return timezone.make_aware(datetime.combine(day, time(12)))


@transaction.atomic
def found(
    *,
    claim: Claim,
    source: str,
    finding: str,
    status: str = "",
    expires_on: date | None = None,
    as_of: date | None = None,
    by: User | None = None,
    note: str | None = None,
) -> Claim:
    """Write down a look by a roster or by staff, and do what follows from it.

    In force gives a lapsed license back unless something else is in doubt; a license suspended or revoked by its board
    suspends; one that is not found goes to reviewers; an expired one starts the clock.
    """
    from verification.services import held  # which imports this module

    states.lock_identity(claim)
    claim = states.lock(claim)
    claim = note_look(
        claim=claim,
        source=source,
        finding=finding,
        status=status,
        expires_on=expires_on,
        as_of=as_of,
        by=by,
        note=note,
    )
    if finding == Finding.ENDED:
        held.suspend(claim=claim, reason=held.LICENSE_ENDED, fact=end_of(source, status), by=by)
    elif finding == Finding.NOT_FOUND:
        held.raise_doubt(claim=claim, doubt="license_gone", fact=f"{source} {as_of or timezone.localdate()}")
    elif finding == Finding.IN_FORCE and claim.state == State.LAPSED:
        _come_back(claim, by)
    return states.lock(claim)


def end_of(source: str, status: str) -> str:
    """The fact that a license ended: of a roster the same each time, of staff anew each day."""
    return f"{source} {status}" if source == Source.BOARD else f"{source} {status} {timezone.localdate()}"


@transaction.atomic
def give_back(*, claim: Claim) -> bool:
    """Give a lapsed license back that its roster still has in force; whether that was done."""
    states.lock_identity(claim)
    claim = states.lock(claim)
    return claim.state == State.LAPSED and _come_back(claim, None)


def _come_back(claim: Claim, by: User | None) -> bool:
    from verification.services import held

    today = timezone.localdate()
    if claim.license_expires_on and claim.license_expires_on < today:
        return False
    if claim.status_checked_at < _oldest_look() or held.is_in_doubt(claim):
        return False
    role = states.REVIEWER if by else states.SYSTEM
    states.move(claim=claim, to=State.VERIFIED, as_=role, by=by, reason="in_force", asked_for=None)
    notices.tell_applicant(claim, "renewed")
    return True


# The member's own word


@transaction.atomic
def confirm(*, user: User, expires_on: date) -> LicenseCheck:
    """A member says that the license is in force until a day. The same said twice on one day is said once.

    A lot, and every date that takes the place of one that was over, brings it before staff, who look it up. Raises
    NothingToConfirm, SendADocument, Expired, TooLate.
    """
    claim = Claim.objects.filter(user=user).holding().first()
    if claim is None:
        raise NothingToConfirm
    states.lock_identity(claim)
    claim = states.lock(claim)
    if claim.state == State.LAPSED:
        raise SendADocument
    if claim.state not in MAY_CONFIRM:
        raise NothingToConfirm
    check_date(expires_on)
    today = timezone.localdate()
    said = claim.license_checks.filter(source=Source.MEMBER, as_of=today)
    if same := said.filter(expires_on=expires_on).last():
        return same
    was_over = claim.license_expires_on is not None and claim.license_expires_on < today
    wants_look = was_over or said.filter(wants_look=True).exists() or _is_drawn()
    note_look(
        claim=claim,
        source=Source.MEMBER,
        finding=Finding.IN_FORCE,
        expires_on=expires_on,
        wants_look=wants_look,
    )
    return claim.license_checks.latest("at", "pk")


def _is_drawn() -> bool:
    return secrets.randbelow(1_000_000) < rules.LOOK_UP_SHARE * 1_000_000


# Staff's look


class NotAReviewer(RuleBroken):
    message = "Only verification reviewers look licenses up, and never their own."


class LookedUp(RuleBroken):
    message = "Somebody has looked this license up already."


class NotHeld(RuleBroken):
    message = "Nobody is verified by this claim any more, so there is nothing to look up."


class NotOverYet(RuleBroken):
    message = "This date is still to come. Write the day on which it ended, or none if the board names none."


@transaction.atomic
def ask_for_look(*, claim: Claim, by: User) -> LicenseCheck:
    """Bring a license before staff to be looked up, because a reviewer wants it. Asked twice, it is looked up once.

    Raises NotAReviewer, NotHeld, NothingToConfirm.
    """
    states.lock_identity(claim)
    claim = states.lock(claim)
    if not by.has_perm("verification.decide_claim"):
        raise NotAReviewer
    if not claim.is_holding:
        raise NotHeld
    if not claim.license_checks.exists():
        raise NothingToConfirm
    return _bring_before_staff(claim, by=by)


@transaction.atomic
def look_after_report(*, user: User) -> LicenseCheck | None:
    """Bring the license of somebody who was reported as no physician before staff, who look it up at its board.

    While a look at it waits already, that one answers this report, too. The trail says neither who reported nor of
    what. Returns the look that waits; None where the account holds no license.
    """
    claim = Claim.objects.filter(user=user).holding().first()
    if claim is None:
        return None
    states.lock_identity(claim)
    claim = states.lock(claim)
    if not claim.is_holding or not claim.license_checks.exists():
        return None
    return _bring_before_staff(claim, reason="reported")


def _bring_before_staff(claim: Claim, *, by: User | None = None, reason: str = "") -> LicenseCheck:
    """The look at a locked claim's license that waits for staff, made to wait if none does."""
    if waiting := claim.license_checks.filter(wants_look=True, looked_at=None).first():
        return waiting
    last = claim.license_checks.last()  # never one that was looked at: staff's own comes after it
    last.wants_look = True
    last.save(update_fields=["wants_look"])
    events.record(kind="look_asked_for", claim=claim, by=by, reason=reason)
    return last


def check_look(*, check: LicenseCheck, claim: Claim, by: User, finding: str, expires_on: date | None) -> None:
    """Whether a look could be written down now. Raises what `look_up` raises."""
    from verification.services import queue  # which imports this module by way of `outcome`
    from verification.services.decisions import is_party

    if not by.has_perm("verification.decide_claim") or is_party(by, claim):
        raise NotAReviewer
    if not claim.is_holding:
        raise NotHeld
    if check.looked_at or not check.wants_look:
        raise LookedUp
    queue.check_not_held(claim, by)
    if finding == Finding.IN_FORCE and expires_on:
        check_date(expires_on)
    if finding == Finding.EXPIRED and expires_on and expires_on > timezone.localdate():
        raise NotOverYet


@transaction.atomic
def look_up(
    *,
    check: LicenseCheck,
    by: User,
    finding: str,
    status: str = "",
    expires_on: date | None = None,
    note: str,
) -> Claim:
    """What staff found at the board about a license, which answers everything that waits for a look at it.

    Raises NotAReviewer, NotHeld, LookedUp, queue.HeldByAnother, Expired, TooLate, NotOverYet.
    """
    states.lock_identity(check.claim)
    claim = states.lock(check.claim)
    check = LicenseCheck.objects.select_for_update().get(pk=check.pk)
    check_look(check=check, claim=claim, by=by, finding=finding, expires_on=expires_on)
    waiting = claim.license_checks.filter(wants_look=True, looked_at=None)
    waiting.update(looked_at=timezone.now(), looked_by=by)
    return found(
        claim=claim,
        source=Source.REVIEWER,
        finding=finding,
        status=status,
        expires_on=expires_on,
        by=by,
        note=note.strip(),
    )


# The clock


def run() -> Counter:
    """Remind members of dates that come near, and let licenses lapse. Run daily; twice a day does the same as once.

    A fault at one license keeps no other from its turn, and it is due again on the next day.
    """
    done = Counter()
    for name, due, act in (
        ("lapsed", _to_lapse, _lapse),
        ("reminded", _to_remind, _remind),
        ("asked", _to_confirm, _ask),
    ):
        ids = due().values_list("pk", flat=True)
        done[name] += each_alone(act, ids, failed=f"license_not_{name}")
    return done


def _held():
    return Claim.objects.filter(state__in=MAY_CONFIRM).defer("identity", "asked_for", "appeal").order_by("pk")


def _locked(pk: int) -> Claim:
    """A claim behind the locks of its identity."""
    claim = Claim.objects.only("npi_hash", "license_hash").get(pk=pk)
    states.lock_identity(claim)
    return states.lock(claim)


def _to_lapse():
    over = timezone.localdate() - timedelta(days=rules.LAPSE_DAYS)
    return _held().filter(
        Q(license_expires_on__lte=over) | Q(status_checked_at__lte=_oldest_look()), state__in=MAY_LAPSE
    )


def _oldest_look() -> datetime:
    return timezone.now() - timedelta(days=rules.RECHECK_DAYS)


@transaction.atomic
def _lapse(pk: int) -> bool:
    claim = _locked(pk)
    if not _to_lapse().filter(pk=claim.pk).exists():
        return False
    over = timezone.localdate() - timedelta(days=rules.LAPSE_DAYS)
    has_expired = claim.license_expires_on is not None and claim.license_expires_on <= over
    states.move(
        claim=claim,
        to=State.LAPSED,
        as_=states.SYSTEM,
        reason="expired" if has_expired else "not_rechecked",
        queued_at=claim.queued_at,  # whoever looks at it for another cause still does
    )
    notices.tell_applicant(claim, "lapsed")
    return True


def _to_remind():
    today = timezone.localdate()
    return _held().filter(
        license_expires_on__lte=today + timedelta(days=max(rules.EXPIRY_REMINDERS)),
        license_expires_on__gt=today - timedelta(days=rules.LAPSE_DAYS),
    )


@transaction.atomic
def _remind(pk: int) -> bool:
    """The reminder that is due, and none of those before it that an outage or a late date kept back."""
    claim = _locked(pk)
    if not _to_remind().filter(pk=claim.pk).exists():
        return False  # a new date came, or it is not held any more
    left = (claim.license_expires_on - timezone.localdate()).days
    due = min(days for days in rules.EXPIRY_REMINDERS if days >= left)
    key = f"license_reminder {claim.case_number} {claim.license_expires_on} {due}"
    if not _is_first(claim, key, "before" if left > 0 else "after"):
        return False
    if left > 0:
        notices.tell_applicant(claim, "license_expires")
    else:
        notices.tell_applicant(claim, "license_expired")
    return True


def _to_confirm():
    return _held().filter(status_checked_at__lte=timezone.now() - timedelta(days=rules.CONFIRM_DAYS))


@transaction.atomic
def _ask(pk: int) -> bool:
    """Ask a member to confirm the license: once, and once more shortly before it lapses."""
    claim = _locked(pk)
    if not _to_confirm().filter(pk=claim.pk).exists():
        return False
    since = timezone.now() - claim.status_checked_at
    call = "last" if since >= timedelta(days=rules.RECHECK_DAYS - LAST_CALL_DAYS) else "first"
    key = f"license_confirm {claim.case_number} {claim.status_checked_at:%Y%m%dT%H%M} {call}"
    if not _is_first(claim, key, call):
        return False
    notices.tell_applicant(claim, "license_confirm")
    return True


def _is_first(claim: Claim, key: str, reason: str) -> bool:
    """Whether a reminder was not sent before; it is noted as sent."""
    if Event.objects.filter(key=key).exists():
        return False
    events.record(kind="license_reminder", claim=claim, reason=reason, key=key)
    return True


# What its member reads


def lapse_day(claim: Claim) -> date | None:
    """The day on which a license lapses unless something is heard of it."""
    days = []
    if claim.license_expires_on:
        days.append(claim.license_expires_on + timedelta(days=rules.LAPSE_DAYS))
    if claim.status_checked_at:
        days.append(timezone.localdate(claim.status_checked_at) + timedelta(days=rules.RECHECK_DAYS))
    return min(days, default=None)


def standing_of(row: LicenseStatus) -> str:
    """What a roster's row says by its words and its date, as a finding; empty where its words are unknown."""
    said = licenses_status.standing(row.state, row.status, row.expires_on, timezone.localdate())
    return {"in_force": Finding.IN_FORCE, "expired": Finding.EXPIRED, "ended": Finding.ENDED}.get(said, "")


# Forgetting


def forget_looks() -> int:
    """Delete looks that are older than the record must be; return how many."""
    return old_looks(timezone.now()).delete()[0]


def old_looks(at: datetime) -> QuerySet[LicenseCheck]:
    """Looks that should be gone at a moment. The newest of each source stays: the next one is compared with it."""
    newer = LicenseCheck.objects.filter(
        claim=OuterRef("claim"), source=OuterRef("source"), at__gt=OuterRef("at")
    )
    return LicenseCheck.objects.filter(Exists(newer), at__lt=at - timedelta(days=rules.RECORD_KEEP_DAYS))
