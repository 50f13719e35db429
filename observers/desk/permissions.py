"""What the finance group may do with the contracts of firms: all but delete."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles

FINANCE_MAY = [
    *("view_plan", "add_plan", "change_plan"),
    *("view_contract", "add_contract", "change_contract"),
    *("view_seat", "view_seatinvitation"),
    *("view_read", "view_export"),
]


@receiver(post_migrate)
def allow_finance(sender, using, **kwargs):
    """Give the finance group the desk of contracts."""
    if sender.label != "observers":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    group = apps.get_model("auth", "Group").objects.get(name=roles.FINANCE)
    group.permissions.add(
        *Permission.objects.filter(content_type__app_label="observers", codename__in=FINANCE_MAY)
    )
