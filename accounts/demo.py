"""600 synthetic physicians under invented handles, and the log-ins of the demonstration. The same every time."""

import random
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from accounts import handles
from accounts.demo_logins import DEMO_LOGINS, DEMO_PASSWORD
from accounts.models import Handle, Member, Specialty, User
from accounts.pictures import STOCK, STOCK_PICTURES
from accounts.places import STATES
from accounts.roles import FINANCE, MODERATORS, OBSERVERS, PRIVACY, REVIEWERS

PEOPLE = 600
DOMAIN = "people.demo.sermo.test"
SEED = 20260401

# How many of the 600 practice what: about as in the country, with every specialty the discussions speak from.
HEADCOUNT = {
    "Internal Medicine": 40,
    "Family Medicine": 42,
    "Pediatrics": 32,
    "Emergency Medicine": 30,
    "Anesthesiology": 25,
    "Psychiatry": 26,
    "Obstetrics & Gynecology": 26,
    "Cardiovascular Disease": 28,
    "Diagnostic Radiology": 25,
    "General Surgery": 25,
    "Neurology": 26,
    "Dermatology": 25,
    "Nephrology": 18,
    "Gastroenterology": 18,
    "Hospitalist": 15,
    "Infectious Disease": 12,
    "Pulmonary Disease": 12,
    "Critical Care Medicine": 10,
    "Hematology & Oncology": 10,
    "Endocrinology, Diabetes & Metabolism": 9,
    "Rheumatology": 8,
    "Orthopaedic Surgery": 8,
    "Ophthalmology": 5,
    "Urology": 4,
    "Geriatric Medicine": 4,
    "Hospice and Palliative Medicine": 4,
}
FEW = 1  # of each of the rest that is offered, as long as the 600 last

# How many of a hundred live in the largest states; in each other about one.
POPULOUS = {
    "CA": 12, "TX": 9, "FL": 7, "NY": 6, "PA": 4, "IL": 4, "OH": 3, "GA": 3, "NC": 3, "MI": 3, "NJ": 3, "VA": 3
}  # fmt: skip

FIRST = """
    amber ash birch blue brass brisk calm cedar chalk clear cobalt copper crisp dawn deep delta dry dusk
    early east elm ember even fair fern field flint fog frost gentle glen gold granite green grey harbor
    hazel heath high hollow indigo iron ivory jade juniper keen lake lark late laurel lean level light
    lime linen lone low lunar maple marsh mellow mild mint mist moss narrow night north oak ochre olive
    onyx opal open pale pearl pine plain plum prairie quick quiet rain reed ridge river rowan rust sage
    salt sand sharp shore silent silver slate slow small snow soft spare spruce steady still stone storm
    summer sure swift tall tawny teal thistle tidal timber true umber upland vale velvet violet walnut
    warm west wheat white wide wild willow winter wren yarrow
""".split()  # noqa: SIM905 - easier to read and add to than a list
LAST = """
    anchor arch atlas axis badger beacon bell bishop bough branch bridge brook canyon cap cloud coast
    compass cove crane creek crest curlew dale drum falcon ferry finch fjord ford forge fox gable gale
    gate grove gull hare hawk hearth helm heron hill hinge inlet isle jay kestrel kite lantern latch ledge
    lens linnet loft loom mallet mason meadow mill mole moor murmur needle nest notch oar orchard otter
    owl path pebble peak pier pilot plover point pond quarry quill quoin raft rail raven reef robin roost
    rudder sail scale shoal sill sparrow spire spring stem stream sundial swan tern thread tiller tower
    track trellis valve vane vault wagon wake wharf wick window yard
""".split()  # noqa: SIM905 - easier to read and add to than a list

PROFILES = {  # what some of the cast tell of themselves, and who sees it
    "cardio@demo.sermo.test": {
        "handle_picture": "stock:arcs",
        "subspecialty": "Interventional Cardiology",
        "languages": ["es", "hi"],
        "bio": "Structural heart and the long aftercare of it. I like a plain question with the numbers in it.",
        "contact_for": ["questions", "referrals"],
        "school": "University of Minnesota Medical School",
        "training": "Internal medicine 2007 to 2010, cardiology 2010 to 2013, intervention 2014",
        "visibility": {
            "subspecialty": "connections",
            "state": "physicians",
            "years_band": "physicians",
            "languages": "physicians",
            "school": "physicians",
            "training": "connections",
            "publications": "physicians",
        },
    },
    "derm@demo.sermo.test": {
        "handle_picture": "stock:dots",
        "bio": "General dermatology, much of it by photograph.",
        "contact_for": ["questions", "research"],
        "visibility": {"years_band": "physicians", "state": "connections"},
    },
    "emergency@demo.sermo.test": {
        "languages": ["es"],
        "contact_for": ["questions", "jobs"],
        "visibility": {"languages": "connections", "state": "physicians", "years_band": "physicians"},
    },
    "moderator@demo.sermo.test": {
        "bio": "Family medicine in the country. I keep the rules short.",
        "visibility": {"years_band": "physicians"},
    },
}
CAST = {  # e-mail: handle, specialty, state, years since graduation
    "cardio@demo.sermo.test": ("left_atrium", "Cardiovascular Disease", "MN", "11-20"),
    "derm@demo.sermo.test": ("papular", "Dermatology", "CO", "6-10"),
    "emergency@demo.sermo.test": ("nightward", "Emergency Medicine", "OH", "6-10"),
    "moderator@demo.sermo.test": ("plainspoken", "Family Medicine", "VT", "21-30"),
    "applicant@demo.sermo.test": ("new_attending", None, "", ""),
}
STAFF = {
    "reviewer@demo.sermo.test": {"groups": [REVIEWERS], "is_staff": True},
    "finance@demo.sermo.test": {"groups": [FINANCE], "is_staff": True},
    "observer@demo.sermo.test": {"groups": [OBSERVERS]},
    "privacy@demo.sermo.test": {"groups": [PRIVACY], "is_staff": True},
    "admin@demo.sermo.test": {"is_staff": True, "is_superuser": True},
}


