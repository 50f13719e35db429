"""What members keep of the news, want all of, or want less of. Nobody else sees any of it."""

from django.db import transaction
from django.utils import timezone

from accounts.models import Member, Specialty
from newsfeed.models import Article, FeedKey, LessOf, SavedArticle, Source, SourceFollow
from newsfeed.models.reading import new_feed_key
from sermo.errors import RuleBroken

MOST_SAVED = 2000  # articles of one member


class TooManySaved(RuleBroken):
    message = f"You saved {MOST_SAVED:,} articles, the most there can be. Let one go first."


@transaction.atomic
def save(*, member: Member, article: Article) -> SavedArticle:
    """Put an article on the reading list. Twice is as good as once. Raises TooManySaved."""
    _lock(member)
    known = SavedArticle.objects.filter(member=member, article=article).first()
    if known:
        return known
    if SavedArticle.objects.filter(member=member).count() >= MOST_SAVED:
        raise TooManySaved
    return SavedArticle.objects.create(member=member, article=article)


def unsave(*, member: Member, article: Article) -> None:
    SavedArticle.objects.filter(member=member, article=article).delete()


@transaction.atomic
def follow_source(*, member: Member, source: Source) -> SourceFollow:
    """Want more of a source, and no longer less of it. Twice is as good as once."""
    _lock(member)
    LessOf.objects.filter(member=member, source=source).delete()
    return SourceFollow.objects.get_or_create(member=member, source=source)[0]


def unfollow_source(*, member: Member, source: Source) -> None:
    SourceFollow.objects.filter(member=member, source=source).delete()


@transaction.atomic
def see_less(*, member: Member, of: Source | Specialty) -> LessOf:
    """Leave a source or a specialty out of one's own feed, whatever one said of it before.

    A source is no longer followed then. A specialty is, for its discussions: this is newer than that.
    """
    _lock(member)
    if isinstance(of, Specialty):
        about, had_followed = {"specialty": of}, False
    else:
        about = {"source": of}
        had_followed = bool(SourceFollow.objects.filter(member=member, **about).delete()[0])
    less, is_new = LessOf.objects.get_or_create(
        member=member, **about, defaults={"had_followed": had_followed}
    )
    if not is_new:
        less.since, less.had_followed = timezone.now(), less.had_followed or had_followed
        less.save(update_fields=["since", "had_followed"])
    return less


@transaction.atomic
def undo_less(*, member: Member, less_id: int) -> LessOf | None:
    """Have it back as it was: a source that was followed is followed again. None: that is done already."""
    _lock(member)
    less = LessOf.objects.select_related("source", "specialty").filter(member=member, pk=less_id).first()
    if less is None:
        return None
    if less.had_followed:
        SourceFollow.objects.get_or_create(member=member, source=less.source)
    less.delete()
    return less


@transaction.atomic
def make_feed_key(*, member: Member) -> FeedKey:
    """A new address of one's private feed; the one before leads nowhere from now on."""
    _lock(member)
    fresh = {"key": new_feed_key(), "made_at": timezone.now()}
    return FeedKey.objects.update_or_create(member=member, defaults=fresh)[0]


def _lock(member: Member) -> None:
    """Two at once go one after the other."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
