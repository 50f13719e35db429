"""What manufacturers report of payments to physicians (42 CFR 403.904), and what those say of it first.

A row is written with each payment of a firm, covered or not: a firm that comes to be covered reports what it paid
before, too. It is blind while the firm does not know whom it paid; the
physician reads all rows of theirs, 45 days before anything leaves, and may dispute them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from questions.models import Byline, Post
from rewards import sunshine, sunshine_file
from rewards.models import Award, Firm, OpenPayment, Payee, Report
from rewards.services import taxes, telling
from sermo.errors import RuleBroken
from verification.models import Claim
from verification.services import events

CASH = "Cash or cash equivalent"
HONORARIA = "Honoraria"
SERVICES = "Compensation for services other than consulting"  # its full words: rewards.sunshine_file
NATURES = {Award.Cause.AUTHOR: HONORARIA, Award.Cause.VOTER: HONORARIA}

Unblinded = OpenPayment.Unblinded
Dispute = OpenPayment.Dispute


class NotCovered(RuleBroken):
    message = "This firm reports nothing to Open Payments."


class YearNotOver(RuleBroken):
    message = "A year is reported when it is over."


class PreviewNotOver(RuleBroken):
    message = "Physicians may still read this report and dispute it."


class DisputeOpen(RuleBroken):
    message = "Somebody disputes a payment of this report. Answer that first."


class NothingToDispute(RuleBroken):
    message = "This payment is not reported, so there is nothing to dispute."


class AlreadyReported(RuleBroken):
    message = (
        "This was reported already. Dispute it in the Open Payments system, where the firm must answer you."
    )


class AnsweredBefore(RuleBroken):
    message = "Your dispute of this payment was answered."


class NotDisputed(RuleBroken):
    message = "Nobody disputes this payment."


class OwnPayment(RuleBroken):
    message = "Somebody else decides about payments to you."


class NoWords(RuleBroken):
    message = "Say it in a sentence."


@dataclass(frozen=True)
class Export:
    """A file, and what is in it. Of `unnamed` lines the receiver is not known any more; they were left out."""

    name: str
    text: str
    lines: int
    cents: int
    unnamed: int


# Payments


def note_all(paid: Iterable[tuple[Award, Post | None]]) -> None:
    """Keep what a report may need of payments, in the transaction that made them; each comes with the post that was
    earmarked, if one was. Noted twice is noted once.

    Who got it is kept where the firm is covered; where it comes to be, that is read when its report is opened. Takes
    the same few statements for one payment and for hundreds.
    """
    paid = list(paid)
    recipients = recipients_of(award.payee_id for award, _ in paid if award.firm.is_covered)
    rows = [_row(award, post, recipients.get(award.payee_id)) for award, post in paid]
    OpenPayment.objects.bulk_create(rows, ignore_conflicts=True)


def _row(award: Award, post: Post | None, recipient: dict[str, str] | None) -> OpenPayment:
    why = _why_known(award, post)
    paid_on = taxes.day_of(award.awarded_at)
    return OpenPayment(
        award=award,
        firm=award.firm,
        subject=award.payee_id,
        year=paid_on.year,
        paid_on=paid_on,
        cents=award.cents,
        form=CASH,
        nature=NATURES.get(award.cause, SERVICES),
        products=_products_in(award, post),
        charity_name=award.charity.name if award.charity else "",
        recipient=recipient if award.firm.is_covered else None,
        is_blind=not why,
        unblinded_on=paid_on if why else None,
        unblinded_by=why,
    )


def _why_known(award: Award, post: Post | None) -> str:
    """Why the firm knows whom it pays; empty where it does not. Voters of a post stay unknown whoever wrote it.

    What the firm read when it placed the earmark it knows, whatever became of the byline or of the author.
    """
    if award.sponsorship and not award.sponsorship.is_blinded:
        return Unblinded.SPONSOR
    if award.cause != Award.Cause.AUTHOR:
        return ""
    is_public = post is not None and post.byline.mode == Byline.Mode.PUBLIC
    return Unblinded.PUBLIC if is_public or award.earmark.was_public else ""


def _products_in(award: Award, post: Post | None) -> list[str]:
    """Products of the firm that are named where it paid."""
    texts = [award.question.title if award.question else "", post.source if post else ""]
    if award.room:
        texts += [award.room.label.room.title, award.room.label.room.about]
    named = [
        name
        for name in award.firm.products
        if any(re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) for text in texts)
    ]
    return named[: sunshine.MOST_PRODUCTS]


def recipients_of(subjects: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
    """Payees as verified now, under the registry's name where there is an entry: reports are matched to that.

    Of who has left, or holds no verified identity, it is empty.
    """
    subjects = set(subjects)
    if not subjects:
        return {}
    users = Payee.objects.filter(pk__in=subjects).values_list("member__user", "subject")
    of_user = {user: subject for user, subject in users if user}
    claims = Claim.objects.holding().filter(user__in=of_user).order_by("-pk")
    known = {of_user[claim.user_id]: _recipient(claim) for claim in claims}
    return {subject: known.get(subject, {}) for subject in subjects}


def _recipient(claim: Claim) -> dict[str, str]:
    typed, known = claim.typed, claim.registry or {}
    slots = known.get("licenses", [])
    slot = next((each for each in slots if each["is_primary"]), slots[0] if slots else {})
    return {
        "npi": known.get("npi") or typed["npi"] or "",
        "first_name": known.get("first_name") or typed["first"],
        "middle_name": known.get("middle_name", typed["middle"]) or "",
        "last_name": known.get("last_name") or typed["last"],
        "degree": claim.degree,
        "city": known.get("practice_city", ""),
        "state": known.get("practice_state") or claim.license_state,
        "zip": known.get("practice_zip", ""),
        "taxonomy": slot.get("taxonomy") or claim.specialty_id or "",
        "license_state": claim.license_state,
        "license_number": typed["license_number"] or _number_in(slots, claim.license_state),
    }


def _number_in(slots: list[dict], state: str) -> str:
    return next((each["number"] for each in slots if each["state"] == state and each["number"]), "")


@transaction.atomic
def unblind(*, payment: OpenPayment, why: str = Unblinded.FINANCE, by: User | None = None) -> OpenPayment:
    """Note that the firm knows from today on whom it paid; the first day stands.

    Where physicians read the firm's report of that year already, this one is told, and the payment goes into exports
    once it could be read for as long as the others.
    """
    events.lock_chain()
    payment = _locked(payment)
    if not payment.is_blind:
        return payment
    payment.is_blind = False
    payment.unblinded_on = taxes.today()
    payment.unblinded_by = why
    payment.save(update_fields=["is_blind", "unblinded_on", "unblinded_by"])
    events.record(kind="finance_op_unblind", by=by, object=_name(payment), reason=why)
    report = Report.objects.filter(firm=payment.firm_id, firm__is_covered=True, year=payment.year).first()
    if report and payment.unblinded_on <= sunshine.learned_by(payment.year):
        telling.of_preview([payment.subject], payment.year, f"{report.pk}:late:{payment.pk}")
    return payment


# Reports


@transaction.atomic
def open_report(firm: Firm, year: int, by: User | None = None) -> Report:
    """Let physicians read what a firm reports of a year, for OPEN_PAYMENTS_PREVIEW_DAYS. Opened twice is opened once.

    Who got what was paid while the firm was not covered is read now. Raises NotCovered, YearNotOver.
    """
    if not firm.is_covered:
        raise NotCovered
    today = taxes.today()
    if today.year <= year:
        raise YearNotOver
    events.lock_chain()
    closes_on = today + timedelta(days=settings.OPEN_PAYMENTS_PREVIEW_DAYS)
    report, is_new = Report.objects.get_or_create(
        firm=firm, year=year, defaults={"opened_on": today, "closes_on": closes_on}
    )
    _fill_recipients(report)
    if is_new:
        events.record(kind="finance_op_open", by=by, object=f"report:{report.pk}")
        telling.of_preview({row.subject for row in sunshine.reported(report)}, year, report.pk)
    return report


def _fill_recipients(report: Report) -> None:
    rows = OpenPayment.objects.filter(firm=report.firm_id, year=report.year, recipient__isnull=True)
    missing = list(rows.select_for_update(no_key=True).only("subject").order_by("pk"))
    recipients = recipients_of(row.subject for row in missing)
    for row in missing:
        row.recipient = recipients[row.subject]
    OpenPayment.objects.bulk_update(missing, ["recipient"], batch_size=500)


def rows_for(report: Report) -> list[sunshine.Line]:
    """What a report holds as things stand, as lines of its file."""
    return sunshine.lines_of(sunshine.reported(report))


@transaction.atomic
def export(*, report: Report, by: User | None = None) -> Export:
    """The file for the firm: all that could be read for the whole preview. A later file takes the place of this one.

    Raises NotCovered, PreviewNotOver, DisputeOpen.
    """
    events.lock_chain()
    report = Report.objects.select_for_update(no_key=True).select_related("firm").get(pk=report.pk)
    if not report.firm.is_covered:
        raise NotCovered
    today = taxes.today()
    if today <= report.closes_on:
        raise PreviewNotOver
    if open_disputes(report).exists():
        raise DisputeOpen
    payments = sunshine.reported(report, before=sunshine.could_be_read_since(today))
    lines = sunshine.lines_of(payments)
    named = [line for line in lines if line.recipient]
    firm, year = report.firm, report.year
    text = sunshine_file.as_csv(named, firm=firm, year=year, layout=taxes.rule_of(year).layout)
    report.exported_at = timezone.now()
    report.rows, report.cents = len(named), sum(line.cents for line in named)
    report.save(update_fields=["exported_at", "rows", "cents"])
    events.record(kind="finance_op_export", by=by, object=f"report:{report.pk}")
    name = f"open-payments-{year}-{firm.registration_id}.csv"
    return Export(name, text, report.rows, report.cents, len(lines) - len(named))


def open_disputes(report: Report) -> QuerySet[OpenPayment]:
    return OpenPayment.objects.filter(firm=report.firm_id, year=report.year, dispute=Dispute.OPEN)


# Disputes


@transaction.atomic
def dispute(*, payment: OpenPayment, words: str) -> OpenPayment:
    """Say that a payment is reported wrongly, in the words of whoever got it. Said twice is said once.

    Raises NothingToDispute, AlreadyReported, AnsweredBefore, NoWords.
    """
    if not (words := words.strip()):
        raise NoWords
    report = (
        Report.objects.select_for_update(no_key=True).filter(firm=payment.firm_id, year=payment.year).first()
    )
    payment = _locked(payment)
    if payment.dispute == Dispute.OPEN:
        return payment
    if payment.dispute:
        raise AnsweredBefore
    check_disputable(payment, report)
    payment.dispute = Dispute.OPEN
    payment.disputed_at = timezone.now()
    payment.dispute_words = words
    payment.save(update_fields=["dispute", "disputed_at", "dispute_words"])
    return payment


def check_disputable(payment: OpenPayment, report: Report | None) -> None:
    """Raises NothingToDispute where it is in no report, AlreadyReported where it left in a file."""
    rows = sunshine.read(OpenPayment.objects.filter(pk=payment.pk))
    if not sunshine.counted(rows).exists():
        raise NothingToDispute
    if has_left(payment, report):
        raise AlreadyReported


def has_left(payment: OpenPayment, report: Report | None) -> bool:
    """Whether a payment that counts was among those of the firm's last file."""
    if report is None or report.exported_at is None:
        return False
    exported_on = taxes.day_of(report.exported_at)
    return payment.unblinded_on < sunshine.could_be_read_since(exported_on)


