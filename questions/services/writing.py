"""Asking, answering, commenting, editing, removing."""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import faces
from accounts.models import Connection, Member, Specialty
from accounts.roles import is_moderator
from questions import ranking
from questions.hot import hot_rank
from questions.models import (
    Byline,
    Draft,
    ModerationAction,
    Post,
    Question,
    QuestionSpecialty,
    Revision,
    WriteCount,
)
from questions.services import asking, bylines, circles, committing, follow_ups, limits, references, telling
from questions.services.tags import tags_named
from questions.signals import edit_asked, opening_rewritten, post_removed, post_written, removal_asked
from sermo.errors import RuleBroken
from sermo.text import clip, plain, render_markdown, searchable

EXCERPT = 180  # characters
MOST_TAGS = 5


class NotOpen(RuleBroken):
    message = "This discussion is closed. It stays readable; nobody can answer or vote any more."


class NotYours(RuleBroken):
    message = "Only its author can change this."


class PostIsGone(RuleBroken):
    message = "This post was removed."


class ReadOnly(RuleBroken):
    message = "Your license needs a new check before you can write. Reading stays open."


class SentBefore(RuleBroken):
    message = "This form was sent before with other words. Reload the page to write another."


class HasReplies(RuleBroken):
    message = "Colleagues have answered, so the question stays. Close it instead."


class ChangedMeanwhile(RuleBroken):
    message = "This post changed while you were editing. Compare before saving."


class TakenOutByModerator(RuleBroken):
    message = (
        "A moderator took words out of this post. Open this page again and change what stands there now; "
        "copy what else you wrote before."
    )


class NotInAudience(RuleBroken):
    message = "Ask within your own specialty, or choose all physicians as readers."


class RareSpecialty(NotInAudience):
    message = (
        "So few members share your specialty that your handle does not show it; asking within it would. "
        "Choose other readers."
    )


class NoConnections(NotInAudience):
    message = "You have no connection yet. Choose other readers."


class NamedAmongConnections(NotInAudience):
    message = "Your connections know you by your handle. Sign with it, or choose other readers."


class NamedAmongInvited(NamedAmongConnections):
    message = (
        "Among colleagues named by handle everybody signs with one. Sign with yours, or choose other readers."
    )


class NamedOutsideCases(NotInAudience):
    message = "Only a case is put to colleagues by name. Choose other readers."


def open_question(*, asker: Member, submission: UUID | None = None, **written) -> Question:
    """Start a discussion with its opening post. The same submission twice makes one and returns it.

    Takes what `_open` takes. Raises LessPrivateByline, NoPublicName, NotInAudience (with what else `check_audience`
    raises), and as all that is written the refusals of `limits`. A private one is put to nobody and told to nobody:
    whoever opens it invites.
    """
    try:
        with transaction.atomic():
            earlier = _earlier(asker, submission, Post.Kind.OPENING, written["source"])
            return earlier.question if earlier else _open(asker=asker, submission=submission, **written)
    except IntegrityError:
        earlier = _earlier(asker, submission, Post.Kind.OPENING, written["source"])
        if earlier is None:
            raise
        return earlier.question


def _open(
    *,
    asker: Member,
    kind: str,
    title: str,
    source: str,
    specialties: Iterable[Specialty],
    tags: Iterable[str] = (),
    audience: str = Question.Audience.PHYSICIANS,
    peers_only: bool | None = None,
    answer_first: bool = False,
    urgency: str = Question.Urgency.DAYS,
    byline: str | None = None,
    byline_confirmed: bool = False,
    put_to_colleagues: bool = False,
    submission: UUID | None,
    draft_place: str = "ask",
) -> Question:
    specialties = list(specialties)
    check_audience(asker, audience, specialties, byline or asker.byline_mode, kind=kind)
    limits.count_write(asker, WriteCount.What.POST)
    question = Question(
        asker=asker,
        kind=kind,
        title=title,
        audience=audience,
        peers_only=asker.peers_only if peers_only is None else peers_only,
        answer_first=answer_first,
        urgency=urgency,
    )
    opening = save_new(
        question,
        source=source,
        specialties=specialties,
        tags=tags,
        submission=submission,
        sign=lambda: bylines.sign(question=question, member=asker, mode=byline, confirmed=byline_confirmed),
    )
    Draft.objects.filter(member=asker, place__in=[draft_place, f"later:{submission}"]).delete()
    if question.is_private:
        return question
    if put_to_colleagues:
        asking.put_to_colleagues(opening)
    telling.of_opening(opening)
    return question


