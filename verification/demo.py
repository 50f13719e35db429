"""Verified licenses for the demonstration's physicians, an applicant ready for the questions, and cases in the queue.

All people are invented. The applicant can claim to be APPLICANT of the sample registry; `demo_queue` puts one claim of
every kind before the reviewers. The same every time, save for what the server's own keys decide.
"""

import random
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

from django.db import transaction
from django.utils import timezone

from accounts.models import Member, Specialty, User
from accounts.services import guard
from sermo.crypto import keyed_hash
from verification import demo_queue, demo_registry, licenses, npi, registry
from verification.models import (
    Claim,
    Event,
    Exclusion,
    ImportRun,
    Incident,
    LicenseCheck,
    MailDomain,
    Provider,
    ProviderLicense,
    Subject,
)
from verification.models.claims import CASE_ALPHABET, Method, State
from verification.names import PersonName
from verification.services import claims, events, incidents, outcome

SEED = 20260402
APPLICANT = {  # whom applicant@demo.sermo.test claims to be, and what the registry says of her
    "first": "Jacinta",
    "last": "Fitzwallace",
    "degree": "MD",
    "state": "CO",
    "npi": "2637274046",
    "answers": {
        "school": "University of Missouri-Kansas City School of Medicine",
        "graduation year": "2018",
        "Colorado license": "06352",
        "other licensed state": "Alabama",
        "practice ZIP": "80255",
        "year of the NPI": "2018",
        "specialty": "Nephrology",
    },
}
ASKED_DOMAINS = ("wards.ridgeviewheart.example", "ridgeviewheart.example")  # wait for a reviewer
DRAWN = 3  # licenses that staff look up
FIRST = """
    Adaline Bertrand Calista Dashiell Eudora Florian Giselle Horatio Isolde Jocasta Kasimir Lavinia
    Merritt Nerys Octavian Philippa Quillon Rosamund Sylvester Thessaly Ulric Venetia Wendell Xanthe
    Yorick Zelda Ambrose Beatrix Clement Dorothea Evander Fenella Gideon Hesper Ignatius Junia
    Leopold Marigold Nestor Ottoline
""".split()  # noqa: SIM905 - a list of words reads best as words
LAST = """
    Applewhistle Bramblecote Cindergarth Dovelake Emberstone Fernhollow Gladewright Hazelmoor
    Inkpenfold Jasperwyn Kettlebrook Larkenfield Mossgrove Netherbright Oakenshaw Pemberlode
    Quarryfoot Rushmeadow Saltmarshe Thistlewick Underbarrow Vinterberry Willowmere Yarrowgate
    Ashgrove-Pell Brightwater Copperleigh Driftwold Evenlode Foxmantle Greywether Hollinsward
    Ivorybank Juniperson Knotgrass Lindenhurst Merrivale Nightjarre Orchardson Plumridge
""".split()  # noqa: SIM905 - a list of words reads best as words


def seed(stdout) -> None:
    """Fill an empty verification; a second run changes nothing."""
    demo_registry.load_samples(stdout)
    if Claim.objects.exists():
        stdout.write("verification: here already")
        return
    rng = random.Random(SEED)  # noqa: S311 - the same every time is the purpose
    with transaction.atomic():
        verified = _verify_physicians(rng)
        _look_at_licenses()
    MailDomain.objects.bulk_create([MailDomain(name=name) for name in ASKED_DOMAINS], ignore_conflicts=True)
    _make_ready(User.objects.get(email="applicant@demo.sermo.test"))
    waiting = demo_queue.seed()
    _note_an_incident()
    stdout.write(f"verification: {verified} verified licenses, {waiting} claims waiting for a reviewer")


