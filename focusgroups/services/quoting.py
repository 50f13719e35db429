"""Quotes: words that leave a room exactly as they were said, and only with the yes of whoever said them (idea 31).

Otherwise a paraphrase of the moderators stands for them. How either is used is decided in `focusgroups.quoted`.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from focusgroups.models import Answer, Message, Participant, Quote
from focusgroups.services import holding, telling
from focusgroups.services.answering import EDITABLE, Gone, NoSeat, NotYours
from focusgroups.services.coding import check_of_participant, kind_of, room_of
from focusgroups.services.locking import hold_member, hold_room
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from sermo.text import plain

WAITS = timedelta(days=7)  # for a yes or no
FINGERPRINTS = "focusgroups.quotes"
LONGEST_TEXT, LONGEST_PARAPHRASE = 2_000, 500
State = Quote.State


class StillChanging(RuleBroken):
    message = "Whoever wrote this can still change it. Propose the quote when 15 minutes have passed."


class NobodyToAsk(RuleBroken):
    message = "Whoever said this has left the group, so nobody can say yes to a quote."


class ProposedBefore(RuleBroken):
    message = "These words were proposed before. Whoever said them is asked once."


class TooLate(RuleBroken):
    message = "Seven days have passed. The moderators use their paraphrase, not your words."


class DecidedBefore(RuleBroken):
    message = "This quote is decided."


# Moderators


@transaction.atomic
def propose(*, said: Answer | Message, by: User, text: str, paraphrase: str) -> Quote:
    """Ask a participant whether words of theirs, an exact part of what they said, may be quoted outside the room.

    The paraphrase stands for them without a yes in seven days. Also after the end. The same words are asked for once:
    also after a no, when they are erased. Raises holding.NotYours,
    holding.NotPublished, holding.Unfit (of "text" or "paraphrase"), OfModerator, Gone, StillChanging,
    NobodyToAsk, ProposedBefore.
    """
    room = holding.hold(room_of(said), by, even_over=True)
    said = _held(said)
    _check_quotable(said)
    words = plain(said.html)
    text = " ".join(holding.text("text", text, LONGEST_TEXT, "Write the words to be quoted.").split())
    paraphrase = holding.text(
        "paraphrase", paraphrase, LONGEST_PARAPHRASE, "Write the same in words of your own."
    )
    paraphrase = " ".join(paraphrase.split())
    if text not in words:
        raise holding.Unfit("text", "Use their words exactly as they stand, without a gap.")
    if _is_verbatim(paraphrase, text, words):
        raise holding.Unfit("paraphrase", "These are their words. A paraphrase says it in words of your own.")
    place = {kind_of(said): said}
    fingerprint = keyed_hash(f"{kind_of(said)}:{said.pk}:{text}", FINGERPRINTS)
    if Quote.objects.filter(Q(text=text) | Q(fingerprint=fingerprint), **place).exists():
        raise ProposedBefore
    quote = Quote.objects.create(
        room=room, text=text, fingerprint=fingerprint, paraphrase=paraphrase, proposed_by=by, **place
    )
    telling.of_quote(quote, said.participant)
    holding.note("quote", room, by)
    return quote


def _held(said: Answer | Message) -> Answer | Message:
    rows = type(said).objects.select_for_update(of=("self",)).select_related("participant")
    return rows.get(pk=said.pk)


def _check_quotable(said: Answer | Message) -> None:
    check_of_participant(said)
    if not said.is_standing:
        raise Gone
    if not said.participant.is_seated:
        raise NobodyToAsk
    if isinstance(said, Answer) and timezone.now() <= said.posted_at + EDITABLE:
        raise StillChanging


def _is_verbatim(paraphrase: str, text: str, words: str) -> bool:
    said = paraphrase.casefold().strip(" .,;:!?\"'“”")
    return said in words.casefold() or text.casefold() in said


# Participants


@transaction.atomic
def approve(*, quote: Quote, participant: Participant) -> Quote:
    """Let one's own words be quoted. Twice is as good as once.

    Raises NoSeat, NotYours, Gone, TooLate, DecidedBefore.
    """
    quote = _lock(quote, participant)
    if quote.state == State.APPROVED:
        return quote
    _check_waiting(quote)
    if not (quote.answer or quote.message).is_standing:
        raise Gone
    return _decide(quote, State.APPROVED)


@transaction.atomic
def refuse(*, quote: Quote, participant: Participant) -> Quote:
    """Keep one's words from being quoted; they are erased from the quote, whose paraphrase stays. Twice is once.

    Until the room closes a yes can be taken back so, too. Raises NoSeat, NotYours, TooLate, DecidedBefore.
    """
    quote = _lock(quote, participant)
    if quote.state == State.REFUSED:
        return quote
    if not may_take_back(quote):
        _check_waiting(quote)
    return _decide(quote, State.REFUSED)


def may_take_back(quote: Quote) -> bool:
    return quote.state == State.APPROVED and not quote.room.is_over


def _lock(quote: Quote, participant: Participant) -> Quote:
    """Lock a member, the room, their part in it and a quote of theirs. Raises NoSeat, NotYours, Gone."""
    hold_member(participant.member_id)
    room = hold_room(participant.room_id)
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if not participant.is_seated:
        raise NoSeat
    rows = Quote.objects.select_for_update(of=("self",)).select_related("answer", "message")
    if (held := rows.filter(pk=quote.pk).first()) is None:
        raise Gone
    if (held.answer or held.message).participant_id != participant.pk:
        raise NotYours
    held.room = room
    return held


def _check_waiting(quote: Quote) -> None:
    if quote.state == State.PARAPHRASED or (quote.state == State.PROPOSED and _ends(quote) <= timezone.now()):
        raise TooLate
    if quote.state != State.PROPOSED:
        raise DecidedBefore


def _ends(quote: Quote) -> datetime:
    return quote.proposed_at + WAITS


def _decide(quote: Quote, state: State) -> Quote:
    quote.state, quote.decided_at = state, timezone.now()
    if state != State.APPROVED:
        quote.text = ""
    quote.save(update_fields=["state", "decided_at", "text"])
    return quote


def of_participant(participant: Participant) -> QuerySet[Quote]:
    """Quotes of somebody's own words."""
    own = Q(answer__participant=participant) | Q(message__participant=participant)
    return Quote.objects.filter(own)


# The site


def expire() -> int:
    """Put the paraphrase in the place of words that nobody answered for in seven days; return of how many."""
    now = timezone.now()
    late = Quote.objects.filter(state=State.PROPOSED, proposed_at__lte=now - WAITS)
    return late.update(state=State.PARAPHRASED, text="", decided_at=now)
