"""The filters of a list of discussions: read from its address, put into a query, written back, and counted."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Func, IntegerField, OuterRef, Q
from django.db.models.functions import Now
from django.utils.text import slugify

from accounts.models import Specialty, User
from accounts.places import REGIONS, STATES
from accounts.roles import is_moderator
from questions.models import Post, Question, Reference, Tag
from questions.models.answer_first import is_open_to
from questions.readers import shape_of, stand_in, values_of
from sermo.prepared import prepared

ORDERS = {
    "hot": ("Hot", ("-hot", "-pk")),
    "new": ("New", ("-opened_at", "-pk")),
    "active": ("Active", ("-activity_at", "-pk")),
    "unanswered": ("Unanswered", ("-opened_at", "-pk")),
    "important": ("Important", ("-importance", "-pk")),
}
STATUSES = {
    "open": "Open",
    "unanswered": "Unanswered",
    "solved": "Solved",
    "closed": "Closed",
    "all": "All",
}
KINDS = {
    "": "Every kind",
    "question": "Questions",
    "observation": "Observations",
    "discussion": "Discussions",
    "poll": "Polls",
    "case": "Cases",
    "article": "Articles",
}
TIMES = {"": "Any time", "day": "Past day", "week": "Past week", "month": "Past month", "year": "Past year"}
DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
SWITCHES = {
    "following": "What I follow",
    "saved": "What I saved",
    "asked": "What I asked",
    "reference": "With references",
    "peers": "Peers only",
    "poll": "With a poll",
}
REGION_SLUGS = {slugify(region): region for region in REGIONS}
STATE_SLUGS = {slugify(name): code for code, name in STATES}
PLACES = {**{slugify(name): name for _, name in STATES}, **REGION_SLUGS}
SLUG = re.compile(r"[a-z0-9-]{1,80}")


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to and ordered by; each field is a parameter of the address, in this order."""

    sort: str = "hot"
    status: str = "open"
    kind: str = ""
    specialty: str = ""  # "mine", or a slug
    tag: str = ""  # a slug
    place: str = ""  # the slug of a region or a state
    time: str = ""
    following: bool = False
    saved: bool = False
    asked: bool = False
    reference: bool = False
    peers: bool = False
    poll: bool = False

    @property
    def order(self) -> tuple[str, ...]:
        return ORDERS[self.sort][1]

    @property
    def narrowing(self) -> list[str]:
        """The names of what narrows the list, the order not among them."""
        return [name for name, value in self._changed().items() if name != "sort"]

    @property
    def query(self) -> str:
        """The canonical query string: fields in their order, those at their usual value left out."""
        said = self._changed()
        if self.sort == "unanswered":
            said.pop("status")  # it goes without saying
        return urlencode({name: "1" if value is True else value for name, value in said.items()})

    def _changed(self) -> dict[str, Any]:
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def but(self, **changes) -> "Filters":
        """These filters with others in the place of some. The order "unanswered" and that status come together."""
        if changes.get("sort") == "unanswered":
            changes["status"] = "unanswered"
        elif self.sort == "unanswered" and "sort" in changes and "status" not in changes:
            changes["status"] = "open"
        elif self.sort == "unanswered" and "status" in changes and "sort" not in changes:
            changes["sort"] = "hot"
        return replace(self, **changes)

    def without(self, name: str) -> "Filters":
        return self.but(**{name: next(field.default for field in fields(self) if field.name == name)})

    def fitting(self, user: User) -> "Filters":
        """These filters without what says nothing to this reader, so that no list claims what it does not do."""
        member = user.as_member
        unfit = [] if member else ["following", "saved", "asked"]
        if self.specialty == "mine" and not (member and member.specialty_id):
            unfit.append("specialty")
        fit = self
        for name in unfit:
            fit = fit.without(name)
        return fit


def parse(typed: Any) -> Filters:
    """The filters an address names (a QueryDict or a dict). What it gets wrong is taken as not said."""

    def one_of(name: str, known: Iterable[str], usual: str) -> str:
        value = typed.get(name, usual)
        return value if value in known else usual

    specialty, place = typed.get("specialty", "").lower(), slugify(typed.get("place", ""))
    found = Filters(
        sort=one_of("sort", ORDERS, "hot"),
        status=one_of("status", STATUSES, "open"),
        kind=one_of("kind", KINDS, ""),
        specialty=specialty if SLUG.fullmatch(specialty) else "",
        tag=slugify(typed.get("tag", ""))[:40],
        place=place if place in PLACES else "",
        time=one_of("time", TIMES, ""),
        **{name: typed.get(name) == "1" for name in SWITCHES},
    )
    return found.but(sort="unanswered") if found.sort == "unanswered" else found


