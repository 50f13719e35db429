"""Posts as one reader sees them: brought by a few prepared queries, each drawn once for all who see the same."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, RowNumber
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Member
from questions import doubt
from questions.cells import safe_cells
from questions.models import Byline, Credit, Post, Question, Reason, Vote
from questions.signature import Signature, Signer, signed, signer_columns
from questions.words import Words, words_of
from sermo.fragments import age_of, draw_many, draw_once
from sermo.paging import UNFIT, Page, beyond, cut, key_of
from sermo.prepared import AnyOf, prepared

SORTS = {
    "corroborated": ("By corroboration", ("-credit_first", "-balance", "pk")),
    "newest": ("Newest first", ("-posted_at", "-pk")),
}
ANSWER = "questions/_answer.html"
MOST_COMMENTS = 60  # under one answer
ALL_COMMENTS = 500  # under the one answer whose comments were all asked for
MOST_DISPUTES = 10  # explanations under one post, the newest
# Of a discussion, from the app that knows firms: how many of them read which own post.
OWN_READS = "own_reads"

Kind = Post.Kind


class Refused(NamedTuple):
    """A dispute that comes back: under which post, why, and what was typed."""

    post_id: int
    words: str
    reason: str = ""
    explanation: str = ""


class Wanted(NamedTuple):
    """What of a discussion one came for: a post to show however far down, an answer to show all comments of."""

    post: int | None = None
    all_of: int | None = None


NOTHING_WANTED = Wanted()


class Row(NamedTuple):
    """A post as its row has it, with what this reader did to it."""

    pk: int
    kind: str
    parent_id: int | None
    author_id: int
    html: str
    posted_at: datetime
    edited_at: datetime | None
    removed_at: datetime | None
    folded_at: datetime | None
    fold_reason: str
    corroborate_count: int
    dispute_count: int
    saw_others: bool
    peers_only: bool
    own_vote: int | None
    is_credited: bool
    is_blocked: bool
    is_doubted: bool
    signer: Signer


PLAIN = len(Row._fields) - 1
COLUMNS = PLAIN + len(Signer._fields)


@dataclass(frozen=True)
class Seen:
    """A post with all that its template asks for. Two equal ones are drawn alike."""

    row: Row
    question_kind: str
    is_own: bool
    firms: int = 0  # that read it, of an own one
    came_after: bool | None = None  # written after reading others; None where that says nothing
    age: int = 0
    edited_age: int = 0
    disputes: tuple[tuple[str, str], ...] = ()  # (reason, explanation), the newest first
    reason_counts: tuple[tuple[str, int], ...] = ()
    cells: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()  # word, counts by specialty
    comments: tuple["Seen", ...] = ()
    comment_total: int = 0
    unfolded: bool = False
    shows_all_it_can: bool = False
    refused: Refused | None = None

    def __getattr__(self, name):
        return getattr(self.row, name)

    @property
    def signature(self) -> Signature:
        return signed(self.row.signer)

    @property
    def takes_verdicts(self) -> bool:
        if self.kind == Kind.OPENING:
            return self.question_kind == Question.Kind.OBSERVATION or self.signer.mode == Byline.Mode.FIRM
        return self.kind == Kind.ANSWER

    @property
    def doubt_words(self) -> str:
        return doubt.WORDS

    @property
    def words(self) -> Words:
        return words_of(self.question_kind)

    @property
    def is_removed(self) -> bool:
        return self.removed_at is not None

    @property
    def is_folded(self) -> bool:
        return self.folded_at is not None

    @property
    def is_hidden(self) -> bool:
        """Whether its words are read on demand only."""
        return self.is_blocked or self.is_folded

    @property
    def fold_words(self) -> str:
        return Reason(self.fold_reason).label if self.fold_reason else ""

    @property
    def history_url(self) -> str:
        return reverse("questions:history", args=[self.pk])

    @property
    def shown_comments(self) -> tuple["Seen", ...]:
        return self.comments[: settings.COMMENTS_SHOWN]

    @property
    def folded_comments(self) -> tuple["Seen", ...]:
        return self.comments[settings.COMMENTS_SHOWN :]

    @property
    def has_more_comments(self) -> bool:
        return self.comment_total > len(self.comments)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return Vote.Reason.choices


# What pages ask for


def opening_and_answers(
    question: Question, member: Member | None, *, sort: str, wanted: Wanted, refused: Refused | None = None
) -> tuple[Seen, Page]:
    """The opening of a discussion and its first answers, with those that somebody came for.

    The question as `views.thread.load_question` loaded it: while its answers are closed to the reader, there are none.
    """
    if not question.answers_open:
        return opening(question, member), Page([], None)
    order = SORTS[sort][1]
    size = settings.ANSWERS_PER_PAGE
    rows = _posts(("first", order, size + 2), question=question.pk, member=member and member.pk)
    page = cut(rows[1:], size, lambda row: list(row[COLUMNS:]))
    page = Page(_with_wanted(page.rows, question, member, (*wanted, refused and refused.post_id)), page.next)
    seen = dress([rows[0], *page.rows], question, member, wanted=wanted, refused=refused)
    return seen[0], Page(seen[1:], page.next)


def opening(question: Question, member: Member | None) -> Seen:
    return dress(_posts(("opening",), question=question.pk, member=member and member.pk), question, member)[0]


def later_answers(question: Question, member: Member | None, *, sort: str, after: str) -> Page:
    """The answers after a cursor; what is no cursor is taken for the first page's. None while they are closed."""
    if not question.answers_open:
        return Page([], None)
    order, size, found = SORTS[sort][1], settings.ANSWERS_PER_PAGE, None
    key = key_of(after, order)
    if key is not None:
        cursor = {f"after_{place}": value for place, value in enumerate(key)}
        with suppress(*UNFIT):
            found = _posts(
                ("later", order, size + 1), question=question.pk, member=member and member.pk, **cursor
            )
    if found is None:
        found = _posts(("first", order, size + 2), question=question.pk, member=member and member.pk)[1:]
    page = cut(found, size, lambda row: list(row[COLUMNS:]))
    return Page(dress(page.rows, question, member), page.next)


