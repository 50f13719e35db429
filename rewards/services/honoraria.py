"""Paying for votes in sponsored polls, without a trace of when each was given; and the door for focus groups.

A vote takes a slot, in the transaction of its receipt and never in that of its count. At night the slots of a poll are
credited together, in an order drawn by lot, as soon as five wait: a credit of one night alone would say on which day
somebody voted, and the result whose vote it was (docs/decisions/0010-secret-ballot.md). Once the poll is over, however
few there are.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from secrets import SystemRandom
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from accounts.models import Member
from polls.models import Concern, Poll, Sponsor
from questions.models import Post, Question
from rewards.models import Affiliation, Award, Firm, Payee, Slot, Sponsorship, Transaction
from rewards.services import choosing, ledger
from sermo.errors import RuleBroken

log = structlog.get_logger(__name__)
FEWEST = 5  # votes that are credited together while the poll runs
Cause = Award.Cause
_lot = SystemRandom()


class TakesNothing(RuleBroken):
    message = "This member takes no money from firms."


class Affiliated(RuleBroken):
    message = "This firm employs this member or pays them elsewhere, so it pays nothing here."


# Slots


def take(*, poll: Poll, member: Member) -> Slot | None:
    """Take one of the paid votes of a poll, if it is sponsored, one is left, and this member may be paid for it.

    In the transaction of the receipt. Whoever is credited and voted once more after giving back is paid once.
    """
    sponsorship = Sponsorship.objects.filter(pk=poll.pk, ended_at=None).first()
    if sponsorship is None or not _may_be_paid(poll, member, sponsorship):
        return None
    label = _lock_label(poll.pk)
    has_ended = Sponsorship.objects.filter(pk=poll.pk, ended_at__isnull=False).exists()
    if has_ended or label.taken >= label.quota:
        return None
    slot, is_new = Slot.objects.get_or_create(sponsorship=sponsorship, member=member)
    if is_new:
        _count(poll.pk, 1)
    return slot


def _may_be_paid(poll: Poll, member: Member, sponsorship: Sponsorship) -> bool:
    payee = choosing.known_payee(member)
    if poll.question.asker_id == member.pk or (payee and payee.takes == Payee.Takes.NOTHING):
        return False
    if payee and Award.objects.filter(sponsorship=sponsorship, payee=payee).exists():
        return False
    return not choosing.are_affiliated(member, sponsorship.firm)


def give_back(*, poll: Poll, member: Member) -> None:
    """A vote that was none is not paid. What was credited meanwhile stays."""
    if not Slot.objects.filter(sponsorship=poll.pk, member=member).exists():
        return
    _lock_label(poll.pk)
    gone, _ = Slot.objects.filter(sponsorship=poll.pk, member=member).delete()
    _count(poll.pk, -gone)


def _lock_label(poll_id: int) -> Sponsor:
    """Whoever takes, gives back or credits slots of a poll locks its label first."""
    return Sponsor.objects.select_for_update(no_key=True).get(pk=poll_id)


def _count(poll_id: int, by: int) -> None:
    if by:
        Sponsor.objects.filter(pk=poll_id).update(taken=F("taken") + by)


# Crediting


def credit_all(say: Callable[[str], object] = lambda line: None) -> int:
    """Credit the votes of all sponsored polls that may be, and end what is over; return how many were credited.

    Each poll by itself: a fault at one keeps no other from its money. `say` hears of progress.
    """
    due = list(Sponsorship.objects.filter(ended_at=None).order_by("pk").values_list("pk", flat=True))
    credited = 0
    for number, poll_id in enumerate(due, 1):
        try:
            awards = credit(poll_id=poll_id)
            has_ended = end(poll_id=poll_id)
        except Exception as error:
            log.exception("honoraria_not_credited", poll=poll_id, error=type(error).__name__)
            continue
        credited += len(awards)
        ended = ", ended" if has_ended else ""
        say(f"{number} of {len(due)}: poll {poll_id}, {len(awards)} votes credited{ended}")
    return credited


def credit(*, poll_id: int) -> list[Award]:
    """Credit the votes of one poll that may be by now, in one transaction of the ledger.

    Not those a moderator should look at, as long as none has, and not those found against the rules; the latter
    keep their slot until their voter can object no more.
    """
    _make_accounts(poll_id)
    return _credit(poll_id)


def _make_accounts(poll_id: int) -> None:
    """Each in a transaction of its own where there is none yet, and in no order: their numbers stay."""
    slots = list(Slot.objects.filter(sponsorship=poll_id).select_related("member__payee__charity"))
    _lot.shuffle(slots)
    for slot in slots:
        if slot.member.user_id:
            _account_of(choosing.payee_of(slot.member))


def _account_of(payee: Payee):
    if payee.takes == Payee.Takes.CHARITY:
        return ledger.held_for(payee.charity)
    return ledger.payable_to(payee)


@transaction.atomic
def _credit(poll_id: int) -> list[Award]:
    from rewards.services import awarding, telling

    _hold_question(poll_id)
    label = _lock_label(poll_id)
    sponsorship = Sponsorship.objects.select_related("firm").get(pk=poll_id)
    due, void = _sorted(sponsorship)
    is_over = Poll.objects.get(pk=poll_id).is_over
    if len(due) < FEWEST and not is_over:
        due = []
    Slot.objects.filter(pk__in=[slot.pk for slot in (*due, *void)]).delete()
    _count(poll_id, -len(void))
    if not due:
        return []
    _lot.shuffle(due)
    lines = [_line(slot, sponsorship, label.honorarium) for slot in due]
    written = ledger.post(
        kind=Transaction.Kind.HONORARIUM,
        key=f"poll:{poll_id}:{uuid4()}",
        entries=_entries(sponsorship.firm, lines),
    )
    awards = awarding.write(ledger_transaction=written, lines=lines)
    telling.of_honorarium(awards)
    return awards


def _hold_question(question_id: int) -> None:
    """Awards refer to it: held before any account, as whoever closes it locks it before any account."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM questions_question WHERE id = %s FOR KEY SHARE", [question_id])


