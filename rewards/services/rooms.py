"""Paying for focus groups: what a firm reserves for one, who is credited out of it, and what goes back.

Whoever completed a section is credited when that is announced as final; what could not be then, and what was completed
late, the sweep credits; who leaves the site is credited before. All of a group is done under the lock of its
RoomSponsorship, which follows the room's own. Then come payees, accounts and notices. For a member or payee nobody
waits: where one is leaving or choosing at that moment, the sweep comes back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from secrets import SystemRandom
from uuid import UUID, uuid4

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.text import capfirst

from accounts.models import Member, User
from focusgroups import readiness
from focusgroups.models import Completion, Room, Sponsor
from focusgroups.services import screening, seating
from rewards.models import Affiliation, Award, Firm, Payee, RoomSponsorship, Transaction
from rewards.services import awarding, honoraria, ledger, telling
from rewards.services.deposits import FormUsed
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification.services import events

log = structlog.get_logger(__name__)
_lot = SystemRandom()
PURPOSE = "rewards.rooms"
Cause, Kind = Award.Cause, Transaction.Kind


class Published(RuleBroken):
    message = "This group is published. Who pays for it is said before, or not at all."


class SponsoredBefore(RuleBroken):
    message = "A firm pays for this group already."


class FirmNotActive(RuleBroken):
    message = "This firm is not active."


class NothingPromised(RuleBroken):
    message = "Nothing is promised in this group. Give a section an honorarium first."


class NotCredited(RuleBroken):
    message = (
        "Money you earned in a focus group could not be credited just now, and would be lost if you left. "
        "Try again tomorrow; we have been told."
    )


class Withdrawn(RuleBroken):
    message = "This was agreed and withdrawn. Fill in the form anew to agree on it once more."


@dataclass(frozen=True)
class Due:
    """What somebody earned in a group and was not credited yet."""

    member_id: int
    cause: str
    cents: int
    key: str


@dataclass(frozen=True)
class Standing:
    """How the money of a group stands. Cents."""

    needed: int  # for all that is promised
    reserved: int  # from the start, with all top-ups
    credited: int  # to participants
    thanked: int  # to those who were screened out
    due: int  # earned, not credited yet
    returned: int  # to the firm, at the end

    @property
    def left(self) -> int:
        return self.reserved - self.credited - self.thanked - self.returned

    @property
    def missing(self) -> int:
        return max(0, self.needed - self.reserved)

    @property
    def too_much(self) -> int:
        return max(0, self.reserved - self.needed)


def sponsorship_of(room: Room) -> RoomSponsorship | None:
    rows = RoomSponsorship.objects.select_related("firm", "label__room", "reserved", "released")
    return rows.filter(pk=room.pk).first()


def standing_of(sponsorship: RoomSponsorship) -> Standing:
    sums = sponsorship.awards.aggregate(
        credited=Sum("cents", filter=Q(cause=Cause.GROUP), default=0),
        thanked=Sum("cents", filter=Q(cause=Cause.SCREENER), default=0),
    )
    reserved = sponsorship.label.budget
    paid = sums["credited"] + sums["thanked"]
    return Standing(
        needed=readiness.promised(sponsorship.label.room),
        reserved=reserved,
        due=0 if sponsorship.ended_at else sum(each.cents for each in _due(sponsorship)),
        returned=reserved - paid if sponsorship.ended_at else 0,
        **sums,
    )


# Agreeing


@transaction.atomic
def agree(
    *, room: Room, firm: Firm, is_blinded: bool = False, key: UUID, by: User | None = None
) -> RoomSponsorship:
    """Let a firm pay for a group that is not published: all that is promised in it is reserved, and its label says who
    pays. A blinded firm is named to participants when the group ends.

    The same key is the same agreement. Raises Published, SponsoredBefore, FirmNotActive, NothingPromised, Withdrawn,
    ledger.NotEnough, FormUsed where the key stands for another agreement.
    """
    room = _lock(room, by)
    name = f"{_name(room.pk)}:reserve:{key}"
    if known := Transaction.objects.filter(key=name).first():
        return _same(known, room, firm, is_blinded)
    if sponsorship_of(room):
        raise SponsoredBefore
    if not _is_draft(room):
        raise Published
    if not firm.is_active:
        raise FirmNotActive
    cents = readiness.promised(room)
    if not cents:
        raise NothingPromised
    reserved = _move(Kind.RESERVE, name, firm, cents, by)
    label, _ = Sponsor.objects.update_or_create(
        room=room,
        defaults={
            "name": capfirst(firm.shown_as),
            "kind": firm.kind,
            "is_blinded": is_blinded,
            "budget": cents,
        },
    )
    made = RoomSponsorship.objects.create(label=label, firm=firm, reserved=reserved)
    _note("agreed", room, by)
    return made


@transaction.atomic
def withdraw(*, room: Room, by: User | None = None) -> None:
    """Take an agreement back before the group is published. Twice is as good as once. Raises Published."""
    room = _lock(room, by)
    sponsorship = _hold(room.pk)
    if sponsorship is None:
        return
    if not _is_draft(room):
        raise Published
    label = sponsorship.label
    _move(Kind.RELEASE, f"release:{sponsorship.reserved.key}", sponsorship.firm, label.budget, by)
    sponsorship.delete()
    label.delete()
    _note("withdrawn", room, by)


@transaction.atomic
def fit(*, room: Room, by: User | None = None) -> int:
    """Reserve what is missing for all that is promised; of a group that is not published, what is too much goes back.

    Returns the cents that are reserved now: none of a group that nobody pays for. Raises NothingPromised,
    ledger.NotEnough.
    """
    room = _lock(room, by)
    sponsorship = _hold(room.pk)
    cents = readiness.promised(room)
    if sponsorship is None or sponsorship.ended_at:
        return 0
    label = sponsorship.label
    more = cents - label.budget
    if more < 0 and not _is_draft(room):
        more = 0
    if more:
        if not cents:
            raise NothingPromised
        kind = Kind.RESERVE if more > 0 else Kind.RELEASE
        name = f"{_name(room.pk)}:fit:{sponsorship.reserved_id}:{uuid4()}"
        _move(kind, name, sponsorship.firm, abs(more), by)
        label.budget = cents
        label.save(update_fields=["budget"])
        _note("fitted", room, by)
    return label.budget


def _is_draft(room: Room) -> bool:
    return room.published_at is None and room.canceled_at is None


def _lock(room: Room, by: User | None) -> Room:
    if by:
        events.lock_chain()
    return Room.objects.select_for_update(no_key=True).get(pk=room.pk)


def _name(room_id: int) -> str:
    """How keys of a group's movements begin."""
    return f"{honoraria.GROUP}room:{room_id}"