def one(
    question: Question, member: Member | None, post_id: int, *, refused: Refused | None = None
) -> Seen | None:
    """One post of a discussion, or None."""
    rows = _posts(("one",), question=question.pk, member=member and member.pk, post=post_id)
    return dress(rows, question, member, refused=refused)[0] if rows else None


def dress(
    rows: Iterable[tuple],
    question: Question,
    member: Member | None,
    *,
    wanted: Wanted = NOTHING_WANTED,
    refused: Refused | None = None,
) -> list[Seen]:
    """Rows with signature, comments, reasons of disputes, and counts by specialty."""
    posts = [_row(row) for row in rows]
    comments = _comments_of(posts, member, wanted)
    disputes, reason_counts = _disputes_of(posts)
    cells = _cells_of(posts)
    dressed = _Dressing(question, member, timezone.now())
    made = []
    for post in posts:
        under = [dressed(_row(row)) for row, _ in comments[post.pk]]
        made.append(
            dressed(
                post,
                comments=tuple(under),
                comment_total=comments[post.pk][0][1] if under else 0,
                unfolded=post.pk == wanted.all_of
                or any(comment.pk == wanted.post for comment in under[settings.COMMENTS_SHOWN :]),
                shows_all_it_can=post.pk == wanted.all_of,
                disputes=tuple(disputes[post.pk]),
                reason_counts=tuple(sorted(reason_counts[post.pk].items(), key=lambda pair: -pair[1])),
                cells=_shown_cells(cells, post.pk),
                refused=refused if refused and refused.post_id == post.pk else None,
            )
        )
    return made


