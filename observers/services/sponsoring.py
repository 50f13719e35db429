"""Polls that firms put and pay for, under their name."""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import Specialty
from observers.models import Seat
from observers.services import asking
from observers.services.contracting import hold_contract
from polls.models import Poll
from polls.services import opening
from questions.models import Question
from rewards.services import sponsoring
from rewards.services.deposits import FormUsed
from sermo.errors import RuleBroken


class NoPollLeft(RuleBroken):
    message = "Your plan's polls of this month are open. There are new ones on the first."


@transaction.atomic
def open_poll(
    *,
    seat: Seat,
    title: str,
    source: str,
    specialties: Iterable[Specialty],
    plan: opening.Plan,
    honorarium: int,
    quota: int,
    key: UUID,
) -> Poll:
    """Open a poll in the name of the seat's firm, which pays `quota` votes with `honorarium` cents each.

    All of it is reserved at once. The same `key` is the poll it opened before. Raises NotContracted, NoPollLeft,
    Identifies, FormUsed, what `polls.services.opening.check` raises, TooFewInvited, and of
    `rewards.services.sponsoring` OutOfBounds and ledger.NotEnough.
    """
    contract = hold_contract(seat.firm)
    if known := asking.opened_with(key, seat.firm, kind=Question.Kind.POLL, title=title, source=source):
        return _same(Poll.objects.get(question=known), plan)
    opening.check(plan)
    asking.check_texts(title, source, *opening.texts_of(plan))
    opened = asking.opened_in_month(seat.firm).filter(question__kind=Question.Kind.POLL)
    if opened.count() >= contract.plan.polls_a_month:
        raise NoPollLeft
    question = asking.open_under_name(
        seat=seat,
        kind=Question.Kind.POLL,
        title=title,
        source=source,
        specialties=specialties,
        key=key,
    )
    poll = opening.make(question, plan, least=settings.OBSERVER_LEAST)
    sponsoring.agree(poll=poll, firm=seat.firm, honorarium=honorarium, quota=quota, key=key)
    return poll


def _same(poll: Poll, plan: opening.Plan) -> Poll:
    """A poll that is what is planned. Raises FormUsed."""
    written = poll.options.filter(is_added=False).order_by("place").values_list("text", flat=True)
    if (poll.kind, tuple(written)) != (plan.kind, opening.texts_of(plan)):
        raise FormUsed
    return poll
