"""The archive of solved cases and case studies, and whether the crowd was right."""

from django.conf import settings
from django.shortcuts import render
from django.urls import reverse

from accounts.doors import physician_required
from accounts.models import Specialty
from consults import archive, crowd
from consults.models.images import Shows


@physician_required
def case_archive(request):
    choices = dict(Specialty.objects.filter(is_choice=True).order_by("name").values_list("slug", "name"))
    sought = archive.parse(request.GET, choices)
    after = request.GET.get("after")
    found = archive.archive_rows(request.user, sought, after=after, size=settings.CASES_PER_PAGE)
    context = {"page": found, "more_url": _address(sought, after=found.next) if found.next else None}
    if request.htmx:
        return render(request, "consults/_rows.html", context)
    context |= {
        "sought": sought,
        "choices": choices,
        "kinds": Shows.choices,
        "sorts": archive.SORTS.items(),
        "all_url": reverse("consults:archive"),
        "crowd": crowd.table(),
        "least": crowd.LEAST,
    }
    return render(request, "consults/archive.html", context)


def _address(sought: archive.Archive, after: str) -> str:
    parts = [part for part in (sought.query, f"after={after}") if part]
    return f"{reverse('consults:archive')}?{'&'.join(parts)}"
