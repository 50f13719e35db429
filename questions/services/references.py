"""Keeping which works the posts of a discussion refer to, and saying so on its page."""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import transaction
from django.db.models import F

from accounts import faces
from accounts.models import Member
from questions.models import Byline, Post, Question, Reference
from questions.references import address_of, found_in, label_of
from questions.signature import Signer, signed, signer_columns
from sermo.prepared import prepared
from sermo.text import render_markdown

MAY_REFER = r"pmid|10\.[0-9]{4}|nct[0-9]{8}|https?://"
MOST_SHOWN = 60  # of one discussion


@transaction.atomic
def store(post: Post) -> int:
    """Keep what a post refers to, in place of what it referred to before; return how many."""
    found = found_in(post.source)
    post.references.all().delete()
    Reference.objects.bulk_create(
        Reference(post=post, kind=one.kind, value=one.value, place=place)
        for place, one in enumerate(found, start=1)
    )
    return len(found)


def posts_to_read(*, after: int, limit: int) -> list[Post]:
    """The next posts that may refer to something, by id, for a recount from the texts."""
    rows = Post.objects.filter(pk__gt=after, source__iregex=MAY_REFER)
    return list(rows.only("pk").order_by("pk")[:limit])


@transaction.atomic
def restore(post: Post) -> None:
    """Bring a post's references and links in line with its text, as `store` and `render_markdown` have it today."""
    locked = Post.objects.select_for_update().filter(pk=post.pk).first()
    if locked is None:
        return
    html = render_markdown(locked.source)
    if html != locked.html:
        locked.html = html
        locked.save(update_fields=["html"])
    store(locked)


@dataclass
class Shown:
    """A work as the list has it, with the posts that name it."""

    kind: str
    label: str
    url: str
    is_own: bool = False  # one of those posts is by its author, under the name that wrote the paper
    posts: list[tuple[str, str]] = field(default_factory=list)  # whose, and where


class Named(NamedTuple):
    """A work as one post names it."""

    kind: str
    value: str
    post: int
    post_kind: str
    publications: list[str]
    visibility: dict
    signer: Signer


def references_of(
    question: Question, reader: Member | None = None, *, of_opening: bool = False
) -> list[Shown]:
    """What a discussion, or its opening alone, refers to, each work once, in the order of its posts. One query.

    Of removed and folded posts, and of those whose author the reader blocked, nothing stands here; nor does an
    article beside its own discussion.
    """
    shown: dict[tuple[str, str], Shown] = {}
    for row in _named(of_opening, question=question.pk, reader=reader and reader.pk):
        named = Named(*row[:6], Signer(*row[6:]))
        if question.kind == Question.Kind.ARTICLE and named.post_kind == Post.Kind.OPENING:
            continue
        key = named.kind, named.value
        work = shown.setdefault(key, Shown(named.kind, label_of(*key), address_of(*key)))
        work.posts.append(_place(named, question))
        work.is_own = work.is_own or _is_own_paper(named)
    return list(shown.values())


@prepared
def _named(of_opening: bool, *, question: int, reader: int | None):
    posts = Post.objects.filter(question=question, folded_at=None).standing()
    posts = posts.filter(kind=Post.Kind.OPENING) if of_opening else posts
    posts = posts.besides_blocked(Member(pk=reader)) if reader else posts
    return (
        Reference.objects.filter(post__in=posts)
        .order_by("post", "place")
        .values_list(
            "kind",
            "value",
            "post",
            "post__kind",
            "post__author__publications",
            "post__author__visibility",
            *signer_columns(F("post__byline__mode"), "post__author"),
        )[:MOST_SHOWN]
    )


def _place(named: Named, question: Question) -> tuple[str, str]:
    """Whose post names it, and where that stands."""
    address = question.get_absolute_url()
    if named.post_kind == Post.Kind.OPENING:
        return question.get_kind_display().lower(), address
    return (
        f"{question.words.post(named.post_kind)} by {signed(named.signer).name}",
        f"{address}?post={named.post}#post-{named.post}",
    )


def _is_own_paper(named: Named) -> bool:
    """Only beside the real name, and only where the list of papers beside that name is open to colleagues."""
    return (
        named.kind == Reference.Kind.PMID
        and named.signer.mode == Byline.Mode.PUBLIC
        and named.signer.user_id is not None
        and named.value in named.publications
        and faces.is_open_to(Member(visibility=named.visibility), "publications", Member.Audience.PHYSICIANS)
    )
