"""Carrying out the table of what is forgotten (`sermo.retention`), each rule by itself, with a record of each run.

A rule is carried out each night or each hour, never by both.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from sermo.retention import Rule, rules
from verification import rules as numbers
from verification.models import RetentionRun

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Row:
    """A rule with its last run, and how much is past its time now."""

    rule: Rule
    last: RetentionRun | None
    left: int | None  # none: it could not be counted

    @property
    def is_late(self) -> bool:
        """Whether it was not carried out within two days (or three hours), or failed, or left something over."""
        if self.last is None or self.last.failure or self.last.left_over:
            return True
        patience = timedelta(hours=3) if self.rule.is_hourly else timedelta(days=2)
        return self.last.at < timezone.now() - patience


def enforce_all(*, hourly: bool = False) -> list[RetentionRun]:
    """Carry out the rules of each night, or those of each hour, one after the other, whatever becomes of those before.

    Twice is as good as once.
    """
    return [enforce(rule) for rule in rules() if rule.is_hourly == hourly]


def enforce(rule: Rule) -> RetentionRun:
    """Carry out one rule and write down what it removed, and what was past its time before and still stands after.

    A rule that fails is written down with the kind of its fault, never its words: these may hold what is to go.
    """
    began, run = timezone.now(), RetentionRun(rule=rule.name)
    try:
        run.removed = rule.enforce()
        run.left_over = rule.left(began)
    except Exception as error:
        run.failure = type(error).__name__
        log.error("retention_failed", rule=rule.name, error=run.failure)
    if run.left_over:
        log.error("retention_left_over", rule=rule.name, left=run.left_over)
    run.at = timezone.now()
    run.save()
    return run


def left_of(rule: Rule) -> int | None:
    """How much is past its time now; None where it cannot be counted."""
    try:
        return rule.left(timezone.now())
    except Exception as error:
        log.error("retention_not_counted", rule=rule.name, error=type(error).__name__)
        return None


def table() -> list[Row]:
    """All rules with their last runs, for the desk."""
    last = {run.rule: run for run in RetentionRun.objects.order_by("rule", "-at", "-pk").distinct("rule")}
    return [Row(rule, last.get(rule.name), left_of(rule)) for rule in rules()]


def forget_runs() -> int:
    """Delete what is known of runs of six years ago. Returns how many."""
    return old_runs(timezone.now()).delete()[0]


def old_runs(at: datetime) -> QuerySet[RetentionRun]:
    return RetentionRun.objects.filter(at__lt=at - timedelta(days=numbers.RECORD_KEEP_DAYS))