def _move(kind: str, key: str, firm: Firm, cents: int, by: User | None = None) -> Transaction:
    """Between the balance of a firm and what it has reserved."""
    to_reserved = cents if kind == Kind.RESERVE else -cents
    return ledger.post(
        kind=kind,
        key=key,
        entries={ledger.firm_balance(firm): -to_reserved, ledger.reserved_of(firm): to_reserved},
        by=events.subject_of(by).pk if by else None,
    )


def _note(deed: str, room: Room, by: User | None) -> None:
    if by:
        events.record(kind=f"room_sponsor_{deed}", by=by, object=f"room:{room.pk}")


def _same(reserved: Transaction, room: Room, firm: Firm, is_blinded: bool) -> RoomSponsorship:
    """The agreement a form made before, if it was sent again as it was. Raises Withdrawn, FormUsed."""
    found = RoomSponsorship.objects.filter(reserved=reserved).select_related("label").first()
    if found is None:
        raise Withdrawn
    if (found.pk, found.firm_id, found.label.is_blinded) != (room.pk, firm.pk, is_blinded):
        raise FormUsed
    return found


# Crediting


@transaction.atomic
def credit(*, room_id: int) -> list[Award]:
    """Credit all that was earned in a group and is not credited yet, however often it is called.

    Who takes no money, is paid elsewhere by a firm that is named, or has left the site gets nothing. What the budget of
    the group does not hold stays due, until somebody reserves more.
    """
    sponsorship = _hold(room_id)
    if sponsorship is None or sponsorship.ended_at:
        return []
    due = _due(sponsorship)
    payees = _held_payees(each.member_id for each in due)
    due = _within(sponsorship, [each for each in due if each.member_id in payees])
    awards = _owe({sponsorship: due}, payees)
    telling.of_honorarium(awards)
    return awards


