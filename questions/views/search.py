"""One box for all that members write, and the searches one keeps."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify

from accounts.doors import physician_required
from accounts.views.ties import member_required
from questions.models import Byline, SavedSearch
from questions.search import people, spelling
from questions.search.forms import NameForm
from questions.search.language import EXAMPLES, KINDS, LONGEST, MEMBERS, Filter, Typed, parse
from questions.search.matching import Hint, Search
from questions.search.results import ORDERS, Cursor, Finder, Results
from questions.services import saved as services
from questions.signature import signature
from sermo.errors import RuleBroken
from sermo.returning import back_to, posted_from

FACETS = {"solved": "Questions", "specialty": "Specialty", "tag": "Tag"}
SOLVED = {"yes": "Solved", "no": "Not solved yet"}
EXAMPLE_WORDS = {
    "tag": "under a tag",
    "specialty": "put to a specialty",
    "state": "asked from a state or region, where the handle shows one",
    "solved": "solved, or with no: not solved yet",
    "kind": "of a kind",
    "status": "still open, or closed",
    "after": "written since, by year, month or day",
    "before": "written before",
    "has": "with a reference",
    "author": "written under a handle",
}
LISTS = {SavedSearch.Place.SEARCH: "search", SavedSearch.Place.LIST: "questions:list"}


@physician_required
def search(request):
    """Everything one may read, by words and operators; the hits of a discussion together."""
    text = " ".join(request.GET.get("q", "").split())[:LONGEST]
    order = request.GET.get("sort") if request.GET.get("sort") in ORDERS else "relevance"
    typed = parse(text)
    finder = Finder(Search(typed, request.user), order)
    after = Cursor.read(request.GET.get("after"))
    found = finder.page(after) if typed else Results()
    context = {
        "text": text,
        "results": found.rows,
        "found": found,
        "more_url": f"{_address(typed, order)}&after={found.next}" if found.next else "",
        "older_url": _address(parse(found.older), order) if found.older else "",
    }
    if request.htmx and after:
        return render(request, "questions/search/_results.html", context)
    return render(request, "search.html", {**context, **_around(request, finder, found, order)})


def _around(request, finder, found, order):
    """All that stands around the results: hints, members, and ways to search otherwise, each an address."""
    typed = finder.search.typed
    members = people.find(typed, request.user)
    hints = [*finder.search.hints, *_spelling(finder, found, members)]
    scopes = {"": "All", **KINDS}
    plus = "+" if found.is_full else ""
    counts = {kind: f"{number}{plus}" for kind, _, number in found.facets.get("kind", ())}
    return {
        "members": [signature(Byline.Mode.ANONYMOUS, member) for member in members],
        "too_many": len(members) >= people.ALONE,
        "for_members": typed.is_for_members,
        "hints": [(hint.text, hint.offer, hint.better and _address(hint.better, order)) for hint in hints],
        "scopes": [
            (label, _address(typed.of_kind(kind), order), kind == _scope(typed), counts.get(kind, ""))
            for kind, label in scopes.items()
        ],
        "orders": [(label, _address(typed, key), key == finder.order) for key, label in ORDERS.items()],
        "has_orders": typed.has_words and len(found.rows) > 1,
        "chips": [
            (str(one), _address(typed.minus(one), order)) for one in typed.filters if one.name != "kind"
        ],
        "facets": list(_facets(typed, found, order)),
        "examples": [(example, EXAMPLE_WORDS[name]) for name, example in EXAMPLES.items()],
        "ask_url": f"{reverse('questions:ask')}?{urlencode({'title': typed.looked_for[:140]})}",
        "saved_query": _address(typed, order).partition("?")[2] if _is_saveable(request, typed) else "",
    }


def _is_saveable(request, typed):
    return bool(typed) and not typed.is_for_members and request.user.as_member is not None


def _address(typed: Typed, order: str) -> str:
    """Where another search is. It always says both, so that one search has one address."""
    return f"{reverse('search')}?{urlencode({'q': str(typed), 'sort': order})}"


def _scope(typed: Typed) -> str:
    kinds = typed.values("kind")
    return kinds[0] if len(kinds) == 1 else "" if not kinds else "several"


def _facets(typed, found, order):
    """What the results can be narrowed to, as (heading, options), with counts within them.

    Where only the newest matches were looked at there may be more, and a plus says so.
    """
    plus = "+" if found.is_full else ""
    for name, heading in FACETS.items():
        chosen = {slugify(value) for value in typed.values(name)}
        options = [
            (label or SOLVED[value], _address(typed.plus(name, value), order), number)
            for value, label, number in found.facets.get(name, ())
            if slugify(value) not in chosen and slugify(label) not in chosen
        ]
        if options and not (name == "solved" and chosen):
            yield heading, [(label, url, f"{number}{plus}") for label, url, number in options]


def _spelling(finder, found, members):
    """Offers of other words where one stands nowhere, and of handles where nothing was found at all."""
    typed, user = finder.search.typed, finder.search.user
    if found.found and not typed.has_alternatives:
        return
    # Where nothing is found, a rare word is taken as unknown: its offer says nothing of posts one may not read.
    least = 1 if found.found else spelling.MEETS_OFTEN
    unknown = [stem for stem, documents, _ in finder.shares if documents < least]
    if better := spelling.put_right(typed, unknown, user):
        yield Hint("Did you mean", str(better), better)
    if not found.found and not members:
        for member in people.near(typed, user):
            yield Hint(
                "Did you mean the member", member.handle, Typed(member.handle, (Filter("kind", MEMBERS),))
            )


# Searches one keeps


@member_required
def searches(request):
    """Everything a member saved, with its switches."""
    rows = services.list_for(request.user.as_member)
    for row in rows:
        row.url = f"{reverse(LISTS[row.place])}?{row.query}"
    groups = [
        ("Searches", [row for row in rows if row.place == SavedSearch.Place.SEARCH]),
        ("Filters of the question list", [row for row in rows if row.place == SavedSearch.Place.LIST]),
    ]
    return render(request, "questions/searches.html", {"groups": groups, "rows": rows})


@member_required
@posted_from(lambda: reverse("questions:searches"))
def save_search(request):
    """Keep a search or the filters of a list (`place`, `query`, and if given `name`)."""
    place = request.POST.get("place", "")
    if place not in SavedSearch.Place.values:
        raise Http404
    form = NameForm(request.POST)
    form.fields["name"].required = False
    if not form.is_valid():
        messages.error(request, form.errors["name"][0])
        return back_to(request, reverse("questions:searches"))
    try:
        kept = services.save(
            member=request.user.as_member,
            place=place,
            query=request.POST.get("query", "")[: 2 * services.LONGEST_QUERY],
            name=form.cleaned_data["name"],
        )
        if request.POST.get("alerts") == "1":
            services.set_alerts(saved=kept, alerts=True)
        messages.success(request, f"Saved as “{kept.name}”.")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return back_to(request, reverse("questions:searches"))


@member_required
@posted_from(lambda search_id: reverse("questions:searches"))
def change_search(request, search_id):
    """Rename (`name`), switch alerts (`alerts` 1 or 0) or delete (`delete`) what one saved."""
    kept = get_object_or_404(SavedSearch, pk=search_id, member=request.user.as_member)
    try:
        if "delete" in request.POST:
            services.delete(saved=kept)
            messages.success(request, f"“{kept.name}” is no longer saved.")
        elif "alerts" in request.POST:
            services.set_alerts(saved=kept, alerts=request.POST["alerts"] == "1")
        else:
            form = NameForm(request.POST)
            if form.is_valid():
                services.rename(saved=kept, name=form.cleaned_data["name"])
            else:
                messages.error(request, form.errors["name"][0])
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return back_to(request, reverse("questions:searches"))
