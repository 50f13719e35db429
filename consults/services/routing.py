"""Whom a page may reach now, and in which order.

Only members on duty at that moment are ever candidates: verified, through the gate of the case, parted from its asker
by no block, outside of their quiet hours, with pages left in their shift and week, not called in this paging before,
who neither passed the case on nor answered it. Whoever pages passes `busy`: then their rows are locked, as those hold
them who change duties, and what is asked is asked after that. A row that somebody else holds is not waited for, since
the discussion is locked already; its member is left out and named in `busy`.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import sqrt

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from accounts.models import Block, Kind, Member, NoticeChoice, NoticeSettings, Way
from consults.models import Call, Duty, OnCallWishes, Paging
from questions.models import Credit, Post, Question, QuestionSpecialty
from questions.services import telling
from sermo import crypto

Z = 1.959964  # of the 95 % interval
WEEK = timedelta(days=7)
REMEMBERED = timedelta(days=90)  # how far back it counts whether somebody took their pages
PASSED = (Call.State.DECLINED, Call.State.HANDED_OVER)
HEARD = (Call.State.ACCEPTED, Call.State.ANSWERED, Call.State.HANDED_OVER)
MOST_SOLVERS = 100  # of a specialty, among whom top answerers are looked for
WISHES = ("on_call_wishes__pages_a_shift", "on_call_wishes__pages_a_week")
QUIET = tuple(f"notice_settings__{name}" for name in ("quiet_from", "quiet_to", "time_zone"))
Record = tuple[int, int]  # credited answers, and all


@dataclass(frozen=True)
class Candidate:
    """Someone who may be paged now. `availability` and `budget` lie between 0 and 1."""

    member: int
    duty: int
    record: Record = (0, 0)
    availability: float = 1.0
    budget: float = 1.0

    @property
    def is_newcomer(self) -> bool:
        return not self.record[1]

    @property
    def score(self) -> float:
        return wilson(*self.record) * self.availability * self.budget


@dataclass
class OnDuty:
    """A member as their duties of the moment have them, overlapping ones taken together."""

    duty: int
    since: datetime
    wishes: OnCallWishes


def wilson(hits: int, trials: int) -> float:
    """The lower bound of the 95 % interval of a share: few trials prove little."""
    if not trials:
        return 0.0
    share, z2 = hits / trials, Z * Z
    middle = share + z2 / (2 * trials)
    spread = Z * sqrt((share * (1 - share) + z2 / (4 * trials)) / trials)
    return max(0.0, (middle - spread) / (1 + z2 / trials))


# Who


def candidates(
    paging: Paging, moment: datetime, *, busy: set[int] | None = None, with_expired: bool = False
) -> list[Candidate]:
    """All who may be paged now, in the order of their ids. Ten queries at most, however many there are.

    `with_expired` adds those whose page expired when somebody else took it, once in a paging.
    """
    rows = _may_be_called(paging, with_expired=with_expired).filter(specialty=paging.specialty_id)
    on_duty = _on_duty(rows, Duty.objects.at(moment).filter(specialty=paging.specialty_id), moment, busy)
    known = records(_newest(paging.specialty_id), list(on_duty)) if on_duty else {}
    return _weighed(on_duty, known, moment)


def top_answerers(
    paging: Paging, moment: datetime, *, busy: set[int] | None = None
) -> tuple[list[Candidate], list[int]]:
    """When nobody on call was found: the best of the specialty who may be paged now, and who may only be told.

    The first are on duty, in whatever specialty, and take such pages.
    """
    known = best_records(_newest(paging.specialty_id))
    rows = _may_be_called(paging).filter(pk__in=list(known))
    duties = Duty.objects.at(moment).filter(
        member__in=list(known), specialty=F("member__specialty"), member__on_call_wishes__takes_overflow=True
    )
    takers = _on_duty(rows.filter(on_call_wishes__takes_overflow=True), duties, moment, busy)
    found = sorted(_weighed(takers, known, moment), key=lambda one: (-one.score, one.member))
    paged = found[: settings.ON_CALL_OVERFLOW_MOST]
    hearing = set(rows.values_list("pk", flat=True)) - {one.member for one in paged}
    best = sorted(hearing, key=lambda member: (-wilson(*known[member]), member))
    return paged, best[: settings.ON_CALL_OVERFLOW_MOST]


def takers(
    paging: Paging, member: Member, moment: datetime, *, busy: set[int] | None = None
) -> list[Candidate]:
    """To whom a member can hand a page: the candidates from whom no block between the handles parts them."""
    parted = set(Block.objects.parting_handles(member))
    found = candidates(paging, moment, busy=busy, with_expired=True)
    return [one for one in found if one.member not in parted and one.member != member.pk]


def may_hear(paging: Paging) -> QuerySet[Member]:
    """The readers of a case who may be told of it."""
    opening = Post.objects.select_related("question", "byline", "author").get(
        question=paging.case_id, kind=Post.Kind.OPENING
    )
    return telling.may_hear(opening)


def _may_be_called(paging: Paging, *, with_expired: bool = False) -> QuerySet[Member]:
    """Physicians who may hear of the case, did not switch pages off, and have nothing to do with it yet.

    Neither called in this paging, nor in one of the case that still runs; nobody who passed it on, or answered.
    """
    own = Call.objects.filter(member=OuterRef("pk"), paging__case=paging.case_id)
    of_this = Q(paging=paging)
    if with_expired:
        of_this &= ~Q(state=Call.State.EXPIRED)
    waiting = Q(
        state__in=[*Call.OPEN, Call.State.ACCEPTED],
        paging__state__in=[Paging.State.OPEN, Paging.State.ACCEPTED],
    )
    concerned = own.filter(of_this | waiting | Q(state__in=PASSED))
    given = Call.objects.filter(handed_to=OuterRef("pk"), paging=paging)
    answers = Post.objects.answers().standing().filter(author=OuterRef("pk"), question=paging.case_id)
    unwanted = NoticeChoice.objects.filter(member=OuterRef("pk"), kind=Kind.ON_CALL, way=Way.OFF)
    return may_hear(paging).filter(
        *(~Exists(rows) for rows in (concerned, given, answers, unwanted)),
        standing=Member.Standing.PHYSICIAN,
        user__is_active=True,
    )


def _on_duty(
    members: QuerySet[Member], duties: QuerySet[Duty], moment: datetime, busy: set[int] | None
) -> dict[int, OnDuty]:
    """Who of them has one of the duties of a moment and is not in their quiet hours, by id.

    Who is on duty is asked first: they are few, and the gate of a case is then asked of them alone.
    """
    on_duty = set(duties.values_list("member", flat=True))
    if busy is not None and on_duty:
        rows = Member.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=on_duty)
        held = set(rows.order_by("pk").values_list("pk", flat=True))
        busy |= on_duty - held
        moment = max(moment, timezone.now())  # a duty may have ended before its member was held
        on_duty = held
    rows = members.filter(pk__in=on_duty)
    wishes = {
        member: OnCallWishes(member_id=member, pages_a_shift=of_shift, pages_a_week=of_week)
        if of_shift
        else OnCallWishes(member_id=member)
        for member, of_shift, of_week, *quiet in rows.values_list("pk", *WISHES, *QUIET)
        if not is_quiet(*quiet, moment)
    }
    found: dict[int, OnDuty] = {}
    lately = Duty.objects.filter(
        member__in=list(wishes), starts_at__lte=moment, ends_at__gt=moment - WEEK
    ).order_by("-ends_at", "pk")
    for duty in lately.only("member", "starts_at", "ends_at"):
        _reach_back(found, duty, moment, wishes[duty.member_id])
    return found


def _reach_back(found: dict[int, OnDuty], duty: Duty, moment: datetime, wishes: OnCallWishes) -> None:
    """Take in the next duty, the one that ends last coming first: those that overlap the one of now are one with it."""
    one = found.get(duty.member_id)
    if one is None and duty.ends_at > moment:
        found[duty.member_id] = OnDuty(duty.pk, duty.starts_at, wishes)
    elif one and duty.ends_at > one.since:
        one.since = min(one.since, duty.starts_at)


def is_quiet(quiet_from: time | None, quiet_to: time | None, zone: str | None, moment: datetime) -> bool:
    """Whether a moment lies in the quiet hours of somebody's notices."""
    if quiet_from is None:
        return False
    return (
        NoticeSettings(quiet_from=quiet_from, quiet_to=quiet_to, time_zone=zone).after_quiet_hours(moment)
        > moment
    )


