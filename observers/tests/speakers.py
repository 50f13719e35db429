"""Many physicians who write of something, told in a few statements of the database."""

from datetime import UTC, datetime, time, timedelta

from accounts.models import Member
from accounts.tests.factories import make_member
from questions.models import Byline, Post
from sermo.text import searchable


def make_members(number) -> list[Member]:
    return [make_member() for _ in range(number)]


def speak(question, members, text, day, *, hour=12) -> list[Post]:
    """An answer of each of them with these words, at noon of a day (UTC)."""
    known = set(Byline.objects.filter(question=question).values_list("member", flat=True))
    Byline.objects.bulk_create(
        Byline(question=question, member=member, mode=Byline.Mode.ANONYMOUS)
        for member in members
        if member.pk not in known
    )
    bylines = dict(Byline.objects.filter(question=question).values_list("member", "pk"))
    at = datetime.combine(day, time(hour), tzinfo=UTC)
    return Post.objects.bulk_create(
        Post(
            question=question,
            kind=Post.Kind.ANSWER,
            author=member,
            byline_id=bylines[member.pk],
            source=text,
            html=f"<p>{text}</p>",
            search_text=searchable(text),
            posted_at=at + timedelta(seconds=number),
        )
        for number, member in enumerate(members)
    )
