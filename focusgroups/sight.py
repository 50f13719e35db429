"""What a participant sees of a room: first their own answer to a prompt, then the others', and never what is private.

Whatever stands under a prompt (answers, replies, probes, also private ones) waits for one's own answer to it, and what
others say to a probe of the whole room waits for one's own reply to that.
"""

from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from focusgroups.models import Answer, Message, Participant, Room

Kind = Message.Kind


class SaidToAll(NamedTuple):
    """What may be shown of a room by alias to those who are not in it."""

    answers: QuerySet[Answer]
    messages: QuerySet[Message]


def said_to_all(room: Room) -> SaidToAll:
    """All that was said to the whole room and stands: not private, not hidden, not taken back."""
    answers = Answer.objects.standing().filter(
        participant__room=room, is_private=False, prompt__is_private=False
    )
    public = Q(answer=None) | Q(answer__is_private=False, answer__prompt__is_private=False)
    messages = Message.objects.standing().filter(public, room=room, is_private=False)
    return SaidToAll(answers, messages.exclude(kind=Kind.NOTE))


def is_private(said: Answer | Message) -> bool:
    """Whether moderators alone read it, and whoever said it."""
    answer = said if isinstance(said, Answer) else said.answer
    return said.is_private or bool(answer and (answer.is_private or answer.prompt.is_private))


def answers_for(participant: Participant) -> QuerySet[Answer]:
    """Answers a participant sees: their own, and of prompts they have answered those that others gave to all."""
    own = Answer.objects.filter(participant=participant, prompt=OuterRef("prompt"), withdrawn_at=None)
    of_others = Q(Exists(own), is_private=False, prompt__is_private=False)
    return Answer.objects.filter(
        Q(participant=participant) | of_others, prompt__section__room=participant.room_id
    )


def messages_for(participant: Participant) -> QuerySet[Message]:
    """Messages a participant sees: their own, those to them, and those to all; each once what it stands under is open
    to them."""
    answered = Answer.objects.filter(participant=participant, withdrawn_at=None).values("prompt")
    own_reply = Message.objects.filter(
        participant=participant, parent=OuterRef("parent"), parent__isnull=False, withdrawn_at=None
    )
    is_open = (Q(prompt=None) | Q(prompt__in=answered)) & (Q(answer=None) | Q(answer__prompt__in=answered))
    under_probe_to_all = Q(parent__kind=Kind.PROBE, parent__is_private=False)
    public = Q(answer=None) | Q(answer__is_private=False, answer__prompt__is_private=False)
    to_all = Q(is_private=False) & public & (Exists(own_reply) | ~under_probe_to_all)
    seen = Q(participant=participant) | (is_open & (Q(to=participant) | to_all))
    return Message.objects.filter(seen, room=participant.room_id)
