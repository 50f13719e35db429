"""What on call knows of a person, for the ledger of personal data."""

from django.db.models import Q

from accounts.leaving.ledger import NUMBER, OTHERS, OWNER, Entry, Fate, Person, Shown
from consults.models import Call, Duty, OnCallWishes, Paging, Shift
from questions.models import Question


def lock(person: Person) -> None:
    """Before the member, as whoever takes a step does: the cases that page them, or that they page for."""
    if person.member is None:
        return
    from consults.services import paging

    concerned = Q(calls__member=person.member) | Q(case__question__asker=person.member)
    live = Paging.objects.filter(concerned, state__in=paging.LIVE)
    cases = list(live.values_list("case", flat=True))
    list(Question.objects.select_for_update().filter(pk__in=cases).order_by("pk"))
    list(Paging.objects.select_for_update().filter(case__in=cases).order_by("pk"))


# Erasers, in the order of ERASERS


def end_pagings(person: Person) -> None:
    """Nobody waits for the page any more, and a page that was accepted looks for somebody else."""
    from consults.services import paging

    if person.member is None:
        return
    own = Paging.objects.filter(case__question__asker=person.member, state__in=paging.LIVE)
    for one in own.order_by("pk"):
        paging.end(one, Paging.State.STOPPED)
    accepted = Paging.objects.filter(
        state=Paging.State.ACCEPTED, calls__member=person.member, calls__state=Call.State.ACCEPTED
    )
    for one in accepted.order_by("pk"):
        paging.reopen(one)


def forget_calls(person: Person) -> None:
    if person.member is not None:
        Call.objects.filter(member=person.member).delete()
        Call.objects.filter(handed_to=person.member).update(handed_to=None)


def forget_shifts(person: Person) -> None:
    if person.member is not None:
        Duty.objects.filter(member=person.member).delete()
        Shift.objects.filter(member=person.member).delete()
        OnCallWishes.objects.filter(member=person.member).delete()


ERASERS = (end_pagings, forget_calls, forget_shifts)


# Export


def _specialty(row):
    return row.specialty.name


ENTRIES = (
    Entry(
        "consults.OnCallWishes",
        "How you let yourself be paged",
        Fate.DELETED,
        "It goes.",
        path="member__user",
        shown=("pages_a_shift", "pages_a_week", "takes_overflow", "shows_handle"),
        withheld={"member": OWNER},
        eraser=forget_shifts,
    ),
    Entry(
        "consults.Shift",
        "Your shifts on call",
        Fate.DELETED,
        "They go.",
        path="member__user",
        shown=(
            *("id", "sort", "weekday", "from_time", "to_time", "time_zone"),
            *("starts_at", "ends_at", "made_at", "ended_at"),
        ),
        withheld={"member": OWNER, "submission": "keeps a form from being sent twice"},
        eraser=forget_shifts,
    ),
    Entry(
        "consults.Duty",
        "When you are and were on call",
        Fate.DELETED,
        "They go.",
        path="member__user",
        load=("specialty",),
        shown=(
            Shown("shift", "shift", lambda duty: duty.shift_id),
            Shown("specialty", "specialty", _specialty),
            "starts_at",
            "ends_at",
        ),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=forget_shifts,
    ),
    Entry(
        "consults.Call",
        "Pages sent to you",
        Fate.DELETED,
        "They go. What you accepted and did not answer looks for a colleague again.",
        path="member__user",
        load=("paging",),
        shown=(
            Shown("paging", "case", lambda call: call.paging.case_id),
            *("step", "state", "sent_at", "seen_at", "decided_at"),
        ),
        withheld={
            "id": NUMBER,
            "member": OWNER,
            "duty": "stands among the times you are on call",
            "handed_to": OTHERS,
        },
        eraser=forget_calls,
    ),
    Entry(
        "consults.Paging",
        "Pages you sent",
        Fate.KEPT,
        "That a case was paged, and how fast it was heard, stays with the case. It is ended.",
        path="case__question__asker__user",
        load=("specialty",),
        shown=(
            Shown("case", "case", lambda paging: paging.case_id),
            Shown("specialty", "specialty", _specialty),
            *("urgency", "state", "step", "started_at", "first_heard_at", "ended_at"),
        ),
        withheld={"id": NUMBER, "next_at": "what the site was about to do"},
    ),
)
