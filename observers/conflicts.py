"""The line under a post on a product: whether its maker pays its author, as far as that may be said.

What one face of a member was paid is never said of the other, or the day on which two lines change would tell that a
handle and a name are one person: posts under a name count what was paid, in the open, for posts under that name; posts
under a handle count the rest. Of handles the books speak only where as many physicians as OBSERVER_LEAST share what is
said; where fewer were paid, every handle that writes of the product is asked, paid or not. And the books are read as
of the first of the month, so that no line tells on which day somebody was drawn; what is reversed, and who leaves,
within a month counts in it all the same, or the lines of all others would tell of it that night.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from accounts.models import Member
from observers.models import Conflict, Declaration, Mention
from questions.models import Byline, Post
from rewards.models import Award, Firm, Payee

Said = Conflict.Said
BANDS = ((10_000, "under $100"), (100_000, "$100 to $999"), (None, "$1,000 or more"))
HANDLE, NAME = "handle", "name"
FACES = {Byline.Mode.ANONYMOUS: HANDLE, Byline.Mode.PARTIAL: HANDLE, Byline.Mode.PUBLIC: NAME}


class Line(NamedTuple):
    said: str
    band: str = ""


class Books:
    """What one firm paid whom, by face, in the 12 months before a day; and what members declared of it.

    `paid` is by payee, who is counted until the month is over; `payees` are of those who are still here.
    """

    def __init__(self, firm: Firm, as_of: date):
        until = datetime.combine(as_of, time(), UTC)
        span = until - timedelta(days=settings.CONFLICT_DAYS), until
        self.paid = {HANDLE: defaultdict(int), NAME: defaultdict(int)}
        self.payees = {}
        for payee, member, face, cents in _awards(firm, span):
            self.paid[face][payee] += cents
            self.payees[member] = payee
        lapsed = timezone.now() - timedelta(days=settings.CONFLICT_DAYS)
        said = Declaration.objects.filter(firm=firm, declared_at__gte=lapsed)
        self.declared = dict(said.values_list("member", "is_paid"))
        if not firm.shows_name:
            self.paid[NAME].clear()
        handles = self.paid[HANDLE]
        self.are_spoken_of = firm.shows_name and len(handles) >= settings.OBSERVER_LEAST
        self.are_asked = bool(handles) and not self.are_spoken_of
        self.has_bands = self.are_spoken_of and _are_all_shared(handles.values())

    def __bool__(self):
        return bool(self.paid[HANDLE] or self.paid[NAME] or self.declared)

    def line(self, member: int, mode: str) -> Line | None:
        """What stands under a post of a member, signed in this mode."""
        face, payee = FACES.get(mode), self.payees.get(member)
        if face == NAME:
            return Line(Said.PAID) if payee in self.paid[NAME] else None
        if face != HANDLE:
            return None
        if self.are_spoken_of and payee in self.paid[HANDLE]:
            return Line(Said.PAID, band_of(self.paid[HANDLE][payee]) if self.has_bands else "")
        if member in self.declared:
            return Line(Said.DECLARED) if self.declared[member] else None
        return Line(Said.ASKED) if self.are_asked else None


def band_of(cents: int) -> str:
    return next(words for below, words in BANDS if below is None or cents < below)


def _are_all_shared(sums: Iterable[int]) -> bool:
    """Whether each band that somebody is in has enough of them; with one that has not, the others tell of it."""
    counts = defaultdict(int)
    for cents in sums:
        counts[band_of(cents)] += 1
    return min(counts.values()) >= settings.OBSERVER_LEAST


def _awards(firm: Firm, span: tuple[datetime, datetime]) -> Iterator[tuple[UUID, int | None, str, int]]:
    """(subject, member, face, cents) of what was revealed, came to the member, and stood when the span ended.

    Leaving cuts an award from its post, and later from its payee. The books keep the subject, the earmark its post.
    """
    since, until = span
    payees = Payee.objects.filter(pk=OuterRef("entry__account__subject"))
    here = payees.filter(Q(left_at=None, member__isnull=False) | Q(left_at__gte=until))
    stood = Q(entry__transaction__reversed_by=None) | Q(entry__transaction__reversed_by__at__gte=until)
    rows = Award.objects.filter(
        Exists(here), stood, firm=firm, awarded_at__gte=since, awarded_at__lt=until, charity=None
    )
    whose = Subquery(payees.values("member")[:1])
    for subject, member, cause, mode, cents in rows.values_list(
        "entry__account__subject", whose, "cause", "earmark__post__byline__mode", "cents"
    ):
        if face := FACES.get(mode) if cause == Award.Cause.AUTHOR else HANDLE:
            yield subject, member, face, cents


def as_of_today() -> date:
    return timezone.now().date().replace(day=1)


def was_paid(member: Member, firm: Firm) -> bool:
    """Whether a firm has paid a member in the last 12 months. For that member alone."""
    now = timezone.now()
    span = now - timedelta(days=settings.CONFLICT_DAYS), now
    return any(paid == member.pk for _, paid, _, _ in _awards(firm, span))


def count(as_of: date | None = None) -> int:
    """Bring all lines in line with the books and the posts; returns how many stand."""
    as_of, standing = as_of or as_of_today(), 0
    for firm in Firm.objects.filter(made_products__isnull=False).distinct():
        standing += _count(firm, as_of)
    Conflict.objects.filter(product__maker=None).delete()
    return standing


def count_of(member: Member, firm: Firm) -> None:
    """The same for the posts of one member on the products of one firm."""
    _count(firm, as_of_today(), author=member)


@transaction.atomic
def _count(firm: Firm, as_of: date, **whose) -> int:
    books = Books(firm, as_of)
    wanted = dict(_lines(firm, books, whose)) if books else {}
    own = {f"post__{name}": row for name, row in whose.items()}
    known = Conflict.objects.filter(product__maker=firm, **own)
    there = {(row.post_id, row.product_id): row for row in known}
    same = {pair for pair, row in there.items() if wanted.get(pair) == Line(row.said, row.band)}
    known.exclude(pk__in=[there[pair].pk for pair in same]).delete()
    known.exclude(as_of=as_of).update(as_of=as_of)
    Conflict.objects.bulk_create(
        (
            Conflict(post_id=post, product_id=product, said=line.said, band=line.band, as_of=as_of)
            for (post, product), line in wanted.items()
            if (post, product) not in same
        ),
        ignore_conflicts=True,
    )
    return len(wanted)


def _lines(firm: Firm, books: Books, whose: dict) -> Iterator[tuple[tuple[int, int], Line]]:
    posts = Post.objects.standing().filter(**whose)
    rows = Mention.objects.filter(product__maker=firm, post__in=posts)
    for post, product, author, mode in rows.values_list(
        "post", "product", "post__author", "post__byline__mode"
    ).iterator():
        if line := books.line(author, mode):
            yield (post, product), line
