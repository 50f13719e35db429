"""Tags: found or made from what was typed, and merged by moderators."""

import difflib
from collections.abc import Iterable

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.text import slugify

from accounts.models import Member, User
from accounts.roles import is_moderator
from questions.models import MemberRank, Question, Tag, TopicFollow, TopicMute
from sermo.errors import RuleBroken
from verification.services import events

LONGEST = 40  # characters
MOST_COMPARED = 500
NEAREST = 3
HELD = "SELECT id, merged_into_id FROM questions_tag WHERE slug = ANY(%s) OR id = ANY(%s) ORDER BY id FOR KEY SHARE"


class NewTagNeedsRank(RuleBroken):
    """Names the tag that there is not yet, and those there are that read like it."""

    def __init__(self, name: str, nearest: list[str]):
        self.nearest = nearest
        instead = f" There is: {', '.join(nearest)}." if nearest else ""
        super().__init__(
            f"“{name}” is no tag yet, and a new one takes the tier {_least_tier()}.{instead} "
            "Choose another, or leave it out."
        )


class NotAModerator(RuleBroken):
    message = "Only moderators merge tags."


class SameTag(RuleBroken):
    message = "A tag cannot be merged into itself. Choose another."


def tags_named(names: Iterable[str], *, member: Member | None = None) -> list[Tag]:
    """The tags for what was typed; a synonym gives the tag it stands for.

    Names that differ only in case or spacing are one tag. What there is not yet is made, if this member may
    (none: the site itself). Inside a transaction the tags cannot be merged away until it is over.
    Raises NewTagNeedsRank.
    """
    wanted = _by_slug(names)
    new = new_names(wanted.values(), member=member)
    Tag.objects.bulk_create([Tag(slug=slug, name=name) for slug, name in new.items()], ignore_conflicts=True)
    return list(Tag.objects.filter(pk__in=_held(list(wanted))).order_by("name"))


def held(tags: Iterable[Tag]) -> list[Tag]:
    """These tags, merged ones replaced; inside a transaction they cannot be merged away until it is over."""
    return list(Tag.objects.filter(pk__in=_held([tag.slug for tag in tags])).order_by("name"))


def new_names(names: Iterable[str], *, member: Member | None) -> dict[str, str]:
    """Of these names those there is no tag for yet, by slug. Raises NewTagNeedsRank where the member may make none."""
    wanted = _by_slug(names)
    known = set(Tag.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    new = {slug: name.lower() for slug, name in wanted.items() if slug not in known}
    if new and not may_make_tags(member):
        name = next(iter(new.values()))
        raise NewTagNeedsRank(name, nearest(name))
    return new


def _by_slug(names: Iterable[str]) -> dict[str, str]:
    return {
        slugify(name)[:LONGEST]: " ".join(name.split())[:LONGEST] for name in sorted(names) if slugify(name)
    }


def may_make_tags(member: Member | None) -> bool:
    if member is None or (member.user and is_moderator(member.user)):
        return True
    return MemberRank.objects.filter(member=member, tier__in=settings.NEW_TAG_TIERS).exists()


def _least_tier() -> str:
    return MemberRank.Tier(settings.NEW_TAG_TIERS[0]).label


def _held(slugs: list[str]) -> set[int]:
    """The ids of the tags of these names, merged ones replaced, and kept from being merged meanwhile.

    The lock is a shared one, so that members who post with one tag do not wait for each other; Django has no word
    for it.
    """
    if not slugs:
        return set()
    wanted: set[int] = set()
    while True:
        with connection.cursor() as cursor:
            cursor.execute(HELD, [slugs, sorted(wanted)])
            stands_for = dict(cursor.fetchall())
        canonical = {into or tag for tag, into in stands_for.items()}
        if canonical <= stands_for.keys() and not any(stands_for[tag] for tag in canonical):
            return canonical
        wanted = canonical


def nearest(name: str, number: int = NEAREST) -> list[str]:
    """Existing tags that read like a name."""
    words = [word for word in slugify(name).split("-") if len(word) > 2] or [slugify(name)]
    like = Q(slug__startswith=slugify(name)[:2])
    for word in words:
        like |= Q(slug__contains=word)
    rows = Tag.objects.filter(like, merged_into=None).values_list("name", flat=True)[:MOST_COMPARED]
    return difflib.get_close_matches(name.lower(), list(rows), n=number, cutoff=0.4)


def suggested(typed: str, number: int) -> list[Tag]:
    """Tags for what somebody began to type, those that begin with it first; a synonym brings its tag."""
    start = slugify(typed)[:LONGEST]
    if not start:
        return []
    begin = Tag.objects.filter(slug__startswith=start).order_by("slug").select_related("merged_into")[:number]
    inside = Tag.objects.filter(slug__contains=f"-{start}").order_by("slug").select_related("merged_into")
    found = {}
    for tag in [*begin, *inside[:number]]:
        shown = tag.merged_into or tag
        found.setdefault(shown.pk, shown)
    return list(found.values())[:number]


@transaction.atomic
def merge_tags(*, tag: Tag, into: Tag, by: User) -> Tag:
    """Make a tag a synonym of another: discussions, follows and mutes go over, and its address leads there.

    Whoever follows one and mutes the other mutes. Done twice it is done once. Returns the tag that stays.
    Raises NotAModerator, SameTag.
    """
    if not is_moderator(by):
        raise NotAModerator
    locked = {
        row.pk: row for row in Tag.objects.select_for_update().filter(pk__in=[tag.pk, into.pk]).order_by("pk")
    }
    tag, into = locked[tag.pk], locked[into.pk]
    if into.merged_into_id:
        return merge_tags(tag=tag, into=into.merged_into, by=by)
    if tag.pk == into.pk:
        raise SameTag
    if tag.merged_into_id and tag.merged_into_id != into.pk:
        raise SameTag(f"“{tag.name}” is a synonym of another tag already.")
    already = tag.merged_into_id == into.pk
    _move_discussions(tag, into)
    _move_topics(TopicFollow, tag, into)
    _move_topics(TopicMute, tag, into)
    muters = TopicMute.objects.filter(tag=into).values("member")
    TopicFollow.objects.filter(tag=into, member__in=muters).delete()
    Tag.objects.filter(merged_into=tag).update(merged_into=into)
    if not already:
        tag.merged_into = into
        tag.save(update_fields=["merged_into"])
        events.record(kind="tag_merged", by=by, object=f"tag:{tag.pk}", evidence=[f"into:{into.pk}"])
    return into


def _move_discussions(tag: Tag, into: Tag) -> None:
    ties = Question.tags.through.objects
    has_both = ties.filter(tag=into).values("question")
    ties.filter(tag=tag, question__in=has_both).delete()
    ties.filter(tag=tag).update(tag=into)


def _move_topics(model, tag: Tag, into: Tag) -> None:
    has_both = model.objects.filter(tag=into).values("member")
    if model is TopicFollow:
        alerted = model.objects.filter(tag=tag, alerts=True).values("member")
        model.objects.filter(tag=into, member__in=alerted).update(alerts=True)
    model.objects.filter(tag=tag, member__in=has_both).delete()
    model.objects.filter(tag=tag).update(tag=into)
