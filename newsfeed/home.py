"""The news on one's home page, in one query: what to show is chosen now and then, and looked up each time."""

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from newsfeed.models import Article, ArticleSpecialty, LessOf, SourceFollow
from newsfeed.own_feed import newest_for
from newsfeed.rows import Shown, columns, shown

SHOWN = 3
CHOSEN = 6  # so that some may drop out in between
SECONDS = 600


def newest(user: User) -> list[Shown]:
    """The first of a member's own feed as it was a few minutes ago, each through the gate as of now.

    What they wanted less of since then is gone at once.
    """
    key = f"news-at-home:{user.as_member.pk}"
    chosen = cache.get(key)
    if chosen is None:
        rows = newest_for(user, size=CHOSEN).rows
        cache.set(key, {row.pk: row.why for row in rows}, SECONDS)
        return rows[:SHOWN]
    found = {row.pk: shown(row) for row in _still_wanted(user, chosen)} if chosen else {}
    for pk, row in found.items():
        row.why = chosen[pk]
    return [found[pk] for pk in chosen if pk in found][:SHOWN]


def _still_wanted(user: User, chosen: dict[int, str]):
    less = LessOf.objects.filter(member=user.as_member)
    followed = SourceFollow.objects.filter(member=user.as_member, source=OuterRef("source"))
    tags = ArticleSpecialty.objects.filter(article=OuterRef("pk"), is_off=False)
    tags = tags.filter(specialty__in=less.filter(source=None).values("specialty"))
    unwanted = Q(Exists(less.filter(source=OuterRef("source")))) | (Q(Exists(tags)) & ~Exists(followed))
    return columns(Article.objects.visible_to(user).filter(~unwanted, pk__in=chosen), user)
