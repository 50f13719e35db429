"""What a new registry or a new list of exclusions means for claims that hold a license.

Claims are found by the keyed hashes of the NPIs that changed. Only those are decrypted whose record changed, vanished
or was deactivated, and those verified or given back since the last re-check, which it did not see; for exclusions that
are compared by name, all that are held. Every finding has its own event, so a re-check that was stopped is run again
from its start and does nothing twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from django.db import connection
from django.utils import timezone

from sermo.crypto import keyed_hash
from verification import names, registry
from verification.models import Claim, Exclusion, ImportRun, Provider
from verification.models.claims import State
from verification.models.registry import DOUBLE_NAME
from verification.services import held, outcome, rosters
from verification.services.rosters import BATCH, Say, nobody

LOADED = (ImportRun.State.LOADED, ImportRun.State.REPLACED)
SOURCES = (ImportRun.Source.NPPES, ImportRun.Source.LEIE, ImportRun.Source.BOARD)


def recheck_due(say: Say = nobody) -> Counter:
    """Compare claims with every import that no re-check has finished for."""
    done = Counter()
    due = _due()
    if due.filter(source="nppes").exists():
        done += recheck_nppes(say)
    if due.filter(source="leie").exists():
        done += recheck_leie(say)
    for state in due.filter(source="board").order_by("board").values_list("board", flat=True).distinct():
        done += rosters.recheck(state, say)
    return done


def _due():
    return ImportRun.objects.filter(state__in=LOADED, source__in=SOURCES, rechecked_at=None).order_by("pk")


# The registry


def recheck_nppes(say: Say = nobody) -> Counter:
    """Put before reviewers whose NPI vanished or was deactivated, and whose name changed, since the last re-check."""
    runs = list(_due().filter(source="nppes"))
    if not runs:
        return Counter()
    not_compared = _not_compared_yet()
    claims = _held_by_npi()
    done = Counter(claims=len(claims))
    if any(not run.weekly for run in runs):
        changed, total = _in_full_file(compare_with_old=len(runs) == 1), Provider.objects.count()
    else:
        updated = Provider.objects.filter(run__in=[run.pk for run in runs])
        changed, total = ((npi, True) for npi in updated.values_list("npi", flat=True)), updated.count()
    missing = set(claims)
    found: list[tuple[str, int]] = []
    for number, (npi, has_changed) in enumerate(changed, 1):
        hashed = keyed_hash(npi, "npi")
        if hashed in claims:
            missing.discard(hashed)
            if has_changed:
                found.append((npi, claims[hashed]))
        if number % BATCH == 0:
            say(number, total)
    found = list(dict.fromkeys([*found, *not_compared]))
    for start in range(0, len(found), BATCH):
        done += _compare(found[start : start + BATCH])
    if any(not run.weekly for run in runs):
        done += _note_missing([claims[each] for each in missing])
    _mark(runs)
    say(total, total)
    return done


def _held_by_npi() -> dict[str, int]:
    rows = Claim.objects.filter(state__in=held.WATCHED).exclude(npi_hash=None)
    return dict(rows.values_list("npi_hash", "pk"))


def _not_compared_yet() -> list[tuple[str, int]]:
    """NPI and claim of those that came to hold a license, or have it back, since the registry was loaded that claims
    were compared with last: what it changed may be news of them.
    """
    known = ImportRun.objects.filter(source="nppes", state__in=LOADED, rechecked_at__isnull=False)
    last = known.order_by("-finished_at").first()
    claims = Claim.objects.filter(state__in=held.WATCHED).exclude(npi_hash=None)
    if last:  # from its start: who was verified while it ran may have seen the registry before
        claims = claims.filter(state_at__gte=last.started_at)
    return [
        ((claim.registry or claim.typed)["npi"], claim.pk)
        for claim in claims.order_by("pk").iterator(chunk_size=BATCH // 2)
    ]


def _in_full_file(*, compare_with_old: bool) -> Iterator[tuple[str, bool]]:
    """Every NPI of the live registry, and whether its record differs from that of the registry before.

    That one is only a yardstick where claims were compared with it; where they were not, everybody may have changed.
    """
    live, old = Provider._meta.db_table, f"{Provider._meta.db_table}_old"
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [old])
        has_old = cursor.fetchone()[0] is not None
    if not (compare_with_old and has_old):
        yield from (
            (npi, True) for npi in Provider.objects.values_list("npi", flat=True).iterator(10 * BATCH)
        )
        return
    differs = " OR ".join(
        f"live.{name} IS DISTINCT FROM old.{name}"
        for name in ("name_key", "other_name_key", "deactivated_on", "reactivated_on")
    )
    query = f'SELECT live.npi, old.npi IS NULL OR {differs} FROM "{live}" AS live LEFT JOIN "{old}" AS old USING (npi)'  # noqa: S608
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(10 * BATCH):
            yield from rows


def _compare(found: list[tuple[str, int]]) -> Counter:
    """Claims beside the records that changed."""
    done = Counter()
    providers = Provider.objects.in_bulk([npi for npi, _ in found])
    claims = Claim.objects.in_bulk([pk for _, pk in found])
    for npi, pk in found:
        provider, claim = providers.get(npi), claims.get(pk)
        if provider and claim and claim.state != State.RETIRED:  # who retires gives the number back
            done["compared"] += 1
            done["doubts"] += _doubt_record(claim, provider)
    return done


def _doubt_record(claim: Claim, provider: Provider) -> bool:
    if not provider.is_active:
        return held.raise_doubt(
            claim=claim, doubt="deactivated", fact=f"deactivated {provider.deactivated_on}"
        )
    record = claim.registry
    if record is None or not provider.last_name:
        return False
    key = names.name_key(provider.last_name, provider.first_name)
    if key == names.name_key(record["last_name"], record["first_name"]):
        return False
    return held.raise_doubt(claim=claim, doubt="new_name", fact=f"named {key}")


def _note_missing(pks: list[int]) -> Counter:
    """Claims whose NPI the full file has no more. What a member typed and no registry ever had is not missing."""
    done = Counter()
    for start in range(0, len(pks), BATCH):
        for claim in Claim.objects.filter(pk__in=pks[start : start + BATCH]).exclude(state=State.RETIRED):
            if claim.registry is not None:
                done["compared"] += 1
                fact = f"gone {claim.registry.get('registry_date')}"
                done["doubts"] += held.raise_doubt(claim=claim, doubt="gone", fact=fact)
    return done


# The list of exclusions


def recheck_leie(say: Say = nobody) -> Counter:
    """Suspend whose NPI is excluded, put before reviewers whose name and state are, and whose exclusion is over."""
    runs = list(_due().filter(source="leie"))
    if not runs:
        return Counter()
    done = Counter()
    excluded = defaultdict(list)
    for row in Exclusion.objects.exclude(npi=None).order_by("pk").iterator(BATCH):
        excluded[keyed_hash(row.npi, "npi")].append(row)
    for npi_hash, pk in _held_by_npi().items():
        for row in excluded.get(npi_hash, ()):
            claim = Claim.objects.get(pk=pk)
            fact = held.fact_of_exclusion(row)
            done["suspended"] += held.suspend(claim=claim, reason=held.EXCLUDED, fact=fact)
    done["doubts"] += _reopen_reinstated(excluded)
    done += _compare_names(say)
    _mark(runs)
    return done


def _reopen_reinstated(excluded) -> int:
    """Suspended for an exclusion that is on the list no more: a reviewer looks."""
    suspended = (
        Claim.objects.filter(state=State.SUSPENDED).exclude(npi_hash__in=[*excluded]).defer("identity")
    )
    reopened = 0
    for claim in suspended.iterator():
        if held.is_for_exclusion(claim):
            fact = f"reinstated {claim.state_at.isoformat()}"
            reopened += held.raise_doubt(claim=claim, doubt="reinstated", fact=fact)
    return reopened


def _compare_names(say: Say) -> Counter:
    """Exclusions beside every name of every claim: legal, former, typed, and each half of a double one on either side.

    A name in another state is somebody else, and so is one with an NPI, unless the registry has none of the member. The
    last name and the state are compared here, for all claims in one pass; what comes near is judged as an applicant
    would be.
    """
    done = Counter()
    everybody, without_npi = _listed(Exclusion.objects.all()), _listed(Exclusion.objects.filter(npi=None))
    if not everybody:
        return done
    claims = Claim.objects.filter(state__in=held.WATCHED).order_by("pk")
    total = claims.count()
    for number, claim in enumerate(claims.iterator(chunk_size=BATCH // 2), 1):
        done["compared"] += 1
        listed = without_npi if claim.registry else everybody
        if any((key, state) in listed for key in _last_keys(claim) for state in outcome.states_of(claim)):
            for row in outcome.namesakes_of(claim):
                fact = held.fact_of_exclusion(row)
                done["doubts"] += held.raise_doubt(claim=claim, doubt="namesake", fact=fact)
        if number % BATCH == 0:
            say(number, total)
    say(total, total)
    return done


def _listed(rows) -> set[tuple[str, str]]:
    """The last names, whole and each half of a double one, and the states of exclusions."""
    listed = set(rows.values_list("last_key", "state"))
    double = rows.filter(last_name__regex=DOUBLE_NAME).values_list("last_name", "state").distinct()
    return listed | {(key, state) for last, state in double for key in registry.last_keys(last)}


def _last_keys(claim: Claim) -> set[str]:
    record = claim.registry or {}
    last_names = {claim.typed["last"], record.get("last_name", ""), record.get("other_last_name", "")}
    return {key for last in last_names for key in registry.last_keys(last)}


def _mark(runs: list[ImportRun]) -> None:
    ImportRun.objects.filter(pk__in=[run.pk for run in runs]).update(rechecked_at=timezone.now())
