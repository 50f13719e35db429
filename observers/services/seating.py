"""Who sits where: seats offered by a link, taken, and ended. What a firm's plan includes is counted under its lock."""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import OBSERVERS
from accounts.services import mail, sessions
from observers.models import Contract, Purpose, Seat, SeatInvitation
from rewards.models import Firm
from sermo.errors import RuleBroken
from verification.services import events

MOST_INVITED_A_DAY = 20  # by a firm: each is a mail to somebody who did not ask for it
MAY_GIVE = "observers.change_contract"  # of staff, for any firm


class NoContract(RuleBroken):
    message = "The firm has no contract that is in force."


class NotYoursToGive(RuleBroken):
    message = "Seats are given by those of a firm who are named for it."


class NotYoursToEnd(RuleBroken):
    message = "Contracts are ended by those of the staff who make them."


class NoSeatLeft(RuleBroken):
    message = "Every seat of the plan is taken or offered."


class AlreadyInvited(RuleBroken):
    message = "This address has an open invitation. Withdraw it to send another."


class AlreadySeated(RuleBroken):
    message = "Somebody with this address has a seat of your firm."


class InvitedEnough(RuleBroken):
    message = f"{MOST_INVITED_A_DAY} invitations were sent within a day. More can be sent tomorrow."


class PurposeNotAgreed(RuleBroken):
    message = "The contract does not name this purpose."


class InvitationGone(RuleBroken):
    message = "This invitation is not open any more. Whoever sent it can send another."


class LastGiver(RuleBroken):
    message = "Nobody else of the firm could give seats then. Give one to somebody who may, first."


# Offering


@transaction.atomic
def invite(
    *, firm: Firm, by: User, email: str, name: str, purpose: Purpose, is_admin: bool = False
) -> SeatInvitation:
    """Offer a seat to an address by mail. That an address has an account already, its owner alone is told.

    Raises NotYoursToGive, NoContract, PurposeNotAgreed, AlreadyInvited, AlreadySeated, NoSeatLeft, InvitedEnough.
    """
    events.lock_chain()
    contract = _lock(firm)
    check_may_give(firm=firm, by=by)
    email, now = email.strip().lower(), timezone.now()
    if purpose not in contract.purposes:
        raise PurposeNotAgreed
    if open_invitations(firm).filter(email=email).exists():
        raise AlreadyInvited
    if firm.seats.active().filter(user__email=email).exists():
        raise AlreadySeated
    if firm.seats.active().count() + open_invitations(firm).count() >= contract.plan.seats:
        raise NoSeatLeft(f"All {contract.plan.seats} seats of the plan are taken or offered.")
    if firm.seat_invitations.filter(invited_at__gt=now - timedelta(days=1)).count() >= MOST_INVITED_A_DAY:
        raise InvitedEnough
    _withdraw(firm.seat_invitations.filter(email=email, expires_at__lte=now))  # those that ran out
    token = secrets.token_urlsafe(32)
    invitation = SeatInvitation.objects.create(
        firm=firm,
        email=email,
        name=name.strip(),
        is_admin=is_admin,
        purpose=purpose,
        token_hash=_hash(token),
        invited_by=by,
        invited_at=now,
        expires_at=now + timedelta(days=settings.OBSERVER_INVITE_DAYS),
    )
    _mail(invitation, token)
    events.record(kind="seat_offered", by=by, object=f"seatinvitation:{invitation.pk}")
    return invitation


@transaction.atomic
def withdraw(*, invitation: SeatInvitation, by: User) -> None:
    """Let the link of an invitation lead nowhere. One that was taken stays. Raises NotYoursToGive."""
    events.lock_chain()
    firm = Firm.objects.select_for_update(no_key=True).get(pk=invitation.firm_id)
    check_may_give(firm=firm, by=by)
    if _withdraw(SeatInvitation.objects.filter(pk=invitation.pk)):
        events.record(kind="seat_withdrawn", by=by, object=f"seatinvitation:{invitation.pk}")


def open_invitations(firm: Firm) -> QuerySet[SeatInvitation]:
    """Those that can still be taken, the newest first."""
    open_ = {"accepted_at": None, "withdrawn_at": None, "expires_at__gt": timezone.now()}
    return firm.seat_invitations.filter(**open_).order_by("-invited_at", "-pk")


def check_may_give(*, firm: Firm, by: User) -> None:
    """Raises NotYoursToGive unless somebody may give and end seats of a firm."""
    if firm.seats.active().filter(user=by, is_admin=True).exists() or by.has_perm(MAY_GIVE):
        return
    raise NotYoursToGive


def _lock(firm: Firm) -> Contract:
    """The contract in force, with its plan; nobody else gives or takes seats of the firm meanwhile."""
    Firm.objects.select_for_update(no_key=True).get(pk=firm.pk)
    contract = Contract.objects.current().select_related("plan").filter(firm=firm).first()
    if contract is None:
        raise NoContract
    return contract


def _withdraw(invitations: QuerySet[SeatInvitation]) -> int:
    return invitations.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=timezone.now())


def _mail(invitation: SeatInvitation, token: str) -> None:
    """Tell the address of the seat; one with an account, why that cannot take it."""
    context = {
        "invitation": invitation,
        "is_possible": _may_take(invitation.email),
        "link": settings.SITE_URL + reverse("observers:join", args=[token]),
        "days": settings.OBSERVER_INVITE_DAYS,
    }
    text = render_to_string("observers/mail/invitation.txt", context)
    mail.queue_to(invitation.email, "A seat at Sermo", text)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# Taking


