"""The lists of the console: which discussions, in which order, and where a page goes on.

A place in a list is named by the key of the discussion that stands there, so no address tells a number or a moment.
Nothing follows a place whose discussion the firm may read no more: what follows would tell its figures.
Orders by figures use those a firm may know, and list only what has one: elsewhere the order would tell what is hidden.
"""

from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.utils.text import slugify

from accounts.models import Specialty
from observers import keys, states
from observers.models import FirmSearch, ImportanceFigure, VoteFigure
from questions.filters import KINDS
from questions.models import Post, Question, QuestionSpecialty
from rewards.models import Firm

ORDERS = {"new": "Newest", "importance": "Important", "corroborated": "Corroborated"}
SOLVED = {"": "Solved or not", "yes": "Solved", "no": "Unsolved"}
LONGEST = 120  # characters of what is searched for
GROUPS_KEPT = 600  # seconds; they change with the reference data alone
FEW = 1_000  # discussions that a list begins with, where filters leave no more
MOST_COUNTED = 3_000
COUNTED_KEPT = 600  # seconds; a count says how a list is looked for, never what stands in it


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to and ordered by; each field is a parameter of the address."""

    q: str = ""
    group: str = ""  # the slug of a specialty group
    kind: str = ""
    solved: str = ""
    order: str = "new"

    @classmethod
    def read(cls, typed) -> "Filters":
        """From the query of an address; what cannot be is as if it were not there."""
        wanted = {field.name: typed.get(field.name, "").strip() for field in fields(cls)}
        choices = {"group": groups(), "kind": KINDS, "solved": SOLVED, "order": ORDERS}
        for name, known in choices.items():
            if wanted[name] not in known:
                wanted[name] = getattr(cls, name)
        wanted["q"] = " ".join(wanted["q"].replace("\x00", " ").split())[:LONGEST]
        return cls(**wanted)

    @classmethod
    def of(cls, saved: FirmSearch) -> "Filters":
        """Those of a saved search, in the usual order."""
        return cls(q=saved.terms, group=saved.group, kind=saved.kind, solved=saved.solved)

    @property
    def said(self) -> dict[str, str]:
        """What is not at its usual value."""
        all_of = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in all_of.items() if value != getattr(Filters, name)}

    def query(self, **changes: str) -> str:
        """The query of an address with these filters, and others or the place of a page in it."""
        said = self.said | changes
        return urlencode({name: value for name, value in said.items() if value != getattr(Filters, name, "")})

    @property
    def as_saved(self) -> "Filters":
        """What a saved search keeps of them: all but the order."""
        return replace(self, order="new")

    @property
    def in_words(self) -> str:
        """What they narrow a search to."""
        put_to = groups().get(self.group)
        kind, solved = self.kind and KINDS[self.kind], self.solved and SOLVED[self.solved]
        return ", ".join(filter(None, (put_to and f"put to {put_to}", kind.lower(), solved.lower())))

    @property
    def is_narrowing(self) -> bool:
        return any((self.q, self.group, self.kind, self.solved))


def groups() -> dict[str, str]:
    """The specialty groups that discussions are put to: name by slug."""
    return cache.get_or_set("observers:groups", _groups, GROUPS_KEPT)


def _groups() -> dict[str, str]:
    names = Specialty.objects.filter(is_choice=True).order_by("group").values_list("group", flat=True)
    return {slugify(name): name for name in names.distinct()}


class Among(Func):
    """That a number is one of a query's, which is run once; as IN the planner would join it, and misjudge it."""

    template, arg_joiner, arity = "%(expressions)s)", " = ANY(", 2
    output_field = BooleanField()

    def __init__(self, number: str, rows: QuerySet):
        super().__init__(F(number), ArraySubquery(rows))


def put_to(group: str) -> QuerySet[QuestionSpecialty]:
    """That discussions are put to a specialty of a group, by its slug."""
    codes = cache.get_or_set(f"observers:group:{group}", lambda: _codes(group), GROUPS_KEPT)
    return QuestionSpecialty.objects.filter(specialty__in=codes)


def _codes(group: str) -> list[str]:
    return list(Specialty.objects.filter(group=groups()[group]).values_list("pk", flat=True))


def of_kind(questions: QuerySet, filters: Filters) -> QuerySet:
    """What discussions say of themselves."""
    if filters.kind:
        questions = questions.filter(kind=filters.kind)
    if filters.solved:
        questions = questions.filter(states.solved() if filters.solved == "yes" else states.unsolved())
    return questions


def narrowed(questions: QuerySet, firm: Firm, filters: Filters) -> QuerySet:
    """What the filters leave of discussions. An article is listed once somebody has said a word on it.

    The group is looked up for each discussion in turn, which the planner would else join with all there are.
    """
    if filters.kind in ("", Question.Kind.ARTICLE):
        said = Post.objects.open_to(firm).filter(question=OuterRef("pk"), kind=Post.Kind.ANSWER)
        spoken_on = Q(answer_count__gt=0) & Q(Exists(said))
        questions = questions.filter(~Q(kind=Question.Kind.ARTICLE) | spoken_on)
    if filters.group:
        within = put_to(filters.group).filter(question=OuterRef("pk")).values("pk")[:1]
        questions = questions.alias(within=Subquery(within)).filter(within__isnull=False)
    return of_kind(questions, filters)


