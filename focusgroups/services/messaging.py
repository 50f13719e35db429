"""What is said around the answers of a room: replies, probes, notes, lines of a live hour; and hiding of all of it.

A message under something private is private itself, between the same participant and the moderators.
"""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import identifiers
from accounts.services.identifiers import Kept
from focusgroups import sight
from focusgroups.models import Answer, LiveHour, Message, Participant, Prompt, Room
from focusgroups.services import holding, telling
from focusgroups.services.answering import Gone, NothingSaid, NotReleased, check_own, erase, lock, write
from sermo.errors import RuleBroken

Kind = Message.Kind


class OutOfSight(RuleBroken):
    """Also for what exists but is not open yet: nothing tells the one from the other."""

    message = "There is nothing of that to reply to."


class SentElsewhere(RuleBroken):
    message = "This form was sent before, for something else. Open the page again."


class NotOn(RuleBroken):
    message = "This live hour is not on now."


class OtherRoom(RuleBroken):
    message = "That is of another focus group."


class PrivateToAnother(RuleBroken):
    message = "This is private: only who said it can be asked about it."


class ReasonForHiding(RuleBroken):
    message = "Say why it is hidden. Whoever wrote it reads the reason."


# Participants


@transaction.atomic
def reply(
    *,
    participant: Participant,
    source: str,
    key: UUID,
    answer: Answer | None = None,
    parent: Message | None = None,
    kept: Kept | None = None,
) -> Message:
    """Say something under an answer or message that the participant sees. The same key twice makes one message.

    Raises what `answering.lock` does, OutOfSight, Gone, NothingSaid, SentElsewhere.
    """
    participant = lock(participant)
    if earlier := _sent(key, source, participant=participant):
        return earlier
    answer, root = _above(answer, parent)
    seen = (
        sight.messages_for(participant).exclude(kind=Kind.LIVE).filter(pk=parent.pk)
        if parent
        else sight.answers_for(participant).filter(pk=answer.pk)
    )
    if not seen.exists():
        raise OutOfSight
    _check_standing(answer, root, parent)
    return _say(
        kind=Kind.REPLY,
        room=participant.room,
        participant=participant,
        source=source,
        key=key,
        kept=kept,
        **_place(answer, root),
    )


@transaction.atomic
def note(*, participant: Participant, source: str, key: UUID, kept: Kept | None = None) -> Message:
    """Write to the moderators alone; also while a new version of the agreement waits. The same key twice is once.

    Raises RoomIsOver, NoSeat, ReadOnly, NothingSaid, SentElsewhere.
    """
    participant = lock(participant, agreed=False)
    if earlier := _sent(key, source, participant=participant):
        return earlier
    said = {"kind": Kind.NOTE, "room": participant.room, "participant": participant, "is_private": True}
    return _say(source=source, key=key, kept=kept, **said)


@transaction.atomic
def live(
    *,
    live_hour: LiveHour,
    source: str,
    key: UUID,
    participant: Participant | None = None,
    by: User | None = None,
    kept: Kept | None = None,
) -> Message:
    """A line of a live hour while it is on, of a participant or of a moderator. The same key twice is once.

    Raises what `answering.lock` does, or holding's NotYours, NotPublished and Over; NotOn, OtherRoom, NothingSaid,
    SentElsewhere.
    """
    if participant:
        participant = lock(participant)
        room = participant.room
    else:
        room = _hold(live_hour.room, by)
    if earlier := _sent(key, source, participant=participant, moderator=by):
        return earlier
    if live_hour.room_id != room.pk:
        raise OtherRoom
    if not LiveHour.objects.get(pk=live_hour.pk).is_on:
        raise NotOn
    said = {"kind": Kind.LIVE, "room": room, "live_hour": live_hour, "participant": participant}
    return _say(source=source, key=key, kept=kept, moderator=by, **said)


@transaction.atomic
def withdraw(*, message: Message, by: Participant) -> Message:
    """Take back what one said oneself, while the room is open. Twice is as good as once.

    Raises RoomIsOver, NoSeat, NotYours.
    """
    by = lock(by, agreed=False, adds=False)
    message = Message.objects.select_for_update().get(pk=message.pk)
    check_own(message, by)
    erase(message)
    return message


# Moderators


@transaction.atomic
def probe(
    *,
    by: User,
    room: Room,
    source: str,
    key: UUID,
    prompt: Prompt | None = None,
    answer: Answer | None = None,
    to: Participant | None = None,
) -> Message:
    """Ask one participant alone, or the whole room: about an answer, a prompt, or anything.

    About a private answer only its author is asked. Nobody reads a probe about a prompt before their own answer to it.
    Raises holding's NotYours, NotPublished and Over; NotReleased, OtherRoom, PrivateToAnother, Gone, NothingSaid,
    SentElsewhere.
    """
    room = _hold(room, by)
    if earlier := _sent(key, source, moderator=by):
        return earlier
    if answer:
        answer = (
            Answer.objects.select_for_update(of=("self",)).select_related("prompt__section").get(pk=answer.pk)
        )
        prompt = answer.prompt
        _check_standing(answer)
    if (prompt and prompt.section.room_id != room.pk) or (to and to.room_id != room.pk):
        raise OtherRoom
    if prompt and not prompt.section.is_released:
        raise NotReleased
    if answer and sight.is_private(answer):
        to = to or answer.participant
        if to.pk != answer.participant_id:
            raise PrivateToAnother
    if to and not to.is_seated:
        raise Gone("Who is asked has left this focus group.")
    made = _say(
        kind=Kind.PROBE,
        room=room,
        moderator=by,
        source=source,
        key=key,
        prompt=prompt,
        answer=answer,
        to=to,
        is_private=to is not None,
    )
    if to:
        telling.of_probe(made, to)
    holding.note("probe", room, by)
    return made


