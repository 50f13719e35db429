"""The page of an article: what it is, where to read it, and its one discussion."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import active_physician_required, physician_required
from accounts.roles import is_moderator
from newsfeed import article_page
from newsfeed.models import Article
from newsfeed.services import discussing, reading
from questions.models import Question
from questions.views import thread
from questions.views.reading import show_question
from sermo.errors import RuleBroken
from sermo.returning import posted_from


@physician_required
def article(request, article_id):
    page = request.article_page = article_page.load(request.user, pk=article_id)
    if page is None:
        raise Http404("No article of this number is open to this reader.")
    member = request.user.as_member
    if member is not None and not page.article.is_read:
        reading.mark_read(member=member, article=page.article)
    if page.question_id is None or (page.is_discussion_removed and not is_moderator(request.user)):
        return render(request, "newsfeed/article.html", {"page": page})
    return show_question(request, thread.load_question(request.user, page.question_id))


@physician_required
def discussion(request, question_id):
    """The way from a discussion to the page of its article. Of one that was taken out the words alone stay."""
    page = request.article_page = article_page.load(request.user, discussion__question=question_id)
    if page is not None:
        query = request.META.get("QUERY_STRING", "")
        return redirect(f"{page.url}?{query}" if query else page.url)
    found = thread.load_question(request.user, question_id)
    if found.kind != Question.Kind.ARTICLE:
        return redirect(found)
    if not found.answer_count:
        raise Http404("Nobody said a word about it, and it is in the news no more.")
    return show_question(request, found)


@active_physician_required
@posted_from(lambda article_id: reverse("newsfeed:article", args=[article_id]))
def discuss(request, article_id):
    """Make or find the discussion, and go there."""
    found = get_object_or_404(Article.objects.visible_to(request.user), pk=article_id)
    try:
        discussing.discuss(article=found, user=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{found.get_absolute_url()}#answers")
