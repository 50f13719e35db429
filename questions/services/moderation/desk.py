"""Who looks at what: claiming a report for a while, giving it back, asking another moderator's view."""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from questions.models import Report
from questions.services.moderation import rights
from sermo.errors import RuleBroken


class ClaimedByAnother(RuleBroken):
    message = "Another moderator is looking at this report."


class DecidedMeanwhile(RuleBroken):
    message = "This report has been decided meanwhile."


class AskedForAnother(RuleBroken):
    message = "You asked for a second opinion. Another moderator decides, or you take the request back."


@transaction.atomic
def claim(*, report: Report, by: User) -> Report:
    """Take a report, for half an hour; claiming again starts the time anew.

    Raises rights.NotAModerator, rights.TakesPart, ClaimedByAnother, DecidedMeanwhile, AskedForAnother.
    """
    report = _lock(report, by)
    rights.check_may_decide(by, report.post)
    check_claim(report, by)
    report.claimed_by, report.claimed_at = by, timezone.now()
    report.save(update_fields=["claimed_by", "claimed_at"])
    return report


@transaction.atomic
def release(*, report: Report, by: User) -> Report:
    """Give a claimed report back. What one has not claimed is left alone. Raises rights.NotAModerator,
    DecidedMeanwhile."""
    report = _lock(report, by)
    if report.claimed_by_id == by.pk:
        let_go(report)
    return report


@transaction.atomic
def ask_opinion(*, report: Report, by: User) -> Report:
    """Leave a report to another moderator. Raises the same as `claim`."""
    report = _lock(report, by)
    rights.check_may_decide(by, report.post)
    check_claim(report, by)
    report.opinion_wanted_by = by
    let_go(report)
    return report


@transaction.atomic
def take_opinion_back(*, report: Report, by: User) -> Report:
    """Decide after all what one had left to another. Raises rights.NotAModerator, DecidedMeanwhile."""
    report = _lock(report, by)
    if report.opinion_wanted_by_id == by.pk:
        report.opinion_wanted_by = None
        report.save(update_fields=["opinion_wanted_by"])
    return report


def check_claim(report: Report, by: User) -> None:
    """Raises ClaimedByAnother, AskedForAnother."""
    if report.holder and report.holder != by:
        raise ClaimedByAnother
    if report.opinion_wanted_by_id == by.pk:
        raise AskedForAnother


def let_go(report: Report) -> None:
    """Take the claim from a locked report."""
    report.claimed_by = report.claimed_at = None
    report.save(update_fields=["claimed_by", "claimed_at", "opinion_wanted_by"])


def _lock(report: Report, by: User) -> Report:
    rights.check_moderator(by)
    rows = Report.objects.select_for_update(of=("self",)).select_related("post", "claimed_by")
    report = rows.get(pk=report.pk)
    if report.closed_at:
        raise DecidedMeanwhile
    return report
