"""The earmark of a firm on a post, where a list or a discussion shows the post."""

from django import template
from django.urls import reverse

from observers import keys, market
from rewards.words import dollars

register = template.Library()


@register.inclusion_tag("observers/market/_cell.html")
def earmark_cell(firm, post_pk, marks, is_open=True):
    """What the firm promised for a post, also if it took it back, or the way to promise something while its discussion
    is open; without a slot or the money for it, why not.

    `marks` is what `observers.market.marks_on` found for all posts of the page.
    """
    placed = marks.get(post_pk)
    if placed:
        return {"amount": dollars(placed.total_cents), "state": market.word_of(placed)}
    if not is_open:
        return {}
    if lack := marks.means.lack:
        return {"lack": lack.brief}
    return {"url": reverse("observers:earmark", args=[keys.post_key(firm, post_pk)])}
