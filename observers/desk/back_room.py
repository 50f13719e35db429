"""The page of a focus group on which its moderators let people of the sponsor watch, and read what these note."""

from django import forms
from django.db.models import Max
from django.shortcuts import get_object_or_404

from focusgroups.desk import base, log
from observers.models import BackRoomNote, RoomRead
from observers.services import back_room
from sermo.paging import page

SIZE = 30


def notes(request, room):
    """Who watches, and the notes, the newest first."""
    let_in = {watch.seat_id: watch for watch in back_room.watches_of(room).select_related("seat")}
    offered = list(back_room.seats_of_sponsor(room))
    gone = [watch.seat for seat, watch in let_in.items() if seat not in {each.pk for each in offered}]
    days = dict(RoomRead.objects.filter(room=room).values_list("seat").annotate(last=Max("day")))
    rows = BackRoomNote.objects.filter(room=room).select_related("seat", "prompt")
    found = page(rows, order=("-pk",), after=request.GET.get("after"), size=SIZE)
    return base.show(
        request,
        room,
        "back-room",
        "back_room.html",
        title="Back room",
        seats=[
            {
                "seat": seat,
                "watches": seat.pk in let_in,
                "is_gone": seat in gone,
                "read_on": days.get(seat.pk),
                "address": base.address(room, "back_room_seat", seat.number),
            }
            for seat in (*offered, *gone)
        ],
        is_sponsored=back_room.sponsor_of(room) is not None,
        rows=[
            {
                "text": note.text,
                "seat": note.seat,
                "at": base.in_zone(room, note.at),
                "about": note.prompt,
            }
            for note in found
        ],
        more=f"?after={found.next}" if found.next else "",
    )


class SeatForm(forms.Form):
    """Two buttons: whether a seat may watch."""

    watches = forms.ChoiceField(choices=[("yes", ""), ("no", "")])


def seat(request, room, number):
    """Let a seat watch, or no longer."""
    sponsor = back_room.sponsor_of(room)
    seats = back_room.Seat.objects.filter(firm=sponsor)
    row = get_object_or_404(seats, number=number)
    form = SeatForm(request.POST)
    act = back_room.let_watch if form.is_valid() and form.cleaned_data["watches"] == "yes" else None
    if form.is_valid() and act is None:
        act = back_room.stop_watching
    return base.pressed(
        request,
        lambda: act and act(room=room, seat=row, by=request.user),
        to=base.address(room, "back-room"),
        words=f"Seat {number} watches." if act is back_room.let_watch else f"Seat {number} does not watch.",
    )


log.WORDS |= {"watcher": "Let somebody of the sponsor watch", "watcher_out": "Ended somebody’s watching"}
base.add_page(
    base.Page(
        "back-room",
        "Back room",
        800,
        notes,
        routes=(base.Route("seats/<int:number>/", "back_room_seat", seat),),
    )
)
