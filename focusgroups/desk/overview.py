"""The first page of a room: how it stands, what is missing, the next step; and publishing, extending, ending it."""

from django.db.models import Count, Q, Sum
from django.http import Http404
from django.utils import timezone

from accounts.notice_forms import time_zones
from focusgroups import readiness
from focusgroups.desk import base
from focusgroups.desk.forms import CancelForm, ExtendForm, SureForm, dollars
from focusgroups.models import Candidate, Completion, Room
from focusgroups.services import publishing

State = Room.State


def overview(request, room):
    """A draft's steps and what each lacks; of a published room its figures."""
    missing = readiness.missing(room) if base.is_draft(room) else []
    context = {
        "steps": steps_of(room, missing) if base.is_draft(room) else [],
        "missing_count": len(missing),
        "figures": figures_of(room) if base.is_published(room) else [],
        "facts": facts_of(room),
        "next": next_of(room, missing),
        "acts": acts_of(room),
        "panels": [html for panel in base.PANELS if (html := panel.draw(request, room))],
    }
    return base.show(request, room, "overview", "overview.html", **context)


def steps_of(room: Room, missing: list[readiness.Missing]) -> list[dict]:
    """The parts of setting a room up, each with what it lacks, or what stands there."""
    lacks: dict[str, list[str]] = {}
    for one in missing:
        lacks.setdefault(base.step_page(one.step).name, []).append(one.words)
    return [
        {
            "label": page.label,
            "address": base.address(room, page.name),
            "lacks": lacks.get(page.name, []),
            "said": page.said(room) if page.said else "",
        }
        for page in base.PAGES
        if page.step and page.is_open(room)
    ]


def next_of(room: Room, missing: list[readiness.Missing]) -> dict | None:
    """The one thing to do now: label and address."""
    if missing:
        page = base.step_page(missing[0].step)
        return {"label": f"Next: {page.label}", "address": base.address(room, page.name)}
    candidates = {
        State.DRAFT: [("publish", "Publish")],
        State.RECRUITING: [("invitations", "Invite members")],
        State.RUNNING: [("board", "Look at the board"), ("invitations", "See who takes part")],
        State.CLOSED: [("outcome", "Look at the outcome")],
        State.CANCELED: [],
    }[room.state]
    for name, label in candidates:
        found = base.address(room, name) if name == "publish" else base.address_if_any(room, name)
        if found:
            return {"label": label, "address": found}
    return None


def acts_of(room: Room) -> list[dict]:
    """What else may be done to the room as a whole."""
    names = []
    if not room.is_over:
        if room.published_at:
            names.append(("extend", "Extend"))
            names.append(("close", "Close now"))
        if may_be_canceled(room):
            names.append(("cancel", "Discard the draft" if base.is_draft(room) else "Call it off"))
    return [{"label": label, "address": base.address(room, name)} for name, label in names]


def may_be_canceled(room: Room) -> bool:
    """Drafts, and rooms in which nobody earned anything yet."""
    return not room.is_over and not Completion.objects.filter(participant__room=room).exists()


def figures_of(room: Room) -> list[dict]:
    """How a published room stands, as label, value and what it is out of."""
    states = Candidate.State
    asked = room.candidates.aggregate(
        asked=Count("pk"),
        invited=Count("pk", filter=Q(state=states.INVITED)),
        waiting=Count("pk", filter=Q(state=states.WAITING)),
    )
    sections = room.sections.aggregate(
        all=Count("pk"), open=Count("pk", filter=Q(opens_at__lte=timezone.now()))
    )
    return [
        {
            "label": "Seats taken",
            "value": room.participants.filter(left_at=None).count(),
            "of": f"of {room.seats}",
        },
        {"label": "Asked", "value": asked["asked"], "of": f"{asked['invited']} to answer yet"},
        {"label": "Waiting list", "value": asked["waiting"], "of": ""},
        {"label": "Sections open", "value": sections["open"], "of": f"of {sections['all']}"},
    ]


def facts_of(room: Room) -> list[tuple[str, str]]:
    """What a room says of itself, in words."""
    each = room.sections.aggregate(sum=Sum("honorarium"))["sum"] or 0
    zone = dict(zones())[room.time_zone]
    facts = [
        ("Begins", base.in_zone(room, room.starts_at) or "not said yet"),
        ("Ends", base.in_zone(room, room.ends_at) or "not said yet"),
        ("Time zone", zone),
        ("Seats", str(room.seats)),
        ("Minutes a day", f"about {room.minutes_a_day}"),
        ("For each participant", dollars(each) if each else "no honorarium"),
        ("Watchers read", room.get_watching_display()),
    ]
    if room.closed_at and not room.canceled_at:
        facts.append(("Closed", base.in_zone(room, room.closed_at)))
    if room.canceled_at:
        facts.append(("Canceled", base.in_zone(room, room.canceled_at)))
    return facts


