"""What operators do to feeds beside checking them."""

from django.db import transaction
from django.utils import timezone

from newsfeed.models import Feed


@transaction.atomic
def enable_again(*, feed: Feed) -> Feed:
    """Start a feed afresh: its failures are forgotten, and it is due."""
    feed = Feed.objects.select_for_update(of=("self",)).get(pk=feed.pk)
    feed.status, feed.status_code, feed.error, feed.failures = Feed.Status.NEW, None, "", 0
    feed.disabled_at, feed.moved_to, feed.next_at = None, "", timezone.now()
    feed.save(
        update_fields=["status", "status_code", "error", "failures", "disabled_at", "moved_to", "next_at"]
    )
    return feed


def make_due(feeds) -> int:
    """Let the next round of checks, within a minute, read these feeds. Disabled ones stay so."""
    return feeds.exclude(status=Feed.Status.DISABLED).update(next_at=timezone.now())
