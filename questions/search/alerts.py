"""Telling members of posts that newly match a search they saved with alerts."""

import logging
from datetime import timedelta
from urllib.parse import parse_qs

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Kind, Notice
from accounts.services import notices
from questions.models import Post, SavedSearch
from questions.search.language import parse
from questions.search.matching import Search
from questions.services import telling

log = logging.getLogger(__name__)

SETTLED = timedelta(minutes=1)  # a post with a lower number may still be on its way as long
TELLING = 7_300_005  # first number of the advisory locks under which a saved search is looked after


def tell_of_new_matches() -> int:
    """Look at what is new for every saved search with alerts, and return how many notices that made.

    Those looked at longest ago come first, and each is a transaction of its own: who is stopped goes on where it
    stopped, and nobody waits behind others for ever.
    """
    settled = Post.objects.filter(posted_at__lt=timezone.now() - SETTLED).order_by("-pk")
    upto = settled.values_list("pk", flat=True).first() or 0
    waiting = SavedSearch.objects.filter(alerts=True, seen_post__lt=upto).order_by("seen_post", "pk")
    told = 0
    for saved_id in list(waiting.values_list("pk", flat=True)):
        try:
            told += tell_of(saved_id=saved_id, upto=upto)
        except Exception:  # the next run tries it first again; the others are looked at all the same
            log.exception("saved search %d: could not look for new matches", saved_id)
    return told


@transaction.atomic
def tell_of(*, saved_id: int, upto: int) -> bool:
    """Tell of the newest match after the last look, at most once, and note how far was looked.

    The row itself is locked last, since who leaves locks the member before it; two workers are kept apart by an
    advisory lock that the second does not wait for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [TELLING, saved_id % 2**31])
        if not cursor.fetchone()[0]:
            return False
    rows = SavedSearch.objects.filter(pk=saved_id, alerts=True, seen_post__lt=upto)
    saved = rows.select_related("member__user", "member__specialty").first()
    if saved is None:
        return False
    found = _new_matches(saved, upto) if saved.member.user and saved.member.may_read else []
    if found:
        newest = found[0]
        notices.tell(
            members=[saved.member_id],
            kind=Kind.SEARCH,
            target=newest.pk,
            about=f"search:{saved.pk}",
            key=f"search:{saved.pk}:{newest.pk}",
            number=len(found),
        )
    rows.update(seen_post=upto)
    return bool(found)


def _new_matches(saved: SavedSearch, upto: int) -> list[Post]:
    """The newest posts since the last look that match, that the member may hear of and was not told of otherwise."""
    member = saved.member
    search = Search(parse(_typed(saved)), member.user)
    posts = search.posts_between(saved.seen_post, upto).exclude(author=member)
    posts = posts.select_related("question", "byline", "author").order_by("-pk")
    posts = list(posts[: settings.ALERTS_LOOKED_AT])
    told = Notice.objects.filter(member=member, key__in=[f"post:{post.pk}" for post in posts])
    told = set(told.values_list("key", flat=True))
    return [
        post
        for post in posts
        if f"post:{post.pk}" not in told and telling.may_hear(post).filter(pk=member.pk).exists()
    ]


def _typed(saved: SavedSearch) -> str:
    return parse_qs(saved.query).get("q", [""])[0]
