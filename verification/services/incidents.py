"""The record of incidents: each step once and in order, with a note, and a clock that runs from the discovery.

After the breach notification rule (45 CFR 164.400-414), whose words the desk shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import PRIVACY
from accounts.services import mail
from sermo.background import each_alone
from sermo.errors import RuleBroken
from verification.models import Event, Incident, IncidentNote
from verification.services import events

log = structlog.get_logger(__name__)
Verdict = Incident.Verdict
REMINDED_AT = (30, 14, 7, 1)  # days left
MANY = 500  # people, from which on the Secretary is told at once; with more, the press too

FACTORS = {  # 45 CFR 164.402(2)
    "data": "Which data, and of how many kinds? How likely is it that somebody is recognized by them?",
    "who": "Who used them, or to whom were they shown? Does that person have duties of their own to keep them?",
    "seen": "Were they really taken or seen, or could they only have been?",
    "mended": "How far has the risk been taken back since?",
}


class NotNow(RuleBroken):
    message = "This step was taken already, or another comes before it. Load the page again."


class InTheFuture(RuleBroken):
    message = "It cannot have been discovered after now."


class NobodyAffected(RuleBroken):
    message = "A breach has people whom it affects. Count them, or estimate."


class FactorMissing(RuleBroken):
    message = "Answer all four questions. Without them the law takes it for a breach."


class NoteMissing(RuleBroken):
    message = "Say what was found or done."


@dataclass(frozen=True)
class Clock:
    """The 60 days in words, with a tone of its badge: "", solved, warn or urgent."""

    words: str
    tone: str
    days_left: int | None  # none: it does not run


# Steps


@transaction.atomic
def open_incident(*, title: str, kind: str, detected_at: datetime, text: str, by: User) -> Incident:
    """Begin the record of something that was discovered. The same again is the same incident.

    Raises InTheFuture, NoteMissing.
    """
    if detected_at > timezone.now():
        raise InTheFuture
    events.lock_chain()  # two who send one form at once are one after the other
    told = {"title": title.strip(), "kind": kind, "detected_at": detected_at, "opened_by": by}
    if known := Incident.objects.filter(**told).first():
        return known
    incident = Incident.objects.create(**told)
    _note(incident, "detected", text, by)
    _record("opened", incident, by, [kind])
    return incident


def contain(*, incident: Incident, text: str, by: User) -> Incident:
    """Note that nothing more is disclosed. Raises NotNow, NoteMissing."""
    return _take("contained", incident, by, [("", text)])


def assess(
    *, incident: Incident, verdict: str, affected: int, factors: Mapping[str, str], text: str, by: User
) -> Incident:
    """Say whether it was a breach, by the four factors of the law (FACTORS), and how many people it affects.

    Raises NotNow, NoteMissing, FactorMissing, NobodyAffected.
    """
    if verdict == Verdict.BREACH and affected < 1:
        raise NobodyAffected
    if any(not factors.get(name, "").strip() for name in FACTORS):
        raise FactorMissing
    notes = [*((question, factors[name]) for name, question in FACTORS.items()), ("", text)]
    changes = {"verdict": Verdict(verdict), "affected": affected}
    return _take("assessed", incident, by, notes, [verdict], **changes)


def notify(*, incident: Incident, text: str, by: User) -> Incident:
    """Note who was told, how and when. Raises NotNow, NoteMissing."""
    return _take("notified", incident, by, [("", text)])


def close(*, incident: Incident, text: str, by: User) -> Incident:
    """End the record with what was learned. Raises NotNow, NoteMissing."""
    return _take("closed", incident, by, [("", text)])


@transaction.atomic
def add_note(*, incident: Incident, text: str, by: User) -> IncidentNote:
    """Write down more, whatever the step, also after the end. Raises NoteMissing."""
    incident = Incident.objects.select_for_update().get(pk=incident.pk)
    last = incident.notes.last()
    if last and (last.by_id, last.step, last.text) == (by.pk, "", text.strip()):
        return last  # sent twice
    note = _note(incident, "", text, by)
    _record("note", incident, by, [], key=f"incident_note {note.pk}")
    return note


def next_step(incident: Incident) -> str:
    """contained, assessed, notified or closed; nothing once it is closed."""
    if incident.closed_at:
        return ""
    if not incident.contained_at:
        return "contained"
    if not incident.assessed_at:
        return "assessed"
    return "notified" if incident.verdict == Verdict.BREACH and not incident.notified_at else "closed"


@transaction.atomic
def _take(
    step: str,
    incident: Incident,
    by: User,
    notes: list[tuple[str, str]],
    evidence: list[str] | None = None,
    **changes,
) -> Incident:
    incident = Incident.objects.select_for_update().get(pk=incident.pk)
    if next_step(incident) != step:
        raise NotNow
    changes[f"{step}_at"] = timezone.now()
    for name, value in changes.items():
        setattr(incident, name, value)
    incident.save(update_fields=list(changes))
    for question, text in notes:
        _note(incident, step, text, by, question)
    _record(step, incident, by, evidence or [])
    return incident


def _note(incident: Incident, step: str, text: str, by: User, question: str = "") -> IncidentNote:
    text = text.strip()
    if not text:
        raise NoteMissing
    said = f"{question}\n{text}" if question else text
    return IncidentNote.objects.create(incident=incident, step=step, text=said, by=by)


def _record(kind: str, incident: Incident, by: User | None, evidence: list[str], key: str = "") -> None:
    events.record(
        kind=f"incident_{kind}",
        by=by,
        object=f"privacy_incident:{incident.pk}",  # "incident" is one of a case
        evidence=evidence,
        key=key or f"incident_{kind} {incident.pk}",
    )


# The clock


def clock(incident: Incident, today: date | None = None) -> Clock:
    """How much of the 60 days is left on a day (UTC)."""
    if incident.notified_at:
        late = incident.notified_at.astimezone(UTC).date() > incident.due_on
        return Clock("Told, after the term" if late else "Told in time", "urgent" if late else "solved", None)
    if incident.assessed_at and incident.verdict != Verdict.BREACH:
        return Clock("Nobody needs to be told", "solved", None)
    left = (incident.due_on - (today or timezone.now().astimezone(UTC).date())).days
    if left < 0:
        return Clock(f"{_days(-left)} OVERDUE, since {incident.due_on}", "urgent", left)
    if left == 0:
        return Clock("Due today", "urgent", left)
    return Clock(f"{_days(left)} left, until {incident.due_on}", "warn" if left <= 14 else "", left)


def running() -> QuerySet[Incident]:
    """Incidents whose clock runs: not told, not found to need no notice."""
    return Incident.objects.filter(
        Q(assessed_at=None) | Q(verdict=Verdict.BREACH), notified_at=None, closed_at=None
    )


def duties(incident: Incident) -> list[str]:
    """What the law wants once it is a breach, by how many people it affects, in sentences."""
    if incident.verdict != Verdict.BREACH:
        return []
    due = incident.due_on
    wanted = [
        f"Each person is told in writing without unreasonable delay, by {due} at the latest: what happened, which "
        "data, what they can do, what is done here, and whom to ask (45 CFR 164.404)."
    ]
    if incident.affected > MANY:
        wanted.append(
            f"More than {MANY} people: in every state where more than {MANY} of them live, prominent media are told "
            f"by {due}, too (164.406)."
        )
    if incident.affected >= MANY:
        wanted.append(
            f"{MANY} people or more: the Secretary of HHS is told at the same time as they are, by {due} "
            "(164.408(b))."
        )
    else:
        year = incident.detected_at.astimezone(UTC).year
        by = date(year, 12, 31) + timedelta(days=60)
        wanted.append(
            f"Fewer than {MANY} people: the Secretary of HHS is told by {by}, 60 days after the end of the year "
            "(164.408(c))."
        )
    wanted.append(
        "Laws of the states may ask for more, and sooner: let counsel look at each state concerned."
    )
    return wanted


# Reminders


def remind_due() -> int:
    """Mail the group of each incident that came to 30, 14, 7 or 1 days left, and each week once it is overdue.

    Once for each of these, however often it is called; a day on which nothing ran, or on which an incident's mail could
    not be written, is made up for. Returns how many incidents were told of.
    """
    return each_alone(_remind, running().values_list("pk", flat=True), failed="incident_not_reminded")


@transaction.atomic
def _remind(incident_id: int) -> bool:
    incident = running().select_for_update().filter(pk=incident_id).first()
    if incident is None:
        return False
    found = clock(incident)
    stage = _stage(found.days_left)
    if stage is None:
        return False
    events.lock_chain()
    key = f"incident_reminded {incident.pk} {stage}"
    if Event.objects.filter(key=key).exists():
        return False
    _record("reminded", incident, None, [stage], key=key)
    tell_privacy(
        "incident",
        {
            "incident": incident,
            "clock": found.words,
            "link": settings.SITE_URL + reverse("admin:verification_incident_change", args=[incident.pk]),
        },
    )
    return True


def _stage(left: int) -> str | None:
    if left < 0:
        return f"overdue {(-left - 1) // 7}"
    passed = [days for days in REMINDED_AT if left <= days]
    return str(min(passed)) if passed else None


def tell_privacy(about: str, context: dict) -> None:
    """Mail `about` to everybody of the group Privacy; to superusers where nobody is in it."""
    active = User.objects.filter(is_active=True)
    people = list(active.filter(groups__name=PRIVACY).distinct()) or list(active.filter(is_superuser=True))
    if not people:
        log.error("nobody_to_tell", about=about)
    for user in people:
        tell_desk(user, about, context)


def tell_desk(user: User, about: str, context: dict) -> None:
    """Write somebody of the desk the mail templates/verification/mail/staff/<about>.txt, which names nobody."""
    text = render_to_string(f"verification/mail/staff/{about}.txt", context)
    subject, _, text = text.partition("\n")
    mail.queue(user, subject.strip(), text.lstrip())


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
