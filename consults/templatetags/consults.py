"""A case on the page of its discussion."""

from django import template
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from consults.reading import shown_case
from questions.views.thread import own_signature
from sermo.fragments import late

register = template.Library()
PLACES = ("badges", "viewer", "solve", "reopen")  # of a head, which is drawn for all who read it


@register.simple_tag
def case_place(name):
    """Keep a place in a head, for what only one reader sees."""
    return late(f"case-{name}")


@register.simple_tag(takes_context=True)
def case_head(context, question, head):
    """The head of a case that came through its gate, with badges and pictures in their places."""
    values = _values(context, question)
    for name in PLACES:
        head = head.replace(late(f"case-{name}"), render_to_string(f"consults/_{name}.html", values))
    return mark_safe(head)  # noqa: S308 - of our own templates, drawn


@register.inclusion_tag("consults/_solution.html", takes_context=True)
def case_solution(context, question):
    return _values(context, question)


@register.inclusion_tag("consults/_beside.html", takes_context=True)
def case_beside(context, question):
    """What stands beside the discussion: pictures and consent, marks, and what a case is not."""
    return _values(context, question)


def _values(context, question):
    request = context["request"]
    page = shown_case(request, question)
    signature = own_signature(question, page.member).name if page.may_mark else ""
    return {"page": page, "signs_as": signature, "csrf_token": get_token(request)}
