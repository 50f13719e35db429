"""Answers to facts from below."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles
from verification.services import stake
from verification.signals import member_revoked, revocation_undone

REVIEWERS_MAY = {
    "claim": ["view_claim", "decide_claim"],
    "dispute": ["view_dispute"],
    "event": ["view_event"],
}
PRIVACY_OFFICERS_MAY = ["view_unmasking", "ask_unmasking", "grant_unmasking"]


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


@receiver(post_migrate)
def allow_privacy_officers(sender, using, **kwargs):
    """Give privacy officers the breaking of the glass, which superusers have too, and reviewers have not."""
    if sender.label != "verification":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    group = apps.get_model("auth", "Group").objects.get(name=roles.PRIVACY)
    group.permissions.add(
        *Permission.objects.filter(content_type__app_label="verification", codename__in=PRIVACY_OFFICERS_MAY)
    )


@receiver(member_revoked)
def make_vouchers_pay(claim, **kwargs):
    """Whoever vouched for an impostor; a membership that ended for conduct costs them nothing."""
    if claim:
        stake.fail(claim=claim)


@receiver(revocation_undone)
def repay_vouchers(claim, **kwargs):
    stake.take_back(claim=claim)
