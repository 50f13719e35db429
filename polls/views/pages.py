"""Pages to read: a poll, its results, all polls, a trend."""

from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.doors import physician_required
from polls import cells, reading
from polls.charts import columns_of
from polls.lists import poll_ids
from polls.models import Trend
from polls.results import breakdown, over_time
from polls.views import cards
from questions.rows import by_ids, drawn_ahead
from questions.views import thread
from questions.views.reading import render_question, show_question
from sermo.paging import Page


@physician_required
def poll(request, question_id):
    card = cards.shown_card(request, question_id)
    if card.is_attached:
        return render_poll(request, card)
    return show_question(request, thread.load_question(request.user, question_id))


def render_poll(request, card, *, status=200):
    """The page of a poll: its discussion, or of an attached one the poll alone."""
    request.poll_card = card
    if card.is_attached:
        return render(request, "polls/poll.html", {"card": card}, status=status)
    question = thread.load_question(request.user, card.pk)
    return render_question(request, question, status=status)


@physician_required
def results(request, question_id):
    """All that may be shown of a result. To whom it is not open, the poll says why."""
    loaded = reading.load_poll(request.user, question_id)
    if not loaded.shows_results:
        return redirect("polls:poll", question_id)
    card = cards.card_of(request, loaded)
    cards.show(request, card)
    context = {
        "card": card,
        "dimensions": breakdown(loaded.tally),
        "waits_for_end": loaded.waits_for_end,
        "least": cells.LEAST,
        "every": cells.EVERY,
    }
    return render(request, "polls/results.html", context)


@physician_required
def poll_list(request):
    found = poll_ids(request.user, after=request.GET.get("after"), size=settings.POLLS_PER_PAGE)
    loaded = reading.load_polls(request.user, found.rows)
    rows = drawn_ahead(by_ids(request.user, [pk for pk in found if pk in loaded]))
    listed = [(row, cards.card_of(request, loaded[row.pk], in_list=True)) for row in rows]
    context = {
        "page": Page(listed, found.next),
        "more_url": f"{reverse('polls:list')}?after={found.next}" if found.next else None,
        "writable": request.user.as_member is not None and request.user.as_member.may_write,
    }
    return render(request, "polls/_rows.html" if request.htmx else "polls/list.html", context)


@physician_required
def trend(request, trend_id):
    """The results of all waves side by side, as far as this reader may see them."""
    waves = reading.load_waves(request.user, trend_id)
    if not waves:
        raise Http404("No poll of this trend is open to this reader.")
    waves_shown, courses = over_time([wave for wave in waves if wave.shows_results])
    asked = Trend.objects.get(pk=trend_id)
    context = {
        "trend": asked,
        "title": waves[-1].poll.prompt or waves[-1].poll.question.title,
        "waves": waves_shown,
        "courses": [(course, columns_of(course.shares)) for course in courses],
        "is_scale": any(wave.median for wave in waves_shown),
        "kept_back": [wave for wave in waves if not wave.shows_results],
        "is_own": request.user.as_member is not None and asked.creator_id == request.user.as_member.pk,
    }
    return render(request, "polls/trend.html", context)
