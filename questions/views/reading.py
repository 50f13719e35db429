"""The page of one discussion, and what its posts said before."""

from django.shortcuts import get_object_or_404, redirect, render

from accounts.doors import physician_required
from accounts.roles import is_moderator
from accounts.services import notices
from questions.models import Post
from questions.signature import signature
from questions.views import thread
from sermo.text import render_markdown


@physician_required
def question(request, question_id, slug=""):
    found = thread.load_question(request.user, question_id)
    if slug != found.slug:
        query = request.META.get("QUERY_STRING", "")
        return redirect(f"{found.get_absolute_url()}?{query}" if query else found)  # 302: titles change back
    if request.htmx and request.GET.get("after"):
        return render(request, "questions/_answers.html", _answers(request, found))
    _note_seen(request, found)
    return render_question(request, found)


def _note_seen(request, question):
    """What one was told of a discussion is read once its page was opened."""
    user = request.user
    if question.has_news and notices.seen(user.as_member, f"question:{question.pk}"):
        user.unread_count -= 1


def render_question(request, question, *, form=None, dispute=None, status=200):
    """The whole page; `form` is the answer form with its errors, `dispute` a refused one, when they come back."""
    member = request.user.as_member
    opening = thread.dress([thread.load_opening(question, member)], member, dispute=dispute)[0]
    writable = question.is_open and bool(member) and member.may_write
    if writable and form is None:
        form = thread.answer_form(question, member)
    context = {
        **_answers(request, question, dispute),
        "opening": opening,
        "form": form,
        "writable": writable,
        "own_signature": thread.own_signature(question, member) if member else None,
        "is_asker": bool(member) and question.asker_id == member.pk,
        "can_moderate": is_moderator(request.user),
        "scale": range(1, 6),
    }
    return render(request, "questions/question.html", context, status=status)


def _answers(request, question, dispute=None):
    member = request.user.as_member
    sort = request.GET.get("answers") if request.GET.get("answers") in thread.SORTS else "corroborated"
    found = thread.load_answers(question, member, sort=sort, after=request.GET.get("after"))
    wanted, all_of = _post_id(request, "post"), _post_id(request, "comments")
    if not request.GET.get("after"):
        for post_id in filter(None, (wanted, all_of, dispute and dispute.post_id)):
            _bring_in(question, member, found, post_id)
    address = question.get_absolute_url()
    narrowed = "" if sort == "corroborated" else f"answers={sort}&"
    return {
        "question": question,
        "answers": thread.dress(found.rows, member, wanted=wanted, all_of=all_of, dispute=dispute),
        "more_url": f"{address}?{narrowed}after={found.next}" if found.next else None,
        "sort": sort,
        "sorts": [
            (label, f"{address}?answers={key}#answers", key == sort)
            for key, (label, _) in thread.SORTS.items()
        ],
        "writable": question.is_open and bool(member) and member.may_write,
        "can_moderate": is_moderator(request.user),
    }


def _post_id(request, name):
    """The id an address names, or None; what has more digits than any id is no id."""
    typed = request.GET.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) <= 18 else None


def _bring_in(question, member, found, post_id):
    """A link to an answer further down (or to a comment under it) shows that answer on the first page too."""
    above = question.posts.filter(pk=post_id).values_list("parent_id", flat=True).first()
    answer_id = above or post_id
    if all(post.pk != answer_id for post in found.rows):
        extra = question.posts.answers().for_page(member).filter(pk=answer_id).first()
        if extra:
            extra.question = question
            found.rows.append(extra)


@physician_required
def history(request, post_id):
    rows = (
        Post.objects.visible_to(request.user)
        .standing()
        .select_related("question", "byline", "author__specialty")
    )
    post = get_object_or_404(rows, pk=post_id)
    versions = [
        {"title": revision.title, "html": render_markdown(revision.source), "until": revision.replaced_at}
        for revision in post.revisions.order_by("-number")
    ]
    context = {"post": post, "versions": versions, "signature": signature(post.byline.mode, post.author)}
    return render(request, "questions/history.html", context)
