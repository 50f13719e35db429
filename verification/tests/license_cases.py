"""Members who hold a license, and what boards and lists say of them, for tests."""

from datetime import date, timedelta

from django.utils import timezone

from accounts.models import Mail
from accounts.tests.factories import make_member
from verification.models import Claim, Event, ImportRun, LicenseStatus
from verification.models.claims import State
from verification.tests.factories import make_claim, make_provider

LONG_AGO = timedelta(days=3000)


def make_licensed(state=State.VERIFIED, *, provider=None, standing="physician", **fields):
    """A claim that holds the license of somebody in the registry, with its member."""
    provider = provider or make_provider()
    fields = {
        "status_checked_at": timezone.now(),
        "method": "document",
        "verified_at": timezone.now(),
        **fields,
    }
    return make_claim(make_member(standing=standing), provider, state=state, **fields)


def days(number: int) -> date:
    """A day so many days from now."""
    return timezone.localdate() + timedelta(days=number)


def list_license(claim, status="Active", *, expires=400, as_of=0, discipline=""):
    """Let the board of a claim's state list its license."""
    number = claim.registry["licenses"][0]["number_key"]
    return LicenseStatus.objects.update_or_create(
        state=claim.license_state,
        number_key=number,
        degree=claim.degree,
        defaults={
            "last_name": claim.registry["last_name"],
            "status": status,
            "expires_on": None if expires is None else days(expires),
            "discipline": discipline,
            "source": "roster",
            "as_of": days(as_of),
        },
    )[0]


def note_run(source="nppes", **fields):
    """An import that no re-check has finished for."""
    return ImportRun.objects.create(
        source=source,
        file_name="file.csv",
        state="loaded",
        sha256=str(ImportRun.objects.count()),
        finished_at=timezone.now(),
        **fields,
    )


def now(claim):
    return Claim.objects.get(pk=claim.pk)


def reasons(claim, kind="state"):
    events = Event.objects.filter(case_number=claim.case_number, kind=kind).order_by("pk")
    return list(events.values_list("reason", flat=True))


def mails(claim):
    return list(Mail.objects.filter(user=claim.user).order_by("pk").values_list("subject", flat=True))