def zones() -> list[tuple[str, str]]:
    return [zone for _, several in time_zones() for zone in several]


# Confirmations: each says what will happen


def publish(request, room):
    if base.is_late(request, base.is_draft(room)):
        raise Http404
    form = SureForm(request.POST if request.method == "POST" else None)
    missing = readiness.missing(room) if base.is_draft(room) else []
    if form.is_bound and form.is_valid():
        is_done, _ = base.tried(form, lambda: publishing.publish(room=room, by=request.user))
        if is_done:
            words = "Published. Nobody was told yet: invite members next."
            return base.done(request, words, base.address(room, "invitations"))
    return _confirm(
        request,
        room,
        form,
        title="Publish",
        button="Publish",
        lacks=[
            {"words": one.words, "address": base.address(room, base.step_page(one.step).name)}
            for one in missing
        ],
        says=[
            "Members can be invited from then on. Nobody is told before you invite them.",
            "Dates, screener and whom it seeks stay as they are; more seats can be added, the end can be put off.",
            "Sections that have not opened yet may still change. No honorarium goes down.",
            f"Up to {dollars(readiness.promised(room))} are promised to participants."
            if readiness.promised(room)
            else "No honorarium is promised.",
        ],
    )


def extend(request, room):
    if not base.is_published(room) or base.is_late(request, not room.is_over):
        raise Http404
    form = ExtendForm(request.POST if request.method == "POST" else None, room=room)
    if form.is_bound and form.is_valid():
        ends_at = form.cleaned_data["ends_at"]
        is_done, _ = base.tried(
            form,
            lambda: publishing.extend(room=room, by=request.user, ends_at=ends_at),
            {base.RuleBroken: "ends_at"},
        )
        if is_done:
            room.refresh_from_db()
            words = f"It now ends on {base.in_zone(room, room.ends_at)}."
            return base.done(request, words, base.address(room, "overview"))
    return _confirm(
        request,
        room,
        form,
        title="Extend",
        button="Extend",
        says=[
            f"It ends on {base.in_zone(room, room.ends_at)} so far. It can only be made to end later.",
            "Participants see the new end at once.",
        ],
    )


def close(request, room):
    if not base.is_published(room) or base.is_late(request, not room.is_over):
        raise Http404
    form = SureForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        is_done, _ = base.tried(form, lambda: publishing.close(room=room, by=request.user))
        if is_done:
            return base.done(request, "Closed.", base.address(room, "overview"))
    return _confirm(
        request,
        room,
        form,
        title="Close now",
        button="Close the focus group",
        is_grave=True,
        says=[
            f"By itself it would close on {base.in_zone(room, room.ends_at)}.",
            "Nobody can answer or take anything back any more, and invitations end.",
            "What participants earned for completed sections is paid. Sections half done earn nothing.",
            "This cannot be undone.",
        ],
    )


def cancel(request, room):
    if base.is_late(request, may_be_canceled(room)):
        raise Http404
    is_draft = not base.is_published(room)
    form = CancelForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        reason = form.cleaned_data["reason"]
        is_done, _ = base.tried(form, lambda: publishing.cancel(room=room, by=request.user, reason=reason))
        if is_done:
            words = "The draft is discarded." if is_draft else "Called off. Whoever was asked is told."
            return base.done(request, words, base.address(room, "overview"))
    form.fields["reason"].help_text = (
        "For the log." if is_draft else "Whoever was invited or has a seat reads it."
    )
    return _confirm(
        request,
        room,
        form,
        title="Discard the draft" if is_draft else "Call it off",
        button="Discard" if is_draft else "Call it off",
        is_grave=True,
        says=[
            "Nobody was told of it, and nobody will be. It stays in your list of closed rooms."
            if is_draft
            else "Everybody who was invited or has a seat is told, with your reason.",
            "This cannot be undone.",
        ],
    )


def _confirm(request, room, form, **more):
    return base.show(
        request, room, "overview", "confirm.html", form=form, status=base.status_of(form), **more
    )


base.add_page(
    base.Page(
        "overview",
        "Overview",
        0,
        overview,
        routes=(
            base.Route("publish/", "publish", publish, is_guarded=True),
            base.Route("extend/", "extend", extend, is_guarded=True),
            base.Route("close/", "close", close, is_guarded=True),
            base.Route("cancel/", "cancel", cancel, is_guarded=True),
        ),
    )
)
