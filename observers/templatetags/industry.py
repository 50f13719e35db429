"""The poll of a discussion as a firm reads it."""

from django import template

from observers.results import result_of
from polls.models import Poll

register = template.Library()


@register.inclusion_tag("observers/industry/_poll.html")
def poll_result(question, masks):
    """Of a discussion open to the firm: nothing where it has no poll, and no number before the poll has closed."""
    poll = Poll.objects.filter(question=question).first() if question.has_poll else None
    return {"poll": poll, "result": result_of(poll, masks) if poll else None}
