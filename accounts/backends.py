"""How a request's user is found."""

from typing import ClassVar

from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef

from accounts.models import User


class SermoBackend(AuthenticationBackend):
    """Loads, in one query, what nearly every page asks of its user: member, specialty, groups, second factor."""

    also_loaded: ClassVar[list[str]] = []  # what higher apps keep one-to-one with a member

    def get_user(self, user_id):
        groups = Group.objects.filter(user=OuterRef("pk")).values("name")
        factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(
            type=Authenticator.Type.RECOVERY_CODES
        )
        user = (
            User.objects.select_related("member__specialty", *self.also_loaded)
            .annotate(group_names=ArraySubquery(groups), has_second_factor=Exists(factors))
            .filter(pk=user_id)
            .first()
        )
        return user if user and self.user_can_authenticate(user) else None
