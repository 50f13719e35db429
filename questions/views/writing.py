"""Pages to write on: ask, answer, comment, edit, drafts, preview."""

import re
from contextlib import contextmanager

from django.conf import settings
from django.contrib import messages
from django.db import connection, transaction
from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import active_physician_required
from accounts.services import identifiers
from questions import seen
from questions.answer_forms import FORMS
from questions.forms import CommentForm, EditForm
from questions.models import Draft, Post, Question
from questions.rarity_forms import AskingForm
from questions.services import bylines
from questions.services import writing as services
from questions.services.tags import NewTagNeedsRank
from questions.views import asking, thread
from questions.views.posting import post_or_back
from questions.views.reading import render_question
from questions.words import USUAL, Words, words_of
from sermo.errors import RuleBroken
from sermo.paging import LARGEST_NUMBER
from sermo.text import render_markdown

PREVIEW_FIELDS = ("source",)
PLACE = re.compile(r"ask|(answer|comment|edit):[1-9][0-9]{0,18}")
LATER = re.compile(r"later:[0-9a-f-]{36}")
OF_THE_BYLINE = (
    bylines.LessPrivateByline,
    bylines.NameAmongConnections,
    bylines.NoPublicName,
    bylines.NoPartialByline,
)
SENDING = 7_300_007  # first number of the advisory locks under which one submission is sent


@contextmanager
def recording(form, member, place):
    """Notes what stays in a text although it was found, together with the post or not at all, and once a submission."""
    submission = form.cleaned_data["submission"]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [SENDING, submission.int % 2**31])
        sent = member.posts.filter(submission=submission)
        is_repeated = sent.exists() or member.drafts.filter(place=f"later:{submission}").exists()
        yield
        if not is_repeated:
            identifiers.record(member=member, place=place, kept=form.kept_identifiers())


def refuse(form, refusal):
    """Say it beside the choice it is about, or above the form."""
    is_beside = isinstance(refusal, OF_THE_BYLINE) and "byline" in form.fields
    form.add_error("byline" if is_beside else None, str(refusal))


@active_physician_required
def ask(request):
    """The form; a button of it may also look for similar ones, add a topic, make texts coarser, or wait."""
    member, sent = request.user.as_member, request.POST
    if "answers_mine" in sent and (opened := asking.keep_and_open(request)):
        return opened
    if any(button in sent for button in asking.ON_THE_WAY):
        fields = asking.as_typed(sent)
        context = {"form": AskingForm(member=member, initial=fields), **asking.around(request.user, fields)}
        return render(request, "questions/ask.html", context)
    draft = Draft.objects.filter(member=member, place="ask").first()
    initial = _first_values(member, draft, request.GET.get("title", ""))
    form = AskingForm(
        (asking.coarser(sent) if "coarser" in sent else sent) or None, member=member, initial=initial
    )
    if request.method == "POST" and form.is_valid() and "coarser" not in sent:
        try:
            with recording(form, member, "question"):
                if "later" in sent:
                    return asking.post_later(request, form)
                question = _open(form, member)
            return redirect(f"{reverse('polls:new')}?question={question.pk}" if "poll" in sent else question)
        except services.NotInAudience as refusal:
            form.add_error("audience", str(refusal))
        except NewTagNeedsRank as refusal:
            form.add_error("tags", str(refusal))
        except RuleBroken as refusal:
            refuse(form, refusal)
    context = {
        "form": form,
        "draft": None if form.is_bound else draft,
        "days_to_wait": settings.POST_LATER_DAYS,
    }
    return render(request, "questions/ask.html", context, status=422 if form.errors else 200)


def _first_values(member, draft, title):
    """The draft; without one the own specialty, and as title what was looked for in vain."""
    if draft:
        return {"put_to_colleagues": "", "peers_only": "", **draft.fields}
    specialties = [member.specialty_id] if member.specialty_id else []
    return {"specialties": specialties, "title": " ".join(title.split())[:140]}


def _open(form, member):
    typed = form.cleaned_data
    return services.open_question(
        asker=member,
        kind=typed["kind"],
        urgency=typed["urgency"],
        put_to_colleagues=typed["put_to_colleagues"],
        **form.discussion_chosen(),
    )


