"""An article on the page of its discussion."""

from django import template
from django.middleware.csrf import get_token

from accounts.roles import is_moderator
from newsfeed import article_page

register = template.Library()
SCALE = range(1, 6)


@register.inclusion_tag("newsfeed/_discussed.html", takes_context=True)
def article_head(context, question, opening):
    """What is discussed, with what one may do there; of an article that was taken out its title alone."""
    request = context["request"]
    member = request.user.as_member
    return {
        **_shown(context, question),
        "question": question,
        "opening": opening,
        "scale": SCALE,
        "writable": question.is_open and member is not None and member.may_write,
        "is_member": member is not None,
        "can_moderate": is_moderator(request.user),
    }


@register.inclusion_tag("newsfeed/_beside.html", takes_context=True)
def article_beside(context, question):
    return _shown(context, question)


@register.inclusion_tag("newsfeed/_printed.html", takes_context=True)
def article_printed(context, question):
    """Where it appeared, what became of it and what it says in short, for paper."""
    return _shown(context, question)


def _shown(context, question):
    """The article of a discussion, loaded once for a request. The tags in its templates need the request."""
    request = context["request"]
    if not hasattr(request, "article_page"):
        request.article_page = article_page.load(request.user, discussion__question=question.pk)
    return {"page": request.article_page, "request": request, "csrf_token": get_token(request)}
