"""From what was typed to the posts that match it, inside what the reader may see.

Everything a search shows is made from `Plan.posts`: results, counts and hints. What the gate hides is no part of it, so
nothing here can tell a reader that it exists.
"""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q
from django.utils.text import slugify

from accounts.models import Member, Specialty, User
from accounts.places import REGIONS, STATES
from questions.models import Byline, Post, Question, Reference, Tag
from questions.models.posts import eras_of
from questions.search import spelling
from questions.search.gate import open_to, readable
from questions.search.language import MEMBERS, Filter, Typed, first_moment
from sermo.text import searchable

CODES = {**{code.lower(): code for code, _ in STATES}, **{name.lower(): code for code, name in STATES}}
REGION_NAMES = {region.lower(): region for region in REGIONS}
PLACES = {**{name.lower(): name for _, name in STATES}, **REGION_NAMES}

TAGGED, WITHIN = Question.tags.through.objects.all(), Question.specialties.through.objects.all()
NEVER = Q(
    pk=None
)  # beside it a list of ids is looked up as such, where the planner would join, and ask the gate first


@dataclass(frozen=True)
class Hint:
    """A word beside the search box. `better` is a search it offers in place of this one, said as `offer`."""

    text: str
    offer: str = ""
    better: Typed | None = None


@dataclass(frozen=True)
class Without:
    """A value that is to be absent."""

    value: str | int


@dataclass(frozen=True)
class Plan:
    """How a search narrows the posts, besides its words. Equal ones narrow alike, whoever reads."""

    tags: tuple[int | Without, ...] = ()
    specialties: tuple[str | Without, ...] = ()
    kinds: tuple[str, ...] = ()
    other_kinds: tuple[str, ...] = ()
    status: str | Without = ""
    solved: str = ""
    region: str = ""
    state: str = ""
    author: int | None = None
    reference: str | Without = ""
    after: datetime | None = None
    before: datetime | None = None
    sought: Tag | Specialty | None = None  # a topic named in the search, which may be a muted one
    by_words: bool = False  # that are to be there, not only some to be left out
    openings_only: bool = False

    def posts(self, user: User, words: str | None, eras: str | None = None):
        """The posts that match and may be read; of some eras only, if they are given."""
        if self.by_words:
            rows = readable(user, self.questions(user))
            for topic in self._questions_of_topics():
                rows = rows.filter(Q(question__in=topic) | NEVER)
        else:
            rows = readable(user).filter(question__in=self.questions(user))
        if words is not None:
            found = full_text(words)  # of what is only to be absent the index knows nothing
            rows = rows.matching(found) if self.by_words else rows.filter(search_vector=found)
        if eras is not None:
            rows = rows.in_eras(eras)
        if self.author:
            rows = rows.filter(author=self.author, byline__mode__in=Byline.UNDER_HANDLE)
        if self.reference:
            rows = rows.filter(_holds(self.reference, Exists(Reference.objects.filter(post=OuterRef("pk")))))
        if self.after:
            rows = rows.filter(posted_at__gte=self.after)
        if self.before:
            rows = rows.filter(posted_at__lt=self.before)
        return rows.filter(kind=Post.Kind.OPENING) if self.openings_only else rows

    def _questions_of_topics(self):
        """The discussions under each topic wanted, to be looked up before the gate is asked, which costs more."""
        yield from (TAGGED.filter(tag=tag).values("question") for tag in self.tags if tag == _plain(tag))
        yield from (
            WITHIN.filter(specialty=one).values("question") for one in self.specialties if one == _plain(one)
        )

    def questions(self, user: User):
        """The discussions to look in: those open to the reader, as far as operators leave them in."""
        rows = open_to(user, self.sought)
        tagged = TAGGED.filter(question=OuterRef("pk"))
        within = WITHIN.filter(question=OuterRef("pk"))
        for tag in self.tags:
            rows = rows.filter(_holds(tag, Exists(tagged.filter(tag=_plain(tag)))))
        for specialty in self.specialties:
            rows = rows.filter(_holds(specialty, Exists(within.filter(specialty=_plain(specialty)))))
        if self.kinds:
            rows = rows.filter(kind__in=self.kinds)
        if self.other_kinds:
            rows = rows.exclude(kind__in=self.other_kinds)
        if self.status:
            rows = rows.filter(_holds(self.status, Q(status=_plain(self.status))))
        if self.solved:
            rows = rows.filter(solved_at__isnull=self.solved == "no")
        if self.state or self.region:
            shown = {"state": self.state} if self.state else {"region": self.region}
            rows = rows.asked_from(user, **shown)
        return rows


