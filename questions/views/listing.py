"""Lists of discussions: one page, narrowed by address."""

from urllib.parse import urlencode

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts.doors import physician_required
from accounts.models import Specialty
from questions.models import Question, Tag
from questions.signature import signature
from questions.views.following import own_alerts
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
    rows = Specialty.objects.annotate(
        own_alerts=Subquery(own_alerts(request.user.as_member, specialty=OuterRef("pk")))
    )
    chosen = get_object_or_404(rows, slug=slug, is_choice=True)
    return _list(request, title=chosen.name, specialty=chosen)


@physician_required
def tag(request, slug):
    rows = Tag.objects.annotate(own_alerts=Subquery(own_alerts(request.user.as_member, tag=OuterRef("pk"))))
    chosen = get_object_or_404(rows, slug=slug)
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
    following = bool(member) and request.GET.get("following") == "1"
    readable = Question.objects.visible_to(request.user).besides_blocked(member)
    rows = _narrowed(readable, order, status)
    rows = rows.followed_by(member) if following else rows
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
    filters = {
        "sort": order,
        "status": status,
        "specialty": "mine" if mine else "",
        "following": "1" if following else "",
    }
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
        "narrowed": bool(specialty or tag or mine or following or status != "open" or order == "unanswered"),
        "mine": mine,
        "own_specialty": own,
        "mine_url": _address(request, **{**filters, "specialty": "mine"}),
        "every_url": _address(request, **{**filters, "specialty": ""}),
        "following": following,
        "following_url": _address(request, **{**filters, "following": "1"}),
        "unfollowing_url": _address(request, **{**filters, "following": ""}),
        "specialty": specialty,
        "tag": tag,
        "topic": specialty or tag,
        "follow_url": _follow_url(specialty, tag),
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


def _follow_url(specialty, tag):
    if specialty:
        return reverse("questions:follow_specialty", args=[specialty.slug])
    return reverse("questions:follow_tag", args=[tag.slug]) if tag else ""


DEFAULTS = {"sort": "hot", "status": "open", "specialty": "", "following": ""}


def _address(request, **filters):
    """This list's address with other filters, those at their usual value left out."""
    wanted = {key: value for key, value in filters.items() if value and value != DEFAULTS.get(key)}
    return f"{request.path}?{urlencode(wanted)}" if wanted else request.path
