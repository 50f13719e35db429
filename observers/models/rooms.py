"""Who of a firm watches a focus group it pays for, what they note to its moderators, and that they read."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from focusgroups.models import Prompt, Room
from observers.models.contracts import Purpose, Seat

LONGEST_NOTE = 1_000


class RoomWatch(models.Model):
    """That a seat of the firm that pays for a focus group may watch it, as far as the room lets anybody."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="watches")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="watches")
    since = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        default_permissions = ()
        verbose_name_plural = "room watches"
        constraints = [models.UniqueConstraint(fields=["room", "seat"], name="room_watched_once")]

    def __str__(self):
        return f"watch {self.pk}"


class BackRoomNote(models.Model):
    """What a watcher passes to the moderators. Participants never read it, and it is never a part of the room."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="back_room_notes")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="back_room_notes")
    prompt = models.ForeignKey(Prompt, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.CharField(max_length=LONGEST_NOTE)
    at = models.DateTimeField(default=timezone.now)
    key = models.UUIDField(unique=True)  # of the form it was sent with

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="back_room_note_says_something")]
        indexes = [models.Index(fields=["room", "-id"], name="back_room_note_of_room")]

    def __str__(self):
        return f"note {self.pk}"


class RoomRead(models.Model):
    """That a seat read in a focus group on a day (UTC), once for each purpose. Participants are shown the days."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="reads")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="room_reads")
    day = models.DateField()
    purpose = models.CharField(max_length=10, choices=Purpose)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["room", "seat", "day", "purpose"], name="room_read_once_a_day")
        ]

    def __str__(self):
        return f"read {self.pk}"
