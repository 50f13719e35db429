"""Live hours as moderators hold them: they are announced in the guide, and led here."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.doors import polled
from focusgroups import stream
from focusgroups.desk import base
from focusgroups.desk.forms_running import LineForm
from focusgroups.models import Message
from focusgroups.services import messaging

LINES = 200
OVERLAP = timedelta(seconds=10)  # of one look with the next: what was hidden is written a moment later


def hours(request, room):
    rows = list(room.live_hours.all())
    for hour in rows:
        hour.words = f"{base.in_zone(room, hour.starts_at)} to {base.in_zone(room, hour.ends_at)}"
        hour.address = base.address(room, "live_hour", hour.pk)
    return base.show(
        request,
        room,
        "live",
        "live.html",
        title="Live hours",
        hours=rows,
        may_add=not room.is_over,
    )


def hour(request, room, hour):
    """What is said in an hour, and while it is on a line to write in."""
    row = get_object_or_404(room.live_hours, pk=hour)
    is_on = row.is_on and not room.is_over
    form = LineForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        is_done, _ = base.tried(
            form,
            lambda: messaging.live(
                by=request.user, live_hour=row, source=typed["source"], key=typed["submission"]
            ),
            {base.RuleBroken: "source"},
        )
        if is_done:
            return base.HttpResponseRedirect(base.address(room, "live_hour", row.pk) + "#say")
    return base.show(
        request,
        room,
        "live",
        "live_hour.html",
        title=row.title,
        hour=row,
        is_on=is_on,
        form=form,
        words=f"{base.in_zone(room, row.starts_at)} to {base.in_zone(room, row.ends_at)}",
        status=base.status_of(form),
        **_lines(room, row),
    )


@polled
def lines(request, room, hour):
    """What was said since the line that `after` names, for a script that asks every few seconds."""
    row = get_object_or_404(room.live_hours, pk=hour)
    if not request.htmx:
        return base.HttpResponseRedirect(base.address(room, "live_hour", row.pk))
    after, since = _number(request, "after", 19), _number(request, "since", 11)
    context = {"hour": row, "room": room, "is_on": row.is_on and not room.is_over}
    return render(request, "admin/focusgroups/_live_lines.html", context | _lines(room, row, after, since))


def _number(request, name: str, longest: int) -> int:
    sent = request.GET.get(name, "")
    return int(sent) if sent.isdecimal() and len(sent) < longest else 0


def _lines(room, hour, after: int = 0, since: int = 0) -> dict:
    """The newest lines; after one of them those that followed, and apart from these the earlier ones that were hidden
    or taken back since a moment (seconds since 1970)."""
    rows = stream.messages_of(room).filter(kind=Message.Kind.LIVE, live_hour=hour)
    now = timezone.now()
    if after:
        last = (datetime.fromtimestamp(since, UTC) if since else now) - OVERLAP
        rows = rows.filter(Q(pk__gt=after) | Q(hidden_at__gte=last) | Q(withdrawn_at__gte=last))
    found = stream.draw(reversed(rows.order_by("-pk")[:LINES]))
    for item in found:
        item.when = base.in_zone(room, item.said.posted_at)
        item.address = base.address(room, "said", item.kind, item.said.pk)
    items = [item for item in found if item.said.pk > after]
    query = urlencode(
        {"after": max((item.said.pk for item in items), default=after), "since": int(now.timestamp())}
    )
    return {
        "items": items,
        "changed": [item for item in found if item.said.pk <= after],
        "is_to_come": hour.starts_at > now and not room.is_over,
        "lines_address": f"{base.address(room, 'live_lines', hour.pk)}?{query}",
    }


base.add_page(
    base.Page(
        "live",
        "Live hours",
        710,
        hours,
        routes=(
            base.Route("<int:hour>/", "live_hour", hour),
            base.Route("<int:hour>/lines/", "live_lines", lines),
        ),
        tab="Stream",
        is_open=base.is_published,
        leads=lambda room: False,
    )
)
