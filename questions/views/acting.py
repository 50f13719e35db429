"""One press: vote, rate, close, reopen, solve, remove."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import active_physician_required, physician_required
from accounts.roles import is_moderator
from accounts.services import identifiers
from questions import seen
from questions.forms import ImportanceForm, SolveForm, VoteForm
from questions.models import ModerationAction, Post, Question
from questions.services import closing, voting
from questions.services import writing as services
from questions.signature import signature
from questions.views import thread
from questions.views.posting import post_or_back
from questions.views.reading import render_question
from sermo.errors import RuleBroken


@active_physician_required
@post_or_back
def vote(request, post_id):
    member = request.user.as_member
    post = get_object_or_404(
        Post.objects.visible_to(request.user).standing().select_related("question"), pk=post_id
    )
    refused = _judge(post, member, VoteForm(request.POST))
    if request.htmx:
        return _verdict(request, post, refused)
    if not refused:
        return redirect(post.get_absolute_url())
    if request.POST["value"] == "-1" and post.takes_verdicts:
        question = thread.load_question(request.user, post.question_id)
        return render_question(request, question, refused=_refused(request, post, refused), status=422)
    messages.error(request, refused)
    return redirect(post.get_absolute_url())


def _judge(post, member, form):
    """Vote as the form says, and return the words of the refusal if there is one. Raises BadRequest."""
    if "explanation" in form.errors:
        return "An explanation has at most 500 characters."
    if words := form.named_identifiers():
        return words
    if not form.is_valid():
        raise BadRequest("Choose corroborate or dispute.")
    try:
        if form.cleaned_data["value"] == 0:
            voting.withdraw_vote(post=post, voter=member)
        else:
            voting.cast_vote(post=post, voter=member, **form.cleaned_data)
    except RuleBroken as refusal:
        return str(refusal)
    return ""


def _verdict(request, post, refused):
    """The post's verdict alone, as it stands now; a refused dispute keeps what was typed."""
    question = Question.objects.get(pk=post.question_id)
    again = _refused(request, post, refused) if refused else None
    fresh = seen.one(question, request.user.as_member, post.pk, refused=again)
    context = {"post": fresh, "writable": question.is_open}
    template = "questions/_helpful.html" if post.kind == Post.Kind.COMMENT else "questions/_verdict.html"
    return render(request, template, context, status=422 if refused else 200)


def _refused(request, post, words):
    return seen.Refused(post.pk, words, request.POST.get("reason", ""), request.POST.get("explanation", ""))


@active_physician_required
@post_or_back
def importance(request, question_id):
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    form = ImportanceForm(request.POST)
    if not form.is_valid():
        raise BadRequest("Choose 1 to 5.")
    member, refused = request.user.as_member, ""
    try:
        voting.rate_importance(question=question, rater=member, value=form.cleaned_data["value"])
    except RuleBroken as refusal:
        refused = str(refusal)
    if not request.htmx:
        if refused:
            messages.error(request, refused)
        return redirect(question)
    question = thread.load_question(request.user, question_id)
    context = {
        "question": question,
        "writable": question.is_open,
        "is_asker": question.asker_id == member.pk,
        "scale": range(1, 6),
        "refused": refused,
    }
    return render(request, "questions/_importance.html", context, status=422 if refused else 200)


@physician_required
@post_or_back
def close(request, question_id):
    """Its author closes it; a moderator gives a reason, on the desk."""
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    member = request.user.as_member
    if is_moderator(request.user) and not (member and question.asker_id == member.pk):
        opening = question.posts.get(kind=Post.Kind.OPENING)
        return _on_the_desk(opening, ModerationAction.Kind.CLOSE)
    try:
        closing.close_question(question=question, by=member)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(question)


def _on_the_desk(post, kind):
    return redirect(f"{reverse('questions:moderate_post', args=[post.pk])}?act={kind}")


@physician_required
@post_or_back
def reopen(request, question_id):
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    try:
        closing.reopen_question(question=question, by=request.user.as_member, user=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(question)


@active_physician_required
def solve(request, question_id):
    """The asker says which answers solved it, or how it was solved elsewhere; or takes that back."""
    member = request.user.as_member
    question = get_object_or_404(
        Question.objects.visible_to(request.user).filter(asker=member), pk=question_id
    )
    if question.kind == Question.Kind.CASE:
        return redirect(f"{question.get_absolute_url()}solve/")  # by the app that has cases
    answers = (
        question.posts.answers().standing().select_related("byline", "author__specialty", "author__rank")
    )
    credited = question.credits.values_list("post", flat=True)
    form = SolveForm(
        request.POST or None,
        answers=answers,
        initial={"answers": list(credited), "outcome": question.outcome},
    )
    if request.method == "POST" and "unsolve" in request.POST:
        try:
            closing.unsolve_question(question=question, by=member)
            return redirect(question)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    elif request.method == "POST" and form.is_valid():
        try:
            closing.solve_question(question=question, by=member, **form.cleaned_data)
            identifiers.record(member=member, place="outcome", kept=form.kept_identifiers())
            return redirect(question)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    chosen = form["answers"].value() or []
    rows = list(answers.order_by("-balance", "pk")[:100])
    for post in rows:
        post.signature = signature(post.byline.mode, post.author)
    context = {"form": form, "question": question, "answers": rows, "chosen": {str(pk) for pk in chosen}}
    return render(request, "questions/solve.html", context, status=422 if form.errors else 200)


@physician_required
@post_or_back
def remove(request, post_id):
    """Its author removes it; a moderator gives a reason, on the desk."""
    post = get_object_or_404(
        Post.objects.visible_to(request.user).standing().select_related("question"), pk=post_id
    )
    member = request.user.as_member
    if is_moderator(request.user) and not (member and post.author_id == member.pk):
        return _on_the_desk(post, ModerationAction.Kind.REMOVE)
    try:
        services.remove_post(post=post, by=member)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect(post.get_absolute_url())
    messages.success(request, "Removed.")
    return redirect("questions:list" if post.kind == Post.Kind.OPENING else post.question)
