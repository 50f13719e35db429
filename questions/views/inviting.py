"""Private consults: asking colleagues in, answering that, and opening one to all physicians."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect

from accounts.doors import active_physician_required, physician_required
from questions.inviting_forms import InviteForm
from questions.models import Invitation, Question
from questions.services import inviting
from questions.views import thread
from questions.views.posting import post_or_back
from questions.views.reading import render_question
from sermo.errors import RuleBroken


@active_physician_required
@post_or_back
def invite(request, question_id):
    """Ask more colleagues in; what was typed comes back with what is wrong about it."""
    member = request.user.as_member
    question = _own_or_404(request, question_id)
    form = InviteForm(request.POST, by=member)
    if form.is_valid():
        try:
            made = inviting.invite(question=question, by=member, members=form.cleaned_data["handles"])
        except RuleBroken as refusal:
            form.add_error("handles", str(refusal))
        else:
            messages.success(request, _asked(len(made)))
            return redirect(question)
    request.invite_form = form
    return render_question(request, thread.load_question(request.user, question_id), status=422)


def _asked(count: int) -> str:
    if not count:
        return "They were asked before."
    return "1 colleague is asked." if count == 1 else f"{count} colleagues are asked."


@physician_required
@post_or_back
def answer(request, question_id):
    """Accept an invitation, or decline it; who has declined reads it no more, and may say so again."""
    member = request.user.as_member
    invitation = get_object_or_404(
        Invitation.objects.select_related("question"), question=question_id, member=member
    )
    is_declined = invitation.state == Invitation.State.DECLINED
    if not is_declined and not Question.objects.visible_to(request.user).filter(pk=question_id).exists():
        raise Http404("This reader is not asked in any more.")
    if "accept" in request.POST:
        act, words = inviting.accept, "Accepted. You can answer now."
    else:
        act, words = inviting.decline, "Declined. Nothing of it is shown to you any more."
    try:
        found = act(invitation=invitation, member=member)
        messages.success(request, words)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        found = invitation
    is_open = Question.objects.visible_to(request.user).filter(pk=question_id).exists()
    return redirect(found.question if is_open else "consults:list")


@active_physician_required
@post_or_back
def ask_to_open(request, question_id):
    """Ask whoever wrote there to let all physicians read it."""
    question = _own_or_404(request, question_id)
    try:
        question = inviting.ask_to_open(question=question, by=request.user.as_member)
        asked = "They are asked. It opens once all have agreed."
        messages.success(request, asked if question.is_private else "All physicians read it from now on.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(question)


@physician_required
@post_or_back
def answer_opening(request, question_id):
    """Agree to it, or not."""
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    member = request.user.as_member
    if member is None:
        raise Http404("Only who wrote there is asked.")
    try:
        question = inviting.answer_opening(question=question, member=member, agrees="agree" in request.POST)
        messages.success(request, "Noted." if question.is_private else "All physicians read it from now on.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(question)


def _own_or_404(request, question_id) -> Question:
    own = Question.objects.visible_to(request.user).filter(asker=request.user.as_member)
    return get_object_or_404(own, pk=question_id)