# What they can still take


def _weighed(on_duty: dict[int, OnDuty], known: dict[int, Record], moment: datetime) -> list[Candidate]:
    """Candidates of those who have pages left."""
    if not on_duty:
        return []
    pages = _pages(on_duty, moment)
    found = []
    for member, one in sorted(on_duty.items()):
        sent, calls, heard = pages.get(member, ((), 0, 0))
        of_shift = 1 - sum(at >= one.since for at in sent) / one.wishes.pages_a_shift
        of_week = 1 - len(sent) / one.wishes.pages_a_week
        if of_shift > 0 and of_week > 0:
            found.append(
                Candidate(
                    member,
                    one.duty,
                    known.get(member, (0, 0)),
                    availability=(heard + 1) / (calls + 1),  # so that a single miss is no verdict
                    budget=min(of_shift, of_week),
                )
            )
    return found


def _pages(members: Iterable[int], moment: datetime) -> dict[int, tuple[list[datetime], int, int]]:
    """When pages of the last week were sent; how many members got lately, and how many of them they took."""
    of_week = ArrayAgg("sent_at", filter=Q(sent_at__gt=moment - WEEK), default=Value([]))
    rows = Call.objects.filter(member__in=list(members), sent_at__gt=moment - REMEMBERED).values("member")
    rows = rows.annotate(sent=of_week, calls=Count("pk"), heard=Count("pk", filter=Q(state__in=HEARD)))
    return {row["member"]: (row["sent"], row["calls"], row["heard"]) for row in rows}


