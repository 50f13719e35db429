"""What firms ask in the open: labelled questions, and polls they pay for."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from observers import keys, market, texts
from observers.doors import seat_required
from observers.forms_industry import FirmPollForm, IndustryQuestionForm
from observers.models import IndustryPost, Way
from observers.results import result_of
from observers.services import asking, reading, sponsoring
from polls.models import Poll
from polls.services import opening
from questions.models import Post, Question
from rewards.services import ledger
from rewards.services import sponsoring as agreeing
from rewards.words import dollars
from sermo.errors import RuleBroken

LATEST = 50  # shown of what a firm opened


@seat_required
def ask(request):
    """What the firm asked, and a form to ask more."""
    form = IndustryQuestionForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _ask(request, form):
        return redirect("observers:ask")
    context = {"form": form, "rows": _opened(request.firm, ~Q(question__kind=Question.Kind.POLL))}
    context["left"] = _left(request, "questions_a_month", ~Q(question__kind=Question.Kind.POLL))
    return render(request, "observers/industry/ask.html", context, status=422 if form.errors else 200)


def _ask(request, form) -> bool:
    said = form.cleaned_data
    try:
        asking.ask(
            seat=request.seat,
            title=said["title"],
            source=said["source"],
            specialties=said["specialties"],
            key=said["submission"],
        )
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, "Asked. Physicians read it now; your console shows it with the next step.")
    return True


@seat_required
@require_POST
def close(request, key):
    """Close what the firm opened."""
    question = get_object_or_404(IndustryPost, question=_pk(request.firm, key), firm=request.firm).question
    asking.close(seat=request.seat, question=question)
    messages.success(request, "Closed. It stays readable; nobody can answer or vote any more.")
    return redirect("observers:polls" if question.kind == Question.Kind.POLL else "observers:ask")


@seat_required
@require_safe
def polls(request):
    """The polls the firm put, and what became of them."""
    rows = _opened(request.firm, Q(question__kind=Question.Kind.POLL))
    left = _left(request, "polls_a_month", Q(question__kind=Question.Kind.POLL))
    return render(request, "observers/industry/polls.html", {"rows": rows, "left": left})


@seat_required
def new_poll(request):
    form = FirmPollForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _open_poll(request, form):
        return redirect("observers:polls")
    context = {"form": form, "standing": market.standing_of(request.firm)}
    context["left"] = _left(request, "polls_a_month", Q(question__kind=Question.Kind.POLL))
    return render(request, "observers/industry/new_poll.html", context, status=422 if form.errors else 200)


def _open_poll(request, form) -> bool:
    said = form.cleaned_data
    try:
        sponsoring.open_poll(
            seat=request.seat,
            title=said["title"],
            source=said["source"],
            specialties=said["specialties"],
            plan=form.plan(),
            honorarium=said["honorarium"],
            quota=said["quota"],
            key=said["submission"],
        )
    except opening.OptionsRefused as refusal:
        form.add_option_error(refusal)
    except opening.TooFewInvited as refusal:
        form.add_error(form.field_of_voters(), str(refusal))
    except (ledger.NotEnough, agreeing.OutOfBounds) as refusal:
        form.add_error("honorarium", str(refusal))
    except RuleBroken as refusal:
        form.add_error(None, str(refusal))
    else:
        total = dollars(said["honorarium"] * said["quota"])
        messages.success(request, f"The poll is open, and {total} are reserved for it.")
        return True
    return False


@seat_required
@require_safe
def results(request, key):
    """The result of a poll the firm put, or can read, once members may read it too."""
    rows = Poll.objects.select_related("question", "sponsor")
    poll = get_object_or_404(rows, _open_to(request.firm), pk=_pk(request.firm, key))
    opening = Post.objects.values_list("pk", flat=True).get(question=poll.pk, kind=Post.Kind.OPENING)
    reading.note(seat=request.seat, purpose=request.purpose, way=Way.OPENED, post_pks=[opening])
    said = [poll.question.title, poll.prompt, *poll.options.values_list("text", flat=True)]
    masks = texts.masks_of(request.firm, [poll.pk], said)[poll.pk]
    context = {
        "poll": poll,
        "title": texts.plain(poll.question.title, masks.of(masks.asker)),
        "result": result_of(request.firm, poll, masks),
        "url": reverse("observers:question", args=[key]),
    }
    return render(request, "observers/industry/results.html", context)


def _open_to(firm) -> Q:
    """Polls open to a firm, and its own as long as members can read them."""
    folded = Post.objects.filter(kind=Post.Kind.OPENING, folded_at__isnull=False).values("question")
    own = IndustryPost.objects.filter(firm=firm).exclude(question__status=Question.Status.REMOVED)
    own = own.exclude(question__in=folded.filter(question__industry_post__firm=firm))
    return Q(question__in=Question.objects.open_to(firm).values("pk")) | Q(pk__in=own.values("question"))


def _pk(firm, key) -> int:
    pk = keys.question_pk(firm, key)
    if pk is None:
        raise Http404
    return pk


def _opened(firm, which: Q) -> list[dict]:
    """What a firm opened, the newest first, with the ways to it."""
    rows = IndustryPost.objects.filter(which, firm=firm).select_related("question__poll__sponsor", "seat")
    rows = list(rows.order_by("-made_at")[:LATEST])
    readable = set(
        Question.objects.open_to(firm).filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True)
    )
    return [_row(row, firm, row.pk in readable) for row in rows]


def _row(row, firm, is_readable) -> dict:
    question, key = row.question, keys.question_key(firm, row.pk)
    poll = getattr(question, "poll", None)
    return {
        "title": question.title,
        "seat": row.seat,
        "made_on": row.made_at.date(),
        "is_open": question.is_open,
        "is_removed": question.status == Question.Status.REMOVED,
        "url": reverse("observers:question", args=[key]) if is_readable else "",
        "key": key,
        "poll": poll,
        "sponsor": getattr(poll, "sponsor", None) if poll else None,
    }


def _left(request, limit: str, which: Q) -> int:
    opened = asking.opened_in_month(request.firm).filter(which).count()
    return max(0, getattr(request.seat.contract.plan, limit) - opened)
