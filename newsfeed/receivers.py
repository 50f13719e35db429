"""What the news does when something lower has happened."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import roles

EDITORS_MAY = [
    *("view_source", "add_source", "change_source", "delete_source"),
    *("view_feed", "add_feed", "change_feed", "delete_feed"),
    *("view_host", "delete_host"),
    *("view_mappingrule", "add_mappingrule", "change_mappingrule", "delete_mappingrule"),
    *("view_article", "add_article", "change_article"),
]


@receiver(post_migrate)
def allow_news_editors(sender, using, **kwargs):
    """Give the news editors' group the desk of the news."""
    if sender.label != "newsfeed":
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own turn comes after this one
    roles.ensure_groups()
    group = apps.get_model("auth", "Group").objects.get(name=roles.NEWS_EDITORS)
    group.permissions.add(
        *Permission.objects.filter(content_type__app_label="newsfeed", codename__in=EDITORS_MAY)
    )
