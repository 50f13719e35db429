"""Lists of news, each an address: one's own feed, everything, what one saved, one source; and all sources."""

from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Sum
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts.doors import physician_required
from accounts.models import Specialty
from newsfeed import lists, own_feed
from newsfeed.models import Article, LessOf, Region, Source, SourceFollow
from questions.models import TopicFollow

MOST_OFFERED = 8  # of each kind of wish, beside the list
KINDS_OF_SOURCES = {
    Source.Kind.JOURNAL: "Journals",
    Source.Kind.MEETINGS: "Meetings and societies",
    Source.Kind.REGULATOR: "Regulators",
    Source.Kind.PREPRINTS: "Preprint servers, not peer reviewed",
}


@physician_required
def list_(request):
    user = request.user
    filters = lists.parse(request.GET, user)
    wishes = own_feed.wishes_of(user.as_member)
    found = lists.page_of(user, filters, after=request.GET.get("after"), wishes=wishes)
    context = {
        "page": found,
        "filters": filters,
        "next": _address(filters),
        "more_url": _address(filters, after=found.next) if found.next else None,
    }
    if request.htmx:
        return render(request, "newsfeed/_cards.html", context)
    names = _names(filters, found, wishes)
    context |= {
        "wishes": wishes,
        "tabs": _tabs(filters, user),
        "groups": _rail(filters, wishes, user),
        "chips": [(names[name], _address(filters.without(name))) for name in filters.narrowing],
        "kept": [(name, getattr(filters, name)) for name in ("specialty", "source", "region", "kind")],
    }
    return render(request, "newsfeed/list.html", context)


@physician_required
def source(request, slug):
    """Everything of one source."""
    chosen = get_object_or_404(_with_own(request, Source.objects.all()), slug=slug)
    filters = lists.Filters(show="all", source=slug)
    found = lists.page_of(request.user, filters, after=request.GET.get("after"))
    context = {
        "page": found,
        "filters": filters,
        "source": chosen,
        "next": request.path,
        "more_url": f"{request.path}?after={found.next}" if found.next else None,
    }
    return render(request, "newsfeed/_cards.html" if request.htmx else "newsfeed/source.html", context)


@physician_required
def sources(request):
    """Sources one follows, the others by kind, those of which nothing is listed; and what one sees less of."""
    rows = _with_own(request, Source.objects.filter(is_on=True)).annotate(
        a_week=Sum("feeds__entries_per_week", default=0),
        has_news=Exists(Article.objects.visible_to(request.user).filter(source=OuterRef("pk"))),
    )
    followed, silent = [], []
    groups: dict[str, list[Source]] = {label: [] for label in KINDS_OF_SOURCES.values()}
    for row in rows.order_by("name"):
        group = groups[KINDS_OF_SOURCES[row.kind]] if row.has_news else silent
        (followed if row.is_followed else group).append(row)
    member = request.user.as_member
    less = own_feed.less_of(member).select_related("source", "specialty")
    topics = TopicFollow.objects.filter(member=member, specialty=OuterRef("specialty"))
    less = less.annotate(still_followed=Exists(topics))
    context = {
        "groups": [(label, some) for label, some in [("You follow", followed), *groups.items()] if some],
        "followed": followed,
        "silent": silent,
        "less": [(row, row.source or row.specialty) for row in less.order_by("-since", "-pk")],
        "specialties": [
            (each.name, f"{reverse('newsfeed:list')}?{urlencode({'specialty': each.slug})}")
            for each in Specialty.objects.filter(is_choice=True).order_by("name")
        ],
    }
    return render(request, "newsfeed/sources.html", context)


def _with_own(request, rows):
    own = {"member": request.user.as_member, "source": OuterRef("pk")}
    return rows.annotate(
        is_followed=Exists(SourceFollow.objects.filter(**own)), is_less=Exists(LessOf.objects.filter(**own))
    )


def _address(filters: lists.Filters, *, after: str = "") -> str:
    parts = [part for part in (filters.query, f"after={after}" if after else "") if part]
    return reverse("newsfeed:list") + (f"?{'&'.join(parts)}" if parts else "")


def _tabs(filters, user):
    """The lists beside each other. One's own takes no filters; the others keep theirs."""
    if user.as_member is None:
        return []
    plain = lists.Filters()
    return [
        (label, _address(plain if key == "own" else filters.but(show=key)), filters.show == key)
        for key, label in lists.SHOWS.items()
    ]


def _rail(filters, wishes, user):
    """Groups of filters: heading, options (label, address, whether it is current), and where all of them are."""
    specialties = {topic.slug: topic.name for topic in [*wishes.own.values(), *wishes.specialties.values()]}
    sources = {topic.slug: topic.name for topic in wishes.sources.values()}
    all_sources = reverse("newsfeed:sources")
    own = [_option(filters, "followed", True, "All you follow")] if sources else []
    return [
        (
            "Specialty",
            _options(filters, "specialty", specialties),
            ("All specialties", f"{all_sources}#specialties"),
        ),
        ("Source", own + _options(filters, "source", sources), ("All sources", all_sources)),
        ("Kind", _options(filters, "kind", lists.KINDS), None),
        ("Region", _options(filters, "region", dict(Region.choices)), None),
    ]


def _options(filters, name, known):
    return [_option(filters, name, value, label) for value, label in list(known.items())[:MOST_OFFERED]]


def _option(filters, name, value, label):
    """A filter as a link; the current one leads to the list without it."""
    is_current = getattr(filters, name) == value
    return label, _address(filters.without(name) if is_current else filters.but(**{name: value})), is_current


def _names(filters, found, wishes) -> dict[str, str]:
    """What the filters of an address say, as far as the page itself knows the names behind their slugs."""
    specialties = [
        *wishes.own.values(),
        *wishes.specialties.values(),
        *(t for row in found for t in row.topics),
    ]
    sources = {row.source_slug: row.source for row in found} | {
        topic.slug: topic.name for topic in wishes.sources.values()
    }
    return {
        "specialty": dict(specialties).get(filters.specialty, filters.specialty.replace("-", " ")),
        "source": sources.get(filters.source, filters.source.replace("-", " ")),
        "region": dict(Region.choices).get(filters.region),
        "kind": lists.KINDS.get(filters.kind),
        "followed": "Sources you follow",
        "q": f"“{filters.q}”",
    }
