"""A member says of a paper that it is theirs; a moderator takes such a mark off."""

from django.contrib import messages
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.doors import active_physician_required, physician_required
from newsfeed.models import Article
from newsfeed.services import own_papers as services
from sermo.errors import RuleBroken
from sermo.returning import back_to, posted_from


@physician_required
@posted_from(lambda article_id: reverse("newsfeed:article", args=[article_id]))
def own_paper(request, article_id):
    """Mark it (`mine` 1), or take the mark back (`mine` 0); with a `member` a moderator takes theirs off."""
    return _take_off(request, article_id) if "member" in request.POST else _mark(request, article_id)


@active_physician_required
def _mark(request, article_id):
    member = request.user.as_member
    if request.POST.get("mine") == "0":
        return _done(request, article_id, services.unmark, by=member)
    return _done(request, article_id, services.mark, by=member)


def _take_off(request, article_id):
    key = request.POST["member"].replace("\x00", "")
    return _done(request, article_id, services.take_off, physician_key=key, by=request.user)


def _done(request, article_id, service, **said):
    article = get_object_or_404(Article.objects.visible_to(request.user), pk=article_id)
    try:
        service(article=article, **said)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return back_to(request, article.get_absolute_url())
