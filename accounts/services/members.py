"""Coming, being called, and standing: what makes a member and what they are called."""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import handles
from accounts.models import Handle, Member, Specialty, User
from accounts.services import guard
from accounts.signals import standing_changed
from sermo.errors import RuleBroken


class HandleTaken(RuleBroken):
    message = "This handle is taken, or too close to one that is."


class HandleChangedLately(RuleBroken):
    message = "A handle can be changed once in 90 days."


@transaction.atomic
def create_member(*, user: User, handle: str, specialty: Specialty | None = None) -> Member:
    """Make the member of a new log-in, an applicant. Raises HandleTaken, ValidationError."""
    handle = handles.check(handle)
    member = Member(user=user, handle=handle, specialty=specialty)
    try:
        with transaction.atomic():
            member.save()
            _hold(handle, member=member)
    except IntegrityError as error:
        raise HandleTaken from error
    return member


def is_free(handle: str, *, member: Member | None = None) -> bool:
    """Whether nobody holds or held this handle or a lookalike of it; one's own old handles are free to oneself."""
    key = handles.key(handle)
    taken = Handle.objects.filter(key__in=[key, handles.severed_key(key)])
    if member:
        taken = taken.exclude(member=member)
    return not taken.exists()


@transaction.atomic
def change_handle(*, member: Member, handle: str) -> Member:
    """Give a member another handle; the old one stays reserved. Raises HandleTaken, HandleChangedLately."""
    member = Member.objects.select_for_update().get(pk=member.pk)
    handle = handles.check(handle)
    if handle == member.handle:
        return member
    now = timezone.now()
    days = settings.HANDLE_CHANGE_DAYS
    if member.handle_changed_at and now - member.handle_changed_at < timedelta(days=days):
        free_on = timezone.localdate(member.handle_changed_at + timedelta(days=days))
        raise HandleChangedLately(
            f"A handle can be changed once in {days} days; yours again on {free_on:%b} {free_on.day}."
        )
    try:
        with transaction.atomic():
            member.handles.filter(released_at=None).update(released_at=now)
            _take(handle, member, now)
            member.handle, member.handle_changed_at = handle, now
            member.save(update_fields=["handle", "handle_changed_at"])
    except IntegrityError as error:
        raise HandleTaken from error
    return member


def _take(handle: str, member: Member, now) -> None:
    """Hold a handle: a new row, or one's own old row again."""
    own = member.handles.filter(key=handles.key(handle))
    if not own.update(text=handle, taken_at=now, released_at=None):
        _hold(handle, member=member, taken_at=now)


def _hold(handle: str, **fields) -> None:
    """Make the row of a handle. Raises HandleTaken for one of a former member, IntegrityError for any other."""
    key = handles.key(handle)
    if Handle.objects.filter(key=handles.severed_key(key)).exists():
        raise HandleTaken
    Handle.objects.create(key=key, text=handle, **fields)


def hold_handle(*, handle: str) -> None:
    """Keep a handle from others as long as an unconfirmed sign-up would. Raises ValidationError, HandleTaken.

    Done where a sign-up names an address that has an account: whether its handle is free afterwards must not tell.
    """
    handle = handles.check(handle)
    until = timezone.now() + timedelta(days=settings.UNCONFIRMED_DAYS)
    try:
        with transaction.atomic():
            _hold(handle, held_until=until)
    except IntegrityError as error:
        raise HandleTaken from error


def forget_unconfirmed() -> int:
    """Delete log-ins whose address was not confirmed in three days, free their handles; return how many."""
    now, number = timezone.now(), 0
    for user in unconfirmed(now).select_related("member"):
        with transaction.atomic():
            if user.as_member:
                user.member.handles.all().delete()
                user.member.delete()
            user.delete()
        number += 1
    held_too_long(now).delete()
    return number


def unconfirmed(at: datetime) -> QuerySet[User]:
    """Log-ins that at a moment had waited three days for their address to be confirmed."""
    old = at - timedelta(days=settings.UNCONFIRMED_DAYS)
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    rows = User.objects.filter(~Exists(confirmed), date_joined__lt=old, last_login=None, is_staff=False)
    return rows.filter(Q(member=None) | Q(member__standing=Member.Standing.APPLICANT))


def held_too_long(at: datetime) -> QuerySet[Handle]:
    """Handles kept from others for a sign-up that did not come to pass."""
    return Handle.objects.filter(member=None, held_until__lt=at)


@transaction.atomic
def set_standing(*, member: Member, standing: str, specialty: Specialty | None = None) -> Member:
    """Called by verification alone. A specialty is written only where the member has chosen none.

    Announces standing_changed.
    """
    member = Member.objects.select_for_update().get(pk=member.pk)
    member.standing = standing
    if member.specialty_id is None and specialty:
        member.specialty = specialty
    member.save(update_fields=["standing", "specialty"])
    guard.refresh(member)
    standing_changed.send(sender=Member, member=member)
    return member
