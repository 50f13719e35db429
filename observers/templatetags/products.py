"""What the page of a discussion says of products."""

from django import template

from observers.beside import products_of
from questions.models import Question

register = template.Library()


@register.inclusion_tag("products/_named.html", takes_context=True)
def products_in(context, question: Question):
    """The products that a discussion names, from what came with it and with the posts of its page."""
    answers = context["posts"]
    shown = [context["opening"], *answers, *(comment for answer in answers for comment in answer.comments)]
    return {"products": products_of(question, shown)}