@transaction.atomic
def settle_leaver(*, member: Member) -> None:
    """Make final, credit and end all that a locked member who leaves the site has in groups: afterwards nothing leads
    from a group to them. Again it does nothing.

    In the order in which everybody locks: all rooms, what is paid for them, payee, accounts; those who get a seat are
    told last. Others of a group are credited at another time. Raises NotCredited, so that nobody leaves unpaid.
    """
    held = seating.hold_rooms_of(member=member)
    seating.settle(member=member)
    sponsorships = list(_holding().filter(pk__in=held, ended_at=None).order_by("pk"))
    list(Payee.objects.select_for_update(no_key=True).filter(member=member))  # waited for, unlike in `credit`
    owed = {row: [due for due in _due(row) if due.member_id == member.pk] for row in sponsorships}
    if any(owed.values()):
        if any(_within(row, due) != due for row, due in owed.items()):
            raise NotCredited
        _owe(owed, _held_payees([member.pk]))
    seating.lose_seats(member=member)


def _owe(owed: Mapping[RoomSponsorship, list[Due]], payees: Mapping[int, Payee]) -> list[Award]:
    """Credit what is due in groups that are held, to payees that are. Nobody is told."""
    owed = {sponsorship: due for sponsorship, due in owed.items() if due}
    if not owed:
        return []
    earners = {payees[each.member_id] for due in owed.values() for each in due}
    accounts = [*awarding.accounts_of(earners).values()]
    for firm in sorted({sponsorship.firm for sponsorship in owed}, key=lambda firm: firm.pk):
        # The balance too, to which `end` returns what is left in the same transaction: accounts have one order.
        accounts += [ledger.reserved_of(firm), ledger.firm_balance(firm)]
    ledger.lock(*accounts)
    return [
        honoraria.owe(
            payee=payees[each.member_id],
            room=sponsorship,
            cause=each.cause,
            cents=each.cents,
            key=each.key,
            is_told=False,
        )
        for sponsorship, due in owed.items()
        for each in due
    ]


def _hold(room_id: int) -> RoomSponsorship | None:
    """Whoever moves money of a group locks this first."""
    return _holding().filter(pk=room_id).first()


def _holding() -> QuerySet[RoomSponsorship]:
    rows = RoomSponsorship.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("firm", "label__room", "reserved")


def _due(sponsorship: RoomSponsorship) -> list[Due]:
    """What may be credited.

    In an order drawn by lot: that of the answers would lead from an alias to an account.
    """
    due = _not_credited(_sections(sponsorship) + _thanks(sponsorship))
    _lot.shuffle(due)
    return due


def _not_credited(found: list[Due]) -> list[Due]:
    keys = [each.key for each in found]
    credited = set(Transaction.objects.filter(key__in=keys).values_list("key", flat=True))
    return [each for each in found if each.key not in credited]


def _sections(sponsorship: RoomSponsorship) -> list[Due]:
    rows = Completion.objects.filter(
        participant__room=sponsorship.pk,
        final_at__isnull=False,
        cents__gt=0,
        participant__member__isnull=False,
    ).exclude(participant__member__in=_earning_nothing(sponsorship))
    values = rows.values_list("participant__member", "cents", "section", "participant")
    return [
        Due(member, Cause.GROUP, cents, _key(sponsorship.pk, f"{section}:{participant}"))
        for member, cents, section, participant in values
    ]


def _thanks(sponsorship: RoomSponsorship) -> list[Due]:
    """Those of the screener, who are told of them there (screening.thanks_of)."""
    room = sponsorship.label.room
    thanked = [candidate for candidate in screening.thanked(room) if candidate.member_id]
    members = {candidate.member_id for candidate in thanked}
    unpaid = set(_unpaid(sponsorship.firm).filter(pk__in=members).values_list("pk", flat=True))
    return [
        Due(each.member_id, Cause.SCREENER, room.thanks, _key(room.pk, f"screener:{each.pk}"))
        for each in thanked
        if each.member_id not in unpaid
    ]


def _unpaid(firm: Firm) -> QuerySet[Member]:
    """Who gets nothing of a firm."""
    affiliated = Affiliation.objects.filter(firm=firm, ended_at=None)
    rows = Member.objects.filter(Q(pk__in=affiliated.values("member")) | Q(pk__in=_gone_or_refusing()))
    return rows.values("pk")


def _gone_or_refusing() -> QuerySet[Member]:
    """Who takes money of no firm, or left and nothing leads to money any more."""
    takes_nothing = Payee.objects.filter(takes=Payee.Takes.NOTHING, member__isnull=False)
    rows = Member.objects.filter(Q(pk__in=takes_nothing.values("member")) | Q(user=None, payee=None))
    return rows.values("pk")


