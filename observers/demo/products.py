"""Products of the demonstration's firms, invented like these: what was asked of the makers, and what they read."""

from datetime import timedelta
from unittest.mock import DEFAULT, patch
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.utils import timezone

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Member
from accounts.services import mail
from observers import conflicts, products
from observers.models import AdverseEvent, Contract, Mention, Product, Seat
from observers.services import adverse_events, company
from questions.models import Post
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
READ = 12  # posts on each firm's products that its people have opened
SAID = 7  # of them


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
        for maker in makers:
            _read(maker)


def _ask() -> None:
    physicians = Member.objects.filter(user__email__in=DEMO_LOGINS, standing=Member.Standing.PHYSICIAN)
    askers = list(physicians.order_by("pk"))
    for slug, asker, hours, text, until, answer in ASKED:
        product = Product.objects.select_related("maker").get(slug=slug)
        seat = _seat_of(product.maker)
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


def _read(maker: Firm) -> None:
    """What its people opened in the last days, and what the safety desk said of most of it."""
    seat = _seat_of(maker)
    if seat is None:
        return
    posts = Post.objects.open_to(maker).filter(
        pk__in=Mention.objects.filter(product__maker=maker).values("post")
    )
    for number, post in enumerate(posts.order_by("-posted_at", "-pk")[:READ]):
        with at(timezone.now() - timedelta(hours=5 + 11 * number)):
            adverse_events.met(seat, [post.pk])
    waiting = AdverseEvent.objects.filter(firm=maker, outcome="").order_by("read_at", "pk")
    for number, event in enumerate(waiting[:SAID]):
        is_event = number % 4 == 0
        with at(event.read_at + timedelta(hours=2 + 3 * number)):
            adverse_events.say(
                event=event,
                seat=seat,
                outcome=AdverseEvent.Outcome.EVENT if is_event else AdverseEvent.Outcome.NONE,
                criteria=adverse_events.CRITERIA if is_event else (),
            )


def _seat_of(firm: Firm) -> Seat | None:
    if not Contract.objects.current().filter(firm=firm).exists():
        return None
    return Seat.objects.active().filter(firm=firm).order_by("number").first()
