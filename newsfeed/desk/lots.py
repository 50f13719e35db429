"""What an editor does to many rows at once has its limit: a list may have a few hundred thousand of them."""

from collections.abc import Iterator

from django.contrib import messages
from django.db.models import Model, QuerySet

MOST = 2_000
BATCH = 200
MOST_REFUSALS = 5  # told of one by one


def chosen(admin, request, queryset: QuerySet) -> list[int]:
    """The ids of what was chosen; none, and a word about it, where that is too much."""
    ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    if len(ids) <= MOST:
        return ids
    text = f"Nothing was done: at most {MOST:,} at once. Narrow the list down by a filter or a search."
    admin.message_user(request, text, messages.ERROR)
    return []


def rows_of(queryset: QuerySet, ids: list[int]) -> Iterator[Model]:
    """These rows, some at a time."""
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        found = queryset.in_bulk(some)
        yield from (found[pk] for pk in some if pk in found)


def tell_refusals(admin, request, refusals: list[str]) -> None:
    for text in refusals[:MOST_REFUSALS]:
        admin.message_user(request, text, messages.ERROR)
    if (more := len(refusals) - MOST_REFUSALS) > 0:
        admin.message_user(request, f"And {more:,} more were refused.", messages.ERROR)
