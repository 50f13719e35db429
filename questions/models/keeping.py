"""What members keep for themselves: saved discussions in folders, and searches to run again."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models import Member
from questions.models.questions import Question


class BookmarkFolder(models.Model):
    """A member's name for some of what they saved."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="bookmark_folders")
    name = models.CharField(max_length=40)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint("member", Lower("name"), name="bookmark_folder_name_once")]

    def __str__(self):
        return f"bookmark folder {self.pk}"


class Bookmark(models.Model):
    """A discussion a member saved, in a folder or in none. Nobody else sees that, or counts it."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="bookmarks")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="bookmarks")
    folder = models.ForeignKey(
        BookmarkFolder, on_delete=models.SET_NULL, null=True, blank=True, related_name="bookmarks"
    )
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "question"], name="bookmark_once")]
        indexes = [
            models.Index(F("member"), F("saved_at").desc(), F("id").desc(), name="bookmark_newest_first")
        ]

    def __str__(self):
        return f"bookmark {self.pk}"


class SavedSearch(models.Model):
    """A search, or the filters of a list, under a name. With alerts its member is told of new matches.

    `query` is the canonical query string of its address. `seen_post` is the last post that was looked at for alerts.
    """

    class Place(models.TextChoices):
        LIST = "list", "Question list"
        SEARCH = "search", "Search"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="saved_searches")
    place = models.CharField(max_length=6, choices=Place)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500)
    alerts = models.BooleanField(default=False)
    seen_post = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "place", "query"], name="saved_search_once"),
            models.CheckConstraint(
                condition=Q(place__in=["list", "search"]), name="saved_search_place_is_known"
            ),
            models.CheckConstraint(
                condition=Q(alerts=False) | Q(place="search"), name="saved_search_alerts_search"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(alerts=True), name="saved_search_alerts")]

    def __str__(self):
        return f"saved search {self.pk}"
