"""What a member decides about their own money: who gets it, by which way, and what the tax office needs."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from accounts.services import mail
from rewards import methods
from rewards.models import Affiliation, Charity, Firm, Payee, PayoutMethod, TaxForm
from sermo.errors import RuleBroken

Takes = Payee.Takes


class CharityMissing(RuleBroken):
    message = "Choose the charity that gets it."


class CharityNotOffered(RuleBroken):
    message = "This charity is not offered any more. Choose another one."


class FirmNotHere(RuleBroken):
    message = "This firm is not active here."


def payee_of(member: Member) -> Payee:
    """Whom the ledger knows a member as, made when first needed; two at once make one.

    Whoever needs those of several members in one transaction asks in the order of their ids.
    """
    return Payee.objects.get_or_create(member=member)[0]


def known_payee(member: Member) -> Payee | None:
    """The same where there is one; who has none takes money and may be earmarked."""
    return Payee.objects.filter(member=member).first()


@transaction.atomic
def choose(
    *, member: Member, takes: str, charity: Charity | None = None, may_be_earmarked: bool = True
) -> Payee:
    """Say what becomes of money earned from now on. What is on the balance stays there.

    Raises CharityMissing, CharityNotOffered.
    """
    payee = _lock(member)
    if takes == Takes.CHARITY:
        _check_charity(charity, payee)
    payee.takes = Takes(takes)
    payee.charity = charity if takes == Takes.CHARITY else None
    payee.may_be_earmarked = may_be_earmarked
    payee.save(update_fields=["takes", "charity", "may_be_earmarked"])
    return payee


def _check_charity(charity: Charity | None, payee: Payee) -> None:
    """One chosen before may stay chosen when it is not offered any more."""
    if charity is None:
        raise CharityMissing
    if not charity.is_active and charity.pk != payee.charity_id:
        raise CharityNotOffered


def _lock(member: Member) -> Payee:
    return Payee.objects.select_for_update(no_key=True).get(pk=payee_of(member).pk)


# Affiliations


def are_affiliated(member: Member, firm: Firm) -> bool:
    return Affiliation.objects.filter(member=member, firm=firm, ended_at=None).exists()


def affiliations_of(member: Member) -> QuerySet[Affiliation]:
    """Those that stand, with their firms, by name."""
    rows = Affiliation.objects.filter(member=member, ended_at=None)
    return rows.select_related("firm").order_by("firm__name")


def declare_affiliation(*, member: Member, firm: Firm) -> Affiliation:
    """Note that a firm employs a member or pays them elsewhere. Twice is as good as once. Raises FirmNotHere."""
    if not firm.is_active:
        raise FirmNotHere
    return Affiliation.objects.get_or_create(member=member, firm=firm, ended_at=None)[0]


def end_affiliation(*, member: Member, firm: Firm) -> None:
    """Note that it does not any more. What was not paid meanwhile stays unpaid."""
    Affiliation.objects.filter(member=member, firm=firm, ended_at=None).update(ended_at=timezone.now())


# The way of a payout


def method_of(payee: Payee) -> PayoutMethod | None:
    return PayoutMethod.objects.filter(payee=payee).first()


@transaction.atomic
def set_method(*, member: Member, method: str, details: Mapping[str, Any]) -> PayoutMethod:
    """Say where payouts go, in place of what was said before; those asked for already keep their way.

    A mail tells whoever has not left of it, lest somebody else did it. `details` are as a form of `rewards.methods`
    cleaned them. Raises methods.NotOffered.
    """
    if method not in methods.offered():
        raise methods.NotOffered
    payee = _lock(member)
    now = timezone.now()
    kept, _ = PayoutMethod.objects.update_or_create(
        payee=payee, defaults={"method": method, "details": dict(details), "changed_at": now}
    )
    if member.user_id:
        _write_of_method(member)
    return kept


def _write_of_method(member: Member) -> None:
    if member.user_id is None:  # has left, and came by the link of the farewell mail
        return
    link = settings.SITE_URL + reverse("accounts:security")
    subject, _, text = render_to_string("rewards/mail/method.txt", {"link": link}).partition("\n")
    mail.queue(member.user, subject.strip(), text.lstrip())


# Form W-9


def tax_form_of(payee: Payee) -> TaxForm | None:
    return TaxForm.objects.filter(subject=payee.subject).first()


@transaction.atomic
def certify_w9(*, member: Member, form: Mapping[str, Any]) -> TaxForm:
    """Keep Form W-9 as certified, in place of an earlier one. `form` is as the form cleaned it."""
    payee = _lock(member)
    now = timezone.now()
    return TaxForm.objects.update_or_create(
        subject=payee.subject, defaults={"form": dict(form), "certified_at": now}
    )[0]
