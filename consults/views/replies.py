"""Answering a case."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts.doors import active_physician_required
from consults.models import Reply
from consults.reading import shown_case
from consults.reply_forms import Before, ReplyForm
from consults.services import replies as services
from questions.answer_forms import FORMS, Way
from questions.models import Question
from questions.views import thread
from questions.views.posting import post_or_back
from questions.views.reading import render_question
from questions.views.writing import recording, refuse
from sermo.errors import RuleBroken


@active_physician_required
@post_or_back
def reply(request, question_id, slug):
    member = request.user.as_member
    question = thread.load_question(request.user, question_id)
    case = shown_case(request, question).case
    form = thread.answer_form(request, question, request.POST)
    if form.is_valid():
        try:
            with recording(form, member, "answer"):
                post = services.reply(case=case, author=member, **form.said())
        except RuleBroken as refusal:
            refuse(form, refusal)
        else:
            return _replied(request, post)
    if request.htmx:
        return HttpResponse(thread.drawn_answer_form(request, question, form), status=422)
    return render_question(request, question, form=form, status=422)


def _replied(request, post):
    """To the whole page, since an answer opens those of others."""
    address = post.get_absolute_url()
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _form(request, question, data, **same):
    case = shown_case(request, question).case
    return ReplyForm(data, case=case, before=_before(question, same["member"]), **same)


def _before(question, member):
    """Without a query for who has not written there."""
    scored = []
    if question.own_byline is not None:
        scored = list(
            Reply.objects.filter(case=question.pk, member=member).values_list("is_forecast", flat=True)
        )
    return Before(has_read=question.answers_open, has_answered=bool(scored), is_scored=any(scored))


# Here, since whoever draws a page has loaded the addresses, and with them this.
FORMS[Question.Kind.CASE] = Way(
    form=_form,
    template="consults/_reply_form.html",
    action=lambda question: reverse("consults:reply", args=[question.pk, question.slug]),
)