@transaction.atomic
def answer(
    *,
    payment: OpenPayment,
    outcome: str,
    words: str,
    by: User,
    recipient: Mapping[str, str] | None = None,
) -> OpenPayment:
    """Answer a dispute: kept as it was, or corrected. What is corrected is who got it, in all payments of the firm's
    report, as far as `recipient` says something; without one, the payment is left out. Answered alike twice is
    answered once.

    Raises NotDisputed, AnsweredBefore, OwnPayment, NoWords.
    """
    if not (words := words.strip()):
        raise NoWords
    events.lock_chain()
    payment = _locked(payment)
    if not payment.dispute:
        raise NotDisputed
    if Payee.objects.filter(pk=payment.subject, member__user=by).exists():
        raise OwnPayment
    if payment.dispute != Dispute.OPEN:
        if payment.dispute == outcome and payment.dispute_answer == words:
            return payment
        raise AnsweredBefore
    payment.dispute = Dispute(outcome)
    payment.dispute_answer = words
    payment.answered_at = timezone.now()
    payment.excluded = outcome == Dispute.CORRECTED and not recipient
    payment.save(update_fields=["dispute", "dispute_answer", "answered_at", "excluded"])
    if outcome == Dispute.CORRECTED and recipient:
        _correct_recipient(payment, recipient)
    events.record(kind="finance_op_answer", by=by, object=_name(payment), reason=outcome)
    telling.of_preview([payment.subject], payment.year, f"answer:{payment.pk}")
    return payment


def _correct_recipient(payment: OpenPayment, recipient: Mapping[str, str]) -> None:
    same = OpenPayment.objects.filter(subject=payment.subject, firm=payment.firm_id, year=payment.year)
    for row in same.select_for_update(no_key=True).order_by("pk"):
        row.recipient = {**(row.recipient or {}), **recipient}
        row.save(update_fields=["recipient"])


def _locked(payment: OpenPayment) -> OpenPayment:
    rows = OpenPayment.objects.select_for_update(no_key=True, of=("self",)).select_related("firm")
    return rows.get(pk=payment.pk)


def _name(payment: OpenPayment) -> str:
    return f"open_payment:{payment.pk}"
