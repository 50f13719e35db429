"""What a maker's safety desk must say of posts on its products: that one tells of an adverse event, or of none."""

from collections.abc import Iterable
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from observers.models import AdverseEvent, Seat
from questions.models import Post
from rewards.models import Firm
from sermo.crypto import keyed_digest
from sermo.errors import RuleBroken

CRITERIA = ("has_reporter", "has_patient", "has_event", "has_product")
Outcome = AdverseEvent.Outcome
PURPOSE = "observers.adverse_events"
NUMBER = 8  # bytes of a number; the other eight of a key are zero before it is sealed

MET = """
INSERT INTO observers_adverseevent
    (firm_id, product_id, post_id, read_at, outcome, has_reporter, has_patient, has_event, has_product)
SELECT %(firm)s, product.id, post.id, %(now)s, '', false, false, false, false
FROM questions_post post JOIN observers_product product ON product.maker_id = %(firm)s
    AND post.search_text ~ ('(^|[^a-z0-9])(' || array_to_string(product.words, '|') || ')([^a-z0-9]|$)')
WHERE post.id = ANY(%(posts)s)
ORDER BY post.id, product.id
ON CONFLICT (firm_id, product_id, post_id) DO NOTHING
"""


class SaidBefore(RuleBroken):
    message = "Your firm has answered this already. What was found to be an event stays one."


class NoCriterion(RuleBroken):
    message = "Tick what the post has of the four, the event itself among it; or say that it tells of none."


class NotYours(RuleBroken):
    message = "This product is not of your firm."


def met(seat: Seat, post_pks: Iterable[int]) -> int:
    """Start the clock of the seat's firm for posts that it opened and that speak of its own products.

    Posts met before keep their clock. One statement; whoever calls it has logged the reads. Returns how many clocks
    were started.
    """
    with connection.cursor() as cursor:
        posts = sorted(set(post_pks))
        cursor.execute(MET, {"firm": seat.firm_id, "now": timezone.now(), "posts": posts})
        return cursor.rowcount


def waiting(firm: Firm, post_pks: Iterable[int]) -> list[AdverseEvent]:
    """What the firm has yet to say of these posts, with the products. One query.

    While there is something, nothing of the discussion is exported.
    """
    return list(of_firm(firm).filter(post__in=list(post_pks), outcome="").order_by("read_at", "pk"))


def of_firm(firm: Firm) -> QuerySet[AdverseEvent]:
    """All that a firm met, with product, seat and the post without its words."""
    rows = AdverseEvent.objects.filter(firm=firm).select_related("product", "seat", "post")
    return rows.defer("post__source", "post__html", "post__search_text", "post__search_vector")


@transaction.atomic
def say(*, event: AdverseEvent, seat: Seat, outcome: str, criteria: Iterable[str] = ()) -> AdverseEvent:
    """Keep what a seat found in a post. Said to be none, it may still turn out to be an event; never back. What else it
    ticked of the four is kept then, too.

    Raises NotYours, SaidBefore, NoCriterion.
    """
    event = AdverseEvent.objects.select_for_update().get(pk=event.pk)
    chosen = set(criteria) & set(CRITERIA)
    if event.firm_id != seat.firm_id:
        raise NotYours
    if event.outcome == Outcome.EVENT or event.outcome == outcome:
        raise SaidBefore
    if outcome == Outcome.EVENT and "has_event" not in chosen:
        raise NoCriterion
    for name in CRITERIA:
        setattr(event, name, name in chosen and (outcome == Outcome.EVENT or name != "has_event"))
    event.outcome, event.seat, event.said_at = Outcome(outcome), seat, timezone.now()
    event.save(update_fields=["outcome", "seat", "said_at", *CRITERIA])
    return event


def open_to_firm(event: AdverseEvent, firm: Firm) -> Post | None:
    """The post of an event while the firm may still read it."""
    return Post.objects.open_to(firm).filter(Q(pk=event.post_id)).select_related("question").first()


# Addresses


def event_key(pk: int) -> UUID:
    """What stands for an event in an address: its number would tell how many all other firms have."""
    encryptor = _cipher().encryptor()
    return UUID(bytes=encryptor.update(bytes(NUMBER) + pk.to_bytes(NUMBER)) + encryptor.finalize())


def event_pk(key: UUID) -> int | None:
    """The number of the event that a key stands for; None for any other."""
    decryptor = _cipher().decryptor()
    block = decryptor.update(key.bytes) + decryptor.finalize()
    return None if any(block[:NUMBER]) else int.from_bytes(block[NUMBER:])


@cache
def _cipher() -> Cipher:
    return Cipher(algorithms.AES(keyed_digest("", PURPOSE)), modes.ECB())  # noqa: S305 - one block, and no more
