"""What the finance group may do: all of the finance desk, and nothing that deletes or edits the ledger."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles

FINANCE_MAY = [
    *("view_firm", "add_firm", "change_firm"),
    *("view_charity", "add_charity", "change_charity"),
    "view_affiliation",
    *("view_account", "view_transaction", "view_entry"),
    *("view_earmark", "add_earmark", "view_allowance"),
    *("view_sponsorship", "add_sponsorship", "view_roomsponsorship"),
    *("view_payout", "approve_payout", "view_payoutbatch", "view_providerevent", "view_reconciliation"),
    *("view_yearrule", "view_report", "add_report", "view_openpayment"),
]


@receiver(post_migrate)
def allow_finance(sender, using, **kwargs):
    """Give the finance group its desk."""
    if sender.label != "rewards":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    group = apps.get_model("auth", "Group").objects.get(name=roles.FINANCE)
    group.permissions.add(
        *Permission.objects.filter(content_type__app_label="rewards", codename__in=FINANCE_MAY)
    )
