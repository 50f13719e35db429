"""The registry is loaded, brought up to date and compared with claims while the site serves.

A small version runs with the others; the whole bar: `pytest -m scale -s verification/tests/test_serving.py`.
"""

import threading
import time
from collections import Counter
from io import StringIO

import httpx
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member
from sermo.crypto import keyed_hash
from verification.models import Claim, ImportRun, Provider, ProviderLicense
from verification.models.claims import State
from verification.tests.big_nppes import write
from verification.tests.factories import make_claim, make_reviewer
from verification.tests.license_cases import days
from verification.tests.registry_files import nppes_file, person, start

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30.0  # seconds after which a request has failed


class Traffic:
    """Browsers that read and write without a pause until they are told to stop."""

    def __init__(self, site: str, *visits):
        self.site = site
        self.visits = [(cookies_of(user), *rest) for user, *rest in visits]
        self.answers: Counter = Counter()
        self.slowest = 0.0
        self.faults: list[str] = []
        self.is_over = threading.Event()

    def __enter__(self):
        self.threads = [threading.Thread(target=self.browse, args=visit) for visit in self.visits]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def browse(self, cookies, paths, confirms):
        with httpx.Client(base_url=self.site, cookies=cookies, timeout=PATIENCE) as browser:
            while not self.is_over.is_set():
                for path in paths:
                    self.ask(lambda path=path: browser.get(path))
                if confirms:
                    self.ask(lambda: confirm(browser))

    def ask(self, request):
        began = time.monotonic()
        try:
            answer = request()
        except httpx.HTTPError as error:
            self.faults.append(repr(error))
            return
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers[answer.status_code] += 1
        if answer.status_code not in (200, 302):
            self.faults.append(f"{answer.status_code} {answer.url.path}")


def cookies_of(user) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}


def confirm(browser):
    address = reverse("verification:license")
    browser.get(address)
    token = browser.cookies[settings.CSRF_COOKIE_NAME]
    return browser.post(
        address,
        data={"expires_on": days(200).isoformat()},
        headers={"X-CSRFToken": token, "Referer": f"{browser.base_url}"},
    )


def here(command, *arguments) -> str:
    """Run a command in this process; what it said."""
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


def apart(command, *arguments) -> str:
    """Run a command in a process of its own; what it said."""
    process = start(command, *arguments)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    return said


def hold_licenses(how_many: int) -> list[str]:
    """Claims of nobody in particular to the first physicians of the registry; their NPIs."""
    people = list(Provider.objects.physicians().exclude(last_name="").order_by("npi")[:how_many])
    users = get_user_model().objects.bulk_create(
        [get_user_model()(email=f"holder{number}@example.test", password="!") for number in range(how_many)]
    )
    slots = {slot.npi: slot for slot in ProviderLicense.objects.filter(slot=1)}
    moment = timezone.now()
    Claim.objects.bulk_create(
        [
            Claim(
                user=user,
                npi_hash=keyed_hash(provider.npi, "npi"),
                license_hash=keyed_hash(f"held {provider.npi}", "license"),
                identity={"typed": typed_of(provider), "registry": record_of(provider, slots)},
                degree="MD",
                license_state="FL",
                state=State.VERIFIED,
                method="document",
                verified_at=moment,
                decided_at=moment,
                status_checked_at=moment,
            )
            for user, provider in zip(users, people, strict=True)
        ],
        batch_size=500,
    )
    return [provider.npi for provider in people]


def typed_of(provider) -> dict:
    typed = {"first": provider.first_name, "middle": "", "last": provider.last_name, "degree": "MD"}
    return {**typed, "state": "FL", "npi": provider.npi, "license_number": ""}


def record_of(provider, slots) -> dict:
    slot = slots[provider.npi]
    licenses = [{"state": slot.state, "number": slot.number, "is_primary": True, "taxonomy": slot.taxonomy}]
    facts = ("npi", "last_name", "first_name", "other_last_name", "other_first_name", "practice_state")
    return {**{name: getattr(provider, name) for name in facts}, "licenses": licenses, "registry_date": None}


def weekly_file(path, npis, *, renamed):
    """Those NPIs with a new address; the first `renamed` of them with a new name."""
    people = Provider.objects.in_bulk(npis)
    rows = [
        person(
            npi=npi,
            last="RENAMEDSON" if number < renamed else people[npi].last_name,
            first=people[npi].first_name,
            city="ELSEWHERE",
            updated="11/20/2026",
        )
        for number, npi in enumerate(npis)
    ]
    return nppes_file(path, rows)


def load_while_serving(site, folder, run, *, rows, weekly, held, renamed) -> Traffic:
    write(folder / "first.csv", rows)
    write(folder / "second.csv", rows, seed=1)
    with (folder / "second.csv").open("a", encoding="utf-8") as out:
        out.write("\n")  # another file of the same people
    run("import_nppes", folder / "first.csv")
    npis = hold_licenses(held)
    run("recheck_claims")
    others = Provider.objects.physicians().exclude(npi__in=npis).order_by("npi").values_list("npi", flat=True)
    weekly_file(folder / "week.csv", [*npis, *others[: weekly - held]], renamed=renamed)
    member, reviewer = make_member(), make_reviewer()
    own = make_claim(
        member,
        Provider.objects.physicians().order_by("-npi").first(),
        state=State.VERIFIED,
        status_checked_at=timezone.now(),
    )
    desk = reverse("admin:verification_licensecheck_held", args=[own.pk])
    queue = reverse("admin:verification_claim_changelist")
    visits = [(member.user, ["/", "/verify/", "/verify/license/"], True), (reviewer, [queue, desk], False)]

    with Traffic(site, *visits) as traffic:
        said = [run("import_nppes", folder / "second.csv"), run("recheck_claims")]
        said += [run("import_nppes", folder / "week.csv", "--weekly"), run("recheck_claims")]

    print(*said, f"{traffic.answers.total():,} requests, slowest {traffic.slowest:.2f} s", sep="\n")
    return traffic


def check(traffic, *, held, renamed, fewest):
    assert not traffic.faults
    assert traffic.answers.total() >= fewest
    holders = Claim.objects.filter(user__email__startswith="holder")
    assert Counter(holders.values_list("state", flat=True)) == {
        State.VERIFIED: held - renamed,
        State.NEEDS_REVIEW_HELD: renamed,
    }
    assert not ImportRun.objects.filter(rechecked_at=None).exists()


def test_a_small_registry_loads_and_is_compared_while_the_site_serves(live_server, tmp_path):
    sizes = {"held": 20, "renamed": 7}

    traffic = load_while_serving(live_server.url, tmp_path, here, rows=1_000, weekly=100, **sizes)

    check(traffic, **sizes, fewest=5)


@pytest.mark.scale
def test_the_registry_loads_and_is_compared_while_the_site_serves(live_server, tmp_path):
    sizes = {"held": 5_000, "renamed": 300}

    traffic = load_while_serving(live_server.url, tmp_path, apart, rows=400_000, weekly=20_000, **sizes)

    check(traffic, **sizes, fewest=100)
