"""Products of the demonstration's firms, invented like these, and what was asked of the makers."""

from datetime import timedelta
from unittest.mock import DEFAULT, patch
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.utils import timezone

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Member
from accounts.services import mail
from observers import conflicts, products
from observers.models import Contract, Product, Seat
from observers.services import company
from rewards.demo import FIRMS, at
from rewards.models import Firm

PRODUCTS = [
    ("velorin-demo", "Velorin (demo)", "apixaban", "drug", 0, ["velorin", "apixaban"]),
    ("sustanor-demo", "Sustanor (demo)", "allopurinol", "drug", 0, ["sustanor", "allopurinol"]),
    (
        "corvid-loop-demo",
        "Corvid Loop (demo)",
        "pacemaker",
        "device",
        1,
        ["corvid loop", "pacemaker"],
    ),
]
# Which product, whose question by its place, hours ago, the question, hours until the answer, and the answer.
ASKED = [
    (
        *("velorin-demo", 0, 620),
        "Do you have data on levels after a switch from a vitamin K antagonist within the same day?",
        *(7, "None from a trial of ours. The invented label of this demonstration leaves it to the INR."),
    ),
    (
        *("velorin-demo", 1, 390),
        "Is the tablet stable when it is crushed and suspended in water for a feeding tube?",
        *(18, "For four hours at room temperature, in this demonstration. Nothing was studied beyond that."),
    ),
    (
        *("sustanor-demo", 2, 170),
        "Is there an escalation scheme for patients on dialysis, and what was it based on?",
        *(30, "Steps of 50 mg, from 24 invented patients. We have no outcome data."),
    ),
    (
        *("velorin-demo", 2, 9),
        "Does the blister contain latex anywhere, the adhesive included?",
        *(None, ""),
    ),
]


def seed() -> None:
    """Write all of it once; a second run changes nothing."""
    if Product.objects.filter(slug=PRODUCTS[0][0]).exists():
        return
    with (
        transaction.atomic(),
        patch.multiple(mail, queue=DEFAULT, queue_notices=DEFAULT),
    ):  # no mail of the past
        makers = [Firm.objects.get(name=facts["name"]) for facts in FIRMS]
        for slug, name, generic, kind, maker, words in PRODUCTS:
            Product.objects.create(
                slug=slug, name=name, generic=generic, kind=kind, maker=makers[maker], words=words
            )
        products.sweep()
        conflicts.count()
        _ask()


def _ask() -> None:
    physicians = Member.objects.filter(user__email__in=DEMO_LOGINS, standing=Member.Standing.PHYSICIAN)
    askers = list(physicians.order_by("pk"))
    for slug, asker, hours, text, until, answer in ASKED:
        product = Product.objects.select_related("maker").get(slug=slug)
        seat = seat_of(product.maker)
        if seat is None or not askers:
            continue
        moment = timezone.now() - timedelta(hours=hours)
        with at(moment):
            asked = company.ask(
                product=product,
                asker=askers[asker % len(askers)],
                text=text,
                submission=uuid5(NAMESPACE_URL, f"demo:{slug}:{hours}"),
            )
        if answer:
            with at(moment + timedelta(hours=until)):
                company.answer(question=asked, seat=seat, text=answer)


def seat_of(firm: Firm) -> Seat | None:
    """The first that answers for a firm, while it is under contract."""
    if not Contract.objects.current().filter(firm=firm).exists():
        return None
    return Seat.objects.active().filter(firm=firm).order_by("number").first()
