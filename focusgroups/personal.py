"""What focus groups know of a person, for the ledger of personal data.

What was said stays in the room under its alias, for the others and for what is drawn from it; whoever does not want
that takes it back before the room closes.
"""

from django.db.models import Q, QuerySet

from accounts.leaving.ledger import DERIVED, NUMBER, OTHERS, OWNER, PLACE, Entry, Fate, Person, Shown
from focusgroups.models import (
    Answer,
    Candidate,
    Participant,
    PromptOption,
    Quote,
    Reminder,
    Revision,
    RoomModerator,
)

STAYS = (
    "It stays in the group under your alias there, which leads to nobody any more. While the group is open you can "
    "take it back before you leave."
)
ALIAS_STAYS = "The seat and its alias stay with the group. The link to you is cut, and the seat is given on."

# Erasers, in the order of ERASERS


def end_seats(person: Person) -> None:
    """What was earned is final and seats are given on, before nobody is left to whom it belongs. Where a firm pays,
    rewards have done both before, and credited.
    """
    from focusgroups.services import seating

    if person.member is not None:
        seating.settle(member=person.member)
        seating.lose_seats(member=person.member)


def forget_reminders(person: Person) -> None:
    Reminder.objects.filter(participant__member=person.member, participant__member__isnull=False).delete()


def cut_members(person: Person) -> None:
    if person.member is not None:
        Participant.objects.filter(member=person.member).update(member=None)
        Candidate.objects.filter(member=person.member).update(member=None)


def end_moderating(person: Person) -> None:
    RoomModerator.objects.filter(user=person.user).delete()


ERASERS = (end_seats, forget_reminders, cut_members, end_moderating)


# Export


def _answers(person: Person) -> QuerySet[Answer]:
    own = Answer.objects.filter(participant__member__user=person.user)
    return own.prefetch_related("prompt__options")


def _revisions(person: Person) -> QuerySet[Revision]:
    return Revision.objects.filter(
        Q(answer__participant__member__user=person.user) | Q(message__participant__member__user=person.user)
    )


def _quotes(person: Person) -> QuerySet[Quote]:
    return Quote.objects.filter(
        Q(answer__participant__member__user=person.user) | Q(message__participant__member__user=person.user)
    )


def _chosen(answer: Answer) -> list[str]:
    """The texts of what was chosen, of a ranking with the best first."""
    options: dict[int, PromptOption] = {option.pk: option for option in answer.prompt.options.all()}
    return [options[pk].text for pk in answer.chosen if pk in options]


def _room(row) -> str:
    return row.room.title


def _cell(row) -> str:
    return row.cell.name if row.cell else ""


IN_ROOM = Shown("room", "group", _room)
WHAT_WAS_SAID = (
    "posted_at",
    "edited_at",
    "hidden_at",
    "hidden_why",
    "withdrawn_at",
)

