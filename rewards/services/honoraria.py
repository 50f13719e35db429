"""Paying for votes in sponsored polls, without a trace of when each was given; and the door for focus groups.

A vote takes a slot, in the transaction of its receipt and never in that of its count. At night the slots of a poll are
credited together, in an order drawn by lot, as soon as five wait: a credit of one night alone would say on which day
somebody voted, and the result whose vote it was (docs/decisions/0010-secret-ballot.md). Once the poll is over, however
few there are.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from math import ceil
from secrets import SystemRandom
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from accounts.models import Member
from polls.models import Concern, Poll, Sponsor
from rewards.models import (
    Account,
    Affiliation,
    Award,
    Firm,
    Payee,
    RoomSponsorship,
    Slot,
    Sponsorship,
    Transaction,
)
from rewards.services import choosing, ledger
from sermo.errors import RuleBroken

log = structlog.get_logger(__name__)
FEWEST = 5  # votes that are credited together while the poll runs
MOST = 100  # in one transaction, for which whoever votes meanwhile waits; at least twice FEWEST
GROUP = "group:"  # how keys of focus groups and screeners begin
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
    drop(poll_id=poll.pk, slots=Slot.objects.filter(sponsorship=poll.pk, member=member))


@transaction.atomic
def drop_all(*, member: Member | int) -> None:
    """Whoever has left for good takes no paid vote from others. Call it before locking a payee or an account."""
    slots = Slot.objects.filter(member=member)
    for poll_id in list(slots.order_by("sponsorship").values_list("sponsorship", flat=True)):
        drop(poll_id=poll_id, slots=slots.filter(sponsorship=poll_id))


@transaction.atomic
def drop(*, poll_id: int, slots: QuerySet[Slot]) -> None:
    """Give paid votes of one poll back to it."""
    if not slots.exists():
        return
    _lock_label(poll_id)
    gone, _ = slots.delete()
    _count(poll_id, -gone)


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
    """Credit the votes of one poll that may be by now, in transactions of at most MOST, each of FEWEST at least.

    Not those a moderator should look at, as long as none has, and not those found against the rules; the latter
    keep their slot until their voter can object no more.
    """
    due, void = _sorted(Slot.objects.filter(sponsorship=poll_id))
    drop(poll_id=poll_id, slots=Slot.objects.filter(pk__in=[slot.pk for slot in void]))
    if not due or _must_wait(poll_id, due):
        return []
    _make_accounts(due)
    _lot.shuffle(due)
    batches = ceil(len(due) / MOST)
    drawn = [[slot.pk for slot in due[first::batches]] for first in range(batches)]
    return [award for batch in drawn for award in _credit(poll_id, batch)]


def _must_wait(poll_id: int, due: list[Slot]) -> bool:
    return len(due) < FEWEST and not Poll.objects.get(pk=poll_id).is_over


def _make_accounts(slots: list[Slot]) -> None:
    """Of those who are about to be credited, and in no order of theirs. Whoever waits has none to be seen."""
    from rewards.services import awarding

    members = sorted(slot.member_id for slot in slots)
    Payee.objects.bulk_create([Payee(member_id=member) for member in members], ignore_conflicts=True)
    awarding.accounts_of(Payee.objects.filter(member__in=members).select_related("charity"))


@transaction.atomic
def _credit(poll_id: int, batch: list[UUID]) -> list[Award]:
    """Credit those of some votes that still may be; somebody else may have been at them."""
    from rewards.services import awarding, telling

    _hold_question(poll_id)
    label = _lock_label(poll_id)
    sponsorship = Sponsorship.objects.select_related("firm", "label__poll__question").get(pk=poll_id)
    due, _ = _sorted(Slot.objects.filter(pk__in=batch, member__in=_held_payees(batch)))
    if not due or _must_wait(poll_id, due):
        return []
    Slot.objects.filter(pk__in=[slot.pk for slot in due]).delete()
    _lot.shuffle(due)
    accounts = awarding.accounts_of(slot.member.payee for slot in due)
    lines = [_line(slot.member.payee, sponsorship, label.honorarium, accounts) for slot in due]
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


def _held_payees(batch: list[UUID]) -> list[int]:
    """Lock payees, so that none leaves or chooses otherwise before it is written what was earned; return the members.

    Whoever is at that just now is credited another night: nobody is waited for while votes wait for the label.
    """
    payees = Payee.objects.filter(member__in=Slot.objects.filter(pk__in=batch).values("member"))
    locked = payees.select_for_update(no_key=True, skip_locked=True).order_by("subject")
    return list(locked.values_list("member", flat=True))


def _sorted(slots: QuerySet[Slot]) -> tuple[list[Slot], list[Slot]]:
    """Those slots of one poll that can be credited, and those that never will be. The others wait."""
    slots = list(slots.order_by("member").select_related("sponsorship", "member__payee__charity"))
    if not slots:
        return [], []
    members, sponsorship = [slot.member_id for slot in slots], slots[0].sponsorship
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
        takes_nothing = payee.takes == Payee.Takes.NOTHING if payee else slot.member.user_id is None
        if takes_nothing or slot.member_id in affiliated:
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


def _line(payee: Payee, sponsorship: Sponsorship, cents: int, accounts: Mapping[Payee, Account]):
    """What was earned by somebody who has left since explains nothing."""
    from rewards.services.awarding import Line

    return Line(
        payee=payee,
        firm=sponsorship.firm,
        cause=Cause.POLL,
        cents=cents,
        account=accounts[payee],
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
    """Return what no vote took to the firm, once the poll is over and none waits. False while it is not so far.

    What was credited and undone went back to the firm then.
    """
    label = _lock_label(poll_id)
    sponsorship = Sponsorship.objects.select_related("firm").get(pk=poll_id)
    is_waiting = Slot.objects.filter(sponsorship=sponsorship).exists()
    if sponsorship.ended_at or is_waiting or not Poll.objects.get(pk=poll_id).is_over:
        return False
    paid = sponsorship.awards.aggregate(cents=Sum("cents"))
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
    *, payee: Payee, room: RoomSponsorship, cause: str, cents: int, key: str, is_told: bool = True
) -> Award:
    """Credit somebody out of what a firm has reserved for a focus group: for a part of it or its screener, once for
    each key.

    The key, and that of the reservation, begins with "group:". Who takes no money gets none, also where it was earned
    before that was said; whom the firm pays elsewhere gets none of what the group heeds that for. Whoever owes several
    in one transaction locks their accounts first, and tells of all of them last. Raises TakesNothing, Affiliated,
    ledger.NotEnough; ledger.KeyReused where the key paid somebody else or something else.
    """
    from rewards.services import awarding, telling

    if not key.startswith(GROUP):
        raise ValueError(f"a key begins with {GROUP}: {key}")
    owed = {"payee_id": payee.pk, "room_id": room.pk, "cause": cause, "cents": cents}
    if known := Award.objects.filter(entry__transaction__key=key).first():
        return _same(known, owed, key)
    if payee.takes == Payee.Takes.NOTHING:
        raise TakesNothing
    if _heeds_affiliations(room, cause) and payee.member and choosing.are_affiliated(payee.member, room.firm):
        raise Affiliated
    line = awarding.Line(
        payee=payee,
        firm=room.firm,
        cause=cause,
        cents=cents,
        account=awarding.accounts_of([payee])[payee],
        charity=payee.charity if payee.takes == Payee.Takes.CHARITY else None,
        room=room,
    )
    written = ledger.post(kind=Transaction.Kind.HONORARIUM, key=key, entries=_entries(room.firm, [line]))
    if known := Award.objects.filter(entry__transaction=written).first():
        return _same(known, owed, key)  # somebody quicker wrote it while this one waited for the accounts
    awards = awarding.write(ledger_transaction=written, lines=[line])
    if is_told:
        telling.of_honorarium(awards)
    return awards[0]


def _heeds_affiliations(room: RoomSponsorship, cause: str) -> bool:
    return cause != Cause.GROUP or room.heeds_affiliations


def _same(known: Award, owed: Mapping[str, object], key: str) -> Award:
    if any(getattr(known, name) != value for name, value in owed.items()):
        raise ledger.KeyReused(key)
    return known