def records(newest: list[int], members: list[int]) -> dict[int, Record]:
    """Credited and all answers of members in some discussions.

    Those of the handle alone: what stands under a name never counts for whom a handle is asked.
    """
    return _with_answers(newest, members, _credited(newest, members))


def best_records(newest: list[int]) -> dict[int, Record]:
    """The same of those who solved most there."""
    credited = _credited(newest)
    most = sorted(credited, key=lambda member: (-credited[member], member))[:MOST_SOLVERS]
    return _with_answers(newest, most, credited)


def _newest(specialty: str) -> list[int]:
    """The cases and questions of a specialty by which its answerers are known."""
    within = QuestionSpecialty.objects.filter(specialty=specialty, question__kind__in=Question.SOLVED_KINDS)
    return list(within.order_by("-question").values_list("question", flat=True)[: settings.ON_CALL_PAST])


def _credited(newest: list[int], members: list[int] | None = None) -> Counter:
    """How often an answer of each was credited."""
    posts = list(Credit.objects.filter(question__in=newest).values_list("post", flat=True))
    rows = Post.objects.standing().signed_by_handle().filter(pk__in=posts)
    if members is not None:
        rows = rows.filter(author__in=members)
    return Counter(rows.values_list("author", flat=True))


def _with_answers(newest: list[int], members: list[int], credited: Counter) -> dict[int, Record]:
    rows = Post.objects.answers().standing().signed_by_handle()
    rows = rows.filter(question__in=newest, author__in=members).values_list("author")
    return {member: (credited[member], answers) for member, answers in rows.annotate(number=Count("pk"))}


# In which order


def ranked(found: Iterable[Candidate], seed: str) -> list[Candidate]:
    """Best first; but by lot, with a probability of ON_CALL_NEWCOMERS_PERCENT, a newcomer comes first.

    The lot is drawn from the seed and the site's secret: whoever repeats it draws the same, and nobody can foresee it.
    Equal ones come in an order by lot.
    """
    lot = random.Random(crypto.keyed_digest(seed, "on-call"))  # noqa: S311 - its seed is secret
    is_for_newcomer = lot.random() * 100 < settings.ON_CALL_NEWCOMERS_PERCENT
    order = sorted(found, key=lambda one: one.member)
    lot.shuffle(order)
    order.sort(key=lambda one: (-one.score, -one.availability * one.budget))
    newcomer = next((one for one in order if one.is_newcomer), None) if is_for_newcomer else None
    if newcomer:
        order.remove(newcomer)
        order.insert(0, newcomer)
    return order
