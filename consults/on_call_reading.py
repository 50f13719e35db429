"""Pages received and sent, as the pages of on call and of cases show them."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    FloatField,
    Func,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import JSONObject, Now

from accounts.backends import number_of
from accounts.models import Member, User
from consults.models import Call, Case, Paging
from consults.on_call_board import of_face
from consults.on_call_own import DAY, clock_words
from consults.reading import patient_words
from consults.words import span
from questions.models import Byline, Question, QuestionSpecialty
from questions.signature import Signature, Signer, signed, signer_columns

MOST_RECEIVED, MOST_SENT = 30, 10
LONGEST_OPEN = timedelta(minutes=max(settings.ON_CALL_OPEN_MINUTES.values())) + timedelta(days=1)
STEPS = list(Paging.Step)
THEN = {  # what a step does, as it is said before it is due
    Paging.Step.FIRST: "the first on call is paged",
    Paging.Step.SECOND: "the next on call is paged, too",
    Paging.Step.ALL: "everybody on call is paged",
    Paging.Step.OVERFLOW: "top answerers are asked",
}
PASSED = [Call.State.DECLINED, Call.State.HANDED_OVER]
ON = [Paging.State.OPEN, Paging.State.ACCEPTED]
HEARD = [Call.State.ACCEPTED, Call.State.ANSWERED]  # as the states of a paging are called, too


# Pages received


@dataclass(frozen=True)
class Received:
    """A page to oneself."""

    pk: int
    case: int
    state: str
    urgency: str
    specialty: str
    title: str
    url: str
    patient: str
    ask: str
    sent_at: datetime
    decided_at: datetime | None
    is_on: bool  # whether its paging goes on
    next_at: datetime | None
    step: int | None
    now: datetime

    @property
    def is_open(self) -> bool:
        return self.state in Call.OPEN

    @property
    def is_unseen(self) -> bool:
        return self.state == Call.State.SENT

    @property
    def is_accepted(self) -> bool:
        return self.state == Call.State.ACCEPTED and self.is_on

    @property
    def seconds_left(self) -> int | None:
        """Until somebody else is paged."""
        if not self.is_open or self.next_at is None:
            return None
        return max(0, int((self.next_at - self.now).total_seconds()))

    @property
    def left(self) -> str:
        return clock_words(self.seconds_left or 0)

    @property
    def ticks(self) -> bool:
        """Whether so little time is left that it is counted down."""
        return (self.seconds_left or 0) < DAY

    @property
    def then(self) -> str:
        return then_words(self.step)

    @property
    def said(self) -> str:
        """What became of it."""
        return {
            Call.State.ACCEPTED: "Accepted by you",
            Call.State.DECLINED: "You passed",
            Call.State.HANDED_OVER: "You handed it over",
            Call.State.ANSWERED: "You answered",
            Call.State.EXPIRED: "It ended without you",
        }.get(self.state, "")


def then_words(step: int | None) -> str:
    """What comes after a step."""
    place = STEPS.index(Paging.Step(step)) + 1 if step is not None else 0
    return THEN[STEPS[place]] if place < len(STEPS) else "the search ends"


def open_calls_of_user() -> Func:
    """How many pages wait for a user, for `SermoBackend.also_asked`. Only the last days of an index are read."""
    waiting = Call.objects.filter(member__user=OuterRef("pk"), state__in=Call.OPEN)
    return number_of(waiting.filter(sent_at__gt=Now() - LONGEST_OPEN), MOST_RECEIVED)


def received(user: User, *, now: datetime, **narrowed) -> list[Received]:
    """Open ones first, the most urgent of them on top; then what was accepted, then what is over. One query.

    Only of cases one may read.
    """
    cases = Case.objects.visible_to(user).filter(pk=OuterRef("paging__case"), withdrawn_at=None)
    rows = (
        Call.objects.filter(Exists(cases), member=user.as_member, **narrowed)
        .select_related("paging__case__question", "paging__specialty")
        .order_by("-sent_at", "-pk")[:MOST_RECEIVED]
    )
    return sorted((_received(call, now) for call in rows), key=_place)


def _place(call: Received) -> tuple:
    if call.is_open:
        return 0, Paging.Urgency.values.index(call.urgency), call.sent_at
    return (1,) if call.is_accepted else (2,)


def _received(call: Call, now: datetime) -> Received:
    paging, case = call.paging, call.paging.case
    return Received(
        pk=call.pk,
        case=case.pk,
        state=call.state,
        urgency=paging.urgency,
        specialty=paging.specialty.name,
        title=case.question.title,
        url=case.question.get_absolute_url(),
        patient=patient_words(case.age_band, case.sex),
        ask=case.get_ask_display(),
        sent_at=call.sent_at,
        decided_at=call.decided_at,
        is_on=paging.state in ON,
        next_at=paging.next_at,
        step=paging.step,
        now=now,
    )


# Pages sent


@dataclass(frozen=True)
class Sent:
    """A paging of one's own case: how many it reached, and who answers. Whom it reached is not said."""

    pk: int
    state: str
    step: int | None
    urgency: str
    specialty: str
    title: str
    url: str
    started_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    first_heard_at: datetime | None
    reached: int
    seen: int
    passed: int
    first_seen_at: datetime | None
    may_page_others: bool  # whether the case has a specialty that is not being paged
    by: Signature | None  # who accepted or answered

    @property
    def is_on(self) -> bool:
        return self.state in ON

    @property
    def is_open(self) -> bool:
        return self.state == Paging.State.OPEN

    @property
    def is_accepted(self) -> bool:
        return self.state == Paging.State.ACCEPTED

    @property
    def is_heard(self) -> bool:
        return self.state in (Paging.State.ACCEPTED, Paging.State.ANSWERED)

    @property
    def after(self) -> str:
        """When who answers was found; of what was answered, when the answer came."""
        return after_words(self.started_at, (self.is_answered and self.ended_at) or self.first_heard_at)

    @property
    def accepted_after(self) -> str:
        """Of what was answered later than it was accepted."""
        moments = self.first_heard_at, self.ended_at
        is_later = self.is_answered and all(moments) and moments[0] < moments[1]
        return after_words(self.started_at, self.first_heard_at) if is_later else ""

    @property
    def is_answered(self) -> bool:
        return self.state == Paging.State.ANSWERED

    @property
    def seen_after(self) -> str:
        return after_words(self.started_at, self.first_seen_at)

    @property
    def then(self) -> str:
        return then_words(self.step)


