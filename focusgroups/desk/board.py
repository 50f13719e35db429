"""The participation board and the meter of fairness, while a room runs and after.

Participants are shown by alias and quota cell; nothing here says who they are on the site (F3).
"""

from django.http import Http404
from django.shortcuts import get_object_or_404

from focusgroups import board as boards
from focusgroups import fairness
from focusgroups.desk import base
from focusgroups.desk.forms import SureForm
from focusgroups.desk.forms_running import RemoveForm
from focusgroups.services import seating
from sermo.errors import RuleBroken


class SeatGone(RuleBroken):
    message = "This participant has no seat any more."


def board(request, room):
    """Who answered what: section by section, or with one of them in the address prompt by prompt."""
    place = request.GET.get("section", "")
    made = boards.board(room, int(place) if place.isdecimal() and len(place) < 5 else None)
    waiting = room.candidates.filter(state="waiting").count() if not room.is_over else 0
    for row in made.rows:
        _say(room, row)
    board_address = base.address(room, "board")
    return base.show(
        request,
        room,
        "board",
        "board.html",
        title="Participation",
        board=made,
        chosen=[
            {"label": "All sections", "address": board_address, "is_current": made.section is None},
            *(
                {
                    "label": f"{number}. {section.title}",
                    "address": f"{board_address}?section={section.place}",
                    "is_current": section == made.section,
                }
                for number, section in enumerate(made.sections, 1)
            ),
        ],
        figures=_figures(room, made, waiting),
        may_act=not room.is_over,
    )


def _say(room, row):
    """What the template shows of a row beside its figures."""
    one = row.participant
    row.seen = boards.last_seen(room, one.seen_at) or "never"
    row.address = base.address(room, "participant", one.pk)
    row.remind_address = base.address(room, "participant_remind", one.pk)
    row.how_left = one.get_left_as_display() if one.left_as else ""


def _figures(room, made, waiting):
    seated = len(made.seated)
    return [
        {"label": "Seats taken", "value": seated, "of": f"of {room.seats}"},
        {"label": "Overdue", "value": len(made.late), "of": f"of {seated}"},
        {
            "label": "Silent",
            "value": sum(row.airtime.is_silent for row in made.rows),
            "of": "for two days or more",
        },
        {"label": "Waiting list", "value": waiting, "of": ""},
    ]


# One participant


def participant(request, room, participant):
    made = boards.board(room)
    row = next((row for row in made.rows if row.participant.pk == participant), None)
    if row is None:
        raise Http404
    _say(room, row)
    return base.show(
        request,
        room,
        "board",
        "participant.html",
        title=row.participant.alias,
        row=row,
        stream_address=f"{base.address(room, 'stream')}?participant={participant}",
        left=base.day_of(room, row.participant.left_at),
        may_act=row.participant.is_seated and not room.is_over,
        drop_address=base.address(room, "participant_drop", participant),
        remove_address=base.address(room, "participant_remove", participant),
        waiting=room.candidates.filter(state="waiting", cell=row.participant.cell).count(),
    )


def remind(request, room, participant):
    row = _row(room, participant)
    return base.pressed(
        request,
        lambda: _done(seating.remind, participant=row, by=request.user),
        to=_back(request, room),
        words=f"{row.alias} is reminded. The mail says nothing of what this group is about.",
    )


def _back(request, room):
    """To the part of the board that the button stood on."""
    place = request.POST.get("section", "")
    suffix = f"?section={place}" if place.isdecimal() and len(place) < 5 else ""
    return base.address(room, "board") + suffix


def drop(request, room, participant):
    row = _seated(request, room, participant)
    form = SureForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        is_done, _ = base.tried(form, lambda: _done(seating.drop, participant=row, by=request.user))
        if is_done:
            return base.done(request, f"The seat of {row.alias} is given on.", base.address(room, "board"))
    return _confirm(
        request,
        room,
        form,
        title=f"Give the seat of {row.alias} on",
        button="Give the seat on",
        says=[
            "For somebody who answers nothing any more. They are told that they lost the seat.",
            "Whoever waits longest for this quota cell is seated at once, and paid only for sections that "
            f"{row.alias} was not paid for.",
            "What they said stays, and so does what they earned.",
            "They cannot come back.",
        ],
    )


def remove(request, room, participant):
    row = _seated(request, room, participant)
    form = RemoveForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        reason = form.cleaned_data["reason"]
        is_done, _ = base.tried(
            form, lambda: _done(seating.remove, participant=row, by=request.user, reason=reason)
        )
        if is_done:
            return base.done(request, f"{row.alias} is removed.", base.address(room, "board"))
    return _confirm(
        request,
        room,
        form,
        title=f"Remove {row.alias}",
        button="Remove",
        is_grave=True,
        says=[
            "For somebody who breaks what all agreed to. They see nothing of the room from their next click on.",
            "They are told, with your reason. What they earned stays theirs.",
            "What they said stays; hide in the stream what must not.",
            "They cannot come back.",
        ],
    )


def _done(deed, **facts):
    """A deed of `seating`, whose refusals speak to participants, done by a moderator. Raises SeatGone for NoSeat."""
    try:
        return deed(**facts)
    except seating.NoSeat:
        raise SeatGone from None


def _row(room, participant):
    return get_object_or_404(room.participants, pk=participant)


def _seated(request, room, participant):
    """Whose seat can still be taken; nobody's once the room is over."""
    row = _row(room, participant)
    if base.is_late(request, row.is_seated and not room.is_over):
        raise Http404
    return row


def _confirm(request, room, form, **more):
    return base.show(request, room, "board", "confirm.html", form=form, status=base.status_of(form), **more)


# How fairly it is led


def meter(request, room):
    made = fairness.meter(room)
    for one in made.rows:
        one.address = base.address(room, "participant", one.participant.pk)
        one.last_words = boards.last_seen(room, one.last_said_at) or "never"
    for asked in made.leading:
        asked.address = base.address(room, "said", "message", asked.message.pk)
        asked.when = base.in_zone(room, asked.message.posted_at)
    return base.show(request, room, "fairness", "fairness.html", title="Fairness", meter=made)


base.add_page(
    base.Page(
        "board",
        "Participation",
        600,
        board,
        routes=(
            base.Route("<int:participant>/", "participant", participant),
            base.Route("<int:participant>/remind/", "participant_remind", remind),
            base.Route("<int:participant>/give-on/", "participant_drop", drop),
            base.Route("<int:participant>/remove/", "participant_remove", remove),
        ),
        tab="Board",
        is_open=base.is_published,
    )
)
base.add_page(
    base.Page(
        "fairness",
        "Fairness",
        610,
        meter,
        tab="Board",
        is_open=base.is_published,
        leads=lambda room: False,
    )
)
