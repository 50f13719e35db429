"""What one saved: the button on a discussion, and the page with its folders."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.views.ties import member_required
from questions.models import Bookmark, Question
from questions.services import bookmarks as services
from sermo.errors import RuleBroken
from sermo.paging import page
from sermo.returning import back_to, posted_from

LOOSE = "none"  # the folder of what is in no folder
LONGEST_SEARCH = 80


@member_required
def bookmarks(request):
    """All that is saved, one folder of it (`folder`), or what has some words in its title (`q`)."""
    member = request.user.as_member
    folders = list(member.bookmark_folders.order_by("name", "pk"))
    typed = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    chosen = request.GET.get("folder", "")
    chosen = chosen if chosen in {LOOSE, *(str(folder.pk) for folder in folders)} else ""
    found = page(
        _narrowed(_readable(request.user), chosen, typed),
        order=("-saved_at", "-pk"),
        after=request.GET.get("after"),
        size=settings.BOOKMARKS_PER_PAGE,
    )
    context = {
        "page": found,
        "folders": folders,
        "folder": next((folder for folder in folders if str(folder.pk) == chosen), None),
        "typed": typed,
        "chosen": chosen,
        "here": _address(folder=chosen, q=typed),
        "more_url": _address(folder=chosen, q=typed, after=found.next) if found.next else None,
        "places": [
            (label, _address(folder=key), key == chosen)
            for key, label in [
                ("", "All"),
                *((str(one.pk), one.name) for one in folders),
                (LOOSE, "In no folder"),
            ]
        ],
    }
    template = "questions/_bookmark_rows.html" if request.htmx else "questions/bookmarks.html"
    return render(request, template, context)


def _readable(user):
    """What a member saved and may still read; the rest is as if it were not there."""
    readable = Question.objects.visible_to(user).filter(pk=OuterRef("question"))
    return user.as_member.bookmarks.filter(Exists(readable)).select_related("question", "folder")


def _narrowed(rows, chosen, typed):
    if chosen:
        rows = rows.filter(folder=None if chosen == LOOSE else int(chosen))
    for word in typed.split()[:8]:
        rows = rows.filter(question__title__icontains=word)
    return rows


def _address(**said) -> str:
    said = {name: value for name, value in said.items() if value}
    return reverse("questions:bookmarks") + (f"?{urlencode(said)}" if said else "")


@member_required
@posted_from(lambda question_id: reverse("questions:question_short", args=[question_id]))
def save(request, question_id):
    """Save a discussion (`save` 1, perhaps into a `folder`) or let it go (0)."""
    member = request.user.as_member
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    question.own_bookmark = None
    try:
        if request.POST.get("save") == "0":
            services.unsave(member=member, question=question)
        else:
            folder = _folder(member, request.POST.get("folder", ""))
            question.own_bookmark = services.save(member=member, question=question, folder=folder).pk
    except RuleBroken as refusal:
        if request.htmx:
            return render(request, "questions/_save.html", {"question": question, "refused": str(refusal)})
        messages.error(request, str(refusal))
    if request.htmx:
        return render(request, "questions/_save.html", {"question": question})
    return back_to(request, question.get_absolute_url())


@member_required
@posted_from(lambda bookmark_id: reverse("questions:bookmarks"))
def move(request, bookmark_id):
    """Put one saved discussion into a `folder`, an empty one for none."""
    member = request.user.as_member
    kept = get_object_or_404(Bookmark.objects.filter(member=member), pk=bookmark_id)
    services.move(bookmark=kept, folder=_folder(member, request.POST.get("folder", "")))
    return back_to(request, reverse("questions:bookmarks"))


def _folder(member, typed):
    if not typed:
        return None
    if not typed.isdecimal() or len(typed) > 18:
        raise BadRequest("Choose one of your folders.")
    return get_object_or_404(member.bookmark_folders, pk=typed)


@member_required
@posted_from(lambda: reverse("questions:bookmarks"))
def make_folder(request):
    try:
        made = services.make_folder(member=request.user.as_member, name=request.POST.get("name", ""))
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("questions:bookmarks")
    return redirect(_address(folder=str(made.pk)))


@member_required
@posted_from(lambda folder_id: _address(folder=str(folder_id)))
def rename_folder(request, folder_id):
    folder = get_object_or_404(request.user.as_member.bookmark_folders, pk=folder_id)
    try:
        services.rename_folder(folder=folder, name=request.POST.get("name", ""))
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(_address(folder=str(folder_id)))


@member_required
@posted_from(lambda folder_id: _address(folder=str(folder_id)))
def delete_folder(request, folder_id):
    """Delete a folder; what it held stays saved."""
    services.delete_folder(folder=get_object_or_404(request.user.as_member.bookmark_folders, pk=folder_id))
    messages.success(request, "The folder is gone. What it held is still saved.")
    return redirect("questions:bookmarks")


def own_bookmark(member):
    """A column for a discussion: the id of the reader's bookmark of it, or null."""
    return Bookmark.objects.filter(member=member, question=OuterRef("pk")).values("pk")[:1]
