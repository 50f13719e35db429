"""That a picture showed who a patient is: found, contained, assessed, told, closed, within the days of the rule."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from consults.models import Case, Image, Incident
from questions.services.moderation import rights
from sermo.errors import RuleBroken
from verification.services import events


class OwnIncident(RuleBroken):
    message = "This is about a case of your own. Another moderator writes this."


class IncidentClosed(RuleBroken):
    message = "This incident is closed."


class AssessmentMissing(RuleBroken):
    message = (
        "Write the assessment first: what was shown, who could see it, how likely somebody was recognized."
    )


def begin(*, image: Image, case: Case, found_at: datetime) -> Incident:
    """Write down that a locked picture was shown, while it still says since when it is hidden. Twice is one."""
    incident, _ = Incident.objects.get_or_create(
        image=image,
        defaults={
            "shown_from": case.question.opened_at,
            "found_at": found_at,
            "contained_at": image.hidden_at or timezone.now(),
            "due_at": found_at + timedelta(days=settings.INCIDENT_DAYS),
        },
    )
    return incident


@transaction.atomic
def note(
    *, incident: Incident, by: User, assessment: str, notified: bool = False, close: bool = False
) -> Incident:
    """Keep the assessment, that those concerned were told, and that all is done. What was told stays told.

    Raises rights.NotAModerator, OwnIncident, rights.TakesPart, IncidentClosed, AssessmentMissing.
    """
    rights.check_moderator(by)
    events.lock_chain()
    rows = Incident.objects.select_for_update(of=("self",)).select_related("image__case__question")
    incident = rows.get(pk=incident.pk)
    if by.as_member and incident.image.case.question.asker_id == by.as_member.pk:
        raise OwnIncident
    rights.check_no_part(by, incident.image.case_id)
    if incident.closed_at:
        raise IncidentClosed
    assessment, now = assessment.strip(), timezone.now()
    if not assessment and (close or notified or incident.assessment):
        raise AssessmentMissing
    steps = []
    if assessment != incident.assessment:
        incident.assessment, incident.assessed_at = assessment, now
        steps.append("assessed")
    if notified and not incident.notified_at:
        incident.notified_at = now
        steps.append("notified")
    if close:
        incident.closed_at = now
        steps.append("closed")
    incident.save(update_fields=["assessment", "assessed_at", "notified_at", "closed_at"])
    for step in steps:
        events.record(kind="moderation_incident", by=by, to_state=step, object=f"incident:{incident.pk}")
    return incident
