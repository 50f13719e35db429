"""Lists of discussions: one page, narrowed by address."""

from urllib.parse import urlencode

from django.conf import settings
from django.shortcuts import get_object_or_404, render

from accounts.doors import physician_required
from accounts.models import Specialty
from questions.models import Question, Tag
from questions.signature import signature
from sermo.paging import page

ORDERS = {
    "hot": ("Hot", ("-hot", "-pk")),
    "new": ("New", ("-opened_at", "-pk")),
    "unanswered": ("Unanswered", ("-opened_at", "-pk")),
    "important": ("Important", ("-importance", "-pk")),
}
STATUSES = {"open": "Open", "solved": "Solved", "closed": "Closed", "all": "All"}


@physician_required
def question_list(request):
    return _list(request, title="Questions")


@physician_required
def specialty(request, slug):
    chosen = get_object_or_404(Specialty, slug=slug, is_choice=True)
    return _list(request, title=chosen.name, specialty=chosen)


@physician_required
def tag(request, slug):
    chosen = get_object_or_404(Tag, slug=slug)
    return _list(request, title=chosen.name, tag=chosen)


@physician_required
def specialties(request):
    groups: dict[str, list[Specialty]] = {}
    for chosen in Specialty.objects.filter(is_choice=True).order_by("group", "name"):
        groups.setdefault(chosen.group, []).append(chosen)
    return render(request, "questions/specialties.html", {"groups": groups})


def _list(request, *, title, specialty=None, tag=None):
    order = request.GET.get("sort") if request.GET.get("sort") in ORDERS else "hot"
    status = request.GET.get("status") if request.GET.get("status") in STATUSES else "open"
    member = request.user.as_member
    own = member.specialty if member else None
    mine = own if request.GET.get("specialty") == "mine" else None
    rows = _narrowed(Question.objects.visible_to(request.user), order, status)
    for narrow in (specialty, mine):
        rows = rows.in_specialty(narrow) if narrow else rows
    rows = rows.tagged(tag) if tag else rows
    found = page(
        rows.for_listing(),
        order=ORDERS[order][1],
        after=request.GET.get("after"),
        size=settings.QUESTIONS_PER_PAGE,
    )
    for question in found:
        question.byline = signature(question.byline_mode, question.asker)
    filters = {"sort": order, "status": status, "specialty": "mine" if mine else ""}
    context = {
        "title": title,
        "page": found,
        "more_url": _address(request, **filters, after=found.next) if found.next else None,
        "orders": [
            (label, _address(request, **{**filters, "sort": key}), key == order)
            for key, (label, _) in ORDERS.items()
        ],
        "statuses": [
            (label, _address(request, **{**filters, "status": key}), key == status)
            for key, label in STATUSES.items()
        ],
        "order": order,
        "status": status,
        "narrowed": bool(specialty or tag or mine or status != "open" or order == "unanswered"),
        "mine": mine,
        "own_specialty": own,
        "mine_url": _address(request, **{**filters, "specialty": "mine"}),
        "every_url": _address(request, **{**filters, "specialty": ""}),
        "specialty": specialty,
        "tag": tag,
    }
    template = "questions/_question_rows.html" if request.htmx else "questions/question_list.html"
    return render(request, template, context)


def _narrowed(rows, order, status):
    if order == "unanswered":
        return rows.unanswered()
    return {
        "open": rows.open,
        "solved": rows.solved,
        "closed": lambda: rows.filter(status=Question.Status.CLOSED),
        "all": rows.listed,
    }[status]()


DEFAULTS = {"sort": "hot", "status": "open", "specialty": ""}


def _address(request, **filters):
    """This list's address with other filters, those at their usual value left out."""
    wanted = {key: value for key, value in filters.items() if value and value != DEFAULTS.get(key)}
    return f"{request.path}?{urlencode(wanted)}" if wanted else request.path
