"""What one keeps of the news, wants all of, or wants less of: the buttons on articles and sources."""

import re

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Specialty
from accounts.views.ties import member_required
from newsfeed import own_feed
from newsfeed.models import Article, LessOf, Source, SourceFollow
from newsfeed.rows import Shown, load
from newsfeed.services import keeping
from questions.models import TopicFollow, TopicMute
from sermo.errors import RuleBroken
from sermo.paging import LARGEST_NUMBER
from sermo.returning import back_to, posted_from

SLUG = re.compile(r"[-\w]{1,80}", re.ASCII)


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
    """What of an article one can want less of: its source, its specialties.

    A script opens them within the list, and closes them again (`cancel`).
    """
    row = _row(request.user, article_id)
    if row is None:
        raise Http404
    if request.htmx and "cancel" in request.GET:
        return render(request, "newsfeed/_less_link.html", {"pk": row.pk, "focus": True})
    follows = SourceFollow.objects.filter(member=request.user.as_member, source__slug=row.source_slug)
    template = "newsfeed/_less_choices.html" if request.htmx else "newsfeed/less_choices.html"
    context = {"row": row, "is_followed": follows.exists(), "alone": not request.htmx}
    return render(request, template, context)


@member_required
@posted_from(lambda: reverse("newsfeed:sources"))
def less(request):
    """Leave a `source` or a `specialty` (slugs) out of one's own feed.

    A script says on which `article` it was asked.
    """
    if "source" in request.POST:
        of = get_object_or_404(Source, slug=_slug(request.POST["source"]))
    elif "specialty" in request.POST:
        of = get_object_or_404(Specialty, slug=_slug(request.POST["specialty"]), is_choice=True)
    else:
        raise BadRequest("Choose a source or a specialty.")
    made = keeping.see_less(member=request.user.as_member, of=of)
    said = _leaves(made, of)
    if request.htmx:
        context = {"less": made, "said": said, "article": _number(request.POST.get("article", ""))}
        return render(request, "newsfeed/_less_done.html", context)
    messages.success(request, f"{said} Take it back under Sources.")
    return back_to(request, reverse("newsfeed:sources"))


@member_required
@posted_from(lambda less_id: reverse("newsfeed:sources"))
def undo_less(request, less_id):
    """Take it back; a script gets the card of the `article` on which it was asked."""
    taken = keeping.undo_less(member=request.user.as_member, less_id=less_id)
    said = _returns(taken)
    if request.htmx:
        row, hidden = _card(request.user, _number(request.POST.get("article", "")))
        said += hidden if taken is None or not _is_muted(taken) else ""
        return render(request, "newsfeed/_less_undone.html", {"said": said, "row": row})
    messages.success(request, said)
    return back_to(request, reverse("newsfeed:sources"))


def _leaves(less: LessOf, of) -> str:
    """What is different now, and what is not."""
    if less.specialty_id is None:
        alerts = " Its safety alerts leave it too." if of.kind == Source.Kind.REGULATOR else ""
        return f"{of.name} leaves your feed.{alerts}"
    words = [f"{of.name} leaves your feed; safety alerts stay."]
    if SourceFollow.objects.filter(member=less.member_id).exists():
        words.append("What the sources you follow bring of it stays too.")
    if TopicFollow.objects.filter(member=less.member_id, specialty=of).exists():
        words.append("You still follow its discussions.")
    return " ".join(words)


def _returns(taken: LessOf | None) -> str:
    if taken is None:
        return "This was taken back already."
    if _is_muted(taken):
        return f"Taken back. {taken.specialty.name} is muted, though, and stays away until you unmute it under Topics."
    return "Taken back. You follow it again." if taken.had_followed else "Taken back."


def _is_muted(taken: LessOf) -> bool:
    muted = TopicMute.objects.filter(member=taken.member_id, specialty=taken.specialty_id)
    return taken.specialty_id is not None and muted.exists()


def _card(user, article_id: int) -> tuple[Shown | None, str]:
    """An article as it stands in one's feed again, or why it does not."""
    row = _row(user, article_id)
    if row is None:
        return None, " Load the page again to see what is back."
    wishes = own_feed.wishes_of(user.as_member)
    found = own_feed.candidate_of(wishes, row)
    if found and wishes.refuse(found):
        return None, " Something else you muted or want less of still hides this article."
    row.why = wishes.say(found.reason) if found else ""
    return row, ""


def _row(user, article_id: int) -> Shown | None:
    return load(user, [article_id]).get(article_id) if article_id < LARGEST_NUMBER else None


def _slug(typed: str) -> str:
    if not SLUG.fullmatch(typed):
        raise Http404
    return typed


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0
