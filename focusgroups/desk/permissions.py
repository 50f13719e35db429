"""What the moderators' group may do with rooms: begin one, and run those it was put in charge of."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles

MODERATORS_MAY = ["view_room", "add_room", "change_room"]


@receiver(post_migrate)
def allow_moderators(sender, using, **kwargs):
    """Give the moderators' group its rooms."""
    if sender.label != "focusgroups":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    group = apps.get_model("auth", "Group").objects.get(name=roles.MODERATORS)
    group.permissions.add(
        *Permission.objects.filter(content_type__app_label="focusgroups", codename__in=MODERATORS_MAY)
    )
