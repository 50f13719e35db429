"""Saved searches of the log-ins, so that the page of them has something to show, and words counted for spelling."""

from urllib.parse import urlencode

from django.db import transaction

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Member
from questions.models import SavedSearch
from questions.services import lexemes, saved

SEARCHES = [
    ("apixaban OR warfarin dialysis", "Anticoagulation on dialysis", True),
    ("solved:yes has:reference", "Solved, with a reference", False),
]


def seed(stdout) -> None:
    """Save two searches for each log-in once; a second run counts the words again and changes nothing else."""
    words = lexemes.recount_lexemes()
    made = 0
    if not SavedSearch.objects.filter(place=SavedSearch.Place.SEARCH).exists():
        with transaction.atomic():
            for member in Member.objects.physicians().filter(user__email__in=DEMO_LOGINS).order_by("pk"):
                made += _save(member)
    stdout.write(f"searches: {made} saved, {words} words counted")


def _save(member: Member) -> int:
    for typed, name, alerts in SEARCHES:
        row = saved.save(member=member, place=SavedSearch.Place.SEARCH, query=_query(typed), name=name)
        saved.set_alerts(saved=row, alerts=alerts)
    return len(SEARCHES)


def _query(typed: str) -> str:
    return urlencode({"q": typed, "sort": "relevance"})