def _sorted(sponsorship: Sponsorship) -> tuple[list[Slot], list[Slot]]:
    """The slots of a poll that can be credited, and those that never will be. The others wait."""
    slots = list(
        Slot.objects.filter(sponsorship=sponsorship)
        .order_by("member")
        .select_related("member__payee__charity")
    )
    members = [slot.member_id for slot in slots]
    concerns = Concern.objects.filter(poll=sponsorship.pk, member__in=members)
    affiliated = set(
        Affiliation.objects.filter(firm=sponsorship.firm_id, ended_at=None, member__in=members).values_list(
            "member", flat=True
        )
    )
    of_member = {}
    for concern in concerns:
        of_member.setdefault(concern.member_id, []).append(concern)
    due, void = [], []
    for slot in slots:
        payee = getattr(slot.member, "payee", None)
        found = of_member.get(slot.member_id, [])
        if payee is None and slot.member.user_id:
            continue  # taken a moment ago; without an account yet
        if payee is None or payee.takes == Payee.Takes.NOTHING or slot.member_id in affiliated:
            void.append(slot)
        elif any(concern.state == Concern.State.OPEN for concern in found):
            continue
        elif upheld := [concern for concern in found if concern.state == Concern.State.UPHELD]:
            if any(_is_final(concern) for concern in upheld):
                void.append(slot)
        else:
            due.append(slot)
    return due, void


def _is_final(concern: Concern) -> bool:
    """Whether an upheld concern was looked at again, or nobody objected in time."""
    last = timezone.now() - timedelta(days=settings.APPEAL_WITHIN_DAYS)
    return bool(concern.objection) or concern.decided_at <= last


def _line(slot: Slot, sponsorship: Sponsorship, cents: int):
    """What was earned by somebody who has left since explains nothing."""
    from rewards.services.awarding import Line

    payee = slot.member.payee
    return Line(
        payee=payee,
        firm=sponsorship.firm,
        cause=Cause.POLL,
        cents=cents,
        account=_account_of(payee),
        charity=payee.charity if payee.takes == Payee.Takes.CHARITY else None,
        sponsorship=sponsorship,
        question=None if payee.left_at else sponsorship.label.poll.question,
    )


def _entries(firm: Firm, lines: Iterable) -> dict:
    entries = {}
    for line in lines:
        entries[line.account] = entries.get(line.account, 0) + line.cents
    return {ledger.reserved_of(firm): -sum(entries.values()), **entries}


@transaction.atomic
def end(*, poll_id: int) -> bool:
    """Return what no vote took to the firm, once the poll is over and none waits. False while it is not so far."""
    label = _lock_label(poll_id)
    sponsorship = Sponsorship.objects.select_related("firm").get(pk=poll_id)
    is_waiting = Slot.objects.filter(sponsorship=sponsorship).exists()
    if sponsorship.ended_at or is_waiting or not Poll.objects.get(pk=poll_id).is_over:
        return False
    paid = sponsorship.awards.filter(entry__transaction__reversed_by=None).aggregate(cents=Sum("cents"))
    rest = label.honorarium * label.quota - (paid["cents"] or 0)
    sponsorship.ended_at = timezone.now()
    if rest:
        sponsorship.released = ledger.post(
            kind=Transaction.Kind.RELEASE,
            key=f"poll:{poll_id}:release",
            entries={
                ledger.reserved_of(sponsorship.firm): -rest,
                ledger.firm_balance(sponsorship.firm): rest,
            },
        )
    sponsorship.save(update_fields=["ended_at", "released"])
    return True


# What is owed elsewhere


@transaction.atomic
def owe(
    *,
    payee: Payee,
    firm: Firm,
    cause: str,
    cents: int,
    key: str,
    question: Question | None = None,
    post: Post | None = None,
) -> Award:
    """Credit somebody out of what a firm has reserved: for a focus group or a screener, once for each key.

    The key, and that of the reservation, begins with "group:". Who takes no money gets none, also where it was earned
    before that was said. Raises TakesNothing, Affiliated, ledger.NotEnough.
    """
    from rewards.services import awarding, telling

    if known := Award.objects.filter(entry__transaction__key=key).first():
        return known
    if payee.takes == Payee.Takes.NOTHING:
        raise TakesNothing
    if payee.member and choosing.are_affiliated(payee.member, firm):
        raise Affiliated
    if question is not None:
        _hold_question(question.pk)
    line = awarding.Line(
        payee=payee,
        firm=firm,
        cause=cause,
        cents=cents,
        account=_account_of(payee),
        charity=payee.charity if payee.takes == Payee.Takes.CHARITY else None,
        question=question,
        post=post,
    )
    written = ledger.post(kind=Transaction.Kind.HONORARIUM, key=key, entries=_entries(firm, [line]))
    if known := Award.objects.filter(entry__transaction=written).first():
        return known  # somebody quicker wrote it while this one waited for the accounts
    awards = awarding.write(ledger_transaction=written, lines=[line])
    telling.of_honorarium(awards)
    return awards[0]
