"""What one keeps of the news, wants all of, or wants less of: the buttons on articles and sources."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Specialty
from accounts.views.ties import member_required
from newsfeed.models import Article, Source, SourceFollow
from newsfeed.rows import load
from newsfeed.services import keeping
from sermo.errors import RuleBroken
from sermo.returning import back_to, posted_from


@member_required
@posted_from(lambda article_id: reverse("newsfeed:article", args=[article_id]))
def save(request, article_id):
    """Put an article on the reading list (`save` 1) or let it go (0)."""
    article = get_object_or_404(Article.objects.visible_to(request.user), pk=article_id)
    own, refused = {"member": request.user.as_member, "article": article}, ""
    is_saved = request.POST.get("save") != "0"
    try:
        keeping.save(**own) if is_saved else keeping.unsave(**own)
    except RuleBroken as refusal:
        is_saved, refused = False, str(refusal)
    if request.htmx:
        context = {"pk": article.pk, "is_saved": is_saved, "refused": refused}
        return render(request, "newsfeed/_save.html", context)
    if refused:
        messages.error(request, refused)
    return back_to(request, article.get_absolute_url())


@member_required
@posted_from(lambda slug: reverse("newsfeed:source", args=[slug]))
def follow_source(request, slug):
    """Follow a source (`follow` 1) or leave it (0)."""
    source = get_object_or_404(Source, slug=slug)
    own, is_followed = {"member": request.user.as_member, "source": source}, request.POST.get("follow") != "0"
    keeping.follow_source(**own) if is_followed else keeping.unfollow_source(**own)
    if request.htmx:
        context = {"slug": slug, "name": source.short_name, "is_followed": is_followed}
        return render(request, "newsfeed/_follow.html", context)
    return back_to(request, reverse("newsfeed:source", args=[slug]))


@member_required
@require_safe
def less_choices(request, article_id):
    """What of an article one can want less of: its source, its specialties. A script opens them within the list."""
    row = load(request.user, [article_id]).get(article_id)
    if row is None:
        raise Http404
    follows = SourceFollow.objects.filter(member=request.user.as_member, source__slug=row.source_slug)
    template = "newsfeed/_less_choices.html" if request.htmx else "newsfeed/less_choices.html"
    return render(request, template, {"row": row, "is_followed": follows.exists()})


@member_required
@posted_from(lambda: reverse("newsfeed:sources"))
def less(request):
    """Leave a `source` or a `specialty` (slugs) out of one's own feed."""
    if "source" in request.POST:
        of = get_object_or_404(Source, slug=request.POST["source"])
    elif "specialty" in request.POST:
        of = get_object_or_404(Specialty, slug=request.POST["specialty"], is_choice=True)
    else:
        raise BadRequest("Choose a source or a specialty.")
    made = keeping.see_less(member=request.user.as_member, of=of)
    if request.htmx:
        return render(request, "newsfeed/_less_done.html", {"less": made, "of": of})
    messages.success(request, f"{of.name} leaves your feed. Take it back under Sources.")
    return back_to(request, reverse("newsfeed:sources"))


@member_required
@posted_from(lambda less_id: reverse("newsfeed:sources"))
def undo_less(request, less_id):
    keeping.undo_less(member=request.user.as_member, less_id=less_id)
    if request.htmx:
        return render(request, "newsfeed/_less_undone.html")
    return back_to(request, reverse("newsfeed:sources"))