class Search:
    """What one reader searches for: a plan, and hints where operators name what is not there."""

    def __init__(self, typed: Typed, user: User):
        self.typed, self.user = typed, user
        self.hints = [Hint(text) for text in typed.hints]
        self.misses = False  # an operator names what is not there, or not open to the reader
        self._plan: dict = {}
        for one in typed.filters:
            getattr(self, f"_take_{one.name}")(one)
        narrows_posts = {"author", "reference", "after", "before"} & self._plan.keys()
        self.plan = Plan(
            **self._plan,
            by_words=typed.has_words,
            openings_only=not typed.has_words and not narrows_posts,
        )

    @property
    def is_for_posts(self) -> bool:
        """Whether there is anything to look for among posts."""
        if self.misses or self.typed.is_for_members:
            return False
        return self.typed.has_words or bool(self.typed.filters)

    @property
    def words(self) -> str | None:
        """The words for the full text; None where operators alone are searched by."""
        return searchable(self.typed.words) if self.typed.words else None

    @property
    def posts(self):
        return self.plan.posts(self.user, self.words) if self.is_for_posts else Post.objects.none()

    def posts_between(self, low: int, high: int):
        """Those of a stretch of numbers, without the lowest."""
        if not self.is_for_posts:
            return Post.objects.none()
        rows = self.plan.posts(self.user, self.words, self.eras_between(low, high))
        return rows.filter(pk__gt=low, pk__lte=high)

    def eras_between(self, low: int, high: int) -> str | None:
        """Where in the index of words to look for the posts of a stretch, if that leads to them."""
        return eras_of(low, high) if self.plan.by_words else None

    # Operators

    def _take_tag(self, one: Filter) -> None:
        tag = self._tag(slugify(one.value)[:40])
        if tag:
            self._add("tags", one, tag)
        elif not one.is_left_out:
            near = spelling.near_tags(one.value, self.user)
            self._miss(one, f"No discussion open to you is tagged {one.value}.", near)

    def _take_specialty(self, one: Filter) -> None:
        choices = {row.name.lower(): row for row in Specialty.objects.filter(is_choice=True)}
        by_slug = {row.slug: row for row in choices.values()}
        wanted = one.value.lower()
        chosen = choices.get(wanted) or by_slug.get(slugify(wanted))
        if chosen:
            self._add("specialties", one, chosen)
            return
        near = [name for name in choices if wanted in name] or get_close_matches(wanted, choices, 2, 0.6)
        self._miss(one, f"There is no specialty {one.value}.", [choices[name].name for name in near[:2]])

    def _take_state(self, one: Filter) -> None:
        """By the place beside the asker's handle. Where handles show less, or a name stands, nothing is found."""
        wanted = one.value.lower()
        if wanted in CODES:
            self._plan["state"] = CODES[wanted]
        elif wanted in REGION_NAMES:
            self._plan["region"] = REGION_NAMES[wanted]
        else:
            near = [PLACES[name] for name in get_close_matches(wanted, PLACES, 2, 0.6)]
            self._miss(one, f"There is no state or region {one.value}.", near)

    def _take_author(self, one: Filter) -> None:
        """What stands under a handle, never what the same member wrote under a name or under neither."""
        author = Member.objects.visible_to(self.user).filter(handle__lower=one.value.lower()).first()
        if author:
            self._plan["author"] = author.pk
        else:
            near = [member.handle for member in spelling.near_handles(one.value, self.user)]
            self._miss(one, f"No member open to you has the handle {one.value}.", near)

    def _take_kind(self, one: Filter) -> None:
        if one.value != MEMBERS:
            name = "other_kinds" if one.is_left_out else "kinds"
            self._plan[name] = (*self._plan.get(name, ()), one.value)

    def _take_status(self, one: Filter) -> None:
        self._plan["status"] = Without(one.value) if one.is_left_out else one.value

    def _take_solved(self, one: Filter) -> None:
        self._plan["solved"] = one.value

    def _take_has(self, one: Filter) -> None:
        self._plan["reference"] = Without(one.value) if one.is_left_out else one.value

    def _take_after(self, one: Filter) -> None:
        self._plan["after"] = first_moment(one.value)

    def _take_before(self, one: Filter) -> None:
        self._plan["before"] = first_moment(one.value)

    def _add(self, name: str, one: Filter, topic: Tag | Specialty) -> None:
        value = Without(topic.pk) if one.is_left_out else topic.pk
        self._plan[name] = (*self._plan.get(name, ()), value)
        if not one.is_left_out:
            self._plan["sought"] = topic

    def _miss(self, one: Filter, text: str, near: list[str]) -> None:
        """An operator that finds nothing, with what it may have meant."""
        self.misses = True
        better = [self.typed.minus(one).plus(one.name, name) for name in near]
        self.hints.append(Hint(text))
        self.hints += [
            Hint("", str(Filter(one.name, name)), other) for name, other in zip(near, better, strict=True)
        ]

    def _tag(self, slug: str) -> Tag | None:
        """The tag of this name or synonym, if it stands on a discussion open to the reader."""
        found = Tag.objects.select_related("merged_into").filter(slug=slug).first()
        tag = found and (found.merged_into or found)
        return tag if tag and Question.objects.visible_to(self.user).tagged(tag).exists() else None


def full_text(words: str) -> SearchQuery:
    return SearchQuery(words, search_type="websearch", config="english")


class Once(SearchQuery):
    """The same words taken apart once in a query; a prepared one would do so again for each row it ranks or marks."""

    def __init__(self, words: str):
        super().__init__(words, search_type="websearch", config="english")

    def as_sql(self, compiler, connection, **extra):
        sql, parameters = super().as_sql(compiler, connection, **extra)
        return f"(SELECT {sql})", parameters


def _plain(value):
    return value.value if isinstance(value, Without) else value


def _holds(value, condition):
    return ~condition if isinstance(value, Without) else condition
