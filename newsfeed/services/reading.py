"""What a member has opened."""

from accounts.models import Member
from newsfeed.models import Article, ReadMark


def mark_read(*, member: Member, article: Article) -> None:
    """Note that a member opened an article; the first time counts."""
    ReadMark.objects.bulk_create([ReadMark(member=member, article=article)], ignore_conflicts=True)
