"""Pictures beside a handle or a name."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.people import Member
from accounts.models.ties import Face


def new_picture_key() -> str:
    return secrets.token_hex(16)


class PictureQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own, and those of faces whose pages are open to the reader: so none across a block of that face."""
        beside_handle = Q(face=Face.HANDLE, member__in=Member.objects.visible_to(user, Face.HANDLE))
        beside_name = Q(face=Face.NAME, member__in=Member.objects.visible_to(user, Face.NAME))
        return self.filter(Q(member__user=user) | beside_handle | beside_name)


class Picture(models.Model):
    """An uploaded picture of one face, drawn anew; its address is a random key that says nothing of the other face."""

    key = models.CharField(primary_key=True, max_length=32, default=new_picture_key, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="pictures")
    face = models.CharField(max_length=6, choices=Face)
    likeness = models.CharField(max_length=64)  # hex digits; pictures that look alike differ in few bits
    added_at = models.DateTimeField(default=timezone.now)

    objects = PictureQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "face"], name="picture_one_per_face"),
            models.CheckConstraint(condition=Q(face__in=["handle", "name"]), name="picture_face_is_known"),
        ]

    def __str__(self):
        return f"picture {self.key[:6]}"

    @property
    def file_name(self):
        return f"pictures/{self.key[:2]}/{self.key}"
