"""Saved searches of a firm with their charts, and its exports. All of them are the firm's own: another's are a 404."""

from datetime import UTC

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from observers import charts, keys, listing, market, texts
from observers.doors import seat_or_files_required, seat_required
from observers.models import Chart, Export, FirmSearch, Way
from observers.search_forms import ChangeSearchForm, ExportForm, SearchForm
from observers.services import charting, exporting, reading, recalling, searching
from questions.models import Post, Question
from sermo.errors import RuleBroken

PER_PAGE = 30
FIELDS = {searching.NoWords: "terms", searching.SavedAlready: "terms"}


# Saved searches


@seat_required
@require_safe
def searches(request):
    """All that the firm follows, each with its last chart."""
    rows = list(FirmSearch.objects.open_to(request.firm).select_related("firm", "seat"))
    done = Chart.objects.filter(search__in=rows, state=Chart.State.DONE).order_by("search_id", "-as_of")
    latest = {chart.search_id: chart for chart in done.distinct("search_id")}
    for row in rows:
        row.chart = latest.get(row.pk)
        row.mentions = charts.words_of(row.chart.totals)[0] if row.chart else ""
        row.narrowed = listing.Filters.of(row).in_words
    left = request.seat.contract.plan.searches - len(rows)
    return render(request, "observers/searches/list.html", {"rows": rows, "left": max(0, left)})


