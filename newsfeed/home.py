"""The news on one's home page, in one query: what to show is chosen now and then, and looked up each time."""

from django.core.cache import cache
from django.db import connection
from django.db.models import Func, TextField, Value

from accounts.models import Member, User
from newsfeed.models import Article
from newsfeed.own_feed import newest_for
from newsfeed.rows import Shown, columns, shown

SHOWN = 3
CHOSEN = 6  # so that some may drop out in between
SECONDS = 600

# How many wishes of each kind a member has, and since when the newest: changes with every wish that comes or goes.
WISHES = """
(SELECT concat_ws(' ', (SELECT concat(count(*), ' ', max(since)) FROM questions_topicfollow WHERE member_id = own.pk),
                       (SELECT concat(count(*), ' ', max(since)) FROM questions_topicmute WHERE member_id = own.pk),
                       (SELECT concat(count(*), ' ', max(since)) FROM newsfeed_sourcefollow WHERE member_id = own.pk),
                       (SELECT concat(count(*), ' ', max(since)) FROM newsfeed_lessof WHERE member_id = own.pk))
   FROM (SELECT %(expressions)s::bigint AS pk) own)
"""


def newest(user: User) -> list[Shown]:
    """The first of a member's own feed as it was a few minutes ago, each through the gate as of now.

    It is chosen anew as soon as they follow, mute or want less of something.
    """
    member = user.as_member
    key = f"news-at-home:{member.pk}:{member.specialty_id}"
    kept = cache.get(key)
    if kept is not None:
        wishes, chosen = kept
        found = {row.pk: row for row in _as_of_now(user, chosen)} if chosen else {}
        known = next(iter(found.values())).wishes if found else _wishes(member)
        if known == wishes:
            rows = [(shown(found[pk]), why) for pk, why in chosen.items() if pk in found]
            for row, why in rows:
                row.why = why
            return [row for row, _ in rows][:SHOWN]
    wishes = _wishes(member)
    rows = newest_for(user, size=CHOSEN).rows
    cache.set(key, (wishes, {row.pk: row.why for row in rows}), SECONDS)
    return rows[:SHOWN]


def _as_of_now(user: User, chosen: dict[int, str]):
    """The articles, each with what the member's wishes look like now."""
    wishes = Func(Value(user.as_member.pk), template=WISHES, output_field=TextField())
    return columns(Article.objects.visible_to(user).filter(pk__in=chosen), user).annotate(wishes=wishes)


def _wishes(member: Member) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {WISHES}", {"expressions": member.pk})
        return cursor.fetchone()[0]