@active_physician_required
@post_or_back
def answer(request, question_id):
    member = request.user.as_member
    question = thread.load_question(request.user, question_id)
    if way := FORMS.get(question.kind):
        return redirect(way.action(question), preserve_request=True)
    form = thread.answer_form(request, question, request.POST)
    if form.is_valid():
        try:
            with recording(form, member, "answer"):
                post = services.answer(
                    question=question,
                    author=member,
                    source=form.cleaned_data["source"],
                    submission=form.cleaned_data["submission"],
                    **form.way_chosen(),
                )
        except RuleBroken as refusal:
            refuse(form, refusal)
        else:
            return _answered(request, question, post)
    if request.htmx:
        return HttpResponse(thread.drawn_answer_form(request, question, form), status=422)
    return render_question(request, question, form=form, status=422)


def _answered(request, question, post):
    """For htmx the new answer and an empty form in place of the old; else back to the page, at the answer."""
    if not request.htmx:
        return redirect(post.get_absolute_url())
    question = thread.load_question(request.user, question.pk)
    context = {
        "answer": _drawn(request, question, post, writable=True, fresh=True),
        "answer_form": thread.drawn_answer_form(request, question),
    }
    return render(request, "questions/_answered.html", context)


def _drawn(request, question, post, **may):
    shown = seen.one(question, request.user.as_member, post.pk)
    return seen.drawn([shown], question, get_token(request), can_moderate=False, **may)[0]


@active_physician_required
def comment(request, post_id):
    member = request.user.as_member
    post = get_object_or_404(Post.objects.visible_to(request.user).standing().answers(), pk=post_id)
    question = thread.load_question(request.user, post.question_id)
    if request.method == "GET" and not question.is_open:
        messages.error(request, services.NotOpen.message)
        return redirect(post.get_absolute_url())
    place = f"comment:{post.pk}"
    draft = Draft.objects.filter(member=member, place=place).first()
    form = CommentForm(
        request.POST or None,
        member=member,
        fixed_byline=question.own_byline is not None,
        among_few=question.is_among_few,
        among_peers=question.is_among_peers or post.peers_only,
        initial={"peers_only": "", **draft.fields} if draft else None,
    )
    form.fields["source"].label = f"Your {question.words.comment}"
    if request.method == "POST" and form.is_valid():
        try:
            with recording(form, member, "comment"):
                made = services.comment(
                    post=post,
                    author=member,
                    source=form.cleaned_data["source"],
                    submission=form.cleaned_data["submission"],
                    **form.way_chosen(),
                )
            return redirect(made.get_absolute_url())
        except RuleBroken as refusal:
            refuse(form, refusal)
    context = {
        "form": form,
        "post": _drawn(request, question, post, writable=False),
        "post_url": post.get_absolute_url(),
        "question": question,
        "draft": None if form.is_bound else draft,
        "draft_url": reverse("questions:save_draft", args=[place]),
        "own_signature": thread.own_signature(question, member),
    }
    return render(request, "questions/comment.html", context, status=422 if form.errors else 200)


@active_physician_required
def edit(request, post_id):
    member = request.user.as_member
    rows = Post.objects.visible_to(request.user).standing().filter(author=member).select_related("question")
    post = get_object_or_404(rows, pk=post_id)
    if request.method == "GET" and not post.question.is_open:
        messages.error(request, services.NotOpen.message)
        return redirect(post.get_absolute_url())
    place = f"edit:{post.pk}"
    draft = Draft.objects.filter(member=member, place=place).first()
    form, now = EditForm(request.POST or None, post=post), None
    form.initial.update(draft.fields if draft else {})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                title = services.lock_open(post.question).title
                said = (Post.objects.values_list("source", flat=True).get(pk=post.pk), title)
                done = services.edit_post(post=post, by=member, **form.cleaned_data)
                if (done.source, form.cleaned_data.get("title") or title) != said:
                    identifiers.record(member=member, place="edit", kept=form.kept_identifiers())
            return redirect(post.get_absolute_url())
        except services.ChangedMeanwhile as refusal:
            form.add_error("source", str(refusal))
            now = rows.get(pk=post.pk)
            _start_from(form, now)
        except RuleBroken as refusal:
            form.add_error("source", str(refusal))
    context = {
        "form": form,
        "post": post,
        "now": now,
        "draft": None if form.is_bound else draft,
        "draft_url": reverse("questions:save_draft", args=[place]),
    }
    return render(request, "questions/edit.html", context, status=422 if form.errors else 200)


