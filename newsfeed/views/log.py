"""One's learning log: nobody else comes here, moderators included."""

from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.services import identifiers
from accounts.views.ties import member_required
from newsfeed import learning
from newsfeed.log_forms import LogForm
from newsfeed.models import Article, LogEntry
from newsfeed.services import logging_learning as services
from questions.models import Question
from sermo.errors import RuleBroken
from sermo.paging import page

PER_PAGE = 40
MOST_PRINTED = 1000


@member_required
def log(request):
    member = request.user.as_member
    found = page(
        member.learning_log.all(), order=learning.NEWEST_FIRST, after=request.GET.get("after"), size=PER_PAGE
    )
    months = learning.monthly(member)
    context = {
        "months": learning.by_month(learning.lines_of(request.user, found), months),
        "years": learning.yearly(months),
        "older_url": f"?{urlencode({'after': found.next})}" if found.next else "",
    }
    return render(request, "newsfeed/log.html", context)


@member_required
def log_add(request):
    """Log one `article`, or one `question` in which the member wrote. What is logged already is opened."""
    member = request.user.as_member
    article, question = _chosen(request)
    about = {"article": article} if article else {"question": question}
    known = LogEntry.objects.filter(member=member, **about).first()
    if known and request.method != "POST":
        return redirect("newsfeed:log_entry", known.pk)
    usual = (article and article.is_ours and article.minutes) or services.USUAL_MINUTES
    form = LogForm(request.POST or None, initial={"minutes": usual, "done_on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                entry = known or services.add(member=member, **about, **form.cleaned_data)
                if services.says(entry, **form.cleaned_data):
                    if not known:
                        identifiers.record(member=member, place="learning log", kept=form.kept_identifiers())
                    messages.success(request, "In your learning log.")
                    return redirect("newsfeed:log")
            known = entry
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    if known:
        return _known(request, form, known)
    if question and not form.errors and not services.has_written_in(member, question):
        messages.error(request, services.NotAnswered.message)
        return redirect(question.get_absolute_url())
    blank = LogEntry(member=member, **about)
    line = learning.of_article(blank, article) if article else learning.of_question(blank, question)
    return _form_page(request, form, line)


@member_required
def log_entry(request, entry_id):
    """Change an entry of one's own, or delete it (`delete`)."""
    entry = get_object_or_404(request.user.as_member.learning_log, pk=entry_id)
    if request.method == "POST" and "delete" in request.POST:
        services.remove(entry=entry)
        messages.success(request, "No longer in your learning log.")
        return redirect("newsfeed:log")
    said = {"minutes": entry.minutes, "done_on": entry.done_on, "reflection": entry.reflection}
    form = LogForm(request.POST or None, initial=said)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                services.change(entry=entry, **form.cleaned_data)
                identifiers.record(member=entry.member, place="learning log", kept=form.kept_identifiers())
            messages.success(request, "Changed.")
            return redirect("newsfeed:log")
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
    return _form_page(request, form, learning.lines_of(request.user, [entry])[0])


@member_required
def log_csv(request):
    """All entries, or those of one `year`."""
    year = _year(request)
    lines = learning.lines_of(request.user, _entries(request, year))
    name = f"learning-log-{year}.csv" if year else "learning-log.csv"
    file = StreamingHttpResponse(learning.as_csv(lines), content_type="text/csv; charset=utf-8")
    file["Content-Disposition"] = f'attachment; filename="{name}"'
    return file


@member_required
def log_print(request):
    """The same on paper, the newest that many."""
    year = _year(request)
    lines = learning.lines_of(request.user, _entries(request, year)[:MOST_PRINTED])
    context = {
        "lines": lines,
        "year": year,
        "time": learning.in_words(sum(line.entry.minutes for line in lines)),
        "printed_at": timezone.now(),
        "blanks": ("Name", "License number", "Signature", "Date"),  # to fill in by hand
    }
    return render(request, "newsfeed/log_print.html", context)


def _entries(request, year):
    return learning.of_year(request.user.as_member.learning_log.all(), year).order_by(*learning.NEWEST_FIRST)


def _year(request) -> int | None:
    typed = request.GET.get("year", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) == 4 and typed > "0000" else None


def _chosen(request):
    """The article or the discussion named; the discussion of an article is logged as the article."""
    named = {name: request.GET.get(name, "") for name in ("article", "question")}
    named = {name: value for name, value in named.items() if value.isascii() and value.isdigit()}
    if len(named) != 1:
        raise Http404
    articles = Article.objects.visible_to(request.user).select_related("source")
    if "article" in named:
        return get_object_or_404(articles, pk=named["article"]), None
    readable = Question.objects.visible_to(request.user).listed()
    question = get_object_or_404(readable, pk=named["question"])
    if question.kind == Question.Kind.ARTICLE:
        return get_object_or_404(articles, discussion__question=question), None
    return None, question


def _known(request, form, entry):
    """The entry that is there already, in a form with what was typed now."""
    form.add_error(None, "This is in your learning log already. Save the change to keep what you typed now.")
    line = learning.lines_of(request.user, [entry])[0]
    return _form_page(request, form, line, action=reverse("newsfeed:log_entry", args=[entry.pk]))


def _form_page(request, form, line, action=""):
    context = {"form": form, "line": line, "log_url": reverse("newsfeed:log"), "action": action}
    return render(request, "newsfeed/log_entry.html", context, status=422 if form.errors else 200)