def after_words(start: datetime, end: datetime | None) -> str:
    """How long it took: "after 4 min"."""
    if end is None:
        return ""
    seconds = (end - start).total_seconds()
    return "within a minute" if seconds < 60 else f"after {span(seconds)}"


SENT_FIELDS = (
    *("pk", "state", "step", "urgency", "specialty__name", "case", "case__question__title"),
    *("started_at", "next_at", "ended_at", "first_heard_at"),
)


def sent_by(member: Member) -> list[Sent]:
    """The last pagings of one's own cases, those that go on first. One query."""
    rows = Paging.objects.filter(case__question__asker=member, case__withdrawn_at=None)
    rows = rows.exclude(case__question__status=Question.Status.REMOVED)
    return sorted(_sent(rows)[:MOST_SENT], key=lambda one: not one.is_on)


def sent_for(case_id: int) -> list[Sent]:
    """All pagings of one case, the last first. One query."""
    return _sent(Paging.objects.filter(case=case_id))


def _sent(rows: QuerySet) -> list[Sent]:
    seconds = Func(F("seen_at"), template="EXTRACT(EPOCH FROM %(expressions)s)", output_field=FloatField())
    counted = JSONObject(
        reached=Count("pk"),
        seen=Count("pk", filter=Q(seen_at__isnull=False) | Q(state__in=[*HEARD, *PASSED])),
        passed=Count("pk", filter=Q(state__in=PASSED)),
        first_seen=Min(seconds),
    )
    calls = Call.objects.filter(paging=OuterRef("pk")).order_by().values("paging")
    signed_in_case = Byline.objects.filter(question=OuterRef("case"), member=OuterRef("heard__member"))
    running = Paging.objects.filter(case=OuterRef("question"), specialty=OuterRef("specialty"))
    others = QuestionSpecialty.objects.filter(
        ~Exists(running.filter(state__in=ON)), question=OuterRef("case")
    )
    rows = (
        rows.alias(heard=FilteredRelation("calls", condition=Q(calls__state__in=HEARD)))
        .annotate(
            counted=Subquery(calls.annotate(counted=counted).values("counted")),
            may_page_others=Exists(others),
            of_face=of_face("heard__member__"),
        )
        .alias(has_answered=ExpressionWrapper(Q(heard__state=Call.State.ANSWERED), BooleanField()))
        .order_by("-started_at", "-pk", "-has_answered", "heard__decided_at")
        .values_list(
            *SENT_FIELDS,
            "counted",
            "may_page_others",
            "heard__state",
            "of_face",
            *signer_columns(Subquery(signed_in_case.values("mode")[:1]), "heard__member"),
        )[: MOST_SENT * 2]
    )
    found: dict[int, Sent] = {}
    for row in rows:
        facts, (counts, may_page_others, heard, shown), signer = row[:11], row[11:15], Signer(*row[15:])
        pk, state, step, urgency, specialty, case, title, *moments = facts
        counts = counts or {"reached": 0, "seen": 0, "passed": 0, "first_seen": None}
        url = Question.url_of(case, title, Question.Kind.CASE)
        first_seen = counts.pop("first_seen")
        first_seen_at = datetime.fromtimestamp(first_seen, UTC) if first_seen else None
        who = (
            _acceptor(signer, shown == specialty)
            if heard and (heard == state or state not in HEARD)
            else None
        )
        made = Sent(
            pk,
            state,
            step,
            urgency,
            specialty,
            title,
            url,
            *moments,
            **counts,
            first_seen_at=first_seen_at,
            may_page_others=may_page_others,
            by=who,
        )
        if pk not in found or found[pk].by is None:
            found[pk] = made
    return list(found.values())


def _acceptor(signer: Signer, shows_specialty: bool) -> Signature:
    """Who took a page, as the asker is told: as they signed in that case, and nameless before.

    Else the handle they accept under and the name they answer under would be known to be one. Beside the specialty
    that was paged a handle stands only where it shows that specialty anyway.
    """
    if signer.mode == Byline.Mode.PUBLIC or (signer.mode and shows_specialty):
        return signed(signer)
    return Signature("a colleague")


def state_of(calls: list[Received], pagings: list[Sent], now: datetime) -> str:
    """A digest of what an inbox shows: whoever has the same need not draw it anew."""
    ages = [int((now - call.sent_at).total_seconds() // 60) for call in calls if call.is_open]
    facts = [(call.pk, call.said, call.is_on, call.next_at, call.title) for call in calls]
    return hashlib.sha256(repr((facts, pagings, ages)).encode()).hexdigest()[:16]