def _earning_nothing(sponsorship: RoomSponsorship) -> QuerySet[Member]:
    """Who gets nothing for sections of a group. Nobody was tied to its firm when they took their seat."""
    return _unpaid(sponsorship.firm) if sponsorship.heeds_affiliations else _gone_or_refusing()


def excluded_from(room: Room) -> QuerySet[Member] | None:
    """The members who are not asked into a group that a firm pays for: it pays them nothing."""
    sponsorship = sponsorship_of(room)
    return _unpaid(sponsorship.firm) if sponsorship else None


def earning_nothing_in(room: Room) -> QuerySet[Member] | None:
    """The members who earn nothing by what they complete in a group now."""
    sponsorship = sponsorship_of(room)
    return _earning_nothing(sponsorship) if sponsorship else None


def _key(room_id: int, deed: str) -> str:
    """Of one credit. Keyed, since the books are kept when nobody is to find out any more who said what."""
    return f"{_name(room_id)}:{keyed_hash(f'{room_id}:{deed}', PURPOSE)}"


def _held_payees(members: Iterable[int]) -> dict[int, Payee]:
    """The payees of members, made where missing and locked, but for those of whoever is leaving or choosing now."""
    members = sorted(set(members))
    if not members:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM accounts_member WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE SKIP LOCKED",
            [members],
        )
        staying = [member for (member,) in cursor.fetchall()]
    users = Member.objects.filter(pk__in=staying, user__isnull=False).order_by("pk")
    known = set(Payee.objects.filter(member__in=staying).values_list("member", flat=True))
    missing = [pk for pk in users.values_list("pk", flat=True) if pk not in known]
    Payee.objects.bulk_create([Payee(member_id=pk) for pk in missing], ignore_conflicts=True)
    rows = Payee.objects.filter(member__in=staying).select_related("charity", "member").order_by("subject")
    locked = rows.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return {payee.member_id: payee for payee in locked}


def _within(sponsorship: RoomSponsorship, due: list[Due]) -> list[Due]:
    """Those that the budget holds. It holds all, unless seats were given on that did not say so."""
    left = sponsorship.label.budget - _paid(sponsorship)
    held = []
    for each in due:
        if each.cents <= left:
            left -= each.cents
            held.append(each)
    if len(held) < len(due):
        log.error("room_budget_is_short", room=sponsorship.pk, credits=len(due) - len(held))
    return held


def _paid(sponsorship: RoomSponsorship) -> int:
    """What left the reserve; what was undone went back to the firm straight."""
    return sponsorship.awards.aggregate(cents=Sum("cents", default=0))["cents"]


# The end


@transaction.atomic
def end(*, room_id: int) -> bool:
    """Return what nobody earned to the firm, once a group is over and all of it is credited. False while it is not."""
    sponsorship = _hold(room_id)
    if sponsorship is None or sponsorship.ended_at:
        return False
    room = sponsorship.label.room
    if not (room.closed_at or room.canceled_at) or _open(room).exists() or _due(sponsorship):
        return False
    rest = sponsorship.label.budget - _paid(sponsorship)
    if rest:
        name = f"{_name(room_id)}:release"
        sponsorship.released = _move(Kind.RELEASE, name, sponsorship.firm, rest)
    sponsorship.ended_at = timezone.now()
    sponsorship.save(update_fields=["ended_at", "released"])
    return True


def _open(room: Room) -> QuerySet[Completion]:
    """Completions that are still to become final."""
    return Completion.objects.filter(participant__room=room, final_at=None)


def credit_all(say: Callable[[str], object] = lambda line: None) -> int:
    """Credit in every group what announcing left, and end what is over; return how many were credited.

    Each group by itself: a fault at one keeps no other from its money. `say` hears of progress.
    """
    credited = 0
    running = RoomSponsorship.objects.filter(ended_at=None, label__room__published_at__isnull=False)
    canceled = RoomSponsorship.objects.filter(ended_at=None, label__room__canceled_at__isnull=False)
    for room_id in list((running | canceled).order_by("pk").values_list("pk", flat=True)):
        try:
            awards = credit(room_id=room_id)
            has_ended = end(room_id=room_id)
        except Exception as error:
            log.exception("room_not_credited", room=room_id, error=type(error).__name__)
            continue
        credited += len(awards)
        if awards or has_ended:
            say(f"focus group {room_id}: {len(awards)} credited{', ended' if has_ended else ''}")
    return credited
