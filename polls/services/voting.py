"""Taking a poll: one vote for each member, and nobody can say whose is which (docs/decisions/0010-secret-ballot.md).

A vote is two transactions. The first writes the receipt, with a ticket under a hash of the browser's token; the second
spends the ticket and counts. If the machine stops in between, the same form sent again is counted, and no other.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import SystemRandom

from django.db import transaction
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.views.decorators.debug import sensitive_variables

from accounts.models import Member
from polls import cells, unshown
from polls.models import Ballot, Poll, Receipt, Sight, Tally, Ticket
from polls.models.ballots import SECONDS, STEPS
from polls.models.polls import facts_of
from polls.signals import poll_given_back, poll_taken
from polls.tokens import ballot_key, ticket_key
from questions.models import Question
from sermo.errors import RuleBroken

MIXED = 20  # ballots of a poll that are the fewest to be mixed with one another
_lot = SystemRandom()


class PollIsOver(RuleBroken):
    message = "This poll has closed. It takes no more votes."


class NotAsked(RuleBroken):
    message = "This poll is open to other members. You can read its result."


class ReadOnly(RuleBroken):
    message = "Your license needs a new check before you can vote. Reading stays open."


class VotedBefore(RuleBroken):
    message = "Your vote was counted before. It cannot be changed."


class SentTwice(VotedBefore):
    """The same form at the same time: the other one was counted."""


class CannotBeFound(RuleBroken):
    message = (
        "Your vote was counted before. Only the browser you voted with can change it, since nobody else knows which "
        "it is."
    )


class LookedInstead(RuleBroken):
    message = "You chose to see the results without voting, so this poll takes no vote of yours."


class NotAVote(RuleBroken):
    message = "Choose one of the options."


class NothingToSee(RuleBroken):
    message = "There is no result to see yet, so your vote stays yours."


class Reworded(NotAVote):
    message = "The options changed while this page was open. Look at them again before you vote."


@dataclass(frozen=True)
class Cast:
    """What became of a vote: whether it was a change of an earlier one."""

    changed: bool


@sensitive_variables()
def cast(
    *,
    poll: Poll,
    member: Member,
    choices: Sequence[int],
    token: str,
    seconds: float | None = None,
    wording: str = "",
) -> Cast:
    """Vote, or vote anew where the poll allows it. `choices` are places of options, of a ranking in its order.

    `seconds` is how long the form lay open, `wording` what `wording_of` made of the options in it. Must not run inside
    a transaction: it makes two of its own. Raises PollIsOver, NotAsked, ReadOnly, NotAVote, Reworded, VotedBefore,
    CannotBeFound, LookedInstead. Announces poll_taken with the receipt, and poll_given_back where the poll closed or
    was reworded in between.
    """
    choices = list(choices)
    with transaction.atomic(durable=True):
        earlier = _register(poll, member, choices, token)
    if earlier is not None:
        with transaction.atomic(durable=True):
            _change(poll.pk, member, choices, earlier, wording)
        return Cast(changed=True)
    try:
        with transaction.atomic(durable=True):
            _count(poll.pk, member, choices, token, seconds, wording)
    except (PollIsOver, NotAVote):
        _take_back(poll, member, token)
        raise
    except SentTwice:
        if not poll.may_change:
            raise
        with transaction.atomic(durable=True):
            _change(poll.pk, member, choices, ballot_key(token, poll.pk, member.pk), wording)
        return Cast(changed=True)
    return Cast(changed=False)


@sensitive_variables()
def _register(poll: Poll, member: Member, choices: list[int], token: str) -> bytes | None:
    """Write the receipt and the ticket. Returns the key of an earlier ballot where this changes it."""
    check_may_vote(poll, member)
    check_choices(poll, len(Tally.objects.values_list("counts", flat=True).get(poll=poll)), choices)
    receipt, is_new = Receipt.objects.get_or_create(
        poll=poll, member=member, defaults={"kind": Receipt.Kind.VOTED}
    )
    if is_new:
        Ticket.objects.create(poll=poll, key=ticket_key(token, poll.pk, member.pk))
        poll_taken.send(sender=Poll, poll=poll, member=member)
        return None
    if receipt.kind == Receipt.Kind.FORFEITED:
        raise LookedInstead
    if Ticket.objects.filter(poll=poll, key=ticket_key(token, poll.pk, member.pk)).exists():
        return None
    if not poll.may_change:
        raise VotedBefore
    key = ballot_key(token, poll.pk, member.pk)
    if not Ballot.objects.filter(poll=poll, key=key).exists():
        raise CannotBeFound
    return key


def check_may_vote(poll: Poll, member: Member) -> None:
    """Raises PollIsOver, ReadOnly, NotAsked."""
    if poll.is_over or not poll.question.is_open:
        raise PollIsOver
    if not member.may_write:
        raise ReadOnly
    if not poll.is_for(member) or not Question.objects.filter(pk=poll.pk).addressed_to(member).exists():
        raise NotAsked


def _take_back(poll: Poll, member: Member, token: str) -> None:
    """A vote that came too late, or chose what is not there any more, was none."""
    with transaction.atomic(durable=True):
        spent, _ = Ticket.objects.filter(key=ticket_key(token, poll.pk, member.pk)).delete()
        if spent:
            Receipt.objects.filter(poll=poll, member=member).delete()
            poll_given_back.send(sender=Poll, poll=poll, member=member)


def _lock(poll_id: int, choices: Sequence[int], wording: str) -> tuple[Poll, Tally]:
    """Lock what counts a poll; whoever closes or rewords it locks the same. Raises PollIsOver, NotAVote, Reworded."""
    tally = Tally.objects.select_for_update().get(poll=poll_id)
    poll = tally.poll = Poll.objects.select_related("question").get(pk=poll_id)
    if poll.is_over or not poll.question.is_open:
        raise PollIsOver
    check_choices(poll, len(tally.counts), choices)
    _check_wording(poll, wording)
    return poll, tally


def wording_of(texts: Sequence[str]) -> str:
    """The options that a form showed, as it sends them back: how many, and a digest of their words in order."""
    return f"{len(texts)}-{hashlib.sha256(repr(list(texts)).encode()).hexdigest()[:20]}"


def _check_wording(poll: Poll, wording: str) -> None:
    """A place stands for the words it had before the voter. Options added since come after them and do not matter."""
    number = wording.partition("-")[0]
    if not number.isdecimal():
        return
    texts = list(poll.options.order_by("place").values_list("text", flat=True)[: int(number[:3])])
    if wording_of(texts) != wording:
        raise Reworded


def check_choices(poll: Poll, options: int, choices: Sequence[int]) -> None:
    """Raises NotAVote where choices do not fit the poll."""
    if not choices or len(set(choices)) < len(choices) or not all(0 <= one < options for one in choices):
        raise NotAVote
    if poll.kind in (Poll.Kind.SINGLE, Poll.Kind.SCALE) and len(choices) > 1:
        raise NotAVote


def counted(poll: Poll, choices: Sequence[int]) -> Sequence[int]:
    """The options a vote counts for in the tally: of a ranking the first."""
    return choices[:1] if poll.kind == Poll.Kind.RANKED else choices


@sensitive_variables()
def _count(poll_id, member, choices, token, seconds, wording) -> None:
    poll, tally = _lock(poll_id, choices, wording)
    spent, _ = Ticket.objects.filter(key=ticket_key(token, poll_id, member.pk)).delete()
    if not spent:
        raise SentTwice
    for option in counted(poll, choices):
        tally.counts[option] += 1
    tally.voters += 1
    if seconds is not None:
        tally.seconds[min(int(max(seconds, 0) // SECONDS), STEPS - 1)] += 1
    key = ballot_key(token, poll.pk, member.pk)
    if poll.keeps_ballots:
        mix(poll, Ballot(poll=poll, key=key, choices=choices))
    if tally.voters % cells.EVERY == 0 and not poll.may_change:
        show_portions(tally)
    tally.save(update_fields=["voters", "counts", "seconds", "cells", "cells_voters"])
    facts, options = _broken_down(poll, member, choices, key)
    transaction.on_commit(lambda: unshown.add(poll.pk, facts, options))


@sensitive_variables()
def _change(poll_id: int, member: Member, choices: list[int], key: bytes, wording: str) -> None:
    """Put other choices on a ballot. Where votes may change, nothing of the breakdown is shown before the end."""
    poll, tally = _lock(poll_id, choices, wording)
    ballot = Ballot.objects.filter(poll=poll, key=key).first()
    if ballot is None:
        raise CannotBeFound
    for option in counted(poll, ballot.choices):
        tally.counts[option] -= 1
    for option in counted(poll, choices):
        tally.counts[option] += 1
    _unsettle_with(ballot)
    ballot.delete()
    mix(poll, Ballot(poll=poll, key=key, choices=choices))
    tally.save(update_fields=["counts"])
    facts, before = _broken_down(poll, member, ballot.choices, key)
    _, now = _broken_down(poll, member, choices, key)

    def recount():
        unshown.add(poll.pk, facts, before, by=-1)
        unshown.add(poll.pk, facts, now)

    transaction.on_commit(recount)


def show_portions(tally: Tally) -> None:
    """Add to the shown cells what may be shown by now. The tally is locked, and saved by the caller."""
    options = len(tally.counts)
    waiting = unshown.read(tally.poll_id, options)
    counts = tally.counts
    if tally.poll.kind == Poll.Kind.MULTIPLE:
        counts = waiting.get(cells.DRAWN, {}).get("", [0] * options)
        tally.cells[cells.DRAWN] = {"": counts}
    for dimension in cells.DIMENSIONS:
        shown = tally.cells.get(dimension, {})
        added = cells.portions(counts, shown, waiting.get(dimension, {}))
        if added and unshown.take(tally.poll_id, dimension, added):
            tally.cells[dimension] = cells.joined(shown, added, options)
    tally.cells_voters = tally.voters


@sensitive_variables()
def _broken_down(poll: Poll, member: Member, choices: Sequence[int], token_key: bytes):
    """Under which values a vote counts in a breakdown, and for which option; of several, the token draws one."""
    facts = facts_of(member)
    if poll.kind == Poll.Kind.MULTIPLE:
        facts[cells.DRAWN] = ""
        choices = [choices[int.from_bytes(token_key) % len(choices)]]
    return facts, counted(poll, choices)


def mix(poll: Poll, ballot: Ballot) -> None:
    """Put a ballot among those that came before it, all written anew in an order drawn by lot.

    So the newest ones, at least 20 if there are as many, always stem from one transaction; of 40 of them half, drawn
    by lot, are settled and stay as they are.
    """
    held = [ballot, *Ballot.objects.filter(poll=poll, is_settled=False)]
    _write_anew(held, settled=MIXED if len(held) >= 2 * MIXED else 0)


def _unsettle_with(ballot: Ballot) -> None:
    """Mix anew those that a settled ballot was settled with: without it they would be fewer than 20."""
    if ballot.is_settled:
        ballots = Ballot.objects.filter(poll=ballot.poll_id).annotate(wrote=RawSQL("xmin::text", []))
        wrote = ballots.filter(pk=ballot.pk).values_list("wrote", flat=True).get()
        ballots.filter(wrote=wrote).update(is_settled=False)


def settle(poll: Poll) -> None:
    """Write all ballots anew for the last time, without the hashes by which they could be changed."""
    held = list(Ballot.objects.filter(poll=poll))
    for ballot in held:
        ballot.key = None
    _write_anew(held, settled=len(held))


def _write_anew(held: list[Ballot], *, settled: int) -> None:
    Ballot.objects.filter(pk__in=[ballot.pk for ballot in held]).delete()
    _lot.shuffle(held)
    fresh = [
        Ballot(poll_id=ballot.poll_id, key=ballot.key, choices=ballot.choices, is_settled=number < settled)
        for number, ballot in enumerate(held)
    ]
    _lot.shuffle(fresh)
    Ballot.objects.bulk_create(fresh)


@transaction.atomic
def forfeit(*, poll: Poll, member: Member) -> None:
    """Look at the results without voting, for good. Twice is as good as once.

    Raises VotedBefore, PollIsOver, NothingToSee.
    """
    if poll.is_over:
        raise PollIsOver("This poll has closed; its result is open to all.")
    if poll.shown == Poll.Shown.CLOSED:
        raise NothingToSee
    receipt, _ = Receipt.objects.get_or_create(
        poll=poll, member=member, defaults={"kind": Receipt.Kind.FORFEITED}
    )
    if receipt.kind == Receipt.Kind.VOTED:
        raise VotedBefore("You voted in this poll; the results are open to you.")


def note_seen(*, poll: Poll, member: Member) -> None:
    """Count a member once among those who had the poll before them, in two transactions as a vote is."""
    sight = Sight(poll=poll, member=member)
    Sight.objects.bulk_create([sight], ignore_conflicts=True)
    if Sight.objects.filter(pk=sight.pk).exists():
        Tally.objects.filter(poll=poll).update(seen=F("seen") + 1)
