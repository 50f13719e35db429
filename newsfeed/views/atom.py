"""The private feed: one's own news for a feed reader, at an address that is a secret."""

import hashlib
import time
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseNotFound
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.crypto import salted_hmac
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import http_date
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.views.ties import member_required
from newsfeed.models import Article, FeedKey
from newsfeed.own_feed import newest_for
from newsfeed.rows import PLAIN, Shown
from newsfeed.services import keeping

ITEMS = 40
KEPT_SECONDS = 900  # by a reader, before it asks again
REMEMBERED_SECONDS = 7 * 86_400


@never_cache
@member_required
def feed_settings(request):
    """The address of one's private feed; POST makes one, or a new one in the place of the old."""
    member = request.user.as_member
    if request.method == "POST":
        keeping.make_feed_key(member=member)
        return redirect("newsfeed:feed_settings")
    kept = FeedKey.objects.filter(member=member).first()
    context = {"key": kept, "address": _address(kept.key) if kept else ""}
    return render(request, "newsfeed/feed_settings.html", context)


@require_safe
def atom(request, key):
    """The newest of a member's own feed, for whoever knows the key, as long as the member may read here.

    A key that is closed, of somebody who may not read, or made up is answered alike, after the same one query.
    """
    kept = FeedKey.objects.select_related("member__user").filter(key=key).first()
    if kept is None or not _may_read(kept.member):
        return _headed(HttpResponseNotFound("There is no feed here.\n", content_type="text/plain"))
    rows = newest_for(kept.member.user, size=ITEMS, in_full=True).rows
    body = _written(kept, rows).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    changed = _changed(kept, etag)
    answer = HttpResponse(body, content_type="application/atom+xml; charset=utf-8")
    answer["ETag"], answer["Last-Modified"] = etag, http_date(changed)
    answer["Cache-Control"] = f"private, max-age={KEPT_SECONDS}"
    return _headed(get_conditional_response(request, etag, changed, answer))


def _changed(kept: FeedKey, etag: str) -> int:
    """Since when the feed is as it is, in seconds: articles also leave it, and old ones come late."""
    name = f"news-atom:{kept.member_id}"
    known = cache.get(name)
    if known and known[0] == etag:
        return known[1]
    now = int(time.time())
    cache.set(name, (etag, now), REMEMBERED_SECONDS)
    return now


def _may_read(member) -> bool:
    return bool(member.user and member.user.is_active and member.may_read)


def _headed(answer):
    answer.setdefault("Cache-Control", "private, no-store")
    answer["X-Robots-Tag"] = "noindex"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _address(key: str) -> str:
    return settings.SITE_URL + reverse("newsfeed:atom", args=[key])


def _written(kept: FeedKey, rows) -> str:
    """The feed as text: the same for the same articles, whenever it is asked for."""
    site = settings.SITE_URL
    name = UUID(salted_hmac("newsfeed.atom", str(kept.member_id)).hexdigest()[:32])
    feed = _Feed(
        title="Sermo: your news",
        link=site + reverse("newsfeed:list"),
        description="",
        language="en",
        feed_url=_address(kept.key),
        feed_guid=name.urn,
        author_name="Sermo",
        made_at=kept.made_at,
    )
    for row in rows:
        address = site + row.get_absolute_url()
        feed.add_item(
            title=_plain(_titled(row)),
            link=address,
            description=_plain(" ".join(_described(row))) or None,
            unique_id=address,
            author_name=_plain(row.where or "Sermo"),
            pubdate=row.shown_at,
            updateddate=max(row.shown_at, row.changed_at or row.shown_at),
            categories=[topic.name for topic in row.topics],
        )
    return feed.writeString("utf-8")


def _titled(row: Shown) -> str:
    """The title after a word for its kind or its end, unless it begins with that itself."""
    kind = "" if row.kind in PLAIN else Article.Kind(row.kind).label
    kind = "Retracted" if row.is_retracted else kind
    says_so = row.title.lower().startswith(kind.lower())
    return row.title if says_so else f"{kind}: {row.title}"


def _described(row: Shown) -> list[str]:
    if row.kind == Article.Kind.PREPRINT:
        return ["Not peer reviewed.", *row.lines[:1]]
    return row.lines[:1]


class _Feed(Atom1Feed):
    """An empty feed is as old as its key, not as the moment somebody asks."""

    def latest_post_date(self):
        return super().latest_post_date() if self.items else self.feed["made_at"]


def _plain(words: str) -> str:
    """Words without the characters that XML cannot hold."""
    return "".join(each for each in words if each.isprintable() or each == " ")
