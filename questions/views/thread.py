"""What a question page shows, gathered in a fixed number of queries."""

from collections import Counter, defaultdict

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, Subquery, Window
from django.db.models.functions import Cast, JSONObject, RowNumber
from django.shortcuts import get_object_or_404

from accounts.models import Member
from questions.cells import safe_cells
from questions.forms import AnswerForm
from questions.models import Byline, Credit, Draft, Importance, Post, Question, Tag, Vote
from questions.signature import signature
from sermo.paging import Page, page

SORTS = {
    "corroborated": ("By corroboration", ("-credit_first", "-balance", "pk")),
    "newest": ("Newest first", ("-posted_at", "-pk")),
}
MOST_COMMENTS = 60  # under one answer


def load_question(user, question_id: int) -> Question:
    """One discussion through its gate, with topics, tags and what this member did there. Raises Http404."""
    member = user.as_member
    tag = Tag.objects.filter(questions=OuterRef("pk")).order_by("name")
    rated = Importance.objects.filter(question=OuterRef("pk"), rater=member).values("value")[:1]
    signed = Byline.objects.filter(question=OuterRef("pk"), member=member).values("mode")[:1]
    rows = (
        Question.objects.visible_to(user)
        .with_topics()
        .annotate(
            tag_list=ArraySubquery(tag.values_list(JSONObject(name="name", slug="slug"))),
            own_importance=Subquery(rated),
            own_byline=Subquery(signed),
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


def dress(posts: list[Post], member: Member | None) -> list[Post]:
    """Give posts what their template asks for: signature, comments, reasons of disputes, counts by specialty."""
    comments = _comments_of(posts, member)
    reasons = _disputes_of(posts)
    cells = _cells_of(posts)
    for post in posts:
        post.signature = signature(post.byline.mode, post.author)
        post.is_own = bool(member) and post.author_id == member.pk
        post.shown_comments = comments[post.pk][: settings.COMMENTS_SHOWN]
        post.folded_comments = comments[post.pk][settings.COMMENTS_SHOWN :]
        post.disputes = reasons[post.pk]
        post.reason_counts = Counter(
            Vote.Reason(vote.reason).label.lower() for vote in reasons[post.pk]
        ).most_common()
        post.cells = [
            (word, safe_cells(cells[post.pk, value]))
            for word, value in (("corroborate", 1), ("dispute", -1))
            if safe_cells(cells[post.pk, value])
        ]
    return posts


def _comments_of(posts, member):
    of = defaultdict(list)
    answers = {post.pk: post for post in posts if post.kind == Post.Kind.ANSWER}
    if not answers:
        return of
    number = Window(RowNumber(), partition_by=F("parent"), order_by="posted_at")
    rows = (
        Post.objects.standing()
        .filter(kind=Post.Kind.COMMENT, parent__in=list(answers))
        .for_page(member)
        .annotate(number=number)
        .filter(number__lte=MOST_COMMENTS)
        .order_by("posted_at", "pk")
    )
    for comment in rows:
        comment.question = answers[comment.parent_id].question
        comment.signature = signature(comment.byline.mode, comment.author)
        comment.is_own = bool(member) and comment.author_id == member.pk
        of[comment.parent_id].append(comment)
    return of


def _disputes_of(posts):
    of = defaultdict(list)
    disputed = [post.pk for post in posts if post.dispute_count]
    if disputed:
        for vote in Vote.objects.filter(post__in=disputed, value=Vote.Value.DISPUTE).order_by("-cast_at"):
            of[vote.post_id].append(vote)
    return of


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
    draft = None if data else Draft.objects.filter(member=member, place=f"answer:{question.pk}").first()
    form = AnswerForm(
        data,
        member=member,
        fixed_byline=question.own_byline is not None,
        initial=draft.fields if draft else None,
        auto_id="answer_%s",
    )
    form.draft = draft
    return form


def own_signature(question: Question, member: Member):
    """How this member is shown here: by the byline fixed earlier, else by the profile's."""
    return signature(question.own_byline or member.byline_mode, member)
