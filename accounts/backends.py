"""How a request's user is found."""

from typing import ClassVar

from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Func, IntegerField, OuterRef

from accounts.models import NoticeThread, User

MOST_UNREAD = 100  # counted; beyond it the number says no more


class SermoBackend(AuthenticationBackend):
    """Loads, in one query, what nearly every page asks of its user.

    That is member, specialty, groups, second factor, and the number of threads with something unread.
    """

    also_loaded: ClassVar[list[str]] = []  # what higher apps keep one-to-one with a member

    def get_user(self, user_id):
        groups = Group.objects.filter(user=OuterRef("pk")).values("name")
        factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(
            type=Authenticator.Type.RECOVERY_CODES
        )
        unread = NoticeThread.objects.filter(member__user=OuterRef("pk"), unread__gt=0).values("pk")
        user = (
            User.objects.select_related("member__specialty", *self.also_loaded)
            .annotate(
                group_names=ArraySubquery(groups),
                has_second_factor=Exists(factors),
                unread_count=Func(
                    ArraySubquery(unread[:MOST_UNREAD]), function="CARDINALITY", output_field=IntegerField()
                ),
            )
            .filter(pk=user_id)
            .first()
        )
        return user if user and self.user_can_authenticate(user) else None
