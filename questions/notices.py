"""How notices of discussions read: words, name and title as the gates and the bylines are now, never as they were."""

from dataclasses import replace

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from questions.models import Byline, FollowUp, ModerationAction, Post, Question, SavedSearch
from questions.services import asking, telling
from questions.signature import signature

OPENED = {
    Question.Kind.QUESTION: "asked",
    Question.Kind.OBSERVATION: "shared an observation",
    Question.Kind.DISCUSSION: "opened a discussion",
    Question.Kind.POLL: "opened a poll",
    Question.Kind.CASE: "posted a case",
}


def read_posts(notices: list[Notice], user: User) -> dict[int, Line]:
    """Lines about posts one may see, and about one's own that a moderator removed. One query."""
    own = user.as_member
    visible = Question.objects.visible_to(user).filter(pk=OuterRef("question"))
    opened = Post.objects.opened_to(user).filter(pk=OuterRef("pk"))
    posts = (
        Post.objects.filter(pk__in={row.target for row in notices if not row.key.startswith("refused:")})
        .with_signature(own)
        .annotate(may_be_seen=Exists(visible), is_open=Exists(opened))
        .filter(Q(may_be_seen=True) | Q(author=own))
        .select_related("question", "parent")
    )
    known = {post.pk: post for post in posts}
    found = {}
    for notice in notices:
        if notice.key.startswith("refused:"):
            found[notice.pk] = _line_of_draft()
            continue
        post = known.get(notice.target)
        if post and (line := _line(notice, post, own)):
            found[notice.pk] = line
    return found


def _line_of_draft():
    return Line("A question you planned to post was not posted", reverse("questions:drafts"))


def _line(notice, post, own):
    deed, url, title = notice.key.partition(":")[0], post.get_absolute_url(), post.question.title
    noun = post.noun
    if deed == "removed":
        is_hidden = post.is_removed or not post.may_be_seen
        return (
            Line(f"A moderator removed your {noun}", "" if is_hidden else url, title)
            if post.author == own
            else None
        )
    if post.is_removed or not post.may_be_seen:
        return None
    if not post.is_open:
        return _line_of_closed(notice, post) if deed == "post" else None
    if deed == "post":
        return _line_of_post(notice, post, own)
    if deed == "closed":
        return Line(f"A moderator closed your {noun}", url, title)
    if deed == "search":
        return None if post.is_blocked else Line("New for a search you saved", url, title)
    if deed == "milestone":
        return Line(f"{notice.number} colleagues corroborated your {noun}", url, title)
    if deed == "posted":
        return Line(f"Your {noun} was posted, as you had planned", url, title) if post.author == own else None
    if deed == "outcome":
        return Line(f"What became of a {post.question.kind} you helped to solve", url, title)
    if deed == "credited":
        return Line("Your answer was credited", url, title) if post.is_credited else None
    solved = Line(f"A {post.question.kind} you wrote in is solved", url, title)
    return solved if post.question.is_solved else None


def _line_of_closed(notice, post):
    """While answers are closed to a reader: that there is one, and not whose it is."""
    if notice.kind == Kind.MENTION:
        text = "You are mentioned where answers open once you answer"
    elif notice.kind == Kind.REPLY and post.kind == Post.Kind.ANSWER:
        text = "A colleague answered"
    else:
        return None
    return Line(text, f"{post.question.get_absolute_url()}#answers", post.question.title)


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
        more = {Kind.TOPIC: " in a topic you follow", Kind.ASKED: ", and this is put to you"}
        return deed + more.get(notice.kind, "")
    if post.question.kind == Question.Kind.ARTICLE:
        return _deed_on_article(post, own)
    if post.kind == Post.Kind.COMMENT:
        return "commented on your answer" if post.parent.author_id == own.pk else "commented after you"
    return f"answered your {post.question.kind}" if post.question.asker_id == own.pk else "answered"


def _deed_on_article(post, own):
    if post.kind == Post.Kind.ANSWER:
        return "commented on an article"
    return "replied to your comment" if post.parent.author_id == own.pk else "replied after you"


