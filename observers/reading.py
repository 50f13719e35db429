"""Discussions as the console shows them: rows of a list, and one discussion with its posts. Figures are a day old.

No row of a member leaves this module: what templates get are aliases, days and figures that firms may know. Numbers of
posts stand beside them for the log and for other parts of the console, and are written on no page.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date
from itertools import dropwhile

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, JSONObject
from django.urls import reverse

from accounts.masks import Masks
from accounts.models import Member
from consults.reading import patient_words
from observers import crowds, figures, keys, listing, pictures, search, states, texts
from observers.models import Product
from questions.models import Byline, Post, Question, QuestionSpecialty
from questions.words import words_of
from rewards.models import Firm
from sermo.paging import Page
from sermo.text import clip, plain

ANSWERS = 20  # of a page
MOST_COMMENTS = 600  # under the answers of a page, the first; more are not shown
SNIPPET = 240  # characters
FACTS_KEPT = 600  # seconds; who shares what is counted anew each night
SIGNED_BY_MEMBERS = (*Byline.UNDER_HANDLE, Byline.Mode.PUBLIC, Byline.Mode.MASKED)

Kind = Post.Kind


@dataclass(frozen=True)
class Row:
    """A discussion in a list. `opening_pk` and `post_pks`, of all posts whose words it shows, are for no page."""

    opening_pk: int
    post_pks: tuple[int, ...]
    question_pk: int
    url: str
    key: str
    title: str
    kind: str
    groups: str
    is_solved: bool
    is_open: bool
    industry: str
    alias: str
    facts: str
    importance: str
    corroborations: str
    disputes: str
    answers: int
    opened_on: date
    is_of_member: bool  # not of the site or a firm, whom nobody pays
    snippet: str = ""
    said_in: str = ""


@dataclass
class Shown:
    """A post of a discussion. `pk` is for no page."""

    pk: int
    kind: str
    alias: str
    facts: str
    posted_on: date
    html: str
    corroborations: str
    disputes: str
    is_credited: bool
    takes_verdicts: bool
    is_of_member: bool
    comments: list["Shown"] = field(default_factory=list)


@dataclass(frozen=True)
class CaseFields:
    """What a case says of its patient and asks."""

    patient: str
    ask: str
    intent: str
    pictures: list[pictures.Picture]


@dataclass(frozen=True)
class Discussion:
    """A discussion with its opening and some answers. `question` is for other parts of the console, see above."""

    question: Question
    key: str
    title: str
    groups: str
    kind: str
    importance: str
    answer_count: int
    opened_on: date
    opening: Shown
    answers: list[Shown]
    is_first_page: bool
    next: str  # the key of the last answer, where more follow
    case: CaseFields | None
    is_makers: bool  # whether the firm makes products, whose safety it has to look after
    masks: Masks

    @property
    def posts(self) -> list[Shown]:
        """All that a page shows."""
        return [self.opening, *self.added]

    @property
    def added(self) -> list[Shown]:
        """All but the opening."""
        return [post for answer in self.answers for post in (answer, *answer.comments)]

    @property
    def is_solved(self) -> bool:
        return states.is_solved(self.question)

    @property
    def is_open(self) -> bool:
        return states.is_open(self.question)

    @property
    def words(self):
        return words_of(self.question.kind)


# Lists


def page_of(firm: Firm, filters: listing.Filters, *, after: str = "") -> tuple[Page, tuple[str, ...]]:
    """A page of a list or a search, and hints on what was typed."""
    size = settings.OBSERVER_ROWS_PER_PAGE
    if filters.q:
        typed = search.read(filters.q)
        return _found(firm, filters, typed, after, size), typed.hints
    listed = listing.page_of(firm, filters, after=after, size=size + 1)
    return _cut(_listed(firm, listed, filters.order), size), ()


def _cut(rows: list[Row], size: int) -> Page:
    return Page(rows[:size], rows[size - 1].key if len(rows) > size else None)


def _found(firm: Firm, filters: listing.Filters, typed: search.Typed, after: str, size: int) -> Page:
    """A page of what is found. Where its place is found no more, nothing follows, rather than all once more."""
    hits = search.newest(firm, typed.alternatives, filters)
    masks = texts.masks_of(
        firm, {hit.question for hit in hits}, [text for hit in hits for text in (hit.title, hit.html)]
    )
    said = {hit.post: texts.words(hit.html, masks[hit.question].of(hit.author)) for hit in hits}
    hits = _in_order(_standing(hits, masks, said), filters.order)
    if after_pk := keys.question_pk(firm, after) if after else None:
        hits = list(dropwhile(lambda hit: hit.question != after_pk, hits))[1:]
    return _cut(_matched(firm, [hit.post for hit in hits[: size + 1]], masks, said), size)


def _standing(hits: list[search.Hit], masks: dict[int, Masks], said: dict[int, str]) -> list[search.Hit]:
    """Those that have the words of their alternative once names are masked. Only those with masks are asked."""
    masked = {}
    for hit in hits:
        of_asker = masks[hit.question]
        title = hit.title if hit.kind == Kind.OPENING else ""
        shown = f"{texts.plain(title, of_asker)} {said[hit.post]}"
        if shown != f"{title} {plain(hit.html)}":
            masked[hit] = without_masks(shown, of_asker)
    kept = search.have([hit.words for hit in masked], masked.values())
    return [hit for hit in hits if hit not in masked or kept[hit.words, masked[hit]]]


def without_masks(text: str, masks: Masks) -> str:
    """With a gap where a name stood: found by an alias, a text would tie it to the name; no phrase reaches over."""
    for instead in {*masks.mentions.values(), *texts.FAINTER}:
        text = text.replace(instead, search.GAP)
    return text


def _in_order(hits: list[search.Hit], order: str) -> list[search.Hit]:
    """The newest hit of each discussion, in the order of the list."""
    best: dict[int, search.Hit] = {}
    for hit in hits:
        best.setdefault(hit.question, hit)
    if order == "new":
        return list(best.values())
    # A stable sort: those that stand alike, the newest match first.
    return sorted((hit for hit in best.values() if hit.place is not None), key=lambda hit: -hit.place)


# By which post or figure a discussion stands where it does in a list, as `listing.WALKS` has it.
ORDERED = {
    "new": lambda post: (post.question.opened_at, post.question_id),
    "importance": lambda post: (post.tenths, post.question_id),
    "corroborated": lambda post: (post.best["step"], post.best["post"]),
}


def _listed(firm: Firm, questions: QuerySet, order: str) -> list[Row]:
    openings = Post.objects.filter(listing.Among("question", questions), kind=Kind.OPENING)
    posts = _loaded(firm, openings).defer("html")
    if order == "importance":
        posts = posts.annotate(tenths=listing.tenths("question__importance_figure__"))
    if order == "corroborated":
        best = listing.corroborated(firm).filter(post__question=OuterRef("question"))
        posts = posts.annotate(
            best=Subquery(best.values(place=JSONObject(step=F("steps"), post=F("pk")))[:1])
        )
    posts = sorted(posts, key=ORDERED[order], reverse=True)
    titles = [post.question.title for post in posts]
    return _dressed(firm, posts, texts.masks_of(firm, {post.question_id for post in posts}, titles), {})


def _matched(firm: Firm, post_pks: list[int], masks: dict[int, Masks], said: dict[int, str]) -> list[Row]:
    """The rows of posts, with the beginning of what each says."""
    if not post_pks:
        return []
    posts = _loaded(firm, Post.objects.filter(pk__in=post_pks)).defer("html")
    return _dressed(firm, sorted(posts, key=lambda post: post_pks.index(post.pk)), masks, said)


def _loaded(firm: Firm, posts: QuerySet) -> QuerySet:
    """Posts with all that a row shows of their discussions, in one query."""
    same = Post.objects.open_to(firm).filter(question=OuterRef("question"))
    posts = posts.open_to(firm).select_related("question__asker__specialty", "question__importance_figure")
    return posts.defer("source", "search_text", "search_vector").annotate(
        opening_pk=Subquery(same.filter(kind=Kind.OPENING).values("pk")[:1]),
        tally=_tally(same),
        mode=_mode("question", "question__asker"),
        groups=_groups(OuterRef("question")),
    )


def _tally(same: QuerySet) -> Subquery:
    """Of the answers open to a firm how many there are, and the votes on them and on the opening as they are shown.

    Sums are of shown numbers: made of the true ones they would tell those that are hidden.
    """
    votes = same.filter(kind__in=[Kind.OPENING, Kind.ANSWER]).order_by().values("question")
    votes = votes.annotate(
        answers=Count("pk", filter=Q(kind=Kind.ANSWER)),
        corroborations=Sum(figures.rounded("vote_figure__corroborations")),
        disputes=Sum(figures.rounded("vote_figure__disputes")),
    )
    names = ("answers", "corroborations", "disputes")
    return Subquery(votes.values(tally=JSONObject(**{name: F(name) for name in names}))[:1])


def _mode(question: str, member: str) -> Subquery:
    signed = Byline.objects.filter(question=OuterRef(question), member=OuterRef(member))
    return Subquery(signed.values("mode")[:1])


def _groups(question) -> ArraySubquery:
    """The specialty groups a discussion is put to; never the specialties."""
    within = QuestionSpecialty.objects.filter(question=question)
    return ArraySubquery(within.order_by("specialty__group").values("specialty__group").distinct())


def _dressed(firm: Firm, posts: list[Post], masks: dict[int, Masks], said: dict[int, str]) -> list[Row]:
    """The rows of posts, with names masked; `said` has the words of those that a search found."""
    facts = _facts(post.question.asker for post in posts if post.mode in SIGNED_BY_MEMBERS)
    return [_row(firm, post, masks[post.question_id], facts, said.get(post.pk, "")) for post in posts]


def _row(firm: Firm, post: Post, masks: Masks, facts: dict, said: str) -> Row:
    question, tally = post.question, post.tally or {}
    key = keys.question_key(firm, question.pk)
    return Row(
        opening_pk=post.opening_pk,
        post_pks=tuple({post.opening_pk, post.pk}),
        question_pk=question.pk,
        url=reverse("observers:question", args=[key]),
        key=key,
        title=texts.plain(question.title, masks),
        kind=question.get_kind_display(),
        groups=", ".join(post.groups),
        is_solved=states.is_solved(question),
        is_open=states.is_open(question),
        industry=question.industry,
        alias=masks.aliases.get(question.asker_id, ""),
        facts=facts.get(question.asker_id, ""),
        importance=_importance(question),
        corroborations=shown_sum(tally.get("corroborations", 0)),
        disputes=shown_sum(tally.get("disputes", 0)),
        answers=tally.get("answers", 0),
        opened_on=question.opened_at.astimezone(UTC).date(),
        is_of_member=post.mode in SIGNED_BY_MEMBERS,
        snippet=clip(said, SNIPPET),
        said_in=words_of(question.kind).post(post.kind).capitalize() if post.kind != Kind.OPENING else "",
    )


def shown_sum(total: int) -> str:
    """A sum of shown numbers as it is written: ten is what eleven to fourteen are shown as."""
    return figures.shown_number(max(total, settings.OBSERVER_LEAST) if total else 0)


def _importance(question: Question) -> str:
    figure = getattr(question, "importance_figure", None)
    return figures.shown_mean(figure.total, figure.raters) if figure else ""


def _facts(members: Iterable[Member]) -> dict[int, str]:
    """The words beside the alias of each member. Kept for a while, since a night changes them and pages need them."""
    places = {member.pk: crowds.place_of(member) for member in members}
    wanted = {place: f"observers:facts:{'|'.join(place)}".replace(" ", "_") for place in places.values()}
    known = cache.get_many(wanted.values())
    facts = {place: known[name] for place, name in wanted.items() if name in known}
    missing = wanted.keys() - facts.keys()
    if missing:
        new = crowds.facts_of(missing)
        cache.set_many({wanted[place]: words for place, words in new.items()}, FACTS_KEPT)
        facts |= new
    return {pk: facts[place] for pk, place in places.items()}


# One discussion


def discussion(firm: Firm, question_pk: int, *, after: str = "") -> Discussion | None:
    """A discussion with a page of its answers, by a few queries; None where it is not open to the firm."""
    after_pk = keys.post_pk(firm, after) if after else None
    posts = list(_posts(firm, question_pk, after_pk))
    opening = next((post for post in posts if post.kind == Kind.OPENING), None)
    if opening is None:
        return None
    question = opening.question
    case_pictures = []
    if question.kind == Question.Kind.CASE:
        case_pictures = pictures.of_case(firm, question_pk)
    raw = [question.title, *(post.html for post in posts), *(image.description for image in case_pictures)]
    masks = texts.masks_of(firm, [question_pk], raw)[question_pk]
    facts = _facts(post.author for post in posts if post.byline.mode in SIGNED_BY_MEMBERS)
    shown = {post.pk: _shown(post, masks, facts) for post in posts}
    answers = sorted(
        (post for post in posts if post.kind == Kind.ANSWER), key=lambda post: (-post.rank, post.pk)
    )
    page = answers[:ANSWERS]
    for post in posts:
        if post.kind == Kind.COMMENT and post.parent_id in shown:
            shown[post.parent_id].comments.append(shown[post.pk])
    return Discussion(
        question=question,
        key=keys.question_key(firm, question_pk),
        title=texts.plain(question.title, masks),
        groups=", ".join(opening.groups),
        kind=question.get_kind_display(),
        importance=_importance(question),
        answer_count=opening.answers,
        opened_on=question.opened_at.astimezone(UTC).date(),
        opening=shown[opening.pk],
        answers=[shown[post.pk] for post in page],
        is_first_page=after_pk is None,
        next=keys.post_key(firm, page[-1].pk) if len(answers) > len(page) else "",
        case=_case(firm, question, case_pictures, masks),
        is_makers=opening.is_makers,
        masks=masks,
    )


def _posts(firm: Firm, question_pk: int, after: int | None) -> QuerySet:
    """The opening, a page of answers and one more, and the comments under them. None follow what is open no more."""
    opened = Post.objects.open_to(firm).filter(question=question_pk)
    rank = figures.rounded("vote_figure__corroborations")
    answers = opened.filter(kind=Kind.ANSWER).annotate(rank=rank)
    if after:
        reached = Subquery(answers.filter(pk=after).values("rank"))
        answers = answers.filter(Q(rank__lt=reached) | Q(rank=reached, pk__gt=after))
    page = answers.order_by("-rank", "pk")[: ANSWERS + 1].values("pk")
    shown = opened.filter(Q(kind=Kind.OPENING) | Q(pk__in=page) | Q(parent__in=page))
    comments_last = Case(When(kind=Kind.COMMENT, then=Value(1)), default=Value(0))
    number = opened.filter(kind=Kind.ANSWER).order_by().values("question").annotate(number=Count("pk"))
    return (
        shown.select_related("byline", "author__specialty", "vote_figure")
        .select_related("question__importance_figure", "question__case")
        .defer(
            "source",
            "search_text",
            "search_vector",
            "question__case__solution",
            "question__case__solution_html",
        )
        .annotate(
            rank=rank,
            groups=_groups(question_pk),
            is_credited=Exists(states.credits_known().filter(post=OuterRef("pk"))),
            is_makers=Exists(Product.objects.filter(maker=firm)),
            answers=Coalesce(Subquery(number.values("number")), 0),
        )
        .order_by(comments_last, "pk")[: ANSWERS + 2 + MOST_COMMENTS]
    )


def _shown(post: Post, masks: Masks, facts: dict) -> Shown:
    votes = getattr(post, "vote_figure", None)
    corroborations, disputes = (votes.corroborations, votes.disputes) if votes else (0, 0)
    return Shown(
        pk=post.pk,
        kind=post.kind,
        alias=masks.aliases.get(post.author_id, ""),
        facts=facts.get(post.author_id, ""),
        posted_on=post.posted_at.astimezone(UTC).date(),
        html=texts.for_firm(post.html, masks.of(post.author_id)),
        corroborations=figures.shown_number(corroborations),
        disputes=figures.shown_number(disputes),
        is_credited=post.is_credited,
        is_of_member=post.byline.mode in SIGNED_BY_MEMBERS,
        takes_verdicts=post.takes_verdicts,
    )


def _case(firm: Firm, question: Question, images: list, masks: Masks) -> CaseFields | None:
    case = getattr(question, "case", None)
    if case is None:
        return None
    return CaseFields(
        patient=patient_words(case.age_band, case.sex),
        ask=case.get_ask_display(),
        intent=case.get_intent_display(),
        pictures=[
            pictures.Picture(image, pictures.address_of(firm, image), texts.plain(image.description, masks))
            for image in images
        ],
    )
