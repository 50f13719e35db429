"""Looking people up in the registries: who is meant, what is known of them, whether they are excluded."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONObject

from verification import calling, licenses, names
from verification.models import Education, Exclusion, ImportRun, Provider, ProviderLicense
from verification.models.registry import DOUBLE_NAME
from verification.names import NameScore, PersonName
from verification.taxonomy import is_physician_code

MOST_CANDIDATES = (
    5_000  # people of like names practicing in one state; the most common beginnings have a fifth
)
FIRST_TELLING_YEAR = (
    2008  # of NPIs: before it all physicians got theirs, so that guessing those years is no guess
)
PREFIX = 3  # letters at the start of a last name within which no misspelling is looked for


@dataclass(frozen=True)
class Match:
    """Whom a claim means. `doubts` are reasons for people to decide instead of the challenge:

    resident, no_license (none with a number in the claimed state), license_differs (the typed number is
    none of the person's in that state), conflict (two names on one day in the registry), deactivated,
    degree, name (score between 0.85 and 0.92).
    """

    kind: Literal["none", "one", "many"]
    provider: Provider | None = None
    score: NameScore | None = None
    doubts: tuple[str, ...] = ()


class Fact(NamedTuple):
    """One thing a person can be asked: its kind, its value as text, and the state of a license."""

    kind: str
    value: str
    state: str = ""


@dataclass(frozen=True)
class Exclusions:
    """`definite` when an NPI is excluded, `possible` when a name and state are, else empty; and the rows."""

    verdict: Literal["definite", "possible", ""] = ""
    rows: list[Exclusion] = field(default_factory=list)


NOBODY = Match("none")


def find_person(
    name: PersonName,
    degree: str,
    state: str,
    npi: str | None = None,
    license_number: str | None = None,
    city: str | None = None,
) -> Match:
    """The person of the registry that a claim means, found by NPI, else license number, else name and state.

    A name that does not fit (below 0.85) finds nobody, even where the number exists. Without a number only
    active physicians of that state and degree are considered, and the city of practice decides between
    namesakes.
    """
    if npi:
        candidates = list(Provider.objects.filter(npi=npi.strip()))
    elif license_number:
        candidates = list(Provider.objects.licensed_in(state, licenses.candidate_keys(state, license_number)))
    else:
        candidates = _namesakes(name, state)
    scored = [(names.name_score(name, *_names_of(provider)), provider) for provider in candidates]
    fitting = [(score, provider) for score, provider in scored if score.verdict != "refused"]
    if not npi:
        fitting = _narrowed(fitting, degree, city, by_name=not license_number)
    if len(fitting) != 1:
        return Match("many") if fitting else NOBODY
    score, provider = fitting[0]
    return Match("one", provider, score, tuple(_doubts(provider, score, degree, state, license_number)))


def _namesakes(name: PersonName, state: str) -> list[Provider]:
    """Active physicians of the same name with a license in the state, and of a like name practicing there."""
    beginnings = {last[:PREFIX] for last in last_keys(name.last)}
    if not beginnings:
        return []
    everybody = Provider.objects.physicians().active()
    same = everybody.named(names.name_key(name.last, name.first)).licensed_in(state)
    like = everybody.filter(practice_state=state).named_like(beginnings)[:MOST_CANDIDATES]
    return list({provider.pk: provider for provider in (*same, *like)}.values())


def _names_of(provider: Provider) -> list[PersonName]:
    legal = PersonName(provider.last_name, provider.first_name, provider.middle_name, provider.suffix)
    if not provider.other_last_name:
        return [legal]
    return [legal, PersonName(provider.other_last_name, provider.other_first_name, provider.middle_name)]


def _narrowed(fitting: list, degree: str, city: str | None, *, by_name: bool) -> list:
    """Fewer candidates by degree, by city, and by the better name, as long as somebody is left."""
    keeps = [
        lambda provider, score: provider.degree in ("", degree),
        lambda provider, score: score.verdict == "accepted",
    ]
    if city and by_name:
        wanted = names.last_key(city)
        keeps.append(lambda provider, score: names.last_key(provider.practice_city) == wanted)
    for keep in keeps:
        if len(fitting) > 1:
            fitting = [(score, provider) for score, provider in fitting if keep(provider, score)] or fitting
    return fitting


def _doubts(
    provider: Provider, score: NameScore, degree: str, state: str, license_number: str | None
) -> Iterable[str]:
    keys = provider.licenses().filter(state=state).exclude(number_key="").values_list("number_key", flat=True)
    numbered = set(keys)
    if provider.is_resident:
        yield "resident"
    if not numbered:
        yield "no_license"
    elif license_number and not numbered & set(licenses.candidate_keys(state, license_number)):
        yield "license_differs"
    if provider.conflict:
        yield "conflict"
    if not provider.is_active:
        yield "deactivated"
    if provider.degree not in ("", degree):
        yield "degree"
    if score.verdict == "review":
        yield "name"


def facts_of(provider: Provider, state: str, leave_out: Collection[str] = frozenset()) -> list[Fact]:
    """What the person can be asked, in order of use.

    The kinds: school, grad_year, license (in `state`), second_license (in another state), practice_zip,
    enumeration_year (from 2008 on), taxonomy. `leave_out` names kinds that were typed or asked before.
    """
    return [fact for fact in _all_facts(provider, state) if fact.kind not in leave_out]


def _all_facts(provider: Provider, state: str) -> Iterable[Fact]:
    if education := Education.objects.filter(pk=provider.npi).first():
        if education.school_id:
            yield Fact("school", str(education.school_id))
        if education.grad_year:
            yield Fact("grad_year", str(education.grad_year))
    slots = list(provider.licenses())
    numbered = [slot for slot in slots if slot.number_key]
    if here := next((slot for slot in numbered if slot.state == state), None):
        yield Fact("license", here.number, here.state)
    if elsewhere := next((slot for slot in numbered if slot.state not in ("", state)), None):
        yield Fact("second_license", elsewhere.number, elsewhere.state)
    if len(provider.practice_zip) >= 5 and provider.practice_zip[:5].isdigit():
        yield Fact("practice_zip", provider.practice_zip[:5])
    if provider.enumerated_on and provider.enumerated_on.year >= FIRST_TELLING_YEAR:
        yield Fact("enumeration_year", str(provider.enumerated_on.year))
    if code := _primary_taxonomy(slots):
        yield Fact("taxonomy", code)


def _primary_taxonomy(slots: list[ProviderLicense]) -> str:
    codes = [slot for slot in slots if is_physician_code(slot.taxonomy)]
    return min(codes, key=lambda slot: (not slot.is_primary, slot.slot)).taxonomy if codes else ""


def record_now(npi: str) -> dict:
    """What the registry says today of the person with an NPI, in one query; of each license its state and number.

    As plain JSON values, and empty where it has nobody.
    """
    slots = ProviderLicense.objects.filter(npi=OuterRef("npi")).order_by("slot")
    listed = ArraySubquery(slots.values_list(JSONObject(state="state", number="number")))
    provider = Provider.objects.filter(npi=npi).annotate(slots=listed).first()
    return {**_plain(provider, leave_out={"run", "row_hash"}), "licenses": provider.slots} if provider else {}


def snapshot(provider: Provider) -> dict:
    """All that the registries say of a person now, as plain JSON values, for the claim to keep (encrypted)."""
    education = Education.objects.filter(pk=provider.npi).select_related("school").first()
    run = ImportRun.objects.filter(pk=provider.run_id).first()
    return {
        **_plain(provider, leave_out={"run", "row_hash"}),
        "licenses": [_plain(slot, leave_out={"pk", "npi"}) for slot in provider.licenses()],
        "education": education
        and {
            "school_text": education.school_text,
            "school": education.school.name if education.school else None,
            "school_id": education.school_id,
            "grad_year": education.grad_year,
        },
        "registry_file": run.file_name if run else "",
        "registry_date": run.file_date.isoformat() if run and run.file_date else None,
    }


def practice_number(record: dict | None, way: str) -> str:
    """The "phone" or "fax" that the registry of today has for the practice of a snapshot's person, as it is dialed.

    Empty where there is none, or no person.
    """
    provider = Provider.objects.filter(npi=(record or {}).get("npi", "")).first()
    if provider is None:
        return ""
    return calling.dialed(provider.practice_phone if way == "phone" else provider.practice_fax)


def _plain(row, leave_out: set[str]) -> dict:
    named = (field.name for field in row._meta.concrete_fields)
    values = {name: getattr(row, name) for name in named if name not in leave_out}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def exclusions_of(provider: Provider) -> Exclusions:
    """Exclusions of a person of the registry, under the legal and the other name, in all states of theirs."""
    states = {provider.practice_state, *provider.licenses().values_list("state", flat=True)} - {""}
    return is_excluded(
        provider.npi,
        provider.last_name,
        provider.first_name,
        states,
        provider.other_last_name,
        provider.other_first_name,
    )


def is_excluded(
    npi: str,
    last_name: str = "",
    first_name: str = "",
    states: Collection[str] = (),
    other_last_name: str = "",
    other_first_name: str = "",
    npi_is_theirs: bool = True,
) -> Exclusions:
    """Whether a person of these two names is barred from federal health programs: see `exclusions`."""
    claimed = [PersonName(last_name, first_name), PersonName(other_last_name, other_first_name or first_name)]
    return exclusions(npi, claimed, states, npi_is_theirs=npi_is_theirs)


def exclusions(
    npi: str, people: Collection[PersonName], states: Collection[str], *, npi_is_theirs: bool = True
) -> Exclusions:
    """Whether a person is barred from federal health programs, in one query.

    The same NPI is definite, name and state are possible: see `namesakes`. `npi_is_theirs` is false for an NPI that
    somebody typed and no registry confirmed.
    """
    fits = _like(people, states, npi_known=bool(npi) and npi_is_theirs)
    rows = list(Exclusion.objects.filter(Q(npi=npi) | fits if npi else fits).order_by("pk"))
    if definite := [row for row in rows if npi and row.npi == npi]:
        return Exclusions("definite", definite)
    possible = [row for row in rows if any(_same_person(name, row) for name in people)]
    return Exclusions("possible" if possible else "", possible)


def namesakes(people: Collection[PersonName], states: Collection[str], *, npi_known: bool) -> list[Exclusion]:
    """Exclusions in one of the states that one of a person's names fits.

    The whole last name or either half of a double one, theirs or the listed one, with a fitting first name.

    Of whom the NPI is known, a row with an NPI is somebody else; of others it may be the same person. A name in another
    state is ignored.
    """
    rows = Exclusion.objects.filter(_like(people, states, npi_known=npi_known)).order_by("pk")
    return [row for row in rows if any(_same_person(name, row) for name in people)]


def _like(people: Collection[PersonName], states: Collection[str], *, npi_known: bool) -> Q:
    """Rows among which namesakes are: of the states, and of one of the last names or with a double one."""
    keys = {key for name in people for key in last_keys(name.last)}
    near = Q(last_key__in=keys) | Q(last_name__regex=DOUBLE_NAME)  # of a double name any part may be theirs
    fits = near & Q(state__in=list(states))
    return fits & Q(npi=None) if npi_known else fits


def last_keys(last: str) -> set[str]:
    """A last name in normal form: the whole, and each part of a double one."""
    return {names.last_key(last), *map(names.last_key, last.replace("-", " ").split())} - {""}


def _same_person(name: PersonName, row: Exclusion) -> bool:
    if row.last_key not in last_keys(name.last) and names.last_key(name.last) not in last_keys(row.last_name):
        return False
    listed = PersonName(row.last_name, row.first_name, row.middle_name)
    return names.name_score(name._replace(last=row.last_name), listed).verdict != "refused"
