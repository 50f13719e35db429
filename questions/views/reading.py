"""The page of one discussion, and what its posts said before."""

from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render

from accounts.doors import physician_required
from accounts.roles import is_moderator
from accounts.services import notices
from questions import answerers, differences, seen
from questions.heads import Became, drawn_facts, drawn_head, head_of
from questions.models import Post, Question
from questions.services import asking, committing, follow_ups
from questions.services.references import references_of
from questions.signature import signature
from questions.views import thread
from questions.views.posting import post_or_back
from sermo.text import render_markdown

MOST_VERSIONS = 20  # of one post, the newest


@physician_required
def question(request, question_id, slug=""):
    found = thread.load_question(request.user, question_id)
    if request.path != found.get_absolute_url():
        query = request.META.get("QUERY_STRING", "")
        return redirect(f"{found.get_absolute_url()}?{query}" if query else found)  # 302: titles change back
    return show_question(request, found)


def show_question(request, found):
    """The page of a discussion that came through its gate; apps show theirs with it at addresses of their own."""
    if request.htmx and request.GET.get("after"):
        return _later_answers(request, found)
    _note_seen(request, found)
    return render_question(request, found)


def _later_answers(request, question):
    sort = _sort(request)
    answers = seen.later_answers(question, request.user.as_member, sort=sort, after=request.GET["after"])
    return render(request, "questions/_answers.html", _answers(request, question, answers, sort))


def _note_seen(request, question):
    """What one was told of a discussion is read once its page was opened."""
    user = request.user
    if question.has_news and notices.seen(user.as_member, f"question:{question.pk}"):
        user.unread_count -= 1


def render_question(request, question, *, form=None, refused=None, status=200):
    """The whole page; `form` is the answer form with its errors, `refused` a dispute, when they come back."""
    member = request.user.as_member
    sort = _sort(request)
    after = request.GET.get("after")
    if after:
        opening = seen.opening(question, member)
        answers = seen.later_answers(question, member, sort=sort, after=after)
    else:
        wanted = seen.Wanted(_post_id(request, "post"), _post_id(request, "comments"))
        opening, answers = seen.opening_and_answers(
            question, member, sort=sort, wanted=wanted, refused=refused
        )
    address, token = question.get_absolute_url(), get_token(request)
    answered_by = _answered_by(question, answers, is_all=not after)
    head = head_of(
        question,
        member,
        can_moderate=is_moderator(request.user),
        became=_became(question),
        answerers=tuple(answerers.in_words(answered_by)),
        **_of_the_asker(question, opening, member),
    )
    context = {
        "opening": opening,
        "head": drawn_head(head, opening, token),
        "facts": drawn_facts(head, token),
        "closed_words": f"It stays readable. Nobody can {question.words.answer} or vote any more.",
        "answered": sum(number for _, number in answered_by),
        "references": _references(question, member),
        **_answers(request, question, answers, sort),
        "sorts": [
            (label, f"{address}?answers={key}#answers", key == sort) for key, (label, _) in seen.SORTS.items()
        ],
        "answer_form": (thread.drawn_answer_form(request, question, form) if head.writable or form else ""),
    }
    return render(request, "questions/question.html", context, status=status)


def _answered_by(question, answers, *, is_all):
    """How many answered, by specialty; from the answers at hand where they are all."""
    if answers.next or not is_all or not question.answers_open:
        return answerers.by_specialty(question)
    others = (post for post in answers if not post.is_removed and post.author_id != question.asker_id)
    return answerers.tally((post.author_id, post.signature) for post in others)


def _references(question, member):
    """Those of answers only where these are open, since a link says as much as words."""
    if not question.has_references:
        return []
    return references_of(question, member, of_opening=not question.answers_open)


def _became(question):
    if not question.is_solved or not question.answers_open:
        return ()
    return tuple(Became(row.days, row.finding, row.text) for row in follow_ups.said_of(question))


def _of_the_asker(question, opening, member):
    """What only the asker is shown: which follow-up waits, and how many the question was put to."""
    if member is None or question.asker_id != member.pk:
        return {}
    waiting = follow_ups.next_of(question) if question.is_solved else None
    return {
        "next_days": waiting and waiting.days,
        "reach": asking.reach_of(Post(pk=opening.pk, question=question)),
    }


def _sort(request):
    chosen = request.GET.get("answers")
    return chosen if chosen in seen.SORTS else "corroborated"


def _answers(request, question, found, sort):
    """What the template of some answers asks for."""
    member = request.user.as_member
    narrowed = "" if sort == "corroborated" else f"answers={sort}&"
    may = {
        "writable": question.is_open and question.takes_words and bool(member) and member.may_write,
        "can_moderate": is_moderator(request.user),
        "is_member": bool(member),
    }
    token = get_token(request)
    return {
        **may,
        "question": question,
        "posts": found.rows,
        "answers": seen.drawn(found, question, token, **may),
        "more_url": f"{question.get_absolute_url()}?{narrowed}after={found.next}" if found.next else None,
    }


def _post_id(request, name):
    """The id an address names, or None; what has more digits than any id is no id."""
    typed = request.GET.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) <= 18 else None


@physician_required
@post_or_back
def open_answers(request, question_id):
    """Open the answers to somebody who only wants to read, which is noted once."""
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    member = request.user.as_member
    if member is not None:
        committing.open_for_reading(question=question, member=member)
    return redirect(f"{question.get_absolute_url()}#answers")


@physician_required
def history(request, post_id):
    rows = (
        Post.objects.visible_to(request.user)
        .standing()
        .select_related("question", "byline", "author__specialty")
    )
    post = get_object_or_404(rows, pk=post_id)
    revisions = list(post.revisions.order_by("-number")[: MOST_VERSIONS + 1])
    context = {
        "post": post,
        "versions": _versions(post, revisions),
        "earlier": revisions[-1].number if len(revisions) > MOST_VERSIONS else 0,
        "signature": signature(post.byline.mode, post.author),
    }
    return render(request, "questions/history.html", context)


def _versions(post, revisions):
    """Each version beside what it replaced, the newest first, and the oldest as it was written.

    A revision keeps what an edit replaced and when, so a version is as old as the edit before it.
    """
    versions = []
    source, title = post.source, post.question.title if post.kind == Post.Kind.OPENING else ""
    for revision in revisions[:MOST_VERSIONS]:
        versions.append(
            {
                "since": revision.replaced_at,
                "title": differences.of_line(revision.title, title) if revision.title != title else [],
                "paragraphs": differences.between(revision.source, source),
            }
        )
        source, title = revision.source, revision.title
    since = revisions[-1].replaced_at if len(revisions) > MOST_VERSIONS else post.posted_at
    return (
        [*versions, {"since": since, "first_title": title, "html": render_markdown(source)}]
        if versions
        else []
    )
