"""What the demonstration's makers opened on their products, and what their safety desks said of most of it.

It comes after members shut firms out, so that every post on the desk is one that the firm may still read.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from observers.demo.products import seat_of
from observers.models import AdverseEvent, Mention, Product, Way
from observers.services import adverse_events, reading
from questions.models import Post
from rewards.demo import at
from rewards.models import Firm

READ = 12  # posts on each firm's products, at most
WAITING = 3  # of them, of a firm that read more
AGE = timedelta(hours=8)  # at least, of a post that was read some time ago
SOON = timedelta(hours=2)  # after a post was written nobody has read it yet


@transaction.atomic
def seed() -> None:
    """Write all of it once; a second run changes nothing."""
    if AdverseEvent.objects.exists():
        return
    for maker in Firm.objects.filter(pk__in=Product.objects.values("maker")).order_by("pk"):
        if seat := seat_of(maker):
            _open(maker, seat)
            _say(maker, seat)


def _open(maker: Firm, seat) -> None:
    posts = Post.objects.open_to(maker).filter(
        pk__in=Mention.objects.filter(product__maker=maker).values("post"),
        posted_at__lt=timezone.now() - AGE,
    )
    for number, post in enumerate(posts.order_by("-posted_at", "-pk")[:READ]):
        moment = max(timezone.now() - timedelta(hours=5 + 11 * number), post.posted_at + SOON)
        reading.note(seat=seat, purpose=seat.purpose, way=Way.OPENED, post_pks=[post.pk], at=moment)
        with at(moment):
            adverse_events.met(seat, [post.pk])


def _say(maker: Firm, seat) -> None:
    """Of the oldest, each some hours later: now and then that it is an event."""
    met = AdverseEvent.objects.filter(firm=maker).order_by("read_at", "pk")
    for number, event in enumerate(met[: max(1, met.count() - WAITING)]):
        is_event = number % 4 == 0
        with at(min(event.read_at + timedelta(hours=2 + 3 * number), timezone.now())):
            adverse_events.say(
                event=event,
                seat=seat,
                outcome=AdverseEvent.Outcome.EVENT if is_event else AdverseEvent.Outcome.NONE,
                criteria=adverse_events.CRITERIA if is_event else ("has_reporter", "has_product"),
            )