def left_by(filters: Filters) -> QuerySet:
    """The numbers of all discussions that the filters leave, whoever reads: to begin with where they are few."""
    rows = of_kind(Question.objects.all(), filters)
    if filters.group:
        rows = rows.filter(pk__in=put_to(filters.group).values("question"))
    return rows.values("pk")


def are_few(filters: Filters, most: int) -> bool:
    """Whether the filters leave no more discussions than that, as far as was counted lately."""
    if not (filters.kind or filters.group):
        return False
    name = f"observers:left:{filters.kind}:{filters.group}:{filters.solved}"
    return cache.get_or_set(name, lambda: left_by(filters)[: MOST_COUNTED + 1].count(), COUNTED_KEPT) <= most


def page_of(firm: Firm, filters: Filters, *, after: str, size: int) -> QuerySet:
    """The numbers of so many discussions open to a firm, after the one of a key; all else is for `rows_of`."""
    after_pk = keys.question_pk(firm, after) if after else None
    return WALKS[filters.order](firm, filters, after_pk)[:size]


def _newest(firm: Firm, filters: Filters, after: int | None) -> QuerySet:
    rows = narrowed(Question.objects.open_to(firm), firm, filters)
    if are_few(filters, FEW):
        rows = rows.filter(Among("pk", left_by(filters)))
    if after:
        moment = Subquery(Question.objects.open_to(firm).filter(pk=after).values("opened_at"))
        rows = rows.filter(opened_at__lte=moment).filter(Q(opened_at__lt=moment) | Q(pk__lt=after))
    return rows.order_by("-opened_at", "-pk").values("pk")


def tenths(path: str = ""):
    """The mean importance in tenths, as it is shown; whole numbers, so that an index has them in order."""
    total, raters = F(f"{path}total"), F(f"{path}raters")
    return (total * 20 + raters) / (raters * 2)


def _important(firm: Firm, filters: Filters, after: int | None) -> QuerySet:
    opened = narrowed(Question.objects.open_to(firm).filter(pk=OuterRef("pk")), firm, filters).values("pk")[
        :1
    ]
    rated = ImportanceFigure.objects.filter(raters__gte=settings.OBSERVER_LEAST).annotate(tenths=tenths())
    if are_few(filters, FEW):
        rated = rated.filter(Among("pk", left_by(filters)))
    if after:
        open_still = Question.objects.open_to(firm).filter(pk=after).values("pk")
        reached = Subquery(rated.filter(pk=Subquery(open_still)).values("tenths"))
        rated = rated.filter(tenths__lte=reached).filter(Q(tenths__lt=reached) | Q(pk__lt=after))
    rows = rated.alias(opened=Subquery(opened)).filter(opened__isnull=False)
    return rows.order_by(F("tenths").desc(), "-pk").values("pk")


def steps(path: str = ""):
    """The corroborations of a post in the steps that are shown."""
    return F(f"{path}corroborations") / settings.OBSERVER_ROUND


def corroborated(firm: Firm) -> QuerySet:
    """The figures of open posts whose corroborations may be shown, the most first. The post is asked for by a look
    into an index, which the planner would else join, and only once its discussion is known, which may be left out."""
    same = {"pk": OuterRef("pk"), "question": OuterRef("post__question")}
    opened = Post.objects.open_to(firm).filter(**same).values("pk")[:1]
    rows = VoteFigure.objects.filter(corroborations__gte=settings.OBSERVER_LEAST).annotate(steps=steps())
    rows = rows.alias(opened=Subquery(opened)).filter(opened__isnull=False)
    return rows.order_by(F("steps").desc(), "-pk")


def _corroborated(firm: Firm, filters: Filters, after: int | None) -> QuerySet:
    """Discussions by their most corroborated post."""
    same = corroborated(firm).filter(post__question=OuterRef("post__question"))
    better = same.filter(Q(steps__gt=OuterRef("steps")) | Q(steps=OuterRef("steps"), pk__gt=OuterRef("pk")))
    left = narrowed(Question.objects.filter(pk=OuterRef("post__question")), firm, filters).values("pk")[:1]
    rows = corroborated(firm).alias(left=Subquery(left)).filter(left__isnull=False)
    rows = rows.filter(~Exists(better))
    if are_few(filters, FEW):
        rows = rows.filter(Among("post__question", left_by(filters)))
    if after:
        reached = corroborated(firm).filter(post__question=after)
        step, post = Subquery(reached.values("steps")[:1]), Subquery(reached.values("pk")[:1])
        rows = rows.filter(steps__lte=step).filter(Q(steps__lt=step) | Q(pk__lt=post))
    return rows.order_by(F("steps").desc(), "-pk").values("post__question")


def place_of(firm: Firm, order: str) -> Case | Subquery:
    """Of a post: where its discussion stands in an order by figures; null where it has none that may be shown."""
    if order == "importance":
        path = "question__importance_figure__"
        is_shown = Q(**{f"{path}raters__gte": settings.OBSERVER_LEAST})
        return Case(When(is_shown, then=tenths(path)), output_field=IntegerField())
    best = corroborated(firm).filter(post__question=OuterRef("question"))
    return Subquery(best.values("steps")[:1])


WALKS = {"new": _newest, "importance": _important, "corroborated": _corroborated}
