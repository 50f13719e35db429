"""All tags: to look through, suggested while one types, and merged by moderators."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db.models import OuterRef
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify

from accounts.doors import login_required, physician_required
from accounts.roles import is_moderator
from questions import filters as narrowing
from questions.models import Tag
from questions.services import tags as services
from sermo.errors import RuleBroken
from sermo.paging import page

MOST_SUGGESTED = 8


@physician_required
def tags(request):
    """Tags by name with how many discussions of each one may read; `q` finds names by any of their words."""
    typed = request.GET.get("q", "").strip()[:40]
    rows = (
        _matching(typed)
        .filter(merged_into=None)
        .annotate(number=narrowing.capped(_tied_to_tag(request.user), settings.COUNT_CAP))
    )
    found = page(rows, order=("slug",), after=request.GET.get("after"), size=settings.TAGS_PER_PAGE)
    for tag in found:
        tag.figure = narrowing.in_figures(tag.number)
    query = {name: value for name, value in {"q": typed, "after": found.next or ""}.items() if value}
    context = {
        "page": found,
        "typed": typed,
        "more_url": f"{reverse('questions:tags')}?{urlencode(query)}" if found.next else None,
        "can_moderate": is_moderator(request.user),
    }
    return render(request, "questions/_tag_rows.html" if request.htmx else "questions/tags.html", context)


def _matching(typed):
    rows = Tag.objects.all()
    return rows.filter(slug__contains=slugify(typed)) if slugify(typed) else rows


def _tied_to_tag(user):
    """The discussions of the tag in the outer query that a reader may see."""
    return narrowing.readable(user).listed().filter(tags=OuterRef("pk"))


@physician_required
def suggest(request):
    """Options for the last tag of a line that is being typed (`q` or `tags`)."""
    typed = request.GET.get("q") or request.GET.get("tags", "")
    before, _, last = typed[-200:].rpartition(",")
    found = services.suggested(last, MOST_SUGGESTED)
    start = f"{before.strip()}, " if before.strip() else ""
    context = {"options": [(f"{start}{tag.name}", tag.name) for tag in found]}
    return render(request, "questions/_tag_options.html", context)


@login_required
def desk(request):
    """Moderators find tags, see what was merged into what, and merge."""
    if not is_moderator(request.user):
        raise Http404
    if request.method == "POST":
        return _merge(request)
    typed = request.GET.get("q", "").strip()[:40]
    rows = _matching(typed).select_related("merged_into")
    found = page(rows, order=("slug",), after=request.GET.get("after"), size=settings.TAGS_PER_PAGE)
    query = {name: value for name, value in {"q": typed, "after": found.next or ""}.items() if value}
    context = {
        "page": found,
        "typed": typed,
        "more_url": f"{reverse('questions:tag_desk')}?{urlencode(query)}" if found.next else None,
    }
    template = "questions/_tag_desk_rows.html" if request.htmx else "questions/tag_desk.html"
    return render(request, template, context)


def _merge(request):
    tag = get_object_or_404(Tag, slug=slugify(request.POST.get("tag", "")))
    into = Tag.objects.filter(slug=slugify(request.POST.get("into", ""))).first()
    if into is None:
        messages.error(request, "There is no tag of that name to merge into.")
        return redirect("questions:tag_desk")
    try:
        kept = services.merge_tags(tag=tag, into=into, by=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"“{tag.name}” is now a synonym of “{kept.name}”.")
    return redirect("questions:tag_desk")