def save_new(
    question: Question,
    *,
    source: str,
    specialties: Iterable[Specialty],
    sign: Callable[[], Byline],
    tags: Iterable[str] = (),
    submission: UUID | None = None,
) -> Post:
    """Save a discussion with its opening; `sign` makes the byline once the discussion has its row."""
    html = render_markdown(source)
    question.excerpt = clip(plain(html), EXCERPT)
    question.activity_at = question.opened_at
    question.hot = hot_rank(question)
    question.save()
    QuestionSpecialty.objects.bulk_create(
        QuestionSpecialty(question=question, specialty=specialty, place=place)
        for place, specialty in enumerate(specialties, start=1)
    )
    question.tags.set(tags_named(tags, member=question.asker))
    opening = Post.objects.create(
        question=question,
        kind=Post.Kind.OPENING,
        author=question.asker,
        byline=sign(),
        source=source,
        html=html,
        posted_at=question.opened_at,
        search_text=searchable(question.title, plain(html)),
        submission=submission,
    )
    references.store(opening)
    return opening


def check_audience(
    asker: Member,
    audience: str,
    specialties: list[Specialty],
    byline: str,
    *,
    kind: str = Question.Kind.QUESTION,
) -> None:
    """Raises NotInAudience, RareSpecialty, NamedAmongConnections, NoConnections, and for those named by handle
    NamedOutsideCases, NamedAmongInvited.
    """
    if audience == Question.Audience.INVITED:
        _check_invited(kind, byline)
    if audience == Question.Audience.SPECIALTY and asker.specialty not in specialties:
        raise NotInAudience
    is_shown = byline == Member.BylineMode.PUBLIC or faces.shows_specialty(asker)
    if audience == Question.Audience.SPECIALTY and not is_shown:
        raise RareSpecialty
    if audience != Question.Audience.CONNECTIONS:
        return
    if byline == Member.BylineMode.PUBLIC:
        raise NamedAmongConnections
    if not Connection.objects.accepted().of(asker).exists():
        raise NoConnections


def _check_invited(kind: str, byline: str) -> None:
    if kind != Question.Kind.CASE:
        raise NamedOutsideCases
    if byline == Member.BylineMode.PUBLIC:
        raise NamedAmongInvited


def _earlier(author: Member, submission: UUID | None, kind: str, source: str, question=None) -> Post | None:
    """The post an earlier, identical submission of a form made. Raises SentBefore when it said something else."""
    if submission is None:
        return None
    earlier = Post.objects.select_related("question").filter(author=author, submission=submission).first()
    if earlier is None:
        return None
    if (earlier.kind, earlier.source) != (kind, source) or (question and earlier.question_id != question.pk):
        raise SentBefore
    return earlier


@transaction.atomic
def answer(
    *,
    question: Question,
    author: Member,
    source: str,
    byline: str | None = None,
    byline_confirmed: bool = False,
    peers_only: bool | None = None,
    among_peers: bool = False,
    submission: UUID | None = None,
) -> Post:
    """Answer an open discussion. The same submission twice makes one answer. Announces post_written.

    Firms do not read it with `peers_only`, or where that is left out and its author wants it so for all. Nor do they
    where it was written `among_peers`, as its author was told, and the discussion was given to them meanwhile.
    Raises NotOpen, circles.NotAccepted, LessPrivateByline, NoPublicName.
    """
    question = lock_open(question, by=author)
    earlier = _earlier(author, submission, Post.Kind.ANSWER, source, question)
    if earlier:
        return earlier
    limits.count_write(author, WriteCount.What.COMMENT)
    saw_others = committing.commit_by_answer(question=question, member=author)
    post = _post(
        question,
        Post.Kind.ANSWER,
        author,
        source,
        byline,
        byline_confirmed,
        submission,
        peers_only=_kept_from_firms(author, peers_only, was=among_peers, is_now=question.is_among_peers),
        saw_others=saw_others,
    )
    question.answer_count += 1
    if question.first_answer_at is None and author.pk != question.asker_id:
        question.first_answer_at = post.posted_at
    touch(question, post.posted_at, "answer_count", "first_answer_at")
    forget_draft(member=author, place=f"answer:{question.pk}")
    telling.of_answer(post)
    post_written.send(sender=Question, post=post)
    return post


