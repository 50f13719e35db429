"""Money of those who left: 90 days to be paid by a link, then it goes to charity and nobody is known any more."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from accounts.services import mail
from rewards.models import (
    Account,
    Affiliation,
    Award,
    Charity,
    Payee,
    Payout,
    PayoutMethod,
    TaxForm,
    Transaction,
)
from rewards.services import honoraria, ledger
from sermo.crypto import keyed_hash

log = structlog.get_logger(__name__)
PURPOSE = "rewards.left"


def leave(*, member: Member, address: str) -> None:
    """Cut what explains money, and mail the link by which it can be claimed, in the transaction of leaving.

    Every member who was ever verified gets the same letter, whether or not something will come: earmarks are not to be
    read from it. Whoever earned nothing and never was verified gets none.
    """
    if member.is_applicant and not Payee.objects.filter(member=member).exists():
        return
    payee, _ = Payee.objects.select_for_update().get_or_create(member=member)
    secret = secrets.token_urlsafe(32)
    payee.left_at, payee.claim_hash = timezone.now(), keyed_hash(secret, PURPOSE)
    payee.save(update_fields=["left_at", "claim_hash"])
    cut_ties(payee)
    PayoutMethod.objects.filter(payee=payee).delete()
    Affiliation.objects.filter(member=member).delete()
    _write_to(address, secret)


def _write_to(address: str, secret: str) -> None:
    link = settings.SITE_URL + reverse("rewards:left", args=[secret])
    words = {"link": link, "days": settings.LEFT_DAYS}
    subject, _, text = render_to_string("rewards/mail/left.txt", words).partition("\n")
    mail.queue_to(address, subject.strip(), text.lstrip())


def cut_ties(payee: Payee) -> None:
    """Take what was written or judged off what was earned for it. The ledger's entries stay as they are."""
    Award.objects.filter(payee=payee).update(question=None, post=None)


def payee_by(secret: str) -> Payee | None:
    """Whose link this is, as long as it works."""
    since = timezone.now() - timedelta(days=settings.LEFT_DAYS)
    return Payee.objects.filter(claim_hash=keyed_hash(secret, PURPOSE), left_at__gte=since).first()


def ends_at(payee: Payee) -> datetime:
    """When the link of somebody who left stops to work."""
    return payee.left_at + timedelta(days=settings.LEFT_DAYS)


def close_due(say: Callable[[str], object] = lambda line: None) -> int:
    """End what the 90 days are over of; return how many. Money on its way is waited for."""
    over = timezone.now() - timedelta(days=settings.LEFT_DAYS)
    due = list(Payee.objects.filter(left_at__lt=over).order_by("left_at").values_list("pk", flat=True))
    closed = sum(_alone(_close, subject) for subject in due)
    for account in _nobodys():
        _alone(_give_away, account)
    say(f"{closed} of {len(due)} balances of members who left closed")
    return closed


def _alone(act: Callable[..., bool], of: UUID | Account) -> bool:
    """A fault at one keeps no other waiting."""
    try:
        return act(of)
    except Exception as error:
        log.exception("left_balance_not_closed", error=type(error).__name__)
        return False


@transaction.atomic
def _close(subject: UUID) -> bool:
    """The labels of polls, the payee, the accounts: in the order in which crediting locks them."""
    if Payout.objects.under_way().filter(subject=subject).exists():
        return False
    for member in Payee.objects.filter(pk=subject, member__isnull=False).values_list("member", flat=True):
        honoraria.drop_all(member=member)
    payee = Payee.objects.select_for_update().filter(pk=subject).first()
    if payee is None or Payout.objects.under_way().filter(subject=subject).exists():
        return False
    if not _give_away(ledger.payable_to(payee), payee):
        return False
    cut_ties(payee)
    payee.delete()
    return True


def _nobodys() -> list[Account]:
    """What came back, such as a check, after the way to its payee had ended."""
    known = Payee.objects.values("subject")
    owed = Account.objects.filter(kind=Account.Kind.PAYABLE, balance__gt=0)
    return list(owed.exclude(subject__in=known).order_by("pk"))


@transaction.atomic
def _give_away(account: Account, payee: Payee | None = None) -> bool:
    """Move all there is to the payee's charity or the first of ours; False where there is none."""
    charity = (payee and payee.charity) or Charity.objects.filter(is_active=True).order_by("name").first()
    [account] = ledger.lock(account)
    if account.balance and charity is None:
        log.warning("left_balance_without_charity")
        return False
    if account.balance:
        last = account.entries.latest("pk")
        ledger.post(
            kind=Transaction.Kind.LEFT,
            key=f"left:{account.pk}:{last.pk}",
            entries={account: -account.balance, ledger.held_for(charity): account.balance},
        )
    return True


def forget_tax_forms() -> int:
    """Delete the W-9 of payees who are gone, TAX_KEEP_YEARS after the year of their last payment."""
    return old_tax_forms(timezone.now()).delete()[0]


def old_tax_forms(at: datetime) -> QuerySet[TaxForm]:
    known = Payee.objects.values("subject")
    first_kept = at.astimezone(ZoneInfo(settings.TAX_TIME_ZONE)).year - settings.TAX_KEEP_YEARS
    since = at.replace(year=first_kept, month=1, day=1, hour=0, minute=0, second=0)
    paid = Payout.objects.filter(Q(ended_at=None) | Q(ended_at__gte=since), subject__isnull=False)
    moved = Account.objects.filter(entries__transaction__at__gte=since, subject__isnull=False)
    old = TaxForm.objects.filter(certified_at__lt=since).exclude(subject__in=known)
    return old.exclude(subject__in=paid.values("subject")).exclude(subject__in=moved.values("subject"))