def invitation_by(token: str) -> SeatInvitation | None:
    """The invitation that a link leads to, while it can be taken."""
    found = SeatInvitation.objects.select_related("firm").filter(token_hash=_hash(token))
    return found.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now()).first()


@transaction.atomic
def accept(*, token: str, password: str) -> Seat:
    """Give whoever has the link a log-in with a password, and the seat.

    Raises InvitationGone, NoContract, NoSeatLeft.
    """
    password = make_password(password)  # first, so that every refusal takes as long
    events.lock_chain()
    invitation = invitation_by(token)
    if invitation is None:
        raise InvitationGone
    contract = _lock(invitation.firm)
    if invitation_by(token) is None:  # taken or withdrawn while the firm was locked
        raise InvitationGone
    seats = invitation.firm.seats
    if seats.active().count() >= contract.plan.seats:
        raise NoSeatLeft
    user = _log_in_of(invitation.email, password)
    last = seats.order_by("-number").values_list("number", flat=True).first() or 0
    is_agreed = invitation.purpose in contract.purposes
    seat = Seat.objects.create(
        firm=invitation.firm,
        number=last + 1,
        user=user,
        name=invitation.name,
        is_admin=invitation.is_admin,
        purpose=invitation.purpose if is_agreed else contract.purposes[0],
    )
    SeatInvitation.objects.filter(pk=invitation.pk).update(accepted_at=seat.taken_at, seat=seat)
    events.record(kind="seat_taken", by=user, object=f"seat:{seat.pk}")
    return seat


def _may_take(email: str) -> bool:
    """Whether an address is free, or its account had a seat that ended and is nothing else."""
    user = User.objects.select_related("member", "seat").filter(email=email).first()
    if user is None:
        return not EmailAddress.objects.filter(email__iexact=email, verified=True).exists()
    had_seat = hasattr(user, "seat") and user.seat.ended_at is not None
    return had_seat and not (user.is_staff or user.is_superuser or user.as_member)


def _log_in_of(email: str, password: str) -> User:
    """A log-in with a hashed password, made now or given back to who had one. Raises InvitationGone."""
    if not _may_take(email):
        raise InvitationGone
    user = User.objects.filter(email=email).first()
    if user:
        _start_anew(user, password)
    else:
        user = _new_log_in(email, password)
    user.groups.add(Group.objects.get_or_create(name=OBSERVERS)[0])
    return user


def _start_anew(user: User, password: str) -> None:
    """The old seat keeps its name and number; the second factor is set up again."""
    Seat.objects.filter(user=user).update(user=None)
    Authenticator.objects.filter(user=user).delete()
    user.password, user.is_active = password, True
    user.save(update_fields=["password", "is_active"])


def _new_log_in(email: str, password: str) -> User:
    try:
        with transaction.atomic():
            user = User.objects.create(email=email, password=password)
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    except IntegrityError as error:  # somebody signed up with it meanwhile
        raise InvitationGone from error
    return user


# Sitting


def may_watch(user: User) -> bool:
    """Whether somebody has a seat of a firm that is under contract today."""
    firms = Contract.objects.current().values("firm")
    return Seat.objects.active().filter(user=user, firm__in=firms).exists()


def choose_purpose(*, seat: Seat, contract: Contract, purpose: str) -> None:
    """Say why a seat reads from now on. Raises PurposeNotAgreed."""
    if purpose not in contract.purposes:
        raise PurposeNotAgreed
    Seat.objects.filter(pk=seat.pk).update(purpose=purpose)
    seat.purpose = purpose


@transaction.atomic
def end(*, seat: Seat, by: User) -> None:
    """Take a seat from its person at once, with the log-in it came with. Raises NotYoursToGive, LastGiver.

    Staff may end the last one of a firm that gives seats, too. What it read and earmarked stays under its number.
    """
    events.lock_chain()
    firm = Firm.objects.select_for_update(no_key=True).get(pk=seat.firm_id)
    check_may_give(firm=firm, by=by)
    seat = firm.seats.select_related("user").get(pk=seat.pk)
    if seat.ended_at:
        return
    others = firm.seats.active().filter(is_admin=True).exclude(pk=seat.pk)
    if seat.is_admin and not others.exists() and not by.has_perm(MAY_GIVE):
        raise LastGiver
    seat.ended_at = timezone.now()
    seat.save(update_fields=["ended_at"])
    if seat.user:
        _withdraw(firm.seat_invitations.filter(invited_by=seat.user))
        _close(seat.user)
    events.record(kind="seat_ended", by=by, object=f"seat:{seat.pk}")


def _close(user: User) -> None:
    """Nobody logs in with it any more, unless it is somebody's of the staff."""
    user.groups.remove(*Group.objects.filter(name=OBSERVERS))
    if not (user.is_staff or user.as_member):
        User.objects.filter(pk=user.pk).update(is_active=False)
    sessions.end_other_sessions(user=user, but="")


@transaction.atomic
def end_contract(*, contract: Contract, by: User) -> None:
    """End a contract before its last day: its seats open nothing from the next request on. Raises NotYoursToEnd."""
    if not by.has_perm(MAY_GIVE):
        raise NotYoursToEnd
    events.lock_chain()
    ended = Contract.objects.filter(pk=contract.pk, ended_at=None).update(ended_at=timezone.now())
    if ended:
        events.record(kind="contract_ended", by=by, object=f"contract:{contract.pk}")
