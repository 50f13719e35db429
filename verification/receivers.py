"""Answers to facts from below."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles
from sermo.background import nudge
from verification import tasks
from verification.signals import board_loaded, registry_loaded

REVIEWERS_MAY = {
    "claim": ["view_claim", "decide_claim"],
    "dispute": ["view_dispute"],
    "event": ["view_event"],
    "licensecheck": ["view_licensecheck"],
}


@receiver(board_loaded)
@receiver(registry_loaded)
def recheck_claims(**kwargs):
    """Compare claims with what was loaded; should that be lost, the hourly sweep does it."""
    nudge(tasks.recheck_claims)


@receiver(post_migrate)
def allow_reviewers(sender, using, **kwargs):
    """Give the reviewers' group what it needs, and nothing that deletes."""
    if sender.label != "verification":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    group = apps.get_model("auth", "Group").objects.get(name=roles.REVIEWERS)
    wanted = Permission.objects.filter(
        content_type__app_label="verification",
        content_type__model__in=REVIEWERS_MAY,
        codename__in=[codename for codenames in REVIEWERS_MAY.values() for codename in codenames],
    )
    group.permissions.set(wanted)
