"""Plans, firms under contract, and their seats."""

from datetime import UTC, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import OBSERVERS
from observers.models import Contract, Plan, Seat
from rewards.demo import FIRMS
from rewards.models import Firm

OBSERVER = "observer@demo.sermo.test"
PLANS = {
    "single": ("Single", 1, 3, 5, 2, 200, 5, 0, 1, 40_000),
    "team": ("Team", 5, 20, 20, 5, 500, 20, 1, 2, 250_000),
    "firm": ("Firm", 25, 100, 100, 20, 2_000, 100, 5, 5, 900_000),
}
LIMITS = (  # in the order of PLANS
    *("name", "seats", "searches", "charts_a_day", "exports_a_day", "export_rows"),
    *("earmarks_a_day", "polls_a_month", "questions_a_month", "cents_a_month"),
)
FUND = {"name": "Ashgrove Capital (demo)", "kind": "finance", "shows_name": True}
PHARMA, DEVICES, RESEARCH = (facts["name"] for facts in FIRMS)
CONTRACTS = {  # firm: plan, purposes, days ago, seats
    PHARMA: ("firm", ["safety", "medical", "market"], 240, ["T. Brandt", "J. Osei", "M. Ruiz"]),
    DEVICES: ("team", ["safety", "medical"], 130, ["P. Lindqvist", "A. Moreau"]),
    RESEARCH: ("team", ["market", "science"], 90, ["D. Farouk"]),
    FUND["name"]: ("single", ["investment"], 45, ["K. Whitlock"]),
}
PURPOSES = {"T. Brandt": "safety", "J. Osei": "market", "M. Ruiz": "medical", "A. Moreau": "medical"}
GIVERS = ("M. Ruiz", "P. Lindqvist", "D. Farouk", "K. Whitlock")  # of seats


@transaction.atomic
def seed() -> None:
    """Write all of it once; a second run changes nothing."""
    if Contract.objects.exists():
        return
    plans = {
        slug: Plan.objects.create(slug=slug, **dict(zip(LIMITS, limits, strict=True)))
        for slug, limits in PLANS.items()
    }
    Firm.objects.get_or_create(name=FUND["name"], defaults=FUND)
    group = Group.objects.get_or_create(name=OBSERVERS)[0]
    for name, (plan, purposes, days, people) in CONTRACTS.items():
        firm, since = Firm.objects.get(name=name), timezone.now() - timedelta(days=days)
        Contract.objects.create(
            firm=firm,
            plan=plans[plan],
            purposes=purposes,
            starts_on=since.astimezone(UTC).date(),
            agreed_at=since,
        )
        for number, person in enumerate(people, start=1):
            user = _log_in(person)
            user.groups.add(group)
            Seat.objects.create(
                firm=firm,
                number=number,
                user=user,
                name=person,
                is_admin=person in GIVERS,
                purpose=PURPOSES.get(person, purposes[0]),
                taken_at=since + timedelta(days=number),
            )


def _log_in(person: str) -> User:
    """The one that can be tried, or one that nobody can log in with."""
    if person == "M. Ruiz":
        return User.objects.get(email=OBSERVER)
    email = f"{person.lower().replace('. ', '.')}@firms.sermo.test"
    user = User.objects.create(email=email, password=make_password(None))
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
