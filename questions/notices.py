"""How notices of discussions read: words, name and title as the gates and the bylines are now, never as they were."""

from django.db.models import Exists, OuterRef, Q

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from questions.models import Byline, Post, Question
from questions.services import telling
from questions.signature import signature

OPENED = {
    Question.Kind.QUESTION: "asked",
    Question.Kind.OBSERVATION: "shared an observation",
    Question.Kind.DISCUSSION: "opened a discussion",
}


def read_posts(notices: list[Notice], user: User) -> dict[int, Line]:
    """Lines about posts one may see, and about one's own that a moderator removed. One query."""
    own = user.as_member
    visible = Question.objects.visible_to(user).filter(pk=OuterRef("question"))
    posts = (
        Post.objects.filter(pk__in={notice.target for notice in notices})
        .for_page(own)
        .annotate(may_be_seen=Exists(visible))
        .filter(Q(may_be_seen=True) | Q(author=own))
        .select_related("question", "parent")
    )
    known = {post.pk: post for post in posts}
    found = {}
    for notice in notices:
        post = known.get(notice.target)
        if post and (line := _line(notice, post, own)):
            found[notice.pk] = line
    return found


def _line(notice, post, own):
    deed, url, title = notice.key.partition(":")[0], post.get_absolute_url(), post.question.title
    noun = _noun(post)
    if deed == "removed":
        is_hidden = post.is_removed or not post.may_be_seen
        return (
            Line(f"A moderator removed your {noun}", "" if is_hidden else url, title)
            if post.author == own
            else None
        )
    if post.is_removed or not post.may_be_seen:
        return None
    if deed == "post":
        return _line_of_post(notice, post, own)
    if deed == "closed":
        return Line(f"A moderator closed your {noun}", url, title)
    if deed == "milestone":
        return Line(f"{notice.number} colleagues corroborated your {noun}", url, title)
    if deed == "credited":
        return Line("Your answer was credited", url, title) if post.is_credited else None
    return Line("A question you wrote in is solved", url, title) if post.question.is_solved else None


def _line_of_post(notice, post, own):
    if post.is_blocked or (notice.kind == Kind.FOLLOW and post.byline.mode not in Byline.UNDER_HANDLE):
        return None
    signed = signature(post.byline.mode, post.author)
    return Line(_deed(notice, post, own), post.get_absolute_url(), post.question.title, signed.name)


def _deed(notice, post, own):
    if notice.kind == Kind.MENTION:
        return "mentioned you"
    if post.kind == Post.Kind.OPENING:
        deed = OPENED[post.question.kind]
        return f"{deed} in a topic you follow" if notice.kind == Kind.TOPIC else deed
    if post.kind == Post.Kind.COMMENT:
        return "commented on your answer" if post.parent.author_id == own.pk else "commented after you"
    return f"answered your {post.question.kind}" if post.question.asker_id == own.pk else "answered"


def _noun(post):
    return post.question.kind if post.kind == Post.Kind.OPENING else post.kind


for kind in (Kind.REPLY, Kind.MENTION, Kind.MILESTONE, Kind.MODERATION):
    register(kind, read=read_posts)
register(Kind.TOPIC, read=read_posts, recipients=telling.next_topic_followers)
register(Kind.FOLLOW, read=read_posts, recipients=telling.next_followers)
