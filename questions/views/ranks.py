"""Leaderboards, and the page that explains one's own points."""

from contextlib import suppress
from datetime import date
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import ordinal
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import faces
from accounts.doors import physician_required
from accounts.models import Member, Specialty
from questions import boards, ledger, ranking
from questions.forms import BoardForm
from questions.models import Board, BoardPlace, MemberRank
from questions.ranking.daily import last_months
from questions.ranking.steps import standing_of
from sermo.paging import Page, page

NOT_COUNTED_SHOWN = 50


@physician_required
def leaderboards(request):
    member, months = request.user.as_member, last_months(ranking.midnight().date(), settings.BOARD_MONTHS)
    specialty, month = _specialty(request), _month(request, months)
    board = boards.find(specialty=specialty, month=month)
    found = _places(request, board) if board else None
    filters = {"specialty": specialty.slug if specialty else "", "month": _named(month)}
    context = {
        "board": board,
        "page": found,
        "more_url": _address(**filters, after=found.next) if found and found.next else None,
        "first_url": _address(**filters) if request.GET.get("after") else None,
        "specialty": specialty,
        "month": month,
        "every_url": _address(month=filters["month"]),
        "periods": [
            (label, _address(specialty=filters["specialty"], month=_named(each)), each == month)
            for label, each in (("All time", None), ("This month", months[0]), ("Last month", months[1]))
        ],
        "form": BoardForm(
            initial=filters, specialties=boards.specialties_with_boards(), chosen=specialty, months=months
        ),
        "query": request.GET.urlencode(),
        "too_few": f"A board takes {settings.SMALL_CELL} active members who show the specialty.",
        "is_hidden": bool(member) and _rank(member).hides_place,
        "own": _own_standing(board, member) if board and member else None,
    }
    return render(request, "questions/leaderboards.html", context)


def _places(request, board: Board) -> Page:
    """So many places of a board, less those the reader may not see: gaps must not make a page cost more."""
    found = page(
        BoardPlace.objects.filter(board=board),
        order=("place",),
        after=request.GET.get("after"),
        size=settings.PLACES_PER_PAGE,
    )
    rows = list(
        BoardPlace.objects.filter(pk__in=[place.pk for place in found])
        .visible_to(request.user)
        .select_related("member__specialty", "member__rank")
        .order_by("place")
    )
    for row in rows:
        row.specialty = faces.shown_to_physicians(row.member).specialty
    return Page(rows, found.next)


def _own_standing(board: Board, member: Member) -> str:
    """ "12th", or nothing where one has no place."""
    place = boards.own_place(board=board, member=member)
    return ordinal(place.standing) if place else ""


def _specialty(request) -> Specialty | None:
    slug = request.GET.get("specialty")
    return get_object_or_404(Specialty, slug=slug, is_choice=True) if slug else None


def _month(request, months: list[date]) -> date | None:
    """The month asked for, None for all time. Raises Http404 unless it is one of those with boards."""
    wanted = request.GET.get("month")
    if not wanted:
        return None
    for month in months:
        if _named(month) == wanted:
            return month
    raise Http404


def _named(month: date | None) -> str:
    return f"{month:%Y-%m}" if month else ""


def _address(**filters) -> str:
    """A board's address; what is not narrowed is left out."""
    wanted = {key: value for key, value in filters.items() if value}
    address = reverse("questions:leaderboards")
    return f"{address}?{urlencode(wanted)}" if wanted else address


@require_POST
@physician_required
def hide_place(request):
    member = request.user.as_member
    if member is None:
        raise Http404
    hides = request.POST.get("hides") == "1"
    boards.choose_hiding(member=member, hides=hides)
    if hides:
        messages.success(request, "Your place is hidden on every board. Your tier stays.")
    else:
        messages.success(request, "Your place shows again with the next draw, at 00:00 UTC.")
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{reverse('questions:leaderboards')}?{query}" if query else "questions:leaderboards")


@physician_required
def points(request):
    """Every line of one's own points, newest first. Whoever has no membership has none."""
    member = request.user.as_member
    if member is None:
        raise Http404
    rank = _rank(member)
    as_of = rank.as_of or ranking.midnight().date()
    before = _key(request.GET.get("before", ""))
    lines = ranking.lines_of(member, as_of=as_of, before=before, limit=settings.LINES_PER_PAGE + 1)
    shown, more = lines[: settings.LINES_PER_PAGE], len(lines) > settings.LINES_PER_PAGE
    unscored = [] if before else ranking.unscored_of(member, as_of=as_of, limit=NOT_COUNTED_SHOWN + 1)
    counted, missed = ledger.entries(shown, unscored[:NOT_COUNTED_SHOWN], request.user)
    context = {
        "lines": counted,
        "more_url": f"{request.path}?before={_written(shown[-1].key)}" if more else None,
    }
    if request.htmx and before:
        return render(request, "questions/_point_lines.html", context)
    context |= {
        "rank": rank,
        "sum": ledger.figure(rank.points),
        "as_of": as_of,
        "is_later_page": before is not None,
        "missed": missed,
        "more_missed": len(unscored) > NOT_COUNTED_SHOWN,
        "standing": standing_of(member, rank),
    }
    return render(request, "questions/points.html", context)


def _rank(member: Member) -> MemberRank:
    """A member's rank, also before the first draw."""
    return getattr(member, "rank", None) or MemberRank(member=member)


def _written(key: tuple[date, int, str, int]) -> str:
    """A line's key in an address: 2026-11-22.40.corroborated.2."""
    return ".".join(str(part) for part in key)


def _key(typed: str) -> tuple[date, int, str, int] | None:
    """Read what `_written` wrote; None is the first page, also for what nobody could have got from here."""
    with suppress(ValueError):
        day, post_id, cause, place = typed.split(".")
        if cause in ledger.DEEDS and len(post_id) <= 18 and len(place) <= 9:
            return date.fromisoformat(day), int(post_id), cause, int(place)
    return None
