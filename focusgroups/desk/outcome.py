"""What became of a room: its summary, what its sponsor may be handed, and the files that leave it."""

from django.http import HttpResponse
from django.utils import timezone

from focusgroups import summary, tables
from focusgroups.desk import base, log
from focusgroups.desk.forms_outcome import ExportForm, TraceForm
from focusgroups.models import Room
from focusgroups.services import exporting
from sermo.paging import page

SIZE = 50  # files on a page
TAB = "Outcome"
log.WORDS["export"] = "Made a file"


def is_shown(room: Room) -> bool:
    return base.is_published(room) and room.canceled_at is None


def has_closed(room: Room) -> bool:
    return room.closed_at is not None and room.canceled_at is None


# Summary


def outcome(request, room):
    """Every figure, for those who run the room; also while it runs."""
    people = tables.participants(room)
    return _summary(request, room, "outcome", summary.of_room(room), title="Summary", people=people)


def report(request, room):
    """The version that may be handed to the sponsor."""
    return _summary(request, room, "report", summary.report(room), title="For the sponsor")


def _summary(request, room, name, made, *, title, people=None):
    label = getattr(room, "sponsor", None)
    return base.show(
        request,
        room,
        name,
        "outcome.html",
        title=title,
        summary=made,
        people=people,
        is_named_now=bool(label and label.is_blinded and not label.is_still_blinded),
        has_closed=has_closed(room),
        files_address=base.address_if_any(room, "files"),
        dates=f"{_day(room, room.starts_at)} to {_day(room, room.closed_at or room.ends_at)}",
        shown_on=_day(room, timezone.now()),
    )


def _day(room, moment) -> str:
    local = room.in_its_zone(moment)
    return f"{local:%b} {local.day}, {local.year}"


# Files


def files(request, room):
    found = page(room.exports.select_related("by"), order=("-pk",), after=request.GET.get("after"), size=SIZE)
    for_sponsors = exporting.for_sponsors([room.pk])
    return base.show(
        request,
        room,
        "files",
        "outcome_files.html",
        title="Files",
        rows=[_row(room, made, for_sponsors) for made in found],
        more=f"?after={found.next}" if found.next else "",
        make_address=base.address(room, "files_make"),
        trace_address=base.address(room, "files_trace"),
    )


def _row(room, made, for_sponsors) -> dict:
    return {
        "export": made,
        "version": "For the sponsor" if made.mark in for_sponsors else "For moderators",
        "at": base.in_zone(room, made.at),
        "by": made.by.email if made.by else "somebody who has left",
        "mark": exporting.copy_mark(made),
    }


def make(request, room):
    """The form that asks why, or the file."""
    form = ExportForm(
        request.POST if request.method == "POST" else None, initial={"kind": request.GET.get("kind")}
    )
    if form.is_bound and form.is_valid():
        is_done, file = base.tried(
            form,
            lambda: exporting.export(room=room, by=request.user, **form.asked()),
            {
                exporting.NotPromised: "version",
                exporting.ForModerators: "version",
                exporting.NothingSaid: "kind",
            },
        )
        if is_done:
            return _sent(file)
    return base.show(
        request,
        room,
        "files",
        "outcome_file.html",
        title="Make a file",
        form=form,
        status=base.status_of(form),
    )


def _sent(file: exporting.File) -> HttpResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(file.text, content_type=file.content_type, headers=headers)


def trace(request, room):
    """Which file a copy that turned up is, among those of all rooms that one runs."""
    form = TraceForm(request.POST if request.method == "POST" else None)
    found = None
    if form.is_bound and form.is_valid():
        made = exporting.trace(form.cleaned_data["text"])
        own = list(made.filter(room__in=Room.objects.run_by(request.user)))
        for_sponsors = exporting.for_sponsors(each.room_id for each in own)
        found = [_row(room, each, for_sponsors) for each in own]
    return base.show(
        request,
        room,
        "files",
        "outcome_trace.html",
        title="Whose copy is it?",
        form=form,
        found=found,
        status=base.status_of(form),
    )


base.add_page(base.Page("outcome", "Summary", 900, outcome, tab=TAB, is_open=is_shown))
base.add_page(base.Page("report", "For the sponsor", 910, report, tab=TAB, is_open=has_closed))
base.add_page(
    base.Page(
        "files",
        "Files",
        920,
        files,
        routes=(
            base.Route("make/", "files_make", make, is_guarded=True),
            base.Route("trace/", "files_trace", trace),
        ),
        tab=TAB,
        is_open=has_closed,
    )
)
