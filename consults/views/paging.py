"""Paging a specialty for one's own case, and calling that off."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.doors import active_physician_required
from accounts.models import Specialty
from consults import on_call_own
from consults.models import Case, Paging
from consults.on_call_board import on_call_for
from consults.on_call_forms import PagingForm, paged_already
from consults.on_call_reading import ON
from consults.services import paging as services
from consults.views.on_call import post_or_board
from questions.models import Question
from sermo.errors import RuleBroken


@active_physician_required
def page(request, question_id, slug):
    """Choose specialty and urgency. Who is on call is said before anything is sent.

    One that is being paged already is not paged again: sent twice is once, and another urgency is refused.
    """
    case = _own_case(request, question_id)
    if request.method != "POST" and not may_page(case, case.question):
        messages.info(request, "Colleagues are paged for open cases that ask for help and are not private.")
        return redirect(case)
    specialties = Specialty.objects.filter(questionspecialty__question=case.pk)
    specialties = list(specialties.order_by("questionspecialty__place"))
    running = {one.specialty_id: one for one in Paging.objects.filter(case=case.pk, state__in=ON)}
    member, typed = request.user.as_member, request.POST if request.method == "POST" else None
    zone = on_call_own.zone_of(member)
    if typed is None and running and all(one.pk in running for one in specialties):
        messages.info(request, "Every specialty of this case is being paged. Stop one to page it anew.")
        return redirect(case)
    if typed and (same := running.get(typed.get("specialty"))) and same.urgency == typed.get("urgency"):
        since = on_call_own.since_words(same.started_at, zone)
        messages.info(request, paged_already(same.specialty, since))
        return redirect(case)
    crowds = on_call_for(request.user, specialties, now=timezone.now())
    form = PagingForm(
        typed,
        question=case.question,
        crowds=crowds,
        running=running,
        since=lambda when: on_call_own.since_words(when, zone),
    )
    if request.method == "POST" and form.is_valid():
        try:
            started = services.start(case=case, by=member, **form.cleaned_data)
            if started.urgency == form.cleaned_data["urgency"]:
                messages.success(
                    request, f"Paging {started.specialty.name}. Its progress stands beside the case."
                )
                return redirect(case)
            form.add_error("specialty", paged_already(started.specialty, form.since(started.started_at)))
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    empty = [one.name for one, crowd in crowds.items() if not crowd and one.pk not in running]
    context = {"form": form, "question": case.question, "empty": empty}
    return render(request, "consults/on_call/page.html", context, status=422 if form.errors else 200)


@active_physician_required
@post_or_board
def stop(request, paging_id):
    """Back to where it was pressed: the case, unless it was the board."""
    member = request.user.as_member
    rows = Paging.objects.filter(case__question__asker=member).select_related("case__question")
    paging = get_object_or_404(rows, pk=paging_id)
    try:
        services.stop(paging=paging, by=member)
        messages.success(request, "Nobody is paged for it any more.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("on_call:board") if request.POST.get("to") == "board" else redirect(paging.case)


def may_page(case: Case, question: Question) -> bool:
    """Whether its asker can page for it now."""
    asks = case.intent == Case.Intent.HELP and not case.is_withdrawn
    return asks and question.is_open and not question.is_solved and not question.is_private


def _own_case(request, question_id) -> Case:
    found = Case.objects.visible_to(request.user).select_related("question").filter(pk=question_id).first()
    if found is None or found.question.asker_id != request.user.as_member.pk:
        raise Http404("There is no case of yours of this number.")
    return found
