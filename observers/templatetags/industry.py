"""The poll of a discussion as a firm reads it."""

from django import template

from observers.results import result_of
from polls.models import Poll

register = template.Library()


@register.inclusion_tag("observers/industry/_poll.html")
def poll_result(firm, question, masks):
    """Of a discussion open to the firm: nothing where it has no poll, no number before the firm knows it is closed."""
    poll = Poll.objects.filter(question=question).first() if question.has_poll else None
    return {"poll": poll, "result": result_of(firm, poll, masks) if poll else None}