def read_follow_ups(notices: list[Notice], user: User) -> dict[int, Line]:
    """What is asked of an asker, and what became of a question to be posted later. Two queries."""
    own = user.as_member
    of = {deed: [] for deed in ("follow_up", "refused", "posted")}
    for notice in notices:
        of[notice.key.partition(":")[0]].append(notice)
    found = read_posts(of["posted"], user) if of["posted"] else {}
    rows = FollowUp.objects.filter(pk__in={notice.target for notice in of["follow_up"]}, question__asker=own)
    known = {row.pk: row for row in rows.exclude(question__solved_at=None).select_related("question")}
    for notice in of["follow_up"]:
        if (row := known.get(notice.target)) and not row.question.is_removed:
            url = reverse("questions:follow_up", args=[row.question_id])
            found[notice.pk] = Line(
                f"{row.get_days_display()} after its solution: what became of it?".capitalize(),
                url,
                row.question.title,
            )
    for notice in of["refused"]:
        found[notice.pk] = _line_of_draft()
    return found


DECIDED = {
    ModerationAction.Kind.REDACT: "A moderator took words out of your {noun}",
    ModerationAction.Kind.FOLD: "A moderator folded your {noun}",
    ModerationAction.Kind.REMOVE: "A moderator removed your {noun}",
    ModerationAction.Kind.CLOSE: "A moderator closed your {noun}",
    ModerationAction.Kind.WARN: "A moderator warned you about your {noun}",
    ModerationAction.Kind.HOLD: "A moderator held you from writing",
    ModerationAction.Kind.SUSPEND: "Two moderators suspended your membership",
    ModerationAction.Kind.REVOKE: "Two moderators ended your membership",
}
OLD_KEYS = {"removed": ModerationAction.Kind.REMOVE, "closed": ModerationAction.Kind.CLOSE}


def read_moderation(notices: list[Notice], user: User) -> dict[int, Line]:
    """What moderators decided about one's own, with the way to the reasons. Two queries.

    Keys are "act:<id>:<done, undone or appeal>", and of what was removed or closed "removed:<post>:<moment>".
    """
    found = read_posts([notice for notice in notices if not notice.key.startswith("act:")], user)
    acts = ModerationAction.objects.told_to(user.as_member).with_title_for(user)
    acts = acts.select_related("post__question")
    acts = acts.filter(post__in={notice.target for notice in notices}).order_by("pk")
    by_id = {act.pk: act for act in acts}
    newest = {(act.post_id, act.kind): act for act in acts}
    for notice in notices:
        deed, number, *rest = notice.key.split(":")
        act = by_id.get(int(number)) if deed == "act" else newest.get((notice.target, OLD_KEYS.get(deed)))
        if act:
            found[notice.pk] = _line_of_act(act, rest[0] if deed == "act" else "done")
    return found


def _line_of_act(act, deed):
    words = {
        "done": DECIDED[act.kind].format(noun=act.post.noun),
        "undone": "A moderator took a decision about you back",
        "appeal": "Your appeal was decided",
    }
    return Line(words[deed], reverse("questions:statement", args=[act.pk]), act.title)


def read_searches(notices: list[Notice], user: User) -> dict[int, Line]:
    """What newly matched a search, under the name the search has now. Two queries."""
    own = user.as_member
    lines = read_posts(notices, user)
    saved = {notice.pk: int(notice.key.split(":")[1]) for notice in notices if notice.pk in lines}
    names = dict(SavedSearch.objects.filter(member=own, pk__in=saved.values()).values_list("pk", "name"))
    found = {}
    for notice in notices:
        if notice.pk in lines:
            name = names.get(saved[notice.pk])
            more = f" and {notice.number - 1} more" if notice.number > 1 else ""
            what = f"New{more} for your search “{name}”" if name else f"New{more} for a search you had saved"
            found[notice.pk] = replace(lines[notice.pk], text=what)
    return found


for kind in (Kind.REPLY, Kind.MENTION, Kind.MILESTONE):
    register(kind, read=read_posts)
register(Kind.MODERATION, read=read_moderation)
register(Kind.TOPIC, read=read_posts, recipients=telling.next_topic_followers)
register(Kind.FOLLOW, read=read_posts, recipients=telling.next_followers)
register(Kind.ASKED, read=read_posts, recipients=asking.next_asked)
register(Kind.FOLLOW_UP, read=read_follow_ups)
register(Kind.SEARCH, read=read_searches)
