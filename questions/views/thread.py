"""What a question page shows, gathered in a fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, Subquery, Window
from django.db.models.functions import Cast, JSONObject, RowNumber
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.models import Member, Notice, NoticeThread
from questions.cells import safe_cells
from questions.forms import AnswerForm
from questions.models import Byline, Credit, Draft, Importance, Post, Question, Subscription, Tag, Vote
from questions.signature import signature
from sermo.paging import Page, page

SORTS = {
    "corroborated": ("By corroboration", ("-credit_first", "-balance", "pk")),
    "newest": ("Newest first", ("-posted_at", "-pk")),
}
MOST_COMMENTS = 60  # under one answer
ALL_COMMENTS = 500  # under the one answer whose comments were all asked for
MOST_DISPUTES = 10  # explanations under one post, the newest


@dataclass(frozen=True)
class Refused:
    """A dispute that comes back: under which post, why, and what was typed."""

    post_id: int
    words: str
    typed: QueryDict


def load_question(user, question_id: int) -> Question:
    """One discussion through its gate, with topics, tags and what this member did there. Raises Http404."""
    member = user.as_member
    tag = Tag.objects.filter(questions=OuterRef("pk")).order_by("name")
    followed = Subscription.objects.filter(question=OuterRef("pk"), member=member).values("level")[:1]
    rated = Importance.objects.filter(question=OuterRef("pk"), rater=member).values("value")[:1]
    signed = Byline.objects.filter(question=OuterRef("pk"), member=member).values("mode")[:1]
    held = Notice.objects.filter(member=member, thread=OuterRef("pk"), held=True, read_at=None)
    told = NoticeThread.objects.filter(member=member, about=f"question:{question_id}")
    told = told.filter(Q(unread__gt=0) | Exists(held))
    rows = (
        Question.objects.visible_to(user)
        .with_topics()
        .annotate(
            tag_list=ArraySubquery(tag.values_list(JSONObject(name="name", slug="slug"))),
            own_importance=Subquery(rated),
            own_byline=Subquery(signed),
            own_level=Subquery(followed),
            has_news=Exists(told),
        )
        .select_related("asker__specialty", "asker__rank")
    )
    return get_object_or_404(rows, pk=question_id)


def load_opening(question: Question, member: Member | None) -> Post:
    opening = question.posts.for_page(member).get(kind=Post.Kind.OPENING)
    opening.question = question
    return opening


def load_answers(question: Question, member: Member | None, *, sort: str, after: str | None = None) -> Page:
    """One page of answers with comments, verdicts and reasons. A removed answer stays if something hangs on it."""
    replies = Post.objects.standing().filter(parent=OuterRef("pk"))
    rows = (
        question.posts.answers()
        .filter(Q(removed_at=None) | Exists(replies))
        .for_page(member)
        .annotate(credit_first=Cast(Exists(Credit.objects.filter(post=OuterRef("pk"))), IntegerField()))
    )
    found = page(rows, order=SORTS[sort][1], after=after, size=settings.ANSWERS_PER_PAGE)
    for post in found:
        post.question = question
    return found


def load_one_answer(question: Question, member: Member | None, post_id: int) -> Post:
    post = get_object_or_404(question.posts.answers().for_page(member), pk=post_id)
    post.question = question
    return post


def dress(
    posts: list[Post],
    member: Member | None,
    *,
    wanted: int | None = None,
    all_of: int | None = None,
    dispute: Refused | None = None,
) -> list[Post]:
    """Give posts what their template asks for: signature, comments, reasons of disputes, counts by specialty.

    `wanted` is a comment to show however many stand before it, `all_of` the answer to show all comments of.
    """
    comments = _comments_of(posts, member, wanted, all_of)
    disputes, reason_counts = _disputes_of(posts)
    cells = _cells_of(posts)
    for post in posts:
        post.signature = signature(post.byline.mode, post.author)
        post.is_own = bool(member) and post.author_id == member.pk
        _fold(post, comments[post.pk], wanted, all_of)
        post.reasons = Vote.Reason.choices
        post.disputes = disputes[post.pk]
        post.reason_counts = sorted(reason_counts[post.pk].items(), key=lambda pair: -pair[1])
        post.cells = [
            (word, safe_cells(cells[post.pk, value]))
            for word, value in (("corroborate", 1), ("dispute", -1))
            if safe_cells(cells[post.pk, value])
        ]
        if dispute and dispute.post_id == post.pk:
            post.refused, post.typed = dispute.words, dispute.typed
    return posts


def _fold(post, comments, wanted, all_of):
    """Show the first comments, fold the rest unless it is what one came for, and count those not loaded."""
    post.shown_comments = comments[: settings.COMMENTS_SHOWN]
    post.folded_comments = comments[settings.COMMENTS_SHOWN :]
    post.unfolded = post.pk == all_of or any(comment.pk == wanted for comment in post.folded_comments)
    post.comment_total = comments[0].total if comments else 0
    post.has_more_comments = post.comment_total > len(comments)
    post.shows_all_it_can = post.pk == all_of


def _comments_of(posts, member, wanted, all_of):
    of = defaultdict(list)
    answers = {post.pk: post for post in posts if post.kind == Post.Kind.ANSWER}
    if not answers:
        return of
    number = Window(RowNumber(), partition_by=F("parent"), order_by=("posted_at", "pk"))
    loaded = Q(number__lte=MOST_COMMENTS)
    if wanted:
        loaded |= Q(pk=wanted)
    if all_of:
        loaded |= Q(parent=all_of, number__lte=ALL_COMMENTS)
    rows = (
        Post.objects.standing()
        .filter(kind=Post.Kind.COMMENT, parent__in=list(answers))
        .for_page(member)
        .annotate(number=number, total=Window(Count("pk"), partition_by=F("parent")))
        .filter(loaded)
        .order_by("posted_at", "pk")
    )
    for comment in rows:
        comment.question = answers[comment.parent_id].question
        comment.signature = signature(comment.byline.mode, comment.author)
        comment.is_own = bool(member) and comment.author_id == member.pk
        of[comment.parent_id].append(comment)
    return of


def _disputes_of(posts):
    """The newest explanations of each post, and how many gave which reason, counted over all, in one query.

    The newest vote of each reason comes along even where ten newer ones hide it: it carries that reason's count.
    """
    newest, counts = defaultdict(list), defaultdict(dict)
    disputed = [post.pk for post in posts if post.dispute_count]
    if not disputed:
        return newest, counts
    order, of_reason = ("-cast_at", "-pk"), [F("post"), F("reason")]
    rows = (
        Vote.objects.filter(post__in=disputed, value=Vote.Value.DISPUTE)
        .annotate(
            number=Window(RowNumber(), partition_by=F("post"), order_by=order),
            number_of_reason=Window(RowNumber(), partition_by=of_reason, order_by=order),
            reason_count=Window(Count("pk"), partition_by=of_reason),
        )
        .filter(Q(number__lte=MOST_DISPUTES) | Q(number_of_reason=1))
        .order_by(*order)
    )
    for vote in rows:
        counts[vote.post_id][vote.get_reason_display().lower()] = vote.reason_count
        if vote.number <= MOST_DISPUTES:
            newest[vote.post_id].append(vote)
    return newest, counts


def _cells_of(posts):
    """Votes by specialty group of the voter, asked for only where a cell of five is possible."""
    of = defaultdict(dict)
    counted = [post.pk for post in posts if max(post.corroborate_count, post.dispute_count) >= 5]
    if counted:
        rows = Vote.objects.filter(post__in=counted).values_list("post", "value", "voter__specialty__name")
        for post, value, specialty, count in rows.annotate(count=Count("pk")):
            of[post, value][specialty or "no specialty"] = count
    return of


def answer_form(question: Question, member: Member, data=None) -> AnswerForm:
    """The form under the answers, filled with the draft if there is one."""
    place = f"answer:{question.pk}"
    draft = None if data else Draft.objects.filter(member=member, place=place).first()
    form = AnswerForm(
        data,
        member=member,
        fixed_byline=question.own_byline is not None,
        among_connections=question.is_among_connections,
        initial=draft.fields if draft else None,
        auto_id="answer_%s",
    )
    form.draft, form.draft_url = draft, reverse("questions:save_draft", args=[place])
    return form


def own_signature(question: Question, member: Member):
    """How this member is shown here: by the byline fixed earlier, else by the profile's, never by name among few."""
    usual = member.byline_mode
    if question.is_among_connections and usual == Member.BylineMode.PUBLIC:
        usual = Member.BylineMode.ANONYMOUS
    return signature(question.own_byline or usual, member)
