"""A member says of a paper that it is theirs."""

from django.contrib import messages
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.doors import active_physician_required
from newsfeed.models import Article
from newsfeed.services import own_papers as services
from sermo.errors import RuleBroken
from sermo.returning import back_to, posted_from


@active_physician_required
@posted_from(lambda article_id: reverse("newsfeed:article", args=[article_id]))
def own_paper(request, article_id):
    """Mark it (`mine` 1), or take the mark back (`mine` 0)."""
    article = get_object_or_404(Article.objects.visible_to(request.user), pk=article_id)
    member = request.user.as_member
    try:
        if request.POST.get("mine") == "0":
            services.unmark(article=article, by=member)
        else:
            services.mark(article=article, by=member)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return back_to(request, article.get_absolute_url())
