"""What moderators did in a room, in words: its events in the chain, newest first."""

from focusgroups.desk import base
from focusgroups.models import Room
from sermo.paging import page
from verification.models import Event, Subject

SIZE = 50
PREFIX = "room_"
WORDS = {  # by the deed; apps above add those of theirs
    "create": "Set the room up",
    "basics": "Changed the basics",
    "moderator_add": "Put a moderator in charge",
    "moderator_remove": "Took a moderator out",
    "rule": "Changed whom it seeks",
    "cell": "Changed a quota cell",
    "cell_delete": "Deleted a quota cell",
    "screener": "Changed the screener",
    "screener_delete": "Deleted a question of the screener",
    "agreement": "Wrote the agreement",
    "section": "Changed a section",
    "section_delete": "Deleted a section",
    "prompt": "Changed a prompt",
    "prompt_delete": "Deleted a prompt",
    "stimulus": "Changed what a prompt shows",
    "stimulus_delete": "Took out what a prompt showed",
    "hour": "Announced a live hour",
    "hour_delete": "Took a live hour out",
    "publish": "Published",
    "extend": "Extended it",
    "close": "Closed it",
    "cancel": "Called it off",
    "invite": "Invited members",
    "remind": "Reminded a participant",
    "drop": "Gave the seat of somebody silent on",
    "remove": "Removed a participant",
    "probe": "Asked a question of their own",
    "reply": "Replied",
    "hide": "Hid something that was said",
    "unhide": "Showed something again",
}


def log(request, room):
    events = Event.objects.filter(object=f"room:{room.pk}")
    found = page(events, order=("-pk",), after=request.GET.get("after"), size=SIZE)
    who = _addresses({event.actor for event in found} | _named(found))
    return base.show(
        request,
        room,
        "log",
        "log.html",
        title="Log",
        rows=[line(room, event, who) for event in found],
        more=f"?after={found.next}" if found.next else "",
    )


def line(room: Room, event: Event, who: dict[str, str]) -> dict:
    """One event as words: when, who, what, and what it says beside."""
    deed = event.kind.removeprefix(PREFIX)
    said = WORDS.get(deed) or deed.replace("_", " ").capitalize()
    if deed.startswith("moderator_"):
        beside = ", ".join(who.get(str(each), "somebody who has left") for each in event.evidence)
    else:
        beside = ", ".join([event.reason, *(str(each) for each in event.evidence)]).strip(", ")
    return {
        "at": base.in_zone(room, event.at),
        "who": who.get(str(event.actor), "somebody who has left") if event.actor else "the site",
        "said": said,
        "beside": beside,
    }


def _named(found) -> set[str]:
    return {
        each for event in found if event.kind.startswith(f"{PREFIX}moderator_") for each in event.evidence
    }


def _addresses(subjects) -> dict[str, str]:
    """By which address those who run rooms log in; other moderators of the room know them by it."""
    keys = {str(each) for each in subjects if each}
    rows = Subject.objects.filter(pk__in=keys).values_list("pk", "user__email")
    return {str(pk): email for pk, email in rows if email}


base.add_page(base.Page("log", "Log", 1000, log))
