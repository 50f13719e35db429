"""The archive: solved cases and case studies, found by what they turned out to be.

What a case was is closed to whoever has not answered or asked to only read. So a search by diagnosis looks only in
cases whose answers are open to the reader: what it leaves out it does not even count, or one could try diagnoses until
the number changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.roles import is_moderator
from consults.lists import facts_of
from consults.models import Case, Diagnosis, Image, Solution
from consults.models.images import Shows
from consults.services import diagnoses
from consults.words import span
from questions.models import Question
from questions.models.answer_first import is_open_to
from questions.rows import ListRows, QuestionRow
from sermo.errors import RuleBroken
from sermo.fragments import draw_many
from sermo.paging import Page

ORDER = ("-opened_at", "-pk")
ROW = "consults/_archive_row.html"
SORTS = {"": "All", "solved": "Solved here or elsewhere", "teaching": "Case studies"}
LONGEST = 80  # characters of what is sought
FINAL = Coalesce("case__final__diagnosis__merged_into", "case__final__diagnosis")


@dataclass(frozen=True)
class Archive:
    """Which cases the archive shows; one of `questions.rows.Narrowing`."""

    sort: str = ""
    specialty: str = ""  # a slug
    shows: str = ""  # what a picture shows
    words: str = ""  # of the diagnosis

    def rows(self, user: User) -> QuerySet:
        member = user.as_member
        rows = Question.objects.visible_to(user).listed().besides_blocked(member).besides_muted(member)
        rows = rows.filter(kind=Question.Kind.CASE, case__withdrawn_at=None)
        if self.sort == "teaching":
            rows = rows.filter(case__intent=Case.Intent.TEACHING)
        elif self.sort == "solved":
            rows = rows.filter(case__intent=Case.Intent.HELP, solved_at__isnull=False)
        else:
            rows = rows.filter(Q(case__intent=Case.Intent.TEACHING) | Q(solved_at__isnull=False))
        if self.specialty:
            rows = rows.filter(specialties__slug=self.specialty)
        if self.shows:
            pictures = Image.objects.visible_to(user).filter(case=OuterRef("pk"))
            rows = rows.filter(Exists(pictures.filter(shows=self.shows)))
        return opened_to(rows, user).filter(Exists(_named(self.words))) if self.words else rows

    @property
    def query(self) -> str:
        """These filters as an address names them."""
        named = {"sort": self.sort, "specialty": self.specialty, "shows": self.shows, "q": self.words}
        return urlencode({name: value for name, value in named.items() if value})


def opened_to(rows: QuerySet, user: User) -> QuerySet:
    """Those of some discussions whose answers this reader sees."""
    if is_moderator(user):
        return rows
    return rows.filter(is_open_to(user.as_member)) if user.as_member else rows.none()


def _named(words: str) -> QuerySet:
    """The final diagnosis of a case, under any of its names, where it has all these words or this code."""
    names = Diagnosis.objects.filter(case=OuterRef("pk")).alias(final=FINAL)
    names = names.filter(Q(pk=F("final")) | Q(merged_into=F("final")))
    found = Q()
    for word in diagnoses.normalize(words).split():
        found &= Q(key__contains=word)
    try:
        if code := diagnoses.as_code(words):
            found |= Q(code__startswith=code)
    except RuleBroken:
        pass  # it is no code
    return names.filter(found)


def parse(typed: Any, slugs: Iterable[str]) -> Archive:
    """What an address names; what it gets wrong is taken as not said."""
    words = " ".join(typed.get("q", "").replace("\x00", "").split())[:LONGEST]
    specialty, shows, sort = typed.get("specialty"), typed.get("shows"), typed.get("sort")
    return Archive(
        sort=sort if sort in SORTS else "",
        specialty=specialty if specialty in {*slugs} else "",
        shows=shows if shows in Shows.values else "",
        words=words if diagnoses.normalize(words) else "",
    )


class Outcome(NamedTuple):
    """What a row says of how a case came out. Equal ones look alike; of a closed one nothing is known here."""

    is_open: bool
    diagnosis: str = ""
    code: str = ""
    confirmed: str = ""
    kinds: str = ""  # of its pictures
    took: str = ""  # from publishing to the solution


def archive_rows(user: User, archive: Archive, *, after: str | None, size: int) -> Page:
    """One page of drawn rows."""
    found = ListRows(user, archive, ORDER).take(size + 1, after=after)
    rows = [row for row, _ in found[:size]]
    facts, outcomes = facts_of(user, rows), _outcomes(user, rows)
    pieces = [{"question": row, "case": facts[row.pk], "outcome": outcomes[row.pk]} for row in rows]
    return Page(draw_many(ROW, "", pieces), found[size - 1][1] if len(found) > size else None)


def _outcomes(user: User, rows: list[QuestionRow]) -> dict[int, Outcome]:
    ids = [row.pk for row in rows]
    if not ids:
        return {}
    opened = set(opened_to(Question.objects.filter(pk__in=ids), user).values_list("pk", flat=True))
    said = {
        pk: (name, code, Solution.Confirmed(confirmed).label)
        for pk, name, code, confirmed in Solution.objects.filter(pk__in=opened).values_list(
            "pk",
            Coalesce("diagnosis__merged_into__name", "diagnosis__name"),
            Coalesce("diagnosis__merged_into__code", "diagnosis__code"),
            "confirmed",
        )
    }
    kinds = _kinds(user, ids)
    return {
        row.pk: Outcome(
            row.pk in opened,
            *said.get(row.pk, ("", "", "")),
            kinds=kinds.get(row.pk, ""),
            took=span((row.solved_at - row.opened_at).total_seconds()) if row.is_solved else "",
        )
        for row in rows
    }


def _kinds(user: User, ids: list[int]) -> dict[int, str]:
    """By case, what the pictures this reader is shown are of, each kind once."""
    shown = Image.objects.visible_to(user).filter(case__in=ids).exclude(shows="")
    said: dict[int, dict[str, None]] = {}
    for case, shows in shown.order_by("case", "place").values_list("case", "shows"):
        said.setdefault(case, {})[Shows(shows).label] = None
    return {case: ", ".join(labels) for case, labels in said.items()}