@seat_required
def new_search(request):
    form = SearchForm(request.POST or None, initial=_typed(request))
    if request.method == "POST" and form.is_valid():
        try:
            saved = searching.save(seat=request.seat, **form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error(FIELDS.get(type(refusal)), str(refusal))
        else:
            _count(request, saved)
            return redirect("observers:search", saved.key)
    return render(request, "observers/searches/new.html", {"form": form}, status=422 if form.errors else 200)


def _typed(request) -> dict:
    """What the list was searched for."""
    filters = listing.Filters.read(request.GET)
    return {"terms": filters.q, "group": filters.group, "kind": filters.kind, "solved": filters.solved}


def _count(request, saved: FirmSearch) -> None:
    try:
        charting.ask(saved=saved, seat=request.seat)
    except RuleBroken as refusal:
        messages.info(request, str(refusal))


@seat_required
@require_safe
def search(request, key):
    """What is counted of a search, by weeks."""
    saved = _saved(request, key)
    found = list(saved.charts.order_by("-as_of")[:2])
    chart = next((each for each in found if each.state == Chart.State.DONE), None)
    newest, plan = (found[0] if found else None), request.seat.contract.plan
    filters = listing.Filters.of(saved)
    context = {
        "saved": saved,
        "narrowed": filters.in_words,
        "list_url": f"{reverse('observers:list')}?{filters.query()}",
        "chart": chart,
        "newest": newest,
        "is_counted": bool(newest and newest.as_of == charting.latest_day()),
        "charts_left": max(0, plan.charts_a_day - charting.asked_today(request.firm)),
    }
    if chart:
        totals = dict(zip(("mentions", "share", "importance"), charts.words_of(chart.totals), strict=True))
        context |= {"series": charts.drawn(chart), "lines": charts.table(chart), "totals": totals}
        context["number"] = len(chart.weeks)
    return render(request, "observers/searches/search.html", context)


@seat_required
@require_POST
def count_search(request, key):
    saved = _saved(request, key)
    _count(request, saved)
    return redirect("observers:search", saved.key)


@seat_required
def change_search(request, key):
    saved = _saved(request, key)
    form = ChangeSearchForm(request.POST or None, initial={"name": saved.name, "alert": saved.alert})
    if request.method == "POST" and form.is_valid():
        searching.change(saved=saved, seat=request.seat, **form.cleaned_data)
        return redirect("observers:search", saved.key)
    context = {"form": form, "saved": saved, "narrowed": listing.Filters.of(saved).in_words}
    return render(request, "observers/searches/change.html", context, status=422 if form.errors else 200)


@seat_required
@require_POST
def end_search(request, key):
    saved = _saved(request, key)
    searching.end(saved=saved, seat=request.seat)
    messages.success(request, f"“{saved.name}” is followed no more.")
    return redirect("observers:searches")


def _saved(request, key: str) -> FirmSearch:
    rows = FirmSearch.objects.open_to(request.firm).select_related("firm", "seat")
    return get_object_or_404(rows, pk=keys.search_pk(request.firm, key))


# Exports


@seat_or_files_required
@require_safe
def exports(request):
    """What the firm took away, the newest first; under no contract, what of it must be destroyed."""
    rows = Export.objects.filter(firm=request.firm).select_related("seat").with_withdrawals()
    if request.seat is None:
        rows = rows.exclude(withdrawn_at=None)
    found = market.sealed_page(rows, order=("-pk",), after=request.GET.get("after"), size=PER_PAGE)
    for row in found:
        row.day = row.made_at.astimezone(UTC).date()
        row.destroy_by = row.withdrawn_at and recalling.destroy_by(row.withdrawn_at)
    context = {
        "rows": found.rows,
        "more_url": f"{reverse('observers:exports')}?after={found.next}" if found.next else "",
    }
    if request.seat is None:
        return render(request, "observers/searches/to_destroy.html", context)
    plan = request.seat.contract.plan
    context |= {
        "left": max(0, plan.exports_a_day - exporting.made_today(request.firm)),
        "most": plan.export_rows,
        "recalled": recalling.concerns(request.firm),
    }
    return render(request, "observers/searches/exports.html", context)


@seat_required
def export_search(request, key):
    saved = _saved(request, key)

    def make(**asked):
        return exporting.export_search(seat=request.seat, saved=saved, **asked)

    context = {
        "what": saved.name,
        "back_url": reverse("observers:search", args=[saved.key]),
        "posts": "The newest posts that match",
    }
    return _export(request, make, "search", lambda: context)


@seat_required
def export_discussion(request, key):
    question = _question(request.firm, key)

    def make(**asked):
        return exporting.export_discussion(seat=request.seat, question=question, **asked)

    def context():
        return {
            "what": _title(request, question),
            "back_url": reverse("observers:question", args=[key]),
            "posts": "The posts of the discussion that are open to you",
        }

    return _export(request, make, "discussion", context)


@seat_required
def export_safety_log(request):
    def make(**asked):
        return exporting.export_safety_log(seat=request.seat, **asked)

    context = {"what": "Safety log", "back_url": reverse("observers:safety")}
    return _export(request, make, "safety-log", lambda: context)


def _export(request, make, name: str, context):
    """The form that asks why, or the file. `context` is called for the form alone: it may log what that shows."""
    form = ExportForm(request.POST if request.method == "POST" else None)
    is_unsaid = False
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            file = make(purpose=request.purpose, reason=said["reason"], key=said["submission"])
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
            is_unsaid = isinstance(refusal, exporting.SafetyFirst)
        else:
            headers = {
                "Content-Disposition": f'attachment; filename="sermo-{name}.csv"',
                "Cache-Control": "private, no-store",
            }
            return HttpResponse(file.text, content_type="text/csv; charset=utf-8", headers=headers)
    plan = request.seat.contract.plan
    said = context() | {
        "form": form,
        "is_unsaid": is_unsaid,
        "left": max(0, plan.exports_a_day - exporting.made_today(request.firm)),
        "most": plan.export_rows,
    }
    return render(request, "observers/searches/export.html", said, status=422 if form.errors else 200)


def _question(firm, key: str) -> Question:
    pk = keys.question_pk(firm, key)
    if pk is None:
        raise Http404("No discussion open to this firm has this key.")
    return get_object_or_404(Question.objects.open_to(firm), pk=pk)


def _title(request, question: Question) -> str:
    """The masked title; it is words of the opening, which is logged."""
    openings = Post.objects.filter(question=question.pk, kind=Post.Kind.OPENING).values_list("pk", flat=True)
    reading.note(seat=request.seat, purpose=request.purpose, way=Way.FOUND, post_pks=list(openings))
    masks = texts.masks_of(request.firm, [question.pk], [question.title])[question.pk]
    return texts.plain(question.title, masks)
