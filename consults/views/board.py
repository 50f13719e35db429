"""The board of a case: vote on a diagnosis; merge, rename and take apart as who may order it."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRefresh

from accounts.doors import active_physician_required, physician_required
from consults import board
from consults.models import Case, Diagnosis
from consults.reading import shown_case
from consults.reply_forms import MergeForm, RenameForm
from consults.services import diagnoses as services
from questions.forms import VoteForm
from questions.views import thread
from questions.views.reading import render_question
from sermo.errors import RuleBroken


@active_physician_required
def vote(request, diagnosis_id):
    diagnosis, question = _found(request, diagnosis_id)
    address = f"{question.get_absolute_url()}#diagnosis-{diagnosis.root_id}"
    if request.method != "POST":
        return redirect(address)
    words = _judge(diagnosis, request.user.as_member, VoteForm(request.POST))
    refused = _refused(request, diagnosis, words) if words else None
    if request.htmx:
        return _row(request, question, diagnosis, refused)
    if refused is None:
        return redirect(address)
    request.board_refused = refused
    return render_question(request, question, status=422)


def _judge(diagnosis, member, form):
    """Vote as the form says, and return the words of the refusal if there is one. Raises BadRequest."""
    if "explanation" in form.errors:
        return "An explanation has at most 500 characters."
    if words := form.named_identifiers():
        return words
    if not form.is_valid():
        raise BadRequest("Choose corroborate or dispute.")
    try:
        if form.cleaned_data["value"] == 0:
            services.withdraw(diagnosis=diagnosis, voter=member)
        else:
            services.cast(diagnosis=diagnosis, voter=member, **form.cleaned_data)
    except RuleBroken as refusal:
        return str(refusal)
    return ""


def _refused(request, diagnosis, words):
    typed = request.POST
    return board.Refused(diagnosis.pk, words, typed.get("reason", ""), typed.get("explanation", ""))


def _row(request, question, diagnosis, refused):
    """The diagnosis alone as it stands now; where it is not on the board any more, the page anew."""
    member = request.user.as_member
    found = board.board_of(question.pk, reader_id=member.pk, refused=refused)
    row = found.row(diagnosis.pk)
    if row is None:
        return HttpResponseClientRefresh()
    context = {"row": row, "writable": shown_case(request, question).may_answer}
    return render(request, "consults/_board_row.html", context, status=422 if refused else 200)


@physician_required
def diagnoses(request, question_id, slug):
    question = thread.load_question(request.user, question_id)
    return _order_page(request, question)


def _order_page(request, question, *, diagnosis=None, rename=None, merge=None):
    """Every diagnosis with what may be done to it; a form that was refused comes back with what was typed."""
    if not board.may_order(shown_case(request, question)):
        raise Http404("Others order the diagnoses of this case.")
    found = board.board_of(question.pk, reader_id=None)
    for_row = diagnosis.root_id if diagnosis else None
    entries = [
        {
            "row": row,
            "others": [other for other in found.rows if other is not row],
            "rename": rename
            if rename and row.pk == for_row
            else RenameForm(initial={"name": row.name, "code": row.code}, auto_id=f"diagnosis_{row.pk}_%s"),
            "merge": merge if row.pk == for_row else None,
        }
        for row in found.rows
    ]
    context = {"question": question, "entries": entries, "csrf_token": get_token(request)}
    return render(request, "consults/merge.html", context, status=422 if rename or merge else 200)


@physician_required
def merge(request, diagnosis_id):
    diagnosis, question = _found(request, diagnosis_id)
    form = MergeForm(request.POST, diagnosis=diagnosis)
    return _ordered(
        request, question, diagnosis, merge=form, done="They count as one now.", act=services.merge
    )


@physician_required
def rename(request, diagnosis_id):
    diagnosis, question = _found(request, diagnosis_id)
    form = RenameForm(request.POST, auto_id=f"diagnosis_{diagnosis.pk}_%s")
    return _ordered(request, question, diagnosis, rename=form, done="Renamed.", act=services.rename)


@physician_required
def unmerge(request, diagnosis_id):
    diagnosis, question = _found(request, diagnosis_id)
    if request.method == "POST":
        try:
            services.unmerge(diagnosis=diagnosis, by=request.user.as_member, user=request.user)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "It counts by itself again.")
    return redirect(_order_url(question))


def _ordered(request, question, diagnosis, *, act, done, **forms):
    """Do what a form says, or show it again with what was typed."""
    form = next(iter(forms.values()))
    if request.method != "POST":
        return redirect(_order_url(question))
    if form.is_valid():
        try:
            act(diagnosis=diagnosis, by=request.user.as_member, user=request.user, **form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(_order_url(question))
    return _order_page(request, question, diagnosis=diagnosis, **forms)


def _order_url(question):
    return reverse("consults:diagnoses", args=[question.pk, question.slug])


def _found(request, diagnosis_id):
    """A diagnosis that this reader may know of, and its discussion. Raises Http404."""
    cases = Case.objects.visible_to(request.user).filter(withdrawn_at=None)
    rows = Diagnosis.objects.filter(case__in=cases)
    diagnosis = get_object_or_404(rows.select_related("case__question"), pk=diagnosis_id)
    question = thread.load_question(request.user, diagnosis.case_id)
    if not question.answers_open:
        raise Http404("The answers of this case are closed to this reader.")
    return diagnosis, question
