"""Words of a room as they leave it, in files and in quotes: without the handles and names that were typed into them.

Somebody who is an alias here may be called by name in what another says, or sign with it. What may identify a patient,
and addresses of the site, do not leave the room either.
"""

from collections.abc import Iterable
from functools import cached_property

from accounts import masking
from accounts.masks import Masks, masks_of_all
from focusgroups.models import Answer, Message, Participant, Room


class Unnamed:
    """Of one room, whose `texts` are all that will be asked for. Three queries, once any is.

    Looking for what must go is slow, and remembered: who is to hold a lock has it done before.
    """

    def __init__(self, room: Room, texts: Iterable[str]):
        self.room, self.texts = room, texts
        self.known: dict[str, str] = {}

    @cached_property
    def masks(self) -> Masks:
        seats = Participant.objects.filter(room=self.room, member__isnull=False)
        return masks_of_all(seats.values_list("member", flat=True), self.texts)

    def words(self, html: str) -> str:
        """What an answer or message says, on one line."""
        if html not in self.known:
            self.known[html] = masking.words(html, self.masks)
        return self.known[html]

    def plain(self, text: str) -> str:
        """The same of text that is no HTML: of quotes, and what moderators wrote in their place."""
        return masking.plain(text, self.masks)


def all_of(room: Room) -> Unnamed:
    """For all that stands in a room, which is looked through at once. Six queries."""
    said = [
        *Answer.objects.standing().filter(participant__room=room).values_list("html", flat=True),
        *Message.objects.standing().filter(room=room).values_list("html", flat=True),
    ]
    quoted = [text for both in room.quotes.values_list("text", "paraphrase") for text in both]
    names = Unnamed(room, [*said, *quoted])
    for html in said:
        names.words(html)
    return names
