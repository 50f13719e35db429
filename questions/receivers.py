"""What discussions do when something lower has happened."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles
from accounts.signals import byline_mode_changed
from questions import ranking
from questions.services import bylines, revoking
from verification.signals import member_revoked, vouch_failed

MODERATORS_MAY = ["view_pairflag", "change_pairflag"]


@receiver(byline_mode_changed)
def mask_earlier_bylines(member, was, **kwargs):
    bylines.mask_earlier(member=member, was=was)


@receiver(member_revoked)
def remove_votes_of_the_revoked(member, **kwargs):
    if member:
        revoking.remove_votes(member=member)


@receiver(vouch_failed)
def count_failed_vouches(member, **kwargs):
    ranking.recompute_points(member.pk)


@receiver(post_migrate)
def allow_moderators(sender, using, **kwargs):
    """Give the moderators' group what it decides here in the administration."""
    if sender.label != "questions":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    group = apps.get_model("auth", "Group").objects.get(name=roles.MODERATORS)
    group.permissions.add(
        *Permission.objects.filter(content_type__app_label="questions", codename__in=MODERATORS_MAY)
    )
