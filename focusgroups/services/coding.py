"""Codes: the tags that moderators give to what participants say, for their analysis.

They change nothing that anybody but moderators sees, so none of it is an event of the audit trail; a mark says whose.
"""

from django.db import transaction

from accounts.models import User
from focusgroups.models import Answer, Code, CodeMark, Message, Room
from focusgroups.services import holding
from focusgroups.services.answering import Gone
from sermo.errors import RuleBroken

MOST = 80  # codes of a room
LONGEST = 40


class OfModerator(RuleBroken):
    message = "Only what participants say is tagged and quoted."


class TooManyCodes(RuleBroken):
    message = f"A focus group has at most {MOST} codes. Take one of those that are there."


@transaction.atomic
def tag(*, said: Answer | Message, by: User, code: str) -> CodeMark:
    """Give a code to an answer or message. A name not used in the room before, in whatever case, makes a new code.

    Also after the end, and to what is hidden. Twice is as good as once. Raises holding.NotYours, holding.Unfit,
    OfModerator, Gone, TooManyCodes.
    """
    room = holding.hold(room_of(said), by, even_over=True)
    name = " ".join(holding.text("code", code, LONGEST, "Write a code, such as “safety”.").split())
    said = type(said).objects.select_for_update().get(pk=said.pk)
    check_of_participant(said)
    if said.withdrawn_at:
        raise Gone
    mark, _ = CodeMark.objects.get_or_create(
        code=_code(room, name), **{kind_of(said): said}, defaults={"by": by}
    )
    return mark


def _code(room: Room, name: str) -> Code:
    if known := room.codes.filter(name__iexact=name).first():
        return known
    if room.codes.count() >= MOST:
        raise TooManyCodes
    return Code.objects.create(room=room, name=name)


@transaction.atomic
def untag(*, mark: CodeMark, by: User) -> None:
    """Take a code off again; one that nothing has any more goes with it. Twice is as good as once.

    Raises holding.NotYours.
    """
    code = Code.objects.select_related("room").filter(pk=mark.code_id).first()
    if code is None:
        return
    holding.hold(code.room, by, even_over=True)
    CodeMark.objects.filter(pk=mark.pk).delete()
    if not code.marks.exists():
        code.delete()


def room_of(said: Answer | Message) -> Room:
    return said.participant.room if isinstance(said, Answer) else said.room


def kind_of(said: Answer | Message) -> str:
    """The name of the field that leads to it, from marks and quotes."""
    return "answer" if isinstance(said, Answer) else "message"


def check_of_participant(said: Answer | Message) -> None:
    if said.participant_id is None:
        raise OfModerator