def is_seeded() -> bool:
    return User.objects.filter(email__endswith=f"@{DOMAIN}").exists()


@transaction.atomic
def seed(stdout) -> None:
    """Make the people once; a second run changes nothing."""
    if is_seeded():
        stdout.write("people: here already")
        return
    rng = random.Random(SEED)  # noqa: S311 - the same people every time is the purpose
    taken = {handles.key(handle) for handle, *_ in CAST.values()}
    choices = {specialty.name: specialty for specialty in Specialty.objects.filter(is_choice=True)}
    _add_cast(choices)
    _add_staff()
    _add_people(rng, taken, _practices(choices))
    stdout.write(f"people: {PEOPLE} physicians, {len(DEMO_LOGINS)} log-ins")


def _practices(choices: dict[str, Specialty]) -> list[Specialty]:
    """One specialty for each of the 600."""
    practices = [choices[name] for name, count in HEADCOUNT.items() for _ in range(count)]
    for name in sorted(choices):
        if name not in HEADCOUNT:
            practices += [choices[name]] * FEW
    return (practices + [choices["Internal Medicine"]] * PEOPLE)[
        :PEOPLE
    ]  # whatever the list of choices grows to


def _add_cast(choices) -> None:
    password = make_password(DEMO_PASSWORD)
    for email, (handle, practice, state, years) in CAST.items():
        user = _add_login(email, password)
        if practice and email.startswith("moderator"):
            user.groups.add(Group.objects.get(name=MODERATORS))
        member = Member.objects.create(
            user=user,
            handle=handle,
            specialty=choices.get(practice),
            state=state,
            years_band=years,
            joined_at=timezone.now() - timedelta(days=400 if practice else 2),
            **_profile(email),
        )
        Handle.objects.create(key=handles.key(handle), text=handle, member=member, taken_at=member.joined_at)


def _profile(email: str) -> dict:
    """What one of the cast tells, as fields of the member."""
    told = dict(PROFILES.get(email, {}))
    if name := told.pop("subspecialty", None):
        told["subspecialty"] = Specialty.objects.filter(name=name, is_physician=True).first()
    return told


def _add_staff() -> None:
    password = make_password(DEMO_PASSWORD)
    for email, fields in STAFF.items():
        names = fields.get("groups", [])
        flags = {name: value for name, value in fields.items() if name != "groups"}
        _add_login(email, password, **flags).groups.set(Group.objects.filter(name__in=names))


def _add_login(email: str, password: str, **flags) -> User:
    user = User.objects.create(email=email, password=password, **flags)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _add_people(rng, taken: set[str], practices: list[Specialty]) -> None:
    now = timezone.now()
    unusable = make_password(None)
    users = User.objects.bulk_create(
        User(email=f"{number:03}@{DOMAIN}", password=unusable) for number in range(1, PEOPLE + 1)
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    states = [code for code, _ in STATES if code not in ("AS", "GU", "MP", "VI")]
    weights = [POPULOUS.get(code, 1) for code in states]
    members = []
    for number, (user, practice) in enumerate(zip(users, practices, strict=True)):
        members.append(
            Member(
                user=user,
                handle=_invent(rng, taken),
                specialty=practice,
                state=states[number] if number < len(states) else rng.choices(states, weights=weights)[0],
                years_band=rng.choices(Member.YearsBand.values, weights=[14, 20, 32, 22, 12])[0],
                byline_mode=rng.choices(["anonymous", "partial"], weights=[84, 16])[0],
                joined_at=now - timedelta(days=rng.uniform(60, 700)),
            )
        )
    _add_profiles(members)
    members = Member.objects.bulk_create(members)
    Handle.objects.bulk_create(
        Handle(key=handles.key(member.handle), text=member.handle, member=member, taken_at=member.joined_at)
        for member in members
    )


def _add_profiles(members: list[Member]) -> None:
    """Languages, and who sees what: those who sign partially show place and years, some others one of them."""
    rng = random.Random(SEED + 1)  # noqa: S311 - the same people every time is the purpose
    for member in members:
        if rng.random() < 0.3:
            member.languages = rng.sample(["es", "zh", "hi", "vi", "ar", "ru"], rng.choice([1, 1, 2]))
            member.visibility["languages"] = rng.choice(["me", "connections", "physicians"])
        if member.byline_mode == Member.BylineMode.PARTIAL:
            member.visibility |= {"state": "physicians", "years_band": "physicians"}
        elif rng.random() < 0.4:
            member.visibility[rng.choice(["state", "state", "years_band"])] = "physicians"
        if rng.random() < 0.25:
            member.handle_picture = f"{STOCK}{rng.choice(sorted(STOCK_PICTURES))}"


def _invent(rng, taken: set[str]) -> str:
    """A handle nobody has and nobody could mistake for another's."""
    while True:
        joint = rng.choice(["", "", "_", "_", "-"])
        handle = f"{rng.choice(FIRST)}{joint}{rng.choice(LAST)}"
        if handles.key(handle) not in taken:
            taken.add(handles.key(handle))
            return handle