def readable(user: User, topic: Tag | Specialty | None = None):
    """What the lists of a reader are made from: through the gate, past blocks, of one topic where one is given."""
    rows = Question.objects.visible_to(user).besides_silent_articles().besides_blocked(user.as_member)
    if isinstance(topic, Tag):
        return rows.tagged(topic)
    return rows.in_specialty(topic) if topic else rows


def narrow(rows, filters: Filters, user: User, *, topic: Tag | Specialty | None = None):
    """Put filters into a query. Muted topics stay away, but for what one looks for by name, saved or asked."""
    member = user.as_member
    rows = _STATUS[filters.status](rows)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.specialty == "mine":
        rows = rows.in_specialty(member.specialty_id) if member and member.specialty_id else rows
    elif filters.specialty:
        rows = rows.filter(specialties__slug=filters.specialty)
    if filters.tag:
        rows = rows.filter(Exists(_tagged_by_name(filters.tag)))
    if filters.place in REGION_SLUGS:
        rows = rows.asked_from(user, region=REGION_SLUGS[filters.place])
    elif filters.place:
        rows = rows.asked_from(user, state=STATE_SLUGS[filters.place])
    if filters.time:
        rows = rows.filter(opened_at__gte=Now() - timedelta(days=DAYS[filters.time]))
    if filters.reference:
        named = Reference.objects.filter(post__question=OuterRef("pk"), post__removed_at=None)
        rows = rows.filter(Exists(named))
        if not is_moderator(user):
            of_opening = Exists(named.filter(post__kind=Post.Kind.OPENING))
            rows = rows.filter(is_open_to(member) | of_opening if member else of_opening)
    if filters.peers:
        rows = rows.filter(peers_only=True)
    if filters.poll:
        rows = rows.filter(has_poll=True)
    if member is None:
        return rows
    if filters.following:
        rows = rows.followed_by(member)
    if filters.saved:
        rows = rows.saved_by(member)
    if filters.asked:
        rows = rows.filter(asker=member)
    return rows if filters.saved or filters.asked else rows.besides_muted(member, but=topic)


def _tagged_by_name(slug: str):
    """What ties a discussion to a tag of this name; a synonym is as good as the tag it was merged into."""
    tags = Tag.objects.filter(Q(slug=slug) | Q(synonyms__slug=slug))
    return Question.tags.through.objects.filter(question=OuterRef("pk"), tag__in=tags.values("pk"))


_STATUS: dict[str, Callable] = {
    "open": lambda rows: rows.open(),
    "unanswered": lambda rows: rows.unanswered(),
    "solved": lambda rows: rows.solved(),
    "closed": lambda rows: rows.filter(status=Question.Status.CLOSED),
    "all": lambda rows: rows.listed(),
}


# In words


def label_of(filters: Filters, name: str, names: dict[str, str]) -> str:
    """What one filter says; `names` has the names behind slugs of a specialty and a tag."""
    value = getattr(filters, name)
    if name in SWITCHES:
        return SWITCHES[name]
    if name in ("specialty", "tag"):
        return names.get(name) or value.replace("-", " ")
    return {"status": STATUSES, "kind": KINDS, "place": PLACES, "time": TIMES}[name][value]


# Counting


def capped(rows, cap: int) -> Func:
    """A column with the number of rows of a query. The database stops looking at one beyond the cap."""
    some = ArraySubquery(rows.order_by().values("pk")[: cap + 1])
    return Func(some, function="CARDINALITY", output_field=IntegerField())


def in_figures(number: int) -> str:
    return f"{settings.COUNT_CAP:,}+" if number > settings.COUNT_CAP else f"{number:,}"


def count(
    wanted: Iterable[Filters], user: User, *, topic: Tag | Specialty | None = None
) -> dict[Filters, int]:
    """How many discussions each of these filters would leave, in one query for all of them."""
    wanted = tuple(dict.fromkeys(wanted))
    if not wanted:
        return {}
    row = _counted((shape_of(user), topic, wanted, settings.COUNT_CAP), **values_of(user))[0]
    return dict(zip(wanted, row, strict=True))


@prepared
def _counted(shape, *, reader, reader_specialty):
    reader_shape, topic, wanted, cap = shape
    user = stand_in(reader_shape, reader, reader_specialty)
    rows = readable(user, topic)
    columns = [capped(narrow(rows, filters, user, topic=topic), cap) for filters in wanted]
    return User.objects.order_by("pk").values_list(*columns)[
        :1
    ]  # one row to hang them on: any; the reader is one
