"""What the page of a discussion says of products: which its posts name, and what ties their authors to the makers.

It comes with the one query of the discussion; whose post it is, is known from the posts the page shows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.urls import reverse

from accounts.models import Member
from observers.models import Conflict, Mention
from questions.models import Post, Question
from questions.seen import Seen
from questions.views import thread

MOST = 80  # mentions of one discussion, the earliest posts first


@dataclass
class Named:
    """A product, with the lines of those who wrote of it."""

    name: str
    generic: str
    url: str
    maker: str
    lines: list["Line"] = field(default_factory=list)


class Line(NamedTuple):
    whose: str
    url: str
    words: str
    is_asked: bool  # the reader, to declare


def mentions(member: Member | None) -> ArraySubquery:
    """The mentions in standing, unfolded posts of a discussion, each with the tie of its author, if there is one."""
    ties = Conflict.objects.filter(post=OuterRef("post"), product=OuterRef("product"))
    rows = Mention.objects.filter(
        post__question=OuterRef("pk"), post__removed_at=None, post__folded_at=None
    ).order_by("post", "product__name")
    return ArraySubquery(
        rows.values_list(
            JSONObject(
                post="post",
                kind="post__kind",
                name="product__name",
                generic="product__generic",
                slug="product__slug",
                maker="product__maker__name",
                said=Subquery(ties.values("said")[:1]),
                band=Subquery(ties.values("band")[:1]),
            )
        )[:MOST]
    )


thread.BROUGHT["mentions"] = mentions


def products_of(question: Question, shown: Iterable[Seen]) -> list[Named]:
    """The products by name. While the answers are closed to the reader, those of the opening alone.

    A tie stands beside a post that the page shows, unless its author is hidden from the reader.
    """
    posts = {post.pk: post for post in shown if not post.is_hidden}
    named: dict[str, Named] = {}
    for row in question.mentions:
        if row["kind"] != Post.Kind.OPENING and not question.answers_open:
            continue
        url = reverse("products:product", args=[row["slug"]])
        product = named.setdefault(row["slug"], Named(row["name"], row["generic"], url, row["maker"] or ""))
        if row["said"] and row["post"] in posts:
            product.lines.append(_line(row, posts[row["post"]], question))
    return sorted(named.values(), key=lambda each: each.name)


def _line(row: dict, post: Seen, question: Question) -> Line:
    words = Conflict.Said(row["said"]).label + (f", {row['band']}" if row["band"] else "")
    url = question.get_absolute_url()
    url = url if post.kind == Post.Kind.OPENING else f"{url}?post={post.pk}#post-{post.pk}"
    whose = "You" if post.is_own else post.signature.name
    return Line(whose, url, _to_you(words) if post.is_own else words, _is_asked(post, row))


def _is_asked(post: Seen, row: dict) -> bool:
    return post.is_own and row["said"] == Conflict.Said.ASKED


def _to_you(words: str) -> str:
    for theirs, yours in (("was paid", "were paid"), ("declares", "declare"), ("has not", "have not")):
        words = words.replace(theirs, yours)
    return words