def _start_from(form, post):
    """Let the next save of a form win over what stands there now, which its page shows beside it."""
    form.data = form.data.copy()
    form.data["was"], form.data["was_title"] = post.source, post.question.title


@active_physician_required
@post_or_back
def preview(request):
    field = request.POST.get("preview", "source")
    source = request.POST.get(field, "") if field in PREVIEW_FIELDS else ""
    context = {"html": render_markdown(source[: asking.DRAFT_LIMIT]), "is_empty": not source.strip()}
    template = "questions/_preview.html" if request.htmx else "questions/preview.html"
    return render(request, template, context)


@active_physician_required
def drafts(request):
    """What one has typed and not posted, with the way back to it, and what is posted by itself on its day."""
    member = request.user.as_member
    rows = list(member.drafts.filter(publish_at=None).order_by("-saved_at")[:50])
    words = _words_of_drafts(rows)
    for draft in rows:
        draft.words = next((draft.fields[name] for name in asking.DRAFT_WORDS if draft.fields.get(name)), "")[
            :120
        ]
        kind, _, number = draft.place.partition(":")
        named = words.get(draft.place, USUAL).post(kind).capitalize()
        draft.kind = {"ask": "Question", "edit": "Edit"}.get(kind, named)
        draft.url = {
            "ask": lambda number: reverse("questions:ask"),
            "answer": lambda number: reverse("questions:question_short", args=[number]) + "#your-answer",
            "comment": lambda number: reverse("questions:comment", args=[number]),
            "edit": lambda number: reverse("questions:edit", args=[number]),
        }[kind](number)
    context = {"drafts": rows, "waiting": asking.waiting_drafts(member)}
    return render(request, "questions/drafts.html", context)


def _words_of_drafts(drafts) -> dict[str, Words]:
    """By its place, what an answer or a comment is called in the discussion it is written for. Two queries at most."""
    rows = {
        "answer": Question.objects.values_list("pk", "kind"),
        "comment": Post.objects.values_list("pk", "question__kind"),
    }
    found = {}
    for place in rows:
        numbers = [
            int(draft.place[len(place) + 1 :]) for draft in drafts if draft.place.startswith(f"{place}:")
        ]
        known = rows[place].filter(pk__in=[number for number in numbers if number < LARGEST_NUMBER])
        found |= {f"{place}:{number}": words_of(kind) for number, kind in known}
    return found


@active_physician_required
@post_or_back
def save_draft(request, place):
    """Keep what is typed (204), or forget it when nothing is left or `discard` is sent; the only way with `later:`."""
    if not (PLACE.fullmatch(place) or ("discard" in request.POST and LATER.fullmatch(place))):
        raise Http404
    member, fields = request.user.as_member, asking.draft_fields(request.POST)
    if place.startswith("edit:") and _was_redacted_meanwhile(member, int(place[5:]), request.POST):
        return HttpResponse(status=204)
    if "discard" in request.POST or not asking.has_words(fields):
        services.forget_draft(member=member, place=place)
    else:
        services.save_draft(member=member, place=place, fields=fields)
    return redirect("questions:drafts") if "discard" in request.POST else HttpResponse(status=204)


def _was_redacted_meanwhile(member, post_id, sent) -> bool:
    """Whether a page being edited still shows what a moderator has taken out, and would keep it as a draft."""
    if "discard" in sent:
        return False
    post = Post.objects.filter(author=member, pk=post_id).select_related("question").first()
    return bool(post) and (
        services.is_outdated(post, post.question, sent.get("was"), sent.get("was_title"))
        and services.is_redacted(post)
    )
