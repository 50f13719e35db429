"""What boards' rosters say of licenses that are held, after each import of one and weekly.

A claim is found by the keyed hash of its license: nothing of an identity is decrypted for rows that say what they said.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date

from django.db import transaction
from django.utils import timezone

from sermo.crypto import keyed_hash
from verification.models import Claim, Exclusion, ImportRun, LicenseCheck, LicenseStatus
from verification.models.claims import State
from verification.services import license_clock, states

Source, Finding = LicenseCheck.Source, LicenseCheck.Finding
BATCH = 1_000
MOVES_THE_CLOCK = (Finding.IN_FORCE, Finding.EXPIRED)
Say = Callable[[int, int], None]  # rows done, rows in all


def nobody(done: int, total: int) -> None:
    """Progress that nobody watches."""


def recheck_all(say: Say = nobody) -> Counter:
    """Compare the licenses that are held with the rosters of all states."""
    done = Counter()
    for state in LicenseStatus.objects.order_by("state").values_list("state", flat=True).distinct():
        done += recheck(state, say)
    return done


def recheck(state: str, say: Say = nobody) -> Counter:
    """Compare the licenses that are held in a state with its roster; run twice, it changes nothing more.

    In force and expired move the clock, suspended or revoked suspends, a disciplinary mark that is new goes to
    reviewers, and so does a license that was on the roster and is no more. A row older than the last look says nothing
    of the clock.
    """
    began = timezone.now()
    claims = _held_in(state)
    before = _last_rows(claims.values())
    rows = LicenseStatus.objects.filter(state=state)
    total, done, seen = rows.count(), Counter(), set()
    unchanged: list[tuple[int, date]] = []
    lapsed: list[Claim] = []
    for number, row in enumerate(rows.iterator(chunk_size=BATCH), 1):
        claim = claims.get(keyed_hash(f"{state}|{row.number_key}|{row.degree}", "license"))
        if claim and claim.pk not in seen:
            seen.add(claim.pk)
            done["found"] += 1
            is_known = _says_the_same(claim, before.get(claim.pk), row)
            finding = license_clock.standing_of(row)
            if is_known and finding in MOVES_THE_CLOCK:
                unchanged.append((claim.pk, row.as_of))
            if is_known and finding == Finding.IN_FORCE and claim.state == State.LAPSED:
                lapsed.append(claim)  # for want of a look, and here is one
            if row.discipline or not is_known:  # whether a mark is new, its event knows
                _take_in(claim, row)
        if number % BATCH == 0:
            say(number, total)
    _looked_at(unchanged)
    for claim in lapsed:
        done["given back"] += license_clock.give_back(claim=claim)
    if total:
        done["gone"] = _note_gone(claims, seen, before)
    ImportRun.objects.filter(
        source="board", board=state, state="loaded", finished_at__lte=began, rechecked_at=None
    ).update(rechecked_at=timezone.now())
    say(total, total)
    return done


def _held_in(state: str) -> dict[str, Claim]:
    """The claims that hold a license of a state, by its hash."""
    from verification.services import held

    watched = (*held.WATCHED, State.SUSPENDED)
    rows = Claim.objects.filter(license_state=state, state__in=watched).exclude(license_hash=None)
    return {claim.license_hash: claim for claim in rows.defer("identity", "asked_for", "appeal")}


def _last_rows(claims) -> dict[int, LicenseCheck]:
    """What the roster said last of each claim."""
    checks = LicenseCheck.objects.filter(claim__in=list(claims), source=Source.BOARD).defer("note")
    return {check.claim_id: check for check in checks.order_by("at", "pk")}


def _says_the_same(claim: Claim, last: LicenseCheck | None, row: LicenseStatus) -> bool:
    finding = license_clock.standing_of(row)
    said = (finding, row.status[:60], row.expires_on)
    if last is None or said != (last.finding, last.status, last.expires_on):
        return False
    if finding not in MOVES_THE_CLOCK:
        return True
    return claim.license_expires_on == license_clock.expiry_by(claim, finding, row.expires_on, row.as_of)


def _looked_at(unchanged: list[tuple[int, date]]) -> None:
    """A roster that says what it said is a look all the same, and leaves no row of its own."""
    by_day: dict[date, list[int]] = {}
    for pk, as_of in unchanged:
        by_day.setdefault(as_of, []).append(pk)
    for as_of, pks in by_day.items():
        moment = min(license_clock.moment_of(as_of), timezone.now())
        for start in range(0, len(pks), BATCH):
            with transaction.atomic():
                some = Claim.objects.filter(pk__in=pks[start : start + BATCH], status_checked_at__lt=moment)
                some = some.exclude(state=State.SUSPENDED).select_for_update().order_by("pk")
                locked = list(
                    some.values_list("pk", flat=True)
                )  # in the order in which everybody locks claims
                Claim.objects.filter(pk__in=locked).update(status_checked_at=moment)


@transaction.atomic
def _take_in(claim: Claim, row: LicenseStatus) -> None:
    """Do what follows from a row that says something else than before."""
    from verification.services import held

    states.lock_identity(claim)
    claim = states.lock(claim)
    if row.discipline:
        held.raise_doubt(claim=claim, doubt="discipline", fact=row.discipline)
    finding = license_clock.standing_of(row)
    last = claim.license_checks.defer("note").last()
    known = claim.license_checks.filter(source=Source.BOARD).defer("note").last()
    if not finding or _says_the_same(claim, known, row):
        return
    if claim.state == State.SUSPENDED:
        if finding == Finding.IN_FORCE and held.is_for_license(claim):
            held.raise_doubt(claim=claim, doubt="reinstated", fact=f"{row.status} {row.expires_on}")
        return
    if finding != Finding.ENDED and last and last.source != Source.BOARD and row.as_of < last.as_of:
        return  # somebody looked since
    license_clock.found(
        claim=claim,
        source=Source.BOARD,
        finding=finding,
        status=row.status,
        expires_on=row.expires_on,
        as_of=row.as_of,
    )


def _note_gone(claims: dict[str, Claim], seen: set[int], before: dict[int, LicenseCheck]) -> int:
    """Licenses that the roster had when it was last looked at, and has no more."""
    gone = 0
    for claim in claims.values():
        if claim.pk not in seen and claim.pk in before:
            gone += _is_gone(claim)
    return gone


@transaction.atomic
def _is_gone(claim: Claim) -> bool:
    states.lock_identity(claim)
    claim = states.lock(claim)
    last = claim.license_checks.filter(source=Source.BOARD).defer("note").last()
    if claim.state in (State.SUSPENDED, State.RETIRED) or last.finding == Finding.NOT_FOUND:
        return False  # who retires gives the license back
    license_clock.found(claim=claim, source=Source.BOARD, finding=Finding.NOT_FOUND)
    return True


def note_known(*, claim: Claim, status: LicenseStatus | None, namesakes: list[Exclusion]) -> None:
    """What whoever verified a claim had before them is no news afterwards."""
    from verification.services import held

    if status and status.discipline:
        held.note_known(claim=claim, about="discipline", fact=status.discipline)
    if status and license_clock.standing_of(status) == Finding.ENDED:
        fact = license_clock.end_of(Source.BOARD, status.status)
        held.note_known(claim=claim, about=f"suspended {held.LICENSE_ENDED}", fact=fact)
    for row in namesakes:
        held.note_known(claim=claim, about="namesake", fact=held.fact_of_exclusion(row))