@transaction.atomic
def comment(
    *,
    post: Post,
    author: Member,
    source: str,
    byline: str | None = None,
    byline_confirmed: bool = False,
    peers_only: bool | None = None,
    among_peers: bool = False,
    submission: UUID | None = None,
) -> Post:
    """Comment under an answer (a reply to a comment goes under the same answer). Announces post_written.

    `peers_only` and `among_peers` are as of an answer; under one that firms do not read they read no comment either.
    Raises NotOpen, circles.NotAccepted, PostIsGone, committing.AnswerFirst, LessPrivateByline, NoPublicName.
    """
    question = lock_open(post.question, by=author)
    earlier = _earlier(author, submission, Post.Kind.COMMENT, source, question)
    if earlier:
        return earlier
    above = Post.objects.select_for_update().get(pk=post.parent_id or post.pk)
    if above.is_removed or above.kind != Post.Kind.ANSWER:
        raise PostIsGone
    committing.check_open(question=question, member=author)
    limits.count_write(author, WriteCount.What.COMMENT)
    is_among_peers = question.is_among_peers or above.peers_only
    made = _post(
        question,
        Post.Kind.COMMENT,
        author,
        source,
        byline,
        byline_confirmed,
        submission,
        peers_only=_kept_from_firms(author, peers_only, was=among_peers, is_now=is_among_peers),
        parent=above,
    )
    question.comment_count += 1
    touch(question, made.posted_at, "comment_count")
    forget_draft(member=author, place=f"comment:{above.pk}")
    telling.of_comment(made)
    post_written.send(sender=Question, post=made)
    return made


def _kept_from_firms(author: Member, chosen: bool | None, *, was: bool, is_now: bool) -> bool:
    """Whether firms do not read a new post; its author chose, or was told while writing that none reads here."""
    if was and not is_now:
        return True
    return author.peers_only if chosen is None else chosen


def _post(
    question, kind, author, source, mode, confirmed, submission, *, peers_only, parent=None, saw_others=False
) -> Post:
    html = render_markdown(source)
    post = Post.objects.create(
        question=question,
        parent=parent,
        kind=kind,
        author=author,
        byline=bylines.sign(question=question, member=author, mode=mode, confirmed=confirmed),
        source=source,
        html=html,
        search_text=searchable(plain(html)),
        submission=submission,
        saw_others=saw_others,
        peers_only=peers_only,
    )
    references.store(post)
    return post


def lock_open(question: Question, *, by: Member | None = None) -> Question:
    """Lock a discussion for a write that only an open one takes, and a private one only of whom it takes words.

    Raises NotOpen, circles.NotAccepted.
    """
    question = Question.objects.select_for_update().get(pk=question.pk)
    if not question.is_open:
        raise NotOpen
    if by:
        circles.check_takes_words_of(question, by)
    return question


def touch(question: Question, moment, *fields: str) -> None:
    """Save changed counters of a locked discussion with its hot rank; a moment says that it was active then."""
    question.hot = hot_rank(question)
    if moment and moment > question.activity_at:
        question.activity_at = moment
    question.save(update_fields=[*fields, "hot", "activity_at"])


@transaction.atomic
def edit_post(
    *,
    post: Post,
    by: Member,
    source: str,
    title: str | None = None,
    was: str | None = None,
    was_title: str | None = None,
) -> Post:
    """Change one's own text: silently in the first 15 minutes, later with what it said before kept as a revision.

    Where one answers before reading the others, no edit of an answer is silent: they were open since.
    `was` is the source the editor started from, `was_title` the title. What a moderator took out meanwhile does not
    come back with them. Announces edit_asked. Raises NotOpen, NotYours, PostIsGone, limits.Held, ChangedMeanwhile,
    TakenOutByModerator.
    """
    question = lock_open(post.question)
    post = Post.objects.select_for_update().get(pk=post.pk)
    if post.author_id != by.pk:
        raise NotYours
    if post.is_removed:
        raise PostIsGone
    limits.check_not_held(by)
    title = title if post.kind == Post.Kind.OPENING and title else question.title
    if (source, title) == (post.source, question.title):
        return post
    if is_outdated(post, question, was, was_title):
        raise TakenOutByModerator if is_redacted(post) else ChangedMeanwhile
    post.question = question
    edit_asked.send(sender=Post, post=post, source=source)
    now = timezone.now()
    is_committed = question.answer_first and post.kind == Post.Kind.ANSWER
    if is_committed or now > post.silent_until:
        number = post.revisions.count() + 1
        before = question.title if post.kind == Post.Kind.OPENING else ""
        Revision.objects.create(post=post, number=number, title=before, source=post.source, replaced_at=now)
        post.edited_at = now
    html = render_markdown(source)
    post.source, post.html = source, html
    post.search_text = searchable(title if post.kind == Post.Kind.OPENING else "", plain(html))
    post.save(update_fields=["source", "html", "search_text", "edited_at"])
    references.store(post)
    forget_draft(member=by, place=f"edit:{post.pk}")
    if post.kind == Post.Kind.OPENING:
        question.title, question.excerpt = title, clip(plain(html), EXCERPT)
        question.save(update_fields=["title", "excerpt"])
        opening_rewritten.send(sender=Question, question=question)
    return post


