"""What the demonstration's firms read in the past weeks, through the log itself, each read at its own moment."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random

from django.db import transaction
from django.utils import timezone

from observers.models import Read, Seat, Way
from observers.services import reading
from questions.models import Post, Question
from rewards.models import Firm

WEEKS = 8
SEED = "reads of the demonstration"
DISCUSSIONS_A_DAY = 3  # that a firm opens
FOUND = 8  # of each list it looks through


@transaction.atomic
def seed() -> int:
    """Reads of every firm that has seats; once. Returns how many."""
    if Read.objects.exists():
        return 0
    now = timezone.now()
    reading.make_months(first=(now - timedelta(weeks=WEEKS)).astimezone(UTC).date(), months=WEEKS // 4 + 4)
    seats = defaultdict(list)
    for seat in Seat.objects.active().select_related("firm").order_by("firm", "number"):
        seats[seat.firm].append(seat)
    return sum(_read_by(firm, of_firm, now) for firm, of_firm in seats.items())


def _read_by(firm: Firm, seats: list[Seat], now: datetime) -> int:
    """A firm looks through its list on working days, and opens a few discussions of the days before."""
    random = Random(f"{SEED}: {firm.name}")  # noqa: S311 - the same every time is the purpose
    posts = _posts_open_to(firm)
    noted = 0
    for days in range(7 * WEEKS, 0, -1):
        at = (now - timedelta(days=days)).replace(hour=random.randint(13, 20), minute=random.randint(0, 59))
        there = [ids for opened_at, ids in posts if opened_at < at - timedelta(hours=2)]
        taken = [seat for seat in seats if seat.taken_at < at]
        if at.weekday() >= 5 or not there or not taken or random.random() < 0.3:
            continue
        seat = random.choice(taken)
        listed = random.sample(there, min(FOUND, len(there)))
        noted += _note(seat, Way.FOUND, [ids[0][0] for ids in listed], at)
        for ids in listed[: random.randint(0, DISCUSSIONS_A_DAY)]:
            shown = [pk for pk, posted_at in ids if posted_at < at - timedelta(hours=2)]
            noted += _note(seat, Way.OPENED, shown, at + timedelta(minutes=random.randint(1, 20)))
    return noted


def _posts_open_to(firm: Firm) -> list[tuple[datetime, list[tuple[int, datetime]]]]:
    """By discussion: when it was opened, and its posts with their moments, the opening first."""
    by_question = defaultdict(list)
    rows = Post.objects.open_to(firm).exclude(question__kind=Question.Kind.ARTICLE)
    for question, pk, posted_at in rows.order_by("question", "pk").values_list("question", "pk", "posted_at"):
        by_question[question].append((pk, posted_at))
    return [(posts[0][1], posts) for posts in by_question.values()]


def _note(seat: Seat, way: Way, posts: list[int], at: datetime) -> int:
    return reading.note(seat=seat, purpose=seat.purpose, way=way, post_pks=posts, at=at)
