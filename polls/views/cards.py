"""The card of a poll, made for a request: what one may see, the form to vote with, and what one's browser knows."""

from django.core.signing import BadSignature, Signer
from django.utils import timezone

from polls import cookies
from polls.card import Card
from polls.reading import Loaded, State, load_poll
from polls.services import voting
from polls.tokens import new_token

ASKED = (State.VOTE, State.VOTED, State.FORFEITED)
_clock = Signer(salt="polls.started")


def card_of(request, loaded: Loaded, *, own: cookies.Kept | None = None, **more) -> Card:
    """`own` is one's vote where it is known better than from the cookie: right after it was cast."""
    own = own or cookies.read(request, loaded.poll.pk, request.user.as_member)
    card = Card(loaded=loaded, own=own, **more)
    if card.takes_form or card.may_change:
        card.token = new_token()
        card.started = _clock.sign_object([loaded.poll.pk, timezone.now().timestamp()])
    return card


def shown_card(request, question_id: int) -> Card:
    """The card of a poll's page: made once for the request, and noted as seen where there was something to see."""
    if not hasattr(request, "poll_card"):
        show(request, card_of(request, load_poll(request.user, question_id)))
    return request.poll_card


def show(request, card: Card) -> None:
    """Have this card stand on the page that answers the request."""
    request.poll_card = card
    if card.takes_form or card.shows_results:
        note_seen(card.loaded)


def note_seen(loaded: Loaded) -> None:
    """Count a member whom it is open to once among those who had the poll before them.

    A row of the list of polls is not noted: it may never have come into view.
    """
    if loaded.member is None or loaded.beside.has_seen:
        return
    if loaded.state in ASKED and loaded.poll.is_for(loaded.member):
        voting.note_seen(poll=loaded.poll, member=loaded.member)
        loaded.tally.seen += 1


def seconds_since(started: str, poll_id: int) -> float | None:
    """How long a form lay open, by the moment signed in it; None for what is no such moment of this poll."""
    try:
        poll, moment = _clock.unsign_object(started)
    except BadSignature:
        return None
    return timezone.now().timestamp() - moment if poll == poll_id else None