def drawn(
    posts: Iterable[Seen],
    question: Question,
    csrf_token: str,
    *,
    writable: bool,
    can_moderate: bool,
    is_member: bool = True,
    fresh: bool = False,
) -> list[SafeString]:
    """Answers with all under them."""
    same = {
        "question_url": question.get_absolute_url(),
        "writable": writable,
        "can_moderate": can_moderate,
        "is_member": is_member,
        "fresh": fresh,
    }
    posts = list(posts)
    kept = [post for post in posts if not post.refused]
    made = draw_many(ANSWER, csrf_token, [{"answer": post, **same} for post in kept])
    by_id = {post.pk: html for post, html in zip(kept, made, strict=True)}
    return [
        draw_once(ANSWER, csrf_token, answer=post, **same) if post.refused else by_id[post.pk]
        for post in posts
    ]


class _Dressing:
    """Makes posts of one discussion for one reader at one moment."""

    def __init__(self, question: Question, member: Member | None, now: datetime):
        self.kind, self.member, self.now = question.kind, member and member.pk, now
        self.answer_first, self.asker = question.answer_first, question.asker_id
        self.firms = {row["post"]: row["firms"] for row in getattr(question, OWN_READS, None) or ()}

    def __call__(self, row: Row, **more) -> Seen:
        return Seen(
            row=row,
            question_kind=self.kind,
            is_own=row.author_id == self.member,
            firms=self.firms.get(row.pk, 0),
            came_after=row.saw_others if self._is_told(row) else None,
            age=age_of(row.posted_at, self.now),
            edited_age=age_of(row.edited_at, self.now),
            **more,
        )

    def _is_told(self, row: Row) -> bool:
        """Whether it counts who answered before reading: of answers to the asker, not the asker's own."""
        return self.answer_first and row.kind == Kind.ANSWER and row.author_id != self.asker


def _row(values: tuple) -> Row:
    return Row(*values[:PLAIN], Signer(*values[PLAIN:COLUMNS]))


def _with_wanted(rows, question, member, ids) -> list[tuple]:
    """A link to an answer further down (or to a comment under it) shows that answer on the first page too."""
    rows, shown = list(rows), {row[0] for row in rows}
    for post_id in filter(None, ids):
        if post_id in shown:
            continue
        extra = _posts(("answer_of",), question=question.pk, member=member and member.pk, post=post_id)
        rows += [row for row in extra if row[0] not in shown]
        shown |= {row[0] for row in extra}
    return rows


# Queries


def _columns(member: int | None) -> list:
    own = Vote.objects.filter(post=OuterRef("pk"), voter=member).values("value")[:1]
    return [
        *(F(name) for name in Row._fields[:14]),
        own,
        Exists(Credit.objects.filter(post=OuterRef("pk"))),
        Case(
            When(Post.objects.all().blocked_by(Member(pk=member)), then=True),
            default=False,
            output_field=BooleanField(),
        )
        if member
        else Value(False, output_field=BooleanField()),
        doubt.is_doubted(),
        *signer_columns(F("byline__mode"), "author"),
    ]


@prepared
def _posts(shape: tuple, *, question: int, member: int | None, **values) -> QuerySet:
    """Openings and answers. A removed answer stays if something hangs on it."""
    what, *rest = shape
    posts = Post.objects.filter(question=question)
    if what == "one":
        return posts.filter(pk=values["post"]).values_list(*_columns(member))
    if what == "opening":
        return posts.filter(kind=Kind.OPENING).values_list(*_columns(member))
    if what == "answer_of":
        above = Post.objects.filter(pk=values["post"]).values("parent")
        return posts.answers().filter(Q(pk=values["post"]) | Q(pk__in=above)).values_list(*_columns(member))
    order, most = rest
    replies = Post.objects.standing().filter(parent=OuterRef("pk"))
    credit = Cast(Exists(Credit.objects.filter(post=OuterRef("pk"))), IntegerField())
    posts = posts.annotate(credit_first=credit)
    answers = Q(kind=Kind.ANSWER) & (Q(removed_at=None) | Exists(replies))
    keys = [F(term.removeprefix("-")) for term in order]
    if what == "later":
        key = [values[f"after_{place}"] for place in range(len(order))]
        return (
            posts.filter(answers, beyond(order, key))
            .order_by(*order)
            .values_list(*_columns(member), *keys)[:most]
        )
    opening_first = Case(When(kind=Kind.OPENING, then=0), default=1, output_field=IntegerField())
    return (
        posts.filter(answers | Q(kind=Kind.OPENING))
        .order_by(opening_first, *order)
        .values_list(*_columns(member), *keys)[:most]
    )


