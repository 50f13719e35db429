"""The room of a participant: sections as they open, answers, threads, notes to the moderators, live hours.

To everybody without a seat nothing of it is there (404), not even a way to log in.
"""

from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.doors import polled
from accounts.services import notices
from focusgroups import reading
from focusgroups.forms import AnswerForm, EditForm, LineForm, NoteForm, ReplyForm
from focusgroups.services import answering, messaging, seating, telling
from focusgroups.views import joining
from sermo.errors import RuleBroken
from sermo.paging import LARGEST_NUMBER


def seat_required(view):
    """Give a view the seat of its reader, whose clock then holds for all moments on the page."""

    @wraps(view)
    def door(request, room_id, **kwargs):
        if max([room_id, *(value for value in kwargs.values() if isinstance(value, int))]) >= LARGEST_NUMBER:
            raise Http404("There is no such number.")
        if request.htmx and not request.user.is_authenticated:
            return HttpResponse(status=401)  # of any room: a script keeps what was typed
        participant = reading.seat_of(request.user, room_id)
        seating.seen(participant=participant)
        if participant.has_news and notices.seen(participant.member, telling.about(room_id)):
            request.user.unread_count -= 1
        with timezone.override(participant.zone):
            response = view(request, participant, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return door


# Sections and prompts


@seat_required
@require_safe
def section(request, participant, place):
    return _section(request, reading.room_page(participant, place))


def room(request, room_id):
    """The room itself to whoever has a seat, and the invitation to whoever is asked."""
    try:
        return _inside(request, room_id)
    except Http404:
        if (invitation := joining.before_seat(request, room_id)) is None:
            raise
        return invitation


@seat_required
@require_safe
def _inside(request, participant):
    """The section to go on with, and how it ended once it is over."""
    if participant.room.is_over:
        return render(request, "focusgroups/closed.html", {"page": reading.closed_page(participant)})
    return _section(request, reading.room_page(participant))


def _section(request, page, status=200):
    return render(
        request,
        "focusgroups/section.html" if page.stop else "focusgroups/room.html",
        {"page": page},
        status=status,
    )


@seat_required
@require_safe
def prompt(request, participant, prompt_id):
    """A prompt with all answers to it, a page at a time; to htmx in its place on the page of its section."""
    found, number = reading.load_prompt(participant, prompt_id)
    asked = reading.prompt_page(participant, found, number, after=request.GET.get("after"))
    if request.htmx:
        name = "_answers" if "after" in request.GET else "_answered"
        return render(request, f"focusgroups/{name}.html", {"asked": asked})
    context = {"asked": asked, "section": found.section, "room": participant.room, "alias": participant.alias}
    return render(request, "focusgroups/prompt.html", context)


@seat_required
def answer(request, participant, prompt_id):
    found, number = reading.load_prompt(participant, prompt_id)
    if request.method != "POST":
        return redirect("focusgroups:prompt", room_id=participant.room_id, prompt_id=prompt_id)
    form = AnswerForm(request.POST, prompt=found)
    is_before = False
    if form.is_valid():
        try:
            answering.answer(
                participant=participant, prompt=found, kept=form.kept_identifiers(), **form.said()
            )
        except RuleBroken as refusal:
            is_before = isinstance(refusal, answering.AnsweredBefore)
            form.add_error(None, str(refusal))
        else:
            if not request.htmx:
                return redirect(f"{_section_url(found)}#prompt-{found.pk}")
            return _drawn(request, participant, found, number, is_fresh=True)
    if request.htmx:
        return _drawn(request, participant, found, number, form=form, is_before=is_before, status=422)
    page = reading.room_page(participant, found.section.place)
    one = next(one for one in page.asked if one.prompt.pk == found.pk)
    one.form, one.was_answered, one.is_folded = form, is_before, False
    return _section(request, page, status=422)


def _drawn(request, participant, found, number, *, form=None, is_fresh=False, is_before=False, status=200):
    """A prompt alone, for htmx, and after an answer the sums of the room, too."""
    one = reading.asked_of(participant, [found], first=number)[0]
    one.is_fresh, one.was_answered = is_fresh, is_before
    if form:
        one.form = form
    context = {"asked": one}
    if is_fresh:
        context["agenda"] = reading.agenda_of(participant)
    return render(request, "focusgroups/_answered.html", context, status=status)


def _section_url(found) -> str:
    return reverse("focusgroups:section", args=[found.section.room_id, found.section.place])


@seat_required
def edit_answer(request, participant, answer_id):
    row, thread = reading.thread_of_answer(participant, answer_id)
    if row.participant_id != participant.pk:
        raise Http404("Only one's own answer is edited.")
    back = f"{_section_url(thread.prompt)}#prompt-{row.prompt_id}"
    if request.method == "GET" and not thread.shown.edit_url:
        messages.error(request, answering.TooLate.message)
        return redirect(back)
    form = EditForm(request.POST or None, initial={"source": row.source})
    if request.method == "POST" and form.is_valid():
        try:
            answering.edit(answer=row, by=participant, kept=form.kept_identifiers(), **form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Your answer was changed.")
            return redirect(back)
    context = {"form": form, "room": participant.room, "prompt": thread.prompt, "back": back}
    return render(request, "focusgroups/edit.html", context, status=422 if form.errors else 200)


@seat_required
def withdraw_answer(request, participant, answer_id):
    """Ask once more on a page of its own; then take an answer back."""
    row, thread = reading.thread_of_answer(participant, answer_id)
    if row.participant_id != participant.pk:
        raise Http404("Only one's own answer is taken back.")
    back = f"{_section_url(thread.prompt)}#prompt-{row.prompt_id}"
    return _taken_back(
        request, participant, thread, back, lambda: answering.withdraw(answer=row, by=participant)
    )


@seat_required
def withdraw_message(request, participant, message_id):
    row = reading.own_message(participant, message_id)
    shown = reading.shown_alone(participant, row)
    return _taken_back(
        request,
        participant,
        reading.Thread(shown, None, []),
        _back_from(participant, row),
        lambda: messaging.withdraw(message=row, by=participant),
    )


def _taken_back(request, participant, thread, back, act):
    if request.method == "POST":
        try:
            act()
            messages.success(request, "Taken back. Its words are erased.")
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        return redirect(back)
    context = {"thread": thread, "room": participant.room, "back": back}
    return render(request, "focusgroups/withdraw.html", context)


# Threads and notes


@seat_required
def reply_to_answer(request, participant, answer_id):
    row, thread = reading.thread_of_answer(participant, answer_id)
    return _thread(request, participant, thread, {"answer": row})


@seat_required
def reply_to_message(request, participant, message_id):
    row, thread = reading.thread_of_message(participant, message_id)
    return _thread(request, participant, thread, {"parent": row})


def _thread(request, participant, thread, place):
    """What stands under an answer or message, and the way to say something there."""
    form = ReplyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = messaging.reply(
                participant=participant,
                source=form.cleaned_data["source"],
                key=form.cleaned_data["submission"],
                kept=form.kept_identifiers(),
                **place,
            )
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(f"{request.path}#message-{made.pk}")
    context = {
        "form": form,
        "thread": thread,
        "room": participant.room,
        "alias": participant.alias,
        "back": _back_to(participant, thread),
    }
    return render(request, "focusgroups/thread.html", context, status=422 if form.errors else 200)


def _back_to(participant, thread) -> str:
    if thread.prompt:
        return f"{_section_url(thread.prompt)}#prompt-{thread.prompt.pk}"
    return reverse("focusgroups:room", args=[participant.room_id])


def _back_from(participant, row) -> str:
    """Where a message stands."""
    if row.live_hour_id:
        return reverse("focusgroups:live", args=[participant.room_id, row.live_hour_id])
    if row.kind == row.Kind.NOTE or (row.parent and row.parent.kind == row.Kind.NOTE):
        return reverse("focusgroups:note", args=[participant.room_id])
    if row.answer_id:
        return reverse("focusgroups:reply_to_answer", args=[participant.room_id, row.answer_id])
    return reverse("focusgroups:reply_to_message", args=[participant.room_id, row.parent_id])


@seat_required
def note(request, participant):
    """One's notes to the moderators, which nobody else ever reads, and a new one."""
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            messaging.note(
                participant=participant,
                source=form.cleaned_data["source"],
                key=form.cleaned_data["submission"],
                kept=form.kept_identifiers(),
            )
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Sent to the moderators.")
            return redirect(request.path)
    context = {
        "form": form,
        "notes": reading.notes_of(participant),
        "room": participant.room,
        "alias": participant.alias,
    }
    return render(request, "focusgroups/note.html", context, status=422 if form.errors else 200)


# Live hours


@seat_required
def live(request, participant, live_hour_id):
    """A live hour: what was said, and while it is on a line to write in."""
    live_hour = reading.live_hour_of(participant, live_hour_id)
    form = LineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            messaging.live(
                participant=participant,
                live_hour=live_hour,
                source=form.cleaned_data["source"],
                key=form.cleaned_data["submission"],
                kept=form.kept_identifiers(),
            )
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
        else:
            if not request.htmx:
                return redirect(f"{request.path}#said")
            form = LineForm()
            form.fields["source"].widget.attrs["data-focus-on-load"] = True
    context = _live_context(participant, live_hour) | {"form": form}
    status = 422 if form.errors else 200
    if not request.htmx:
        context |= reading.lines_of(participant, live_hour)._asdict()
        return render(request, "focusgroups/live.html", context, status=status)
    drawn = render_to_string("focusgroups/_live_form.html", context, request)
    return HttpResponse(drawn, status=status, headers={"HX-Trigger-After-Settle": "said"})


@polled
@seat_required
@require_safe
def live_lines(request, participant, live_hour_id):
    """What was said since the line that `after` names; once the hour is over, htmx is told to ask no more.

    A page that waits for the hour asks without `after`, and is loaded anew once the hour has begun.
    """
    live_hour = reading.live_hour_of(participant, live_hour_id)
    if not request.htmx:
        return redirect("focusgroups:live", room_id=participant.room_id, live_hour_id=live_hour.pk)
    context = _live_context(participant, live_hour)
    if "after" not in request.GET:
        return HttpResponse(status=204, headers={} if context["is_to_come"] else {"HX-Refresh": "true"})
    after, since = _number(request, "after", 19), _number(request, "since", 11)
    context |= reading.lines_of(participant, live_hour, after=after, since=since)._asdict()
    return render(request, "focusgroups/_live_lines.html", context)


def _number(request, name, longest) -> int:
    sent = request.GET.get(name, "")
    return int(sent) if sent.isdecimal() and len(sent) < longest else 0


def _live_context(participant, live_hour) -> dict:
    return {
        "room": participant.room,
        "alias": participant.alias,
        "live_hour": live_hour,
        "is_on": live_hour.is_on and not participant.room.is_over,
        "is_to_come": live_hour.starts_at > timezone.now() and not participant.room.is_over,
        "starts": reading.when(participant, live_hour.starts_at),
        "ends": reading.when(participant, live_hour.ends_at),
    }
