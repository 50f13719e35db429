"""What a maker answers for: questions put to it, and posts on its products that its people have read."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.views.decorators.http import require_safe

from observers import keys, market, texts
from observers.doors import seat_required
from observers.forms_products import CRITERIA, CompanyAnswerForm, SafetyForm
from observers.highlights import marked
from observers.models import AdverseEvent, Way
from observers.services import adverse_events, company, reading
from questions.models import Post
from sermo.errors import RuleBroken

PER_PAGE = 30
HOUR = timedelta(hours=1)
TABS = {"waiting": "Waiting", "answered": "Answered"}


# Questions to the firm


@seat_required
@require_safe
def company_questions(request):
    """What waits, the shortest time left first; or what was answered, the newest first."""
    chosen = "answered" if request.GET.get("show") == "answered" else "waiting"
    rows = company.reached(request.firm).filter(answered_at__isnull=chosen == "waiting")
    order = ("due_at", "pk") if chosen == "waiting" else ("-answered_at", "-pk")
    found = market.sealed_page(rows, order=order, after=request.GET.get("after"), size=PER_PAGE)
    address = reverse("observers:company_questions")
    context = {
        "rows": _asked(found.rows),
        "chosen": chosen,
        "tabs": [(label, f"{address}?show={key}", key == chosen) for key, label in TABS.items()],
        "usual": company.usual_time(request.firm),
        "hours": settings.COMPANY_ANSWER_HOURS,
        "more_url": f"{address}?show={chosen}&after={found.next}" if found.next else "",
    }
    return render(request, "observers/products/company_questions.html", context)


def _asked(rows):
    """Questions as a firm reads them: without names, and with the words of their clocks in whole hours."""
    masks = texts.masks_of_members([row.asker_id for row in rows], [row.text for row in rows])
    now = timezone.now()
    for row in rows:
        row.words = texts.plain(row.text, masks[row.asker_id])
        begun = row.due_at - timedelta(hours=settings.COMPANY_ANSWER_HOURS)
        row.asked_on, row.is_late = begun.date(), row.answered_at is None and row.due_at < now
        if row.answered_at:
            row.clock = f"answered in {_hours(max(row.answered_at - begun, timedelta()))}"
        elif row.is_late:
            row.clock = f"{_hours(now - row.due_at)} late"
        else:
            row.clock = f"{_hours(row.due_at - now)} left"
    return rows


def _hours(span: timedelta) -> str:
    hours = int(span / HOUR)
    if hours < 1:
        return "under an hour"
    return "1 hour" if hours == 1 else f"{hours} hours" if hours < 72 else f"{hours // 24} days"


@seat_required
def company_question(request, key):
    """One question, and the answer or its form."""
    row = get_object_or_404(company.reached(request.firm), key=key)
    _asked([row])
    form = CompanyAnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            company.answer(question=row, seat=request.seat, text=form.cleaned_data["text"])
            messages.success(request, "Sent. All physicians can read it.")
            return redirect("observers:company_questions")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {
        "row": row,
        "form": None if row.answered_at and not form.errors else form,
        "minutes": settings.SILENT_EDIT_MINUTES,
    }
    status = 422 if form.errors else 200
    return render(request, "observers/products/company_question.html", context, status=status)


# Safety


@seat_required
@require_safe
def safety(request):
    """Posts on the firm's products that its people have read: what waits, the longest first; then what was said."""
    chosen = "answered" if request.GET.get("show") == "answered" else "waiting"
    rows = adverse_events.of_firm(request.firm)
    rows = rows.filter(outcome="") if chosen == "waiting" else rows.exclude(outcome="")
    order = ("read_at", "pk") if chosen == "waiting" else ("-said_at", "-pk")
    found = market.sealed_page(rows, order=order, after=request.GET.get("after"), size=PER_PAGE)
    address = reverse("observers:safety")
    context = {
        "rows": _with_titles(request, found.rows),
        "chosen": chosen,
        "tabs": [(label, f"{address}?show={key}", key == chosen) for key, label in TABS.items()],
        "has_products": request.firm.made_products.exists(),
        "more_url": f"{address}?show={chosen}&after={found.next}" if found.next else "",
    }
    return render(request, "observers/products/safety.html", context)


def _with_titles(request, rows):
    """Titles stand where the post is still open to the firm. They are words of openings, so they are reads."""
    open_ones = Post.objects.open_to(request.firm).filter(pk__in=[row.post_id for row in rows])
    titles = {
        post: (pk, title) for post, pk, title in open_ones.values_list("pk", "question", "question__title")
    }
    shown = {pk for pk, _ in titles.values()}
    openings = Post.objects.filter(question__in=shown, kind=Post.Kind.OPENING).values_list("pk", flat=True)
    reading.note(seat=request.seat, purpose=request.purpose, way=Way.FOUND, post_pks=openings)
    masks = texts.masks_of(request.firm, shown, [title for _, title in titles.values()]) if shown else {}
    for row in rows:
        pk, title = titles.get(row.post_id, (None, ""))
        row.title = texts.plain(title, masks[pk]) if title else ""
        row.alias = masks[pk].aliases.get(row.post.author_id, "") if title else ""
        row.clock = _hours((row.said_at or timezone.now()) - row.read_at)
    return rows


@seat_required
def safety_event(request, pk):
    """One post, and what the firm says of it."""
    event = get_object_or_404(adverse_events.of_firm(request.firm), pk=pk)
    ticked = [name for name, _ in CRITERIA if getattr(event, name)]
    form = SafetyForm(request.POST if request.method == "POST" else None, initial={"criteria": ticked})
    if request.method == "POST" and form.is_valid():
        try:
            adverse_events.say(event=event, seat=request.seat, **form.cleaned_data)
            messages.success(request, "Noted in the safety log.")
            return redirect("observers:safety")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    context = {
        "event": event,
        "clock": _hours((event.said_at or timezone.now()) - event.read_at),
        "criteria": [label.partition("\n")[0] for name, label in CRITERIA if getattr(event, name)],
        "form": None if event.outcome == AdverseEvent.Outcome.EVENT else form,
        **_post_context(request, event),
    }
    status = 422 if form.errors else 200
    return render(request, "observers/products/safety_event.html", context, status=status)


def _post_context(request, event):
    """The words of the post while the firm may read them, logged as read; those that name the product are marked."""
    post = adverse_events.open_to_firm(event, request.firm)
    if post is None:
        return {}
    title = post.question.title if post.kind == Post.Kind.OPENING else ""
    masks = texts.masks_of(request.firm, [post.question_id], [post.html, title])[post.question_id]
    reading.note(seat=request.seat, purpose=request.purpose, way=Way.OPENED, post_pks=[post.pk])
    return {
        "post": post,
        "alias": masks.aliases.get(post.author_id, ""),
        "title": marked(escape(texts.plain(title, masks)), event.product.words),
        "html": marked(texts.for_firm(post.html, masks.of(post.author_id)), event.product.words),
        "question_url": reverse(
            "observers:question", args=[keys.question_key(request.firm, post.question_id)]
        ),
    }
