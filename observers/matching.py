"""The posts of a saved search, read through: those that still match once names and identifiers are masked.

Slow, since each text is masked: for counting, telling and exporting, a batch at a time, never for a list.
"""

from collections.abc import Iterator, Sequence

from django.db.models import F, QuerySet

from accounts.masks import Masks
from observers import search, texts
from observers.listing import Filters
from observers.models import FirmSearch
from observers.reading import without_masks
from questions.models import Post
from questions.ranking.lines import midnight
from rewards.models import Firm

BATCH = 200


def posts_of(saved: FirmSearch) -> QuerySet[Post]:
    """Posts that have the words of a saved search, in discussions its filters leave, and come from its months, as the
    firm may read them now. Whether they still have the words without names `checked` says."""
    rows = search.posts(saved.firm, saved.terms, Filters.of(saved))
    return rows.filter(posted_at__gte=midnight(saved.since)) if saved.since else rows


def newest_of(rows: QuerySet[Post], most: int) -> list[int]:
    """The ids of so many posts, the newest first, in an order that no index has, so that the index of words leads."""
    return list(rows.order_by((F("pk") + 0).desc()).values_list("pk", flat=True)[:most])


def checked(firm: Firm, post_pks: Sequence[int], words: str = "") -> Iterator[tuple[Post, Masks]]:
    """Posts open to the firm in the order of these ids, with `shown_words` (title apart) and the masks of each.

    With words, only those in whose masked text they stand. Three or four queries a batch.
    """
    for start in range(0, len(post_pks), BATCH):
        pks = post_pks[start : start + BATCH]
        rows = Post.objects.open_to(firm).filter(pk__in=pks)
        rows = rows.select_related(
            "byline", "author__specialty", "question__importance_figure", "vote_figure"
        )
        found = rows.defer("source", "search_text", "search_vector").in_bulk()
        posts = [found[pk] for pk in pks if pk in found]
        yield from _masked(firm, posts, words)


def _masked(firm: Firm, posts: list[Post], words: str) -> Iterator[tuple[Post, Masks]]:
    raw = [text for post in posts for text in (post.question.title, post.html)]
    masks = texts.masks_of(firm, {post.question_id for post in posts}, raw)
    for post in posts:
        own = masks[post.question_id]
        post.shown_words = texts.words(post.html, own.of(post.author_id))
        post.shown_title = texts.plain(post.question.title, own)
    said = [without_masks(_said(post), masks[post.question_id].of(post.author_id)) for post in posts]
    kept = search.still_found(words, said) if words else [True] * len(posts)
    for post, is_kept in zip(posts, kept, strict=True):
        if is_kept:
            yield post, masks[post.question_id]


def _said(post: Post) -> str:
    """An opening has its title before it, for search as well."""
    return f"{post.shown_title} {post.shown_words}" if post.kind == Post.Kind.OPENING else post.shown_words
