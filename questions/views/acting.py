"""One press: vote, rate, close, reopen, solve, remove."""

from django.contrib import messages
from django.http import HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.doors import active_physician_required, physician_required
from questions.forms import ImportanceForm, SolveForm, VoteForm
from questions.models import Post, Question
from questions.services import closing, voting
from questions.services import writing as services
from questions.views import thread
from sermo.errors import RuleBroken


@active_physician_required
@require_POST
def vote(request, post_id):
    member = request.user.as_member
    post = get_object_or_404(
        Post.objects.visible_to(request.user).standing().select_related("question"), pk=post_id
    )
    form = VoteForm(request.POST)
    refused = None
    if not form.is_valid():
        refused = "An explanation has at most 500 characters." if "explanation" in form.errors else None
        if refused is None:
            return HttpResponseBadRequest("Choose corroborate or dispute.")
    else:
        try:
            _judge(post, member, **form.cleaned_data)
        except RuleBroken as refusal:
            refused = str(refusal)
    if not request.htmx:
        if refused:
            messages.error(request, refused)
        return redirect(post.get_absolute_url())
    return _verdict(request, post, refused, typed=request.POST)


def _judge(post, member, *, value, reason, explanation):
    if value == 0:
        voting.withdraw_vote(post=post, voter=member)
    else:
        voting.cast_vote(post=post, voter=member, value=value, reason=reason, explanation=explanation)


def _verdict(request, post, refused, typed):
    """The post's verdict alone, as it stands now; a refused dispute keeps what was typed."""
    member = request.user.as_member
    fresh = Post.objects.for_page(member).select_related("question").get(pk=post.pk)
    if fresh.kind != Post.Kind.COMMENT:
        fresh = thread.dress([fresh], member)[0]
    fresh.is_own = fresh.author_id == member.pk
    context = {
        "post": fresh,
        "writable": fresh.question.is_open,
        "refused": refused,
        "typed": typed if refused else None,
    }
    template = "questions/_helpful.html" if fresh.kind == Post.Kind.COMMENT else "questions/_verdict.html"
    return render(request, template, context, status=422 if refused else 200)


@active_physician_required
@require_POST
def importance(request, question_id):
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    form = ImportanceForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("Choose 1 to 5.")
    try:
        voting.rate_importance(
            question=question, rater=request.user.as_member, value=form.cleaned_data["value"]
        )
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    if not request.htmx:
        return redirect(question)
    question = thread.load_question(request.user, question_id)
    return render(
        request, "questions/_importance.html", {"question": question, "writable": True, "scale": range(1, 6)}
    )


@physician_required
@require_POST
def close(request, question_id):
    return _settle(request, question_id, closing.close_question)


@physician_required
@require_POST
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
@require_POST
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
