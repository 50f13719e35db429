"""The console: focus groups that the firm pays for, as far as their rules let its people watch.

Whoever is not let into one gets what nobody gets: no such page. That a seat read is logged before anything is sent. Of
a group that is over nothing is read any more: its page says so, and has the notes of the firm.
"""

from functools import wraps

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from focusgroups.models import Prompt
from observers import groups, keys
from observers.doors import seat_of, seat_required
from observers.forms_groups import NoteForm
from observers.models import BackRoomNote
from observers.services import back_room
from sermo.errors import RuleBroken

NOTES = 50  # of the firm, the newest


def watcher_required(view):
    """Whoever was let into the focus group of a key. Sets `request.room`. Nobody else learns that there is one."""
    return _door(view, lambda room: True)


def words_required(view):
    """The same, where what was said is read there now."""
    return _door(view, groups.reads_words)


def _door(view, may_enter):
    @wraps(view)
    def inner(request, key, *args, **kwargs):
        pk = keys.room_pk(request.firm, key)
        rooms = groups.watched_by(request.seat).select_related("sponsor")
        request.room = get_object_or_404(rooms, pk=pk) if pk else None
        if request.room is None or not may_enter(request.room):
            raise Http404("No focus group open to this seat has this key, or no words of it.")
        if groups.is_open(request.room):
            back_room.note_read(seat=request.seat, room=request.room, purpose=request.purpose)
        return view(request, key, *args, **kwargs)

    behind = seat_required(inner)

    @wraps(view)
    def door(request, *args, **kwargs):
        if not request.user.is_authenticated or seat_of(request.user) is None:
            raise Http404("No focus group is open to this reader.")
        return behind(request, *args, **kwargs)

    return never_cache(door)


@seat_required
@require_safe
@never_cache
def rooms(request):
    """The focus groups that the seat watches, those that run first."""
    found = groups.watched_by(request.seat).order_by("-starts_at", "-pk")
    rows = [
        {"url": reverse("observers:group", args=[keys.room_key(request.firm, room.pk)]), **_dated(room)}
        for room in found
    ]
    rows.sort(key=lambda row: row["room"].is_over)
    return render(request, "observers/groups/list.html", {"rows": rows})


def _dated(room) -> dict:
    """A focus group with its first and last day, in its own zone."""
    return {
        "room": room,
        "starts_on": room.in_its_zone(room.starts_at).date(),
        "ends_on": room.in_its_zone(room.ends_at).date(),
    }


@watcher_required
@require_safe
def room(request, key):
    """What was asked so far and how many answered what; the back room."""
    parts = _parts(request.room)
    return _room(request, key, parts, NoteForm(parts=parts))


@watcher_required
@require_POST
def note(request, key):
    parts = _parts(request.room)
    form = NoteForm(request.POST, parts=parts)
    if form.is_valid():
        try:
            back_room.pass_note(
                seat=request.seat,
                room=request.room,
                prompt=form.prompt,
                text=form.cleaned_data["text"],
                key=form.cleaned_data["submission"],
            )
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The moderators have your note.")
            return redirect("observers:group", key)
    return _room(request, key, parts, form, status=422)


def _parts(room):
    return groups.parts_of(room) if groups.is_open(room) else []


def _room(request, key, parts, form, status=200):
    notes = BackRoomNote.objects.filter(room=request.room, seat__firm=request.firm)
    context = {
        **_dated(request.room),
        "key": key,
        "parts": parts,
        "reads_words": groups.reads_words(request.room),
        "form": form if groups.is_open(request.room) else None,
        "notes": [
            {
                "seat": row.seat.number,
                "day": request.room.in_its_zone(row.at).date(),
                "about": row.prompt.text if row.prompt else "",
                "text": row.text,
            }
            for row in notes.select_related("seat", "prompt").order_by("-pk")[:NOTES]
        ],
    }
    return render(request, "observers/groups/room.html", context, status=status)


@words_required
@require_safe
def prompt(request, key, place, number):
    """The words that were said to all under one question, by the places of its section and of itself."""
    rows = Prompt.objects.filter(section__in=request.room.sections.released()).select_related("section")
    rows = rows.prefetch_related("options")
    asked = get_object_or_404(rows, section__place=place - 1, place=number - 1, is_private=False)
    answers, probes = groups.answers_to(request.room, asked)
    context = {"room": request.room, "key": key, "asked": asked, "answers": answers, "probes": probes}
    return render(request, "observers/groups/prompt.html", context)


@words_required
@require_safe
def talk(request, key):
    """What was said to the whole group beside its questions."""
    found = groups.talk_of(request.room, after=request.GET.get("after"))
    context = {"room": request.room, "key": key, "lines": found.rows}
    context["more_url"] = f"?after={found.next}" if found.next else ""
    return render(request, "observers/groups/talk.html", context)
