"""The list of cases: the newest first, narrowed by its address."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet

from accounts.models import User
from consults.models import Case, Image
from consults.reading import patient_words
from questions.models import Question
from questions.rows import ListRows, QuestionRow
from sermo.fragments import draw_many
from sermo.paging import Page

ORDER = ("-opened_at", "-pk")
ROW = "consults/_row.html"


@dataclass(frozen=True)
class Cases:
    """Which cases a list has; one of `questions.rows.Narrowing`."""

    intent: str = ""
    ask: str = ""
    specialty: str = ""  # "mine" or a slug
    unsolved: bool = False

    def rows(self, user: User) -> QuerySet:
        member = user.as_member
        rows = Question.objects.visible_to(user).listed().besides_blocked(member).besides_muted(member)
        rows = rows.filter(kind=Question.Kind.CASE, case__isnull=False, case__withdrawn_at=None)
        if self.intent:
            rows = rows.filter(case__intent=self.intent)
        if self.ask:
            rows = rows.filter(case__ask=self.ask)
        if self.unsolved:
            rows = rows.open().filter(solved_at=None, case__intent=Case.Intent.HELP)
        if self.specialty == "mine":
            rows = rows.in_specialty(member.specialty_id)
        elif self.specialty:
            rows = rows.filter(specialties__slug=self.specialty)
        return rows

    def but(self, **changes) -> "Cases":
        return replace(self, **changes)

    @property
    def query(self) -> str:
        """These filters as an address names them."""
        named = {"intent": self.intent, "ask": self.ask, "specialty": self.specialty}
        named["unsolved"] = "1" if self.unsolved else ""
        return urlencode({name: value for name, value in named.items() if value})


def parse(typed: Any, user: User, slugs: Iterable[str]) -> Cases:
    """The filters an address names; what it gets wrong is taken as not said."""
    member, intent, specialty = user.as_member, typed.get("intent"), typed.get("specialty")
    known = {*slugs, "mine"} if member and member.specialty_id else {*slugs}
    unsolved = typed.get("unsolved") == "1" and intent != Case.Intent.TEACHING
    if unsolved:
        intent = ""  # only who asks for help waits for a solution
    return Cases(
        intent=intent if intent in Case.Intent.values else "",
        ask=typed["ask"] if typed.get("ask") in Case.Ask.values else "",
        specialty=specialty if specialty in known else "",
        unsolved=unsolved,
    )


class Facts(NamedTuple):
    """What a row says of a case beside what rows of questions say. Equal ones look alike."""

    ask: str
    patient: str
    is_teaching: bool
    picture: str = ""  # the key of the first one that this reader sees
    description: str = ""


def case_rows(user: User, cases: Cases, *, after: str | None, size: int) -> Page:
    """One page of drawn rows."""
    found = ListRows(user, cases, ORDER).take(size + 1, after=after)
    rows = [row for row, _ in found[:size]]
    facts = facts_of(user, rows)
    drawn = draw_many(ROW, "", [{"question": row, "case": facts[row.pk]} for row in rows])
    return Page(drawn, found[size - 1][1] if len(found) > size else None)


def facts_of(user: User, rows: list[QuestionRow]) -> dict[int, Facts]:
    """By case, what rows say of it."""
    ids = [row.pk for row in rows]
    if not ids:
        return {}
    seen = Image.objects.visible_to(user).filter(case__in=ids).order_by("case", "place").distinct("case")
    pictures = {case: shown for case, *shown in seen.values_list("case", "key", "description")}
    said = Case.objects.filter(pk__in=ids).values_list("pk", "ask", "age_band", "sex", "intent")
    return {
        pk: Facts(
            Case.Ask(ask).label,
            patient_words(age_band, sex),
            intent == Case.Intent.TEACHING,
            *pictures.get(pk, ()),
        )
        for pk, ask, age_band, sex, intent in said
    }