def _verify_physicians(rng) -> int:
    """Give every member with a specialty a verified claim: to a person of the sample where one fits, else invented."""
    members = Member.objects.filter(specialty__isnull=False, standing=Member.Standing.APPLICANT)
    members = list(members.select_related("user", "specialty").order_by("pk"))
    people = _people_by_specialty()
    taken: set[str] = set()
    made = [_claim(rng, member, _person(rng, member, people, taken)) for member in members]
    Claim.objects.bulk_create(made, batch_size=500)
    Subject.objects.bulk_create([Subject(user=member.user) for member in members], ignore_conflicts=True)
    subjects = dict(Subject.objects.values_list("user_id", "pk"))
    history = [event for claim in made for event in _history(claim, subjects[claim.user_id])]
    events.record_many(sorted(history, key=lambda event: event.at))
    Member.objects.filter(pk__in=[member.pk for member in members]).update(standing=Member.Standing.PHYSICIAN)
    guard.recheck()
    return len(made)


def _look_at_licenses() -> None:
    """A date and a look for each license; staff look three up. Invented people are in no registry to compare with."""
    today, claims_made = timezone.localdate(), list(Claim.objects.holding().order_by("pk"))
    for number, claim in enumerate(claims_made):
        claim.license_expires_on = today + timedelta(days=20 + number * 37 % 700)
        claim.status_checked_at = max(claim.verified_at, timezone.now() - timedelta(days=200))
    Claim.objects.bulk_update(claims_made, ["license_expires_on", "status_checked_at"], batch_size=500)
    LicenseCheck.objects.bulk_create(
        [
            LicenseCheck(
                claim=claim,
                source="member" if number < DRAWN else "document",
                finding="in_force",
                expires_on=claim.license_expires_on,
                as_of=timezone.localdate(claim.status_checked_at),
                at=claim.status_checked_at,
                wants_look=number < DRAWN,
            )
            for number, claim in enumerate(claims_made)
        ],
        batch_size=500,
    )
    ImportRun.objects.filter(rechecked_at=None).update(rechecked_at=timezone.now())


def _people_by_specialty() -> dict[str, list[tuple[Provider, ProviderLicense]]]:
    """The sample's active physicians with their main license, by the specialty that members would choose."""
    reserved = {APPLICANT["npi"], *demo_queue.RESERVED}
    reserved |= set(Exclusion.objects.exclude(npi=None).values_list("npi", flat=True))
    main: dict[str, ProviderLicense] = {}
    for license in ProviderLicense.objects.exclude(number_key="").order_by("-is_primary", "slot"):
        main.setdefault(license.npi, license)
    chosen = {each.code: each.name if each.is_choice else each.group for each in Specialty.objects.all()}
    people = defaultdict(list)
    for provider in (
        Provider.objects.physicians().active().filter(is_resident=False, conflict=False).order_by("npi")
    ):
        if provider.npi not in reserved and provider.degree and provider.npi in main:
            people[chosen.get(main[provider.npi].taxonomy)].append((provider, main[provider.npi]))
    return people


def _person(rng, member: Member, people, taken: set[str]) -> dict:
    """The identity of a demo physician, as a claim keeps it."""
    if fitting := people[member.specialty.name]:
        provider, main = fitting.pop(0)
        names = (provider.first_name.title(), provider.middle_name.title(), provider.last_name.title())
        return _identity(names, provider.degree, main.state, main.number, registry.snapshot(provider))
    names = (rng.choice(FIRST), "", rng.choice(LAST))
    state = member.state or "VT"
    nine = next(nine for _ in range(100) if (nine := f"2{rng.randrange(10**8):08}") not in taken)
    taken.add(nine)
    number = f"{10_000 + len(taken)}"
    record = _invented_record(rng, names, state, nine + npi.check_digit(nine), number, member.specialty_id)
    return _identity(names, "MD" if rng.random() < 0.85 else "DO", state, number, record)


def _identity(names, degree: str, state: str, number: str, record: dict) -> dict:
    first, middle, last = names
    typed = {"first": first, "middle": middle, "last": last, "degree": degree, "state": state}
    return {"typed": {**typed, "npi": record["npi"], "license_number": number}, "registry": record}


