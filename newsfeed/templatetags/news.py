"""News on pages of others: the learning log, members' own papers, what is found, what is new for one."""

from urllib.parse import urlencode

from django import template
from django.urls import reverse

from accounts.roles import is_moderator
from newsfeed import home, lists
from newsfeed.models import Article, LogEntry
from newsfeed.services import own_papers
from questions.models import Question
from questions.search.language import parse

register = template.Library()

MOST_PAPERS = 20
MOST_FOUND = 5


# Learning log


@register.inclusion_tag("newsfeed/_log_link.html", takes_context=True)
def log_link(context, article):
    """Lead to the entry of an article in one's learning log, or to the form that makes one."""
    member = context["request"].user.as_member
    if member is None:
        return {}
    entry = LogEntry.objects.filter(member=member, article=article).values_list("pk", flat=True).first()
    return {"name": "article", "id": article.pk, "entry": entry}


@register.inclusion_tag("newsfeed/_log_link.html", takes_context=True)
def log_question_link(context, question):
    """The same for a discussion of others in which one wrote, as its page loaded it; what is logged already the form
    opens. That of an article is logged as the article.
    """
    member = context["request"].user.as_member
    if member is None or question.kind == Question.Kind.ARTICLE:
        return {}
    wrote = question.own_byline and question.asker_id != member.pk
    return {"name": "question", "id": question.pk, "entry": None} if wrote else {}


# Own papers


@register.inclusion_tag("newsfeed/_own_paper.html", takes_context=True)
def own_paper(context, article):
    """Say which members wrote it, and let one who did say so."""
    request = context["request"]
    member = request.user.as_member
    authors, is_mine = own_papers.marks_of(article, request.user) if article.authors else ([], False)
    return {
        "article": article,
        "authors": authors,
        "is_mine": is_mine and member.may_write,
        "is_shown": member in authors,
        "may_mark": not is_mine and own_papers.may_mark(article, member),
        "can_moderate": is_moderator(request.user),
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("newsfeed/_own_papers_of.html", takes_context=True)
def own_papers_of(context, member):
    """List what a member, met under the real name, says they wrote."""
    articles = Article.objects.visible_to(context["request"].user).filter(own_papers__member=member)
    articles = articles.select_related("source").only(
        "title", "authors", "journal", "shown_at", "kind", "source__short_name"
    )
    newest = articles.order_by("-shown_at", "-pk")[:MOST_PAPERS]
    return {"papers": [one for one in newest if own_papers.is_among(member.display_name, one.authors)]}


# Found, and new


@register.inclusion_tag("newsfeed/_found.html", takes_context=True)
def news_found(context, text):
    """Show the newest news with the words of a search, on its first page, where nothing narrows it to discussions."""
    request, typed = context["request"], parse(text)
    if request.GET.get("after") or typed.filters or not typed.has_words:
        return {}
    address = f"{reverse('newsfeed:list')}?{urlencode({'q': typed.words})}"
    return {"rows": lists.search(request.user, typed.words, MOST_FOUND), "all_url": address}


@register.inclusion_tag("newsfeed/_for_you.html", takes_context=True)
def news_for_you(context):
    """Show the newest of a member's own news."""
    user = context["request"].user
    return {"rows": home.newest(user) if user.as_member else []}
