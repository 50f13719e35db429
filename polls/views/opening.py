"""Pages to open a poll on, and to change what it says."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import active_physician_required, physician_required
from accounts.roles import is_moderator
from accounts.services import identifiers
from polls.forms import AddOptionForm, AttachPollForm, CorrectForm, EditPollForm, OpenPollForm
from polls.models import Poll, Receipt, Trend
from polls.services import opening, options, trends, voting
from questions.models import Question
from questions.services import writing
from questions.services.moderation import rights
from questions.services.tags import NewTagNeedsRank
from questions.views.moderation import moderator_required
from questions.views.writing import recording, refuse
from sermo.errors import RuleBroken


@active_physician_required
def new(request):
    """A poll of its own; with `question` in the address one inside that discussion of one's own."""
    if request.GET.get("question"):
        return _attach(request, _own_question(request))
    member = request.user.as_member
    initial = {"specialties": [member.specialty_id] if member.specialty_id else []}
    form = OpenPollForm(request.POST or None, member=member, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            with recording(form, member, "poll"):
                poll = _open(form, member)
            return redirect(poll)
        except RuleBroken as refusal:
            _say(form, refusal)
    return _form_page(request, form)


def _open(form, member) -> Poll:
    waves = form.cleaned_data["waves"]
    return opening.open_poll(asker=member, plan=form.plan(), waves=waves, **form.discussion_chosen())


def _own_question(request) -> Question:
    number = request.GET["question"]
    if not (number.isdecimal() and len(number) <= 18):
        raise Http404
    rows = Question.objects.visible_to(request.user).filter(asker=request.user.as_member)
    return get_object_or_404(rows, pk=number)


def _attach(request, question):
    if request.method != "POST" and (refusal := _why_not(question)):
        messages.error(request, refusal.message)
        return redirect(question)
    member = request.user.as_member
    form = AttachPollForm(request.POST or None, member=member)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                is_first = not writing.lock_open(question).has_poll
                opening.attach_poll(question=question, by=member, plan=form.plan())
                if is_first:
                    _record(form, member)
            return redirect(question)
        except RuleBroken as refusal:
            _say(form, refusal)
    return _form_page(request, form, question=question)


def _why_not(question) -> type[RuleBroken] | None:
    """Why no form is worth showing."""
    if question.has_poll:
        return opening.HasPoll
    if question.is_private:
        return opening.PollAmongInvited
    if question.answer_first:
        return opening.PollBesideAnswers
    return None if question.is_open else writing.NotOpen


def _form_page(request, form, **context):
    return render(request, "polls/new.html", {"form": form, **context}, status=422 if form.errors else 200)


def _say(form, refusal):
    """Say a refusal beside the field it is about, or above the form."""
    if isinstance(refusal, opening.OptionsRefused):
        form.add_option_error(refusal)
    elif isinstance(refusal, opening.TooFewInvited):
        form.add_error(form.field_of_voters(), str(refusal))
    elif isinstance(refusal, writing.NotInAudience):
        form.add_error("audience", str(refusal))
    elif isinstance(refusal, NewTagNeedsRank):
        form.add_error("tags", str(refusal))
    else:
        refuse(form, refusal)


def _record(form, member):
    """Note what stays in a text although it was found, in the transaction that saves it."""
    identifiers.record(member=member, place="poll", kept=form.kept_identifiers())


def _poll_for(user, poll_id: int) -> Poll:
    """A poll through the gate of its discussion. Raises Http404."""
    seen = Question.objects.visible_to(user).filter(pk=OuterRef("pk"))
    return get_object_or_404(Poll.objects.select_related("question").filter(Exists(seen)), pk=poll_id)


@active_physician_required
def add_option(request, question_id):
    """A reader's own option. The card has this form too; what is refused comes back here, with the words."""
    poll, member = _poll_for(request.user, question_id), request.user.as_member
    try:
        options.check_may_add(poll=poll, member=member)
    except RuleBroken as refusal:
        if request.method != "POST":
            messages.error(request, str(refusal))
            return redirect(poll)
    may_vote = not Receipt.objects.filter(poll=poll, member=member).exists()
    form = AddOptionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                options.add_option(poll=poll, member=member, text=form.cleaned_data["text"])
                _record(form, member)
            others = "You and others" if may_vote else "Others"
            messages.success(request, f"Your option is there. {others} can vote for it.")
            return redirect(poll)
        except RuleBroken as refusal:
            form.add_error("text", str(refusal))
    context = {"form": form, "poll": poll, "asked": options.asked_by(poll), "may_vote": may_vote}
    return render(request, "polls/add.html", context, status=422 if form.errors else 200)


@active_physician_required
def edit_options(request, question_id):
    """What one's own poll says, before the first vote."""
    poll, member = _poll_for(request.user, question_id), request.user.as_member
    if poll.question.asker_id != member.pk:
        raise Http404
    if request.method != "POST" and (why := _why_locked(poll)):
        messages.error(request, why.message)
        return redirect(poll)
    form, now = EditPollForm(request.POST or None, poll=poll), None
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        labels = {name: typed[name] for name in ("low_label", "high_label") if name in typed}
        try:
            with transaction.atomic():
                options.edit(
                    poll=poll,
                    by=member,
                    texts=form.texts(),
                    prompt=typed["prompt"],
                    was=typed["was"],
                    **labels,
                )
                _record(form, member)
            return redirect(poll)
        except options.ChangedMeanwhile as refusal:
            _say(form, refusal)
            now = _poll_for(request.user, question_id)
            form.start_from(now)
        except RuleBroken as refusal:
            _say(form, refusal)
    context = {"form": form, "poll": poll, "added": poll.options.filter(is_added=True).order_by("place")}
    if now:
        own = now.options.filter(is_added=False).order_by("place")
        context |= {"now": now, "asked_now": options.asked_by(now), "own_now": own}
    return render(request, "polls/options.html", context, status=422 if form.errors else 200)


def _why_locked(poll) -> type[RuleBroken] | None:
    if poll.is_over or not poll.question.is_open:
        return voting.PollIsOver
    if poll.wave and poll.wave > 1:
        return options.IsRepeated
    return options.VotingBegan if Receipt.objects.filter(poll=poll).exists() else None


@moderator_required
def correct(request, question_id):
    """A typo put right by a moderator, for all to see."""
    poll = _poll_for(request.user, question_id)
    try:
        rights.check_no_part(request.user, poll.pk)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect(poll)
    form = CorrectForm(request.POST or None, poll=poll)
    if request.method == "POST" and form.is_valid():
        try:
            options.correct(
                poll=poll, user=request.user, option=form.option(), text=form.cleaned_data["text"]
            )
            messages.success(request, "Corrected. What it said before stands under the poll.")
            return redirect(poll)
        except RuleBroken as refusal:
            form.add_error("text", str(refusal))
    context = {"form": form, "poll": poll, "corrections": poll.corrections.select_related("option")}
    return render(request, "polls/correct.html", context, status=422 if form.errors else 200)


@physician_required
def stop_trend(request, trend_id):
    """End one's own trend, or as a moderator any; its polls stay. A GET leads to where the button stands."""
    member = request.user.as_member
    seen = Question.objects.visible_to(request.user).filter(poll__trend=OuterRef("pk"))
    rows = Trend.objects.filter(Exists(seen) if is_moderator(request.user) else Q(creator=member))
    trend = get_object_or_404(rows, pk=trend_id)
    if request.method == "POST":
        try:
            trends.stop(trend=trend, by=member, user=request.user)
            messages.success(request, "It is asked no more. The results so far stay.")
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
    return redirect(reverse("polls:trend", args=[trend.pk]))
