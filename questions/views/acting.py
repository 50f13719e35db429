"""One press: vote, rate, close, reopen, solve, remove."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import get_object_or_404, redirect, render

from accounts.doors import active_physician_required, physician_required
from questions.forms import ImportanceForm, SolveForm, VoteForm
from questions.models import Post, Question
from questions.services import closing, voting
from questions.services import writing as services
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
        dispute = thread.Refused(post.pk, refused, request.POST)
        return render_question(request, question, dispute=dispute, status=422)
    messages.error(request, refused)
    return redirect(post.get_absolute_url())


def _judge(post, member, form):
    """Vote as the form says, and return the words of the refusal if there is one. Raises BadRequest."""
    if "explanation" in form.errors:
        return "An explanation has at most 500 characters."
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
    member = request.user.as_member
    fresh = Post.objects.for_page(member).select_related("question").get(pk=post.pk)
    if fresh.kind != Post.Kind.COMMENT:
        fresh = thread.dress([fresh], member)[0]
    fresh.is_own = fresh.author_id == member.pk
    if refused:
        fresh.refused, fresh.typed = refused, request.POST
    context = {"post": fresh, "writable": fresh.question.is_open}
    template = "questions/_helpful.html" if fresh.kind == Post.Kind.COMMENT else "questions/_verdict.html"
    return render(request, template, context, status=422 if refused else 200)


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
    return _settle(request, question_id, closing.close_question)


@physician_required
@post_or_back
def reopen(request, question_id):
    return _settle(request, question_id, closing.reopen_question)


def _settle(request, question_id, service):
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    try:
        service(question=question, by=request.user.as_member, user=request.user)
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
            return redirect(question)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    chosen = form["answers"].value() or []
    rows = list(answers.for_page(member).order_by("-balance", "pk")[:100])
    for post in rows:
        post.question = question
    rows = thread.dress(rows, member)
    context = {"form": form, "question": question, "answers": rows, "chosen": {str(pk) for pk in chosen}}
    return render(request, "questions/solve.html", context, status=422 if form.errors else 200)


@physician_required
@post_or_back
def remove(request, post_id):
    post = get_object_or_404(
        Post.objects.visible_to(request.user).standing().select_related("question"), pk=post_id
    )
    try:
        services.remove_post(post=post, by=request.user.as_member, user=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect(post.get_absolute_url())
    messages.success(request, "Removed.")
    return redirect("questions:list" if post.kind == Post.Kind.OPENING else post.question)
