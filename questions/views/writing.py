"""Pages to write on: ask, answer, comment, edit, drafts, preview."""

import re

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import active_physician_required
from questions.forms import AskForm, CommentForm, EditForm
from questions.models import Draft, Post
from questions.services import bylines
from questions.services import writing as services
from questions.views import thread
from questions.views.posting import post_or_back
from questions.views.reading import render_question
from sermo.errors import RuleBroken
from sermo.text import render_markdown

PREVIEW_FIELDS = ("source",)
PLACE = re.compile(r"ask|(answer|comment):[1-9][0-9]{0,18}")
DRAFT_FIELDS = (
    "kind",
    "title",
    "source",
    "specialties",
    "tags",
    "urgency",
    "audience",
    "peers_only",
    "byline",
)
DRAFT_LIMIT = 20_000  # characters a field


@active_physician_required
def ask(request):
    member = request.user.as_member
    draft = Draft.objects.filter(member=member, place="ask").first()
    usual = {"specialties": [member.specialty_id] if member.specialty_id else []}
    form = AskForm(request.POST or None, member=member, initial={**usual, **(draft.fields if draft else {})})
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(_open(form, member))
        except services.NotInAudience as refusal:
            form.add_error("audience", str(refusal))
        except RuleBroken as refusal:
            form.add_error("byline", str(refusal))
    context = {"form": form, "draft": None if form.is_bound else draft}
    return render(request, "questions/ask.html", context, status=422 if form.errors else 200)


def _open(form, member):
    typed = form.cleaned_data
    return services.open_question(
        asker=member,
        kind=typed["kind"],
        title=typed["title"],
        source=typed["source"],
        specialties=typed["specialties"],
        tags=typed["tags"],
        audience=typed["audience"],
        peers_only=typed["peers_only"],
        urgency=typed["urgency"],
        submission=typed["submission"],
        **form.byline_chosen(),
    )


@active_physician_required
@post_or_back
def answer(request, question_id):
    member = request.user.as_member
    question = thread.load_question(request.user, question_id)
    form = thread.answer_form(question, member, request.POST)
    if form.is_valid():
        try:
            post = services.answer(
                question=question,
                author=member,
                source=form.cleaned_data["source"],
                submission=form.cleaned_data["submission"],
                **form.byline_chosen(),
            )
        except (bylines.LessPrivateByline, bylines.NameAmongConnections) as refusal:
            form.add_error("byline", str(refusal))
        except RuleBroken as refusal:
            form.add_error("source", str(refusal))
        else:
            return _answered(request, question, post)
    if request.htmx:
        context = {
            "question": question,
            "form": form,
            "own_signature": thread.own_signature(question, member),
        }
        return render(request, "questions/_answer_form.html", context, status=422)
    return render_question(request, question, form=form, status=422)


def _answered(request, question, post):
    """For htmx the new answer and an empty form in place of the old; else back to the page, at the answer."""
    if not request.htmx:
        return redirect(post.get_absolute_url())
    member = request.user.as_member
    question = thread.load_question(request.user, question.pk)
    answers = thread.dress([thread.load_one_answer(question, member, post.pk)], member)
    context = {
        "question": question,
        "answers": answers,
        "writable": True,
        "form": thread.answer_form(question, member),
        "own_signature": thread.own_signature(question, member),
    }
    return render(request, "questions/_answered.html", context)


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
        among_connections=question.is_among_connections,
        initial=draft.fields if draft else None,
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.comment(
                post=post,
                author=member,
                source=form.cleaned_data["source"],
                submission=form.cleaned_data["submission"],
                **form.byline_chosen(),
            )
            return redirect(made.get_absolute_url())
        except (bylines.LessPrivateByline, bylines.NameAmongConnections) as refusal:
            form.add_error("byline", str(refusal))
        except RuleBroken as refusal:
            form.add_error("source", str(refusal))
    shown = thread.dress([thread.load_one_answer(question, member, post.pk)], member)[0]
    context = {
        "form": form,
        "post": shown,
        "question": question,
        "draft": None if form.is_bound else draft,
        "draft_url": reverse("questions:save_draft", args=[place]),
        "own_signature": thread.own_signature(question, member),
        "writable": False,
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
    form, now = EditForm(request.POST or None, post=post), None
    if request.method == "POST" and form.is_valid():
        try:
            services.edit_post(post=post, by=member, **form.cleaned_data)
            return redirect(post.get_absolute_url())
        except services.ChangedMeanwhile as refusal:
            form.add_error("source", str(refusal))
            now = rows.get(pk=post.pk)
            _start_from(form, now)
        except RuleBroken as refusal:
            form.add_error("source", str(refusal))
    context = {"form": form, "post": post, "now": now}
    return render(request, "questions/edit.html", context, status=422 if form.errors else 200)


def _start_from(form, post):
    """Let the next save of a form win over what stands there now, which its page shows beside it."""
    form.data = form.data.copy()
    form.data["was"] = post.source


@active_physician_required
@post_or_back
def preview(request):
    field = request.POST.get("preview", "source")
    source = request.POST.get(field, "") if field in PREVIEW_FIELDS else ""
    context = {"html": render_markdown(source[:DRAFT_LIMIT]), "is_empty": not source.strip()}
    template = "questions/_preview.html" if request.htmx else "questions/preview.html"
    return render(request, template, context)


@active_physician_required
def drafts(request):
    """What one has typed and not posted, with the way back to it."""
    rows = list(request.user.as_member.drafts.order_by("-saved_at")[:50])
    for draft in rows:
        draft.words = (draft.fields.get("title") or draft.fields.get("source") or "")[:120]
        kind, _, number = draft.place.partition(":")
        draft.kind = {"ask": "Question", "answer": "Answer", "comment": "Comment"}[kind]
        draft.url = {
            "ask": lambda number: reverse("questions:ask"),
            "answer": lambda number: reverse("questions:question_short", args=[number]) + "#your-answer",
            "comment": lambda number: reverse("questions:comment", args=[number]),
        }[kind](number)
    return render(request, "questions/drafts.html", {"drafts": rows})


@active_physician_required
@post_or_back
def save_draft(request, place):
    """Keep what is typed (204), or forget it when nothing is left or `discard` is sent."""
    if not PLACE.fullmatch(place):
        raise Http404
    member = request.user.as_member
    fields = {key: request.POST[key][:DRAFT_LIMIT] for key in DRAFT_FIELDS if request.POST.get(key)}
    if "specialties" in fields:
        fields["specialties"] = request.POST.getlist("specialties")[:3]
    if "discard" in request.POST or not (fields.get("title", "").strip() or fields.get("source", "").strip()):
        services.forget_draft(member=member, place=place)
    else:
        services.save_draft(member=member, place=place, fields=fields)
    return redirect("questions:drafts") if "discard" in request.POST else HttpResponse(status=204)