@prepared
def _comments(
    shape: None, *, parents: list, member: int | None, wanted: int | None, all_of: int | None
) -> QuerySet:
    number = Window(RowNumber(), partition_by=F("parent"), order_by=("posted_at", "pk"))
    loaded = Q(number__lte=MOST_COMMENTS)
    if wanted:
        loaded |= Q(pk=wanted)
    if all_of:
        loaded |= Q(parent=all_of, number__lte=ALL_COMMENTS)
    return (
        Post.objects.standing()
        .filter(AnyOf("parent", parents), kind=Kind.COMMENT)
        .annotate(number=number, total=Window(Count("pk"), partition_by=F("parent")))
        .filter(loaded)
        .order_by("posted_at", "pk")
        .values_list(*_columns(member), F("total"))
    )


def _comments_of(posts: list[Row], member: Member | None, wanted: Wanted) -> dict[int, list[tuple]]:
    """Pairs of a row and of how many there are, by answer."""
    of = defaultdict(list)
    answers = [post.pk for post in posts if post.kind == Kind.ANSWER]
    if answers:
        rows = _comments(
            None, parents=answers, member=member and member.pk, wanted=wanted.post, all_of=wanted.all_of
        )
        for row in rows:
            of[row[2]].append((row, row[-1]))
    return of


@prepared
def _disputes(shape: None, *, posts: list) -> QuerySet:
    order, of_reason = ("-cast_at", "-pk"), [F("post"), F("reason")]
    return (
        Vote.objects.filter(AnyOf("post", posts), value=Vote.Value.DISPUTE)
        .annotate(
            number=Window(RowNumber(), partition_by=F("post"), order_by=order),
            number_of_reason=Window(RowNumber(), partition_by=of_reason, order_by=order),
            reason_count=Window(Count("pk"), partition_by=of_reason),
        )
        .filter(Q(number__lte=MOST_DISPUTES) | Q(number_of_reason=1))
        .order_by(*order)
        .values_list("post", "reason", "explanation", "number", "reason_count")
    )


def _disputes_of(posts: list[Row]):
    """The newest explanations of each post, and how many gave which reason, counted over all, in one query.

    The newest vote of each reason comes along even where ten newer ones hide it: it carries that reason's count.
    """
    newest, counts = defaultdict(list), defaultdict(dict)
    disputed = [post.pk for post in posts if post.dispute_count]
    if disputed:
        for post, reason, explanation, number, count in _disputes(None, posts=disputed):
            words = Vote.Reason(reason).label
            counts[post][words.lower()] = count
            if number <= MOST_DISPUTES:
                newest[post].append((words, explanation))
    return newest, counts


@prepared
def _cells(shape: None, *, posts: list) -> QuerySet:
    rows = Vote.objects.filter(AnyOf("post", posts))
    rows = rows.values("post", "value", "voter__specialty__name").annotate(count=Count("pk"))
    return rows.values_list("post", "value", "voter__specialty__name", "count")


def _cells_of(posts: list[Row]) -> dict[tuple[int, int], dict[str, int]]:
    """Votes by specialty of the voter, asked for only where a cell of five is possible."""
    of = defaultdict(dict)
    counted = [post.pk for post in posts if max(post.corroborate_count, post.dispute_count) >= 5]
    if counted:
        for post, value, specialty, count in _cells(None, posts=counted):
            of[post, value][specialty or "no specialty"] = count
    return of


def _shown_cells(cells, post_id) -> tuple:
    shown = (
        (word, safe_cells(cells[post_id, value])) for word, value in (("corroborate", 1), ("dispute", -1))
    )
    return tuple((word, tuple(safe.items())) for word, safe in shown if safe)
