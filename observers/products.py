"""Which products a text speaks of, by the words of each: whole words of what search compares.

An answer or a comment is looked at when it is posted, an opening when its words change; the sweep finds what is left,
and takes back what a text no longer says.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.core.validators import RegexValidator
from django.db import transaction
from django.db.models import Max, Min, Q

from observers.models import Mention, Product
from questions.models import Post

BATCH = 5_000  # numbers of posts looked through in one transaction
is_word = RegexValidator(
    r"^[a-z0-9]+([ -][a-z0-9]+)*\Z", "Small letters and digits, with a blank or a hyphen between."
)


class Words:
    """The words of all products, as one pattern."""

    def __init__(self, products: Iterable[tuple[int, list[str]]]):
        self._products: dict[str, set[int]] = defaultdict(set)
        for product, words in products:
            for word in words:
                self._products[word].add(product)
        words = "|".join(re.escape(word) for word in self._products)
        self.pattern = rf"(^|[^a-z0-9])({words})([^a-z0-9]|$)"  # PostgreSQL reads it as Python does
        self._each = {
            word: re.compile(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])") for word in self._products
        }

    def __bool__(self):
        return bool(self._products)

    def named_in(self, text: str) -> set[int]:
        """The ids of products that a text, written as `sermo.text.searchable` does, speaks of."""
        found = (self._products[word] for word, pattern in self._each.items() if pattern.search(text))
        return set().union(*found)


def all_words() -> Words:
    return Words(Product.objects.values_list("pk", "words"))


def recognize(post: Post) -> None:
    """Bring the mentions of one post in line with its text."""
    named = all_words().named_in(post.search_text)
    Mention.objects.filter(post=post).exclude(product__in=named).delete()
    _add((post.pk, product) for product in named)


def sweep(since: datetime | None = None) -> int:
    """Bring the mentions of all standing posts in line with their texts, or of those written or edited since.

    Returns how many were added. May run twice, and beside itself.
    """
    words, added = all_words(), 0
    rows = Post.objects.all()
    if since:
        rows = rows.filter(Q(posted_at__gte=since) | Q(edited_at__gte=since) | Q(removed_at__gte=since))
    ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return 0
    for start in range(ends["first"], ends["last"] + 1, BATCH):
        added += _bring_in_line(rows.filter(pk__gte=start, pk__lt=start + BATCH), words)
    return added


@transaction.atomic
def _bring_in_line(posts, words: Words) -> int:
    found = set()
    if words:
        naming = posts.standing().filter(search_text__regex=words.pattern)
        for post, text in naming.values_list("pk", "search_text"):
            found |= {(post, product) for product in words.named_in(text)}
    known = Mention.objects.filter(post__in=posts).values_list("pk", "post", "product")
    there = {(post, product): pk for pk, post, product in known}
    Mention.objects.filter(pk__in=[pk for pair, pk in there.items() if pair not in found]).delete()
    return _add(found - there.keys())


def _add(pairs: Iterable[tuple[int, int]]) -> int:
    rows = [Mention(post_id=post, product_id=product) for post, product in sorted(pairs)]
    return len(Mention.objects.bulk_create(rows, ignore_conflicts=True))
