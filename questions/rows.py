"""Rows of question lists: what each shows, brought by one prepared query and drawn once for all readers."""

from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, Func, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.lookups import IsNull
from django.utils import timezone

from accounts.models import User
from questions.labels import label_of
from questions.models import Byline, Post, Question, QuestionSpecialty
from questions.readers import ReaderShape, shape_of, stand_in, values_of
from questions.signature import Signature, Signer, signed, signer_columns
from questions.words import Words, words_of
from sermo.fragments import age_of, draw, draw_many
from sermo.paging import UNFIT, beyond, cursor_after, key_of
from sermo.prepared import AnyOf, prepared


class Narrowing(Hashable, Protocol):
    """What a list is made of. Equal ones make the same SQL but for the reader, who stands in for others of the kind."""

    def rows(self, user: User) -> QuerySet: ...


@dataclass(frozen=True)
class Open:
    """What is open, besides what stands under blocked faces."""

    def rows(self, user: User) -> QuerySet:
        member = user.as_member
        rows = Question.objects.visible_to(user).open().besides_silent_articles()
        return rows.besides_blocked(member).besides_muted(member)


@dataclass(frozen=True)
class Waiting:
    """What nobody has answered in a specialty, of others."""

    specialty: str

    def rows(self, user: User) -> QuerySet:
        member = user.as_member
        rows = Question.objects.visible_to(user).unanswered().besides_blocked(member).besides_muted(member)
        return rows.in_specialty(self.specialty).exclude(asker=member)


class QuestionRow(NamedTuple):
    """A question as a list shows it. Equal rows look alike, whoever reads."""

    pk: int
    kind: str
    title: str
    excerpt: str
    status: str
    urgency: str
    opened_at: datetime
    activity_at: datetime
    solved_at: datetime | None
    answer_count: int
    importance_sum: int
    importance_count: int
    has_poll: bool
    topic_names: str
    label: str  # see questions.labels
    signer: Signer
    is_urgent: bool = False
    opened_age: int = 0  # so that a row drawn a while ago is not taken for one of now
    active_age: int = 0

    @property
    def topics(self) -> list[str]:
        return self.topic_names.split(BETWEEN) if self.topic_names else []

    @property
    def byline(self) -> Signature:
        return signed(self.signer)

    @property
    def is_solved(self) -> bool:
        return self.solved_at is not None

    @property
    def importance_mean(self) -> float | None:
        return self.importance_sum / self.importance_count if self.importance_count else None

    @property
    def lead(self) -> str:
        return "opened" if self.kind == Question.Kind.ARTICLE else "asked"

    @property
    def words(self) -> Words:
        return words_of(self.kind)

    @property
    def kind_label(self) -> str:
        return Question.Kind(self.kind).label

    @property
    def drawn(self) -> str:
        return draw(TEMPLATE, question=self)

    @property
    def url(self) -> str:
        return Question.url_of(self.pk, self.title, self.kind)


BETWEEN = "\n"
TEMPLATE = "questions/_question_row.html"
FIELDS = QuestionRow._fields[:13]
OWN = len(FIELDS) + 2  # with the topics and the label
SHOWN = OWN + len(Signer._fields)


class ListRows:
    """The rows of a list as one reader may see them, for `questions.walks`."""

    def __init__(self, user: User, narrowing: Narrowing, order: tuple[str, ...]):
        self.user, self.narrowing, self.order = user, narrowing, order

    def take(
        self, size: int, *, after: str | None = None, since: datetime | None = None
    ) -> list[tuple[QuestionRow, str]]:
        """So many rows after a key, each with the key that leads on after it; what is no key is the beginning."""
        key, found = key_of(after, self.order), None
        if key is not None:
            with suppress(*UNFIT):
                found = self._take(size, key, since)
        if found is None:
            found = self._take(size, [], since)
        keys = [cursor_after(row[SHOWN:]) for row in found]
        return list(zip(dressed(found), keys, strict=True))

    def _take(self, size, key, since) -> list[tuple]:
        values = {f"after_{place}": value for place, value in enumerate(key)}
        if since:
            values["since"] = since
        shape = shape_of(self.user), self.narrowing, self.order, size
        return _listed(shape, **values_of(self.user), **values)

    def missed(self, shown: list[int], size: int, *, since: datetime) -> list[QuestionRow]:
        """So many of the first rows that were not shown."""
        rows = self.narrowing.rows(self.user).filter(opened_at__lte=since).order_by(*self.order)
        known = set(shown)
        ids = [pk for pk in rows.values_list("pk", flat=True)[: len(shown) + size] if pk not in known]
        return by_ids(self.user, ids[:size])