@transaction.atomic
def reply_as_moderator(
    *, by: User, source: str, key: UUID, answer: Answer | None = None, parent: Message | None = None
) -> Message:
    """Say something under an answer or message as a moderator; under a private one to its participant alone.

    Raises holding's NotYours, NotPublished and Over; Gone, NothingSaid, SentElsewhere.
    """
    room = _hold(parent.room if parent else answer.participant.room, by)
    if earlier := _sent(key, source, moderator=by):
        return earlier
    answer, root = _above(answer, parent)
    _check_standing(answer, root, parent)
    place = _place(answer, root)
    if place["is_private"]:
        place["to"] = (root.to or root.participant) if root else answer.participant
    made = _say(kind=Kind.REPLY, room=room, moderator=by, source=source, key=key, **place)
    holding.note("reply", room, by)
    return made


@transaction.atomic
def hide(*, said: Answer | Message, by: User, reason: str) -> Answer | Message:
    """Hide an answer or message from everybody but moderators, for a reason that they and its author read. What is
    hidden already keeps the reason it has, unless it was given anew since.

    Raises holding.NotYours, ReasonForHiding, Gone.
    """
    room = holding.hold(_room_of(said), by, even_over=True)
    said = type(said).objects.select_for_update().get(pk=said.pk)
    reason = " ".join(reason.split())
    if not reason:
        raise ReasonForHiding
    if said.withdrawn_at:
        raise Gone
    if said.hidden_at and not said.waits_for_a_look:
        return said
    said.hidden_at, said.hidden_by, said.hidden_why = timezone.now(), by, reason[:300]
    said.save(update_fields=["hidden_at", "hidden_by", "hidden_why"])
    holding.note("hide", room, by)
    return said


@transaction.atomic
def unhide(*, said: Answer | Message, by: User) -> Answer | Message:
    """Show again what was hidden. Twice is as good as once. Raises holding.NotYours."""
    room = holding.hold(_room_of(said), by, even_over=True)
    said = type(said).objects.select_for_update().get(pk=said.pk)
    if said.hidden_at is None:
        return said
    said.hidden_at = said.hidden_by = None
    said.hidden_why = ""
    said.save(update_fields=["hidden_at", "hidden_by", "hidden_why"])
    holding.note("unhide", room, by)
    return said


# Between the two


def _hold(room: Room, by: User) -> Room:
    """Lock a room in which a moderator is to say something. Raises NotYours, NotPublished, Over."""
    room = holding.hold(room, by)
    if room.published_at is None:
        raise holding.NotPublished
    return room


def _room_of(said: Answer | Message) -> Room:
    return said.participant.room if isinstance(said, Answer) else said.room


def _sent(key: UUID, source: str, **speaker) -> Message | None:
    """What the same form has made before. Raises SentElsewhere."""
    earlier = Message.objects.filter(key=key).first()
    if earlier is None:
        return None
    own = {f"{name}_id": one.pk if one else None for name, one in speaker.items()}
    is_same = earlier.withdrawn_at or earlier.edited_at or earlier.source == source.strip()
    if not is_same or any(getattr(earlier, name) != number for name, number in own.items()):
        raise SentElsewhere
    return earlier


def _above(answer: Answer | None, parent: Message | None) -> tuple[Answer | None, Message | None]:
    """Under which answer and which first message of a thread a reply stands; it is read anew."""
    if parent is None:
        return Answer.objects.select_related("prompt").get(pk=answer.pk), None
    parent = Message.objects.select_related("parent", "answer__prompt").get(pk=parent.pk)
    root = parent.parent or parent
    return parent.answer, root


def _check_standing(*above: Answer | Message | None) -> None:
    if any(one and not one.is_standing for one in above):
        raise Gone


def _place(answer: Answer | None, root: Message | None) -> dict:
    """Where a reply stands, and whether it is private, as fields of a message."""
    is_alone = root.is_private if root else sight.is_private(answer)
    prompt = answer.prompt if answer else (root.prompt if root else None)
    return {"answer": answer, "parent": root, "prompt": prompt, "is_private": is_alone}


def _say(*, source: str, kept: Kept | None = None, **fields) -> Message:
    source = source.strip()
    if not source:
        raise NothingSaid
    made = Message(**fields)
    write(made, source)
    made.save()
    if kept:
        identifiers.record(member=made.participant.member, place="group", kept=kept)
    return made