def _invented_record(rng, names, state, number_npi, number, taxonomy) -> dict:
    """A registry record in the form of `registry.snapshot` for somebody who is in no registry."""
    empty = dict.fromkeys(
        ("suffix", "other_last_name", "other_first_name", "practice_city", "practice_fax"), ""
    )
    zip_code = f"{rng.randrange(1000, 99999):05}"
    key = licenses.normal_number(state, number)
    slot = {
        "slot": 1,
        "taxonomy": taxonomy,
        "number": number,
        "number_key": key,
        "state": state,
        "is_primary": True,
    }
    return {
        **empty,
        "npi": number_npi,
        "first_name": names[0].upper(),
        "middle_name": "",
        "last_name": names[2].upper(),
        "credential": "",
        "practice_state": state,
        "practice_zip": zip_code,
        "practice_phone": "",
        "enumerated_on": None,
        "updated_on": None,
        "deactivated_on": None,
        "reactivated_on": None,
        "is_physician": True,
        "is_resident": False,
        "conflict": False,
        "licenses": [slot],
        "education": None,
        "registry_file": "invented for the demonstration",
        "registry_date": None,
    }


def _claim(rng, member: Member, person: dict) -> Claim:
    typed = person["typed"]
    verified_at = member.joined_at + timedelta(hours=rng.uniform(20, 70))
    key = licenses.normal_number(typed["state"], typed["license_number"])
    signs = "".join(rng.choice(CASE_ALPHABET) for _ in range(8))
    return Claim(
        user=member.user,
        case_number=f"V-{signs[:4]}-{signs[4:]}",
        npi_hash=keyed_hash(typed["npi"], "npi"),
        license_hash=keyed_hash(f"{typed['state']}|{key}|{typed['degree']}", "license"),
        identity=person,
        degree=typed["degree"],
        license_state=typed["state"],
        name_score=1.0,
        state=State.VERIFIED,
        state_at=verified_at,
        level=outcome.FULL_LEVEL,
        method=Method.DOCUMENT,
        started_at=member.joined_at,
        verified_at=verified_at,
        decided_at=verified_at,
        status_checked_at=verified_at,
        status_source="registry",
    )


def _history(claim: Claim, subject) -> list[Event]:
    """The events of a verified claim, as walking the whole way would have left them."""
    way = [State.DRAFT, State.MATCHED, State.CHALLENGED, State.PROVEN, State.VERIFIED]
    said = {"case_number": claim.case_number, "subject": subject, "key": None}
    steps = [Event(at=claim.started_at, kind="started", to_state=State.DRAFT, actor=subject, **said)]
    for was, to in pairwise(way):
        at = claim.started_at if to in (State.MATCHED, State.CHALLENGED) else claim.verified_at
        steps.append(Event(at=at, kind="state", from_state=was, to_state=to, **said))
    return steps


def _note_an_incident() -> None:
    """Nine days into the sixty: what came out is stopped, and whether it was a breach is to be said yet."""
    officer = User.objects.get(email="privacy@demo.sermo.test")
    incident = incidents.open_incident(
        title="Tablet of a reviewer left in a train",
        kind=Incident.Kind.LOSS,
        detected_at=timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=9),
        text="Left on the seat on the way home. It was locked; the reviewer had been reading claims that day.",
        by=officer,
    )
    incidents.contain(
        incident=incident,
        text="All sessions of the reviewer were ended within the hour, the device was wiped from afar and answered.",
        by=officer,
    )


def _make_ready(user: User) -> Claim:
    """The applicant has named a license and is about to be asked."""
    name = PersonName(APPLICANT["last"], APPLICANT["first"])
    return claims.start_claim(
        user=user, name=name, degree=APPLICANT["degree"], state=APPLICANT["state"], npi=APPLICANT["npi"]
    )
