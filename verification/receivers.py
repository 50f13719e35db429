"""Answers to facts from below."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles
from sermo.background import nudge
from verification import tasks
from verification.services import stake
from verification.signals import board_loaded, member_revoked, registry_loaded, revocation_undone

REVIEWERS_MAY = {
    "claim": ["view_claim", "decide_claim"],
    "dispute": ["view_dispute"],
    "event": ["view_event"],
    "importrun": ["view_importrun", "add_importrun"],
    "licensecheck": ["view_licensecheck"],
    "maildomain": ["view_maildomain", "review_maildomain"],
    "challengeswitch": ["view_challengeswitch", "turn_questions"],
}
PRIVACY_MAY = {
    "incident": ["view_incident", "keep_incidents"],
    "retentionrun": ["view_retentionrun"],
    "unmasking": ["view_unmasking", "ask_unmasking", "grant_unmasking"],
}


@receiver(board_loaded)
@receiver(registry_loaded)
def recheck_claims(**kwargs):
    """Compare claims with what was loaded; should that be lost, the hourly sweep does it."""
    nudge(tasks.recheck_claims)


@receiver(post_migrate)
def allow_groups(sender, using, **kwargs):
    """Give reviewers and privacy officers what they need, and nothing that deletes. Superusers have it all."""
    if sender.label != "verification":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    for name, may in ((roles.REVIEWERS, REVIEWERS_MAY), (roles.PRIVACY, PRIVACY_MAY)):
        wanted = Permission.objects.filter(
            content_type__app_label="verification",
            content_type__model__in=may,
            codename__in=[codename for codenames in may.values() for codename in codenames],
        )
        apps.get_model("auth", "Group").objects.get(name=name).permissions.set(wanted)


@receiver(member_revoked)
def make_vouchers_pay(claim, **kwargs):
    """Whoever vouched for an impostor; a membership that ended for conduct costs them nothing."""
    if claim:
        stake.fail(claim=claim)


@receiver(revocation_undone)
def repay_vouchers(claim, **kwargs):
    stake.take_back(claim=claim)
