"""The log of a safety desk as lines of a table: no words of a post, and days in place of moments."""

from datetime import timedelta

from observers import keys
from observers.models import AdverseEvent
from observers.services import adverse_events
from questions.models import Post
from rewards.models import Firm

HOUR = timedelta(hours=1)
HEAD = (
    "Product",
    "Discussion",
    "Post",
    "Read on",
    "Outcome",
    "Reporter",
    "Patient",
    "Event",
    "Suspect product",
    "Said on",
    "Hours until said",
    "Seat",
)


def lines_of(firm: Firm, most: int) -> list[tuple]:
    """What the firm met, the newest first."""
    rows = list(adverse_events.of_firm(firm).order_by("-read_at", "-pk")[:most])
    open_ones = Post.objects.open_to(firm).filter(pk__in=[row.post_id for row in rows])
    open_pks = set(open_ones.values_list("pk", flat=True))
    return [_line(firm, row, row.post_id in open_pks) for row in rows]


def _line(firm: Firm, row: AdverseEvent, is_open: bool) -> tuple:
    """Of a post that the firm may read no more there are no keys: it would know it by them."""
    said = ["yes" if getattr(row, name) else "no" if row.outcome else "" for name in adverse_events.CRITERIA]
    return (
        row.product.name,
        keys.question_key(firm, row.post.question_id) if is_open else "",
        keys.post_key(firm, row.post_id) if is_open else "",
        row.read_at.date(),
        row.get_outcome_display() or "waiting",
        *said,
        row.said_at.date() if row.said_at else "",
        int((row.said_at - row.read_at) / HOUR) if row.said_at else "",
        row.seat.number if row.seat else "",
    )
