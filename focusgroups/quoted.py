"""The quotes of a room as they may be used outside of it: word for word with the speaker's yes, else in the words of a
moderator."""

from dataclasses import dataclass

from django.db.models import Q

from focusgroups.models import Participant, Quote, Room
from focusgroups.sight import is_private
from focusgroups.smallness import cell_names
from focusgroups.unnamed import Unnamed

State = Quote.State
VERBATIM, PARAPHRASE = "word for word", "paraphrase"
WHY = {
    State.APPROVED: "the speaker said yes",
    State.REFUSED: "the speaker said no to their own words",
    State.PARAPHRASED: "the speaker did not answer within seven days",
    State.PROPOSED: "the speaker has not answered yet",
}


@dataclass(frozen=True)
class Quoted:
    text: str
    is_verbatim: bool
    why: str
    who: str
    cell: str
    prompt: str  # the question it answers, if it does

    @property
    def how(self) -> str:
        return VERBATIM if self.is_verbatim else PARAPHRASE


def quotes_of(
    room: Room,
    *,
    for_sponsor: bool = False,
    cells: dict[int, str] | None = None,
    names: Unnamed | None = None,
) -> list[Quoted]:
    """Quotes of what still stands, with nobody's name in them. Of what went to moderators alone a sponsor reads only
    what its speaker let go."""
    standing = Q(answer__isnull=False, answer__hidden_at=None, answer__withdrawn_at=None)
    standing |= Q(message__isnull=False, message__hidden_at=None, message__withdrawn_at=None)
    rows = room.quotes.filter(standing).order_by("pk")
    rows = rows.select_related("answer__prompt", "message__prompt", "message__answer__prompt")
    cells = cell_names(room) if cells is None else cells
    seats = Participant.objects.filter(room=room).values_list("pk", "alias", "cell")
    people = {pk: (alias, cells[cell]) for pk, alias, cell in seats}
    rows = [row for row in rows if not for_sponsor or _may_leave(row)]
    names = names or Unnamed(room, [_words(row) for row in rows])
    return [_quoted(row, people, names) for row in rows]


def _may_leave(quote: Quote) -> bool:
    return quote.state == State.APPROVED or not is_private(quote.answer or quote.message)


def _words(quote: Quote) -> str:
    return quote.text if quote.state == State.APPROVED else quote.paraphrase


def _quoted(quote: Quote, people: dict, names: Unnamed) -> Quoted:
    said = quote.answer or quote.message
    who, cell = people.get(said.participant_id, ("", ""))
    return Quoted(
        text=names.plain(_words(quote)),
        is_verbatim=quote.state == State.APPROVED,
        why=WHY[quote.state],
        who=who,
        cell=cell,
        prompt=said.prompt.text if said.prompt else "",
    )