def is_outdated(post: Post, question: Question, was: str | None, was_title: str | None) -> bool:
    """Whether a post says something else now than where an editor started."""
    is_other_title = was_title and _lines(was_title) != _lines(question.title)
    return bool(is_other_title) or (was is not None and _lines(was) != _lines(post.source))


def is_redacted(post: Post) -> bool:
    """Whether a moderator took words out of a post, and that stands."""
    acts = post.moderation.filter(kind=ModerationAction.Kind.REDACT, state=ModerationAction.State.DONE)
    return acts.exists()


def _lines(text: str) -> list[str]:
    """Browsers send line ends as CR LF."""
    return text.strip().splitlines()


@transaction.atomic
def remove_post(*, post: Post, by: Member | None, user=None) -> Post:
    """Take a post out of sight; the row stays. Its author may while the discussion is open, a moderator (`user`) ever.

    An opening takes its discussion with it; its author may do that only while nobody has answered, and no app above
    refuses. Twice is as good as once. Announces removal_asked of an author's opening, and post_removed. Raises
    NotYours, ReadOnly, NotOpen, HasReplies.
    """
    question = Question.objects.select_for_update().get(pk=post.question_id)
    post = Post.objects.select_for_update().get(pk=post.pk)
    moderating = user is not None and is_moderator(user)
    own = by is not None and post.author_id == by.pk
    if not own and not moderating:
        raise NotYours
    if post.is_removed:
        return post
    if not moderating:
        _check_own_removal(question, post, by)
    post.removed_at = timezone.now()
    post.removed_by = Post.RemovedBy.AUTHOR if own else Post.RemovedBy.MODERATOR
    post.save(update_fields=["removed_at", "removed_by"])
    ranking.recompute_points(*_discount(question, post))
    post_removed.send(sender=Post, post=post)
    if not own:
        telling.of_removal_by_moderator(post)
    return post


def _check_own_removal(question: Question, post: Post, author: Member) -> None:
    if not author.may_write:
        raise ReadOnly
    if not question.is_open:
        raise NotOpen
    if post.kind != Post.Kind.OPENING:
        return
    if question.answer_count:
        raise HasReplies
    removal_asked.send(sender=Question, question=question)


def _discount(question: Question, post: Post) -> set[int]:
    """Take a removed post out of its discussion's counters and credits; return the members whose points it touched."""
    if post.kind == Post.Kind.OPENING:
        question.status = Question.Status.REMOVED
        question.save(update_fields=["status"])
        return set(question.posts.values_list("author", flat=True))
    if post.kind == Post.Kind.ANSWER:
        question.answer_count -= 1
        replies = question.posts.answers().standing().exclude(author=question.asker_id).order_by("posted_at")
        question.first_answer_at = replies.values_list("posted_at", flat=True).first()
        question.credits.filter(post=post).delete()
        if question.solved_at and not question.outcome and not question.credits.exists():
            question.solved_at = None
            follow_ups.forget(question)
    else:
        question.comment_count -= 1
    question.vote_count -= post.corroborate_count + post.dispute_count
    touch(question, None, "answer_count", "first_answer_at", "comment_count", "vote_count", "solved_at")
    return {post.author_id}


def save_draft(*, member: Member, place: str, fields: dict[str, object]) -> Draft:
    """Keep what somebody typed but did not post yet."""
    draft, _ = Draft.objects.update_or_create(
        member=member, place=place, defaults={"fields": fields, "saved_at": timezone.now()}
    )
    return draft


def forget_draft(*, member: Member, place: str) -> None:
    Draft.objects.filter(member=member, place=place).delete()
