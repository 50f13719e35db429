"""The console: discussions as a firm reads them, and pictures of cases whose consent says so.

What is shown is logged before it is sent, so that no read is lost with a worker that dies on the way.
"""

from datetime import timedelta

from django.core.cache import cache
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from consults.services import files
from observers import figures, keys, listing, market, pictures, reading
from observers.doors import seat_required
from observers.models import Read, Seat, Way
from observers.services import adverse_events
from observers.services import reading as log
from questions.filters import KINDS
from questions.models import Post

PICTURE_HEADERS = {"Cache-Control": "private, no-store", "Content-Security-Policy": "sandbox"}
ONE_READING = timedelta(hours=1)  # within which the pictures of an opened case are no reads of their own
SHARE_KEPT = 600  # seconds


@seat_required
@require_safe
def discussions(request):
    """The list, narrowed and ordered by its address, or what a search finds. htmx asks for further rows alone."""
    filters = listing.Filters.read(request.GET)
    found, hints = reading.page_of(request.firm, filters, after=request.GET.get("after", ""))
    _note(request, Way.FOUND, [pk for row in found for pk in row.post_pks])
    context = {
        "filters": filters,
        "rows": found.rows,
        "marks": market.marks_on(request.firm, [row.opening_pk for row in found], request.seat.contract.plan),
        "more_url": _address(filters, after=found.next) if found.next else "",
    }
    if request.htmx and request.GET.get("after"):
        return render(request, "observers/reading/_rows.html", context)
    context |= {
        "hints": hints,
        "orders": [
            (label, _address(filters, order=key), key == filters.order)
            for key, label in listing.ORDERS.items()
        ],
        "kept": [(name, value) for name, value in filters.said.items() if name != "q"],
        "groups": listing.groups(),
        "kinds": KINDS,
        "solved": listing.SOLVED,
        "withheld": _withheld(),
    }
    return render(request, "observers/reading/list.html", context)


def _address(filters: listing.Filters, **changes: str) -> str:
    query = filters.query(**changes)
    return f"{reverse('observers:list')}?{query}" if query else reverse("observers:list")


def _withheld() -> str:
    """How much of this month no firm sees."""
    month = timezone.now().date().replace(day=1)
    name = f"observers:withheld:{month}"
    return cache.get_or_set(name, lambda: figures.shown_share(month), SHARE_KEPT)


@seat_required
@require_safe
def question(request, key):
    """One discussion. htmx asks for further answers alone."""
    firm, pk = request.firm, keys.question_pk(request.firm, key)
    after = request.GET.get("after", "")
    found = reading.discussion(firm, pk, after=after) if pk else None
    if found is None:
        raise Http404("No discussion open to this firm has this key.")
    is_more = bool(request.htmx and after)
    shown = [post.pk for post in (found.added if is_more else found.posts)]
    _note(request, Way.OPENED, shown)
    context = {"found": found, "firm": firm}
    context["marks"] = market.marks_on(firm, shown, request.seat.contract.plan)
    context["more_url"] = (
        f"{reverse('observers:question', args=[key])}?after={found.next}" if found.next else ""
    )
    if found.is_makers:
        adverse_events.met(request.seat, shown)
        context["waiting"] = adverse_events.waiting(firm, [post.pk for post in found.posts])
    return render(
        request, "observers/reading/_answers.html" if is_more else "observers/reading/question.html", context
    )


def _note(request, way: Way, post_pks: list[int]) -> None:
    log.note(seat=request.seat, purpose=request.purpose, way=way, post_pks=post_pks)


@seat_required
@require_safe
def image(request, key, place):
    """A picture of a case, by the key of its discussion and its place there; `size` is full or screen."""
    pk = keys.question_pk(request.firm, key)
    if pk is None:
        raise Http404("No discussion open to this firm has this key.")
    found = get_object_or_404(pictures.open_to(request.firm), case=pk, place=place)
    size = request.GET.get("size", "screen")
    if size not in pictures.SIZES:
        raise Http404("There is no such size.")
    _note_picture(request, pk)
    try:
        jpeg = files.read(found, size, found.windows[0][0])
    except FileNotFoundError as gone:
        raise Http404("This picture is gone.") from gone
    return HttpResponse(jpeg, content_type="image/jpeg", headers=PICTURE_HEADERS)


def _note_picture(request, question_pk: int) -> None:
    """A picture asked for by itself is a read of its case; beside the page that was logged it is none of its own."""
    opening = Post.objects.get(question=question_pk, kind=Post.Kind.OPENING)
    same = {"seat": request.seat, "post": opening, "way": Way.OPENED, "purpose": request.purpose}
    with transaction.atomic():
        Seat.objects.select_for_update(no_key=True).get(
            pk=request.seat.pk
        )  # two pictures at once are one read
        if not Read.objects.filter(**same, at__gte=timezone.now() - ONE_READING).exists():
            _note(request, Way.OPENED, [opening.pk])
