"""Each rule by itself, a record of each run, the command and the nightly task."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sermo.retention import Rule
from verification import tasks
from verification.models import Document, RetentionRun
from verification.services import retention

pytestmark = pytest.mark.django_db


def rule(name="verification.tried", *, enforce=lambda: 0, left=lambda at: 0, **more):
    said = {"what": "Things", "kept": "a day", "why": "Nobody needs them."}
    return Rule(name=name, **said, enforce=enforce, left=left, **more)


@pytest.fixture
def three(monkeypatch):
    """Three rules, of which the one in the middle fails with a name in its words."""

    def fail():
        raise ValueError("Quillfeather")

    found = [
        rule("accounts.first", enforce=lambda: 2),
        rule("accounts.second", enforce=fail),
        rule("verification.third", left=lambda at: 4),
    ]
    for module in ("verification.services.retention", "sermo.retention"):
        monkeypatch.setattr(f"{module}.rules", lambda: found)
    return found


def command(*arguments):
    out = StringIO()
    call_command("enforce_retention", *arguments, stdout=out)
    return out.getvalue()


def test_a_rule_that_fails_stops_no_other(three, capfd):
    tasks.enforce_retention()

    runs = RetentionRun.objects.order_by("pk").values_list("rule", "removed", "left_over", "failure")
    assert list(runs) == [
        ("accounts.first", 2, 0, ""),
        ("accounts.second", 0, 0, "ValueError"),
        ("verification.third", 0, 4, ""),
    ]


def test_the_words_of_a_fault_stand_nowhere(three, caplog):
    tasks.enforce_retention()

    assert "Quillfeather" not in caplog.text
    assert "accounts.second" in caplog.text
    assert not RetentionRun.objects.filter(failure__contains="Quillfeather").exists()


def test_the_command_says_what_went_and_fails_where_a_rule_did(three):
    out = StringIO()
    with pytest.raises(CommandError, match="2 rules did not do all they should"):
        call_command("enforce_retention", stdout=out)

    assert out.getvalue().splitlines() == [
        "accounts.first: 2 removed",
        "accounts.second: failed, ValueError",
        "verification.third: 0 removed, 4 LEFT",
    ]


def test_a_dry_run_counts_and_removes_nothing(three):
    assert command("--dry-run").splitlines() == [
        "accounts.first: 0 past its time",
        "accounts.second: 0 past its time",
        "verification.third: 4 past its time",
    ]
    assert not RetentionRun.objects.exists()
    assert not Document.objects.exists()


def test_what_cannot_be_counted_is_said(monkeypatch):
    def fail(at):
        raise ValueError

    monkeypatch.setattr("sermo.retention.rules", lambda: [rule(left=fail)])

    assert command("--dry-run") == "verification.tried: cannot be counted\n"


@pytest.mark.parametrize(
    ("last", "is_late"),
    [
        (None, True),
        ({}, False),
        ({"at": timedelta(days=3)}, True),
        ({"failure": "ValueError"}, True),
        ({"left_over": 1}, True),
    ],
)
def test_a_row_is_late_that_was_not_done_well_within_two_days(last, is_late):
    if last is not None:
        last = {**last, "at": timezone.now() - last.get("at", timedelta(hours=1))}
        last = RetentionRun(rule="verification.tried", **last)

    assert retention.Row(rule(), last, 0).is_late is is_late


def test_what_is_forgotten_each_hour_is_late_after_three(monkeypatch):
    last = RetentionRun(rule="verification.tried", at=timezone.now() - timedelta(hours=4))

    assert retention.Row(rule(is_hourly=True), last, 0).is_late
    assert not retention.Row(rule(), last, 0).is_late


def test_each_rule_is_carried_out_by_the_night_or_by_the_hour(monkeypatch):
    rules = [rule(name="accounts.nightly"), rule(name="accounts.hourly", is_hourly=True)]
    monkeypatch.setattr("verification.services.retention.rules", lambda: rules)

    tasks.enforce_retention()
    assert list(RetentionRun.objects.values_list("rule", flat=True)) == ["accounts.nightly"]
    tasks.enforce_hourly_retention()
    assert list(RetentionRun.objects.order_by("pk").values_list("rule", flat=True)) == [
        "accounts.nightly",
        "accounts.hourly",
    ]


def test_the_table_has_the_last_run_of_each_rule(three):
    for _ in range(2):
        retention.enforce_all()

    rows = retention.table()

    assert [row.rule.name for row in rows] == ["accounts.first", "accounts.second", "verification.third"]
    assert rows[0].last == RetentionRun.objects.filter(rule="accounts.first").latest("pk")
    assert [row.left for row in rows] == [0, 0, 4]


def test_it_runs_on_an_empty_site_and_twice(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    for _ in range(2):
        retention.enforce_all()

    assert not RetentionRun.objects.exclude(failure="", removed=0, left_over=0).exists()