ENTRIES = (
    Entry(
        "focusgroups.RoomModerator",
        "Focus groups you run",
        Fate.DELETED,
        "It goes.",
        path="user",
        load=("room",),
        shown=(IN_ROOM, "is_owner"),
        withheld={"id": NUMBER, "user": OWNER},
        eraser=end_moderating,
    ),
    Entry(
        "focusgroups.Candidate",
        "Focus groups you were asked into",
        Fate.ANONYMIZED,
        "That somebody was asked stays with the group. The link to you is cut.",
        path="member__user",
        load=("room", "cell"),
        shown=(
            IN_ROOM,
            "state",
            Shown("cell", "quota", _cell),
            "invited_at",
            "waiting_since",
            "decided_at",
        ),
        withheld={"id": NUMBER, "member": OWNER, "is_told": "whether it found room in your day's budget"},
        eraser=cut_members,
    ),
    Entry(
        "focusgroups.ScreenerAnswer",
        "What you answered before a seat",
        Fate.KEPT,
        "It stays with the group, and belongs to nobody any more.",
        path="candidate__member__user",
        load=("candidate__room", "question", "option"),
        shown=(
            Shown("candidate", "group", lambda row: row.candidate.room.title),
            Shown("question", "question", lambda row: row.question.text),
            Shown("option", "answer", lambda row: row.option.text),
            "answered_at",
        ),
        withheld={"id": NUMBER},
    ),
    Entry(
        "focusgroups.Acceptance",
        "Agreements you accepted",
        Fate.KEPT,
        "That the agreement was accepted stays with the group, and belongs to nobody any more.",
        path="candidate__member__user",
        load=("candidate__room", "agreement"),
        shown=(
            Shown("candidate", "group", lambda row: row.candidate.room.title),
            Shown("agreement", "version", lambda row: row.agreement.version),
            Shown("", "text", lambda row: row.agreement.text),
            "accepted_at",
        ),
        withheld={"id": NUMBER},
    ),
    Entry(
        "focusgroups.Participant",
        "Your seats in focus groups",
        Fate.ANONYMIZED,
        ALIAS_STAYS,
        path="member__user",
        load=("room", "cell"),
        shown=(
            IN_ROOM,
            "alias",
            Shown("cell", "quota", _cell),
            "joined_at",
            "seen_at",
            "left_at",
            "left_as",
            "left_why",
            "withdrew_at",
        ),
        withheld={
            "id": NUMBER,
            "member": OWNER,
            "candidate": "stands among the groups you were asked into",
            "replaces": OTHERS,
        },
        eraser=cut_members,
    ),
    Entry(
        "focusgroups.Completion",
        "Sections you completed, and what you earned",
        Fate.KEPT,
        "The figures of the group stay right. What you had earned is final when you leave.",
        path="participant__member__user",
        load=("section__room",),
        shown=(
            Shown("section", "group", lambda row: row.section.room.title),
            Shown("", "section", lambda row: row.section.title),
            "cents",
            "completed_at",
            "final_at",
        ),
        withheld={"id": NUMBER, "participant": "your seat"},
    ),
    Entry(
        "focusgroups.Reminder",
        "Reminders you were sent",
        Fate.DELETED,
        "They go.",
        path="participant__member__user",
        load=("participant__room",),
        shown=(Shown("participant", "group", lambda row: row.participant.room.title), "day", "sent_at"),
        withheld={"id": NUMBER, "by": OTHERS},
        eraser=forget_reminders,
    ),
    Entry(
        "focusgroups.Answer",
        "Your answers in focus groups",
        Fate.KEPT,
        STAYS,
        find=_answers,
        load=("participant__room", "prompt"),
        shown=(
            "id",
            Shown("participant", "group", lambda row: row.participant.room.title),
            Shown("prompt", "question", lambda row: row.prompt.text),
            Shown("source", "markdown", lambda row: row.source),
            Shown("chosen", "chosen", _chosen),
            "points",
            "is_private",
            *WHAT_WAS_SAID,
        ),
        withheld={"html": DERIVED, "words": DERIVED, "hidden_by": OTHERS},
    ),
    Entry(
        "focusgroups.Message",
        "Your replies, notes and lines in focus groups",
        Fate.KEPT,
        STAYS,
        path="participant__member__user",
        load=("room", "prompt"),
        shown=(
            "id",
            IN_ROOM,
            "kind",
            Shown("prompt", "question", lambda row: row.prompt.text if row.prompt else None),
            Shown("source", "markdown", lambda row: row.source),
            "is_private",
            *WHAT_WAS_SAID,
        ),
        withheld={
            "participant": OWNER,
            "answer": PLACE,
            "parent": PLACE,
            "live_hour": PLACE,
            "moderator": OTHERS,
            "to": "of moderators' words alone",
            "key": "keeps a form from being sent twice",
            "html": DERIVED,
            "words": DERIVED,
            "hidden_by": OTHERS,
        },
    ),
    Entry(
        "focusgroups.Revision",
        "What your answers said before you edited them",
        Fate.KEPT,
        STAYS,
        find=_revisions,
        shown=(
            Shown("answer", "answer", lambda row: row.answer_id),
            Shown("message", "message", lambda row: row.message_id),
            Shown("source", "markdown", lambda row: row.source),
            "written_at",
        ),
        withheld={"id": NUMBER},
    ),
    Entry(
        "focusgroups.Quote",
        "Words of yours that somebody wants to quote",
        Fate.KEPT,
        "What you said yes to may be quoted under your alias. What waits for your word is paraphrased in time.",
        find=_quotes,
        load=("room",),
        shown=(
            IN_ROOM,
            Shown("answer", "answer", lambda row: row.answer_id),
            Shown("message", "message", lambda row: row.message_id),
            "text",
            "paraphrase",
            "state",
            "proposed_at",
            "decided_at",
        ),
        withheld={
            "id": NUMBER,
            "proposed_by": OTHERS,
            "fingerprint": "keeps words you did not let go from being asked for again",
        },
    ),
    Entry(
        "focusgroups.CodeMark",
        "How moderators sort what was said",
        Fate.KEPT,
        "A moderator's tag of an answer or message. It stands with the group.",
        withheld={"id": NUMBER, "code": OTHERS, "answer": PLACE, "message": PLACE, "by": OTHERS},
    ),
    Entry(
        "focusgroups.RoomExport",
        "Files that left a group",
        Fate.SEVERED,
        "Who of the staff drew a file of which group, and why.",
        withheld={
            "id": NUMBER,
            "room": PLACE,
            "kind": PLACE,
            "mark": PLACE,
            "reason": OTHERS,
            "rows": PLACE,
            "by": OTHERS,
            "at": PLACE,
        },
    ),
)
