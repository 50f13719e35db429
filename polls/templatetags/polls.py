"""A poll on the page of its discussion."""

from django import template

from polls.lists import next_to_take
from polls.reading import load_polls
from polls.views import cards
from questions.rows import by_ids

register = template.Library()


@register.inclusion_tag("polls/_card.html", takes_context=True)
def poll_of(context, question):
    """Draw the poll of a discussion that came through its gate. Whoever may vote or see a result there has seen it."""
    return {"card": cards.shown_card(context["request"], question.pk)}


@register.inclusion_tag("polls/_sponsor.html", takes_context=True)
def sponsor_of(context, question):
    """Say who pays for a poll before its title, which is the first question of one that stands alone."""
    return {"sponsor": cards.shown_card(context["request"], question.pk).sponsor}


@register.inclusion_tag("polls/_for_you.html", takes_context=True)
def poll_for_you(context):
    """Draw the newest poll that waits for a vote of this member, to be taken right here."""
    request = context["request"]
    poll_id = next_to_take(request.user)
    loaded = load_polls(request.user, [poll_id]) if poll_id else {}
    if not loaded:
        return {}
    cards.note_seen(loaded[poll_id])
    card = cards.card_of(request, loaded[poll_id], in_list=True)
    return {"page": [(row, card) for row in by_ids(request.user, [poll_id])]}