def first_rows(user: User, narrowing: Narrowing, *, order: tuple[str, ...], size: int) -> list[QuestionRow]:
    return drawn_ahead([row for row, _ in ListRows(user, narrowing, order).take(size)])


@prepared
def _listed(
    shape: tuple[ReaderShape, Narrowing, tuple[str, ...], int],
    *,
    reader,
    reader_specialty,
    since=None,
    **cursor,
) -> QuerySet:
    reader_shape, narrowing, order, size = shape
    user = stand_in(reader_shape, reader, reader_specialty)
    rows = narrowing.rows(user)
    if since:
        rows = rows.filter(opened_at__lte=since)
    if cursor:
        rows = rows.filter(beyond(order, [cursor[f"after_{place}"] for place in range(len(order))]))
    return rows.order_by(*order).values_list(*row_columns(), *(term.removeprefix("-") for term in order))[
        :size
    ]


def by_ids(user: User, ids: list[int]) -> list[QuestionRow]:
    """The rows of these discussions, in this order, as far as the reader may see them."""
    found = dressed(_by_ids(shape_of(user), **values_of(user), ids=ids)) if ids else []
    known = {row.pk: row for row in found}
    return [known[pk] for pk in ids if pk in known]


@prepared
def _by_ids(shape: ReaderShape, *, reader, reader_specialty, ids: list) -> QuerySet:
    user = stand_in(shape, reader, reader_specialty)
    return Question.objects.visible_to(user).filter(AnyOf("pk", ids)).values_list(*row_columns())


def row_columns() -> list:
    """What `values_list` of questions is to select, for `dressed`."""
    opening = Post.objects.filter(question=OuterRef("pk"), kind=Post.Kind.OPENING)
    folded = Subquery(opening.values("folded_at")[:1])  # a look into an index; EXISTS would read all openings
    excerpt = Case(
        When(IsNull(folded, False), then=Value("")), default=F("excerpt"), output_field=TextField()
    )
    fields = [F("pk"), *FIELDS[1:]]
    fields[FIELDS.index("excerpt")] = excerpt
    return [*fields, specialty_names(), label_of(), *signer_columns(asker_mode(), "asker")]


def specialty_names(question: str = "pk") -> Func:
    """The specialties of the question at a path, in the order chosen, with BETWEEN between them."""
    specialties = QuestionSpecialty.objects.filter(question=OuterRef(question)).order_by("place")
    return Func(
        ArraySubquery(specialties.values_list("specialty__name")),
        Value(BETWEEN),
        function="ARRAY_TO_STRING",
        output_field=TextField(),
    )


def asker_mode(question: str = "pk", asker: str = "asker") -> Subquery:
    """How the asker at a path signs in the question at a path."""
    signed = Byline.objects.filter(question=OuterRef(question), member=OuterRef(asker))
    return Subquery(signed.values("mode")[:1])


def dressed(rows: list[tuple]) -> list[QuestionRow]:
    """Rows for the page from what a query of `row_columns` brought (more columns may stand behind)."""
    now = timezone.now()
    return [_dressed(row, now) for row in rows]


def drawn_ahead(rows: list[QuestionRow]) -> list[QuestionRow]:
    """The same rows, drawn all at once before a template takes `drawn` from each."""
    draw_many(TEMPLATE, "", [{"question": row} for row in rows])
    return rows


def _dressed(row: tuple, now: datetime) -> QuestionRow:
    made = QuestionRow(*row[:OWN], Signer(*row[OWN:SHOWN]))
    return made._replace(
        is_urgent=Question.waits_today(made.status, made.solved_at, made.urgency, made.opened_at, now),
        opened_age=age_of(made.opened_at, now),
        active_age=age_of(made.activity_at, now),
    )
