"""Where participants say whether their words may be quoted outside the room, all of them on one page."""

from django.contrib import messages
from django.shortcuts import redirect, render

from focusgroups import agenda
from focusgroups.models import Quote
from focusgroups.services import quoting
from focusgroups.sight import is_private
from focusgroups.views.room import seat_required
from sermo.errors import RuleBroken

VERDICTS = {"yes": quoting.approve, "no": quoting.refuse}
SHOWN = 100  # decided ones, the newest


@seat_required
def quotes(request, participant):
    """Quotes that wait, each with a yes or a no or neither yet; and those decided."""
    own = quoting.of_participant(participant).select_related(
        "answer__prompt", "message__prompt", "message__answer__prompt", "room"
    )
    if request.method == "POST":
        return _decided(request, participant, own)
    rows = list(own.order_by("-pk"))
    for row in rows:
        said = row.answer or row.message
        row.about, row.is_private = said.prompt, is_private(said)
        row.until = agenda.When(row.proposed_at + quoting.WAITS, participant.zone, participant.room.zone)
        row.may_take_back = quoting.may_take_back(row)
    context = {
        "room": participant.room,
        "alias": participant.alias,
        "waiting": [row for row in reversed(rows) if row.state == Quote.State.PROPOSED],
        "decided": [row for row in rows if row.state != Quote.State.PROPOSED][:SHOWN],
    }
    return render(request, "focusgroups/quotes.html", context)


def _decided(request, participant, own):
    """Write down each verdict that was chosen; one that is refused keeps no other from counting."""
    count, refusals = 0, []
    for row in own.order_by("pk"):
        verdict = VERDICTS.get(request.POST.get(f"quote-{row.pk}", ""))
        if verdict is None:
            continue
        try:
            verdict(quote=row, participant=participant)
            count += 1
        except RuleBroken as refusal:
            refusals.append(str(refusal))
    for words in sorted(set(refusals)):
        messages.error(request, words)
    if count:
        messages.success(request, "Saved." if count == 1 else f"{count} saved.")
    elif not refusals:
        messages.error(request, "Choose yes or no for at least one of them.")
    return redirect("focusgroups:quotes", room_id=participant.room_id)
