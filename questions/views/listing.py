"""Lists of discussions: one page, narrowed by address."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Subquery
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.doors import physician_required
from accounts.models import Specialty
from accounts.views.ties import member_required
from questions import filters as narrowing
from questions import rail
from questions.models import SavedSearch, Tag, TopicMute
from questions.rows import ListRows, drawn_ahead
from questions.services import saved
from questions.views.following import own_alerts
from questions.walks import walk
from sermo.errors import RuleBroken
from sermo.paging import Page
from sermo.returning import posted_from

PLACE = "list"  # of saved filters


@physician_required
def question_list(request):
    return _list(request, title="Questions")


@physician_required
def specialty(request, slug):
    chosen = get_object_or_404(_with_own(request, Specialty, "specialty"), slug=slug, is_choice=True)
    return _list(request, title=chosen.name, topic=chosen)


@physician_required
def tag(request, slug):
    """A tag's list. The address of a synonym leads to the tag it was merged into."""
    synonyms = Tag.objects.filter(merged_into=OuterRef("pk")).order_by("name").values("name")
    rows = _with_own(request, Tag, "tag").met_by(request.user).annotate(merged_names=ArraySubquery(synonyms))
    chosen = get_object_or_404(rows.select_related("merged_into"), slug=slug)
    if chosen.merged_into:
        query = request.META.get("QUERY_STRING", "")
        address = chosen.merged_into.get_absolute_url()
        return redirect(f"{address}?{query}" if query else address)
    return _list(request, title=chosen.name, topic=chosen)


def _with_own(request, model, column):
    """Topics with what the reader chose about them: `own_alerts` (none: not followed) and `is_muted`."""
    member, this = request.user.as_member, {column: OuterRef("pk")}
    return model.objects.annotate(
        own_alerts=Subquery(own_alerts(member, **this)),
        is_muted=Exists(TopicMute.objects.filter(member=member, **this)),
    )


@physician_required
def specialties(request):
    groups: dict[str, list[Specialty]] = {}
    for chosen in Specialty.objects.filter(is_choice=True).order_by("group", "name"):
        groups.setdefault(chosen.group, []).append(chosen)
    return render(request, "questions/specialties.html", {"groups": groups})


def _list(request, *, title, topic=None):
    user, counted = request.user, request.GET.get("counts") == "1"
    filters = narrowing.parse(request.GET).fitting(user)
    if request.htmx and counted:
        return HttpResponse(_rail(request, filters, topic, counted=True))
    found = load_rows(user, Listed(filters, topic), request.GET.get("after"))
    here = Place(request.path, filters)
    context = {
        "page": found,
        "more_url": here.address(after=found.next) if found.next else None,
    }
    if request.htmx:
        return render(request, "questions/_question_rows.html", context)
    names = _names(filters, user)
    kept = saved.list_for(user.as_member, PLACE)
    context |= {
        "title": title,
        "topic": topic,
        "filters": filters,
        "rail": _rail(request, filters, topic, counted=counted),
        "orders": [
            (label, here.address(filters.but(sort=key)), key == filters.sort)
            for key, (label, _) in narrowing.ORDERS.items()
        ],
        "chips": [
            (narrowing.label_of(filters, name, names), here.address(filters.without(name)))
            for name in filters.narrowing
        ],
        "saved": [_saved(each, filters) for each in kept],
        "to_save": _to_save(filters, topic) if user.as_member else "",
        "ways_on": [] if found.rows else _ways_on(here, user, topic, names),
        **_own_buttons(topic),
    }
    return render(request, "questions/question_list.html", context)


def _rail(request, filters, topic, *, counted):
    names = _names(filters, request.user)
    return rail.drawn(
        filters, user=request.user, path=request.path, topic=topic, names=names, counted=counted
    )


@dataclass(frozen=True)
class Listed:
    """What one list is made of."""

    filters: narrowing.Filters
    topic: Tag | Specialty | None

    def rows(self, user):
        return narrowing.narrow(narrowing.readable(user, self.topic), self.filters, user, topic=self.topic)


def load_rows(user, listed: Listed, after) -> Page:
    """One page of discussions, ready for the template of a row."""
    rows = ListRows(user, listed, listed.filters.order)
    found = walk(rows, after=after, size=settings.QUESTIONS_PER_PAGE)
    return Page(drawn_ahead(found.rows), found.next)


class Place:
    """Where a list stands: its path, and the filters it is at."""

    def __init__(self, path: str, filters: narrowing.Filters):
        self.path, self.filters = path, filters

    def address(self, filters: narrowing.Filters | None = None, *, after: str = "") -> str:
        """The address of this list under other filters, or after a cursor."""
        query = (filters or self.filters).query
        parts = [part for part in (query, f"after={after}" if after else "") if part]
        return f"{self.path}?{'&'.join(parts)}" if parts else self.path


def _names(filters, user) -> dict[str, str]:
    """The names behind the slugs of an address, as far as the reader meets them elsewhere."""
    names = {}
    if filters.specialty not in ("", "mine"):
        names["specialty"] = (
            Specialty.objects.filter(slug=filters.specialty).values_list("name", flat=True).first()
        )
    if filters.specialty == "mine":
        names["specialty"] = "My specialty"
    if filters.tag:
        met = Tag.objects.met_by(user).filter(slug=filters.tag)
        names["tag"] = met.values_list("name", flat=True).first()
    return {key: name for key, name in names.items() if name}


def _ways_on(here, user, topic, names) -> list[tuple[str, str, str]]:
    """For a list in which nothing is found: what to drop, the address without it, and how much there is then."""
    wanted = {name: here.filters.without(name) for name in here.filters.narrowing}
    numbers = narrowing.count(wanted.values(), user, topic=topic)
    return [
        (
            narrowing.label_of(here.filters, name, names),
            here.address(less),
            narrowing.in_figures(numbers[less]),
        )
        for name, less in wanted.items()
        if numbers[less]
    ]


def _to_save(filters, topic) -> str:
    """These filters as a query of the whole list, where they narrow it; a page of a topic is a filter there."""
    if topic:
        filters = filters.but(**{"tag" if isinstance(topic, Tag) else "specialty": topic.slug})
    return filters.query if filters.narrowing else ""


def _saved(row, filters) -> tuple[SavedSearch, str, bool]:
    """A saved filter, its address, and whether the list stands at it."""
    of_row = narrowing.parse(QueryDict(row.query))
    return row, f"{reverse('questions:list')}?{of_row.query}", of_row == filters


@member_required
@posted_from(lambda: reverse("questions:list"))
def save_filters(request):
    """Keep the filters of an address (`query`) under a `name`, and go there."""
    filters = narrowing.parse(QueryDict(request.POST.get("query", "")[:500]))
    own = {"member": request.user.as_member, "place": PLACE, "query": filters.query}
    try:
        saved.save(**own, name=request.POST.get("name", ""))
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect(Place(reverse("questions:list"), filters).address())


@member_required
@posted_from(lambda saved_id: reverse("questions:list"))
def forget_filters(request, saved_id):
    row = get_object_or_404(SavedSearch, pk=saved_id, member=request.user.as_member, place=PLACE)
    saved.delete(saved=row)
    return redirect("questions:list")


def _own_buttons(topic) -> dict[str, str]:
    """The addresses that follow and mute a topic."""
    if topic is None:
        return {}
    column = "tag" if isinstance(topic, Tag) else "specialty"
    return {
        "follow_url": reverse(f"questions:follow_{column}", args=[topic.slug]),
        "mute_url": reverse(f"questions:mute_{column}", args=[topic.slug]),
    }
