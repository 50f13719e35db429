"""Pages to read: a case, all cases, and the solution of one that teaches."""

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.doors import physician_required
from accounts.models import Specialty
from consults import lists
from consults.models import Case, Image
from consults.reading import reader_of, shown_case
from questions.models import Question
from questions.services.committing import open_for_reading
from questions.views import thread
from questions.views.reading import show_question


@physician_required
def case(request, question_id, slug=""):
    found = thread.load_question(request.user, question_id)
    if found.kind != Question.Kind.CASE:
        raise Http404("This discussion is no case.")
    if request.path != found.get_absolute_url():
        query = request.META.get("QUERY_STRING", "")
        return redirect(f"{found.get_absolute_url()}?{query}" if query else found)  # 302: titles change back
    if not request.htmx:
        shown_case(request, found)
    return show_question(request, found)


@physician_required
def look(request, question_id, slug):
    """Open the solution, and with it the answers, without having answered, which is noted once."""
    found = thread.load_question(request.user, question_id)
    if found.kind != Question.Kind.CASE:
        raise Http404("This discussion is no case.")
    address, member = f"{found.get_absolute_url()}#solution", request.user.as_member
    if request.method != "POST" or member is None:
        return redirect(address)
    if not found.answers_open:
        open_for_reading(question=found, member=member)
    return redirect(address)


@physician_required
def full(request, key):
    """A picture in its full size, under the watermark."""
    rows = Image.objects.visible_to(request.user).select_related("case__question")
    image = get_object_or_404(rows.defer("seal", "proposals", "masked_hashes"), key=key)
    keys = [known for known, _ in image.windows]
    asked = request.GET.get("window", "")
    context = {
        "image": image,
        "window": asked if asked in keys else keys[0],
        "reader": reader_of(request.user),
        "now": timezone.now(),
    }
    return render(request, "consults/full.html", context)


@physician_required
def case_list(request):
    choices = dict(Specialty.objects.filter(is_choice=True).order_by("name").values_list("slug", "name"))
    cases = lists.parse(request.GET, request.user, choices)
    found = lists.case_rows(request.user, cases, after=request.GET.get("after"), size=settings.CASES_PER_PAGE)
    context = {"page": found, "more_url": _address(cases, after=found.next) if found.next else None}
    if request.htmx:
        return render(request, "consults/_rows.html", context)
    member = request.user.as_member
    context |= {
        "cases": cases,
        "parts": _parts(cases),
        "asks": _choices(cases, "ask", [("", "Any question"), *Case.Ask.choices]),
        "choices": choices,
        "chips": _chips(cases, choices),
        "is_own_specialty": cases.specialty == "mine",
        "own_specialty": member.specialty if member else None,
        "all_url": reverse("consults:list"),
        "writable": member is not None and member.may_write,
    }
    return render(request, "consults/list.html", context)


def _parts(cases):
    """The tabs: label, address, whether it is the current one."""
    kinds = [
        ("All", {"intent": "", "unsolved": False}),
        ("Unsolved", {"intent": "", "unsolved": True}),
        ("Asked for help", {"intent": Case.Intent.HELP.value, "unsolved": False}),
        ("Case studies", {"intent": Case.Intent.TEACHING.value, "unsolved": False}),
    ]
    return [(label, _address(cases.but(**part)), cases == cases.but(**part)) for label, part in kinds]


def _choices(cases, name, values):
    return [
        (label, _address(cases.but(**{name: value})), getattr(cases, name) == value)
        for value, label in values
    ]


def _chips(cases, choices):
    """What narrows the list beside its tabs, each with the address without it."""
    made = []
    if cases.ask:
        made.append((Case.Ask(cases.ask).label, _address(cases.but(ask=""))))
    if cases.specialty:
        label = "My specialty" if cases.specialty == "mine" else choices[cases.specialty]
        made.append((label, _address(cases.but(specialty=""))))
    return made


def _address(cases, after=""):
    parts = [part for part in (cases.query, f"after={after}" if after else "") if part]
    return f"{reverse('consults:list')}?{'&'.join(parts)}" if parts else reverse("consults:list")
